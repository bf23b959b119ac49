//! Exact accounting for the model that Ali et al. 2022 released: what the tokens get, what every
//! bias absorbs and what the tanh keeps is the logit, to the last digit.
//!
//! The terms come from a twin of the model in plain loops over f64, written from the formulas of
//! the paper: forward, then backward with attention weights and norm scales held constant. It
//! shares nothing with the crates but the parameters.

use std::collections::BTreeMap;

use burn::tensor::Device;
use relprop_explain::Target;
use relprop_rules::operations::{Activation, NormScale};
use relprop_testing::{
    Architecture, Asked, difference, explainer, filled, logits, model, parameters, relevance, texts,
};
use relprop_transformer::{FeedForwardConfig, NormConfig, TransformerConfig};
use rstest::rstest;

type Rows = Vec<Vec<f64>>;

/// The logit of one label, and where it went.
struct Account {
    logit: f64,
    tokens: Vec<f64>,
    absorbed: f64,
}

struct Twin<'a> {
    parameters: &'a BTreeMap<String, Vec<f64>>,
    config: &'a TransformerConfig,
}

/// What the backward pass of a block needs: its weights `[head][query][key]` and norm scales.
struct Block {
    weights: Vec<Rows>,
    scales: Vec<f64>,
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

fn centred(x: &[f64]) -> Vec<f64> {
    let mean = x.iter().sum::<f64>() / x.len() as f64;
    x.iter().map(|x| x - mean).collect()
}

impl Twin<'_> {
    fn parameter(&self, name: &str) -> &[f64] {
        &self.parameters[name]
    }

    /// x W + b, with W `[input, output]`.
    fn linear(&self, module: &str, x: &[f64]) -> Vec<f64> {
        let weight = self.parameter(&format!("{module}.weight"));
        let bias = self.parameter(&format!("{module}.bias"));
        let output = bias.len();
        let column = |j: usize| {
            x.iter()
                .enumerate()
                .map(move |(i, x)| x * weight[i * output + j])
        };
        (0..output)
            .map(|j| bias[j] + column(j).sum::<f64>())
            .collect()
    }

    /// The gradient at a linear map's input, and what its bias absorbs.
    fn linear_back(&self, module: &str, gradient: &[f64]) -> (Vec<f64>, f64) {
        let weight = self.parameter(&format!("{module}.weight"));
        let bias = self.parameter(&format!("{module}.bias"));
        let rows = weight.chunks(gradient.len()).map(|row| dot(row, gradient));
        (rows.collect(), dot(bias, gradient))
    }

    /// The input of the first block.
    fn embed(&self, ids: &[u32]) -> Rows {
        let width = self.config.width;
        let row = |table: &str, index: usize| {
            &self.parameter(&format!("embeddings.{table}.weight"))[index * width..][..width]
        };
        let gamma = self.parameter("embeddings.norm.gamma");
        let beta = self.parameter("embeddings.norm.beta");
        let embed = |(position, id): (usize, &u32)| -> Vec<f64> {
            let (word, place) = (row("word", *id as usize), row("position", position));
            let types = row("token_type", 0);
            let sum: Vec<f64> = (0..width).map(|i| word[i] + place[i] + types[i]).collect();
            let sum = centred(&sum);
            let size = (dot(&sum, &sum) / width as f64 + 1e-12).sqrt();
            (0..width)
                .map(|i| sum[i] / size * gamma[i] + beta[i])
                .collect()
        };
        ids.iter().enumerate().map(embed).collect()
    }

