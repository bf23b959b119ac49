//! Models of two towers against PyTorch, on the fixtures that `fixtures/towers.py` made: small random models that transformers
//! saved.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::Arc;

use burn::tensor::{DType, Device};
use relprop_checkpoints::{CheckpointError, Model, Towers, Truncation};
use relprop_explain::batching::logits;
use relprop_explain::{Compare, Comparison, Explainer, Explanation, Plan, Scalar, Target};
use relprop_rules::RuleSet;
use relprop_testing::fixtures::{self, folder};
use relprop_testing::{difference, relevance};
use relprop_transformer::TokenizedText;
use rstest::rstest;
use serde::Deserialize;

#[derive(Deserialize)]
struct Reference {
    texts: Vec<String>,
    ids: Vec<Vec<u32>>,
    vectors: Vec<Vec<f64>>,
    pictures: Vec<Expected>,
}

#[derive(Deserialize)]
struct Expected {
    file: String,
    /// From 0 to 255, `[channel][y][x]`.
    pixels: Vec<Vec<Vec<i32>>>,
    logits: Vec<f64>,
    vector: Vec<f64>,
    values: BTreeMap<String, f64>,
    /// By target, then by preset.
    relevance: BTreeMap<String, BTreeMap<String, Relevance>>,
}

/// By site.
#[derive(Deserialize)]
struct Relevance {
    picture: BTreeMap<String, Vec<f64>>,
    texts: BTreeMap<String, Vec<Vec<f64>>>,
}

fn load(name: &str) -> (Towers, Reference) {
    let folder = folder("towers").join(name);
    let reference = fs::read_to_string(folder.join("reference.json")).unwrap();
    let towers = Towers::load(&folder, &Device::flex()).unwrap();
    (towers, serde_json::from_str(&reference).unwrap())
}

impl Expected {
    /// The picture that transformers made, as the model reads it.
    fn tokens(&self, model: &Model) -> TokenizedText {
        fixtures::picture(model, &self.pixels, &self.file)
    }
}

fn texts(towers: &Towers, reference: &Reference) -> Vec<TokenizedText> {
    let texts = reference.texts.iter();
    texts
        .map(|text| towers.text.tokenize(text, None, Truncation::Cut).unwrap())
        .collect()
}

fn vectors(model: &Model, inputs: &[&TokenizedText]) -> Vec<Vec<f64>> {
    let found = logits(&model.transformer, inputs).unwrap().into_iter();
    found
        .map(|row| row.into_iter().map(f64::from).collect())
        .collect()
}

#[rstest]
fn tokens_and_vectors_are_those_of_pytorch(
    #[values("clip", "clip-old", "siglip", "siglip2", "open-clip")] name: &str,
) {
    let (towers, reference) = load(name);
    let texts = texts(&towers, &reference);
    for (text, ids) in texts.iter().zip(&reference.ids) {
        let found: Vec<u32> = text.tokens.iter().map(|token| token.id).collect();
        assert_eq!(found, *ids, "{}", text.text);
    }
    let of_texts = vectors(&towers.text, &texts.iter().collect::<Vec<_>>());
    for (found, expected) in of_texts.iter().zip(&reference.vectors) {
        let apart = difference(found, expected);
        assert!(apart < 1e-5, "{name}: {apart:.1e}");
    }
    for expected in &reference.pictures {
        let picture = expected.tokens(&towers.picture);
        let of_picture = vectors(&towers.picture, &[&picture]).remove(0);
        let apart = difference(&of_picture, &expected.vector);
        assert!(apart < 1e-5, "{name}: {apart:.1e}");
        let product = |v: &Vec<f64>| v.iter().zip(&of_picture).map(|(a, b)| a * b).sum::<f64>();
        let logits: Vec<f64> = of_texts
            .iter()
            .map(|v| towers.scale * product(v) + towers.bias)
            .collect();
        let apart = difference(&logits, &expected.logits);
        assert!(apart < 1e-5, "{name}: {apart:.1e}");
    }
}

