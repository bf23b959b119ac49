//! Every device gives the same explanations: what the CPU gives through flex is what the others are
//! held against, to 1e-4 of the largest.

mod rounding;

use std::fs;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

use burn::tensor::{Device, Tensor};
use relprop_checkpoints::Model;
use relprop_data::{corpus::Corpus, corpus::reviews};
use relprop_evaluate::{Candidate, Evaluation, Method, Sample, metrics};
use relprop_explain::{Explanation, Ledger};
use relprop_rules::{RuleError, RuleSet, Signal};
use relprop_testing::fixtures::folder;
use relprop_testing::program::{Ran, relprop};
use relprop_testing::{
    ARCHITECTURES, Architecture, Asked, difference, draw_config, explain_together, explainer,
    logits, model_on, propagation, relevance, texts,
};
use relprop_train::{Display, TrainConfig, train};
use relprop_transformer::TokenizedText;
use rstest::rstest;
use serde_json::Value;

const TOLERANCE: f64 = 1e-4;

/// The card, which the calling thread has for itself from now on until it ends. Every test is a
/// thread; when several queue operations on one card, Burn 0.22.1 now and then loses a tensor:
/// "Should have handle for tensor".
fn card() -> Device {
    static CARD: Mutex<()> = Mutex::new(());
    thread_local! {
        static MINE: MutexGuard<'static, ()> = CARD.lock().unwrap_or_else(PoisonError::into_inner);
    }
    MINE.with(|_| ());
    Device::wgpu(burn::tensor::DeviceKind::DefaultDevice)
}

/// The devices beside flex, by what explanations call them.
fn others() -> Vec<(&'static str, Device)> {
    vec![
        ("wgpu", card()),
        #[cfg(feature = "ndarray")]
        #[expect(deprecated, reason = "it is tested as long as it is offered")]
        ("ndarray", Device::ndarray()),
    ]
}

/// Compares what two devices make of the same texts.
fn same(there: &[Explanation], here: &[Explanation], what: &str) {
    let worst = worst(there, here);
    println!("{what}: {worst:.1e}");
    assert!(worst < TOLERANCE, "{what}: {worst:.1e}");
}

/// The largest difference between what two devices make of the same texts.
fn worst(there: &[Explanation], here: &[Explanation]) -> f64 {
    let mut worst = 0.0_f64;
    assert_eq!(there.len(), here.len());
    for (there, here) in there.iter().zip(here) {
        worst = worst.max(difference(&logits(there), &logits(here)));
        worst = worst.max(difference(&relevance(there), &relevance(here)));
        if let Some(here) = &here.ledger {
            worst = worst.max(ledgers(there.ledger.as_ref().unwrap(), here));
        }
    }
    worst
}

/// The largest difference between two accounts, in units of their largest number. An entry that one
/// of them left out is zero.
fn ledgers(there: &Ledger, here: &Ledger) -> f64 {
    let entry = |ledger: &Ledger, site: &str, kind: &str| {
        let mut entries = ledger.absorbed.iter();
        let found = entries.find(|entry| entry.site == site && entry.kind == kind);
        found.map_or(0.0, |entry| entry.relevance)
    };
    let places = || here.absorbed.iter().chain(&there.absorbed);
    let numbers = |ledger: &Ledger| {
        let layers = ledger.layers.iter().flat_map(|layer| {
            let tokens = layer.tokens.iter().chain(&layer.heads);
            tokens.map(|r| f64::from(*r)).chain([layer.absorbed])
        });
        let entries = places().map(|place| entry(ledger, &place.site, &place.kind));
        let totals = [ledger.target, ledger.tokens, ledger.unaccounted];
        totals.into_iter().chain(layers).chain(entries).collect()
    };
    let [there, here]: [Vec<f64>; 2] = [there, here].map(numbers);
    difference(&there, &here)
}

#[rstest]
fn every_preset_gives_the_same_relevance_and_the_same_account(
    #[values(
        Architecture::PostNorm,
        Architecture::PreNorm,
        Architecture::AttentionOnly
    )]
    architecture: Architecture,
    #[values("blocks", "embeddings.word")] site: &str,
) {
    let config = architecture.config();
    let here = model_on(&config, &Device::flex());
    let texts = texts();
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    for (name, device) in others() {
        let there = model_on(&config, &device);
        for preset in RuleSet::presets() {
            let explain = |model: &Model| {
                let explainer = explainer(model, preset).at(site).unwrap();
                explain_together(&explainer, &texts)
            };
            let (found, expected) = (explain(&there), explain(&here));
            assert_eq!(found[0].device, name);
            assert_eq!(expected[0].device, "flex");
            same(&found, &expected, &format!("{name}, {preset}"));

            let account = |model: &Model| {
                let explainer = explainer(model, preset).at(site).unwrap().with_ledger();
                explain_together(&explainer, &texts[1..3])
            };
            let what = format!("{name}, {preset}, account");
            same(&account(&there), &account(&here), &what);
        }
    }
}

