//! Blocks in parts against blocks as a whole, in float64, in every family and with every head.

use burn::tensor::{DType, Tensor};
use relprop_rules::{Pass, Registry, RuleSet};
use relprop_transformer::{Batch, PaddingSide, Part};

use super::decomposition::models;

const TEXTS: [&str; 2] = ["the film is warm and funny but the end is dull", "never"];

/// One query and one token at a time, some at a time, and all.
const PARTS: [usize; 3] = [1, 150, usize::MAX];

#[test]
fn a_block_in_parts_has_the_relevance_of_the_whole() {
    for (name, model) in models() {
        let transformer = &model.transformer;
        let texts = TEXTS.map(|text| model.tokenize(text, None, Default::default()).unwrap());
        let padding = transformer.config().padding_token;
        let sites = transformer.sites();
        for (preset, side) in [
            ("gradient-x-input", PaddingSide::Right),
            ("ah-ln", PaddingSide::Left),
            ("attn-lrp", PaddingSide::Right),
            ("alpha-beta", PaddingSide::Right),
        ] {
            let batch = Batch::new(texts.iter(), padding, side, &transformer.device());
            let rules = RuleSet::preset(preset).unwrap();
            let rules = rules.bind(&sites, &Registry::default()).unwrap();
            // Those of a token of both texts, where each token has outputs: what padding has is not defined.
            let target = |numbers: Tensor<2>| {
                let (all, each) = (numbers.dims()[1], transformer.config().logits());
                let from = match side {
                    PaddingSide::Left => all - each,
                    PaddingSide::Right => 0,
                };
                numbers.narrow(1, from, 2).sum()
            };
            let mut pass = Pass::new(&rules).with_probe("blocks");
            let logits = transformer.forward(&batch, &mut pass);
            let whole: Tensor<3> = pass.backward(target(logits)).take("blocks").unwrap();
            assert_eq!(whole.dtype(), DType::F64);
            let largest: f64 = whole.clone().abs().max().into_scalar();
            for part in PARTS {
                let found = transformer
                    .relevance_by_blocks(&batch, &rules, Part(part), |found| target(found.numbers));
                let error: f64 = (found - whole.clone()).abs().max().into_scalar();
                assert!(
                    error <= 1e-10 * largest,
                    "{name}, {preset}, {part}: {error:.1e} of {largest:.1e}"
                );
            }
        }
    }
}
