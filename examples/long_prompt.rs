//! What it costs to explain a long prompt: a language model of the shape of Qwen2-0.5B with random
//! weights, made on the fly, and the time and memory that one explanation takes.
//!
//! ```text
//! cargo run --release --example long_prompt -- 256             as `relprop explain` does it
//! cargo run --release --example long_prompt -- 256 recompute   as it does with --recompute
//! cargo run --release --example long_prompt -- 256 recompute libra   under this preset
//! cargo run --release --example long_prompt -- 4096 small recompute  with a model of 151 million parameters
//! ```
//!
//! The peak memory of a program never falls, so give one preset to know what it takes by itself.
//! benches/pytorch/long_prompt.py does the same in PyTorch.

use std::time::Instant;

use burn::module::Module;
use burn::tensor::{Device, Tensor};
use relprop_rules::{Pass, Registry, RuleSet};
use relprop_transformer::{
    Batch, Biases, Content, FeedForwardConfig, PaddingSide, Part, Token, TokenizedText,
    Transformer, TransformerConfig,
};

fn main() -> anyhow::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let tokens: usize = match arguments.next() {
        Some(number) => number.parse()?,
        None => 256,
    };
    let mut presets: Vec<String> = arguments.collect();
    let mut says = |word: &str| {
        let said = presets.first().is_some_and(|first| first == word);
        if said {
            presets.remove(0);
        }
        said
    };
    let (small, recompute) = (says("small"), says("recompute"));
    if presets.is_empty() {
        presets = ["ah-ln", "attn-lrp"].map(String::from).to_vec();
    }
    let vocabulary = if small { 49_152 } else { 151_936 };
    let llama = TransformerConfig::llama(vocabulary);
    let [width, blocks, heads, feed_forward] = match small {
        true => [768, 12, 12, 3072],
        false => [896, 24, 14, 4864],
    };
    let mut config = TransformerConfig {
        positions: 32_768,
        width,
        blocks,
        heads,
        biases: Biases {
            attention: true,
            ..Biases::NONE
        },
        feed_forward: llama.feed_forward.map(|part| FeedForwardConfig {
            width: feed_forward,
            ..part
        }),
        ..llama
    };
    config.attention.key_heads = Some(if small { 12 } else { 2 });

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
        content: Content::Text { second: None },
        tokens: (0..tokens)
            .map(|place| token((place * 97 % vocabulary) as u32))
            .collect(),
        types: vec![0; tokens],
        dropped: 0,
        asked: Vec::new(),
        source: 0,
    };
    let batch = Batch::new([&text], 0, PaddingSide::Right, &device);
    let sites = transformer.sites();
    for preset in &presets {
        let rules = RuleSet::preset(preset)?.bind(&sites, &Registry::default())?;
        let (begun, worked) = (Instant::now(), cpu_seconds());
        let relevance: Tensor<3> = if recompute {
            transformer.relevance_by_blocks(&batch, &rules, Part::default(), |found| {
                found.numbers.narrow(1, 7, 1).sum()
            })
        } else {
            let mut pass = Pass::new(&rules).with_probe("blocks");
            let logits = transformer.forward(&batch, &mut pass);
            let target = logits.narrow(1, 7, 1).sum();
            pass.backward(target).take("blocks")?
        };
        let sum: f32 = relevance.sum().into_scalar();
        println!(
            "{preset}, {tokens} tokens: {:.0?}, {:.1} s of CPU time, peak memory {}, relevance {sum:.3}",
            begun.elapsed(),
            cpu_seconds() - worked,
            peak()
        );
    }
    Ok(())
}

/// How long this program has computed so far, on all cores together, where the system says it: it
/// depends less than the time on what else the machine does.
fn cpu_seconds() -> f64 {
    let text = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    // After the name in brackets, the 12th field is the time in hundredths of a second.
    let fields = text.rsplit_once(')').map_or("", |(_, fields)| fields);
    let ticks = fields.split_whitespace().nth(11);
    ticks
        .and_then(|ticks| ticks.parse::<f64>().ok())
        .unwrap_or(f64::NAN)
        / 100.0
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
