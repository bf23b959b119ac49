//! The JSON that relprop writes is what `docs/schema/` says: real output of small models is held against
//! each schema, and documents that are wrong in one place are not.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use boon::{Compiler, Schemas};
use burn::tensor::Device;
use relprop_checkpoints::{Model, Towers};
use relprop_data::Table;
use relprop_explain::batching::Passes;
use relprop_explain::{
    Compare, Explainer, Explanation, Hypotheses, Measure, Parts, Plan, Sampling, Score,
    Segmentation, Similar, Target,
};
use relprop_render as render;
use relprop_testing::fixtures::folder as fixture;
use relprop_testing::program::{Ran, relprop};
use relprop_testing::{Asked, explainer, method};
use rstest::rstest;
use serde_json::{Value, json};

/// What is wrong with a document, by the schema of this name; nothing if it is as it must be.
fn check(name: &str, document: &Value) -> Result<(), String> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("docs/schema/{name}.json"));
    let (mut schemas, mut compiler) = (Schemas::new(), Compiler::new());
    let schema = compiler.compile(file.to_str().unwrap(), &mut schemas);
    let schema = schema.unwrap_or_else(|error| panic!("{name}: {error:#}"));
    let checked = schemas.validate(document, schema);
    checked.map_err(|error| format!("{error:#}"))
}

fn model(name: &str) -> Model {
    Model::load(&fixture(name), &Device::flex()).unwrap()
}

/// The explanation as it is written, which is as the schema says.
fn written(explanation: &Explanation) -> Value {
    let line = render::jsonl(std::slice::from_ref(explanation)).unwrap();
    let value: Value = serde_json::from_str(&line).unwrap();
    assert_eq!(check("explanation", &value), Ok(()), "{value:#}");
    value
}

/// Explanations of every kind: each has a part that others lack.
fn explanations() -> Vec<(&'static str, Value)> {
    let bert = model("bert");
    let by_rules = explainer(&bert, "ah-ln");
    let text = by_rules.explain("a warm , funny film").unwrap();
    let pair = by_rules.tokenize_pair("a warm film", "a cold one").unwrap();
    let pair = by_rules.explain_batch(&[pair]).unwrap().remove(0);
    let cut = by_rules.explain(&"film ".repeat(200)).unwrap();
    assert!(cut.dropped_tokens > 0);
    let contrast = by_rules.target(Target::Contrast(1, 0)).unwrap();
    let contrast = contrast.explain("a warm film").unwrap();
    let score = by_rules.clone().score(Score::LogProbability);
    let score = score.explain("a warm film").unwrap();
    let ledger = by_rules.clone().with_ledger();
    let ledger = ledger.explain("a warm film").unwrap();
    let shared = Arc::new(bert.clone());
    let other = method("gae", &bert, 0).unwrap();
    let other = Explainer::by(&shared, Arc::from(other), by_rules.plan()).unwrap();
    let other = other.explain("a warm film").unwrap();

    let vit = model("vit");
    let picture = vit.picture(
        &image::open(fixture("pictures").join("large.png")).unwrap(),
        "large.png",
    );
    let picture = explainer(&vit, "ah-ln").explain_batch(&[picture.unwrap()]);
    let picture = picture.unwrap().remove(0);

    let language = explainer(&model("gpt2"), "ah-ln").position(1).unwrap();
    let language = language.explain("the keys are").unwrap();

    let segments = by_rules
        .clone()
        .asked(|plan| plan.segments = Some(Segmentation::Sentences));
    let segments = segments
        .unwrap()
        .explain("a warm film. It is funny.")
        .unwrap();
    let answered = explainer(&model("llama-3"), "ah-ln").asked(|plan| {
        plan.target = Target::Given.into();
        plan.hops = 3;
    });
    let answered = answered.unwrap();
    let hops = answered
        .tokenize_answer("the keys", " are on the film")
        .unwrap();
    let hops = answered.explain_batch(&[hops]).unwrap().remove(0);

    let all = [
        ("segments", segments),
        ("hops", hops),
        ("text", text),
        ("pair", pair),
        ("cut", cut),
        ("contrast", contrast),
        ("score", score),
        ("ledger", ledger),
        ("method", other),
        ("picture", picture),
        ("language", language),
    ];
    all.map(|(name, explanation)| (name, written(&explanation)))
        .into()
}

