//! Chefer et al. CVPR 2021: relevance walked back through a BERT in plain loops, rule by rule.

use std::collections::BTreeMap;

use burn::tensor::DType;
use relprop_checkpoints::Model;
use relprop_rules::operations::Activation;
use relprop_transformer::{FeedForwardConfig, TransformerConfig};
use rstest::rstest;

use crate::support::{Matrix, alone, attention, encode};
use relprop_testing::{Architecture, difference, model, parameters, tokenizer};

struct Twin {
    parameters: BTreeMap<String, Vec<f64>>,
    config: TransformerConfig,
}

/// a / b; 0 where b is 0.
fn ratio(a: f64, b: f64) -> f64 {
    if b == 0.0 { 0.0 } else { a / b }
}

fn total(x: &Matrix) -> f64 {
    x.iter().flatten().sum()
}

fn plus(a: &Matrix, b: &Matrix) -> Matrix {
    let rows = a.iter().zip(b);
    rows.map(|(a, b)| a.iter().zip(b).map(|(a, b)| a + b).collect())
        .collect()
}

/// What a sum a + b hands to each of its terms.
fn of_terms(a: &Matrix, b: &Matrix, relevance: &Matrix) -> (Matrix, Matrix) {
    let share = |term: &Matrix| -> Matrix {
        let mut share = term.clone();
        for (t, row) in share.iter_mut().enumerate() {
            for (i, x) in row.iter_mut().enumerate() {
                *x *= ratio(relevance[t][i], a[t][i] + b[t][i]);
            }
        }
        share
    };
    let (mut of_a, mut of_b) = (share(a), share(b));
    let (sum_a, sum_b, sum) = (total(&of_a), total(&of_b), total(relevance));
    let sizes = sum_a.abs() + sum_b.abs();
    for (part, own) in [(&mut of_a, sum_a), (&mut of_b, sum_b)] {
        let wanted = ratio(own.abs(), sizes) * sum;
        part.iter_mut()
            .flatten()
            .for_each(|x| *x *= ratio(wanted, own));
    }
    (of_a, of_b)
}

impl Twin {
    fn map(&self, module: &str, x: &Matrix) -> Matrix {
        let weight = &self.parameters[&format!("{module}.weight")];
        let bias = &self.parameters[&format!("{module}.bias")];
        let of_row = |x: &Vec<f64>| {
            let mut y = bias.clone();
            for (i, x) in x.iter().enumerate() {
                for (j, y) in y.iter_mut().enumerate() {
                    *y += x * weight[i * bias.len() + j];
                }
            }
            y
        };
        x.iter().map(of_row).collect()
    }

    /// R(x_i) = sum_j (x_i W_ij)^+ / sum_i' (x_i' W_i'j)^+ R_j
    fn map_back(&self, module: &str, x: &Matrix, relevance: &Matrix) -> Matrix {
        let weight = &self.parameters[&format!("{module}.weight")];
        let of_row = |(x, relevance): (&Vec<f64>, &Vec<f64>)| {
            let outputs = relevance.len();
            let mut back = vec![0.0; x.len()];
            for j in 0..outputs {
                let part = |i: usize| (x[i] * weight[i * outputs + j]).max(0.0);
                let sum: f64 = (0..x.len()).map(part).sum();
                for (i, back) in back.iter_mut().enumerate() {
                    *back += ratio(part(i) * relevance[j], sum);
                }
            }
            back
        };
        x.iter().zip(relevance).map(of_row).collect()
    }

    fn norm(&self, module: &str, x: &Matrix) -> Matrix {
        let (gamma, beta) = (
            &self.parameters[&format!("{module}.gamma")],
            &self.parameters[&format!("{module}.beta")],
        );
        let of_row = |x: &Vec<f64>| {
            let n = x.len() as f64;
            let mean = x.iter().sum::<f64>() / n;
            let variance = x.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / n;
            let scale = 1.0 / (variance + 1e-12).sqrt();
            let y = x.iter().zip(gamma.iter().zip(beta));
            y.map(|(x, (g, b))| (x - mean) * scale * g + b).collect()
        };
        x.iter().map(of_row).collect()
    }

