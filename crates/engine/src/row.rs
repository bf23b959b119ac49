//! What a row of a table holds, and what is found for it.

use relprop_explain::{
    Continuation, Explanation, Hypotheses, Labelling, NotFinite, Parts, Sampling, ZeroShot,
};
use serde::{Deserialize, Serialize, Serializer};

/// What the rows of a table hold, and what is computed for them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RowKind {
    /// Texts to explain.
    Texts {
        /// What the model reads after each text.
        second: Option<Second>,
    },
    /// Texts whose tokens have labels, which are explained one after another.
    Labelled {
        /// What the model reads after each text.
        second: Option<Second>,
        /// Which labels.
        parts: Parts,
    },
    /// Texts that are put to labels which the model was never trained on.
    Hypotheses(Hypotheses),
    /// Prompts, each with the answer of a language model that is explained as a whole.
    Answered(Second),
    /// Prompts, to each of which a language model writes the answer, which is explained as a whole.
    Written {
        /// How many tokens at most.
        tokens: usize,
        /// How they are drawn; if it is none, each is the likeliest.
        sampling: Option<Sampling>,
    },
    /// Names of files with pictures to explain.
    Pictures,
    /// Texts that a language model continues; each new token is explained.
    Prompts {
        /// How many tokens at most.
        tokens: usize,
        /// How they are drawn; if it is none, each is the likeliest.
        sampling: Option<Sampling>,
    },
}

/// What a model reads beside a text: after it, if nothing else is said.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Second {
    /// The same text after every text.
    Text(String),
    /// The text in this column of the row.
    Column(String),
    /// The same text, but before every text: a query, a question.
    Before(String),
}

impl RowKind {
    /// Whether explanations by several rule sets can be shown side by side.
    pub fn is_compared(&self) -> bool {
        matches!(
            self,
            Self::Texts { .. } | Self::Answered(_) | Self::Written { .. } | Self::Pictures
        )
    }
}

/// What was found for one row.
#[derive(Clone, Debug, PartialEq)]
pub enum Found {
    /// One explanation from each explainer, in the order of the explainers.
    Explanations(Vec<Explanation>),
    /// The continuation of the text.
    Continuation(Box<Continuation>),
    /// What its tokens are.
    Labelling(Box<Labelling>),
    /// How well each label fits it.
    ZeroShot(Box<ZeroShot>),
}

impl Found {
    /// Checks that every number is finite.
    ///
    /// # Errors
    ///
    /// [`NotFinite`] for the first number that is NaN or infinite.
    pub fn finite(&self) -> Result<(), NotFinite> {
        match self {
            Self::Explanations(found) => found.iter().try_for_each(Explanation::finite),
            Self::Continuation(continuation) => continuation.finite(),
            Self::Labelling(labelling) => labelling.finite(),
            Self::ZeroShot(found) => found.finite(),
        }
    }

    /// The explanation by the first explainer; none for a continuation.
    pub fn explanation(&self) -> Option<&Explanation> {
        match self {
            Self::Explanations(found) => found.first(),
            Self::Continuation(_) | Self::Labelling(_) | Self::ZeroShot(_) => None,
        }
    }
}

impl Serialize for Found {
    /// The document that is written of it; of several explanations the first, which is the one that was asked for.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Explanations(found) => found.first().serialize(serializer),
            Self::Continuation(found) => found.serialize(serializer),
            Self::Labelling(found) => found.serialize(serializer),
            Self::ZeroShot(found) => found.serialize(serializer),
        }
    }
}