fn continuation(sampling: Option<Sampling>) -> Value {
    let explainer = explainer(&model("gpt2"), "ah-ln");
    let prompt = explainer.tokenize("the keys").unwrap();
    let found = explainer.continuation(&prompt, 2, sampling).unwrap();
    serde_json::to_value(found).unwrap()
}

#[test]
fn explanations_of_every_kind_are_as_their_schema_says() {
    let found = explanations();
    let of = |name: &str| &found.iter().find(|(kind, _)| *kind == name).unwrap().1;
    // The parts that the schema does not require are there, each in some of them.
    assert!(of("ledger")["ledger"]["layers"][0]["heads"].is_array());
    assert!(of("picture")["picture"]["rows"].is_number());
    assert!(of("picture")["tokens"][1]["area"].is_array());
    assert_eq!(of("language")["position"], 1);
    assert_eq!(of("segments")["segments"].as_array().unwrap().len(), 2);
    assert!(of("hops")["hops"][0]["kept"].is_number());
    assert!(of("language")["probability"].is_number());
    assert_eq!(of("score")["target"]["score"], "log-probability");
    assert_eq!(
        (&of("method")["rules"], &of("method")["method"]),
        (&json!(""), &json!("gae"))
    );
}

#[test]
fn a_line_of_a_table_holds_its_row_too() {
    let (_, mut line) = explanations().remove(0);
    line["input"] = json!({"id": 17, "stars": null, "tags": ["a"]});
    assert_eq!(check("explanation", &line), Ok(()));
    line["input"] = json!("a text");
    assert!(check("explanation", &line).is_err());
}

#[rstest]
#[case(None)]
#[case(Some(Sampling::default()))]
fn continuations_are_as_their_schema_says(#[case] sampling: Option<Sampling>) {
    let value = continuation(sampling);
    assert_eq!(check("continuation", &value), Ok(()), "{value:#}");
    assert!(value["steps"][0]["relevance"].is_array());
}

/// A source and an output are both parts of one explanation, and of one continuation.
#[test]
fn a_source_and_an_output_are_as_the_schemas_say() {
    let explainer = explainer(&model("two_stacks/t5"), "ah-ln");
    let value = written(&explainer.explain("a warm film").unwrap());
    let tokens = value["tokens"].as_array().unwrap().len();
    assert_eq!(value["parts"][0]["name"], "source");
    assert_eq!(value["parts"][1]["tokens"], json!([tokens - 1, tokens]));
    let prompt = explainer.tokenize("a warm film").unwrap();
    let found = explainer.continuation(&prompt, 2, None).unwrap();
    let value = serde_json::to_value(found).unwrap();
    assert_eq!(check("continuation", &value), Ok(()), "{value:#}");
    assert_eq!(value["source"], tokens - 1);
    let mut wrong = value;
    wrong["source"] = 0.into();
    assert!(check("continuation", &wrong).is_err());
}

/// Every object of `value`, by its pointer.
fn objects(value: &Value, at: String, found: &mut Vec<String>) {
    match value {
        Value::Object(fields) => {
            found.push(at.clone());
            fields
                .iter()
                .for_each(|(key, value)| objects(value, format!("{at}/{key}"), found));
        }
        Value::Array(items) => {
            items
                .iter()
                .enumerate()
                .for_each(|(i, value)| objects(value, format!("{at}/{i}"), found));
        }
        _ => {}
    }
}

