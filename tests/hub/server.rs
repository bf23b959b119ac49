//! A stand-in for the Hugging Face Hub: it answers what is asked for models, and forgets nothing.

use std::collections::BTreeMap;
use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use serde_json::json;

/// The commit that every model is at.
pub const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";

/// What the server has and how it behaves.
#[derive(Default)]
pub struct Hub {
    /// `owner/name`.
    pub name: String,
    /// Its files.
    pub files: BTreeMap<String, Vec<u8>>,
    /// If there is one, nothing is given without it, and this status is the answer.
    pub token: Option<(&'static str, u16)>,
    /// The connection breaks after so many bytes of a file, once.
    pub breaks: Option<usize>,
}

impl Hub {
    /// A model with these files of a folder.
    pub fn with(name: &str, folder: &Path, files: &[&str]) -> Self {
        let read = |file: &&str| ((*file).to_owned(), fs::read(folder.join(file)).unwrap());
        Self {
            name: name.to_owned(),
            files: files.iter().map(read).collect(),
            ..Self::default()
        }
    }

    pub fn start(self) -> Server {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let (asked, over) = (
            Arc::<Mutex<Vec<String>>>::default(),
            Arc::new(AtomicBool::new(false)),
        );
        let mut state = State {
            hub: self,
            address: address.clone(),
            asked: Arc::clone(&asked),
        };
        let ended = Arc::clone(&over);
        let thread = std::thread::spawn(move || {
            for stream in listener.incoming() {
                if ended.load(Ordering::Relaxed) {
                    return;
                }
                // A client that is gone has what it wanted.
                let _ = state.answer(&stream.unwrap());
            }
        });
        Server {
            address,
            asked,
            over,
            thread: Some(thread),
        }
    }
}

/// A running server. Nothing answers any more once it is dropped.
pub struct Server {
    pub address: String,
    asked: Arc<Mutex<Vec<String>>>,
    over: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    /// What was asked for since the last time: paths, with the range of bytes behind them.
    pub fn asked(&self) -> Vec<String> {
        std::mem::take(&mut self.asked.lock().unwrap())
    }

    /// The files that were fetched since the last time, in order.
    pub fn fetched(&self) -> Vec<String> {
        let asked = self.asked();
        // Before it fetches a file, hf-hub asks for its first byte to learn its size.
        let whole = asked.iter().filter(|line| line.ends_with(" bytes=0-"));
        let path = |line: &String| line.split(' ').next().unwrap().to_owned();
        let file = |path: String| path.rsplit('/').next().unwrap().to_owned();
        let resolved = whole.map(path).filter(|path| path.contains("/resolve/"));
        resolved.map(file).collect()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Relaxed);
        let _ = TcpStream::connect(self.address.trim_start_matches("http://"));
        let ended = self.thread.take().unwrap().join();
        if !std::thread::panicking() {
            ended.unwrap();
        }
    }
}

struct State {
    hub: Hub,
    address: String,
    asked: Arc<Mutex<Vec<String>>>,
}

impl State {
    fn answer(&mut self, stream: &TcpStream) -> std::io::Result<()> {
        let mut lines = BufReader::new(stream).lines();
        let first = lines.next().transpose()?.unwrap_or_default();
        let mut headers = BTreeMap::new();
        while let Some(line) = lines.next().transpose()?.filter(|line| !line.is_empty()) {
            let (name, value) = line.split_once(':').unwrap();
            headers.insert(name.to_lowercase(), value.trim().to_owned());
        }
        let path = first.split(' ').nth(1).unwrap_or_default();
        let range = headers.get("range").map_or("", String::as_str);
        self.asked.lock().unwrap().push(format!("{path} {range}"));

        let known = |(token, _): &(&str, u16)| {
            headers.get("authorization") == Some(&format!("Bearer {token}"))
        };
        // The place that large files are kept at proves by itself who may read them.
        let open = path.starts_with("/large/");
        if let Some((_, status)) = self.hub.token.filter(|token| !open && !known(token)) {
            return send(stream, status, &[], b"who are you?");
        }
        let of_model = |prefix: &str, suffix: &str| {
            let rest = path.strip_prefix(&format!("{prefix}{}", self.hub.name))?;
            rest.strip_prefix(suffix)
        };
        if let Some(revision) = of_model("/api/models/", "/revision/") {
            if !["main", "v1", COMMIT].contains(&revision) {
                return send(stream, 404, &[], b"no such revision");
            }
            let files = self.hub.files.keys().map(|name| json!({"rfilename": name}));
            let about = json!({"sha": COMMIT, "siblings": files.collect::<Vec<_>>()});
            return send(stream, 200, &[], about.to_string().as_bytes());
        }
        let resolved = of_model("/", "/resolve/").and_then(|path| path.split_once('/'));
        let file = resolved
            .map(|(_, file)| file)
            .or(path.strip_prefix("/large/"));
        let Some((file, bytes)) = file.and_then(|file| self.hub.files.get_key_value(file)) else {
            return send(stream, 404, &[], b"no such file");
        };

        let mut hash = DefaultHasher::new();
        bytes.hash(&mut hash);
        let tag = format!("\"{:016x}\"", hash.finish());
        let commit = ("X-Repo-Commit", COMMIT.to_owned());
        // As on the Hub, large files are kept elsewhere.
        if !open && file.ends_with(".safetensors") {
            let location = ("Location", format!("{}/large/{file}", self.address));
            let tags = [("ETag", "\"elsewhere\"".to_owned()), ("X-Linked-ETag", tag)];
            let [tag, linked] = tags;
            return send(stream, 302, &[location, commit, tag, linked], b"");
        }
        let wanted = range
            .strip_prefix("bytes=")
            .and_then(|range| range.split_once('-'));
        let (start, end) = wanted.expect("hf-hub asks for ranges");
        let start: usize = start.parse().unwrap();
        let end = end.parse().map_or(bytes.len(), |last: usize| last + 1);
        if start >= bytes.len() {
            return send(stream, 416, &[], b"");
        }
        let range = format!("bytes {start}-{}/{}", end - 1, bytes.len());
        let headers = [("ETag", tag), commit, ("Content-Range", range)];
        let part = &bytes[start..end];
        match self.hub.breaks.take_if(|after| *after < part.len()) {
            Some(after) => send_part(stream, 206, &headers, part, after),
            None => send(stream, 206, &headers, part),
        }
    }
}

type Headers<'a> = &'a [(&'a str, String)];

fn send(stream: &TcpStream, status: u16, headers: Headers, body: &[u8]) -> std::io::Result<()> {
    send_part(stream, status, headers, body, body.len())
}

/// Sends so many bytes of a body, and says that all of them will come.
fn send_part(
    mut stream: &TcpStream,
    status: u16,
    headers: Headers,
    body: &[u8],
    sent: usize,
) -> std::io::Result<()> {
    let mut head = format!("HTTP/1.1 {status} as the Hub\r\nConnection: close\r\n");
    head += &format!("Content-Length: {}\r\n", body.len());
    for (name, value) in headers {
        head += &format!("{name}: {value}\r\n");
    }
    stream.write_all(format!("{head}\r\n").as_bytes())?;
    stream.write_all(&body[..sent])
}
