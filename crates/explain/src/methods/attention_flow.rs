//! Attention flow: how much can flow from each output to each token through the attention weights.

use std::sync::Arc;

use petgraph::algo::dinics;
use petgraph::graph::{DiGraph, NodeIndex};
use relprop_checkpoints::Model;
use relprop_transformer::TokenizedText;
use serde::Deserialize;

use super::Method;
use super::attention::{Map, crop, mean_of_heads, received, weights, with_residual};
use crate::ExplainError;
use crate::batching::in_passes;

/// The maximum flow from each position of the last block to each token, through attention weights
/// as capacities (attention flow; Abnar and Zuidema 2020), scaled and summed over all positions as
/// in the released code of Ali et al. 2022.
///
/// ```text
/// A~_l = rows of (mean over heads of A_l + I), scaled to sum to 1:  the capacities of block l
/// F[q, k] = the maximum flow from position q after the last block to token k
/// R_k = sum over q of  F[q, k] / sum over k' of F[q, k']
/// ```
///
/// It does not depend on the label. One forward pass, and for n tokens n^2 maximum flows through a
/// graph of n^2 edges a block: texts of more than `longest` tokens are refused.
#[derive(Clone, Debug)]
pub struct AttentionFlow {
    model: Arc<Model>,
    parameters: AttentionFlowParameters,
}

/// The limit of [`AttentionFlow`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AttentionFlowParameters {
    /// How many tokens a text may have, special ones included.
    pub longest: usize,
}

impl Default for AttentionFlowParameters {
    fn default() -> Self {
        Self { longest: 80 }
    }
}

impl AttentionFlow {
    /// The attention weights of `model`.
    pub fn new(model: &Arc<Model>, parameters: AttentionFlowParameters) -> Self {
        Self {
            model: Arc::clone(model),
            parameters,
        }
    }
}

impl Method for AttentionFlow {
    fn name(&self) -> &str {
        "attention-flow"
    }

    fn relevance(&self, texts: &[&TokenizedText], _: usize) -> Result<Vec<Vec<f32>>, ExplainError> {
        let longest = self.parameters.longest;
        let lengths = texts.iter().map(|text| text.tokens.len());
        if let Some(tokens) = lengths.max().filter(|&tokens| tokens > longest) {
            return Err(ExplainError::MethodParameter {
                method: "attention-flow".to_owned(),
                message: format!(
                    "a text has {tokens} tokens and `longest` is {longest}: the time grows with \
                     the fourth power of the length; to wait for it, say \
                     attention-flow:longest={tokens}"
                ),
            });
        }
        in_passes(texts, 1, |texts| {
            let (batch, weights) = weights(&self.model, texts)?;
            let maps = weights
                .into_iter()
                .map(|weights| crop(with_residual(mean_of_heads(weights)), &batch));
            let blocks: Vec<Vec<Map>> = maps.collect::<Result<_, _>>()?;
            let of_text = (0..texts.len()).map(|text| {
                let blocks: Vec<&Map> = blocks.iter().map(|maps| &maps[text]).collect();
                received(&self.model, &flow(&blocks), texts[text])
            });
            Ok(of_text.collect())
        })
    }
}

/// The maximum flow from each position after the last block to each token, `[query, key]`, each
/// query's row scaled to sum to 1. `capacities` are the maps of the blocks, first to last.
fn flow(capacities: &[&Map]) -> Map {
    let length = capacities[0].len();
    // The tokens are nodes 0 to length - 1; position i after block l is node l * length + i.
    let mut graph = DiGraph::<(), f64, usize>::default();
    for _ in 0..(capacities.len() + 1) * length {
        graph.add_node(());
    }
    let node = |block: usize, position: usize| NodeIndex::new(block * length + position);
    for (block, map) in capacities.iter().enumerate() {
        for (query, row) in map.iter().enumerate() {
            for (key, &capacity) in row.iter().enumerate() {
                if capacity > 0.0 {
                    graph.add_edge(node(block + 1, query), node(block, key), capacity);
                }
            }
        }
    }
    let row = |query: usize| {
        let to = |key: usize| dinics(&graph, node(capacities.len(), query), node(0, key)).0;
        let flows: Vec<f64> = (0..length).map(to).collect();
        let sum: f64 = flows.iter().sum();
        flows.into_iter().map(|flow| flow / sum).collect()
    };
    (0..length).map(row).collect()
}
