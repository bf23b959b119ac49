//! A running server, and a client that speaks plain HTTP to it.

use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use relprop_testing::fixtures::folder;
use relprop_testing::program::relprop;
use serde_json::Value;

/// `relprop serve`, which is killed at the end.
pub struct Server {
    pub child: Child,
    pub address: String,
}

/// What a server answered.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    /// The headers in small letters.
    pub head: String,
    pub body: Vec<u8>,
}

impl Answer {
    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }

    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// It must be an answer, and not a refusal.
    pub fn done(self) -> Value {
        assert_eq!(self.status, 200, "{}", self.text());
        self.json()
    }

    /// It must be a refusal with this status, whose sentence has these words.
    pub fn refused(&self, status: u16, words: &[&str]) {
        assert_eq!(self.status, status, "{}", self.text());
        assert!(self.header("content-type").contains("application/json"));
        let error = self.json()["error"].as_str().unwrap().to_owned();
        assert!(error.split(' ').count() > 2, "{error} is no sentence");
        for word in words {
            assert!(error.contains(word), "`{word}` is not in: {error}");
        }
    }

    pub fn header(&self, name: &str) -> &str {
        let mut lines = self.head.lines();
        let line = lines.find_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
        line.unwrap_or_default()
    }
}

impl Server {
    /// Serves fixtures.
    pub fn of(fixtures: &[&str], arguments: &[&str]) -> Self {
        let mut command = relprop();
        command.args(["serve", "--port", "0"]).args(arguments);
        for fixture in fixtures {
            command.arg("--model").arg(folder(fixture));
        }
        Self::start(command)
    }

    pub fn start(mut command: Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let address = lines.find_map(|line| {
            let line = line.unwrap();
            let (_, address) = line.split_once("http://")?;
            Some(address.split('/').next()?.to_owned())
        });
        Self {
            address: address.expect("the program says where it listens"),
            child,
        }
    }

    pub fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(&self.address).unwrap();
        let patience = Some(Duration::from_secs(60));
        stream.set_read_timeout(patience).unwrap();
        stream
    }

    /// Sends these bytes, and reads the answer to its end.
    pub fn send(&self, bytes: &[u8]) -> Answer {
        let mut stream = self.connect();
        // A refusal may come, and the connection end, before all is sent.
        let _ = stream.write_all(bytes);
        read(&mut stream)
    }

    pub fn request(&self, method: &str, path: &str, headers: &str, body: &[u8]) -> Answer {
        let head = format!(
            "{method} {path} HTTP/1.1\r\nhost: {}\r\nconnection: close\r\n{headers}content-length: \
             {}\r\n\r\n",
            self.address,
            body.len()
        );
        self.send(&[head.as_bytes(), body].concat())
    }

    pub fn get(&self, path: &str) -> Answer {
        self.request("GET", path, "", b"")
    }

    pub fn post(&self, path: &str, body: &Value) -> Answer {
        self.bytes(path, body.to_string().as_bytes())
    }

    /// Posts a body that is said to be JSON.
    pub fn bytes(&self, path: &str, body: &[u8]) -> Answer {
        self.request("POST", path, "content-type: application/json\r\n", body)
    }

    pub fn explain(&self, body: &Value) -> Answer {
        self.post("/api/explain", body)
    }

    /// A number of `/metrics`.
    pub fn metric(&self, name: &str) -> f64 {
        let answer = self.get("/metrics");
        let line = answer.text().lines().find_map(|line| {
            let value = line.strip_prefix(name)?.strip_prefix(' ')?;
            value.parse().ok()
        });
        line.unwrap_or_else(|| panic!("{name} is not in {}", answer.text()))
    }

    /// Waits until `/health` says that so many requests wait.
    pub fn until_waiting(&self, count: u64) {
        let begun = Instant::now();
        while self.get("/health").done()["waiting"] != count {
            assert!(begun.elapsed() < Duration::from_secs(30), "nothing waits");
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Reads an answer to the end of the connection.
pub fn read(stream: &mut TcpStream) -> Answer {
    let mut bytes = Vec::new();
    match stream.read_to_end(&mut bytes) {
        Ok(_) => {}
        // The server had not read all that was sent.
        Err(error) if error.kind() == ErrorKind::ConnectionReset && !bytes.is_empty() => {}
        Err(error) => panic!("{error} after {} bytes", bytes.len()),
    }
    let end = bytes.windows(4).position(|four| four == b"\r\n\r\n");
    let end = end.unwrap_or_else(|| panic!("no answer: {:?}", String::from_utf8_lossy(&bytes)));
    let head = String::from_utf8(bytes[..end].to_vec()).unwrap();
    let (first, head) = head.split_once("\r\n").unwrap_or((&head, ""));
    Answer {
        status: first.split(' ').nth(1).unwrap().parse().unwrap(),
        head: head.to_ascii_lowercase(),
        body: bytes[end + 4..].to_vec(),
    }
}

/// The bytes of a fixture's file in base64.
pub fn base64(file: &Path) -> String {
    const LETTERS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let bytes = std::fs::read(file).unwrap();
    let four = |three: &[u8]| {
        let number = (0..3).fold(0u32, |all, place| {
            all << 8 | u32::from(three.get(place).copied().unwrap_or_default())
        });
        let letter = |place: usize| match place <= three.len() {
            true => char::from(LETTERS[(number >> (18 - 6 * place) & 63) as usize]),
            false => '=',
        };
        [0, 1, 2, 3].map(letter)
    };
    bytes.chunks(3).flat_map(four).collect()
}
