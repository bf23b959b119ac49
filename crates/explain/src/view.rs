//! Changed versions of a text.

use relprop_transformer::TokenizedText;

/// A version of a text, in which the tokens that are marked `true` are changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum View {
    /// The unknown token replaces them.
    Hidden(Vec<bool>),
    /// They are removed.
    Removed(Vec<bool>),
}

impl View {
    /// The text itself.
    pub fn whole(text: &TokenizedText) -> Self {
        Self::Hidden(vec![false; text.tokens.len()])
    }

    /// The version of `text`, with `unknown` in the place of hidden tokens. A text of which nothing
    /// would be left becomes one unknown token, because a model cannot read an empty text.
    pub fn of(&self, text: &TokenizedText, unknown: u32) -> TokenizedText {
        let mut version = text.clone();
        match self {
            Self::Hidden(marks) => {
                let tokens = version.tokens.iter_mut().zip(marks);
                tokens.for_each(|(token, hidden)| {
                    if *hidden {
                        token.id = unknown;
                    }
                });
            }
            Self::Removed(marks) => {
                let mut kept = marks.iter().map(|removed| !removed);
                version.tokens.retain(|_| kept.next().unwrap_or(true));
                let mut kept = marks.iter().map(|removed| !removed);
                version.types.retain(|_| kept.next().unwrap_or(true));
                // What is asked moves with its tokens. In the place of one that is gone, the one before it is.
                let left = |place: usize| marks[..=place].iter().filter(|gone| !**gone).count();
                let asked = text.asked.iter().filter(|place| **place < marks.len());
                version.asked = asked.map(|&place| left(place).saturating_sub(1)).collect();
                if version.tokens.is_empty() {
                    version.tokens.extend(text.tokens.first().cloned());
                    version.types.extend(text.types.first());
                    version
                        .tokens
                        .iter_mut()
                        .for_each(|token| token.id = unknown);
                }
            }
        }
        version
    }
}