#[rstest]
fn models_of_any_parts_give_the_same(#[values(0, 1, 2, 3)] part: u64) {
    for (name, device) in others() {
        for seed in (0..12).filter(|seed| seed % 4 == part) {
            let config = draw_config(seed);
            let [there, here] = [&device, &Device::flex()].map(|d| model_on(&config, d));
            let text = &texts()[seed as usize % 4];
            for preset in RuleSet::presets() {
                let explain = |model: &Model| [explainer(model, preset).explain(text).unwrap()];
                let what = format!("{name}, {preset}, {config:?}");
                let worst = worst(&explain(&there), &explain(&here));
                println!("{what}: {worst:.1e}");
                // Alpha and beta multiply what rounding does, in one of these models by hundreds.
                let bound = match worst < TOLERANCE {
                    true => TOLERANCE,
                    false => TOLERANCE.max(4.0 * rounding::moves(&here, preset, text)),
                };
                assert!(worst < bound, "{what}: {worst:.1e}, allowed {bound:.1e}");
            }
        }
    }
}

/// The small checkpoints that transformers wrote, with the texts or pictures that go with them.
#[rstest]
fn checkpoints_give_the_same(
    #[values(
        "bert",
        "roberta",
        "xlm-roberta",
        "distilbert",
        "electra",
        "gpt2",
        "llama",
        "llama-3",
        "mistral",
        "qwen2",
        "qwen3",
        "gemma",
        "vit",
        "deit",
        "deit-alone"
    )]
    family: &str,
) {
    let explain = |device: &Device, preset: &str| {
        let model = Model::load(&folder(family), device).unwrap();
        let inputs = inputs(&model, family);
        explainer(&model, preset).explain_batch(&inputs).unwrap()
    };
    for (name, device) in others() {
        for preset in RuleSet::presets() {
            let here = explain(&Device::flex(), preset);
            let what = format!("{name}, {family}, {preset}");
            same(&explain(&device, preset), &here, &what);
        }
    }
}

/// What the reference beside a checkpoint explains.
fn inputs(model: &Model, family: &str) -> Vec<TokenizedText> {
    let reference = fs::read_to_string(folder(family).join("reference.json")).unwrap();
    let reference: Value = serde_json::from_str(&reference).unwrap();
    let picture = |picture: &Value| {
        let file = picture["file"].as_str().unwrap();
        let bytes = fs::read(folder("pictures").join(file)).unwrap();
        model
            .picture(&relprop_data::decode(&bytes).unwrap(), file)
            .unwrap()
    };
    let text = |text: &Value| {
        let (first, second) = (text["text"].as_str().unwrap(), text["pair"].as_str());
        let position = text["position"].as_u64().map(|position| position as usize);
        TokenizedText {
            asked: position.into_iter().collect(),
            ..model.tokenize(first, second, Default::default()).unwrap()
        }
    };
    match &reference["pictures"] {
        Value::Array(pictures) => pictures.iter().map(picture).collect(),
        _ => reference["texts"]
            .as_array()
            .unwrap()
            .iter()
            .map(text)
            .collect(),
    }
}

#[test]
fn metrics_find_the_same() {
    let metrics: Vec<_> = metrics::all()
        .filter(|metric| metric.about().need.is_none())
        .collect();
    assert!(metrics.len() > 10);
    for architecture in ARCHITECTURES {
        let config = architecture.config();
        let readings = |device: &Device| {
            let model = model_on(&config, device);
            let explainer = explainer(&model, "ah-ln");
            let samples = texts().map(|text| Sample::new(explainer.tokenize(&text).unwrap(), 1));
            let evaluation = Evaluation {
                model: &model,
                metrics: &metrics,
                mask_token: model.tokenizer().unwrap().id("[UNK]").unwrap(),
                hops: 0,
                seed: 0,
            };
            let candidate =
                Candidate::from(Box::new(propagation(&model, "ah-ln")) as Box<dyn Method>);
            let found = evaluation.measure(&[candidate], &samples, |_| ()).unwrap();
            let readings = found.into_iter().flatten().flatten().flatten();
            let numbers = readings.flat_map(|reading| [vec![reading.value], reading.curve]);
            numbers.flatten().collect::<Vec<f64>>()
        };
        let here = readings(&Device::flex());
        for (name, device) in others() {
            let error = difference(&readings(&device), &here);
            println!("{name}, {architecture:?}: {error:.1e}");
            assert!(error < TOLERANCE, "{name}, {architecture:?}: {error:.1e}");
        }
    }
}

