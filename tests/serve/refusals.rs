//! What cannot be answered is refused with a sentence, and the server goes on.

use std::io::Write;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::client::{Server, read};

/// The server still answers.
fn goes_on(server: &Server) {
    let answer = server.explain(&json!({"text": "a warm film"})).done();
    assert_eq!(answer["explanations"][0]["text"], "a warm film");
}

#[test]
fn every_mistake_has_its_sentence() {
    let server = Server::of(&["bert"], &[]);
    let megabyte = "film ".repeat(200_000);
    for (body, words) in [
        (json!({}), ["`text`", "`texts`"]),
        (json!({"text": ""}), ["empty", "text"]),
        (json!({"text": " \t\u{a0}"}), ["empty", "text"]),
        (json!({"texts": []}), ["0 texts", "256"]),
        (json!({"texts": vec!["a"; 257]}), ["257 texts", "256"]),
        (json!({"texts": ["a", ""]}), ["text 2", "empty"]),
        (json!({"texts": "a"}), ["`texts`", "sequence"]),
        (json!({"text": 1}), ["`text`", "string"]),
        (json!({"text": ["a"]}), ["`text`", "string"]),
        (json!({"text": "a", "texts": ["b"]}), ["`text`", "`texts`"]),
        (
            json!({"text": &megabyte[..800_000]}),
            ["800000 characters", "100000"],
        ),
        (json!({"text": "a", "ruels": "ah-ln"}), ["`ruels`", "rules"]),
        (
            json!({"text": "a", "rules": "ahln"}),
            ["no preset `ahln`", "ah-ln"],
        ),
        (json!({"text": "a", "rules": 7}), ["`rules`", "neither"]),
        (
            json!({"text": "a", "rules": {"name": "b", "rules": [{"rool": 1}]}}),
            ["`rules[0]`", "`rule`"],
        ),
        (
            json!({"text": "a", "rules": "mine.toml"}),
            ["mine.toml", "no files"],
        ),
        (
            json!({"text": "a", "rules": "/etc/x.toml"}),
            ["/etc/x.toml", "no files"],
        ),
        (
            json!({"text": "a", "method": "mine.toml"}),
            ["mine.toml", "rule set"],
        ),
        (
            json!({"text": "a", "method": "gea"}),
            ["no method `gea`", "gae"],
        ),
        (
            json!({"text": "a", "method": "shapley:samples=1e9"}),
            ["1000000000", "1000"],
        ),
        (
            json!({"text": "a", "method": "gae", "ledger": true}),
            ["ledger", "`gae`"],
        ),
        (
            json!({"text": "a", "ledger": "yes"}),
            ["`ledger`", "boolean"],
        ),
        (
            json!({"text": "a", "target": "maybe"}),
            ["no target `maybe`", "negative, neutral"],
        ),
        (
            json!({"text": "a", "at": "classifier"}),
            ["`classifier`", "blocks"],
        ),
        (json!({"text": "a", "model": "other"}), ["`other`", "bert"]),
        (
            json!({"text": "a", "pair": ["b", "c"]}),
            ["`pair`", "2 texts for 1"],
        ),
        (
            json!({"text": "a", "pair": {"column": "b"}}),
            ["`pair`", "column"],
        ),
        (
            json!({"text": "a", "pair": "b", "query": "c"}),
            ["`pair`", "`query`"],
        ),
        (
            json!({"text": "a", "generate": 3}),
            ["language model", "on"],
        ),
        (
            json!({"text": "a", "generate": 100_000}),
            ["`generate`", "128"],
        ),
        (json!({"text": "a", "hops": 1000}), ["`hops`", "16"]),
        (
            json!({"text": "a", "labels": vec!["b"; 65]}),
            ["`labels`", "64"],
        ),
        (json!({"text": "a", "position": -1}), ["`position`", "-1"]),
        (
            json!({"text": "a", "fragments": ["film"]}),
            ["`fragments`", "`film`"],
        ),
        (json!({"picture": "AAAA"}), ["reads texts", "`text`"]),
    ] {
        let answer = server.explain(&body);
        assert!(answer.status == 400, "{body} got {answer:?}");
        answer.refused(400, &words);
    }
    goes_on(&server);
}

