//! The later families that read pictures against PyTorch, on the fixtures that `fixtures/more_pictures.py` made: small random
//! models that transformers or timm saved.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::Arc;

use burn::tensor::{DType, Device};
use relprop_checkpoints::Model;
use relprop_explain::{Explainer, Explanation, Plan, Target, methods};
use relprop_testing::fixtures::{self, folder, saves_what_transformers_saved};
use relprop_testing::{Asked, difference, explainer, logits, parameters, relevance};
use relprop_transformer::{PATCH_HIDDEN, TokenizedText};
use rstest::rstest;
use serde::Deserialize;

#[derive(Deserialize)]
struct Reference {
    pictures: Vec<Expected>,
}

#[derive(Deserialize)]
struct Expected {
    file: String,
    /// From 0 to 255, `[channel][y][x]`.
    pixels: Vec<Vec<Vec<i32>>>,
    logits: Vec<f64>,
    target: usize,
    /// By preset, then by site.
    relevance: BTreeMap<String, BTreeMap<String, Vec<f64>>>,
}

const PRESETS: [&str; 4] = ["gradient-x-input", "ah-ln", "attn-lrp", "libra"];
const SITES: [&str; 3] = ["blocks", "embeddings.token", "embeddings.pixel"];

/// The folders, all of one maker.
fn names(of_timm: bool) -> Vec<String> {
    let entries = fs::read_dir(folder("more-pictures")).unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let names = names.filter(|name| name.starts_with("timm-") == of_timm);
    let names: Vec<_> = names.map(|name| format!("more-pictures/{name}")).collect();
    assert!(!names.is_empty());
    names
}

fn load(name: &str) -> (Model, Vec<Expected>) {
    let (model, reference) = fixtures::load::<Reference>(name);
    (model, reference.pictures)
}

impl Expected {
    /// The picture that transformers made, as the model reads it.
    fn tokens(&self, model: &Model) -> TokenizedText {
        fixtures::picture(model, &self.pixels, &self.file)
    }
}

fn explain_alone(explainer: &Explainer, target: usize, picture: TokenizedText) -> Explanation {
    let explainer = explainer.clone().target(Target::Label(target)).unwrap();
    explainer.explain_batch(&[picture]).unwrap().remove(0)
}

/// At the pixels, the tokens before the patches have nothing, and PyTorch knows patches alone.
fn found_at(found: &Explanation, site: &str) -> Vec<f64> {
    let all = relevance(found);
    match site {
        "embeddings.pixel" => {
            let special = found.tokens.iter().filter(|token| token.special).count();
            assert!(all[..special].iter().all(|&number| number == 0.0));
            all[special..].to_vec()
        }
        _ => all,
    }
}

#[rstest]
fn logits_and_relevance_are_those_of_pytorch(#[values(false, true)] of_timm: bool) {
    for name in names(of_timm) {
        let (model, pictures) = load(&name);
        // Before a norm plain gradients hold next to nothing: in f32 that is rounding.
        let exact = Model {
            transformer: model.transformer.clone().cast(DType::F64),
            ..model.clone()
        };
        let normed = model.transformer.config().embedding_norm.is_some();
        for preset in PRESETS {
            for site in SITES {
                let model = match normed && site != "blocks" {
                    true => &exact,
                    false => &model,
                };
                let explainer = explainer(model, preset).at(site).unwrap();
                for expected in &pictures {
                    let found = explain_alone(&explainer, expected.target, expected.tokens(model));
                    let apart = difference(&logits(&found), &expected.logits);
                    assert!(apart < 1e-4, "{name}: logits {apart:.1e}");
                    let found = found_at(&found, site);
                    let worst = difference(&found, &expected.relevance[preset][site]);
                    assert!(worst < 1e-4, "{name}, {preset} at {site}: {worst:.1e}");
                }
            }
        }
        println!("{name}");
    }
}

/// Resized and cut as transformers and timm do, but for how resizing rounds: one level of 255.
#[rstest]
fn pixels_are_those_of_the_original(#[values(false, true)] of_timm: bool) {
    for name in names(of_timm) {
        let (model, pictures) = load(&name);
        for expected in &pictures {
            let bytes = fs::read(folder("pictures").join(&expected.file)).unwrap();
            let picture = relprop_data::decode(&bytes).unwrap();
            let ours = model.picture(&picture, "").unwrap();
            let ours = ours.picture().unwrap().clone();
            let theirs = expected.tokens(&model);
            let theirs = theirs.picture().unwrap();
            let deviation = model.preprocessor().unwrap().normalize.as_ref().unwrap();
            let smallest = deviation.1.iter().copied().fold(f64::INFINITY, f64::min);
            for (found, expected) in ours.numbers_of_all().iter().zip(theirs.numbers_of_all()) {
                let levels = f64::from((found - expected).abs()) * smallest * 255.0;
                assert!(levels < 1.001, "{name}: {levels}");
            }
        }
    }
}

