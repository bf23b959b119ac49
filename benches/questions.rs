//! What questions cost that are more than one explanation: an answer as a whole, and pairs of words.
//!
//! ```sh
//! cargo bench --bench questions
//! ```
//!
//! The answer has 64 tokens after a prompt of 64: one explanation of all, against one for each token, in a Llama of 4
//! blocks and width 256 with fresh weights. The two texts have 32 tokens each: second order by a backward pass for
//! each of 384 features, and by the forward decomposition of both texts, in a BERT of 6 blocks and width 384.

mod common;

use std::sync::{Arc, OnceLock};

use burn::tensor::Device;
use divan::{Bencher, black_box};
use relprop_checkpoints::Model;
use relprop_explain::methods::{Decomposition, DecompositionParameters};
use relprop_explain::{Explainer, Measure, Plan, Similar, Target};
use relprop_rules::RuleSet;
use relprop_transformer::{
    Content, FeedForwardConfig, Head, TokenizedText, TransformerConfig, VectorPooling,
};

const PROMPT: usize = 64;
const ANSWER: usize = 64;
const TOKENS: usize = 32;

fn main() {
    relprop_engine::prepare_process();
    divan::main();
}

/// A language model.
fn llama() -> &'static Arc<Model> {
    static MODEL: OnceLock<Arc<Model>> = OnceLock::new();
    MODEL.get_or_init(|| {
        Arc::new(common::model(&Device::flex(), |start| TransformerConfig {
            positions: PROMPT + ANSWER,
            width: 256,
            heads: 4,
            blocks: 4,
            feed_forward: Some(FeedForwardConfig {
                width: 768,
                ..TransformerConfig::llama(start.vocabulary())
                    .feed_forward
                    .expect("a Llama has one")
            }),
            ..TransformerConfig::llama(start.vocabulary())
        }))
    })
}

/// A model of sentences.
fn sentences() -> &'static Arc<Model> {
    static MODEL: OnceLock<Arc<Model>> = OnceLock::new();
    MODEL.get_or_init(|| {
        Arc::new(common::model(&Device::flex(), |start| TransformerConfig {
            positions: TOKENS,
            pooler: None,
            labels: Vec::new(),
            head: Head::Vector {
                pooling: VectorPooling::Mean,
                dense: None,
                second: None,
                normalized: false,
            },
            ..common::sized(start, 6, 384, 12)
        }))
    })
}

/// A text of so many tokens.
fn text(model: &Model, tokens: usize) -> TokenizedText {
    let long = "the plot is not dull ".repeat(tokens);
    let mut text = model
        .tokenize(&long, None, Default::default())
        .expect("it is not empty");
    text.tokens.truncate(tokens);
    text.types.truncate(tokens);
    text.content = Content::Text { second: None };
    text
}

fn explainer() -> Explainer {
    let plan = Plan {
        target: Target::Given.into(),
        ..Plan::default()
    };
    Explainer::new(llama(), &plan).expect("it fits the model")
}

fn answered() -> TokenizedText {
    TokenizedText {
        asked: (PROMPT - 1..PROMPT + ANSWER - 1).collect(),
        ..text(llama(), PROMPT + ANSWER)
    }
}

#[divan::bench(sample_count = 10)]
fn an_answer_as_a_whole(bencher: Bencher) {
    let (explainer, text) = (explainer(), [answered()]);
    bencher.bench_local(|| black_box(explainer.explain_batch(&text)));
}

#[divan::bench(sample_count = 3)]
fn an_answer_token_by_token(bencher: Bencher) {
    let (explainer, text) = (explainer(), answered());
    let each: Vec<TokenizedText> = (text.asked.iter())
        .map(|&asked| TokenizedText {
            asked: vec![asked],
            ..text.clone()
        })
        .collect();
    bencher.bench_local(|| black_box(explainer.explain_batch(&each)));
}

#[divan::bench(sample_count = 3)]
fn pairs_by_backward_passes(bencher: Bencher) {
    let rules = RuleSet::preset("libra").expect("it is a preset");
    let plan = Plan::default().by_rules(rules);
    let similar = Similar::new(sentences(), &plan, Measure::Dot, None).expect("it fits the model");
    let text = text(sentences(), TOKENS);
    bencher.bench_local(|| black_box(similar.explain([&text, &text])));
}

#[divan::bench(sample_count = 3)]
fn pairs_by_forward_decomposition(bencher: Bencher) {
    let parameters = DecompositionParameters::default();
    let decomposition = Decomposition::new(sentences(), parameters).expect("it fits the model");
    let text = text(sentences(), TOKENS);
    bencher.bench_local(|| {
        let [u, v] = [0, 1].map(|_| decomposition.shares(&text).expect("the CPU does not fail"));
        let pairs = u.of_token.iter().flat_map(|u| {
            let product = move |v: &Vec<f32>| u.iter().zip(v).map(|(u, v)| u * v).sum::<f32>();
            v.of_token.iter().map(product)
        });
        black_box(pairs.collect::<Vec<f32>>())
    });
}
