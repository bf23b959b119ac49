//! The result of explaining one text: relevance per token and per word, and where it came from.

use relprop_transformer::{Probabilities, TextEnd, Token};
use serde::{Deserialize, Serialize};

use crate::{Hop, Ledger, Score, SegmentRelevance};

/// The name and version of the JSON format that [`Explanation`] is written in.
pub const SCHEMA: &str = "relprop.explanation/1";

/// Why a model decided as it did on one text.
///
/// Relevance is in units of the target: tokens that speak for it are positive, tokens that speak
/// against it negative.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Explanation {
    /// Always [`SCHEMA`].
    pub schema: String,
    /// The text that was explained, as given; for a picture, its name.
    pub text: String,
    /// What it is: a text, or a picture, whose tokens are patches, row by row.
    #[serde(flatten)]
    pub subject: Subject,
    /// How relevance was obtained: `lrp`, or the name of another [method](crate::methods).
    pub method: String,
    /// The name of the rule set; empty if the method is not `lrp`.
    pub rules: String,
    /// The site at which relevance was read: `blocks`, `embeddings.word`.
    pub at: String,
    /// The model that was explained.
    pub model: ModelInfo,
    /// The device that computed it.
    pub device: String,
    /// The version of relprop.
    pub version: String,
    /// One logit for each label, in the order of `labels`.
    pub logits: Vec<f32>,
    /// The model's labels; of a language model, the tokens that are likeliest to come next and those
    /// that the target is made of, the likeliest first.
    pub labels: Vec<String>,
    /// The label, or token, with the largest logit.
    pub prediction: String,
    /// Where the logits are those of a vocabulary, the probability of the token that is predicted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub probability: Option<f32>,
    /// How probabilities follow from the logits; absent if it is by a softmax.
    #[serde(default, skip_serializing_if = "is_softmax")]
    pub probabilities: Probabilities,
    /// Of a model that finds the answer to a question in a text: the answer that was explained.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answer: Option<Answer>,
    /// The token that answers, counted from 0: of a language model, the one whose continuation was
    /// explained, and of a model that fills masks, the mask.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub position: Option<usize>,
    /// What was explained.
    pub target: TargetValue,
    /// The tokens, special ones included, in the order of the text.
    pub tokens: Vec<TokenRelevance>,
    /// Of a model that reads one text, the source, and writes another: the tokens of both parts, and what they hold.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub parts: Vec<Part>,
    /// The words, each the sum of its word pieces. Special tokens belong to no word. A picture has
    /// none.
    pub words: Vec<WordRelevance>,
    /// The segments of the text, if it was [cut](crate::Plan::segments) into some, in the order of the text.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub segments: Vec<SegmentRelevance>,
    /// How many tokens were cut because the model has no position for them.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub dropped_tokens: usize,
    /// From which end of the text they were cut.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dropped_from: Option<TextEnd>,
    /// In how many windows the text was read, if it is longer than the model reads and
    /// [was to be](relprop_checkpoints::Truncation::Windows); 0 if it was read at once. Logits, the target and relevance are means over
    /// them.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub windows: usize,
    /// How relevance went from the target to the prompt, if [hops](crate::Plan::hops) were asked for: a line
    /// a hop, the target's own first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub hops: Vec<Hop>,
    /// The account of the target, if it was [asked for](crate::Plan::ledger).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ledger: Option<Ledger>,
}

/// The answer to a question, as a model finds it in a text.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Answer {
    /// The text of the answer.
    pub text: String,
    /// The tokens where it starts and where it ends, counted from 0.
    pub tokens: [usize; 2],
    /// Each token's logit of being the start.
    pub start_logits: Vec<f32>,
    /// Each token's logit of being the end.
    pub end_logits: Vec<f32>,
}

/// Which model was explained.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ModelInfo {
    /// The family of the checkpoint: `bert`, `relprop`.
    pub family: String,
    /// The SHA-256 of the weights' file, in hexadecimal; absent for a model that was never saved.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sha256: Option<String>,
}

/// What was explained.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Subject {
    /// A picture.
    Picture {
        /// Its sizes.
        picture: PictureInfo,
    },
    /// A text. In JSON it has no field of its own.
    Text {},
}

impl Subject {
    /// A text.
    pub const TEXT: Self = Self::Text {};

    /// The sizes of the picture, if it is one.
    pub fn picture(&self) -> Option<&PictureInfo> {
        match self {
            Self::Picture { picture } => Some(picture),
            Self::Text {} => None,
        }
    }
}

