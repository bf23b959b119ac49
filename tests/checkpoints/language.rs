//! Language models of Hugging Face against PyTorch, on the fixtures that `fixtures/language.py` made:
//! small random models that transformers saved, with logits and relevance in float64.
//!
//! The odd cases are among the texts: one token, bytes that are no whole characters, the longest text
//! that the model reads, one that is cut, an earlier token than the last.

mod settings;
mod targets;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use burn::tensor::{Device, Tensor};
use relprop_checkpoints::Model;
use relprop_explain::{ExplainError, Explainer, Explanation, Target};
use relprop_rules::operations::{AttentionMix, Linear};
use relprop_rules::{Operation, Pass, Registry, Rule, RuleSet};
use relprop_testing::fixtures::{self, folder, saves_what_transformers_saved};
use relprop_testing::{Asked, difference, explainer, numbers, relevance};
use relprop_transformer::{Batch, Head, PaddingSide, TokenizedText, TransformerConfig};
use rstest::rstest;
use serde::Deserialize;

#[derive(Deserialize)]
pub struct Reference {
    texts: Vec<Text>,
}

#[derive(Deserialize)]
struct Text {
    text: String,
    position: Option<usize>,
    ids: Vec<u32>,
    logits: Vec<f64>,
    target: usize,
    /// By preset, then by site.
    relevance: BTreeMap<String, BTreeMap<String, Vec<f64>>>,
}

pub fn load(family: &str) -> (Model, Reference) {
    fixtures::load(family)
}

impl Text {
    fn tokenize(&self, model: &Model) -> TokenizedText {
        let text = model.tokenize(&self.text, None, Default::default());
        TokenizedText {
            asked: self.position.into_iter().collect(),
            ..text.unwrap()
        }
    }

    /// The relevance at `site`. Where positions are rotary, both sites hold the same.
    fn expected(&self, preset: &str, site: &str) -> &[f64] {
        let sites = &self.relevance[preset];
        sites.get(site).unwrap_or(&sites["embeddings.word"])
    }

    fn read(&self) -> usize {
        self.position.unwrap_or(self.ids.len() - 1)
    }

    fn explain(&self, explainer: &Explainer, model: &Model) -> Explanation {
        let target = Target::Label(self.target);
        let explainer = explainer.clone().target(target).unwrap();
        let batch = [self.tokenize(model)];
        explainer.explain_batch(&batch).unwrap().remove(0)
    }
}

const FAMILIES: [&str; 7] = [
    "gpt2", "llama", "llama-3", "mistral", "qwen2", "qwen3", "gemma",
];

const PRESETS: [&str; 4] = ["gradient-x-input", "ah-ln", "attn-lrp", "libra"];

const SITES: [&str; 2] = ["blocks", "embeddings.word"];

#[rstest]
fn tokens_are_those_of_transformers(
    #[values("gpt2", "llama", "llama-3", "mistral", "qwen2", "qwen3", "gemma")] family: &str,
) {
    let (model, reference) = load(family);
    for text in &reference.texts {
        let found = text.tokenize(&model);
        let ids: Vec<_> = found.tokens.iter().map(|token| token.id).collect();
        assert_eq!(ids, text.ids, "{}", text.text);
    }
    assert!(reference.texts.iter().any(|text| text.ids.len() == 24));
    assert!(reference.texts.iter().any(|text| text.read() == 0));
}

/// The readable forms of a text's tokens are the text, but for a space that the tokenizer puts first.
#[rstest]
fn tokens_are_readable(
    #[values("gpt2", "llama", "llama-3", "mistral", "qwen2", "qwen3", "gemma")] family: &str,
) {
    let (model, _) = load(family);
    let text = "the film is not funny";
    let tokens = model.tokenize(text, None, Default::default()).unwrap();
    let tokens = tokens.tokens.iter().filter(|token| !token.special);
    let readable = tokens.map(|token| model.tokenizer().unwrap().readable(token.id).unwrap());
    let readable: String = readable.collect();
    assert_eq!(readable.trim_start(), text);

    let film = model.tokenizer().unwrap().find(" film")[0];
    assert_eq!(model.output(film as usize), " film");
    assert_eq!(
        model.tokenizer().unwrap().find("no such token"),
        [] as [u32; 0]
    );
}

/// Tokenizers that take a whole text for one word do not keep words from being told apart.
#[rstest]
fn words_end_at_spaces(#[values("gpt2", "llama", "gemma")] family: &str) {
    let (model, _) = load(family);
    let found = explainer(&model, "ah-ln")
        .explain("the film is dull")
        .unwrap();
    let words: Vec<_> = found.words.iter().map(|word| word.text.as_str()).collect();
    assert_eq!(words, ["the", "film", "is", "dull"]);
}

