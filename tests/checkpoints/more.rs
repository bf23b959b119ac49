//! The families that came later against PyTorch, on the fixtures that `fixtures/more.py` made: small random
//! models that transformers saved, with logits and Gradient x Input in float64. Heads that are like those of
//! others are in `heads.rs`.

use std::fs;
use std::path::Path;

use burn::tensor::Device;
use relprop_checkpoints::Model;
use relprop_explain::{Explainer, Plan};
use relprop_rules::RuleSet;
use relprop_testing::fixtures::folder;
use relprop_testing::{difference, relevance};
use rstest::rstest;
use safetensors::SafeTensors;
use serde::Deserialize;

use super::heads::{TOLERANCE, close, load, plan};
use super::language::every_logit;

#[derive(Deserialize)]
struct Text {
    text: String,
    ids: Vec<u32>,
    logits: Vec<f64>,
    target: usize,
    relevance: Vec<f64>,
}

/// The folders of `more/` whose names end so.
fn named(ending: &str) -> Vec<String> {
    let entries = fs::read_dir(folder("more")).unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<_> = names.filter(|name| name.ends_with(ending)).collect();
    names.sort();
    assert!(!names.is_empty());
    names
}

/// Ids, logits and relevance of one text after the other, and of all in one batch.
#[rstest]
fn logits_and_relevance_are_those_of_pytorch(#[values("-classes", "-next")] kind: &str) {
    for name in named(kind) {
        let (model, texts) = load::<Text>(&format!("more/{name}"));
        let explainer = Explainer::new(&model, &plan(&model)).unwrap();
        let batch: Vec<_> = texts
            .iter()
            .map(|text| explainer.tokenize(&text.text).unwrap())
            .collect();
        let together = explainer.explain_batch(&batch).unwrap();
        let alone = batch
            .iter()
            .map(|text| explainer.explain_batch(std::slice::from_ref(text)));
        for ((expected, together), alone) in texts.iter().zip(together).zip(alone) {
            let what = format!("{name}: {}", expected.text);
            let every = every_logit(&model, &explainer.tokenize(&expected.text).unwrap());
            let error = difference(&every, &expected.logits);
            assert!(error < TOLERANCE, "{what}: {error:.1e}");
            for found in [together, alone.unwrap().remove(0)] {
                let ids: Vec<_> = found.tokens.iter().map(|token| token.id).collect();
                assert_eq!(ids, expected.ids, "{what}");
                // Of a vocabulary, an explanation has the largest logits alone.
                if found.logits.len() == expected.logits.len() {
                    close(&found.logits, &expected.logits, &what);
                }
                assert_eq!(found.prediction, model.output(expected.target), "{what}");
                let error = difference(&relevance(&found), &expected.relevance);
                assert!(error < TOLERANCE, "{what}: {error:.1e}");
            }
        }
    }
}

#[rstest]
fn the_ledger_closes(
    #[values("-classes", "-next")] kind: &str,
    #[values("gradient-x-input", "ah-ln", "attn-lrp", "libra")] preset: &str,
) {
    for name in named(kind) {
        let (model, texts) = load::<Text>(&format!("more/{name}"));
        for at in ["blocks", "embeddings.word"] {
            let plan = Plan {
                rules: Some(RuleSet::preset(preset).unwrap()),
                at: Some(at.to_owned()),
                ledger: true,
                ..Plan::default()
            };
            let explainer = Explainer::new(&model, &plan).unwrap();
            for text in &texts[..2] {
                let tokenized = explainer.tokenize(&text.text).unwrap();
                let found = explainer.explain_batch(&[tokenized]).unwrap().remove(0);
                let ledger = found.ledger.unwrap();
                let size = ledger.tokens.abs().max(ledger.target.abs()).max(1.0);
                let unaccounted = ledger.unaccounted.abs() / size;
                assert!(unaccounted < 1e-5, "{name}, {at}: {unaccounted:.1e}");
            }
        }
    }
}

#[rstest]
fn what_is_saved_is_what_transformers_saved(
    #[values("-classes", "-next", "-answers", "-tokens", "-masks", "-labels")] kind: &str,
) {
    for name in named(kind) {
        println!("{name}");
        if !OF_PICTURES.contains(&name.as_str()) {
            saves(&format!("more/{name}"));
        }
    }
}

/// Models of texts that have a tower for pictures in their files.
const OF_PICTURES: [&str; 2] = ["gemma3-next", "mistral3-next"];

