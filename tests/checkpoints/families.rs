//! Every family of Hugging Face against PyTorch, on the fixtures that `fixtures/make.py` made: small
//! random models that transformers saved, with logits and relevance in float64.
//!
//! The odd cases are among the texts: one token, unknown words, accents, the longest text that the
//! model reads, texts that are cut, pairs.

use std::collections::BTreeMap;

use relprop_checkpoints::{Family, Model};
use relprop_explain::{Explainer, Explanation, Target};
use relprop_testing::fixtures::{self, folder, saves_what_transformers_saved};
use relprop_testing::{Asked, difference, explainer, logits, relevance};
use relprop_transformer::{Content, PaddingSide, TokenizedText};
use rstest::rstest;
use serde::Deserialize;

#[derive(Deserialize)]
struct Reference {
    texts: Vec<Text>,
}

#[derive(Deserialize)]
struct Text {
    text: String,
    pair: Option<String>,
    ids: Vec<u32>,
    types: Vec<u32>,
    logits: Vec<f64>,
    target: usize,
    /// By preset, then by site.
    relevance: BTreeMap<String, BTreeMap<String, Vec<f64>>>,
}

fn load(family: &str) -> (Model, Reference) {
    fixtures::load(family)
}

impl Text {
    fn tokenize(&self, model: &Model) -> TokenizedText {
        let second = self.pair.as_deref();
        model
            .tokenize(&self.text, second, Default::default())
            .unwrap()
    }

    /// The largest difference of the relevance, in units of the largest, at `site` under `preset`.
    fn difference(&self, found: &Explanation, preset: &str, site: &str) -> f64 {
        difference(&relevance(found), &self.relevance[preset][site])
    }
}

const PRESETS: [&str; 4] = ["gradient-x-input", "ah-ln", "attn-lrp", "libra"];
const SITES: [&str; 2] = ["blocks", "embeddings.word"];

/// In the folder of its name, or in one of `more/` for each of its heads.
#[test]
fn every_family_has_a_fixture() {
    let more = std::fs::read_dir(folder("more")).unwrap();
    let more: Vec<_> = more
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    let pictures = |name: &str| {
        // A folder may have an ending of its own, and the family's name underscores.
        let name = name.replace("_with_", "-");
        folder(&format!("more-pictures/{name}")).is_dir()
    };
    let towers = |name: &str| {
        let both = ["_text_model", "_vision_model"].map(|tower| name.strip_suffix(tower));
        let mut both = both.into_iter().flatten();
        both.any(|both| folder("towers").join(both).is_dir())
    };
    for family in Family::all().filter(|family| family.name != "relprop") {
        let of_family = format!("{}-", family.name);
        let made = folder(family.name).join("reference.json").is_file()
            || more.iter().any(|name| name.starts_with(&of_family))
            || pictures(family.name)
            || folder("two_stacks").join(family.name).is_dir()
            || towers(family.name);
        assert!(made, "{}", family.name);
    }
}

#[rstest]
fn tokens_are_those_of_transformers(
    #[values("bert", "roberta", "xlm-roberta", "distilbert", "electra")] family: &str,
) {
    let (model, reference) = load(family);
    for text in &reference.texts {
        let found = text.tokenize(&model);
        let ids: Vec<_> = found.tokens.iter().map(|token| token.id).collect();
        assert_eq!(
            (ids, &found.types),
            (text.ids.clone(), &text.types),
            "{}",
            text.text
        );
    }
}

/// A word is what stands in the text between its start and its end, and all of the text is words.
#[rstest]
fn tokens_know_where_in_the_text_they_stand(
    #[values("bert", "roberta", "xlm-roberta", "distilbert", "electra")] family: &str,
) {
    let (model, reference) = load(family);
    for text in &reference.texts {
        let tokenized = text.tokenize(&model);
        let characters: Vec<char> = tokenized.text.chars().collect();
        let mut covered = vec![false; characters.len()];
        for token in tokenized.tokens.iter().filter(|token| !token.special) {
            assert!(
                token.start <= token.end && token.end <= characters.len(),
                "{token:?}"
            );
            covered[token.start..token.end].fill(true);
            let Content::Text { second } = tokenized.content else {
                panic!("it is a text");
            };
            let second = second.unwrap_or(usize::MAX);
            assert!(token.end < second || token.start >= second, "{token:?}");
            // Pieces that are written out stand there letter by letter, but for case and accents.
            let there: String = characters[token.start..token.end].iter().collect();
            let piece = token.text.trim_start_matches(['#', 'Ġ', '▁']);
            if !piece.is_empty()
                && piece.is_ascii()
                && there.is_ascii()
                && !piece.contains(['[', '<'])
            {
                assert_eq!(
                    piece,
                    if family.ends_with("roberta") {
                        there
                    } else {
                        there.to_lowercase()
                    }
                );
            }
        }
        let words: Vec<_> = tokenized
            .tokens
            .iter()
            .filter_map(|token| token.word)
            .collect();
        assert!(words.is_sorted(), "{words:?}");
        if tokenized.dropped == 0 {
            for (character, covered) in characters.iter().zip(covered) {
                assert_ne!(
                    covered,
                    character.is_whitespace(),
                    "{character:?} of {}",
                    text.text
                );
            }
        }
    }
}

