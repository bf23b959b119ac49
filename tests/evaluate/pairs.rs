//! Tables of pairs: what is read, what decides, and what is asked.

use std::sync::Arc;
use std::{fs, iter, path::Path};

use burn::tensor::Device;
use relprop_checkpoints::{Model, Truncation};
use relprop_engine::EngineError;
use relprop_engine::measure::{LabeledText, Measured, Samples, TextColumns, WrittenLabel};
use relprop_explain::Target;
use relprop_testing::fixtures::folder;
use relprop_transformer::Content;

fn model(name: &str) -> Arc<Model> {
    Arc::new(Model::load(&folder(name), &Device::flex()).unwrap())
}

/// What is read from a table, and what is said of rows that are not.
fn open(model: &Arc<Model>, table: &str) -> (Result<Samples, EngineError>, Vec<String>) {
    let place = tempfile::tempdir().unwrap();
    let file = place.path().join("pairs.tsv");
    fs::write(&file, table).unwrap();
    let more = TextColumns {
        evidence: Some("why"),
        answer: table.contains("answer").then_some("answer"),
        pair: Some("second"),
    };
    let mut said = Vec::new();
    let path: &Path = &file;
    let say = |message: &str| said.push(message.to_owned());
    let found = Samples::open(path, more, None, 0, &Measured::True, model, say);
    (found, said)
}

fn characters(text: &str, from: usize, to: usize) -> String {
    text.chars().take(to).skip(from).collect()
}

#[test]
fn what_decides_stands_in_the_second_text() {
    let model = model("bert");
    let table =
        "text\tsecond\tlabel\twhy\na film\ta warm film\t1\tfilm\na café\tso  dull\t0\t[4, 8]\n";
    let (found, said) = open(&model, table);
    assert_eq!(said, Vec::<String>::new());
    let pairs = [
        ("a film", "a warm film", "film"),
        ("a café", "so  dull", "dull"),
    ];
    let found = found.unwrap().samples;
    assert_eq!(found.len(), 2);
    for (sample, (first, second, decisive)) in found.iter().zip(pairs) {
        let known = model.tokenize(first, Some(second), Truncation::Cut);
        assert_eq!(sample.text, known.unwrap());
        let [evidence] = &sample.evidence[..] else {
            panic!("{:?}", sample.evidence);
        };
        let text = &sample.text.text;
        assert_eq!(characters(text, evidence.start, evidence.end), decisive);
        // Not the one of the first text.
        assert!(evidence.start > first.chars().count());
    }
    assert_eq!(
        [found[0].target, found[1].target],
        [Target::Label(1), Target::Label(0)]
    );
}

#[test]
fn each_row_has_an_answer_of_its_own() {
    let model = model("heads/bert-answers");
    let table = "text\tsecond\tanswer\twhy\n\
                 what ?\tthe cat sat and the film ran\tfilm ran\tfilm\n\
                 who ?\ta warm film\ta warm\twarm\n\
                 where ?\ta warm film\tnowhere\twarm\n\
                 when ?\t \tnow\tnow\n\
                 why ?\ta film\t\tfilm\n";
    let (found, said) = open(&model, table);
    let found = found.unwrap().samples;
    assert_eq!(found.len(), 2);
    for (sample, answer) in found.iter().zip(["film ran", "a warm"]) {
        assert_eq!(sample.target, Target::Given);
        let tokens = sample.text.asked.iter().map(|at| &sample.text.tokens[*at]);
        let tokens: Vec<_> = tokens.collect();
        let (first, last) = (tokens[0], tokens[tokens.len() - 1]);
        assert_eq!(characters(&sample.text.text, first.start, last.end), answer);
    }
    // In the order of the file, but for rows that cannot be read at all.
    assert_eq!(said.len(), 3, "{said:?}");
    assert!(said[0].contains("line 5: `second` has no text"), "{said:?}");
    assert!(
        said[1].contains("line 4") && said[1].contains("0 times"),
        "{said:?}"
    );
    assert!(said[2].contains("line 6: no answer was given"), "{said:?}");
}

/// An answer to a prompt stands behind it as a second text does, and what decides stands before it.
#[test]
fn of_a_prompt_with_an_answer_the_prompt_decides() {
    let model = model("llama");
    let asked = LabeledText {
        place: "here".to_owned(),
        text: "a warm film".to_owned(),
        picture: None,
        label: WrittenLabel::None,
        pair: None,
        answer: Some(" dull".to_owned()),
        evidence: iter::once(2..6).collect(),
        region: None,
        sentiment: Vec::new(),
    };
    let found = Samples::of(vec![asked], None, &Measured::True, &model, "", |_| ());
    let [sample] = &found.unwrap().samples[..] else {
        panic!("it can be read");
    };
    assert!(
        sample.evidence.iter().eq([&(2..6)]),
        "{:?}",
        sample.evidence
    );
    assert!(matches!(
        sample.text.content,
        Content::Text { second: Some(_) }
    ));
}

#[test]
fn what_is_no_text_or_no_column_is_named() {
    let model = model("bert");
    let (found, _) = open(&model, "text\tlabel\twhy\na film\t1\tfilm\n");
    let error = found.unwrap_err().to_string();
    assert!(error.contains("no column `second`"), "{error}");
    let (found, said) = open(
        &model,
        "text\tsecond\tlabel\twhy\na warm film\ta film\t1\twarm\n",
    );
    assert!(found.is_err());
    assert!(said[0].contains("`why`"), "{said:?}");
}
