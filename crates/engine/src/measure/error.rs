//! What cannot be measured.

use relprop_evaluate::Need;

/// Why explanations cannot be measured, or rules not be searched for.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MeasureError {
    /// A target that could be another in every version of a text, or is of no outputs.
    #[error(
        "`{0}` is not measured: it could be another output in every version of a text, or is of none; name a \
         label, a token, a class of entities or a given answer"
    )]
    NotFixed(String),
    /// The model has no label for a whole text.
    #[error(
        "the model has no label for a whole text: name what is to be explained, such as \
         `class(NAME)@\"a word\"` or `answer()@\"a word\"`, or give an answer to each text"
    )]
    NoTextLabel,
    /// No text is left.
    #[error("{0}: there is no text to measure with")]
    Nothing(String),
    /// The model reads pictures, and these are none.
    #[error(
        "{0}: the model reads pictures; give a folder with a folder of pictures for each label, or with the files of MNIST, or a \
         table that names files of pictures"
    )]
    NoPictures(String),
    /// The model reads texts, and these are pictures.
    #[error("{0} has pictures, and the model reads texts")]
    NoTexts(String),
    /// A word cannot be blurred.
    #[error("{0}: patches of pictures are blurred to be hidden, and these are texts")]
    NoBlur(String),
    /// The texts stand in no table.
    #[error("{0}: these texts have no columns, so none of evidence; leave the column out")]
    NoColumns(String),
    /// A text has no label.
    #[error(
        "{place}: the text has no label; add a column `label`, or measure with the model's own predictions"
    )]
    Unlabeled {
        /// Which text.
        place: String,
    },
    /// A text is positive or negative, and the model has other labels.
    #[error(
        "{place}: the text is positive or negative, and the model has the labels {}; measure with the \
         model's own predictions", known.join(", ")
    )]
    PositiveOrNegative {
        /// Which text.
        place: String,
        /// The model's labels.
        known: Vec<String>,
    },
    /// A text has a label that the model does not have.
    #[error("{place}: the model has no label `{label}`; it has {}", known.join(", "))]
    UnknownLabel {
        /// Which text.
        place: String,
        /// Its label.
        label: String,
        /// The model's labels.
        known: Vec<String>,
    },
    /// The texts do not have what a metric needs.
    #[error("`{metric}` needs {}; these texts have none", words(*need))]
    Lacking {
        /// The metric.
        metric: String,
        /// What it needs.
        need: Need,
    },
    /// There are too few texts for a search.
    #[error(
        "{texts} texts of {words} words or more are too few to search with; give more, or shorter ones"
    )]
    TooFew {
        /// How many there are.
        texts: usize,
        /// How many words they must have.
        words: usize,
    },
}

/// What texts must have for a metric.
fn words(need: Need) -> &'static str {
    match need {
        Need::Evidence => {
            "texts whose deciding words are known, or pictures whose deciding part is: those of a file with a column of evidence, \
             or of the embedded corpus"
        }
        Need::Polarity => {
            "words that people have judged, as in the trees of the Stanford Sentiment Treebank (.txt)"
        }
        Need::OtherLabel => "another label",
        Need::Randomized => "models with random weights",
    }
}
