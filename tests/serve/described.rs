//! The description of the API is one, and true.

use std::fs;

use boon::{Compiler, Schemas};
use relprop_testing::fixtures::folder;
use relprop_testing::program::relprop;
use serde_json::{Value, json};

use crate::client::{Server, base64};

/// What is wrong with a document by the schema at this place of the description.
fn check(description: &Value, place: &str, document: &Value) -> Result<(), String> {
    let (mut schemas, mut compiler) = (Schemas::new(), Compiler::new());
    let address = "http://localhost/api/openapi.json";
    compiler.add_resource(address, description.clone()).unwrap();
    let schema = compiler.compile(&format!("{address}#{place}"), &mut schemas);
    let schema = schema.unwrap_or_else(|error| panic!("{place}: {error:#}"));
    let checked = schemas.validate(document, schema);
    checked.map_err(|error| format!("{error:#}"))
}

/// The place of a schema: of what is sent to a path, or of the answer with a status.
fn place(path: &str, of: &str) -> String {
    let path = path.replace('/', "~1");
    format!("/paths/{path}/post/{of}/content/application~1json/schema")
}

#[test]
fn every_route_is_described_and_there() {
    let server = Server::of(&["bert"], &[]);
    let description = server.get("/api/openapi.json").done();
    assert_eq!(description["openapi"], "3.1.0");
    let paths = description["paths"].as_object().unwrap();
    let names: Vec<&str> = paths.keys().map(String::as_str).collect();
    assert_eq!(
        names,
        [
            "/",
            "/api/explain",
            "/api/compare",
            "/api/similar",
            "/api/model",
            "/api/rules",
            "/api/openapi.json",
            "/health",
            "/metrics",
        ]
    );
    for (path, methods) in paths {
        for (method, about) in methods.as_object().unwrap() {
            let answer = match method.as_str() {
                "get" => server.get(path),
                "post" => server.post(path, &json!({})),
                other => panic!("{other}"),
            };
            let expected = if method == "get" { 200 } else { 400 };
            assert_eq!(answer.status, expected, "{method} {path}");
            assert!(
                about["responses"].get(expected.to_string()).is_some(),
                "{path}"
            );
            assert!(about["summary"].as_str().unwrap().ends_with('.'), "{path}");
            let content = about["responses"][expected.to_string()]["content"].as_object();
            let mime = content.unwrap().keys().next().unwrap();
            assert!(
                answer.header("content-type").starts_with(mime.as_str()),
                "{path}"
            );
        }
    }
}

#[test]
fn what_is_sent_and_answered_is_as_described() {
    let server = Server::of(
        &[
            "bert",
            "llama",
            "heads/bert-tokens",
            "heads/bert-vectors",
            "towers/clip",
        ],
        &[],
    );
    let picture = base64(&folder("pictures/small.png"));
    let description = server.get("/api/openapi.json").done();
    let names = &server.get("/api/model").done()["fragments"];
    let text = "a warm film";
    let mut checked = 0;
    for (path, body) in [
        ("/api/explain", json!({"text": text})),
        (
            "/api/explain",
            json!({"texts": [text, "a"], "ledger": true, "fragments": names, "target": 1}),
        ),
        (
            "/api/explain",
            json!({"text": text, "model": "llama", "generate": 2, "top_k": 3}),
        ),
        (
            "/api/explain",
            json!({"text": text, "model": "bert-tokens"}),
        ),
        (
            "/api/explain",
            json!({"text": text, "labels": ["a", "b"], "target": "positive"}),
        ),
        (
            "/api/explain",
            json!({"model": "clip", "picture": picture, "texts": [text, "a"], "pairs": true, "fragments": names}),
        ),
        (
            "/api/compare",
            json!({"text": text, "sides": [{"rules": "ln"}, {"method": "gae"}]}),
        ),
        (
            "/api/similar",
            json!({"query": text, "texts": ["a", "film"], "top": 1, "model": "bert-vectors"}),
        ),
    ] {
        let sent = check(&description, &place(path, "requestBody"), &body);
        assert_eq!(sent, Ok(()), "{body}");
        let answer = server.post(path, &body).done();
        let found = check(&description, &place(path, "responses/200"), &answer);
        assert_eq!(found, Ok(()), "{path} {body}");
        checked += 1;
    }
    assert_eq!(checked, 8);
    // The description is not content with everything.
    for wrong in [
        json!({"text": 1}),
        json!({"ruels": "ln"}),
        json!({"ledger": "yes"}),
    ] {
        let sent = check(&description, &place("/api/explain", "requestBody"), &wrong);
        assert!(sent.is_err(), "{wrong}");
        let refused = server.explain(&wrong);
        refused.refused(400, &[]);
        let error = check(
            &description,
            &place("/api/explain", "responses/400"),
            &refused.json(),
        );
        assert_eq!(error, Ok(()));
    }
    let wrong = json!({"model": "bert", "explanations": [{"text": "a"}]});
    assert!(
        check(
            &description,
            &place("/api/explain", "responses/200"),
            &wrong
        )
        .is_err()
    );
}

/// Every request of the page in `docs`, which says `curl`, is answered by a model of its name.
#[test]
fn the_requests_of_the_page_are_answered() {
    let picture = base64(&folder("pictures/small.png"));
    let page = include_str!("../../docs/serve.md").replace("\\\n", " ");
    // What a shell would put there.
    let page = page.replace("'$(base64 -w0 two.png)'", &picture);
    let all = tempfile::tempdir().unwrap();
    let mut command = relprop();
    command.args(["serve", "--port", "0"]);
    for (name, fixture) in [
        ("my-model", "bert"),
        ("my-llama", "llama"),
        ("my-sentence-model", "heads/bert-vectors"),
        ("my-clip", "towers/clip"),
    ] {
        let here = all.path().join(name);
        fs::create_dir(&here).unwrap();
        for file in fs::read_dir(folder(fixture)).unwrap() {
            let file = file.unwrap();
            if file.path().is_file() {
                fs::copy(file.path(), here.join(file.file_name())).unwrap();
            }
        }
        command.arg("--model").arg(here);
    }
    let server = Server::start(command);
    let mut asked = 0;
    for line in page.lines().filter(|line| line.starts_with("curl ")) {
        let path = line.split("localhost:8765").nth(1).unwrap();
        let path = path.split(' ').next().unwrap();
        let body = line
            .split("-d '")
            .nth(1)
            .unwrap()
            .strip_suffix('\'')
            .unwrap();
        let answer = server.bytes(path, body.as_bytes());
        assert_eq!(answer.status, 200, "{line}\n{}", answer.text());
        asked += 1;
    }
    assert_eq!(asked, 7);
    assert_eq!(page.matches("curl ").count(), asked);
}
