//! Sites in a mixture of experts. An expert runs on the tokens that chose it, of all texts of a batch; what is
//! read at its sites is laid out as the texts are.

use std::sync::Arc;

use relprop_checkpoints::Model;
use relprop_explain::{Explainer, Plan};
use relprop_rules::RuleSet;
use relprop_testing::{difference, relevance};
use relprop_transformer::TokenizedText;
use rstest::rstest;
use serde::Deserialize;

use super::heads::load;

#[derive(Deserialize)]
struct Text {
    text: String,
}

fn explainer(model: &Arc<Model>, preset: &str, site: &str) -> Explainer {
    let plan = Plan {
        rules: Some(RuleSet::preset(preset).unwrap()),
        at: Some(site.to_owned()),
        ..Plan::default()
    };
    Explainer::new(model, &plan).unwrap()
}

fn open(family: &str) -> (Arc<Model>, Vec<TokenizedText>) {
    let (model, texts) = load::<Text>(&format!("more/{family}"));
    let explainer = explainer(&model, "gradient-x-input", "blocks");
    let texts = texts
        .iter()
        .map(|text| explainer.tokenize(&text.text).unwrap());
    let texts: Vec<_> = texts.collect();
    let mut lengths: Vec<_> = texts.iter().map(|text| text.tokens.len()).collect();
    lengths.dedup();
    assert!(lengths.len() > 1, "texts of one length");
    (model, texts)
}

/// The sites of the feed-forward parts, with those of the router, of each expert and of the shared one.
fn sites(model: &Model) -> Vec<String> {
    let sites = model.transformer.sites().into_iter().map(|site| site.name);
    let sites: Vec<_> = sites
        .filter(|site| site.contains(".feed-forward."))
        .collect();
    assert!(sites.iter().any(|site| site.ends_with(".experts.0.up")));
    sites
}

/// Relevance at every site of a text among others, longer and shorter, is that of the text alone.
#[rstest]
fn each_text_has_its_own_relevance(
    #[values("mixtral-next", "qwen2_moe-next", "qwen3_moe-next")] family: &str,
    #[values("attn-lrp", "libra")] preset: &str,
) {
    let (model, texts) = open(family);
    let mut compared = 0;
    for site in sites(&model) {
        let explainer = explainer(&model, preset, &site);
        let together = explainer.explain_batch(&texts).unwrap();
        for (text, together) in texts.iter().zip(together) {
            let alone = explainer.explain_batch(std::slice::from_ref(text));
            let alone = relevance(&alone.unwrap()[0]);
            assert_eq!(alone.len(), text.tokens.len());
            let together = relevance(&together);
            // Where an expert has no token of the text, or its weight is a constant.
            if alone.iter().all(|r| *r == 0.0) {
                assert_eq!(together, alone, "{family}, {preset}, {site}");
                continue;
            }
            let error = difference(&together, &alone);
            assert!(error < 1e-5, "{family}, {preset}, {site}: {error:.1e}");
            compared += 1;
        }
    }
    assert!(compared > 20, "{compared} of all texts at all sites");
}

/// y = w e, with one weight w for all features: under the plain gradient, the relevance of the weight is the
/// sum of that of y over the features, and both are 0 for each expert that a token has not chosen.
#[rstest]
fn a_token_has_relevance_at_the_experts_that_it_chose(
    #[values("mixtral-next", "qwen3_moe-next")] family: &str,
) {
    let (model, texts) = open(family);
    let config = model.transformer.config();
    let experts = config.experts.unwrap();
    let explainer = explainer(&model, "gradient-x-input", "blocks");
    let text = &texts[0];
    let mut unchosen = 0;
    // After the first block, every token still counts.
    let part = "encoder.0.feed-forward";
    let weights = format!("{part}.router-weights");
    let weights = explainer.read_tokenized(&weights, text).unwrap().relevance;
    let weights: Vec<_> = weights.chunks(experts.count).collect();
    for expert in 0..experts.count {
        let site = format!("{part}.experts.{expert}.weighted");
        let found = explainer.read_tokenized(&site, text).unwrap();
        assert_eq!(found.shape, [1, text.tokens.len(), config.width], "{site}");
        let found: Vec<_> = found.sum(2).relevance.into_iter().map(f64::from).collect();
        let expected: Vec<_> = weights.iter().map(|row| f64::from(row[expert])).collect();
        assert!(difference(&found, &expected) < 1e-4, "{site}");
        for (found, expected) in found.iter().zip(&expected) {
            assert_eq!(*found == 0.0, *expected == 0.0, "{site}");
            unchosen += usize::from(*found == 0.0);
        }
    }
    assert_eq!(
        unchosen,
        text.tokens.len() * (experts.count - experts.chosen)
    );
}
