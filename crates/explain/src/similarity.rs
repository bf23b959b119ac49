//! Why two texts, or two pictures, are alike: relevance of their words or patches, and of pairs of them.

use std::sync::Arc;

use relprop_checkpoints::Model;
use relprop_rules::{Pass, Registry};
use relprop_transformer::{Head, TokenizedText, VectorPooling};
use serde::{Deserialize, Serialize};

use crate::batching::{TOKENS, logits};
use crate::describe::{subject, tokens};
use crate::methods::Propagation;
use crate::run::Run;
use crate::score::Scored;
use crate::words::words;
use crate::{ExplainError, Ledger, ModelInfo, Plan, Subject, TokenRelevance, WordRelevance};

/// The name and version of the JSON format that a [`Similarity`] is written in.
pub const SIMILARITY: &str = "relprop.similarity/1";

/// How alike two vectors are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Measure {
    /// The cosine of the angle between them: `u v / (|u| |v|)`.
    #[default]
    Cosine,
    /// Their product `u v`. Where the model's folder says that vectors are normalized, it is the cosine.
    Dot,
}

/// How alike two texts, or two pictures, are, and why.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Similarity {
    /// Always [`SIMILARITY`].
    pub schema: String,
    /// The name of the rule set.
    pub by: String,
    /// The site at which relevance was read.
    pub at: String,
    /// The model.
    pub model: ModelInfo,
    /// The device that computed it.
    pub device: String,
    /// The version of relprop.
    pub version: String,
    /// What was explained.
    pub measure: Measure,
    /// The cosine of the two vectors.
    pub cosine: f32,
    /// The product of the two vectors as the model gives them, normalized if its folder says so.
    pub dot: f32,
    /// The two texts, or pictures.
    pub texts: [SimilarText; 2],
    /// The relevance of each pair of tokens, `[token of the first text, token of the second]`, for the
    /// product of the two vectors before they are normalized.
    pub interaction: Vec<Vec<f32>>,
    /// The same for pairs of words, `[word of the first text, word of the second]`; of two pictures, for pairs of patches.
    pub word_interaction: Vec<Vec<f32>>,
    /// The account of the product.
    pub account: PairAccount,
}

/// One of two texts, or pictures, that are compared.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SimilarText {
    /// The text; of a picture, the name of its file.
    pub text: String,
    /// Whether it is a picture, and of which size.
    #[serde(flatten)]
    pub subject: Subject,
    /// Its vector, before it is normalized.
    pub vector: Vec<f32>,
    /// Its tokens, with their relevance for the measure where the other text's vector is a constant.
    pub tokens: Vec<TokenRelevance>,
    /// Its words, each with the sum over its tokens; none of a picture.
    pub words: Vec<WordRelevance>,
    /// Where the measure went, from the vector back to the site where relevance is read; where it was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ledger: Option<Ledger>,
}

/// Where the product of two vectors `u` and `v` comes from. Of each feature of a vector, the text's tokens
/// hold a part, and biases hold the rest; the product of two sums has four parts.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct PairAccount {
    /// The product of the vectors, before they are normalized.
    pub product: f64,
    /// What pairs of tokens hold: the sum of [`Similarity::interaction`].
    pub pairs: f64,
    /// What tokens of the first text hold with biases on the side of the second.
    pub first_with_biases: f64,
    /// What tokens of the second text hold with biases on the side of the first.
    pub second_with_biases: f64,
    /// What biases hold with biases.
    pub biases: f64,
    /// The product less the four parts: rounding.
    pub unaccounted: f64,
}

/// Tells why texts, or pictures, are alike to a model that makes vectors of them.
#[derive(Clone, Debug)]
pub struct Similar {
    /// The model, its vectors as they are before they are normalized.
    model: Arc<Model>,
    propagation: Propagation,
    /// The same model for the measure.
    measured: Propagation,
    measure: Measure,
    /// Whether the folder says that vectors are normalized.
    normalized: bool,
    run: Run,
}

