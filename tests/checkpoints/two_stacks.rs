//! Models with an encoder and a decoder against PyTorch, on the fixtures that `fixtures/two_stacks.py` made: small random
//! models that transformers saved, with logits and Gradient x Input of both stacks in float64, and what they write.

use std::sync::Arc;

use relprop_checkpoints::Model;
use relprop_explain::{Explainer, PartName, Plan, Score, Target};
use relprop_rules::RuleSet;
use relprop_testing::{difference, fixtures, relevance};
use relprop_transformer::TokenizedText;
use rstest::rstest;
use serde::Deserialize;

use super::heads::TOLERANCE;
use super::language::every_logit;

/// The models that write.
const WRITING: [&str; 9] = [
    "t5", "t5.gated", "mt5", "umt5", "bart", "mbart", "marian", "pegasus", "m2m_100",
];

#[derive(Deserialize)]
struct Text {
    text: String,
    #[serde(default)]
    answer: String,
    #[serde(default)]
    pair: Option<String>,
    ids: Vec<u32>,
    source: usize,
    logits: Vec<f64>,
    target: usize,
    relevance: Vec<f64>,
    #[serde(default)]
    greedy: Vec<u32>,
}

fn load(name: &str) -> (Arc<Model>, Vec<Text>) {
    let (model, texts) = fixtures::load(&format!("two_stacks/{name}"));
    (Arc::new(model), texts)
}

pub fn plan(rules: &str, at: &str) -> Plan {
    Plan {
        rules: Some(RuleSet::preset(rules).unwrap()),
        at: Some(at.to_owned()),
        ..Plan::default()
    }
}

/// The text as the model reads it, with the output so far, asked for what comes after that.
fn tokenized(model: &Arc<Model>, text: &Text) -> TokenizedText {
    let pair = text.pair.as_deref();
    let prompt = model
        .tokenize(&text.text, pair, Default::default())
        .unwrap();
    if text.answer.is_empty() {
        return prompt;
    }
    let explainer = Explainer::new(model, &Plan::default()).unwrap();
    TokenizedText {
        asked: Vec::new(),
        ..explainer.answered(prompt, &text.answer).unwrap()
    }
}

#[rstest]
fn logits_and_relevance_of_both_stacks_are_those_of_pytorch(
    #[values(
        "t5",
        "t5.gated",
        "mt5",
        "bart",
        "bart-labels",
        "mbart",
        "marian",
        "pegasus",
        "m2m_100",
        "t5-labels",
        "umt5"
    )]
    name: &str,
) {
    let (model, texts) = load(name);
    let explainer = Explainer::new(&model, &plan("gradient-x-input", "embeddings.word")).unwrap();
    let batch: Vec<_> = texts.iter().map(|text| tokenized(&model, text)).collect();
    let together = explainer.explain_batch(&batch).unwrap();
    for ((expected, together), text) in texts.iter().zip(together).zip(&batch) {
        let what = format!("{name}: {}", expected.text);
        let ids: Vec<_> = text.tokens.iter().map(|token| token.id).collect();
        assert_eq!(
            (&ids, text.source),
            (&expected.ids, expected.source),
            "{what}"
        );
        let error = difference(&every_logit(&model, text), &expected.logits);
        assert!(error < TOLERANCE, "{what}: {error:.1e}");
        let alone = explainer
            .explain_batch(std::slice::from_ref(text))
            .unwrap()
            .remove(0);
        let error = difference(&relevance(&alone), &relevance(&together));
        assert!(error < 1e-5, "{what}: in a batch {error:.1e}");
        for found in [together, alone] {
            assert_eq!(found.prediction, model.output(expected.target), "{what}");
            let error = difference(&relevance(&found), &expected.relevance);
            assert!(error < TOLERANCE, "{what}: {error:.1e}");
            let [source, output] = &found.parts[..] else {
                panic!("{what}")
            };
            assert_eq!(
                [source.name, output.name],
                [PartName::Source, PartName::Output]
            );
            assert_eq!(source.tokens, [0, expected.source]);
            assert_eq!(output.tokens, [expected.source, ids.len()]);
            let sum = source.relevance + output.relevance;
            assert!((sum - found.total()).abs() < 1e-4 * found.total().abs().max(1.0));
        }
    }
}

