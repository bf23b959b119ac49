//! What the server answers is what the program writes.

use relprop_api::{Api, NamedModel};
use relprop_checkpoints::Model;
use relprop_engine::{Precision, device};
use relprop_testing::fixtures::folder;
use relprop_testing::program::{Ran, relprop, review_model};
use rstest::rstest;
use serde_json::{Value, json};

use crate::client::{Server, base64};

/// What the program writes for these arguments, as a list.
pub fn program(command: &str, fixture: &str, arguments: &[&str]) -> Vec<Value> {
    let mut program = relprop();
    program.arg(command).arg("--model").arg(folder(fixture));
    program.args(["--format", "json"]).args(arguments);
    let ran = Ran::from(program.output().unwrap()).done();
    match serde_json::from_str(&ran.stdout).unwrap() {
        Value::Array(several) => several,
        one => vec![one],
    }
}

const FILM: &str = "a warm , funny film";

#[rstest]
#[case("bert", json!({"text": FILM}), &[FILM])]
#[case("bert", json!({"texts": [FILM, "the film is dull", FILM]}), &[FILM, "the film is dull", FILM])]
#[case("bert", json!({"text": FILM, "pair": "dull"}), &[FILM, "--pair", "dull"])]
#[case("bert", json!({"text": FILM, "query": "dull"}), &[FILM, "--query", "dull"])]
#[case("bert", json!({"text": FILM, "ledger": true, "rules": "libra"}), &[FILM, "--ledger", "--rules", "libra"])]
#[case(
    "bert",
    json!({"text": FILM, "target": "positive", "against": 0, "score": "log-probability", "at": "embeddings.word"}),
    &[FILM, "--target", "positive", "--against", "0", "--score", "log-probability", "--at", "embeddings.word"],
)]
#[case("bert", json!({"text": FILM, "method": "gae"}), &[FILM, "--method", "gae"])]
#[case("bert", json!({"text": FILM, "segments": "words"}), &[FILM, "--segments", "words"])]
#[case(
    "bert",
    json!({"text": FILM, "labels": ["sport", "film"], "target": "positive"}),
    &[FILM, "--labels", "sport,film", "--target", "positive"],
)]
#[case("heads/bert-tokens", json!({"text": FILM, "parts": "tokens"}), &[FILM, "--parts", "tokens"])]
#[case(
    "heads/bert-answers",
    json!({"text": "who came ?", "pair": FILM}),
    &["who came ?", "--pair", FILM],
)]
#[case("llama", json!({"text": FILM, "answer": " film"}), &[FILM, "--answer", " film"])]
#[case("llama", json!({"text": FILM, "generate": 3}), &[FILM, "--generate", "3"])]
#[case(
    "llama",
    json!({"text": FILM, "generate": 3, "temperature": 0.7, "top_k": 5, "seed": 3}),
    &[FILM, "--generate", "3", "--temperature", "0.7", "--top-k", "5", "--seed", "3"],
)]
fn an_explanation_is_that_of_the_program(
    #[case] fixture: &str,
    #[case] body: Value,
    #[case] arguments: &[&str],
) {
    let server = Server::of(&[fixture], &[]);
    let answer = server.explain(&body).done();
    let expected = program("explain", fixture, arguments);
    assert_eq!(answer["explanations"], json!(expected));
    let name = folder(fixture);
    let name = name.file_name().unwrap().to_str().unwrap();
    assert_eq!(answer["model"], name);
}

#[test]
fn a_picture_is_sent_as_its_bytes() {
    let file = folder("pictures/small.png");
    let name = file.to_str().unwrap();
    let server = Server::of(&["vit"], &[]);
    let picture = json!({"name": name, "data": base64(&file)});
    let body = json!({"picture": picture, "ledger": true, "fragments": ["report"]});
    let answer = server.explain(&body).done();
    let expected = program("explain", "vit", &[name, "--ledger"]);
    assert_eq!(answer["explanations"], json!(expected));
    assert!(
        answer["fragments"][0]["report"]
            .as_str()
            .unwrap()
            .contains("data:image")
    );

    server
        .explain(&json!({"text": name}))
        .refused(400, &["reads pictures"]);
    let wrong = json!({"picture": "a picture"});
    server.explain(&wrong).refused(400, &["base64"]);
    let wrong = json!({"picture": "AAAA"});
    server.explain(&wrong).refused(400, &["picture"]);
}

