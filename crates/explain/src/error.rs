//! What can be wrong with a question.

use relprop_checkpoints::TextError;
use relprop_rules::RuleError;
use relprop_transformer::ConfigError;

use crate::{SamplingError, UnknownTarget};

/// Why a text, or a model, cannot be explained as asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ExplainError {
    /// There are no labels to choose from.
    #[error("there is no label to choose from: give one or more")]
    NoLabels,
    /// The template has no place for a label.
    #[error("the template {0:?} has no {{}} where a label stands")]
    Template(String),
    /// No label of the model says that one sentence follows from another.
    #[error(
        "no label of the model begins with `entail`, which says that the sentence with a label follows from the \
         text: name the one that does ({})", .labels.join(", ")
    )]
    NoEntailment {
        /// The model's labels.
        labels: Vec<String>,
    },
    /// The rule set does not fit the model, or there is no such site.
    #[error(transparent)]
    Rules(RuleError),
    /// The model has no such target.
    #[error(transparent)]
    Target(#[from] UnknownTarget),
    /// The text cannot be given to the model.
    #[error(transparent)]
    Text(#[from] TextError),
    /// The mean over windows of a text has no meaning.
    #[error(
        "a text is read in windows where a label of the whole text is explained: its logit, or a difference of logits \
         (not of the largest alone), is the mean of those of its windows"
    )]
    Windows,
    /// The site has no relevance per token.
    #[error(
        "relevance cannot be read at `{site}`: its signal does not have one vector a token; \
         `blocks` and `embeddings.word` do"
    )]
    NotPerToken {
        /// The site.
        site: String,
    },
    /// The method knows no models of two stacks.
    #[error(
        "the model has an encoder and a decoder, and `{method}` is defined for one stack of blocks"
    )]
    TwoStacks {
        /// The method.
        method: &'static str,
    },
    /// Blocks of the model have fewer tokens than it reads.
    #[error(
        "{what} follows each token from block to block, and this model makes one token of four between its stages"
    )]
    FewerTokens {
        /// What was asked.
        what: String,
    },
    /// A patch of a picture is gone that the model cannot do without.
    #[error(
        "a patch was removed from a picture, and the model reads whole grids of patches alone, in windows: patches can be          hidden, and not removed"
    )]
    WholePictures,
    /// The device failed: it is out of memory, or it is gone.
    #[error(
        "the device failed; it may be out of memory or lost: use fewer or shorter texts at once, \
         or another device\n{0}"
    )]
    Device(String),
    /// There is no method of this name.
    #[error("there is no method `{name}`; there are {}", known.join(", "))]
    UnknownMethod {
        /// What was asked for.
        name: String,
        /// The methods that there are.
        known: Vec<&'static str>,
    },
    /// A parameter of a method is wrong, or missing.
    #[error("{method}: {message}")]
    MethodParameter {
        /// The method.
        method: String,
        /// What is wrong.
        message: String,
    },
    /// Only relevance propagation can be asked for this, or forward decomposition as well.
    #[error("{part} goes with {}, not with `{method}`", part.with())]
    OnlyPropagation {
        /// What was asked for.
        part: PropagationPart,
        /// The method that it was asked of.
        method: String,
    },
    /// The name of a rule set stands where that of a method belongs.
    #[error("`{0}` is a rule set of relevance propagation, not a method beside it")]
    RulesAsMethod(String),
    /// Blocks can be run again only if relevance is read at the input of the first block, without a
    /// ledger.
    #[error(
        "blocks are run again on the way back only for relevance that is read at `blocks`, \
         and without a ledger"
    )]
    Recompute,
    /// The method needs a token that the vocabulary does not have.
    #[error("the model's vocabulary has no {} to put in the place of others", names.join(" or "))]
    NoToken {
        /// The names that it may have.
        names: Vec<&'static str>,
    },
    /// The head reads one token that is always the same, or all of them.
    #[error(
        "the model answers for a text as a whole: only a language model, or another model that answers at \
         single tokens, is explained at a position"
    )]
    Position,
    /// The model has no such target.
    #[error("`{scalar}` is nothing to explain: {reason}")]
    Unfit {
        /// What was asked for.
        scalar: String,
        /// Why there is no such thing.
        reason: &'static str,
    },
    /// Only a language model goes on with a text.
    #[error("the model does not go on with a text: only a language model does")]
    NoContinuation,
    /// Hops go back through an answer.
    #[error(
        "hops go from an answer of a language model back through its earlier text: give the answer, or the \
         place where it stands, as answer()@\"...\""
    )]
    Hops,
    /// Only a head that labels tokens has labels of tokens.
    #[error("the model does not label the tokens of a text")]
    NoTokenLabels,
    /// Only a head that makes a vector of a text tells how alike texts are.
    #[error(
        "the model makes no vector of a text or a picture: two are compared by a sentence-transformers folder, or \
         by a model without a head"
    )]
    NoVector,
    /// The model cannot make a vector in the way that was asked for.
    #[error("the model makes no vector in this way: {0}")]
    Pooling(ConfigError),
    /// This question has no such part.
    #[error("{asked} has no part for {part}")]
    NotOf {
        /// What was asked for.
        part: &'static str,
        /// The question.
        asked: &'static str,
    },
    /// There is nothing to compare a picture with.
    #[error("there is no text to compare the picture with: give one or more")]
    NoTexts,
    /// No probability follows from what the head gives.
    #[error(
        "the outputs of the model are no logits of probabilities (regression, or similarity), so no \
         log-probability can be explained"
    )]
    NoProbability,
    /// Tokens cannot be drawn like that.
    #[error(transparent)]
    Sampling(#[from] SamplingError),
    /// The method explains one logit.
    #[error(
        "`{method}` explains one logit, not the difference of two: give one label as the target"
    )]
    Contrast {
        /// The method.
        method: String,
    },
    /// The method needs attention weights.
    #[error("the model has no attention weights")]
    NoAttention,
    /// The caller cancelled the work.
    #[error("cancelled")]
    Cancelled,
}

/// What only relevance propagation can be asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PropagationPart {
    /// A rule set.
    Rules,
    /// The site at which relevance is read.
    Site,
    /// An account of the whole target.
    Ledger,
    /// Hops through earlier text.
    Hops,
    /// Less memory for more time.
    Recompute,
    /// A head that answers at several tokens.
    Head,
    /// A target that is the difference of two logits.
    Contrast,
    /// A target that is no logit.
    Score,
}

impl PropagationPart {
    /// Whether it is a kind of target: forward decomposition explains any of them as well.
    pub fn is_target(self) -> bool {
        matches!(self, Self::Head | Self::Contrast | Self::Score)
    }

    fn with(self) -> &'static str {
        match self.is_target() {
            true => "relevance propagation and `decomposition` alone",
            false => "relevance propagation alone",
        }
    }
}

impl std::fmt::Display for PropagationPart {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Rules => "a rule set",
            Self::Site => "a site to read relevance at",
            Self::Ledger => "a ledger",
            Self::Hops => "hops through earlier text",
            Self::Recompute => "running blocks again",
            Self::Head => "a head that answers at several tokens, or gives a vector,",
            Self::Contrast => "the difference of two logits",
            Self::Score => "a log-probability, an entropy or a norm",
        })
    }
}

impl From<RuleError> for ExplainError {
    fn from(error: RuleError) -> Self {
        match error {
            RuleError::Device(error) => Self::Device(error),
            error => Self::Rules(error),
        }
    }
}
