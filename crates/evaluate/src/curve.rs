//! Curves over a text of which more and more is hidden, as the released code of Ali et al. 2022 draws
//! them: at a step k = 0, 1, ..., 10 the first ceil(k * 0.1 * N) of N tokens are changed.

use relprop_transformer::TokenizedText;

use super::{Case, Reading, View};

/// The number of points of a curve.
pub const STEPS: usize = 11;

/// Which tokens of a text a curve changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// All of them, special ones too, as Ali et al. 2022 do.
    All,
    /// Those of the text alone: special tokens are left as they are, and N does not count them.
    Text,
}

impl Scope {
    /// The places of these tokens, sorted by `key` of their relevance, the lowest first. Tokens
    /// with equal keys stay in the order of the text. Those that must stay are left out.
    pub(super) fn order(self, case: &Case, key: fn(f32) -> f32) -> Vec<usize> {
        let mut order = self.order_of(&case.sample.text, case.relevance, key);
        order.retain(|&place| case.may_change(place));
        order
    }

    fn order_of(self, text: &TokenizedText, relevance: &[f32], key: fn(f32) -> f32) -> Vec<usize> {
        let tokens = text.tokens.iter().enumerate();
        let chosen = tokens.filter(|(_, token)| self == Self::All || !token.special);
        let mut order: Vec<usize> = chosen.map(|(index, _)| index).collect();
        order.sort_by(|&a, &b| key(relevance[a]).total_cmp(&key(relevance[b])));
        order
    }

    /// The ending of the names of metrics of this scope.
    pub(super) fn suffix(self) -> &'static str {
        match self {
            Self::All => "",
            Self::Text => "-text",
        }
    }
}

/// The key that puts the token of the highest relevance first; signs count.
pub(super) fn highest(relevance: f32) -> f32 {
    -relevance
}

/// The key that puts the token of the lowest relevance first; signs count.
pub(super) fn lowest(relevance: f32) -> f32 {
    relevance
}

/// The key that puts the token of the lowest absolute relevance first.
pub(super) fn weakest(relevance: f32) -> f32 {
    relevance.abs()
}

/// Hides the tokens at `places`.
pub(super) fn hide(text: &TokenizedText, places: &[usize]) -> View {
    View::Hidden(marks(text, places))
}

/// `true` at `places`.
pub(super) fn marks(text: &TokenizedText, places: &[usize]) -> Vec<bool> {
    let mut marks = vec![false; text.tokens.len()];
    places.iter().for_each(|&place| marks[place] = true);
    marks
}

/// The text at each step, from no token of `order` hidden to all, in the order of `order`.
pub(super) fn hiding(text: &TokenizedText, order: &[usize]) -> Vec<View> {
    let counts = (0..STEPS).map(|step| changed(step, order.len()));
    counts.map(|count| hide(text, &order[..count])).collect()
}

/// The text at each step, from no token of `order` shown to all, in the order of `order`.
pub(super) fn showing(text: &TokenizedText, order: &[usize]) -> Vec<View> {
    let counts = (0..STEPS).map(|step| changed(step, order.len()));
    counts.map(|count| hide(text, &order[count..])).collect()
}

/// How many of `count` tokens are changed at a step. The product of fractions is not exact, and the
/// released code rounds it up: with 10 tokens, step 3 changes 4 tokens, here as there.
fn changed(step: usize, count: usize) -> usize {
    let fraction = if step + 1 == STEPS {
        1.0
    } else {
        step as f64 * 0.1
    };
    ((fraction * count as f64).ceil() as usize).min(count)
}

/// The curve of the [response](Case::response), and the area under it. None where no probability follows from
/// logits.
pub(super) fn probabilities(case: &Case, logits: &[&[f32]]) -> Option<Reading> {
    let curve = logits.iter().map(|logits| case.response(logits));
    Some(area_under(curve.collect::<Option<_>>()?))
}

/// A curve, and the area under it.
pub(super) fn area_under(curve: Vec<f64>) -> Reading {
    let value = area(&curve);
    Reading { value, curve }
}

/// The area under a curve whose points are equally far apart in [0, 1], by the trapezoidal rule.
pub fn area(curve: &[f64]) -> f64 {
    let width = 1.0 / (curve.len() - 1) as f64;
    let pairs = curve.windows(2).map(|pair| (pair[0] + pair[1]) / 2.0);
    pairs.sum::<f64>() * width
}

#[cfg(test)]
mod tests {
    use super::*;
    use relprop_transformer::{Content, Token};

    fn text(special: &[bool]) -> TokenizedText {
        let token = |&special: &bool| Token {
            text: String::new(),
            id: 7,
            start: 0,
            end: 0,
            word: None,
            special,
        };
        TokenizedText {
            text: String::new(),
            tokens: special.iter().map(token).collect(),
            types: vec![0; special.len()],
            dropped: 0,
            content: Content::Text { second: None },
            asked: Vec::new(),
            source: 0,
        }
    }

    #[test]
    fn the_area_is_that_of_the_trapezoids() {
        assert!((area(&[1.0; STEPS]) - 1.0).abs() < 1e-12);
        let line: Vec<f64> = (0..STEPS).map(|step| step as f64).collect();
        assert!((area(&line) - 5.0).abs() < 1e-12);
    }

    #[test]
    fn as_many_tokens_change_as_numpy_says() {
        // numpy.ceil(numpy.linspace(0, 1, 11) * n)
        let steps = |count| {
            (0..STEPS)
                .map(|step| changed(step, count))
                .collect::<Vec<_>>()
        };
        assert_eq!(steps(10), [0, 1, 2, 4, 4, 5, 7, 8, 8, 9, 10]);
        assert_eq!(steps(3), [0, 1, 1, 1, 2, 2, 2, 3, 3, 3, 3]);
        assert_eq!(steps(1), [0, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1]);
    }

    #[test]
    fn orders_are_signed_or_absolute_and_stable_and_leave_special_tokens_alone() {
        let relevance = [0.5, -2.0, 0.5, 1.0];
        let text = text(&[false, false, false, true]);
        assert_eq!(
            Scope::All.order_of(&text, &relevance, highest),
            [3, 0, 2, 1]
        );
        assert_eq!(
            Scope::All.order_of(&text, &relevance, weakest),
            [0, 2, 3, 1]
        );
        assert_eq!(Scope::Text.order_of(&text, &relevance, highest), [0, 2, 1]);
        assert_eq!(Scope::Text.order_of(&text, &relevance, lowest), [1, 0, 2]);
    }
}