#[test]
fn similarities_are_those_of_the_program() {
    let server = Server::of(&["heads/bert-vectors"], &[]);
    let texts = ["the film is dull", FILM, "warm"];
    let two = json!({"texts": [FILM, "warm"], "measure": "dot"});
    let answer = server.post("/api/similar", &two).done();
    let expected = program(
        "similar",
        "heads/bert-vectors",
        &[FILM, "warm", "--measure", "dot"],
    );
    assert_eq!(answer["similarities"], json!(expected));
    assert_eq!(answer["places"], json!([0]));

    let query = json!({"query": FILM, "texts": texts, "top": 2, "fragments": ["report"]});
    let answer = server.post("/api/similar", &query).done();
    let arguments = [&["--query", FILM, "--top", "2"], &texts[..]].concat();
    let expected = program("similar", "heads/bert-vectors", &arguments);
    assert_eq!(answer["similarities"], json!(expected));
    assert_eq!(
        answer["places"][0], 1,
        "a text is the most similar to itself"
    );
    assert_eq!(answer["fragments"].as_array().unwrap().len(), 2);
    for one in expected {
        let text = &one["texts"][1]["text"];
        let places = answer["places"].as_array().unwrap().iter();
        let mut given = places.map(|place| texts[place.as_u64().unwrap() as usize]);
        assert!(given.any(|given| given == text));
    }
    server
        .explain(&json!({"text": FILM}))
        .refused(400, &["a vector"]);
}

#[test]
fn sides_of_a_comparison_are_explanations_on_one_scale() {
    let server = Server::of(&["bert", "distilbert"], &[]);
    let body = json!({
        "text": FILM,
        "target": 1,
        "sides": [{}, {"rules": "libra"}, {"model": "distilbert"}, {"method": "gae"}],
    });
    let answer = server.post("/api/compare", &body).done();
    let sides = answer["sides"].as_array().unwrap();
    let titles: Vec<&Value> = sides.iter().map(|side| &side["title"]).collect();
    assert_eq!(titles, ["ah-ln", "libra", "ah-ln", "gae"]);
    let alone = |fixture: &str, more: &[&str]| {
        json!(program(
            "explain",
            fixture,
            &[&[FILM, "--target", "1"], more].concat()
        ))
    };
    assert_eq!(sides[0]["explanations"], alone("bert", &[]));
    assert_eq!(
        sides[1]["explanations"],
        alone("bert", &["--rules", "libra"])
    );
    assert_eq!(sides[2]["explanations"], alone("distilbert", &[]));
    assert_eq!(
        sides[3]["explanations"],
        alone("bert", &["--method", "gae"])
    );
    // Those in units of the target share a scale: the largest relevance of a word in any of them.
    let largest = |side: &Value| {
        let words = side["explanations"][0]["words"].as_array().unwrap().iter();
        words.fold(0.0, |most: f64, word| {
            most.max(word["relevance"].as_f64().unwrap().abs())
        })
    };
    let shared = sides[..3].iter().map(largest).fold(0.0, f64::max);
    for side in &sides[..3] {
        let scale = side["scales"][0].as_f64().unwrap();
        assert!((scale - shared).abs() < 1e-6, "{scale} is not {shared}");
    }
    let own = sides[3]["scales"][0].as_f64().unwrap();
    assert!((own - largest(&sides[3])).abs() < 1e-6);
    assert!(own > 0.0 && shared > 0.0);

    // Another method takes the place of propagation with all that was asked of it.
    let body =
        json!({"text": FILM, "rules": "ln", "ledger": true, "sides": [{}, {"method": "gae"}]});
    server.post("/api/compare", &body).done();
    for (body, words) in [
        (json!({"text": FILM}), ["sides", "2"]),
        (json!({"text": FILM, "sides": [{}]}), ["sides", "2"]),
        (
            json!({"text": FILM, "sides": [{}, {"text": "b"}]}),
            ["side 2", "`text`"],
        ),
        (
            json!({"text": FILM, "sides": [{}, {"ruels": "ln"}]}),
            ["side 2", "`ruels`"],
        ),
        (
            json!({"text": FILM, "sides": [{"rules": "no"}, {}]}),
            ["`no`", "ah-ln"],
        ),
    ] {
        server.post("/api/compare", &body).refused(400, &words);
    }
}

#[test]
fn what_the_menus_of_a_page_need_is_there() {
    let server = Server::of(&["bert", "heads/bert-tokens", "llama", "vit"], &[]);
    let found = server.get("/api/model").done();
    let models = found["models"].as_array().unwrap();
    let of = |key: &str| {
        models
            .iter()
            .map(|model| model[key].clone())
            .collect::<Vec<_>>()
    };
    assert_eq!(of("name"), ["bert", "bert-tokens", "llama", "vit"]);
    assert_eq!(
        of("outputs"),
        ["labels", "token-labels", "vocabulary", "labels"]
    );
    assert_eq!(of("reads"), ["texts", "texts", "texts", "pictures"]);
    assert_eq!(
        models[0]["labels"],
        json!(["negative", "neutral", "positive"])
    );
    let sites = models[0]["sites"].as_array().unwrap();
    let site = |name: &str| sites.iter().find(|site| site["name"] == name).unwrap();
    assert_eq!(site("encoder.0.attention.norm")["operation"], "norm");
    for (list, name) in [("methods", "lrp"), ("methods", "gae"), ("rules", "ah-ln")] {
        assert!(
            found[list].as_array().unwrap().contains(&name.into()),
            "{list}"
        );
    }
    let rules = server.get("/api/rules").done();
    let presets = rules["rules"].as_array().unwrap();
    assert_eq!(presets.len(), found["rules"].as_array().unwrap().len());
    for preset in presets {
        for key in ["name", "about", "toml"] {
            assert!(!preset[key].as_str().unwrap().is_empty(), "{preset}");
        }
    }
    // A rule set can be sent as itself.
    let mine = json!({"name": "mine", "rules": [{"rule": "gradient"}]});
    let body = json!({"text": FILM, "rules": mine});
    let explained = server.explain(&body).done();
    assert_eq!(explained["explanations"][0]["rules"], "mine");
}