/// No object may hold a field that its schema does not name, and each lacks something if it is empty.
fn strict(name: &str, value: &Value) {
    let mut places = Vec::new();
    objects(value, String::new(), &mut places);
    assert!(places.len() > 3, "{places:?}");
    for place in places {
        let mut wrong = value.clone();
        wrong.pointer_mut(&place).unwrap()["unknown"] = json!(1);
        assert!(
            check(name, &wrong).is_err(),
            "{place}: a field that nobody knows passes"
        );
        wrong = value.clone();
        *wrong.pointer_mut(&place).unwrap() = json!({});
        assert!(check(name, &wrong).is_err(), "{place}: nothing is required");
    }
    let mut wrong = value.clone();
    wrong["schema"] = json!("relprop.explanation/0");
    assert!(check(name, &wrong).is_err());
}

#[test]
fn a_wrong_document_is_found_out() {
    let explanations = explanations();
    for kind in ["ledger", "picture", "language"] {
        let (_, value) = explanations.iter().find(|(name, _)| *name == kind).unwrap();
        strict("explanation", value);
    }
    strict("continuation", &continuation(Some(Sampling::default())));
    let mut wrong = explanations[0].1.clone();
    wrong["tokens"][0]["relevance"] = json!(null);
    assert!(check("explanation", &wrong).is_err());
}

#[test]
fn results_are_as_their_schema_says() {
    let folder = tempfile::tempdir().unwrap();
    let rules = folder.path().join("rules.toml");
    fs::write(
        &rules,
        "name = \"mine\"\nrules = [{ rule = \"gradient\" }]\n",
    )
    .unwrap();
    let methods = format!("random,ln,{}", rules.display());
    let ran = relprop()
        .args([
            "evaluate",
            "--data",
            "reviews",
            "--target",
            "predicted",
            "--limit",
            "2",
        ])
        .args([
            "--metrics",
            "auac,sparseness,pointing-game",
            "--methods",
            &methods,
        ])
        .args(["--model".as_ref(), fixture("bert").as_os_str()])
        .args(["--out".as_ref(), folder.path().join("out").as_os_str()])
        .output();
    Ran::from(ran.unwrap()).done();
    let text = fs::read_to_string(folder.path().join("out/results.json")).unwrap();
    let value: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(check("evaluation", &value), Ok(()), "{value:#}");
    assert!(value["settings"]["methods"][2]["rules"].is_string());
    assert!(value["methods"][0]["metrics"][0]["curve"].is_array());
    strict("evaluation", &value);
}

/// A row of a table, and one that has no text.
const TABLE: &str = "{\"text\":\"a warm film\",\"id\":17}\n{\"text\":null,\"id\":18}\n";

#[test]
fn lines_of_a_table_are_as_their_schema_says() {
    let folder = tempfile::tempdir().unwrap();
    let [table, out, errors] =
        ["in.jsonl", "out.jsonl", "bad.jsonl"].map(|name| folder.path().join(name));
    fs::write(&table, TABLE).unwrap();
    let ran = relprop()
        .arg("explain")
        .args(["--model".as_ref(), fixture("bert").as_os_str()])
        .args(["--input".as_ref(), table.as_os_str()])
        .args(["--out".as_ref(), out.as_os_str()])
        .args(["--errors".as_ref(), errors.as_os_str()])
        .output();
    Ran::from(ran.unwrap()).done();
    let [line, bad] = [out, errors]
        .map(|file| -> Value { serde_json::from_str(&fs::read_to_string(file).unwrap()).unwrap() });
    assert_eq!(check("explanation", &line), Ok(()), "{line:#}");
    assert_eq!(line["input"], json!({"id": 17}));
    let reason = "the row has no text";
    assert_eq!(
        bad,
        json!({"row": 2, "line": 2, "reason": reason, "input": {"text": null, "id": 18}})
    );
}

