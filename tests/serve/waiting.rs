//! Requests that wait: together, in a queue of bounded length, for a bounded time, and to the end.

use std::process::Command;
use std::sync::mpsc::channel;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::client::Server;

/// Something that takes the model about a second: the text is cut to what it reads.
fn slow() -> Value {
    json!({"text": "film ".repeat(60), "method": "shapley:samples=600"})
}

/// Asks something slow, and then `count` times something else while the model is busy. Returns the answers.
fn meanwhile(server: &Server, asked: &[Value]) -> Vec<Value> {
    thread::scope(|scope| {
        let busy = scope.spawn(|| server.explain(&slow()).done());
        // It does not wait any more: the model has it.
        while server.metric("relprop_batches_total") < 1.0 {}
        let asked = asked
            .iter()
            .map(|body| scope.spawn(|| server.explain(body).done()));
        let asked: Vec<_> = asked.collect();
        server.until_waiting(asked.len() as u64);
        assert!(
            !busy.is_finished(),
            "the model was not busy for long enough"
        );
        busy.join().unwrap();
        asked
            .into_iter()
            .map(|asked| asked.join().unwrap())
            .collect()
    })
}

#[test]
fn requests_that_come_together_share_a_pass_and_change_nothing() {
    let server = Server::of(&["bert"], &[]);
    let ask = |text: &str, rules: &str| json!({"text": text, "rules": rules});
    let asked = [
        ask("a warm film", "ah-ln"),
        ask("the film is dull", "ah-ln"),
        ask("a warm film", "libra"),
        json!({"text": "a film", "pair": "warm"}),
        json!({"text": "a film", "pair": "dull"}),
        ask("warm", "ah-ln"),
    ];
    let together = meanwhile(&server, &asked);
    assert_eq!(server.metric("relprop_joined_requests_total"), 3.0);
    assert_eq!(server.metric("relprop_batches_total"), 4.0);
    assert_eq!(server.metric("relprop_texts_total"), 7.0);
    for (asked, together) in asked.iter().zip(together) {
        assert_eq!(server.explain(asked).done(), together);
    }
    assert_eq!(server.metric("relprop_joined_requests_total"), 3.0);
    let answered = "relprop_requests_total{path=\"/api/explain\",status=\"200\"}";
    assert_eq!(server.metric(answered), 13.0);
}

#[test]
fn one_that_cannot_be_explained_spoils_no_other() {
    let server = Server::of(&["bert"], &[]);
    thread::scope(|scope| {
        let busy = scope.spawn(|| server.explain(&slow()).done());
        while server.metric("relprop_batches_total") < 1.0 {}
        let good = scope.spawn(|| server.explain(&json!({"text": "a film"})));
        let bad = scope.spawn(|| server.explain(&json!({"texts": ["a film", " "]})));
        server.until_waiting(2);
        busy.join().unwrap();
        good.join().unwrap().done();
        bad.join().unwrap().refused(400, &["text 2", "empty"]);
    });
    assert_eq!(server.metric("relprop_joined_requests_total"), 1.0);
}

#[test]
fn with_a_batch_of_one_each_is_explained_by_itself() {
    let server = Server::of(&["bert"], &["--batch", "1"]);
    let asked = ["a", "b"].map(|text| json!({"text": text}));
    meanwhile(&server, &asked);
    assert_eq!(server.metric("relprop_joined_requests_total"), 0.0);
    assert_eq!(server.metric("relprop_batches_total"), 3.0);
}

#[test]
fn a_full_queue_refuses_and_a_request_waits_for_a_bounded_time() {
    let server = Server::of(&["bert"], &["--queue", "2", "--timeout", "1"]);
    let texts = vec!["film ".repeat(60); 16];
    let very_slow = json!({"texts": texts, "method": "shapley:samples=1000"});
    thread::scope(|scope| {
        let begun = Instant::now();
        let busy = scope.spawn(|| server.explain(&very_slow));
        while server.metric("relprop_batches_total") < 1.0 {}
        let waiting = ["a", "b"].map(|text| scope.spawn(move || json!({"text": text})));
        let waiting = waiting.map(|body| {
            let body = body.join().unwrap();
            let server = &server;
            scope.spawn(move || server.explain(&body))
        });
        server.until_waiting(2);
        let full = server.explain(&json!({"text": "c"}));
        full.refused(503, &["2 requests wait"]);
        assert_eq!(full.header("retry-after"), "1");
        busy.join().unwrap().refused(503, &["within 1 s"]);
        for waiting in waiting {
            let answer = waiting.join().unwrap();
            if answer.status != 200 {
                answer.refused(503, &["within 1 s"]);
            }
        }
        assert!(begun.elapsed() < Duration::from_secs(60));
    });
    // Those who left take no place, and the server goes on when the model is free.
    let begun = Instant::now();
    while server.explain(&json!({"text": "a"})).status != 200 {
        assert!(begun.elapsed() < Duration::from_secs(180));
    }
}

#[cfg(unix)]
#[test]
fn the_server_ends_when_it_is_told_and_answers_what_is_under_way() {
    for signal in ["-TERM", "-INT"] {
        let mut server = Server::of(&["bert"], &[]);
        let (address, id) = (server.address.clone(), server.child.id().to_string());
        let idle = server.connect();
        let (send, answered) = channel();
        thread::scope(|scope| {
            let (server, id) = (&server, &id);
            scope.spawn(move || send.send(server.explain(&slow())));
            while server.metric("relprop_batches_total") < 1.0 {}
            let told = Command::new("kill").args([signal, id]).status();
            assert!(told.unwrap().success());
            // It is answered all the same.
            answered.recv().unwrap().done();
        });
        assert_eq!(server.child.wait().unwrap().code(), Some(0), "{signal}");
        assert!(std::net::TcpStream::connect(address).is_err());
        drop(idle);
    }
}