#[test]
fn the_demo_ends_on_the_page_with_its_model() {
    let out = tempfile::tempdir().unwrap();
    // A demo takes the model of an earlier one.
    review_model(64).save(&out.path().join("model")).unwrap();
    let mut demo = relprop();
    demo.args([
        "demo",
        "--reviews",
        "400",
        "--serve",
        "--port",
        "0",
        "--out",
    ]);
    demo.arg(out.path());
    let server = Server::start(demo);
    assert!(out.path().join("report.html").is_file());
    let models = server.get("/api/model").done();
    assert_eq!(models["models"][0]["name"], "demo");
    let answer = server.explain(&json!({"text": FILM})).done();
    assert_eq!(answer["model"], "demo");
}

/// The page comes with the files that it asks for, and asks for no others.
#[test]
fn the_page_and_its_files_are_served() {
    let server = Server::of(&["bert"], &[]);
    let page = server.get("/");
    assert_eq!(page.status, 200);
    let parts = page.text().split('"');
    let asked = parts.filter(|part| part.starts_with("page/"));
    let asked: Vec<String> = asked.map(|path| format!("/{path}")).collect();
    assert!(asked.len() > 2, "{asked:?}");
    for path in &asked {
        let file = server.get(path);
        assert_eq!(file.status, 200, "{path}");
        let ending = path.rsplit('.').next().unwrap();
        let mime = match ending {
            "js" => "text/javascript; charset=utf-8",
            "css" => "text/css; charset=utf-8",
            "svg" => "image/svg+xml",
            other => panic!("{other}"),
        };
        assert_eq!(file.header("content-type"), mime);
        assert!(!file.body.is_empty());
        server.post(path, &json!({})).refused(404, &["nothing"]);
    }
}

/// What has no server gets the same answers and refusals.
#[test]
fn the_api_without_a_server_answers_the_same() {
    const FIXTURES: [&str; 2] = ["bert", "heads/bert-vectors"];
    let server = Server::of(&FIXTURES, &[]);
    let models = FIXTURES.map(|fixture| {
        let folder = folder(fixture);
        let model = Model::load(&folder, &device("cpu").unwrap()).unwrap();
        NamedModel {
            name: folder.file_name().unwrap().to_string_lossy().into_owned(),
            model: model.into(),
            precision: Precision::F32,
        }
    });
    let mut api = Api::new(models.into()).unwrap();
    for path in ["/api/model", "/api/rules"] {
        assert_eq!(api.answer(path, b"").unwrap(), server.get(path).body);
    }
    let fragments = json!(["report", "page", "svg"]);
    let sides = json!([{"rules": "libra", "ledger": true}, {"method": "gae"}]);
    let asked = [
        (
            "/api/explain",
            json!({"text": FILM, "ledger": true, "fragments": fragments}),
        ),
        (
            "/api/explain",
            json!({"texts": [FILM, "dull"], "pair": ["a", "film"]}),
        ),
        (
            "/api/compare",
            json!({"text": FILM, "sides": sides, "fragments": ["report"]}),
        ),
        (
            "/api/similar",
            json!({"model": "bert-vectors", "texts": [FILM, "a dull film"], "fragments": ["report"]}),
        ),
    ];
    for (path, body) in asked {
        let answer = api.answer(path, body.to_string().as_bytes()).unwrap();
        let answer: Value = serde_json::from_slice(&answer).unwrap();
        assert_eq!(answer, server.post(path, &body).done(), "{path} {body}");
    }
    let refused = [
        ("/api/explain", json!({"text": ""})),
        ("/api/explain", json!({"text": FILM, "rules": "ahln"})),
        ("/api/explain", json!({"text": FILM, "colour": "red"})),
        ("/api/compare", json!({"text": FILM, "sides": []})),
        ("/api/similar", json!({"texts": [FILM]})),
    ];
    for (path, body) in refused {
        let refusal = api.answer(path, body.to_string().as_bytes()).unwrap_err();
        server
            .post(path, &body)
            .refused(refusal.status, &[&refusal.message]);
    }
    assert_eq!(api.answer("/etc/passwd", b"").unwrap_err().status, 404);
}