/// The labels of tokens, entity by entity and token by token, with an account and without.
#[test]
fn labels_of_tokens_are_as_their_schema_says() {
    let model = Arc::new(model("heads/bert-tokens"));
    for (parts, ledger) in [(Parts::Entities, false), (Parts::Tokens, true)] {
        let plan = Plan {
            ledger,
            ..Plan::default()
        };
        let explainer = Explainer::new(&model, &plan).unwrap();
        for text in ["a warm , funny film", &"film ".repeat(200)] {
            let text = explainer.tokenize(text).unwrap();
            let found = explainer.labelling(&mut Passes::default(), &text, parts, |_| ());
            let document = json!(found.unwrap());
            assert_eq!(check("labelling", &document), Ok(()), "{document:#}");
        }
    }
    let explainer = Explainer::new(&model, &Plan::default()).unwrap();
    let text = explainer.tokenize("a film").unwrap();
    let found = explainer.labelling(&mut Passes::default(), &text, Parts::Tokens, |_| ());
    let mut wrong = json!(found.unwrap());
    wrong["parts"][0]["tokens"] = json!([]);
    assert!(check("labelling", &wrong).is_err());
}

#[test]
fn labels_to_choose_from_are_as_their_schema_says() {
    let model = Arc::new(model("bert"));
    let plan = Plan {
        target: Target::Label(2).into(),
        ..Plan::default()
    };
    let explainer = Explainer::new(&model, &plan).unwrap();
    for several in [false, true] {
        let hypotheses = Hypotheses {
            labels: ["cinema", "politics"].map(str::to_owned).into(),
            template: "it is {} .".to_owned(),
            several,
        };
        let found = explainer.zero_shot(&mut Passes::default(), "a film", &hypotheses, |_| ());
        let mut document = json!(found.unwrap());
        assert_eq!(check("zero-shot", &document), Ok(()), "{document:#}");
        document["template"] = json!("it is so .");
        assert!(check("zero-shot", &document).is_err());
    }
}

#[test]
fn a_comparison_is_as_its_schema_says() {
    let folder = fixture("towers").join("siglip2");
    let towers = Arc::new(Towers::load(&folder, &Device::flex()).unwrap());
    let compare = Compare::new(&towers, &Plan::default()).unwrap();
    let compare = compare.with_pairs();
    let picture = image::open(fixture("pictures").join("large.png")).unwrap();
    let picture = towers.picture.picture(&picture, "large.png").unwrap();
    let texts = ["a red cat", "two dogs"].map(|text| compare.tokenize(text).unwrap());
    let mut document = json!(compare.explain(&picture, &texts).unwrap());
    assert_eq!(check("comparison", &document), Ok(()), "{document:#}");
    document["texts"][0]["probability"] = json!(1.5);
    assert!(check("comparison", &document).is_err());
}

#[test]
fn answers_and_masks_are_as_their_schema_says() {
    let answers = Arc::new(model("heads/bert-answers"));
    let explainer = Explainer::new(&answers, &Plan::default()).unwrap();
    let pair = explainer.tokenize_pair("is it good ?", "the film is good");
    let found = explainer.explain_batch(&[pair.unwrap()]).unwrap().remove(0);
    assert!(written(&found)["answer"]["tokens"].is_array());
    let masks = Arc::new(model("heads/bert-masks"));
    let explainer = Explainer::new(&masks, &Plan::default()).unwrap();
    let found = explainer.explain("a warm [MASK]").unwrap();
    assert!(written(&found)["probability"].is_number());
}

#[test]
fn similarities_are_as_their_schema_says() {
    let model = Arc::new(model("heads/bert-vectors"));
    let similar = Similar::new(&model, &Plan::default(), Measure::Cosine, None).unwrap();
    let texts = ["a warm film", "funny jokes"].map(|text| {
        let text = model.tokenize(text, None, Default::default());
        text.unwrap()
    });
    let mut document = json!(similar.explain(texts.each_ref()).unwrap());
    assert_eq!(check("similarity", &document), Ok(()), "{document:#}");
    document["texts"].as_array_mut().unwrap().pop();
    assert!(check("similarity", &document).is_err());
}