    fn embed(&self, ids: &[u32]) -> Matrix {
        let width = self.config.width;
        let row = |table: &str, index: usize| {
            &self.parameters[&format!("embeddings.{table}.weight")][index * width..][..width]
        };
        let embed = |(place, id): (usize, &u32)| {
            let (word, position) = (row("word", *id as usize), row("position", place));
            let types = row("token_type", 0);
            (0..width)
                .map(|i| word[i] + position[i] + types[i])
                .collect()
        };
        self.norm(
            "embeddings.norm",
            &ids.iter().enumerate().map(embed).collect(),
        )
    }

    /// R^A of every block: the mean over heads is left to the caller, `[block][head][query][key]`.
    fn relevance_of_weights(&self, ids: &[u32], label: usize) -> Vec<Vec<Matrix>> {
        let n = ids.len();
        let heads = self.config.heads;
        let head_width = self.config.width / heads;
        let mut x = self.embed(ids);
        let mut layers = Vec::new();
        for block in 0..self.config.blocks {
            let name = |part: &str| format!("encoder.{block}.{part}");
            let [q, k, v] = ["query", "key", "value"]
                .map(|part| self.map(&name(&format!("attention.{part}")), &x));
            let mut weights = vec![vec![vec![0.0; n]; n]; heads];
            let mut mixed = vec![vec![0.0; self.config.width]; n];
            for (head, weights) in weights.iter_mut().enumerate() {
                let features = head * head_width..(head + 1) * head_width;
                for j in 0..n {
                    let score = |i: usize| {
                        let dot: f64 = features.clone().map(|f| q[j][f] * k[i][f]).sum();
                        (dot / (head_width as f64).sqrt()).exp()
                    };
                    let sum: f64 = (0..n).map(score).sum();
                    for i in 0..n {
                        weights[j][i] = score(i) / sum;
                        for f in features.clone() {
                            mixed[j][f] += weights[j][i] * v[i][f];
                        }
                    }
                }
            }
            let branch = self.map(&name("attention.output"), &mixed);
            let middle = self.norm(&name("attention_norm"), &plus(&x, &branch));
            let mut active = self.map(&name("feed_forward.up"), &middle);
            active.iter_mut().flatten().for_each(|z| *z = z.max(0.0));
            let down = self.map(&name("feed_forward.down"), &active);
            let y = self.norm(&name("feed_forward_norm"), &plus(&middle, &down));
            layers.push((x, [q, k, v], weights, mixed, branch, middle, active, down));
            x = y;
        }
        let first = vec![x[0].clone()];
        let mut pooled = self.map("pooler.linear", &first);
        pooled.iter_mut().flatten().for_each(|z| *z = z.tanh());

        // 1 at the logit. Norms, activations and the softmax hand relevance through.
        let mut relevance = vec![vec![0.0; self.config.labels.len()]];
        relevance[0][label] = 1.0;
        let relevance = self.map_back("classifier", &pooled, &relevance);
        let relevance = self.map_back("pooler.linear", &first, &relevance);
        let mut at_output = vec![vec![0.0; self.config.width]; n];
        at_output[0] = relevance[0].clone();

        let mut found = Vec::new();
        for (block, layer) in layers.iter().enumerate().rev() {
            let (x, [q, k, v], weights, mixed, branch, middle, active, down) = layer;
            let name = |part: &str| format!("encoder.{block}.{part}");
            let (skip, of_down) = of_terms(middle, down, &at_output);
            let of_active = self.map_back(&name("feed_forward.down"), active, &of_down);
            let of_up = self.map_back(&name("feed_forward.up"), middle, &of_active);
            let (skip, of_branch) = of_terms(x, branch, &plus(&skip, &of_up));
            let of_mixed = self.map_back(&name("attention.output"), mixed, &of_branch);

            let width = self.config.width;
            let [mut of_q, mut of_k, mut of_v] = [(); 3].map(|()| vec![vec![0.0; width]; n]);
            let mut of_weights = vec![vec![vec![0.0; n]; n]; heads];
            for head in 0..heads {
                let features = head * head_width..(head + 1) * head_width;
                for j in 0..n {
                    for i in 0..n {
                        for f in features.clone() {
                            let part = weights[head][j][i] * v[i][f];
                            let share = 0.5 * ratio(part * of_mixed[j][f], mixed[j][f]);
                            of_weights[head][j][i] += share;
                            of_v[i][f] += share;
                        }
                        let dot: f64 = features.clone().map(|f| q[j][f] * k[i][f]).sum();
                        for f in features.clone() {
                            let part = q[j][f] * k[i][f];
                            let share = 0.5 * ratio(part * of_weights[head][j][i], dot);
                            of_q[j][f] += share;
                            of_k[i][f] += share;
                        }
                    }
                }
            }
            let of_query = self.map_back(&name("attention.query"), x, &of_q);
            let of_key = self.map_back(&name("attention.key"), x, &of_k);
            let of_value = self.map_back(&name("attention.value"), x, &of_v);
            at_output = plus(&plus(&skip, &of_query), &plus(&of_key, &of_value));
            found.insert(0, of_weights);
        }
        found
    }
}