#[rstest]
fn the_ledger_closes_over_both_stacks(
    #[values(
        "t5",
        "t5.gated",
        "bart",
        "bart-labels",
        "mbart",
        "marian",
        "m2m_100",
        "t5-labels",
        "umt5"
    )]
    name: &str,
    #[values("gradient-x-input", "ah-ln", "attn-lrp", "libra")] preset: &str,
    #[values("blocks", "embeddings.word")] at: &str,
) {
    let (model, texts) = load(name);
    let ledger = Plan {
        ledger: true,
        ..plan(preset, at)
    };
    let [explainer, plain] =
        [ledger, plan(preset, at)].map(|plan| Explainer::new(&model, &plan).unwrap());
    let text = tokenized(&model, &texts[1]);
    let found = explainer
        .explain_batch(std::slice::from_ref(&text))
        .unwrap()
        .remove(0);
    let account = found.ledger().unwrap();
    let size = account.tokens.abs().max(account.target.abs()).max(1.0);
    let unaccounted = account.unaccounted.abs() / size;
    assert!(unaccounted < 1e-5, "{name}: {unaccounted:.1e}");
    // A ledger watches all sites, so that nothing is left out of the last block.
    let alone = plain
        .explain_batch(std::slice::from_ref(&text))
        .unwrap()
        .remove(0);
    let error = difference(&relevance(&found), &relevance(&alone));
    assert!(error < 1e-4, "{name}: {error:.1e}");
    // Both sides of every layer.
    let decoder = model.transformer.config().decoder.unwrap();
    let blocks = model.transformer.config().blocks + decoder.blocks;
    let first = usize::from(at == "embeddings.word");
    assert_eq!(found.layers().len(), first + 1 + blocks);
    assert!(
        found
            .layers()
            .iter()
            .all(|layer| layer.len() == text.tokens.len())
    );
}

#[rstest]
fn running_blocks_again_changes_nothing(#[values("t5", "bart", "bart-labels")] name: &str) {
    let (model, texts) = load(name);
    let again = Plan {
        recompute: true,
        ..plan("ah-ln", "blocks")
    };
    let batch: Vec<_> = texts.iter().map(|text| tokenized(&model, text)).collect();
    let [found, again] = [plan("ah-ln", "blocks"), again].map(|plan| {
        let explainer = Explainer::new(&model, &plan).unwrap();
        explainer.explain_batch(&batch).unwrap()
    });
    for (found, again) in found.iter().zip(again) {
        let error = difference(&relevance(&again), &relevance(found));
        assert!(error < 1e-5, "{name}: {error:.1e}");
    }
}

/// The likeliest token comes next, within what the files say of the first one, and of those that never come.
#[test]
fn what_is_written_is_what_transformers_writes() {
    for name in WRITING {
        let (model, texts) = load(name);
        let explainer = Explainer::new(&model, &plan("ah-ln", "blocks")).unwrap();
        for text in texts {
            let prompt = explainer.tokenize(&text.text).unwrap();
            let found = explainer.continuation(&prompt, 6, None).unwrap();
            let written: Vec<_> = found.tokens[found.prompt..]
                .iter()
                .map(|token| token.id)
                .collect();
            let end = found.end.as_ref().map(|end| end.id);
            let written: Vec<_> = written.into_iter().chain(end).collect();
            let what = format!("{name}: {}", text.text);
            assert_eq!(written, text.greedy, "{what}");
            assert_eq!(found.source, text.source, "{what}");
            for step in &found.steps {
                assert_eq!(step.relevance.len(), step.token, "{what}");
                let [source, output] = [
                    &step.relevance[..found.source],
                    &step.relevance[found.source..],
                ];
                assert!(source.iter().any(|r| *r != 0.0) && output.iter().any(|r| *r != 0.0));
            }
        }
    }
}