/// All pictures at once give what each gives alone, also beside one of which a patch is gone.
#[rstest]
fn a_batch_changes_nothing(#[values(false, true)] of_timm: bool) {
    for name in names(of_timm) {
        let (model, pictures) = load(&name);
        let explainer = explainer(&model, "ah-ln");
        let mut batch: Vec<_> = pictures.iter().map(|one| one.tokens(&model)).collect();
        let mut fewer = batch[0].clone();
        let special = fewer.tokens.iter().filter(|token| token.special).count();
        // Windows are of whole pictures, of which patches are hidden.
        if model.transformer.config().stages.is_some() {
            fewer.tokens[special + 1].id = PATCH_HIDDEN;
        } else {
            fewer.tokens.remove(special + 1);
            fewer.types.pop();
        }
        let alone = explainer
            .explain_batch(std::slice::from_ref(&fewer))
            .unwrap();
        batch.push(fewer);
        let together = explainer.explain_batch(&batch).unwrap();
        for (found, expected) in together.iter().zip(&pictures) {
            // The predicted label is the target of the fixtures.
            let expected = &expected.relevance["ah-ln"]["blocks"];
            assert!(difference(&relevance(found), expected) < 1e-4, "{name}");
        }
        let worst = difference(&relevance(&together[2]), &relevance(&alone[0]));
        assert!(worst < 1e-5, "{name}: {worst:.1e}");
    }
}

#[rstest]
fn the_ledger_closes(#[values(false, true)] of_timm: bool) {
    for name in names(of_timm) {
        let (model, pictures) = load(&name);
        for preset in PRESETS {
            for site in SITES {
                let explainer = explainer(&model, preset).at(site).unwrap().with_ledger();
                for expected in &pictures {
                    let found = explain_alone(&explainer, expected.target, expected.tokens(&model));
                    let ledger = found.ledger().unwrap();
                    let size = ledger.tokens.abs().max(ledger.target.abs()).max(1.0);
                    let unaccounted = ledger.unaccounted.abs() / size;
                    assert!(
                        unaccounted < 1e-5,
                        "{name}, {preset} at {site}: {unaccounted:.1e}"
                    );
                }
            }
        }
    }
}

/// What transformers saved is saved again, bit by bit, under the same names.
#[test]
fn what_is_saved_is_what_transformers_saved() {
    for name in ["dinov2-gated", "beit", "beit-first", "swin"] {
        saves_what_transformers_saved(
            &format!("more-pictures/{name}"),
            env!("CARGO_TARGET_TMPDIR"),
        );
    }
}

/// A model of timm, one whose positions were interpolated, and one without parts that nothing reads are saved as models
/// of transformers that compute the same.
#[test]
fn what_is_saved_computes_the_same() {
    let others =
        ["dinov2", "dinov2-registers", "siglip"].map(|name| format!("more-pictures/{name}"));
    for name in names(true).into_iter().chain(others) {
        let (model, pictures) = load(&name);
        let target = Path::new(env!("CARGO_TARGET_TMPDIR"))
            .join("written")
            .join(&name);
        model.save(&target).unwrap();
        let again = Model::load(&target, &Device::flex()).unwrap();
        assert_eq!(again.family, model.family, "{name}");
        assert_eq!(again.preprocessor(), model.preprocessor());
        assert_eq!(again.transformer.config(), model.transformer.config());
        assert_eq!(
            parameters(&again.transformer),
            parameters(&model.transformer)
        );
        let found = explain_alone(&explainer(&again, "ah-ln"), 0, pictures[0].tokens(&again));
        assert!(
            difference(&logits(&found), &pictures[0].logits) < 1e-4,
            "{name}"
        );
    }
}

/// What follows tokens from block to block does not know what to do where four become one.
#[test]
fn methods_that_follow_tokens_are_refused_where_tokens_become_fewer() {
    let (model, pictures) = load("more-pictures/swin");
    let model = Arc::new(model);
    for name in methods::names() {
        let follows = name.starts_with("attention-")
            || [
                "full-grad",
                "decomposition",
                "grad-rollout",
                "gae",
                "chefer",
            ]
            .contains(&name);
        let found = methods::by_name(name, &model, 1);
        assert_eq!(found.is_err(), follows, "{name}");
        match found {
            Err(error) => assert!(error.to_string().contains("one token of four"), "{error}"),
            Ok(method) => {
                let picture = pictures[0].tokens(&model);
                let relevance = method.relevance(&[&picture], 0).unwrap();
                assert_eq!(relevance[0].len(), picture.tokens.len(), "{name}");
            }
        }
    }
    let error = Explainer::new(
        &model,
        &Plan {
            at: Some("encoder.1.output".to_owned()),
            ..Plan::default()
        },
    );
    let error = error.err().unwrap().to_string();
    assert!(error.contains("one vector a token"), "{error}");
}