#[test]
fn a_body_that_is_no_json_is_refused() {
    let server = Server::of(&["bert"], &[]);
    let deep = "[".repeat(100_000);
    for (body, words) in [
        (&b""[..], ["body is empty", "JSON"]),
        (b"{", ["not JSON", "line 1"]),
        (b"text", ["not JSON", "line 1"]),
        (b"[\"a\"]", ["JSON object", "`text`"]),
        (b"{\"text\": \"\xff\"}", ["UTF-8", "byte 10"]),
        (b"{\"text\": \"\\ud800\"}", ["not JSON", "column 17"]),
        (deep.as_bytes(), ["not JSON", "recursion"]),
    ] {
        server.bytes("/api/explain", body).refused(400, &words);
    }
    let megabytes = json!({"text": "film ".repeat(400_000)}).to_string();
    let answer = server.bytes("/api/explain", megabytes.as_bytes());
    answer.refused(413, &["longer than 1048576 bytes"]);

    let valid = b"{\"text\": \"a\"}";
    for kind in [
        "",
        "content-type: text/plain\r\n",
        "content-type: application/x-www-form-urlencoded\r\n",
    ] {
        let answer = server.request("POST", "/api/explain", kind, valid);
        answer.refused(415, &["JSON", "content-type"]);
    }
    let kind = "content-type: Application/JSON; charset=utf-8\r\n";
    server.request("POST", "/api/explain", kind, valid).done();

    let answer = server.get("/api/explain");
    answer.refused(405, &["this method"]);
    assert_eq!(answer.header("allow"), "post");
    server
        .post("/api/model", &json!({}))
        .refused(405, &["this method"]);
    server
        .request("DELETE", "/health", "", b"")
        .refused(405, &["this method"]);
    for path in [
        "/api",
        "/api/explain/",
        "/nothing",
        "/../Cargo.toml",
        "/etc/passwd",
        "/%2e%2e/x",
    ] {
        server.get(path).refused(404, &["nothing at this path"]);
    }
    // What is no HTTP at all.
    assert_eq!(server.send(b"hello\r\n\r\n").status, 400);
    let headers = "x: y\r\n".repeat(200);
    let long = format!("GET / HTTP/1.1\r\nhost: a\r\n{headers}\r\n");
    assert_eq!(server.send(long.as_bytes()).status, 431);
    goes_on(&server);
}

#[test]
fn what_is_in_a_text_is_text() {
    let server = Server::of(&["bert"], &[]);
    let text = "<script>alert(1)</script> \"quoted\" <img src=x onerror=alert(2)> & 'so' film";
    let names = server.get("/api/model").done()["fragments"].clone();
    let body = json!({"text": text, "ledger": true, "fragments": names});
    let answer = server.explain(&body).done();
    assert_eq!(answer["explanations"][0]["text"], text);
    let fragments = answer["fragments"][0].as_object().unwrap();
    assert_eq!(fragments.len(), names.as_array().unwrap().len());
    for (name, fragment) in fragments {
        let fragment = fragment.as_str().unwrap();
        if name != "svg" {
            assert!(fragment.contains("class=\"relprop"), "{name}: {fragment}");
        }
        for tag in ["<script", "<img", "onerror=alert(2)>"] {
            assert!(!fragment.contains(tag), "{tag} is in {name}");
        }
    }
    let shown: String = fragments.values().map(Value::to_string).collect();
    // The heat map has a word in each element.
    assert!(shown.contains("&lt;"), "{shown}");
}

