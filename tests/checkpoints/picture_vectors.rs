//! Vectors of pictures, and why two are alike, against transformers, on the fixtures that `fixtures/picture_vectors.py` made.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::Arc;

use burn::tensor::Device;
use relprop_checkpoints::Model;
use relprop_explain::{ExplainError, Measure, Plan, Similar, Similarity};
use relprop_rules::RuleSet;
use relprop_testing::fixtures::{self, folder, saves_what_transformers_saved};
use relprop_transformer::{TokenizedText, VectorPooling};
use rstest::rstest;
use serde::Deserialize;

use super::heads::close;

#[derive(Deserialize)]
struct Reference {
    pictures: Vec<Expected>,
}

#[derive(Deserialize)]
struct Expected {
    file: String,
    /// `own`, and `first` and `mean` where transformers has these states.
    vectors: BTreeMap<String, Vec<f64>>,
    /// Of Gradient x Input, `[feature][patch]`.
    relevance: Vec<Vec<f64>>,
}

const NAMES: [&str; 10] = [
    "vit",
    "deit",
    "dinov2",
    "dinov2-registers",
    "beit",
    "beit-first",
    "swin",
    "clip",
    "clip-projected",
    "siglip",
];

fn load(name: &str) -> (Arc<Model>, Vec<Expected>) {
    let (model, reference) = fixtures::load::<Reference>(&format!("picture-vectors/{name}"));
    (Arc::new(model), reference.pictures)
}

/// The pictures from their files, through the model's own preprocessor.
fn read(model: &Model, pictures: &[Expected]) -> Vec<TokenizedText> {
    let read = pictures.iter().map(|expected| {
        let bytes = fs::read(folder("pictures").join(&expected.file)).unwrap();
        let picture = relprop_data::decode(&bytes).unwrap();
        model.picture(&picture, &expected.file).unwrap()
    });
    read.collect()
}

fn plan(preset: &str) -> Plan {
    Plan {
        rules: Some(RuleSet::preset(preset).unwrap()),
        at: Some("embeddings.pixel".to_owned()),
        ledger: true,
        ..Plan::default()
    }
}

fn explain(
    model: &Arc<Model>,
    pictures: &[TokenizedText],
    plan: &Plan,
    measure: Measure,
    pooling: Option<VectorPooling>,
) -> Similarity {
    let similar = Similar::new(model, plan, measure, pooling).unwrap();
    similar.explain([&pictures[0], &pictures[1]]).unwrap()
}

#[test]
fn a_picture_has_the_vectors_that_transformers_makes() {
    let plan = plan("gradient-x-input");
    for name in NAMES {
        let (model, expected) = load(name);
        let pictures = read(&model, &expected);
        for (key, pooling) in [
            ("own", None),
            ("first", Some(VectorPooling::First)),
            ("mean", Some(VectorPooling::Mean)),
        ] {
            if !expected[0].vectors.contains_key(key) {
                continue;
            }
            let found = explain(&model, &pictures, &plan, Measure::Dot, pooling);
            for (found, expected) in found.texts.iter().zip(&expected) {
                close(
                    &found.vector,
                    &expected.vectors[key],
                    &format!("{name}, {key}"),
                );
            }
        }
    }
}

/// Both orders: of pairs of patches, and of each picture's patches where the other's vector is a constant.
#[test]
fn relevance_of_patches_and_pairs_is_that_of_transformers() {
    for name in NAMES {
        let (model, expected) = load(name);
        let pictures = read(&model, &expected);
        let found = explain(
            &model,
            &pictures,
            &plan("gradient-x-input"),
            Measure::Dot,
            None,
        );
        let [u, v] = [0, 1].map(|index| &expected[index].relevance);
        let patches = u[0].len();
        let pairs = (0..patches).flat_map(|i| {
            let row = (0..patches).map(move |j| (i, j));
            row.map(|(i, j)| u.iter().zip(v).map(|(u, v)| u[i] * v[j]).sum::<f64>())
        });
        let what = format!("{name}, pairs");
        close(
            &found.word_interaction.concat(),
            &pairs.collect::<Vec<_>>(),
            &what,
        );
        for (index, relevance) in [u, v].into_iter().enumerate() {
            let other = &expected[1 - index].vectors["own"];
            let first_order = (0..patches).map(|patch| {
                let features = relevance.iter().zip(other);
                features
                    .map(|(relevance, v)| relevance[patch] * v)
                    .sum::<f64>()
            });
            let of_patches = found.texts[index]
                .tokens
                .iter()
                .filter(|token| token.area.is_some());
            let of_patches: Vec<f32> = of_patches.map(|token| token.relevance).collect();
            close(
                &of_patches,
                &first_order.collect::<Vec<_>>(),
                &format!("{name}, patches"),
            );
            assert!(found.texts[index].words.is_empty());
            assert!(found.texts[index].subject.picture().is_some());
        }
    }
}

