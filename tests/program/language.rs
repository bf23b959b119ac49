//! The program with language models: next tokens, continuations, and where long texts are cut.

use std::fs;

use relprop_explain::{Continuation, Sampling};
use relprop_testing::fixtures::folder;
use rstest::rstest;
use serde_json::Value;

use crate::{Ran, relprop};

/// Runs `relprop explain` on a fixture.
fn explain(family: &str, arguments: &[&str]) -> Ran {
    let mut command = relprop();
    let command = command.args(["explain", "--model"]).arg(folder(family));
    command.args(arguments).output().unwrap().into()
}

#[test]
fn the_program_explains_the_next_token() {
    let json = |arguments: &[&str]| -> Value {
        let ran = explain("llama", &[arguments, &["--format", "json"]].concat()).done();
        serde_json::from_str(&ran.stdout).unwrap()
    };
    let found = json(&["the film is"]);
    assert_eq!(found["labels"].as_array().unwrap().len(), 10);
    assert_eq!(found["labels"][0], found["prediction"]);
    assert_eq!(found["target"]["label"], found["prediction"]);
    let probability = found["probability"].as_f64().unwrap();
    assert!(probability > 0.0 && probability < 1.0);

    let contrast = ["--target", " film", "--against", "dull"];
    let found = json(&[&["the film is", "--position", "1"], &contrast[..]].concat());
    assert_eq!(found["position"], 1);
    assert_eq!(found["target"]["label"], " film-dull");
    let tokens = found["tokens"].as_array().unwrap();
    assert!(tokens[2..].iter().all(|token| token["relevance"] == 0.0));

    let unit = ["--score", "log-probability", "--ledger"];
    let found = json(&[&["the film is", "--target", " film"], &unit[..]].concat());
    assert_eq!(found["target"]["score"], "log-probability");
    assert!(found["target"]["value"].as_f64().unwrap() < 0.0);

    let picture = explain("llama", &["the film is", "--target", " film"]).done();
    assert!(
        picture.stdout.contains("target \" film\" ="),
        "{}",
        picture.stdout
    );
}

#[test]
fn the_program_goes_on_with_a_text() {
    let run = |format| {
        let arguments = ["the film", "--generate", "3", "--format", format];
        explain("llama", &arguments).done().stdout
    };
    let found: Continuation = serde_json::from_str(&run("json")).unwrap();
    assert_eq!(found.schema, "relprop.continuation/1");
    assert_eq!(found.by, "ah-ln");
    let picture = run("ansi");
    assert!(!picture.contains('\u{1b}'), "{picture}");
    let sure = picture.lines().filter(|line| line.contains('%'));
    assert_eq!(sure.count(), 1, "{picture}");
    let page = run("html");
    assert!(page.starts_with("<!DOCTYPE html>"), "{page}");
    let cells = page.matches("<td class=\"number w").count();
    let expected: usize = found.steps.iter().map(|step| step.relevance.len()).sum();
    assert_eq!(cells, expected);
}

/// The seed alone decides what is drawn: the same in every format and every run.
#[test]
fn the_program_draws_tokens_from_a_seed() {
    let run = |arguments: &[&str]| {
        let usual = ["the film", "--generate", "6"];
        explain("llama", &[&usual, arguments].concat())
            .done()
            .stdout
    };
    let json = |arguments: &[&str]| -> Continuation {
        serde_json::from_str(&run(&[arguments, &["--format", "json"]].concat())).unwrap()
    };
    let greedy = json(&[]);
    assert_eq!(greedy.sampling, None);
    let drawn = json(&["--seed", "3"]);
    let seeded = |seed| Sampling {
        seed,
        ..Sampling::default()
    };
    assert_eq!(drawn.sampling, Some(seeded(3)));
    assert_eq!(json(&["--seed", "3"]), drawn);
    assert_ne!(json(&["--seed", "4"]).text, drawn.text);
    assert_eq!(json(&["--temperature", "1"]).sampling, Some(seeded(0)));
    // One token to draw of is no draw.
    for one in [
        ["--top-k", "1"],
        ["--top-p", "1e-9"],
        ["--temperature", "1e-9"],
    ] {
        let found = json(&one);
        assert_eq!(found.steps, greedy.steps, "{one:?}");
    }

    let limits = [
        "--temperature",
        "0.7",
        "--top-k",
        "9",
        "--top-p",
        "0.8",
        "--seed",
        "3",
    ];
    let limited = json(&limits);
    let sampling = limited.sampling.unwrap();
    let found = (
        sampling.temperature,
        sampling.top_k.map(usize::from),
        sampling.top_p,
    );
    assert_eq!(found, (0.7, Some(9), 0.8));
    let said = "drawn at temperature 0.7, top-k 9, top-p 0.8, seed 3";
    assert_eq!(sampling.to_string(), said.trim_start_matches("drawn at "));
    let [picture, page] = ["ansi", "html"].map(|format| {
        let page = run(&[&limits[..], &["--format", format]].concat());
        assert!(page.contains(said), "{page}");
        page
    });
    // The same table: a row for each token, a number for each new token after it.
    let rows = picture
        .lines()
        .skip_while(|line| !line.contains('%'))
        .skip(1);
    let cells = rows.flat_map(|row| row.split_whitespace().skip(1));
    let cells: Vec<&str> = cells.filter(|cell| cell.starts_with(['+', '-'])).collect();
    let of_page = page.split("<td class=\"number w").skip(1);
    let of_page = of_page.map(|cell| cell.split(['>', '<']).nth(1).unwrap());
    let of_page: Vec<String> = of_page.map(|cell| cell.replace('\u{2212}', "-")).collect();
    assert_eq!(cells, of_page, "{picture}");
    let expected: usize = limited.steps.iter().map(|step| step.relevance.len()).sum();
    assert_eq!(cells.len(), expected, "{picture}");
}