impl Similar {
    /// Explains `model` by the rules of `plan`, read at its site, with a ledger if it asks for one. Vectors are made by
    /// `pooling`, if that is given, in place of what the folder says; the mean of a picture is that of its patches.
    ///
    /// # Errors
    ///
    /// [`ExplainError::NoVector`] if the model makes no vectors, [`ExplainError::Pooling`] if it cannot pool in this way, and
    /// if rules or site do not fit it.
    pub fn new(
        model: &Arc<Model>,
        plan: &Plan,
        measure: Measure,
        pooling: Option<VectorPooling>,
    ) -> Result<Self, ExplainError> {
        let Head::Vector { normalized, .. } = model.transformer.config().head else {
            return Err(ExplainError::NoVector);
        };
        let as_is = |normalized: bool| {
            let mut model = Model::clone(model);
            let pooled = model.transformer.with_vectors(pooling, normalized);
            model.transformer = pooled.map_err(ExplainError::Pooling)?;
            Ok::<_, ExplainError>(Arc::new(model))
        };
        let (plain, registry) = (as_is(false)?, Registry::default());
        let propagation = |model: &Arc<Model>| {
            let propagation = Propagation::new(model, &plan.rule_set()?, &registry)?;
            match &plan.at {
                Some(site) => propagation.at(site),
                None => Ok(propagation),
            }
        };
        let is_cosine = measure == Measure::Cosine || normalized;
        let measured = propagation(&as_is(is_cosine)?)?;
        let measured = match plan.ledger {
            true => measured.with_ledger()?,
            false => measured,
        };
        let propagations = (propagation(&plain)?, measured);
        Ok(Self {
            run: Run::new(&plain, &propagations.0),
            propagation: propagations.0,
            measured: propagations.1,
            measure,
            normalized,
            model: plain,
        })
    }

    /// How alike each of `texts` is to `query`: the measure alone.
    ///
    /// # Errors
    ///
    /// [`ExplainError::Device`] if the device fails.
    pub fn measure(
        &self,
        query: &TokenizedText,
        texts: &[&TokenizedText],
    ) -> Result<Vec<f32>, ExplainError> {
        let query = logits(&self.model.transformer, &[query])?.remove(0);
        let vectors = logits(&self.model.transformer, texts)?;
        let measures = vectors.iter().map(|vector| {
            let (cosine, dot) = self.compare(&query, vector);
            match self.measure {
                Measure::Cosine => cosine,
                Measure::Dot => dot,
            }
        });
        Ok(measures.collect())
    }

    /// The most similar of `texts` to `query`, at most `top` of several, the most similar first: each with its place among
    /// `texts`, and why.
    ///
    /// # Errors
    ///
    /// [`ExplainError::Device`] if the device fails.
    pub fn most_similar(
        &self,
        query: &TokenizedText,
        texts: &[TokenizedText],
        top: usize,
    ) -> Result<Vec<(usize, Similarity)>, ExplainError> {
        let mut places: Vec<usize> = (0..texts.len()).collect();
        if texts.len() > 1 {
            let measures = self.measure(query, &texts.iter().collect::<Vec<_>>())?;
            places.sort_by(|&a, &b| measures[b].total_cmp(&measures[a]));
            places.truncate(top);
        }
        let found = places.into_iter().map(|place| {
            let found = self.explain([query, &texts[place]])?;
            Ok((place, found))
        });
        found.collect()
    }