/// Which picture was explained.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PictureInfo {
    /// Its width, in pixels.
    pub width: u32,
    /// Its height, in pixels.
    pub height: u32,
    /// How many rows of patches the model sees.
    pub rows: usize,
    /// How many columns of patches the model sees.
    pub columns: usize,
}

/// The scalar that was explained.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TargetValue {
    /// The label, or `A-B` for the difference of two labels' logits; what else is explained stands there
    /// as the [grammar](crate::Scalar) writes it, with the names of outputs.
    pub label: String,
    /// How it is measured.
    #[serde(default, skip_serializing_if = "is_logit")]
    pub score: Score,
    /// Its value: a logit or a logarithm of a probability, a difference of two, an entropy or a norm.
    pub value: f32,
}

/// One token and its relevance.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TokenRelevance {
    /// The token as the vocabulary has it: `warm`, `##ly`, `[CLS]`. For a patch, its row and
    /// column, counted from 0: `3,4`.
    pub text: String,
    /// Its id in the vocabulary.
    pub id: u32,
    /// Where it starts in the text, in characters.
    pub start: usize,
    /// Where it ends in the text, in characters, exclusive. Special tokens are empty.
    pub end: usize,
    /// Whether it was added around the text, such as `[CLS]`.
    pub special: bool,
    /// Its share of the target.
    pub relevance: f32,
    /// Of a patch: where it lies in the picture, as x and y of its upper left corner, width and height
    /// in pixels.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub area: Option<[f32; 4]>,
}

impl TokenRelevance {
    /// The relevance of `token`, which is no patch.
    pub(crate) fn new(token: &Token, relevance: f32) -> Self {
        Self {
            text: token.text.clone(),
            id: token.id,
            start: token.start,
            end: token.end,
            special: token.special,
            relevance,
            area: None,
        }
    }
}

/// One of the two texts that a model with a decoder reads.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Part {
    /// Which one: what the encoder reads, or the decoder.
    pub name: PartName,
    /// Its first token, and the one after its last.
    pub tokens: [usize; 2],
    /// The sum of the relevance of its tokens.
    pub relevance: f32,
}

/// The names of the two parts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PartName {
    /// What the encoder reads.
    Source,
    /// What the decoder reads: the output so far; where it classifies, the text once more.
    Output,
}

impl PartName {
    /// The name: `source` or `output`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Source => "source",
            Self::Output => "output",
        }
    }
}

/// One word and its relevance.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct WordRelevance {
    /// The word as it stands in the text.
    pub text: String,
    /// Where it starts in the text, in characters.
    pub start: usize,
    /// Where it ends in the text, in characters, exclusive.
    pub end: usize,
    /// The sum over its word pieces.
    pub relevance: f32,
}

impl Explanation {
    /// A title that tells it from other explanations of the text: the name of the rule set, or of
    /// the method.
    pub fn title(&self) -> &str {
        match self.method.as_str() {
            "lrp" => &self.rules,
            method => method,
        }
    }

    /// The patches of a picture, row by row; none for a text.
    pub fn patches(&self) -> impl Iterator<Item = &TokenRelevance> {
        self.tokens.iter().filter(|token| token.area.is_some())
    }

    /// The sum of relevance over all tokens. The rest of the target was absorbed by biases and by
    /// operations whose rule does not conserve; the [ledger](Explanation::ledger) lists it.
    ///
    pub fn total(&self) -> f32 {
        self.tokens.iter().map(|token| token.relevance).sum()
    }

    /// The account of the target: what the tokens hold, what each site absorbed, and what is
    /// unaccounted. None unless it was [asked for](crate::Plan::ledger).
    pub fn ledger(&self) -> Option<&Ledger> {
        self.ledger.as_ref()
    }

    /// How relevance moves through the model, `[layers, tokens]`: the relevance of each token where
    /// it was read, then at the output of each block. Empty without a ledger.
    pub fn layers(&self) -> Vec<&[f32]> {
        let layers = self.ledger.iter().flat_map(|ledger| &ledger.layers);
        layers.map(|layer| layer.tokens.as_slice()).collect()
    }
}

fn is_softmax(probabilities: &Probabilities) -> bool {
    *probabilities == Probabilities::Softmax
}

fn is_logit(score: &Score) -> bool {
    *score == Score::Logit
}

fn is_zero(count: &usize) -> bool {
    *count == 0
}
