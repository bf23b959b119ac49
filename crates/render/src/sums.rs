//! Sums of relevance over the words, over the special tokens and over all tokens, beside the target.

use relprop_explain::{Explanation, Score};

use crate::header::is_propagated;
use crate::numbers::{Numbers, largest, percent};

/// The sums that stand under a heat map.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Sums {
    /// Whether they are of a picture, whose words are its patches.
    pub picture: bool,
    /// Whether relevance is in units of the target, because it was propagated from it.
    pub propagated: bool,
    /// The sum over all words.
    pub words: f32,
    /// The sum over special tokens, such as `[CLS]`.
    pub special: f32,
    /// The sum over tokens that are neither special nor part of a word.
    pub other: f32,
    /// The sums over the source and over the output, where a model reads both.
    pub parts: Option<[(&'static str, f32); 2]>,
    /// The sum over all tokens.
    pub total: f32,
    /// The value that was explained.
    pub target: f32,
    /// How it was measured.
    pub score: Score,
}

impl Sums {
    /// Adds up an explanation.
    pub fn of(explanation: &Explanation) -> Self {
        let total = explanation.total();
        let words = explanation.words.iter().map(|word| word.relevance);
        let patches = explanation.patches().map(|patch| patch.relevance);
        let words: f32 = words.chain(patches).sum();
        let special: f32 = explanation
            .tokens
            .iter()
            .filter(|t| t.special)
            .map(|t| t.relevance)
            .sum();
        let other = total - words - special;
        Self {
            picture: explanation.subject.picture().is_some(),
            propagated: is_propagated(explanation),
            words,
            special,
            other,
            parts: match &explanation.parts[..] {
                [a, b] => Some([a, b].map(|part| (part.name.name(), part.relevance))),
                _ => None,
            },
            total,
            target: explanation.target.value,
            score: explanation.target.score,
        }
    }

    /// How its numbers are written.
    pub fn numbers(&self) -> Numbers {
        Numbers::up_to(largest([self.total, self.target].into_iter()))
    }

    /// The fraction of the target that the tokens hold.
    ///
    /// It may be negative or above 1. `None` for a target that is written as zero, where the fraction
    /// would be noise, and for a method that measures relevance in a unit of its own.
    pub fn share(&self) -> Option<f32> {
        let share = self.total / self.target;
        let zero = self.numbers().is_zero(self.target);
        (self.propagated && share.is_finite() && !zero).then_some(share)
    }

    /// The sums by name, in the order in which they are shown. Tokens outside words are listed
    /// only where they hold something.
    pub fn named(&self) -> Vec<(&'static str, String)> {
        let numbers = self.numbers();
        let words = if self.picture { "patches" } else { "words" };
        let mut sums = vec![(words, numbers.signed(self.words))];
        sums.push(("special tokens", numbers.signed(self.special)));
        if !numbers.is_zero(self.other) {
            sums.push(("other tokens", numbers.signed(self.other)));
        }
        let parts = self.parts.iter().flatten();
        sums.extend(parts.map(|(name, sum)| (*name, numbers.signed(*sum))));
        sums.push(("total", numbers.signed(self.total)));
        sums
    }

    /// How much of the target the tokens hold, as a sentence without its full stop.
    pub fn held(&self) -> String {
        let numbers = self.numbers();
        let (total, target) = (numbers.signed(self.total), numbers.signed(self.target));
        if !self.propagated {
            return format!(
                "tokens hold {total} together; the target is {target}, and the method need not make \
                 the two equal"
            );
        }
        let held = format!("tokens hold {total} of {target}");
        let Some(share) = self.share() else {
            return held;
        };
        let written = percent(share, 0);
        let missing = match share {
            _ if written == percent(1.0, 0) => return format!("{held} ({written})"),
            0.0..1.0 => "the rest",
            // The tokens hold more than the target, or the opposite sign, so the difference is not
            // a rest.
            _ => "the difference",
        };
        let bent = match self.score {
            Score::Logit | Score::Norm => "",
            Score::LogProbability => {
                "; a log-probability is no sum of logits, so some sits in the softmax"
            }
            Score::Entropy => "; an entropy is no sum of logits, so some sits in the probabilities",
        };
        format!(
            "{held} ({written}); {missing} sits in biases and in operations whose rule does not \
             conserve{bent}"
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::{by_method, explanation};

    #[test]
    fn words_special_tokens_and_the_total_are_added_up() {
        let mut sample = explanation("warm film", &[("warm", 1.25), ("film", 0.5)]);
        sample.tokens[0].relevance = -0.25;
        sample.tokens.last_mut().unwrap().relevance = 0.125;
        sample.target.value = 2.0;
        let sums = Sums::of(&sample);
        assert_eq!((sums.words, sums.special, sums.other), (1.75, -0.125, 0.0));
        assert_eq!((sums.total, sums.share()), (1.625, Some(0.8125)));
        let names: Vec<_> = sums.named().into_iter().map(|(name, _)| name).collect();
        assert_eq!(names, ["words", "special tokens", "total"]);
    }

    #[test]
    fn the_two_parts_are_named() {
        let mut sample = explanation("warm\nfilm", &[("warm", 1.25), ("film", 0.5)]);
        let part = |name, tokens, relevance| relprop_explain::Part {
            name,
            tokens,
            relevance,
        };
        sample.parts = vec![
            part(relprop_explain::PartName::Source, [0, 2], 1.25),
            part(relprop_explain::PartName::Output, [2, 4], 0.5),
        ];
        let named = Sums::of(&sample).named();
        assert!(named.contains(&("source", "+1.25".into())), "{named:?}");
        assert!(named.contains(&("output", "+0.50".into())), "{named:?}");
    }

    #[test]
    fn tokens_outside_words_are_named() {
        let mut sample = explanation("warm film", &[("warm", 1.25), ("film", 0.5)]);
        sample.words.pop();
        assert_eq!(
            Sums::of(&sample).named()[2],
            ("other tokens", "+0.50".into())
        );
    }

    #[test]
    fn the_sentence_fits_every_share() {
        let held = |total, target| {
            let mut sample = explanation("a", &[("a", total)]);
            sample.target.value = target;
            Sums::of(&sample).held()
        };
        assert_eq!(
            held(1.7, 2.1),
            "tokens hold +1.70 of +2.10 (81\u{a0}%); the rest sits in biases and in operations whose \
             rule does not conserve"
        );
        assert_eq!(held(2.1, 2.1), "tokens hold +2.10 of +2.10 (100\u{a0}%)");
        assert!(held(4.2, 2.1).contains("(200\u{a0}%); the difference sits in"));
        assert!(held(-1.0, 2.0).contains("(-50\u{a0}%); the difference sits in"));
        assert_eq!(held(1.0, 0.0), "tokens hold +1.00 of 0.00");
        assert_eq!(held(f32::NAN, 2.0), "tokens hold NaN of +2.00");
    }

    /// What is no sum of logits cannot add up, and the sentence says so.
    #[test]
    fn the_sentence_names_what_is_no_sum() {
        let mut sample = explanation("a", &[("a", 1.0)]);
        sample.target.value = 2.0;
        for (score, said) in [
            (Score::LogProbability, "a log-probability is no sum"),
            (Score::Entropy, "an entropy is no sum"),
        ] {
            sample.target.score = score;
            let held = Sums::of(&sample).held();
            assert!(held.contains(said), "{held}");
        }
        sample.target.score = Score::Norm;
        assert!(Sums::of(&sample).held().ends_with("does not conserve"));
    }

    #[test]
    fn other_methods_promise_no_share_of_the_target() {
        let sums = Sums::of(&by_method("gae"));
        assert_eq!(sums.share(), None);
        assert_eq!(
            sums.held(),
            "tokens hold +1.00 together; the target is +2.10, and the method need not make the two \
             equal"
        );
    }
}
