//! How strong a relevance is within its text, and how it is written.

use relprop_explain::{Explanation, Score};

/// Maps the relevance of one text to `[-1, 1]`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Scale {
    largest: f32,
}

impl Scale {
    /// The scale on which the strongest word of this text, or patch of this picture, is 1 or -1.
    pub fn of(explanation: &Explanation) -> Self {
        let words = explanation.words.iter().map(|word| word.relevance);
        let patches = explanation.patches().map(|patch| patch.relevance);
        Self {
            largest: largest(words.chain(patches)),
        }
    }

    /// The scale on which the strongest token of this text is 1 or -1.
    pub fn of_tokens(explanation: &Explanation) -> Self {
        Self {
            largest: largest(explanation.tokens.iter().map(|token| token.relevance)),
        }
    }

    /// The largest absolute relevance of a word; 0 if there is none.
    pub fn largest(self) -> f32 {
        self.largest
    }

    /// Relevance as a fraction of the largest, in `[-1, 1]`.
    ///
    /// 0 where nothing is relevant and for NaN, so that a picture can always be drawn.
    pub fn shade(self, relevance: f32) -> f32 {
        if relevance.is_nan() || relevance == 0.0 {
            0.0
        } else if self.largest == 0.0 {
            // Only an infinity is left over here: `largest` looks at finite numbers alone.
            relevance.signum()
        } else {
            (relevance / self.largest).clamp(-1.0, 1.0)
        }
    }
}

/// Writes the numbers of one text with the same number of decimals: `+1.23`, `-0.40`, `0.00`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Numbers {
    /// So many digits behind the point.
    Decimals(usize),
    /// One digit, a point, one digit, and a power of ten.
    Scientific,
}

impl Numbers {
    /// The format that suits numbers of which the largest has this absolute value.
    ///
    /// Two decimals in the usual range; fewer for large numbers, and for small ones as many as
    /// show two digits of the largest.
    pub fn up_to(largest: f32) -> Self {
        match largest {
            0.0 => Self::Decimals(2),
            ..1e-4 => Self::Scientific,
            ..1e-3 => Self::Decimals(5),
            ..1e-2 => Self::Decimals(4),
            ..1e-1 => Self::Decimals(3),
            ..1e2 => Self::Decimals(2),
            ..1e3 => Self::Decimals(1),
            ..1e6 => Self::Decimals(0),
            _ => Self::Scientific,
        }
    }

    /// A number with its sign. What rounds to zero has none: `0.00`, never `-0.00`.
    pub fn signed(self, value: f32) -> String {
        let text = match self {
            Self::Decimals(decimals) => format!("{value:+.decimals$}"),
            Self::Scientific if value == 0.0 => "0".into(),
            Self::Scientific => format!("{value:+.1e}"),
        };
        if text.chars().all(|c| matches!(c, '+' | '-' | '.' | '0')) {
            text.trim_start_matches(['+', '-']).into()
        } else {
            text
        }
    }

    /// Whether a number is written as zero.
    pub fn is_zero(self, value: f32) -> bool {
        self.signed(value) == self.signed(0.0)
    }
}

/// The largest absolute value among the finite ones; 0 if there is none.
pub(super) fn largest(values: impl Iterator<Item = f32>) -> f32 {
    values
        .filter(|value| value.is_finite())
        .fold(0.0, |largest, value| largest.max(value.abs()))
}

/// The probability of the predicted label: the one that is given, or the softmax of the logits.
///
/// `None` where that says nothing: fewer than two logits, logits that are not finite, or a
/// prediction that is not among the labels.
pub(super) fn probability(explanation: &Explanation) -> Option<f32> {
    let Explanation {
        logits,
        labels,
        prediction,
        ..
    } = explanation;
    if explanation.probability.is_some() {
        return explanation.probability;
    }
    let predicted = *logits.get(labels.iter().position(|label| label == prediction)?)?;
    if logits.len() < 2 || logits.iter().any(|logit| !logit.is_finite()) {
        return None;
    }
    // Relative to the predicted logit: as it is the largest, nothing overflows.
    let sum: f32 = logits.iter().map(|logit| (logit - predicted).exp()).sum();
    Some(1.0 / sum)
}

/// What the model predicted, and what is explained, as it is shown: a token in quotes, for it may be
/// a space.
pub(super) fn names(explanation: &Explanation) -> (String, String) {
    let Explanation {
        prediction, target, ..
    } = explanation;
    let unit = match target.score {
        Score::Logit => "",
        Score::LogProbability => "log p of ",
    };
    match explanation.position {
        None => (prediction.clone(), format!("{unit}{}", target.label)),
        Some(_) => (
            format!("{prediction:?}"),
            format!("{unit}{:?}", target.label),
        ),
    }
}

/// A fraction in percent, with so many decimals: `98.2 %`. The space does not break.
pub(super) fn percent(fraction: f32, decimals: usize) -> String {
    format!("{:.decimals$}\u{a0}%", fraction * 100.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::explanation;

    #[test]
    fn the_strongest_word_has_the_full_shade() {
        let scale = Scale::of(&explanation("a b", &[("a", 0.5), ("b", -2.0)]));
        assert_eq!((scale.shade(0.5), scale.shade(-2.0)), (0.25, -1.0));
        assert_eq!(scale.shade(9.0), 1.0);
    }

    #[test]
    fn nothing_relevant_is_no_division_by_zero() {
        let scale = Scale::of(&explanation("a b", &[("a", 0.0), ("b", -0.0)]));
        assert_eq!((scale.shade(0.0), scale.shade(-0.0)), (0.0, 0.0));
        assert_eq!(scale.shade(f32::NAN), 0.0);
    }

    #[test]
    fn an_infinity_does_not_bleach_the_other_words() {
        let scale = Scale::of(&explanation("a b", &[("a", f32::NEG_INFINITY), ("b", 2.0)]));
        assert_eq!(
            (scale.shade(f32::NEG_INFINITY), scale.shade(2.0)),
            (-1.0, 1.0)
        );
    }

    #[test]
    fn numbers_are_signed_and_short() {
        let write = |largest, value| Numbers::up_to(largest).signed(value);
        assert_eq!(write(2.0, 1.234), "+1.23");
        assert_eq!(write(2.0, -0.4), "-0.40");
        assert_eq!(write(2.0, -0.001), "0.00");
        assert_eq!(write(0.0, 0.0), "0.00");
        assert_eq!(write(0.05, 0.012), "+0.012");
        assert_eq!(write(12_345.0, 12_345.4), "+12345");
        assert_eq!(write(2e-7, -2e-7), "-2.0e-7");
        assert_eq!(write(2e-7, 0.0), "0");
        assert_eq!(write(2.0, f32::NAN), "NaN");
        assert_eq!(write(2.0, f32::INFINITY), "+inf");
    }

    #[test]
    fn the_probability_is_the_softmax() {
        let mut sample = explanation("a", &[("a", 1.0)]);
        sample.logits = vec![-1.9, 2.1];
        assert_eq!(percent(probability(&sample).unwrap(), 1), "98.2\u{a0}%");
        sample.logits = vec![-1000.0, 1000.0];
        assert_eq!(probability(&sample), Some(1.0));
        sample.logits = vec![f32::NAN, 2.1];
        assert_eq!(probability(&sample), None);
        sample.logits.clear();
        assert_eq!(probability(&sample), None);
    }
}
