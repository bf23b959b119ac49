//! Forward decomposition against relevance that flows backward, on what transformers saved.

use std::fs;
use std::sync::Arc;

use burn::tensor::{DType, Device};
use relprop_checkpoints::Model;
use relprop_explain::methods::{
    Biases, Decomposition, DecompositionParameters, Method, Propagation, Question,
};
use relprop_explain::{Measure, Plan, Score, Similar, Target};
use relprop_rules::{Registry, RuleSet};
use relprop_testing::{difference, fixtures};
use relprop_transformer::Outputs;

/// Every folder of the fixtures with a model that reads texts.
pub(super) fn models() -> Vec<(String, Arc<Model>)> {
    let mut found = Vec::new();
    for group in ["", "heads", "more"] {
        for entry in fs::read_dir(fixtures::folder(group)).unwrap() {
            let name = format!("{group}/{}", entry.unwrap().file_name().to_str().unwrap());
            let folder = fixtures::folder(name.trim_start_matches('/'));
            if folder.join("config.json").exists() && folder.join("tokenizer.json").exists() {
                let mut model = Model::load(&folder, &Device::flex()).unwrap();
                model.transformer = model.transformer.cast(DType::F64);
                found.push((name, Arc::new(model)));
            }
        }
    }
    assert!(found.len() > 60, "{}", found.len());
    found
}

fn wide(numbers: &[f32]) -> Vec<f64> {
    numbers.iter().copied().map(f64::from).collect()
}

#[test]
fn it_is_libra_in_every_family_and_with_every_head() {
    for (name, model) in models() {
        let text = model.tokenize("the film is on the keys", None, Default::default());
        let text = text.unwrap();
        let forward = Decomposition::new(&model, DecompositionParameters::default()).unwrap();
        let rules = RuleSet::preset("libra").unwrap();
        let backward = Propagation::new(&model, &rules, &Registry::default()).unwrap();
        let target = match model.transformer.config().head.outputs() {
            Outputs::Vector => Target::Label(1),
            _ => Target::Predicted,
        };
        let question = Question {
            model: &model,
            target,
            score: Score::Logit,
            weights: None,
        };
        let [found, expected] = [
            forward.find(&[&text], &question).unwrap().remove(0),
            backward.find(&[&text], &question).unwrap().remove(0),
        ];
        let error = difference(&wide(&found.relevance), &wide(&expected.relevance));
        assert!(error < 1e-5, "{name}: {error:.1e}");
    }
}

/// Of two texts, what each token holds of the vector, times what each token of the other text holds of the other
/// vector: the relevance of pairs, found forward.
#[test]
fn pairs_of_tokens_are_products_of_their_shares() {
    let mut vectors = 0;
    for (name, model) in models() {
        if model.transformer.config().head.outputs() != Outputs::Vector {
            continue;
        }
        vectors += 1;
        let plan = Plan {
            rules: Some(RuleSet::preset("libra").unwrap()),
            ..Plan::default()
        };
        let similar = Similar::new(&model, &plan, Measure::Dot, None).unwrap();
        let texts = ["the film is on the keys", "a door of the house"];
        let [first, second] =
            texts.map(|text| model.tokenize(text, None, Default::default()).unwrap());
        let found = similar.explain([&first, &second]).unwrap();

        let mut plain = Model::clone(&model);
        plain.transformer = plain.transformer.with_vectors(None, false).unwrap();
        let plain = Arc::new(plain);
        let decomposition = Decomposition::new(&plain, DecompositionParameters::default()).unwrap();
        let [u, v] = [&first, &second].map(|text| decomposition.shares(text).unwrap().of_token);
        let pairs = u.iter().flat_map(|u| {
            v.iter().map(move |v| {
                let products = u.iter().zip(v).map(|(u, v)| f64::from(*u) * f64::from(*v));
                products.sum::<f64>()
            })
        });
        let pairs: Vec<f64> = pairs.collect();
        let error = difference(&wide(&found.interaction.concat()), &pairs);
        assert!(error < 1e-5, "{name}: {error:.1e}");

        // Where biases are spread, the tokens of both texts hold all of the product.
        let biases = Biases::Spread;
        let spread = Decomposition::new(&plain, DecompositionParameters { biases }).unwrap();
        let [u, v] = [&first, &second].map(|text| spread.shares(text).unwrap().of_token);
        let sum = |shares: &[Vec<f32>], m: usize| -> f64 {
            shares.iter().map(|of| f64::from(of[m])).sum()
        };
        let product: f64 = (0..u[0].len()).map(|m| sum(&u, m) * sum(&v, m)).sum();
        let error = (product - found.account.product).abs();
        let scale = u[0].len() as f64;
        assert!(error < 1e-5 * scale, "{name}: {error:.1e}");
    }
    assert!(vectors > 5);
}
