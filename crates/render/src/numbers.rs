//! How strong a relevance is within its text, and how it is written.

use relprop_explain::Explanation;

/// Maps relevance to `[-1, 1]`, relative to the strongest relevance that is shown with it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Scale {
    largest: f32,
}

impl Scale {
    /// The scale on which the strongest of these numbers is 1 or -1.
    pub fn of_all(numbers: impl Iterator<Item = f32>) -> Self {
        Self {
            largest: largest(numbers),
        }
    }

    /// The scale on which the strongest word of this text, or patch of this picture, is 1 or -1.
    pub fn of(explanation: &Explanation) -> Self {
        let words = explanation.words.iter().map(|word| word.relevance);
        let patches = explanation.patches().map(|patch| patch.relevance);
        Self::of_all(words.chain(patches))
    }

    /// The scale on which the strongest token of this text is 1 or -1.
    pub fn of_tokens(explanation: &Explanation) -> Self {
        Self::of_all(explanation.tokens.iter().map(|token| token.relevance))
    }

    /// How numbers on this scale are written.
    pub fn numbers(self) -> Numbers {
        Numbers::up_to(self.largest)
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
pub(crate) enum Numbers {
    /// This many digits after the decimal point.
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
        without_sign_of_zero(text)
    }

    /// Whether a number is written as zero.
    pub fn is_zero(self, value: f32) -> bool {
        self.signed(value) == self.signed(0.0)
    }
}

/// What rounds to zero has no sign.
fn without_sign_of_zero(text: String) -> String {
    match text.chars().all(|c| matches!(c, '+' | '-' | '.' | '0')) {
        true => text.trim_start_matches(['+', '-']).into(),
        false => text,
    }
}

/// The largest absolute value among the finite ones; 0 if there is none.
pub(crate) fn largest(values: impl Iterator<Item = f32>) -> f32 {
    values
        .filter(|value| value.is_finite())
        .fold(0.0, |largest, value| largest.max(value.abs()))
}

/// A fraction in percent, with so many decimals: `98.2 %`. The space does not break.
pub(crate) fn percent(fraction: f32, decimals: usize) -> String {
    let number = without_sign_of_zero(format!("{:.decimals$}", fraction * 100.0));
    format!("{number}\u{a0}%")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::explanation;

    #[test]
    fn what_rounds_to_zero_has_no_sign() {
        assert_eq!(percent(-0.004, 0), "0\u{a0}%");
        assert_eq!(percent(-0.004, 1), "-0.4\u{a0}%");
        assert_eq!(Numbers::Decimals(2).signed(-0.004), "0.00");
    }

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
}