fn bert_with_relu() -> TransformerConfig {
    TransformerConfig {
        feed_forward: Some(FeedForwardConfig {
            width: 48,
            activation: Activation::Relu,
            gated: false,
            clip: None,
        }),
        ..Architecture::PostNorm.config()
    }
}

#[rstest]
fn weights_are_picked_as_in_plain_loops(
    #[values(0, 1)] start: usize,
    #[values(0, 1, 2)] label: usize,
) {
    // In f64: shares of sums near zero are large, and the twin is in f64 as well.
    let model = model(&bert_with_relu());
    let transformer = model.transformer.clone().cast(DType::F64);
    let model = Model::new(transformer, tokenizer());
    let twin = Twin {
        parameters: parameters(&model.transformer),
        config: model.transformer.config().clone(),
    };
    for text in ["warm", "a warm , funny film that never gets dull"] {
        let text = encode(&model, text);
        let n = text.tokens.len();
        let ids: Vec<u32> = text.tokens.iter().map(|token| token.id).collect();
        let relevance = twin.relevance_of_weights(&ids, label);
        let gradients = attention(&model, &text, label);

        let mut row: Vec<f64> = (0..n).map(|k| f64::from(u8::from(k == 0))).collect();
        // The first token's row of A~_last ... A~_start, from the left.
        for block in (start..relevance.len()).rev() {
            let heads = relevance[block].len();
            let mut map = vec![vec![0.0; n]; n];
            for q in 0..n {
                for k in 0..n {
                    for (gradient, relevance) in gradients[block].1.iter().zip(&relevance[block]) {
                        let picked = gradient[q][k] * relevance[q][k];
                        map[q][k] += picked.max(0.0) / heads as f64;
                    }
                }
                map[q][q] += 1.0;
                let sum: f64 = map[q].iter().sum();
                map[q].iter_mut().for_each(|x| *x /= sum);
            }
            row = (0..n)
                .map(|k| (0..n).map(|q| row[q] * map[q][k]).sum())
                .collect();
        }
        row[0] = 0.0;
        let name = format!("chefer:start={start}");
        let error = difference(&alone(&model, &name, &text, label), &row);
        assert!(error < 1e-6, "{name}: {error:.1e}");
    }
}

#[test]
fn the_last_block_is_where_it_starts_unless_told() {
    let model = model(&bert_with_relu());
    let text = encode(&model, "a warm , funny film");
    let [default, last] = ["chefer", "chefer:start=1"].map(|name| alone(&model, name, &text, 0));
    assert_eq!(default, last);
}