#[rstest]
fn logits_and_relevance_are_those_of_pytorch(
    #[values("bert", "roberta", "xlm-roberta", "distilbert", "electra")] family: &str,
) {
    let (model, reference) = load(family);
    let mut worst_logits = 0.0_f64;
    for preset in PRESETS {
        for site in SITES {
            let explainer = explainer(&model, preset).at(site).unwrap();
            let mut worst = 0.0_f64;
            for text in &reference.texts {
                let found = explain_alone(&explainer, text, &model);
                worst_logits = worst_logits.max(difference(&logits(&found), &text.logits));
                worst = worst.max(text.difference(&found, preset, site));
            }
            println!("{family}, {preset} at {site}: {worst:.1e} of the largest relevance");
            assert!(worst < 1e-4, "{preset} at {site}: {worst:.1e}");
        }
    }
    println!("{family}: logits {worst_logits:.1e} apart");
    assert!(worst_logits < 1e-4, "{worst_logits:.1e}");
}

fn explain_alone(explainer: &Explainer, text: &Text, model: &Model) -> Explanation {
    let explainer = explainer
        .clone()
        .target(Target::Label(text.target))
        .unwrap();
    let tokenized = text.tokenize(model);
    explainer.explain_batch(&[tokenized]).unwrap().remove(0)
}

/// PyTorch explained each text alone.
#[rstest]
fn padding_on_either_side_changes_nothing(
    #[values("bert", "roberta", "xlm-roberta", "distilbert", "electra")] family: &str,
    #[values(PaddingSide::Right, PaddingSide::Left)] side: PaddingSide,
) {
    let (model, reference) = load(family);
    for preset in PRESETS {
        for site in SITES {
            let explainer = explainer(&model, preset).at(site).unwrap().padding(side);
            // The predicted label is the target of the fixtures.
            let batch: Vec<_> = reference
                .texts
                .iter()
                .map(|text| text.tokenize(&model))
                .collect();
            for (found, text) in explainer
                .explain_batch(&batch)
                .unwrap()
                .iter()
                .zip(&reference.texts)
            {
                let worst = text.difference(found, preset, site);
                assert!(worst < 1e-4, "{preset} at {site}: {worst:.1e}");
            }
        }
    }
}

#[rstest]
fn the_ledger_closes(
    #[values("bert", "roberta", "xlm-roberta", "distilbert", "electra")] family: &str,
) {
    let (model, reference) = load(family);
    let mut worst = 0.0_f64;
    for preset in PRESETS {
        for site in SITES {
            let explainer = explainer(&model, preset).at(site).unwrap().with_ledger();
            for text in &reference.texts {
                let found = explain_alone(&explainer, text, &model);
                let ledger = found.ledger().unwrap();
                let expected: f64 = text.relevance[preset][site].iter().sum();
                assert!(
                    (ledger.tokens - expected).abs() < 1e-4,
                    "{preset} at {site}"
                );
                let unaccounted = ledger.unaccounted.abs();
                assert!(unaccounted < 1e-5, "{preset} at {site}: {unaccounted:.1e}");
                worst = worst.max(unaccounted);
            }
        }
    }
    println!("{family}: {worst:.1e} unaccounted");
}

/// What transformers saved is saved again: the same tensors, bit by bit, under the same names, and a
/// configuration that says the same.
#[rstest]
fn what_is_saved_is_what_transformers_saved(
    #[values("bert", "roberta", "xlm-roberta", "distilbert", "electra")] family: &str,
) {
    saves_what_transformers_saved(family, env!("CARGO_TARGET_TMPDIR"));
}