/// The tower is left out: what is saved is the model of texts, of its own type, which computes the same.
#[rstest]
#[case(OF_PICTURES[0], "gemma3_text")]
#[case(OF_PICTURES[1], "mistral")]
fn of_a_model_of_pictures_and_texts_the_latter_is_saved(#[case] name: &str, #[case] family: &str) {
    let (model, texts) = load::<Text>(&format!("more/{name}"));
    let target = tempfile::tempdir().unwrap();
    model.save(target.path()).unwrap();
    let saved = Model::load(target.path(), &Device::flex()).unwrap();
    assert_eq!((saved.family.name, model.family.name), (family, family));
    assert_eq!(saved.transformer.config(), model.transformer.config());
    let text = saved
        .tokenize(&texts[0].text, None, Default::default())
        .unwrap();
    assert_eq!(every_logit(&saved, &text), every_logit(&model, &text));
}

/// The names that transformers has had for tensors beside a tower for pictures since 4.52.
#[rstest]
fn tensors_beside_a_tower_have_two_names(#[values(OF_PICTURES[0], OF_PICTURES[1])] name: &str) {
    let made = folder(&format!("more/{name}"));
    let target = tempfile::tempdir().unwrap();
    for file in ["config.json", "tokenizer.json", "tokenizer_config.json"] {
        fs::copy(made.join(file), target.path().join(file)).unwrap();
    }
    let bytes = fs::read(made.join("model.safetensors")).unwrap();
    let tensors = SafeTensors::deserialize(&bytes).unwrap();
    let renamed = tensors.iter().map(|(name, tensor)| {
        let moved = match name.strip_prefix("language_model.") {
            Some(rest) if rest.starts_with("lm_head") => rest.to_owned(),
            Some(rest) => rest.replacen("model.", "model.language_model.", 1),
            None => format!("model.{name}"),
        };
        (moved, tensor)
    });
    let file = target.path().join("model.safetensors");
    safetensors::tensor::serialize_to_file(renamed, None, &file).unwrap();
    let (model, texts) = load::<Text>(&format!("more/{name}"));
    let again = Model::load(target.path(), &Device::flex()).unwrap();
    let text = model
        .tokenize(&texts[0].text, None, Default::default())
        .unwrap();
    assert_eq!(every_logit(&again, &text), every_logit(&model, &text));
}

/// Where a norm stands right after the word embeddings, their size is of no account: a user who reads there is told so,
/// and where to read.
#[rstest]
#[case("bloom-next", true)]
#[case("deberta-classes", true)]
#[case("deberta-v2-classes", true)]
#[case("modernbert-classes", true)]
#[case("gte-classes", false)]
#[case("olmo2-next", false)]
fn nothing_is_left_before_a_norm(#[case] name: &str, #[case] normed: bool) {
    let (model, texts) = load::<Text>(&format!("more/{name}"));
    let explained = |rules: &str, at: &str| {
        let plan = Plan {
            rules: Some(RuleSet::preset(rules).unwrap()),
            at: Some(at.to_owned()),
            ..Plan::default()
        };
        let explainer = Explainer::new(&model, &plan).unwrap();
        let text = explainer.tokenize(&texts[1].text).unwrap();
        let found = explainer.explain_batch(&[text]).unwrap();
        let sizes = relevance(&found[0]).into_iter().map(f64::abs);
        (explainer.warning(), sizes.fold(0.0, f64::max))
    };
    let (warning, before) = explained("gradient-x-input", "embeddings.word");
    let (none, after) = explained("gradient-x-input", "blocks");
    assert_eq!(none, None);
    assert_eq!(warning.is_some(), normed, "{warning:?}");
    assert_eq!(before < 1e-2 * after, normed, "{before:.1e}, {after:.1e}");
    if let Some(warning) = warning {
        assert!(
            warning.contains("read it at `embeddings.norm` or at `blocks`"),
            "{warning}"
        );
        explained("gradient-x-input", "embeddings.norm");
    }
    // A norm under the LN-rule hands relevance through.
    let (none, _) = explained("ah-ln", "embeddings.word");
    assert_eq!(none, None);
}

/// Saves the tensors that transformers saved, bit by bit, and a configuration that says the same.
/// Only parts of an ESM with which nothing is computed are not written.
pub fn saves(name: &str) {
    let model = Model::load(&folder(name), &Device::flex()).unwrap();
    let target = Path::new(env!("CARGO_TARGET_TMPDIR"))
        .join("written")
        .join(name);
    model.save(&target).unwrap();
    let read = |folder: &Path| fs::read(folder.join("model.safetensors")).unwrap();
    let (theirs, ours) = (read(&folder(name)), read(&target));
    let [theirs, ours] = [&theirs, &ours].map(|bytes| SafeTensors::deserialize(bytes).unwrap());
    for (tensor, expected) in theirs.iter() {
        match ours.tensor(tensor) {
            Ok(found) => assert_eq!(found, expected, "{name}: {tensor}"),
            Err(_) => assert!(model.family.name == "esm", "{name} lacks {tensor}"),
        }
    }
    let again = Model::load(&target, &Device::flex()).unwrap();
    assert_eq!(again.family, model.family);
    assert_eq!(again.transformer.config(), model.transformer.config());
}
