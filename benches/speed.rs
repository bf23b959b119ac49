//! What an explanation costs next to the forward pass, over the shapes and lengths of real models.
//!
//! ```sh
//! cargo bench --bench speed                                  # all of it; a table
//! cargo bench --bench speed -- minilm 128 8 ah-ln            # one case
//! cargo bench --bench speed -- minilm 128 8 ah-ln --serve    # a run for each line of standard input
//! cargo bench --bench speed --features gpu,autotune          # on a card
//! ```
//!
//! Weights are fresh and texts have exactly the length that is said, so nothing is padded. Each case
//! runs in a process of its own: its peak memory is that of the case. Beside each time stands its
//! ratio to the forward pass, and how much of the machine's matrix products it reaches, if it does no
//! more arithmetic than a forward pass and what its backward pass cannot do without.
//! `benches/pytorch/speed.py` runs the cases side by side with PyTorch.

mod common;

use std::fmt;
use std::io::BufRead;
use std::process::Command;
use std::sync::Arc;
use std::time::Instant;

use burn::tensor::{Device, Distribution, Tensor};
use relprop_checkpoints::Model;
use relprop_explain::{Explainer, Plan};
use relprop_rules::{Pass, RuleSet};
use relprop_transformer::{Batch, InputConfig, PaddingSide, TransformerConfig};

/// How often each case is timed; the median counts.
const RUNS: usize = 7;
/// The vocabulary of BERT.
const VOCABULARY: usize = 30522;

/// The sizes of a model.
struct Shape {
    name: &'static str,
    blocks: usize,
    width: usize,
    heads: usize,
}

const SHAPES: [Shape; 3] = [
    Shape {
        name: "tiny",
        blocks: 2,
        width: 128,
        heads: 2,
    },
    Shape {
        name: "minilm",
        blocks: 6,
        width: 384,
        heads: 12,
    },
    Shape {
        name: "bert-base",
        blocks: 12,
        width: 768,
        heads: 12,
    },
];
const LENGTHS: [usize; 3] = [16, 128, 512];
const BATCHES: [usize; 3] = [1, 8, 32];
const WORK: [&str; 7] = [
    "forward",
    "gradient-x-input",
    "ah-ln",
    "libra",
    "attn-lrp",
    "ah-ln+ledger",
    "libra+ledger",
];
/// Cases of more tokens are left out: the largest takes half a minute for a run.
const MOST_TOKENS: usize = 4096;

impl Shape {
    /// The operations of one forward pass in matrix products, two for each multiplication, of one
    /// text.
    fn flops(&self, tokens: usize) -> f64 {
        let (width, tokens) = (self.width as f64, tokens as f64);
        // Query, key, value and output; up and down, four times as wide; scores and mix.
        let token = 4.0 * width * width + 8.0 * width * width + 2.0 * tokens * width;
        2.0 * self.blocks as f64 * tokens * token
    }

    /// A model that reads texts of `tokens` tokens and no more.
    fn model(&self, tokens: usize) -> Model {
        let Self {
            blocks,
            width,
            heads,
            ..
        } = *self;
        common::model(&device(), |start| TransformerConfig {
            input: InputConfig::Tokens {
                vocabulary: VOCABULARY,
            },
            positions: tokens,
            ..common::sized(start, blocks, width, heads)
        })
    }
}

/// What is timed.
struct Case {
    shape: &'static Shape,
    tokens: usize,
    batch: usize,
    work: String,
}

impl Case {
    fn parse(arguments: &[String]) -> Option<Self> {
        let [shape, tokens, batch, work] = arguments else {
            return None;
        };
        Some(Self {
            shape: SHAPES.iter().find(|known| known.name == shape)?,
            tokens: tokens.parse().ok()?,
            batch: batch.parse().ok()?,
            work: work.clone(),
        })
    }

    /// Builds the model and gives what runs once.
    fn prepare(&self) -> impl FnMut() + use<> {
        let model = Arc::new(self.shape.model(self.tokens));
        let (preset, ledger) = match self.work.split_once('+') {
            Some((preset, _)) => (preset, true),
            None => (self.work.as_str(), false),
        };
        let forward = preset == "forward";
        let preset = if forward { "ah-ln" } else { preset };
        let rules = RuleSet::preset(preset).expect("it is a preset");
        let plan = Plan {
            rules: Some(rules),
            ledger,
            ..Plan::default()
        };
        let explainer = Explainer::new(&model, &plan).expect("it fits the model");
        let long = "the plot is not dull ".repeat(self.tokens);
        let text = explainer.tokenize(&long).expect("it is not empty");
        let texts = vec![text; self.batch];
        move || {
            if forward {
                let transformer = &model.transformer;
                let batch = Batch::new(&texts, 0, PaddingSide::Right, &transformer.device());
                let logits = transformer.forward(&batch, &mut Pass::plain());
                std::hint::black_box(logits.into_data());
            } else {
                let explained = explainer.explain_batch(&texts);
                std::hint::black_box(explained.expect("it explains"));
            }
        }
    }
}

