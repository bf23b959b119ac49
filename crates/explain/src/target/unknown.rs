//! What is said of a target that does not exist.

/// There is no such target, or it could be several.
#[derive(Clone, Debug, Default, PartialEq, Eq, thiserror::Error)]
#[error("{}", self.message())]
pub struct UnknownTarget {
    /// What was asked for.
    pub text: String,
    /// The labels that the model has; none if it is a language model.
    pub labels: Vec<String>,
    /// The tokens into which a language model splits the text.
    pub pieces: Vec<String>,
    /// What it could mean, if it is ambiguous, and how to ask for each meaning.
    pub readings: Vec<String>,
}

impl UnknownTarget {
    fn message(&self) -> String {
        match self.readings.as_slice() {
            [] => format!(
                "there is no target `{}`; {}",
                self.text,
                ways(&self.labels, &self.pieces)
            ),
            readings => format!(
                "the target `{}` is ambiguous: it could be {}",
                self.text,
                readings.join(", or ")
            ),
        }
    }
}

/// What could be asked for instead.
fn ways(labels: &[String], pieces: &[String]) -> String {
    match labels {
        [] if pieces.is_empty() => {
            "give `predicted`, or a token of the model's vocabulary, with its space: \" are\""
                .to_owned()
        }
        [] => {
            let pieces: Vec<_> = pieces.iter().map(|piece| format!("{piece:?}")).collect();
            format!(
                "it is not one token of the model's vocabulary, but {}: give the first of them",
                pieces.join(" and ")
            )
        }
        labels => format!(
            "give `predicted`, a label ({}), its index, or two of them as A-B",
            labels.join(", ")
        ),
    }
}
