//! Shapley values: the mean gain from each token.

use std::sync::Arc;

use rand::seq::SliceRandom;
use relprop_checkpoints::Model;
use relprop_transformer::TokenizedText;
use serde::Deserialize;

use super::Method;
use super::random::generator;
use super::reader::check;
use crate::ExplainError;
use crate::batching::{hidden_logits, unknown_token};

/// The mean change of the logit when a token is shown, over all orders of showing them (Shapley
/// 1953; for features Strumbelj and Kononenko 2010, Lundberg and Lee 2017). A token that is not
/// shown is the unknown token; special tokens are always shown and get zero.
///
/// ```text
/// R_t = sum over sets S without t of  |S|! (n - |S| - 1)! / n! * (v(S + t) - v(S))
/// ```
///
/// v(S) is the logit where the tokens of S are shown. Relevance sums to f(x) minus the logit of the
/// text of unknown tokens. Up to `exact` tokens all 2^n sets are tried. With more tokens the mean
/// is over `samples` random orders (Castro et al. 2009), each of which takes n - 1 forward passes
/// and has the same sum.
#[derive(Clone, Debug)]
pub struct Shapley {
    model: Arc<Model>,
    unknown: u32,
    parameters: ShapleyParameters,
}

/// When [`Shapley`] samples, and how.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ShapleyParameters {
    /// Up to how many tokens, special ones aside, all sets are tried: from 1 to 16.
    pub exact: usize,
    /// The number of random orders for longer texts, at least 1.
    pub samples: usize,
    /// The seed of the orders.
    pub seed: u64,
}

impl Default for ShapleyParameters {
    fn default() -> Self {
        Self {
            exact: 12,
            samples: 25,
            seed: 0,
        }
    }
}

impl Shapley {
    /// Shapley values in `model`.
    ///
    /// # Errors
    ///
    /// [`ExplainError::NoToken`] if the vocabulary has no unknown token,
    /// [`ExplainError::MethodParameter`] if a parameter is out of its range.
    pub fn new(model: &Arc<Model>, parameters: ShapleyParameters) -> Result<Self, ExplainError> {
        let ShapleyParameters { exact, samples, .. } = parameters;
        let refuse = |message| {
            Err(ExplainError::MethodParameter {
                method: "shapley".to_owned(),
                message,
            })
        };
        if !(1..=16).contains(&exact) {
            return refuse(format!("`exact` is {exact}: it must be from 1 to 16"));
        }
        if samples == 0 {
            return refuse("`samples` is 0: it must be at least 1".to_owned());
        }
        Ok(Self {
            model: Arc::clone(model),
            unknown: unknown_token(model)?,
            parameters,
        })
    }

    /// The orders in which the `players` of a text are shown, if not all sets are tried.
    fn orders(&self, text: &TokenizedText, players: &[usize]) -> Vec<Vec<usize>> {
        let mut generator = generator(self.parameters.seed, text);
        let orders = (0..self.parameters.samples).map(|_| {
            let mut order = players.to_vec();
            order.shuffle(&mut generator);
            order
        });
        orders.collect()
    }
}

/// The places of the tokens that are not special.
fn players(text: &TokenizedText) -> Vec<usize> {
    let tokens = text.tokens.iter().enumerate();
    tokens
        .filter(|(_, token)| !token.special)
        .map(|(place, _)| place)
        .collect()
}

/// The masks of all sets of players: bit b of a set's number says whether player b is shown.
fn all_sets(tokens: usize, players: &[usize]) -> Vec<Vec<bool>> {
    let mask = |set: usize| {
        let mut hidden = vec![false; tokens];
        for (bit, &place) in players.iter().enumerate() {
            hidden[place] = set >> bit & 1 == 0;
        }
        hidden
    };
    (0..1 << players.len()).map(mask).collect()
}

/// The values of the players, from the logits of all sets.
fn exact(values: &[f64], players: usize) -> Vec<f64> {
    // |S|! (n - |S| - 1)! / n! = 1 / (n * (n - 1 over |S|))
    let mut weights = Vec::with_capacity(players);
    let mut choices = 1.0;
    for size in 0..players {
        weights.push(1.0 / (players as f64 * choices));
        choices *= (players - 1 - size) as f64 / (size + 1) as f64;
    }
    let value = |player: usize| {
        let without = (0..values.len()).filter(|set| set >> player & 1 == 0);
        let gain = |set: usize| values[set | 1 << player] - values[set];
        without
            .map(|set| weights[set.count_ones() as usize] * gain(set))
            .sum()
    };
    (0..players).map(value).collect()
}

/// The masks of the steps of each order but its last: nothing shown, then one player after the
/// other.
fn prefixes(tokens: usize, players: &[usize], order: &[usize]) -> Vec<Vec<bool>> {
    let mut hidden = vec![false; tokens];
    for &place in players {
        hidden[place] = true;
    }
    let steps = order.iter().map(|&place| {
        let before = hidden.clone();
        hidden[place] = false;
        before
    });
    steps.collect()
}

impl Method for Shapley {
    fn name(&self) -> &str {
        "shapley"
    }

    fn relevance(
        &self,
        texts: &[&TokenizedText],
        label: usize,
    ) -> Result<Vec<Vec<f32>>, ExplainError> {
        check(&self.model, label)?;
        let is_exact = |players: &[usize]| players.len() <= self.parameters.exact;
        let masks = |text: &TokenizedText| {
            let (tokens, players) = (text.tokens.len(), players(text));
            if is_exact(&players) {
                return all_sets(tokens, &players);
            }
            // Nothing shown and everything shown are the same in every order.
            let orders = self.orders(text, &players);
            let whole = vec![false; tokens];
            let nothing = prefixes(tokens, &players, &players).swap_remove(0);
            let steps = orders
                .iter()
                .flat_map(|order| prefixes(tokens, &players, order).into_iter().skip(1));
            [whole, nothing].into_iter().chain(steps).collect()
        };
        let masked = texts.iter().map(|text| (*text, masks(text)));
        let logits = hidden_logits(&self.model, self.unknown, masked)?;

        let relevance = texts.iter().zip(logits).map(|(text, logits)| {
            let values: Vec<f64> = logits.iter().map(|row| row[label].into()).collect();
            let players = players(text);
            let mut relevance = vec![0.0; text.tokens.len()];
            if is_exact(&players) {
                for (place, value) in players.iter().zip(exact(&values, players.len())) {
                    relevance[*place] = value as f32;
                }
                return relevance;
            }
            let (whole, nothing) = (values[0], values[1]);
            let orders = self.orders(text, &players);
            let mut sums = vec![0.0; text.tokens.len()];
            for (order, steps) in orders.iter().zip(values[2..].chunks(players.len() - 1)) {
                let ends = steps.iter().copied().chain([whole]);
                let starts = [nothing].into_iter().chain(steps.iter().copied());
                for ((place, end), start) in order.iter().zip(ends).zip(starts) {
                    sums[*place] += end - start;
                }
            }
            let mean = |sum: f64| (sum / orders.len() as f64) as f32;
            sums.into_iter().map(mean).collect()
        });
        Ok(relevance.collect())
    }
}