/// The account of the product, and the ledger of either side for the cosine.
#[rstest]
fn both_sides_close(#[values("gradient-x-input", "ah-ln", "attn-lrp", "libra")] preset: &str) {
    for name in NAMES {
        let (model, expected) = load(name);
        let pictures = read(&model, &expected);
        for pooling in [None, Some(VectorPooling::Mean)] {
            let found = explain(&model, &pictures, &plan(preset), Measure::Cosine, pooling);
            let account = found.account;
            let size = account.product.abs().max(account.pairs.abs()).max(1.0);
            assert!(account.unaccounted.abs() < 1e-5 * size, "{name}, {preset}");
            let all: f32 = found.word_interaction.iter().flatten().sum();
            assert!(
                (f64::from(all) - account.pairs).abs() < 1e-4 * size,
                "{name}, {preset}"
            );
            for text in &found.texts {
                let ledger = text.ledger.as_ref().unwrap();
                assert!(
                    (ledger.target - f64::from(found.cosine)).abs() < 1e-5,
                    "{name}"
                );
                let size = ledger.tokens.abs().max(ledger.target.abs()).max(1.0);
                let unaccounted = ledger.unaccounted.abs() / size;
                assert!(unaccounted < 1e-5, "{name}, {preset}: {unaccounted:.1e}");
            }
        }
    }
}

/// In a Swin and a SigLIP, no token stands for the class, and of a Swin's tokens only the mean is read; and a text has no patches.
#[test]
fn a_vector_that_a_model_cannot_make_is_refused() {
    for (name, pooling, problem) in [
        ("swin", VectorPooling::First, "a class token"),
        ("siglip", VectorPooling::First, "a class token"),
        ("swin", VectorPooling::Last, "other than that of the mean"),
    ] {
        let (model, _) = load(name);
        let error =
            Similar::new(&model, &Plan::default(), Measure::Cosine, Some(pooling)).unwrap_err();
        assert!(matches!(error, ExplainError::Pooling(_)), "{error}");
        assert!(error.to_string().contains(problem), "{name}: {error}");
    }
    let bert = Model::load(&folder("heads/bert-vectors"), &Device::flex()).unwrap();
    let patches = Some(VectorPooling::Patches);
    let error =
        Similar::new(&Arc::new(bert), &Plan::default(), Measure::Cosine, patches).unwrap_err();
    assert!(matches!(error, ExplainError::Pooling(_)), "{error}");
    let vit = Model::load(&folder("vit"), &Device::flex()).unwrap();
    let error = Similar::new(&Arc::new(vit), &Plan::default(), Measure::Cosine, None).unwrap_err();
    assert!(matches!(error, ExplainError::NoVector), "{error}");
}

/// A model that is saved is read again as the same, and its file has every tensor of transformers' but the pooler of ViT.
#[test]
fn a_model_that_is_saved_makes_the_same_vectors() {
    for name in NAMES {
        let (model, expected) = load(name);
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("written/picture-vectors");
        let folder = folder.join(name);
        model.save(&folder).unwrap();
        let again = Arc::new(Model::load(&folder, &Device::flex()).unwrap());
        assert_eq!(again.family, model.family);
        assert_eq!(again.transformer.config(), model.transformer.config());
        let pictures = read(&model, &expected);
        let [found, kept] = [&again, &model].map(|model| {
            let pictures: Vec<&TokenizedText> = pictures.iter().collect();
            relprop_explain::batching::logits(&model.transformer, &pictures).unwrap()
        });
        assert_eq!(found, kept, "{name}");
    }
    // This one's tensors have the names that relprop writes.
    let name = "picture-vectors/clip-projected";
    saves_what_transformers_saved(name, env!("CARGO_TARGET_TMPDIR"));
}