#[test]
fn every_answer_has_the_headers_that_make_it_safe() {
    let server = Server::of(&["bert"], &[]);
    let explained = server.explain(&json!({"text": "a film"}));
    let answers = [
        server.get("/"),
        server.get("/nothing"),
        server.get("/api/model"),
        server.get("/metrics"),
        server.explain(&json!({})),
        explained,
    ];
    for answer in answers {
        let policy = answer.header("content-security-policy");
        for part in [
            "default-src 'self'",
            "frame-ancestors 'none'",
            "base-uri 'none'",
        ] {
            assert!(policy.contains(part), "{policy}");
        }
        assert!(!policy.contains("unsafe"), "{policy}");
        assert_eq!(answer.header("x-content-type-options"), "nosniff");
        assert_eq!(answer.header("referrer-policy"), "no-referrer");
        assert_eq!(answer.header("access-control-allow-origin"), "");
    }
    let page = server.get("/");
    assert_eq!(page.header("content-type"), "text/html; charset=utf-8");
    assert!(
        !page.text().contains("<script>"),
        "a script stands in the page"
    );
}

#[test]
fn other_hosts_and_origins_are_refused() {
    let server = Server::of(&["bert"], &["--cors", "https://a.example"]);
    let asked = |host: &str| {
        server.send(
            format!("GET /health HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\r\n").as_bytes(),
        )
    };
    for host in [
        "localhost",
        "LOCALHOST:1",
        "127.0.0.1",
        "127.0.0.1:80",
        "[::1]",
        "[::1]:80",
    ] {
        asked(host).done();
    }
    for host in [
        "evil.example",
        "evil.example:80",
        "127.0.0.1.evil.example",
        "",
        "localhost.evil",
    ] {
        asked(host).refused(421, &["this machine"]);
    }
    let from = |method: &str, origin: &str| {
        let headers = format!("origin: {origin}\r\ncontent-type: application/json\r\n");
        let body = if method == "POST" {
            &b"{\"text\": \"a film\"}"[..]
        } else {
            b""
        };
        server.request(method, "/api/explain", &headers, body)
    };
    let preflight = from("OPTIONS", "https://a.example");
    assert_eq!(preflight.status, 204);
    assert_eq!(
        preflight.header("access-control-allow-origin"),
        "https://a.example"
    );
    assert_eq!(
        preflight.header("access-control-allow-headers"),
        "content-type"
    );
    let answer = from("POST", "https://a.example");
    assert_eq!(
        answer.header("access-control-allow-origin"),
        "https://a.example"
    );
    answer.done();
    let other = from("OPTIONS", "https://b.example");
    assert_eq!(other.header("access-control-allow-origin"), "");
    other.refused(405, &["this method"]);
    assert_eq!(
        from("POST", "null").header("access-control-allow-origin"),
        ""
    );
}

/// More connections than there may be: those beyond are told so, and the others are served.
#[test]
fn silent_connections_do_not_end_the_server() {
    let server = Server::of(&["bert"], &[]);
    let begun = Instant::now();
    let silent: Vec<_> = (0..540).map(|_| server.connect()).collect();
    let mut last = server.connect();
    let answer = read(&mut last);
    answer.refused(503, &["too many connections"]);
    assert_eq!(answer.header("retry-after"), "1");
    drop(silent);
    // Places are free again as soon as the connections are gone.
    while server.get("/health").status != 200 {
        assert!(begun.elapsed() < Duration::from_secs(30));
    }
    goes_on(&server);
    // One that sends nothing is closed after a while, and half a request is as good as none.
    let mut half = server.connect();
    half.write_all(b"POST /api/explain HTTP/1.1\r\nhost: local")
        .unwrap();
    let mut half_body = server.connect();
    let head = "POST /api/explain HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\
                content-type: application/json\r\ncontent-length: 100\r\n\r\n{";
    half_body.write_all(head.as_bytes()).unwrap();
    let mut nothing = Vec::new();
    std::io::Read::read_to_end(&mut half, &mut nothing).unwrap();
    assert!(nothing.is_empty() || nothing.starts_with(b"HTTP/1.1 408"));
    read(&mut half_body).refused(408, &["did not arrive"]);
    goes_on(&server);
}
