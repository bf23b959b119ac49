//! Models of two towers: pictures and texts.

use relprop_api::{Api, NamedModel};
use relprop_engine::{Precision, device};
use relprop_testing::fixtures::folder;
use rstest::rstest;
use serde_json::{Value, json};

use crate::answers::program;
use crate::client::{Server, base64};

const TEXTS: [&str; 2] = ["a red cat", "two squares"];

/// A picture as a request has it, and its name for the program.
fn picture(file: &str) -> (Value, String) {
    let file = folder("pictures").join(file);
    let name = file.to_str().unwrap().to_owned();
    (json!({"name": name, "data": base64(&file)}), name)
}

/// A request about a picture and two texts, with this beside it.
fn request(more: &Value) -> Value {
    let mut body = json!({"picture": picture("large.png").0, "texts": TEXTS});
    for (key, value) in more.as_object().unwrap() {
        body[key] = value.clone();
    }
    body
}

#[rstest]
#[case("clip", json!({}), &[])]
#[case("clip", json!({"ledger": true, "rules": "libra", "recompute": false}), &["--ledger", "--rules", "libra"])]
#[case("clip", json!({"target": 1, "against": "a red cat"}), &["--target", "1", "--against", "a red cat"])]
#[case("clip", json!({"score": "log-probability", "method": "lrp"}), &["--score", "log-probability"])]
#[case("clip", json!({"pairs": true, "target": "two squares"}), &["--pairs", "--target", "two squares"])]
#[case(
    "siglip2",
    json!({"at": "embeddings.pixel,embeddings.word", "truncation": "refuse"}),
    &["--at", "embeddings.pixel,embeddings.word", "--no-truncate"],
)]
#[case("open-clip", json!({"recompute": true, "hops": null}), &["--recompute"])]
fn a_comparison_is_that_of_the_program(
    #[case] model: &str,
    #[case] more: Value,
    #[case] arguments: &[&str],
) {
    let fixture = format!("towers/{model}");
    let server = Server::of(&[&fixture], &[]);
    let answer = server.explain(&request(&more)).done();
    let (_, name) = picture("large.png");
    let arguments = [&[name.as_str(), "--texts"], &TEXTS[..], arguments].concat();
    assert_eq!(
        answer["explanations"],
        json!(program("explain", &fixture, &arguments))
    );
    assert_eq!(answer["model"], model);
    assert_eq!(answer.get("fragments"), None);
}

#[test]
fn several_pictures_have_the_same_texts_and_fragments_of_their_own() {
    let server = Server::of(&["towers/clip"], &[]);
    let [(first, one), (second, two)] = ["large.png", "small.png"].map(picture);
    let names = server.get("/api/model").done()["fragments"].clone();
    let body =
        json!({"pictures": [first, second], "texts": TEXTS, "pairs": true, "fragments": names});
    let answer = server.explain(&body).done();
    let arguments = [&[&*one, &*two, "--pairs", "--texts"], &TEXTS[..]].concat();
    let expected = program("explain", "towers/clip", &arguments);
    assert_eq!(expected.len(), 2);
    assert_eq!(answer["explanations"], json!(expected));
    for fragments in answer["fragments"].as_array().unwrap() {
        let fragment = |name: &str| fragments[name].as_str().unwrap();
        for part in [
            "class=\"relprop",
            "data:image/png",
            "two squares",
            "strongest pairs: row ",
        ] {
            assert!(fragment("report").contains(part), "{part}");
        }
        assert!(fragment("page").starts_with("<!DOCTYPE html>"));
        // The heat map of the picture.
        assert!(fragment("svg").contains("<rect"), "{}", fragment("svg"));
    }
}

