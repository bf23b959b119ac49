//! Models that compute in f16 or bf16: how far their relevance is from that of f32, and that it is
//! always a number.

use burn::tensor::DType;
use relprop_checkpoints::Model;
use relprop_explain::methods;
use relprop_rules::{RuleSet, operations::Activation};
use relprop_testing::{
    ARCHITECTURES, Architecture, Asked, difference, explainer, model, random, relevance, texts,
};
use relprop_transformer::TransformerConfig;
use rstest::rstest;

fn cast(model: &Model, dtype: DType) -> Model {
    Model {
        transformer: model.transformer.clone().cast(dtype),
        ..model.clone()
    }
}

/// The relevance of the second label, whatever is predicted.
fn tokens(model: &Model, preset: &str, text: &str) -> Vec<f64> {
    let target = relprop_explain::Target::Label(1);
    let explainer = explainer(model, preset).target(target).unwrap();
    relevance(&explainer.explain(text).unwrap())
}

/// How far each preset may be from f32 in f16 and in bf16, of the largest relevance: at most twice what was
/// measured, with only the weights rounded, as on the CPU. Digits are 2^-11 and 2^-8. The last three weigh
/// contributions to every linear map by their sign: their laws jump where an output is zero, and rounding may carry
/// one across, so that bf16 tells little about them.
const LIMITS: [(&str, f64, f64); 12] = [
    ("gradient-x-input", 0.0112, 0.044),
    ("ah", 0.024, 0.045),
    ("ln", 0.0156, 0.116),
    ("ah-ln", 0.004, 0.1),
    ("ah-ln-gamma", 0.008, 0.1),
    ("attn-lrp", 0.0022, 0.03),
    ("libra", 0.0022, 0.052),
    ("libra-gamma", 0.0028, 0.065),
    ("epsilon", 0.0022, 0.052),
    ("gamma", 0.11, 1.2),
    ("alpha-beta", 0.14, 1.2),
    ("z-plus", 0.112, 1.2),
];

/// The same of methods in f16.
const METHOD_LIMITS: [(&str, f64); 14] = [
    ("random", 0.0),
    ("saliency", 1e-3),
    ("smooth-grad", 2.2e-4),
    ("integrated-gradients", 1.3e-3),
    ("full-grad", 1.4e-3),
    ("decomposition", 1.2e-3),
    ("occlusion", 5e-3),
    ("shapley", 2.8e-3),
    ("attention-last", 1.4e-3),
    ("attention-rollout", 2.2e-4),
    ("attention-flow", 6.2e-5),
    ("grad-rollout", 5.8e-5),
    ("gae", 2.8e-3),
    ("chefer", 0.034),
];

/// The model of an architecture, with GELU: the slope of a ReLU jumps as well.
fn smooth(architecture: Architecture) -> Model {
    let mut config = architecture.config();
    if let Some(part) = &mut config.feed_forward {
        part.activation = Activation::Gelu;
    }
    model(&config)
}

#[rstest]
fn relevance_in_fewer_digits_is_that_of_f32_up_to_them(
    #[values(DType::F16, DType::BF16)] dtype: DType,
) {
    assert!(RuleSet::presets().eq(LIMITS.iter().map(|(preset, ..)| *preset)));
    for architecture in ARCHITECTURES {
        let whole = smooth(architecture);
        let narrow = cast(&whole, dtype);
        for (preset, f16, bf16) in LIMITS {
            let errors = texts().map(|text| {
                let found = tokens(&narrow, preset, &text);
                difference(&found, &tokens(&whole, preset, &text))
            });
            let worst = errors.into_iter().fold(0.0, f64::max);
            println!("{architecture:?} {preset} {dtype:?}: {worst:.1e}");
            let limit = if dtype == DType::F16 { f16 } else { bf16 };
            assert!(worst < limit, "{architecture:?} {preset}: {worst:.1e}");
        }
    }
}

#[test]
fn the_explanation_says_in_which_type_it_was_computed() {
    let whole = model(&Architecture::PostNorm.config());
    let explain = |model: &Model| explainer(model, "ah-ln").explain("a warm film").unwrap();
    assert_eq!(explain(&whole).device, "flex");
    assert_eq!(explain(&cast(&whole, DType::F16)).device, "flex (f16)");
}

#[test]
fn the_account_closes_in_fewer_digits() {
    for architecture in ARCHITECTURES {
        let whole = model(&architecture.config());
        for dtype in [DType::F16, DType::BF16] {
            let narrow = cast(&whole, dtype);
            let explainer = explainer(&narrow, "libra").with_ledger();
            let explanation = explainer.explain("a warm , funny film").unwrap();
            let ledger = explanation.ledger().unwrap();
            let open = ledger.unaccounted.abs() / ledger.target.abs();
            println!("{architecture:?} {dtype:?}: {open:.1e}");
            // Between cuts everything is f32 but the products, whose rounding stays in the linear maps.
            assert!(open < 1e-6, "{architecture:?} {dtype:?}: {open:.1e}");
        }
    }
}

#[test]
fn every_method_works_in_fewer_digits() {
    let whole = model(&Architecture::PostNorm.config());
    let narrow = cast(&whole, DType::F16);
    let text = explainer(&whole, "ah-ln").tokenize(&texts()[1]).unwrap();
    assert!(methods::names().eq(METHOD_LIMITS.iter().map(|(name, _)| *name)));
    for (name, limit) in METHOD_LIMITS {
        let [found, expected] = [&narrow, &whole].map(|model| {
            let method = relprop_testing::method(name, model, 7).unwrap();
            let found = method.relevance(&[&text], 1).unwrap();
            found[0].iter().copied().map(f64::from).collect::<Vec<_>>()
        });
        let error = difference(&found, &expected);
        println!("{name}: {error:.1e}");
        assert!(error <= limit, "{name}: {error:.1e}");
    }
}

/// Hidden states of several hundred, whose squares f16 does not have, and the longest of texts.
#[test]
fn f16_gives_numbers_for_512_tokens() {
    let text = vec!["film"; 700].join(" ");
    for architecture in ARCHITECTURES {
        let config = TransformerConfig {
            positions: 512,
            ..architecture.config()
        };
        let large = random(&config, 300.0, 1);
        let narrow = cast(&large, DType::F16);
        for preset in RuleSet::presets() {
            let found = tokens(&narrow, preset, &text);
            assert_eq!(found.len(), 512);
            let finite = found.iter().all(|relevance| relevance.is_finite());
            assert!(finite, "{architecture:?} {preset}");
        }
    }
}