#[rstest]
fn logits_and_relevance_are_those_of_pytorch(
    #[values("gpt2", "llama", "llama-3", "mistral", "qwen2", "qwen3", "gemma")] family: &str,
) {
    let (model, reference) = load(family);
    let mut worst_logits = 0.0_f64;
    for text in &reference.texts {
        let batch = Batch::new(
            &[text.tokenize(&model)],
            0,
            PaddingSide::Right,
            &Device::flex(),
        );
        let found = model.transformer.forward(&batch, &mut Pass::plain());
        worst_logits = worst_logits.max(difference(&numbers(found), &text.logits));
        let found = model
            .transformer
            .forward_everywhere(&batch, &mut Pass::plain());
        let read = found.narrow(1, text.read(), 1);
        worst_logits = worst_logits.max(difference(&numbers(read), &text.logits));
    }
    println!("{family}: logits {worst_logits:.1e} apart");
    assert!(worst_logits < 1e-4, "{worst_logits:.1e}");
    for preset in PRESETS {
        for site in SITES {
            let explainer = explainer(&model, preset).at(site).unwrap();
            let mut worst = 0.0_f64;
            for text in &reference.texts {
                let found = relevance(&text.explain(&explainer, &model));
                worst = worst.max(difference(&found, text.expected(preset, site)));
            }
            println!("{family}, {preset} at {site}: {worst:.1e} of the largest relevance");
            assert!(worst < 1e-4, "{preset} at {site}: {worst:.1e}");
        }
    }
}

/// PyTorch explained each text alone.
#[rstest]
fn padding_on_either_side_changes_nothing(
    #[values("gpt2", "llama", "llama-3", "mistral", "qwen2", "qwen3", "gemma")] family: &str,
    #[values(PaddingSide::Right, PaddingSide::Left)] side: PaddingSide,
) {
    let (model, reference) = load(family);
    let texts = reference.texts.iter();
    let batch: Vec<_> = texts.clone().map(|text| text.tokenize(&model)).collect();
    for preset in PRESETS {
        // The predicted token is the target of the fixtures.
        let explainer = explainer(&model, preset).padding(side);
        let found = explainer.explain_batch(&batch).unwrap();
        for (found, text) in found.iter().zip(texts.clone()) {
            let worst = difference(&relevance(found), text.expected(preset, "blocks"));
            assert!(worst < 1e-4, "{preset}: {worst:.1e}");
        }
    }
}

/// What comes after the explained token is not looked at.
#[rstest]
fn tokens_after_the_explained_one_get_exactly_nothing(
    #[values("gpt2", "llama", "llama-3", "mistral", "qwen2", "qwen3", "gemma")] family: &str,
) {
    let (model, _) = load(family);
    let text = model.tokenize("the jokes are good but dull", None, Default::default());
    let text = text.unwrap();
    for preset in RuleSet::presets() {
        let explainer = explainer(&model, preset);
        for position in 0..text.tokens.len() {
            let texts = [TokenizedText {
                asked: vec![position],
                ..text.clone()
            }];
            let found = relevance(&explainer.explain_batch(&texts).unwrap()[0]);
            assert!(found[position + 1..].iter().all(|r| *r == 0.0), "{preset}");
            assert!(found[..=position].iter().any(|r| *r != 0.0), "{preset}");
        }
    }
}

/// The parts in which families differ are among the fixtures.
#[test]
fn the_fixtures_have_what_families_differ_in() {
    let with = |part: fn(&TransformerConfig) -> bool| -> Vec<&str> {
        let families = FAMILIES.into_iter();
        let has = families.filter(|family| part(load(family).0.transformer.config()));
        has.collect()
    };
    let grouped = with(|config| config.key_heads() < config.heads);
    assert_eq!(grouped, ["llama-3", "mistral", "qwen2", "qwen3", "gemma"]);
    let tied = with(|config| config.head == Head::NextToken { tied: true });
    assert_eq!(tied, ["gpt2", "llama-3", "qwen2", "gemma"]);
    let apart = with(|config| config.head_width() * config.heads != config.width);
    assert_eq!(apart, ["mistral", "qwen3", "gemma"]);
    let window = with(|config| config.attention.window.is_some_and(|window| window < 24));
    assert_eq!(window, ["mistral"]);
    assert_eq!(with(|config| config.attention.query_key_norm), ["qwen3"]);
    assert_eq!(with(|config| config.norm.plus_one), ["gemma"]);
    assert_eq!(with(|config| config.attention.rotary.is_none()), ["gpt2"]);
}