impl fmt::Display for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            shape,
            tokens,
            batch,
            work,
        } = self;
        write!(f, "{} {tokens} {batch} {work}", shape.name)
    }
}

/// The card where relprop is built for one, else the CPU.
fn device() -> Device {
    #[cfg(feature = "cuda")]
    return Device::cuda(burn::tensor::DeviceIndex::Default);
    #[cfg(all(feature = "gpu", not(feature = "cuda")))]
    return Device::wgpu(burn::tensor::DeviceKind::DefaultDevice);
    #[cfg(not(any(feature = "gpu", feature = "cuda")))]
    Device::flex()
}

/// Seconds of one run.
fn time(run: &mut impl FnMut()) -> f64 {
    let start = Instant::now();
    run();
    start.elapsed().as_secs_f64()
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// The most memory that this process had, in MiB; 0 where the system does not say.
fn peak_memory() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kibibytes = line.and_then(|line| line.split_whitespace().next()?.parse::<f64>().ok());
    kibibytes.unwrap_or_default() / 1024.0
}

/// The rate of square matrix products of this size at their best, in operations a second.
fn peak_rate() -> f64 {
    const SIZE: usize = 1536;
    let device = device();
    let draw = || Tensor::<2>::random([SIZE, SIZE], Distribution::Default, &device);
    let (a, b) = (draw(), draw());
    let mut run = || {
        std::hint::black_box(a.clone().matmul(b.clone()).into_data());
    };
    let best = (0..10).map(|_| time(&mut run)).fold(f64::MAX, f64::min);
    2.0 * (SIZE as f64).powi(3) / best
}

/// Runs the case in a process of its own: its seconds and its MiB.
fn measured(case: &Case) -> (f64, f64) {
    let program = std::env::current_exe().expect("the program has a path");
    let output = Command::new(program)
        .args(case.to_string().split(' '))
        .output()
        .expect("the program runs again");
    let printed = String::from_utf8_lossy(&output.stdout);
    let mut numbers = printed.split_whitespace().map(str::parse::<f64>);
    match (numbers.next(), numbers.next()) {
        (Some(Ok(seconds)), Some(Ok(memory))) => (seconds, memory),
        _ => panic!("{case}: {}", String::from_utf8_lossy(&output.stderr)),
    }
}

fn main() {
    relprop_engine::prepare_process();
    let arguments = std::env::args()
        .skip(1)
        .filter(|argument| argument != "--bench");
    let (options, words): (Vec<_>, Vec<_>) =
        arguments.partition(|argument| argument.starts_with("--"));
    if words.is_empty() {
        return table();
    }
    let Some(case) = Case::parse(&words) else {
        eprintln!("usage: [SHAPE TOKENS BATCH WORK [--serve]]");
        std::process::exit(2);
    };
    let mut run = case.prepare();
    run();
    if options.iter().any(|option| option == "--serve") {
        for _line in std::io::stdin().lock().lines() {
            println!("{} {}", time(&mut run), peak_memory());
        }
    } else {
        let seconds = median((0..RUNS).map(|_| time(&mut run)).collect());
        println!("{seconds} {}", peak_memory());
    }
}

/// All cases, a line each.
fn table() {
    let peak = peak_rate();
    println!(
        "matrix products of this machine: {:.0} GFLOP/s\n",
        peak / 1e9
    );
    println!("| shape | tokens | texts | work | ms | of a forward | GFLOP/s | of the peak | MiB |");
    println!("| --- | --- | --- | --- | --- | --- | --- | --- | --- |");
    for shape in &SHAPES {
        for tokens in LENGTHS {
            for batch in BATCHES
                .into_iter()
                .filter(|batch| batch * tokens <= MOST_TOKENS)
            {
                let mut forward = f64::NAN;
                for work in WORK {
                    let case = Case {
                        shape,
                        tokens,
                        batch,
                        work: work.to_owned(),
                    };
                    let (seconds, memory) = measured(&case);
                    let passes = if work == "forward" {
                        forward = seconds;
                        1.0
                    } else {
                        2.0
                    };
                    let rate = passes * batch as f64 * shape.flops(tokens) / seconds;
                    println!(
                        "| {} | {tokens} | {batch} | {work} | {:.1} | {:.2} | {:.0} | {:.0} % | {memory:.0} |",
                        shape.name,
                        seconds * 1e3,
                        seconds / forward,
                        rate / 1e9,
                        100.0 * rate / peak,
                    );
                }
            }
        }
    }
}