    /// Tells why two texts, or two pictures, are alike.
    ///
    /// First order: the relevance of each text's tokens for the measure, where the other text's vector is a
    /// constant. Second order, of pairs of tokens (BiLRP; Eberle et al. 2022): the relevance of each token
    /// for each feature of its text's vector, multiplied and summed over the features,
    ///
    /// ```text
    /// R_ij = sum over m of U_mi V_mj
    /// ```
    ///
    /// # Errors
    ///
    /// [`ExplainError::Device`] if the device fails.
    pub fn explain(&self, texts: [&TokenizedText; 2]) -> Result<Similarity, ExplainError> {
        let vectors = logits(&self.model.transformer, &texts)?;
        let (cosine, dot) = self.compare(&vectors[0], &vectors[1]);
        let measured = &self.measured.model().transformer;
        let ends = logits(measured, &texts)?;
        let first_order = |index: usize| {
            let (text, other) = (texts[index], &ends[1 - index]);
            let score = |_: usize, numbers: &[f32]| Scored::sum(other.clone(), numbers);
            let found = self.measured.find_scored(&[text], &score)?.remove(0);
            Ok::<_, ExplainError>(SimilarText {
                text: text.text.clone(),
                subject: subject(text),
                vector: vectors[index].clone(),
                tokens: tokens(text, &found.relevance),
                words: match text.picture() {
                    None => words(text, &found.relevance),
                    Some(_) => Vec::new(),
                },
                ledger: found.ledger,
            })
        };
        let features = [
            features(&self.propagation, texts[0])?,
            features(&self.propagation, texts[1])?,
        ];
        let interaction = products(&features[0], &features[1]);
        Ok(Similarity {
            schema: SIMILARITY.to_owned(),
            by: self.run.title().to_owned(),
            at: self.run.at.clone(),
            model: self.run.model.clone(),
            device: self.run.device.clone(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            measure: self.measure,
            cosine,
            dot,
            texts: [first_order(0)?, first_order(1)?],
            word_interaction: of_words(&interaction, texts),
            account: account(&features, &vectors),
            interaction,
        })
    }

    /// The cosine of two vectors, and their product as the model gives them.
    fn compare(&self, a: &[f32], b: &[f32]) -> (f32, f32) {
        let product = product(a, b);
        let cosine = product / (product_of_lengths(a, b)).max(f64::MIN_POSITIVE);
        let dot = if self.normalized { cosine } else { product };
        (cosine as f32, dot as f32)
    }
}

/// The relevance of each token for each feature of the text's vector, `[feature][token]`: copies of the
/// text go through the model together, each with another feature as its target.
pub(crate) fn features(
    propagation: &Propagation,
    text: &TokenizedText,
) -> Result<Vec<Vec<f32>>, ExplainError> {
    let transformer = &propagation.model().transformer;
    let count = transformer.config().logits();
    let copies = (TOKENS / text.tokens.len().max(1)).clamp(1, count);
    let mut found = Vec::with_capacity(count);
    for first in (0..count).step_by(copies) {
        let texts = vec![text; copies.min(count - first)];
        let pass = Pass::new(propagation.bound()).with_probe(propagation.site_name());
        let score = |copy: usize, numbers: &[f32]| {
            let mut weights = vec![0.0; numbers.len()];
            weights[first + copy] = 1.0;
            Scored::sum(weights, numbers)
        };
        let (rows, _) = propagation.run_scored(transformer, &texts, pass, false, &score)?;
        found.extend(rows.into_iter().map(|row| row.relevance));
    }
    Ok(found)
}

pub(crate) fn product(a: &[f32], b: &[f32]) -> f64 {
    let terms = a.iter().zip(b);
    terms.map(|(a, b)| f64::from(*a) * f64::from(*b)).sum()
}

fn product_of_lengths(a: &[f32], b: &[f32]) -> f64 {
    product(a, a).sqrt() * product(b, b).sqrt()
}

/// `sum over m of u[m][i] v[m][j]`.
pub(crate) fn products(u: &[Vec<f32>], v: &[Vec<f32>]) -> Vec<Vec<f32>> {
    let tokens = |features: &[Vec<f32>]| features.first().map_or(0, Vec::len);
    let mut sums = vec![vec![0.0_f64; tokens(v)]; tokens(u)];
    for (u, v) in u.iter().zip(v) {
        for (row, u) in sums.iter_mut().zip(u) {
            for (sum, v) in row.iter_mut().zip(v) {
                *sum += f64::from(*u) * f64::from(*v);
            }
        }
    }
    let row = |row: Vec<f64>| row.into_iter().map(|sum| sum as f32).collect();
    sums.into_iter().map(row).collect()
}

/// The sums over the tokens of each pair of words.
pub(crate) fn of_words(interaction: &[Vec<f32>], texts: [&TokenizedText; 2]) -> Vec<Vec<f32>> {
    // Of each token, the place of its word among the words of its text.
    let [first, second] = texts.map(|text| {
        let (mut last, mut count) = (None, 0);
        let places = text.tokens.iter().map(|token| {
            let word = token.word?;
            if last != Some(word) {
                (last, count) = (Some(word), count + 1);
            }
            Some(count - 1)
        });
        places.collect::<Vec<Option<usize>>>()
    });
    let count = |places: &[Option<usize>]| places.iter().flatten().max().map_or(0, |last| last + 1);
    let mut sums = vec![vec![0.0; count(&second)]; count(&first)];
    for (row, word) in interaction.iter().zip(&first) {
        for (relevance, other) in row.iter().zip(&second) {
            if let (Some(word), Some(other)) = (word, other) {
                sums[*word][*other] += relevance;
            }
        }
    }
    sums
}

pub(crate) fn account(features: &[Vec<Vec<f32>>; 2], vectors: &[Vec<f32>]) -> PairAccount {
    let mut parts = [0.0; 4];
    let held = |row: &[f32]| row.iter().copied().map(f64::from).sum::<f64>();
    for (index, (u, v)) in features[0].iter().zip(&features[1]).enumerate() {
        let (tokens, other) = (held(u), held(v));
        let biases = f64::from(vectors[0][index]) - tokens;
        let other_biases = f64::from(vectors[1][index]) - other;
        parts[0] += tokens * other;
        parts[1] += tokens * other_biases;
        parts[2] += biases * other;
        parts[3] += biases * other_biases;
    }
    let product = product(&vectors[0], &vectors[1]);
    PairAccount {
        product,
        pairs: parts[0],
        first_with_biases: parts[1],
        second_with_biases: parts[2],
        biases: parts[3],
        unaccounted: product - parts.iter().sum::<f64>(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Of a bilinear function, `u = A x` and `v = B y`, the relevance of a pair is the exact second
    /// difference: what `u v` loses of what it would lose one by one when both inputs are taken away.
    #[test]
    fn a_pair_is_the_second_difference_of_a_bilinear_function() {
        let (a, x) = ([[1.0, -2.0], [0.5, 3.0]], [2.0, -1.0]);
        let (b, y) = ([[0.0, 1.5, 1.0], [2.0, -1.0, 0.5]], [1.0, 4.0, -2.0]);
        let value = |keep_x: [bool; 2], keep_y: [bool; 3]| -> f32 {
            (0..2)
                .map(|m| {
                    let u: f32 = (0..2).filter(|&i| keep_x[i]).map(|i| a[m][i] * x[i]).sum();
                    let v: f32 = (0..3).filter(|&j| keep_y[j]).map(|j| b[m][j] * y[j]).sum();
                    u * v
                })
                .sum()
        };
        let u: Vec<Vec<f32>> = (0..2)
            .map(|m| (0..2).map(|i| a[m][i] * x[i]).collect())
            .collect();
        let v: Vec<Vec<f32>> = (0..2)
            .map(|m| (0..3).map(|j| b[m][j] * y[j]).collect())
            .collect();
        let found = products(&u, &v);
        for (i, row) in found.iter().enumerate() {
            for (j, relevance) in row.iter().enumerate() {
                let (all, without_x, without_y) = ([true; 2], i, j);
                let mut keep_x = all;
                keep_x[without_x] = false;
                let mut keep_y = [true; 3];
                keep_y[without_y] = false;
                let difference =
                    value(all, [true; 3]) - value(keep_x, [true; 3]) - value(all, keep_y)
                        + value(keep_x, keep_y);
                assert!((relevance - difference).abs() < 1e-5, "{i} {j}");
            }
        }
    }
}