#[test]
fn rules_are_compared_on_one_scale() {
    let server = Server::of(&["towers/clip", "bert"], &[]);
    let asked = request(&json!({"sides": [{}, {"rules": "libra"}]}));
    let answer = server.post("/api/compare", &asked).done();
    let sides = answer["sides"].as_array().unwrap();
    let alone = server.explain(&request(&json!({"rules": "libra"}))).done();
    assert_eq!(sides[1]["explanations"], alone["explanations"]);
    assert_eq!([&sides[0]["title"], &sides[1]["title"]], ["ah-ln", "libra"]);
    assert!(sides[0]["scales"][0].as_f64().unwrap() > 0.0);
    assert_eq!(sides[0]["scales"], sides[1]["scales"]);
    for (side, words) in [
        (json!({"method": "gae"}), ["another method", "propagation"]),
        (json!({"model": "bert"}), ["side 2", "`picture`"]),
    ] {
        let asked = request(&json!({"sides": [{}, side]}));
        server.post("/api/compare", &asked).refused(400, &words);
    }
}

#[test]
fn what_a_page_needs_is_there() {
    let server = Server::of(&["towers/siglip"], &[]);
    let found = server.get("/api/model").done();
    let model = &found["models"][0];
    for (key, expected) in [
        ("name", "siglip"),
        ("family", "siglip"),
        ("reads", "pictures-and-texts"),
        ("outputs", "texts"),
        ("dtype", "f32"),
    ] {
        assert_eq!(model[key], expected, "{key}");
    }
    assert_eq!(model["labels"], json!([]));
    assert_ne!(model["bias"], 0.0);
    assert!(model["scale"].as_f64().unwrap() > 0.0);
    for (tower, site) in [("picture", "embeddings.pixel"), ("text", "embeddings.word")] {
        let tower = &model["towers"][tower];
        assert!(tower["blocks"].as_u64().unwrap() > 0);
        let mut sites = tower["sites"].as_array().unwrap().iter();
        assert!(sites.any(|known| known["name"] == site), "{site}");
    }
}

