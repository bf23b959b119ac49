//! What it costs to explain a long prompt: a language model of the shape of Qwen2-0.5B with random
//! weights, made on the fly, and the time and memory that one explanation takes.
//!
//! ```text
//! cargo run --release --example long_prompt -- 256             as `relprop explain` does it
//! cargo run --release --example long_prompt -- 256 recompute   as it does with --recompute
//! ```

use std::time::Instant;

use burn::module::Module;
use burn::tensor::{Device, Tensor};
use relprop_rules::{Pass, Registry, RuleSet};
use relprop_transformer::{
    Batch, Biases, FeedForwardConfig, PaddingSide, Token, TokenizedText, Transformer,
    TransformerConfig,
};

fn main() -> anyhow::Result<()> {
    let recompute = std::env::args()
        .nth(2)
        .is_some_and(|mode| mode == "recompute");
    let tokens: usize = match std::env::args().nth(1) {
        Some(number) => number.parse()?,
        None => 256,
    };
    let llama = TransformerConfig::llama(151_936);
    let mut config = TransformerConfig {
        positions: 32_768,
        width: 896,
        blocks: 24,
        heads: 14,
        biases: Biases {
            attention: true,
            ..Biases::NONE
        },
        feed_forward: llama.feed_forward.map(|part| FeedForwardConfig {
            width: 4864,
            ..part
        }),
        ..llama
    };
    config.attention.key_heads = Some(2);

    let device = Device::flex();
    let begun = Instant::now();
    let transformer = Transformer::new(&config, &device)?.valid();
    println!(
        "{} parameters, drawn in {:.0?}",
        transformer.num_params(),
        begun.elapsed()
    );
    println!("memory with the weights: {}", peak());

    let token = |id: u32| Token {
        text: String::new(),
        id,
        start: 0,
        end: 0,
        word: None,
        special: false,
    };
    let text = TokenizedText {
        text: String::new(),
        second: None,
        tokens: (0..tokens)
            .map(|place| token(place as u32 * 97 % 151_936))
            .collect(),
        types: vec![0; tokens],
        dropped: 0,
        position: None,
        picture: None,
    };
    let batch = Batch::new([&text], 0, PaddingSide::Right, &device);
    let sites = transformer.sites();
    for preset in ["ah-ln", "attn-lrp"] {
        let rules = RuleSet::preset(preset)?.bind(&sites, &Registry::default())?;
        let begun = Instant::now();
        let relevance: Tensor<3> = if recompute {
            let one = |logits: Tensor<2>| {
                let one = Tensor::ones([1, 1], &device);
                logits.zeros_like().slice_assign([0..1, 7..8], one)
            };
            transformer.relevance_by_blocks(&batch, &rules, one).1
        } else {
            let mut pass = Pass::new(&rules).with_probe("blocks");
            let logits = transformer.forward(&batch, &mut pass);
            let target = logits.narrow(1, 7, 1).sum();
            pass.backward(target).take("blocks")?
        };
        let sum: f32 = relevance.sum().into_scalar();
        println!(
            "{preset}, {tokens} tokens: {:.0?}, peak memory {}, relevance {sum:.3}",
            begun.elapsed(),
            peak()
        );
    }
    Ok(())
}

/// The most memory that this program has held so far, where the system says it.
fn peak() -> String {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kilobytes = line.and_then(|line| line.split_whitespace().next()?.parse::<f64>().ok());
    kilobytes.map_or("unknown".to_owned(), |kb| {
        format!("{:.2} GiB", kb / 1024.0 / 1024.0)
    })
}