    fn block(&self, index: usize, x: &Rows) -> (Rows, Block) {
        let name = |part: &str| format!("encoder.{index}.attention.{part}");
        let map = |part: &str| -> Rows { x.iter().map(|x| self.linear(&name(part), x)).collect() };
        let [query, key, value] = ["query", "key", "value"].map(map);
        let head_width = self.config.width / self.config.heads;
        let mut mixed = vec![vec![0.0; self.config.width]; x.len()];
        let mut weights = Vec::new();
        for head in 0..self.config.heads {
            let features = head * head_width..(head + 1) * head_width;
            let mut of_head = Rows::new();
            for (j, query) in query.iter().enumerate() {
                // The paper's model does not scale its scores.
                let scores = key
                    .iter()
                    .map(|k| dot(&query[features.clone()], &k[features.clone()]));
                let exponentials: Vec<f64> = scores.map(f64::exp).collect();
                let sum: f64 = exponentials.iter().sum();
                let p: Vec<f64> = exponentials.iter().map(|e| e / sum).collect();
                for feature in features.clone() {
                    mixed[j][feature] = (0..x.len()).map(|i| p[i] * value[i][feature]).sum();
                }
                of_head.push(p);
            }
            weights.push(of_head);
        }
        let mut scales = Vec::new();
        let mut y = Rows::new();
        for (x, mixed) in x.iter().zip(&mixed) {
            let branch = self.linear(&name("output"), mixed);
            let sum: Vec<f64> = x.iter().zip(branch).map(|(x, branch)| x + branch).collect();
            let sum = centred(&sum);
            let scale = 1.0 / ((dot(&sum, &sum) / (sum.len() - 1) as f64).sqrt() + 1e-12);
            y.push(sum.iter().map(|s| s * scale).collect());
            scales.push(scale);
        }
        (y, Block { weights, scales })
    }

    /// The gradient at a block's input, and what its biases absorb.
    fn block_back(&self, index: usize, block: &Block, gradient: &Rows) -> (Rows, f64) {
        let name = |part: &str| format!("encoder.{index}.attention.{part}");
        let head_width = self.config.width / self.config.heads;
        let mut absorbed = 0.0;
        let mut at_sum = Rows::new();
        let mut at_mixed = Rows::new();
        for (gradient, scale) in gradient.iter().zip(&block.scales) {
            // The centring matrix is symmetric.
            let sum: Vec<f64> = centred(gradient).iter().map(|g| g * scale).collect();
            let (mixed, bias) = self.linear_back(&name("output"), &sum);
            absorbed += bias;
            at_sum.push(sum);
            at_mixed.push(mixed);
        }
        let mut at_input = at_sum;
        for (i, input) in at_input.iter_mut().enumerate() {
            let value: Vec<f64> = (0..self.config.width)
                .map(|feature| {
                    let weights = &block.weights[feature / head_width];
                    (0..at_mixed.len())
                        .map(|j| weights[j][i] * at_mixed[j][feature])
                        .sum()
                })
                .collect();
            let (through_value, bias) = self.linear_back(&name("value"), &value);
            absorbed += bias;
            input
                .iter_mut()
                .zip(through_value)
                .for_each(|(g, v)| *g += v);
        }
        (at_input, absorbed)
    }

    fn explain(&self, ids: &[u32], label: usize) -> Account {
        let embedded = self.embed(ids);
        let mut x = embedded.clone();
        let mut blocks = Vec::new();
        for index in 0..self.config.blocks {
            let (y, block) = self.block(index, &x);
            blocks.push(block);
            x = y;
        }
        let z = self.linear("pooler.linear", &x[0]);
        let tanh: Vec<f64> = z.iter().map(|z| z.tanh()).collect();
        let logit = self.linear("classifier", &tanh)[label];

        let one_hot: Vec<f64> = (0..self.config.labels.len())
            .map(|l| f64::from(u8::from(l == label)))
            .collect();
        let (at_tanh, mut absorbed) = self.linear_back("classifier", &one_hot);
        let slopes: Vec<f64> = tanh.iter().map(|t| 1.0 - t * t).collect();
        let at_z: Vec<f64> = at_tanh
            .iter()
            .zip(&slopes)
            .map(|(g, slope)| g * slope)
            .collect();
        absorbed += dot(&at_tanh, &tanh) - dot(&at_z, &z);
        let (at_first, bias) = self.linear_back("pooler.linear", &at_z);
        absorbed += bias;

        let mut gradient = vec![vec![0.0; self.config.width]; ids.len()];
        gradient[0] = at_first;
        for (index, block) in blocks.iter().enumerate().rev() {
            let (before, biases) = self.block_back(index, block, &gradient);
            absorbed += biases;
            gradient = before;
        }
        let tokens = embedded
            .iter()
            .zip(&gradient)
            .map(|(x, g)| dot(x, g))
            .collect();
        Account {
            logit,
            tokens,
            absorbed,
        }
    }
}

