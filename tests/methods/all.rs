//! What must hold for every method.

use relprop_explain::ExplainError;
use relprop_explain::methods;
use relprop_rules::RuleSet;

use crate::support::{alone, encode};
use relprop_testing::{Architecture, difference, model, texts};

fn names() -> Vec<String> {
    let variants = [
        "integrated-gradients:steps=7:baseline=zero",
        "integrated-gradients:baseline=mean",
        "full-grad:rules=libra",
        "chefer:start=0",
    ];
    let names = methods::names().chain(RuleSet::presets()).chain(variants);
    names.map(String::from).collect()
}

#[test]
fn a_text_gets_the_same_alone_in_a_batch_and_again() {
    for architecture in [Architecture::PostNorm, Architecture::PreNorm] {
        let model = model(&architecture.config());
        let mut texts: Vec<_> = texts().iter().map(|text| encode(&model, text)).collect();
        texts.truncate(3);
        // The longest in the middle, so that the order is not that of the lengths.
        texts.swap(1, 2);
        for name in names() {
            let method = relprop_testing::method(&name, &model, 7).unwrap();
            assert_eq!(method.name(), name);
            let all: Vec<_> = texts.iter().collect();
            let together = method.relevance(&all, 2).unwrap();
            assert_eq!(together, method.relevance(&all, 2).unwrap(), "{name}");
            for (text, together) in texts.iter().zip(together) {
                let together: Vec<f64> = together.into_iter().map(f64::from).collect();
                let error = difference(&together, &alone(&model, &name, text, 2));
                println!("{architecture:?}, {name}: {error:.1e}");
                assert!(error < 1e-3, "{architecture:?}, {name}: {error:.1e}");
            }
        }
    }
}

#[test]
fn no_text_gets_no_relevance() {
    let model = model(&Architecture::PostNorm.config());
    for name in names() {
        let method = relprop_testing::method(&name, &model, 0).unwrap();
        assert_eq!(method.relevance(&[], 0).unwrap(), Vec::<Vec<f32>>::new());
    }
}

#[test]
fn methods_that_ask_for_a_label_refuse_one_that_is_not_there() {
    let model = model(&Architecture::PostNorm.config());
    let text = encode(&model, "warm");
    let blind = [
        "random",
        "attention-last",
        "attention-rollout",
        "attention-flow",
    ];
    for name in names() {
        let found = relprop_testing::method(&name, &model, 0)
            .unwrap()
            .relevance(&[&text], 3);
        if blind.contains(&name.as_str()) {
            assert!(found.is_ok());
        } else {
            assert!(matches!(found, Err(ExplainError::Target(_))), "{name}");
        }
    }
}

#[test]
fn seeds_decide_what_is_random_and_can_be_given() {
    let model = model(&Architecture::PostNorm.config());
    let text = encode(&model, "a warm , funny film that never gets dull");
    let run = |name: &str, seed| {
        let method = relprop_testing::method(name, &model, seed).unwrap();
        method.relevance(&[&text], 0).unwrap()
    };
    for (name, seeded) in [
        ("random", "random:seed=5"),
        ("smooth-grad:samples=2", "smooth-grad:samples=2:seed=5"),
        (
            "shapley:exact=1:samples=2",
            "shapley:exact=1:samples=2:seed=5",
        ),
    ] {
        assert_ne!(run(name, 4), run(name, 5), "{name}");
        assert_eq!(run(seeded, 4), run(name, 5), "{name}");
    }
}

#[test]
fn what_is_wrong_with_a_name_is_said() {
    let model = model(&Architecture::PostNorm.config());
    let message = |name: &str| match relprop_testing::method(name, &model, 0) {
        Ok(_) => panic!("{name} is no method"),
        Err(error) => error.to_string(),
    };
    let unknown = message("atention-flow");
    assert!(unknown.contains("`atention-flow`") && unknown.contains("attention-flow, "));
    assert!(unknown.contains("ah-ln"), "{unknown}");
    for (name, parts) in [
        ("integrated-gradients:stepz=3", ["`stepz`", "`steps`"]),
        ("integrated-gradients:steps=0", ["`steps` is 0", "1000"]),
        ("integrated-gradients:baseline=none", ["`none`", "`zero`"]),
        ("integrated-gradients:50", ["`50`", "name=value"]),
        ("smooth-grad:noise=-1", ["`noise` is -1", "not below 0"]),
        ("smooth-grad:samples=0", ["`samples` is 0", "at least 1"]),
        ("shapley:exact=20", ["`exact` is 20", "16"]),
        ("saliency:steps=3", ["saliency", "`steps`"]),
        ("chefer:start=2", ["`start` is 2", "the last block is 1"]),
    ] {
        let message = message(name);
        assert!(parts.iter().all(|part| message.contains(part)), "{message}");
    }
}