/// Settings for a training of 20 steps and a few. Burn draws dropout's masks on the device, and no two
/// devices draw alike, so there is none.
fn short() -> (Corpus, TrainConfig) {
    let config = TrainConfig {
        epochs: 1,
        width: 32,
        feed_forward: 64,
        dropout: 0.0,
        ..TrainConfig::small()
    };
    (reviews(450, 0), config)
}

/// The loss of every training step of the first epoch, as burn-train writes it down.
fn losses(folder: &Path) -> Vec<f64> {
    let log = folder.join("training/train/epoch-1/Loss.log");
    let text = fs::read_to_string(log).unwrap();
    let number = |line: &str| line.split(',').next().and_then(|n| n.parse().ok());
    text.lines().map(|line| number(line).unwrap()).collect()
}

/// The same seed gives the same model to begin with and the same order of texts, wherever it is
/// trained.
#[test]
fn training_follows_the_cpu() {
    let others = others(); // first: no other training draws numbers meanwhile
    let (corpus, config) = short();
    let out = tempfile::tempdir().unwrap();
    let train_on = |name: &str, device: &Device| {
        let folder = out.path().join(name);
        train(&corpus, &config, &folder, device, Display::Silent).unwrap();
        losses(&folder)
    };
    let here = train_on("flex", &Device::flex());
    assert!(here.len() > 20, "{} steps", here.len());
    assert!(here[20] < here[0], "nothing was learned");
    for (name, device) in others {
        let there = train_on(name, &device);
        let apart = there.iter().zip(&here).map(|(a, b)| (a - b).abs());
        let worst = apart.take(20).fold(0.0, f64::max);
        println!("{name}: losses of 20 steps within {worst:.1e}");
        assert!(worst < 1e-3, "{name}: {worst:.1e}");
    }
}

/// The model that `relprop demo` trains, on texts that it has never seen.
#[test]
fn the_demos_model_is_explained_alike() {
    let others = others(); // first: no other training draws numbers meanwhile
    let corpus = reviews(8000, 0);
    let out = tempfile::tempdir().unwrap();
    let folder = out.path().join("model");
    let config = TrainConfig::small();
    train(&corpus, &config, &folder, &Device::flex(), Display::Silent).unwrap();
    let here = Model::load(&folder, &Device::flex()).unwrap();
    let texts = corpus.test.iter().take(16).map(|e| e.text.as_str());
    let texts: Vec<&str> = texts.collect();
    for (name, device) in others {
        let there = Model::load(&folder, &device).unwrap();
        for preset in RuleSet::presets() {
            let explain = |model: &Model| explain_together(&explainer(model, preset), &texts);
            let what = format!("{name}, the demo's model, {preset}");
            same(&explain(&there), &explain(&here), &what);
        }
    }
}

#[test]
fn a_missing_driver_is_named_with_the_way_out() {
    let run = |arguments: &[&str]| {
        let mut command = relprop();
        // Vulkan's, and OpenGL's, which wgpu falls back to.
        let drivers = [
            "VK_DRIVER_FILES",
            "VK_ICD_FILENAMES",
            "__EGL_VENDOR_LIBRARY_FILENAMES",
        ];
        let drivers = drivers.map(|name| (name, "/nonexistent"));
        Ran::from(command.args(arguments).envs(drivers).output().unwrap())
    };
    let words = ["no device of the kind `gpu`", "driver", "--device cpu"];
    run(&["explain", "--model", "none", "--device", "gpu", "a text"]).failed(2, &words);
    let listed = run(&["devices"]).done().stdout;
    assert!(listed.contains("none found: is its driver"), "{listed}");
}

/// A table of 256 GiB; it fails where it is read, and the card goes on.
#[test]
fn too_little_memory_is_an_error_and_the_card_goes_on() {
    let device = card();
    let side = 1 << 18;
    let column = Tensor::<2>::ones([side, 1], &device);
    let table = column.clone().matmul(column.transpose());
    let error = table.sum().numbers().unwrap_err();
    assert!(matches!(error, RuleError::Device(_)), "{error}");
    let three = Tensor::<1>::ones([3], &device).sum().numbers().unwrap();
    assert_eq!(three, [3.0]);
}