#[test]
fn every_mistake_has_its_sentence() {
    let server = Server::of(&["towers/clip", "bert", "vit"], &[]);
    let (data, _) = picture("large.png");
    let alone = |more: Value| {
        let mut body = request(&more);
        body.as_object_mut()
            .unwrap()
            .retain(|_, value| !value.is_null());
        body
    };
    let other = |key: &str, value: Value| {
        (
            request(&json!({key: value})),
            vec![format!("`{key}`"), "`clip`".to_owned()],
        )
    };
    let mut wrong: Vec<(Value, Vec<String>)> = vec![
        other("text", json!("a dog")),
        other("pair", json!("a dog")),
        other("query", json!("a dog")),
        other("labels", json!(["a dog"])),
        other("template", json!("It is {}.")),
        other("several", json!(true)),
        other("answer", json!("a dog")),
        other("chat", json!(true)),
        other("generate", json!(3)),
        other("temperature", json!(0.5)),
        other("top_k", json!(3)),
        other("top_p", json!(0.5)),
        other("sampling", json!({})),
        other("hops", json!(1)),
        other("position", json!(1)),
        other("parts", json!("tokens")),
        other("segments", json!("words")),
        other("seed", json!(1)),
    ];
    let many = vec!["a dog"; 65];
    let pictures = vec![json!("AAAA"); 257];
    let more = [
        (json!({}), vec!["`clip`", "`picture`", "`texts`"]),
        (alone(json!({"picture": null})), vec!["`picture`"]),
        (alone(json!({"texts": null})), vec!["`texts`"]),
        (request(&json!({"texts": []})), vec!["`texts`"]),
        (
            request(&json!({"texts": "a dog"})),
            vec!["`texts`", "sequence"],
        ),
        (
            request(&json!({"texts": ["a dog", ""]})),
            vec!["text 2", "empty"],
        ),
        (
            request(&json!({"texts": many})),
            vec!["`texts`", "65", "64"],
        ),
        (
            request(&json!({"texts": ["a".repeat(100_001)]})),
            vec!["100001 characters"],
        ),
        (
            request(&json!({"pictures": [data]})),
            vec!["`picture`", "`pictures`"],
        ),
        (
            alone(json!({"picture": null, "pictures": []})),
            vec!["from 1 to 256"],
        ),
        (
            alone(json!({"picture": null, "pictures": pictures})),
            vec!["257", "256"],
        ),
        (request(&json!({"picture": "a picture"})), vec!["base64"]),
        (request(&json!({"picture": "AAAA"})), vec!["picture: "]),
        (
            alone(json!({"picture": null, "pictures": [data, "AAAA"]})),
            vec!["text 2", "picture: "],
        ),
        (
            request(&json!({"target": "a cow"})),
            vec!["no target `a cow`", "a red cat, two squares"],
        ),
        (request(&json!({"target": 2})), vec!["no target `2`"]),
        (
            request(&json!({"against": "a cow", "target": 0})),
            vec!["a cow"],
        ),
        (
            request(&json!({"target": "entropy()", "score": "log-probability"})),
            vec!["`score`", "`target`"],
        ),
        (request(&json!({"score": "norm"})), vec!["norm"]),
        (request(&json!({"method": "gae"})), vec!["propagation"]),
        (request(&json!({"rules": "ahln"})), vec!["no preset `ahln`"]),
        (
            request(&json!({"rules": "mine.toml"})),
            vec!["mine.toml", "no files"],
        ),
        (
            request(&json!({"at": "embeddings.word"})),
            vec!["embeddings.word"],
        ),
        (request(&json!({"truncation": "windows"})), vec!["windows"]),
        (
            request(&json!({"truncation": "refuse", "texts": ["cat ".repeat(500)]})),
            vec!["text 1", "tokens"],
        ),
        (
            request(&json!({"recompute": true, "ledger": true})),
            vec!["blocks"],
        ),
        (
            request(&json!({"pairs": "yes"})),
            vec!["`pairs`", "boolean"],
        ),
        // What two towers are asked, one model is not.
        (
            json!({"model": "bert", "text": "a dog", "pairs": true}),
            vec!["`pairs`", "`bert`"],
        ),
        (
            json!({"model": "vit", "picture": data, "texts": TEXTS}),
            vec!["`picture`", "`texts`"],
        ),
    ];
    wrong.extend(more.map(|(body, words)| (body, words.into_iter().map(str::to_owned).collect())));
    for (body, words) in wrong {
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let answer = server.explain(&body);
        assert!(answer.status == 400, "{words:?} got {answer:?}");
        answer.refused(400, &words);
    }
    let similar = json!({"texts": TEXTS});
    server
        .post("/api/similar", &similar)
        .refused(400, &["`clip`", "two towers"]);
    // The server goes on.
    server.explain(&request(&json!({}))).done();
}

/// What has no server gets the same answers and refusals.
#[test]
fn the_api_without_a_server_answers_the_same() {
    let server = Server::of(&["towers/clip"], &[]);
    let files = relprop_checkpoints::Files::in_folder(&folder("towers/clip")).unwrap();
    let precision = Precision::F32;
    let model = NamedModel {
        name: "clip".to_owned(),
        model: precision.read_any(&files, &device("cpu").unwrap()).unwrap(),
        precision,
    };
    let mut api = Api::new(vec![model]).unwrap();
    assert_eq!(
        api.answer("/api/model", b"").unwrap(),
        server.get("/api/model").body
    );
    for more in [
        json!({"ledger": true, "fragments": ["report", "svg"]}),
        json!({"target": 0}),
    ] {
        let body = request(&more);
        let answer = api.answer("/api/explain", body.to_string().as_bytes());
        let answer: Value = serde_json::from_slice(&answer.unwrap()).unwrap();
        assert_eq!(answer, server.explain(&body).done(), "{more}");
    }
    for (path, body) in [
        ("/api/explain", request(&json!({"hops": 1}))),
        ("/api/explain", request(&json!({"texts": [""]}))),
        ("/api/similar", json!({"texts": TEXTS})),
    ] {
        let refusal = api.answer(path, body.to_string().as_bytes()).unwrap_err();
        server
            .post(path, &body)
            .refused(refusal.status, &[&refusal.message]);
    }
}