/// By causality, the first token alone is what it is at the start of a longer text.
#[rstest]
fn one_token_is_a_text(
    #[values("gpt2", "llama", "llama-3", "mistral", "qwen2", "qwen3", "gemma")] family: &str,
) {
    let (model, reference) = load(family);
    let text = reference
        .texts
        .iter()
        .find(|text| text.read() == 0)
        .unwrap();
    let mut first = text.tokenize(&model);
    first.tokens.truncate(1);
    first.types.truncate(1);
    first.asked.clear();
    let batch = std::slice::from_ref(&first);
    assert!(difference(&every_logit(&model, &first), &text.logits) < 1e-4);
    for preset in PRESETS {
        for site in SITES {
            let explainer = explainer(&model, preset).at(site).unwrap().with_ledger();
            let explainer = explainer.target(Target::Label(text.target)).unwrap();
            let found = explainer.explain_batch(batch).unwrap().remove(0);
            let expected = &text.expected(preset, site)[..1];
            assert!(difference(&relevance(&found), expected) < 1e-4, "{preset}");
            let ledger = found.ledger().unwrap();
            let size = ledger.target.abs().max(1.0);
            assert!(ledger.unaccounted.abs() < 1e-5 * size, "{preset}");
        }
    }
}

/// How many positions came by, and whether anything can flow back.
#[derive(Clone, Debug, Default)]
struct Seen(Arc<Mutex<Vec<(usize, bool)>>>);

impl Rule<Linear> for Seen {
    fn apply(&self, map: &Linear, x: Tensor<3>) -> Tensor<3> {
        self.0.lock().unwrap().push((x.dims()[1], x.is_tracked()));
        map.forward(x)
    }
}

impl Rule<AttentionMix> for Seen {
    fn apply(&self, mix: &AttentionMix, (weights, values): (Tensor<4>, Tensor<4>)) -> Tensor<4> {
        assert!(values.is_tracked());
        let seen = (weights.dims()[2], weights.is_tracked());
        self.0.lock().unwrap().push(seen);
        mix.forward((weights, values))
    }
}

/// After the last attention, only the token that is continued is computed; and where attention weights
/// are constants, nothing flows back to queries and keys.
#[rstest]
fn what_is_not_needed_is_not_computed(
    #[values("gpt2", "llama", "llama-3", "mistral", "qwen2", "qwen3", "gemma")] family: &str,
    #[values(None, Some(2))] position: Option<usize>,
) {
    let (model, _) = load(family);
    let text = model.tokenize("the jokes are good but dull", None, Default::default());
    let mut text = text.unwrap();
    text.asked = position.into_iter().collect();
    let tokens = text.tokens.len();
    let batch = Batch::new([&text], 0, PaddingSide::Right, &Device::flex());
    for preset in RuleSet::presets() {
        let rules = RuleSet::preset(preset).unwrap();
        let sites = model.transformer.sites();
        let mut rules = rules.bind(&sites, &Registry::default()).unwrap();
        let maps = Seen::default();
        for site in [
            "encoder.0.attention.output",
            "encoder.0.feed-forward.down",
            "encoder.1.attention.value",
            "encoder.1.attention.output",
            "encoder.1.feed-forward.up",
            "encoder.1.feed-forward.down",
            "classifier",
        ] {
            rules.set::<Linear>(site, "seen", maps.clone()).unwrap();
        }
        let mixes = Seen::default();
        for block in 0..2 {
            let site = format!("encoder.{block}.attention.mix");
            rules
                .set::<AttentionMix>(&site, "seen", mixes.clone())
                .unwrap();
        }
        let mut pass = Pass::new(&rules).with_probe("blocks");
        model.transformer.forward(&batch, &mut pass);

        let found: Vec<usize> = maps.0.lock().unwrap().iter().map(|seen| seen.0).collect();
        assert_eq!(found, [tokens, tokens, tokens, 1, 1, 1, 1], "{preset}");
        let flows_back: Vec<bool> = mixes.0.lock().unwrap().iter().map(|seen| seen.1).collect();
        let keeps_weights = ["gradient-x-input", "ln", "attn-lrp"].contains(&preset);
        assert_eq!(flows_back, [keeps_weights; 2], "{preset}");
    }
}

/// Two blocks that look 5 tokens back, themselves included, reach 8 tokens back.
#[test]
fn a_sliding_window_reaches_no_further_than_it_is_wide() {
    let (model, reference) = load("mistral");
    assert_eq!(model.transformer.config().attention.window, Some(5));
    let text = reference
        .texts
        .iter()
        .find(|text| text.read() == 23)
        .unwrap();
    let found = relevance(&text.explain(&explainer(&model, "ah-ln"), &model));
    let reached = 23 - 2 * 4;
    assert!(found[..reached].iter().all(|r| *r == 0.0), "{found:?}");
    assert!(found[reached] != 0.0, "{found:?}");
}