#[test]
fn tokens_biases_and_tanh_add_up_to_the_logit() {
    let model = model(&Architecture::AttentionOnly.config());
    let parameters = parameters(&model.transformer);
    let twin = Twin {
        parameters: &parameters,
        config: model.transformer.config(),
    };
    let [mut of_logit, mut of_tokens, mut of_account] = [0.0_f64; 3];
    for text in texts() {
        for label in 0..3 {
            let explainer = explainer(&model, "ah-ln")
                .target(Target::Label(label))
                .unwrap();
            let found = explainer.explain(&text).unwrap();
            let ids: Vec<u32> = found.tokens.iter().map(|token| token.id).collect();
            let account = twin.explain(&ids, label);
            let size = account
                .tokens
                .iter()
                .fold(account.logit.abs(), |s, r| s.max(r.abs()));

            // The identity itself, in f64.
            let tokens: f64 = account.tokens.iter().sum();
            assert!((tokens + account.absorbed - account.logit).abs() < 1e-10 * size);
            // It is not empty: biases and tanh do absorb.
            assert!(account.absorbed.abs() > 1e-3 * size);

            let logit = f64::from(found.target.value);
            of_logit = of_logit.max((logit - account.logit).abs() / size);
            of_tokens = of_tokens.max(difference(&relevance(&found), &account.tokens));
            let found: f64 = relevance(&found).iter().sum();
            of_account = of_account.max((found + account.absorbed - logit).abs() / size);
        }
    }
    println!("logit {of_logit:.1e}, tokens {of_tokens:.1e}, account {of_account:.1e}");
    assert!(of_logit < 1e-5 && of_tokens < 1e-5 && of_account < 1e-5);
}

/// The twin is of the method of the paper and of no other.
#[rstest]
fn the_tokens_of_another_preset_are_not_those_of_the_paper(
    #[values("gradient-x-input", "ah", "ln")] preset: &str,
) {
    let model = model(&Architecture::AttentionOnly.config());
    let parameters = parameters(&model.transformer);
    let twin = Twin {
        parameters: &parameters,
        config: model.transformer.config(),
    };
    let found = explainer(&model, preset)
        .target(Target::Label(0))
        .unwrap()
        .explain(&texts()[2])
        .unwrap();
    let ids: Vec<u32> = found.tokens.iter().map(|token| token.id).collect();
    let error = difference(&relevance(&found), &twin.explain(&ids, 0).tokens);
    assert!(error > 0.01, "{error:.1e}");
}

/// No bias, no shift, no tanh: nothing absorbs. ReLU and linear maps conserve by themselves, norms
/// and heads by their rules.
fn nothing_absorbs() -> TransformerConfig {
    let norm = NormConfig {
        scale: NormScale::InsideRoot(1e-12),
        affine: false,
        plus_one: false,
        unshifted: false,
    };
    TransformerConfig {
        norm,
        embedding_norm: Some(norm),
        feed_forward: Some(FeedForwardConfig {
            width: 48,
            activation: Activation::Relu,
            gated: false,
            clip: None,
        }),
        pooler: Some(Activation::Relu),
        ..Architecture::PostNorm.config()
    }
}

#[rstest]
#[case::at_the_blocks("blocks")]
#[case::after_a_block("encoder.0.feed-forward.norm")]
fn where_nothing_absorbs_relevance_is_the_logit_under_ah_ln_only(#[case] site: &str) {
    let mut draw = relprop_testing::Draw::new(5);
    let model = filled(&nothing_absorbs(), &Device::flex(), |name, shape| {
        let size = if name.ends_with("bias") {
            0.0
        } else {
            (3.0 / shape[0] as f32).sqrt()
        };
        // Embeddings meet a norm first, so their size does not matter.
        (0..shape.iter().product())
            .map(|_| size * draw.number())
            .collect()
    });
    let mut worst = 0.0_f64;
    for text in texts() {
        let gap = |preset: &str| {
            let explainer = explainer(&model, preset).at(site).unwrap();
            let found = explainer.explain(&text).unwrap();
            let largest = logits(&found).iter().fold(0.0_f64, |l, x| l.max(x.abs()));
            f64::from(found.total() - found.target.value).abs() / largest
        };
        worst = worst.max(gap("ah-ln"));
        for preset in ["gradient-x-input", "ah", "ln"] {
            assert!(gap(preset) > 1e-2, "{preset}: {:.1e}", gap(preset));
        }
    }
    println!("{site}: {worst:.1e}");
    assert!(worst < 1e-4, "{worst:.1e}");
}