#[rstest]
#[case("gpt2", &["a", "--target", " filmzz"], &["filmzz", "not one token"])]
#[case("gpt2", &["a", "--temperature", "0.5"], &["--generate"])]
#[case("gpt2", &["a", "--top-k", "5"], &["--generate"])]
#[case("gpt2", &["a", "--top-p", "0.5"], &["--generate"])]
#[case("gpt2", &["a", "--seed", "5"], &["--generate"])]
#[case("gpt2", &["a", "--generate", "2", "--temperature", "0"], &["temperature is 0", "above 0"])]
#[case("gpt2", &["a", "--generate", "2", "--temperature", "-1"], &["temperature is -1"])]
#[case("gpt2", &["a", "--generate", "2", "--top-k", "0"], &["--top-k"])]
#[case("gpt2", &["a", "--generate", "2", "--top-p", "1.1"], &["top-p is 1.1", "at most 1"])]
#[case("gpt2", &["a", "--generate", "2", "--target", " film"], &["--generate", "--target"])]
#[case("gpt2", &["a", "--generate", "2", "--pair", "b"], &["--generate", "--pair"])]
#[case("gpt2", &["a", "--generate", "2", "--format", "csv"], &["ansi, json or html"])]
#[case("gpt2", &["a", "b", "--generate", "2"], &["one text"])]
#[case("gpt2", &["a", "--generate", "2", "--ledger"], &["--ledger"])]
#[case("bert", &["a", "--position", "0"], &["only a language model"])]
#[case("gpt2", &["a", "--score", "log-probability", "--method", "saliency"], &["--score"])]
fn wrong_usage_is_told_apart(
    #[case] family: &str,
    #[case] arguments: &[&str],
    #[case] words: &[&str],
) {
    explain(family, arguments).failed(2, words);
}

/// A language model goes on from the end of a prompt, so a long one loses its start.
#[rstest]
#[case("gpt2", "start", true)]
#[case("bert", "end", false)]
fn a_text_that_is_too_long_is_cut_and_it_is_said_where(
    #[case] family: &str,
    #[case] from: &str,
    #[case] reads_the_end: bool,
) {
    let temporary = tempfile::tempdir().unwrap();
    let file = temporary.path().join("texts.txt");
    let long = ["the film is dull"; 20].join(" ");
    fs::write(&file, format!("the film\n{long}\n")).unwrap();
    let arguments = ["--format", "jsonl", "--input", file.to_str().unwrap()];
    let ran = explain(family, &arguments).done();
    let said = format!("tokens dropped from the {from}; the model reads at most");
    assert_eq!(ran.stderr.matches(&said).count(), 1, "{}", ran.stderr);
    assert!(ran.stderr.contains("texts.txt, line 2: "), "{}", ran.stderr);
    let found: Value = serde_json::from_str(ran.stdout.lines().nth(1).unwrap()).unwrap();
    let tokens = found["tokens"].as_array().unwrap();
    let end = long.chars().count();
    let reaches = tokens.iter().any(|token| token["end"] == end);
    assert_eq!(reaches, reads_the_end, "{found}");
    let arguments = [long.as_str(), "--format", "ansi"];
    let page = explain(family, &arguments).done().stdout;
    let said = format!("dropped from the {from}");
    assert!(page.contains(&said), "{page}");
}

#[test]
fn a_position_beyond_the_text_is_refused() {
    explain("gpt2", &["film", "--position", "9"]).failed(1, &["there is no token 9"]);
    explain("bert", &["film", "--generate", "2"]).failed(2, &["only a language model"]);
}

/// A language model is measured by the token that it expects, or by the answers that stand in a column.
#[test]
fn explanations_of_a_language_model_are_measured() {
    let run = |more: &[&str]| -> Ran {
        let mut program = relprop();
        let program = program.args(["evaluate", "--data", "reviews", "--limit", "3"]);
        let program = program.args(["--methods", "libra", "--metrics", "morf,rise"]);
        let program = program.arg("--model").arg(folder("llama"));
        program.args(more).output().unwrap().into()
    };
    let table = run(&["--target", "predicted"]).done().stdout;
    assert!(table.contains("morf") && table.contains("rise"), "{table}");
    run(&[]).failed(1, &["no answer was given", "no text to measure with"]);
}

/// A chat is what the model's template makes of it, with no special token twice, and says it where there is
/// no template.
#[test]
fn a_chat_goes_through_the_models_template() {
    let found = |arguments: &[&str]| -> Value {
        let arguments = [arguments, &["--format", "json"]].concat();
        serde_json::from_str(&explain("mistral", &arguments).done().stdout).unwrap()
    };
    let asked = found(&["--chat", "a film"]);
    assert_eq!(asked["text"], "user: a film\nassistant:");
    let messages =
        r#"[{"role": "system", "content": "be dull"}, {"role": "user", "content": "a film"}]"#;
    let asked = found(&["--chat", messages]);
    assert_eq!(asked["text"], "system: be dull\nuser: a film\nassistant:");
    let goes_on = found(&["--chat", "a film", "--generate", "2"]);
    let text = goes_on["text"].as_str().unwrap();
    assert!(text.starts_with("user: a film\nassistant:"), "{text}");
    let none = ["no chat template", "leave out --chat"];
    explain("gpt2", &["--chat", "a film"]).failed(1, &none);
    explain("mistral", &["--chat", "[]"]).failed(1, &["the list of messages is empty"]);
}