#[rstest]
fn the_ledger_closes(
    #[values("gpt2", "llama", "llama-3", "mistral", "qwen2", "qwen3", "gemma")] family: &str,
) {
    let (model, reference) = load(family);
    let mut worst = 0.0_f64;
    for preset in PRESETS {
        for site in SITES {
            let explainer = explainer(&model, preset).at(site).unwrap().with_ledger();
            for text in &reference.texts {
                let found = text.explain(&explainer, &model);
                let ledger = found.ledger().unwrap();
                let expected: f64 = text.expected(preset, site).iter().sum();
                let size = ledger.target.abs().max(1.0);
                assert!(
                    (ledger.tokens - expected).abs() < 1e-4 * size,
                    "{preset} at {site}: {} and {expected}",
                    ledger.tokens
                );
                let unaccounted = ledger.unaccounted.abs() / size;
                assert!(unaccounted < 1e-5, "{preset} at {site}: {unaccounted:.1e}");
                worst = worst.max(unaccounted);
            }
        }
    }
    println!("{family}: {worst:.1e} of the target unaccounted");
}

/// Under `libra`, what tokens lack of a target is what biases, shifts and positions hold. A Llama has
/// none of these.
#[rstest]
fn libra_loses_nothing_where_there_are_no_biases(
    #[values("llama", "mistral", "qwen3", "gemma")] family: &str,
) {
    let (model, reference) = load(family);
    for text in &reference.texts {
        let found = text.explain(&explainer(&model, "libra"), &model);
        let lost = (found.total() - found.target.value).abs() / found.target.value.abs();
        assert!(lost < 1e-5, "{lost:.1e}");
    }
}

/// What transformers saved is saved again: the same tensors, bit by bit, under the same names, and a
/// configuration that says the same.
#[rstest]
fn what_is_saved_is_what_transformers_saved(
    #[values("gpt2", "llama", "llama-3", "mistral", "qwen2", "qwen3", "gemma")] family: &str,
) {
    saves_what_transformers_saved(family, env!("CARGO_TARGET_TMPDIR"));
}

/// All logits after the last token.
pub fn every_logit(model: &Model, text: &TokenizedText) -> Vec<f64> {
    let batch = Batch::new([text], 0, PaddingSide::Right, &Device::flex());
    numbers(model.transformer.forward(&batch, &mut Pass::plain()))
}

/// The row of the token that is continued is read, not that of the first one, which sees only itself.
#[rstest]
fn attention_is_read_at_the_token_that_is_continued(
    #[values("attention-last", "attention-rollout", "grad-rollout", "gae", "chefer")] method: &str,
    #[values("gpt2", "qwen3")] family: &str,
) {
    let (model, _) = load(family);
    let text = model.tokenize("the jokes are good but dull", None, Default::default());
    let mut text = text.unwrap();
    let position = 3;
    text.asked = vec![position];
    let method = relprop_testing::method(method, &model, 0).unwrap();
    let found = method.relevance(&[&text], 5).unwrap().remove(0);
    assert!(found[position + 1..].iter().all(|r| *r == 0.0), "{found:?}");
    assert!(found[..position].iter().any(|r| *r != 0.0), "{found:?}");
}

/// Every block run again on the way back gives what one run gives.
#[rstest]
fn recomputing_blocks_changes_nothing(
    #[values("gpt2", "llama-3", "mistral", "bert")] family: &str,
) {
    let model = Model::load(&folder(family), &Device::flex()).unwrap();
    for preset in RuleSet::presets() {
        let explainer = explainer(&model, preset);
        let texts = ["the film is warm", "never", "the jokes are good but dull"];
        let usual = relprop_testing::explain_together(&explainer, &texts);
        let again = relprop_testing::explain_together(&explainer.recompute(), &texts);
        for (usual, again) in usual.iter().zip(&again) {
            let worst = difference(&relevance(again), &relevance(usual));
            assert!(worst < 1e-4, "{preset}: {worst:.1e}");
            let values = [usual.target.value, again.target.value];
            assert!((values[0] - values[1]).abs() < 1e-4 * values[0].abs().max(1.0));
        }
    }
    let both = explainer(&model, "ah-ln").recompute();
    let both = both.asked(|plan| plan.ledger = true);
    assert!(matches!(both, Err(ExplainError::Recompute)));
}
