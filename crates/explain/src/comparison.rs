//! A picture and texts that it was compared with, as data.

use serde::{Deserialize, Serialize};

use crate::{Explanation, PairAccount};

/// The name and version of the JSON format that a [`Comparison`] is written in.
pub const COMPARISON: &str = "relprop.comparison/1";

/// A picture, how well each of some texts fits it, and why.
///
/// Relevance is of the first order: that of the patches, where the vectors of all texts are constants, and that of the words of
/// a text, where the vectors of the picture and of all other texts are.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Comparison {
    /// Always [`COMPARISON`].
    pub schema: String,
    /// What cosines are multiplied by to be logits.
    pub scale: f64,
    /// What is then added.
    pub bias: f64,
    /// The vector of the picture, of length 1.
    pub vector: Vec<f32>,
    /// Why, of the picture. It has the texts as labels, and their logits.
    pub picture: Explanation,
    /// The texts, in the order in which they were given.
    pub texts: Vec<ComparedText>,
}

/// One of the texts that a picture is compared with.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ComparedText {
    /// The text.
    pub text: String,
    /// Its vector, of length 1.
    pub vector: Vec<f32>,
    /// The cosine of its vector and that of the picture.
    pub cosine: f32,
    /// The cosine times the scale, plus the bias.
    pub logit: f32,
    /// How likely it is among the texts; where several can fit at once, how likely it is by itself. In `[0, 1]`.
    pub probability: f64,
    /// Why, of the text; absent where the target does not depend on it. Of several texts that the target depends on, the value
    /// of the target is the share that goes through this one: its logit times the derivative of the target.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub explanation: Option<Explanation>,
    /// What patches and words do together; absent where it was [not asked for](crate::Compare::with_pairs), or the target does not depend
    /// on the text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pairs: Option<Pairs>,
}

/// Relevance of the second order, of pairs of a token of the picture and one of a text, in units of the logit (BiLRP; Eberle et
/// al. 2022).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Pairs {
    /// Of each pair, `[token of the picture, token of the text]`.
    pub interaction: Vec<Vec<f32>>,
    /// The same of patches and words, `[patch, word of the text]`.
    pub word_interaction: Vec<Vec<f32>>,
    /// The account of the logit without its bias: the first side is that of the picture.
    pub account: PairAccount,
}