/// A picture is resized and cut as transformers does, but for how resizing rounds: one level of 255.
#[rstest]
fn pixels_are_those_of_the_original(#[values("clip", "siglip", "open-clip")] name: &str) {
    let (towers, reference) = load(name);
    for expected in &reference.pictures {
        let bytes = fs::read(folder("pictures").join(&expected.file)).unwrap();
        let picture = relprop_data::decode(&bytes).unwrap();
        let ours = towers.picture.picture(&picture, "").unwrap();
        let theirs = expected.tokens(&towers.picture);
        let read = towers.picture.preprocessor().unwrap();
        let (_, deviation) = read.normalize.as_ref().unwrap();
        let smallest = deviation.iter().copied().fold(f64::INFINITY, f64::min);
        let numbers = |tokens: &TokenizedText| tokens.picture().unwrap().numbers_of_all().to_vec();
        for (found, expected) in numbers(&ours).iter().zip(numbers(&theirs)) {
            let levels = f64::from((found - expected).abs()) * smallest * 255.0;
            assert!(levels < 1.001, "{name}: {levels}");
        }
    }
}

#[rstest]
fn one_tower_and_two_are_told_apart(#[values("clip", "open-clip")] name: &str) {
    let two = folder("towers").join(name);
    let error = Model::load(&two, &Device::flex()).unwrap_err();
    assert!(
        matches!(error, CheckpointError::TwoTowers { .. }),
        "{error}"
    );
    let error = Towers::load(&folder("vit"), &Device::flex()).unwrap_err();
    assert!(matches!(error, CheckpointError::OneTower { .. }), "{error}");
}

/// Each tower is a model of its own, which is saved as transformers reads it.
#[rstest]
fn a_tower_alone_is_read_as_it_was_written(#[values(0, 1, 2, 3, 4)] index: usize) {
    let (towers, reference) = load(NAMES[index]);
    let texts = texts(&towers, &reference);
    let picture = reference.pictures[0].tokens(&towers.picture);
    let inputs = [texts.iter().collect(), vec![&picture]];
    for (tower, inputs) in [&towers.text, &towers.picture].into_iter().zip(inputs) {
        let name = format!("{}-{}", NAMES[index], tower.family.name);
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("written/towers");
        let folder = folder.join(name);
        tower.save(&folder).unwrap();
        let again = Model::load(&folder, &Device::flex()).unwrap();
        assert_eq!(again.family, tower.family);
        // Alone, it gives vectors as they are before their lengths are taken away.
        let mut alone = tower.clone();
        alone.transformer = alone.transformer.with_vectors(None, false).unwrap();
        assert_eq!(again.transformer.config(), alone.transformer.config());
        assert_eq!(vectors(&again, &inputs), vectors(&alone, &inputs));
        if let Some(tokenizer) = again.tokenizer() {
            assert!(tokenizer.id("a").is_some() || tokenizer.id("a</w>").is_some());
            let ids = |model: &Model, text: &TokenizedText| -> Vec<u32> {
                let read = model.tokenize(&text.text, None, Truncation::Cut).unwrap();
                read.tokens.iter().map(|token| token.id).collect()
            };
            for text in &texts {
                assert_eq!(ids(&again, text), ids(tower, text), "{}", text.text);
            }
        }
    }
}

const NAMES: [&str; 5] = ["clip", "clip-old", "siglip", "siglip2", "open-clip"];
const PRESETS: [&str; 4] = ["gradient-x-input", "ah-ln", "attn-lrp", "libra"];

/// The fixture's words for a target, in the grammar of targets.
fn scalar(target: &str) -> Scalar {
    let said = match target {
        "0" => "id:0",
        "0-1" => "id:0-id:1",
        _ => "log-probability(id:2)",
    };
    said.parse().unwrap()
}

fn compare(towers: &Towers, plan: Plan) -> Compare {
    Compare::new(&Arc::new(towers.clone()), &plan).unwrap()
}

fn by(preset: &str, at: &str) -> Plan {
    let rules = RuleSet::preset(preset).unwrap();
    Plan {
        at: Some(at.to_owned()),
        ..Plan::default().by_rules(rules)
    }
}

/// At the pixels, the tokens before the patches have nothing, and PyTorch knows patches alone.
fn of_picture(found: &Explanation, site: &str) -> Vec<f64> {
    let special = found.tokens.iter().filter(|token| token.special).count();
    let skipped = if site == "embeddings.pixel" {
        special
    } else {
        0
    };
    relevance(found).split_off(skipped)
}

fn of_text(found: &Comparison, index: usize, tokens: usize) -> Vec<f64> {
    let text = found.texts[index].explanation.as_ref();
    text.map_or(vec![0.0; tokens], relevance)
}

/// Of all texts together, because a text that says next to nothing is rounding.
fn joined(all: impl Iterator<Item = Vec<f64>>) -> Vec<f64> {
    all.flatten().collect()
}