/// An answer is explained at once, and a part of it: the sum of what is found for each of its tokens.
#[rstest]
fn an_answer_is_the_sum_of_its_tokens(#[values("t5", "bart", "marian")] name: &str) {
    let (model, texts) = load(name);
    let one = plan("ah-ln", "blocks");
    let given = |target: &str| {
        let target = target.parse().unwrap();
        let plan = Plan {
            target,
            ..one.clone()
        };
        let explainer = Explainer::new(&model, &plan).unwrap();
        let text = explainer
            .tokenize_answer(&texts[1].text, "the jokes are")
            .unwrap();
        (
            explainer
                .explain_batch(std::slice::from_ref(&text))
                .unwrap()
                .remove(0),
            text,
        )
    };
    let (whole, text) = given("answer()");
    assert_eq!(text.text, format!("{}\nthe jokes are", texts[1].text));
    let begun = tokenized(
        &model,
        &Text {
            answer: String::new(),
            ..load(name).1.remove(1)
        },
    )
    .tokens
    .len();
    let mut sum = vec![0.0; text.tokens.len()];
    for token in begun..text.tokens.len() {
        let asked = TokenizedText {
            asked: vec![token - 1],
            ..text.clone()
        };
        let explainer = Explainer::new(&model, &one).unwrap();
        let target = Target::Label(text.tokens[token].id as usize);
        let found = explainer
            .target(target)
            .unwrap()
            .explain_batch(&[asked])
            .unwrap();
        for (sum, found) in sum.iter_mut().zip(relevance(&found[0])) {
            *sum += found;
        }
    }
    let error = difference(&relevance(&whole), &sum);
    assert!(error < 1e-5, "{name}: {error:.1e}");
    let (part, _) = given("answer()@\"jokes\"");
    assert!(difference(&relevance(&part), &sum) > 1e-3);
    assert_eq!(part.target.score, Score::Logit);
}

/// The words of a text that both stacks read stand there once.
#[test]
fn a_classifier_of_two_stacks_has_each_word_once() {
    let (model, texts) = load("bart-labels");
    let explainer = Explainer::new(&model, &plan("ah-ln", "blocks")).unwrap();
    let found = explainer.explain(&texts[0].text).unwrap();
    let words: Vec<_> = found.words.iter().map(|word| word.text.as_str()).collect();
    assert_eq!(words, ["a", "warm", ",", "funny", "film"]);
    let special = found.tokens.iter().filter(|token| token.special);
    let special: f32 = special.map(|token| token.relevance).sum();
    let words: f32 = found.words.iter().map(|word| word.relevance).sum();
    assert!((words + special - found.total()).abs() < 1e-4);
}

/// A method that is defined for one stack says so.
#[rstest]
fn a_method_for_one_stack_is_refused(
    #[values(
        "attention-last",
        "attention-rollout",
        "grad-rollout",
        "gae",
        "chefer",
        "full-grad"
    )]
    method: &str,
) {
    let (model, texts) = load("bart-labels");
    let text = model
        .tokenize(&texts[0].text, None, Default::default())
        .unwrap();
    let found = relprop_explain::methods::by_name(method, &model, 0);
    let found = found.and_then(|method| method.relevance(&[&text], 0));
    assert!(
        found
            .unwrap_err()
            .to_string()
            .contains("an encoder and a decoder"),
        "{method}"
    );
}

#[rstest]
fn what_is_saved_is_what_transformers_saved(
    // Marian's tokenizer is no single file, and Pegasus has a copy of the sines in its own.
    #[values(
        "t5",
        "t5.gated",
        "mt5",
        "bart",
        "bart-labels",
        "mbart",
        "m2m_100",
        "t5-labels",
        "umt5"
    )]
    name: &str,
) {
    super::more::saves(&format!("two_stacks/{name}"));
}

/// What a user gives T5 for a gap in a text is one token, from `tokenizer.json` and from a model of sentencepiece.
#[rstest]
fn a_gap_is_one_token(#[values("t5", "mt5")] name: &str) {
    let (model, _) = load(name);
    let text = model
        .tokenize("a <extra_id_1> film", None, Default::default())
        .unwrap();
    let last = model.tokenizer().unwrap().vocabulary_size() as u32 - 1;
    let gaps: Vec<_> = text
        .tokens
        .iter()
        .filter(|token| token.text.starts_with("<extra"))
        .collect();
    let [gap] = gaps[..] else { panic!("{gaps:?}") };
    assert_eq!((gap.text.as_str(), gap.id), ("<extra_id_1>", last - 1));
}