#[test]
fn similarities_of_pictures_are_as_their_schema_says() {
    let model = Arc::new(model("picture-vectors/vit"));
    let plan = Plan {
        ledger: true,
        ..Plan::default()
    };
    let similar = Similar::new(&model, &plan, Measure::Cosine, None).unwrap();
    let pictures = ["large.png", "small.png"].map(|name| {
        let bytes = fs::read(fixture("pictures").join(name)).unwrap();
        model
            .picture(&relprop_data::decode(&bytes).unwrap(), name)
            .unwrap()
    });
    let document = json!(similar.explain(pictures.each_ref()).unwrap());
    assert_eq!(check("similarity", &document), Ok(()), "{document:#}");
    assert_eq!(document["texts"][0]["picture"]["rows"], 2);
}

/// Runs `relprop explain` on a table of two rows, of which the second is bad, in this folder.
fn explain_table(folder: &Path, out: &str, errors: &str, more: &[&str]) -> Ran {
    let path = |name: &str| folder.join(name).to_str().unwrap().to_owned();
    let rows = "{\"text\": \"a warm film\", \"id\": 17}\nnot json\n{\"text\": \" \", \"id\": 18}\n";
    fs::write(path("in.jsonl"), rows).unwrap();
    let mut command = relprop();
    let command = command.args(["explain", "--model"]).arg(fixture("bert"));
    let files = ["--input", &path("in.jsonl"), "--out", &path(out)];
    let command = command.args(files).args(["--errors", &path(errors)]);
    command.args(more).output().unwrap().into()
}

#[test]
fn bad_rows_are_as_their_schema_says() {
    let folder = tempfile::tempdir().unwrap();
    explain_table(folder.path(), "out.jsonl", "errors.jsonl", &[]).done();
    let lines = fs::read_to_string(folder.path().join("errors.jsonl")).unwrap();
    let rows: Vec<Value> = (lines
        .lines()
        .map(|line| serde_json::from_str(line).unwrap()))
    .collect();
    assert_eq!(rows.len(), 2);
    for row in rows {
        assert_eq!(check("bad-row", &row), Ok(()), "{row:#}");
        for field in ["row", "line", "reason", "input"] {
            let mut wrong = row.clone();
            wrong.as_object_mut().unwrap().remove(field);
            assert!(check("bad-row", &wrong).is_err(), "{field}");
        }
    }
}

#[test]
fn the_facts_of_a_table_are_as_their_schema_says() {
    let folder = tempfile::tempdir().unwrap();
    for (out, more) in [
        ("out.arrow", &[][..]),
        ("out.parquet", &["--method", "gae"]),
    ] {
        explain_table(folder.path(), out, "errors.jsonl", more).done();
        let table = Table::open(&folder.path().join(out), None).unwrap();
        let source = table.read(0).unwrap();
        let facts: Value = serde_json::from_str(&source.schema().metadata()["relprop"]).unwrap();
        assert_eq!(check("facts", &facts), Ok(()), "{facts:#}");
        let mut wrong = facts.clone();
        wrong["unknown"] = json!(1);
        assert!(check("facts", &wrong).is_err());
    }
}

#[test]
fn a_manifest_is_as_its_schema_says() {
    for more in [
        &[][..],
        &["--rules", "libra", "--target", "0", "--against", "1"],
        &["--method", "gae", "--pair", "a film"],
        &["--pair-column", "text", "--no-truncate", "--dtype", "bf16"],
        &[
            "--score",
            "log-probability",
            "--shard",
            "1/2",
            "--column",
            "text",
        ],
    ] {
        let folder = tempfile::tempdir().unwrap();
        // A folder is no file for errors, so that the manifest stays.
        fs::create_dir(folder.path().join("errors")).unwrap();
        explain_table(folder.path(), "out.jsonl", "errors", more).failed(1, &["errors"]);
        let file = folder.path().join("out.jsonl.parts/_manifest.json");
        let manifest: Value = serde_json::from_str(&fs::read_to_string(file).unwrap()).unwrap();
        assert_eq!(check("manifest", &manifest), Ok(()), "{manifest:#}");
        for field in manifest.as_object().unwrap().keys() {
            let mut wrong = manifest.clone();
            wrong.as_object_mut().unwrap().remove(field);
            assert!(check("manifest", &wrong).is_err(), "{field}");
        }
    }
}