#[rstest]
fn relevance_is_that_of_pytorch(#[values(0, 1, 2, 3, 4)] index: usize) {
    let (towers, reference) = load(NAMES[index]);
    // Before a norm plain gradients hold next to nothing: in f32 that is rounding.
    let mut exact = towers.clone();
    exact.picture.transformer = exact.picture.transformer.cast(DType::F64);
    let texts = texts(&towers, &reference);
    let sites = [
        ("blocks", "blocks"),
        ("embeddings.token", "embeddings.word"),
        ("embeddings.pixel", "embeddings.word"),
    ];
    for preset in PRESETS {
        for (of_patches, of_words) in sites {
            let towers = if of_patches == "blocks" {
                &towers
            } else {
                &exact
            };
            let explainer = compare(towers, by(preset, &format!("{of_patches},{of_words}")));
            for expected in &reference.pictures {
                let picture = expected.tokens(&towers.picture);
                for (target, value) in &expected.values {
                    let found = explainer.target(scalar(target));
                    let found = found.explain(&picture, &texts).unwrap();
                    let place = format!("{}, {target}, {preset}", NAMES[index]);
                    let apart = (f64::from(found.picture.target.value) - value).abs();
                    assert!(apart < 1e-5 * value.abs().max(1.0), "{place}: {apart:.1e}");
                    let reference = &expected.relevance[target][preset];
                    let ours = of_picture(&found.picture, of_patches);
                    let apart = difference(&ours, &reference.picture[of_patches]);
                    assert!(apart < 1e-4, "{place}, {of_patches}: {apart:.1e}");
                    let theirs = &reference.texts[of_words];
                    let ours = theirs.iter().enumerate();
                    let ours = joined(ours.map(|(k, words)| of_text(&found, k, words.len())));
                    let apart = difference(&ours, &joined(theirs.iter().cloned()));
                    assert!(apart < 1e-4, "{place}, {of_words}: {apart:.1e}");
                }
            }
        }
    }
}

/// The account of the picture closes, and so does that of each text; the shares of the texts are the target, where it is a
/// logit or the difference of two.
#[rstest]
fn the_account_closes(#[values(0, 1, 2, 3, 4)] index: usize) {
    let (towers, reference) = load(NAMES[index]);
    let texts = texts(&towers, &reference);
    let picture = reference.pictures[0].tokens(&towers.picture);
    for preset in PRESETS {
        let plan = Plan {
            ledger: true,
            ..by(preset, "blocks")
        };
        let explainer = compare(&towers, plan);
        for (target, value) in &reference.pictures[0].values {
            let found = explainer.target(scalar(target));
            let found = found.explain(&picture, &texts).unwrap();
            let of_texts = found.texts.iter().flat_map(|text| &text.explanation);
            let shares: f64 = of_texts
                .clone()
                .map(|one| f64::from(one.target.value))
                .sum();
            if !target.starts_with("log") {
                assert!((shares - value).abs() < 1e-4, "{target}: {shares} {value}");
            }
            for one in of_texts.chain([&found.picture]) {
                let ledger = one.ledger().unwrap();
                assert!((ledger.target - f64::from(one.target.value)).abs() < 1e-5);
                let left = ledger.unaccounted.abs() / ledger.target.abs().max(1.0);
                assert!(
                    left < 1e-5,
                    "{}, {preset}, {target}: {left:.1e}",
                    NAMES[index]
                );
                let held: f64 = relevance(one).iter().sum();
                assert!((held - ledger.tokens).abs() < 1e-4);
            }
        }
    }
}

/// A text has the same relevance beside others, and padding changes nothing.
#[rstest]
fn texts_beside_one_another_change_nothing(#[values(0, 1, 2, 3, 4)] index: usize) {
    let (towers, reference) = load(NAMES[index]);
    let texts = texts(&towers, &reference);
    let picture = reference.pictures[0].tokens(&towers.picture);
    let explainer = compare(&towers, by("ah-ln", "blocks"));
    let contrast = explainer.target(scalar("0-1"));
    let both = contrast.explain(&picture, &texts[..2]).unwrap();
    for (k, sign) in [(0, 1.0), (1, -1.0)] {
        let alone = explainer.target(scalar("0"));
        let alone = alone.explain(&picture, &texts[k..=k]).unwrap();
        let tokens = texts[k].tokens.len();
        let beside: Vec<f64> = of_text(&both, k, tokens).iter().map(|r| sign * r).collect();
        let apart = difference(&beside, &of_text(&alone, 0, tokens));
        assert!(apart < 1e-5, "{}: {apart:.1e}", NAMES[index]);
    }
}

