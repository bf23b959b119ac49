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

/// Presets and methods that weigh contributions to every linear map by their sign. Their laws jump where
/// an output, or all of one sign, is zero, and rounding may carry one across.
const BY_SIGN: [&str; 4] = ["gamma", "alpha-beta", "z-plus", "chefer"];

/// The model of an architecture, with GELU: the slope of a ReLU jumps as well.
fn smooth(architecture: Architecture) -> Model {
    let mut config = architecture.config();
    if let Some(part) = &mut config.feed_forward {
        part.activation = Activation::Gelu;
    }
    model(&config)
}

/// Their digits are 2^-11 and 2^-8, and rounding adds up over layers, to 25 units and less here; how much
/// depends on the order in which a processor adds. Of the presets that jump, it is only asked that they
/// give numbers.
#[rstest]
#[case(DType::F16, 2.0_f64.powi(-11))]
#[case(DType::BF16, 2.0_f64.powi(-8))]
fn relevance_in_fewer_digits_is_that_of_f32_up_to_them(#[case] dtype: DType, #[case] unit: f64) {
    let limit = 40.0 * unit;
    for architecture in ARCHITECTURES {
        let whole = smooth(architecture);
        let narrow = cast(&whole, dtype);
        for preset in RuleSet::presets() {
            let errors = texts().map(|text| {
                let found = tokens(&narrow, preset, &text);
                difference(&found, &tokens(&whole, preset, &text))
            });
            let worst = errors.into_iter().fold(0.0, f64::max);
            println!("{architecture:?} {preset} {dtype:?}: {worst:.1e}");
            let holds = worst < limit || BY_SIGN.contains(&preset);
            assert!(holds, "{architecture:?} {preset}: {worst:.1e}");
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
            assert!(open < 1e-3, "{architecture:?} {dtype:?}: {open:.1e}");
        }
    }
}

#[test]
fn every_method_works_in_fewer_digits() {
    let whole = model(&Architecture::PostNorm.config());
    let narrow = cast(&whole, DType::F16);
    let text = explainer(&whole, "ah-ln").tokenize(&texts()[1]).unwrap();
    for name in methods::names() {
        let [found, expected] = [&narrow, &whole].map(|model| {
            let method = relprop_testing::method(name, model, 7).unwrap();
            let found = method.relevance(&[&text], 1).unwrap();
            found[0].iter().copied().map(f64::from).collect::<Vec<_>>()
        });
        let error = difference(&found, &expected);
        println!("{name}: {error:.1e}");
        let holds = error < 0.01 || BY_SIGN.contains(&name);
        assert!(holds, "{name}: {error:.1e}");
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