#[test]
fn what_is_not_computed_is_refused() {
    let (towers, reference) = load("clip");
    let towers = Arc::new(towers);
    let refused = |change: fn(&mut Plan)| {
        let mut plan = Plan::default();
        change(&mut plan);
        Compare::new(&towers, &plan).unwrap_err().to_string()
    };
    let method = refused(|plan| plan.method = Some("gae".to_owned()));
    assert!(method.contains("propagation"), "{method}");
    let site = refused(|plan| plan.at = Some("embeddings.word".to_owned()));
    assert!(site.contains("embeddings.word"), "{site}");
    let explainer = compare(&towers, Plan::default());
    let picture = reference.pictures[0].tokens(&towers.picture);
    assert!(explainer.explain(&picture, &[]).is_err());
    let texts = texts(&towers, &reference);
    let error = explainer.target("id:3".parse().unwrap());
    assert!(error.explain(&picture, &texts).is_err());
}

/// Of pairs of patches and words: the relevance of each for every feature of its vector, one feature at a time.
#[rstest]
fn pairs_are_products_of_features(#[values(0, 3)] index: usize) {
    let (towers, reference) = load(NAMES[index]);
    let texts = texts(&towers, &reference);
    let picture = reference.pictures[0].tokens(&towers.picture);
    for preset in PRESETS {
        let plan = by(preset, "blocks");
        let compare = compare(&towers, plan.clone()).with_pairs();
        let found = compare
            .target(scalar("0"))
            .explain(&picture, &texts)
            .unwrap();
        let pairs = found.texts[0].pairs.as_ref().unwrap();
        assert!(found.texts[1].pairs.is_none());
        let of_features = |model: &Model, input: &TokenizedText| -> Vec<Vec<f64>> {
            let explainer = Explainer::new(&Arc::new(model.clone()), &plan).unwrap();
            let features = 0..model.transformer.config().logits();
            let of = |feature| {
                let explainer = explainer.target(Target::Label(feature)).unwrap();
                relevance(
                    &explainer
                        .explain_batch(std::slice::from_ref(input))
                        .unwrap()[0],
                )
            };
            features.map(of).collect()
        };
        let u = of_features(&towers.picture, &picture);
        let v = of_features(&towers.text, &texts[0]);
        let pair = |i: usize, j: usize| -> f64 {
            let products = u.iter().zip(&v).map(|(u, v)| u[i] * v[j]);
            towers.scale * products.sum::<f64>()
        };
        let expected = (0..picture.tokens.len())
            .flat_map(|i| (0..texts[0].tokens.len()).map(move |j| (i, j)))
            .map(|(i, j)| pair(i, j));
        let expected: Vec<f64> = expected.collect();
        let ours = pairs.interaction.iter().flatten();
        let ours: Vec<f64> = ours.map(|relevance| f64::from(*relevance)).collect();
        let apart = difference(&ours, &expected);
        assert!(apart < 1e-4, "{}, {preset}: {apart:.1e}", NAMES[index]);
        let account = &pairs.account;
        let logit = f64::from(found.texts[0].logit) - towers.bias;
        assert!((account.product - logit).abs() < 1e-4);
        assert!(account.unaccounted.abs() < 1e-5 * logit.abs().max(1.0));
        let held: f64 = ours.iter().sum();
        assert!((held - account.pairs).abs() < 1e-4 * account.pairs.abs().max(1.0));
        let patches: f64 = pairs
            .word_interaction
            .iter()
            .flatten()
            .map(|r| f64::from(*r))
            .sum();
        let words = |token: &&relprop_transformer::Token| token.word.is_some();
        assert_eq!(
            pairs.word_interaction.len(),
            picture.tokens.iter().filter(words).count()
        );
        assert!(patches.is_finite());
    }
}

/// What transformers 5 saves for pictures and texts together is one file.
#[test]
fn a_file_for_pictures_and_texts_together_is_read() {
    let (towers, _) = load("clip");
    let (from, to) = (folder("towers").join("clip"), tempfile::tempdir().unwrap());
    for entry in fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        let text = || fs::read_to_string(&path).unwrap();
        match name.as_str() {
            "preprocessor_config.json" => {
                let both = format!("{{\"image_processor\": {}}}", text());
                fs::write(to.path().join("processor_config.json"), both).unwrap();
            }
            _ => drop(fs::copy(&path, to.path().join(name)).unwrap()),
        }
    }
    let again = Towers::load(to.path(), &Device::flex()).unwrap();
    assert_eq!(again.picture.preprocessor(), towers.picture.preprocessor());
}
