//! What stands above a heat map, for all writers.

use relprop_explain::{Explanation, Score, probability};
use relprop_transformer::{Probabilities, TextEnd};

use crate::numbers::Numbers;

/// What a model decided on one text, and how that decision was explained.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Header<'a> {
    /// The label or the token that the model predicts. A token is in quotes, because it may be a
    /// space.
    pub prediction: String,
    /// The probability that the model gives to its prediction, in `[0, 1]`; none if it is not
    /// known.
    pub probability: Option<f32>,
    /// The label or token that was explained, with the unit of its value if that is no logit.
    pub target: String,
    /// The value of the target, with its sign.
    pub value: String,
    /// How it was explained.
    pub ways: Vec<Way<'a>>,
}

/// One fact of how an explanation was made: the method, its rules, or its site.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Way<'a> {
    /// What the fact is about: `Method`, `Rules`, `Read at`.
    pub name: &'static str,
    /// The fact: `lrp`, `ah-ln`, `blocks`.
    pub value: &'a str,
}

impl<'a> Header<'a> {
    /// The header of an explanation.
    pub fn of(explanation: &'a Explanation) -> Self {
        let target = &explanation.target;
        // Only a language model has a position, and its outputs are tokens.
        let quoted = |name: &str| match explanation.position {
            Some(_) => format!("{name:?}"),
            None => name.to_owned(),
        };
        let asked = match target.score {
            Score::Logit => quoted(&target.label),
            Score::LogProbability => format!("log p of {}", quoted(&target.label)),
            Score::Entropy => "the entropy of the prediction".to_owned(),
            Score::Norm => "the norm of the state that the head reads".to_owned(),
        };
        Self {
            prediction: quoted(&explanation.prediction),
            probability: predicted(explanation),
            target: asked,
            value: Numbers::up_to(target.value.abs()).signed(target.value),
            ways: ways(explanation),
        }
    }
}

/// The method, then its rules and the site at which it reads relevance, if it has them.
fn ways(explanation: &Explanation) -> Vec<Way<'_>> {
    let ways = [
        ("Method", &explanation.method),
        ("Rules", &explanation.rules),
        ("Read at", &explanation.at),
    ];
    let ways = ways.map(|(name, value)| Way { name, value });
    let known = ways.into_iter().filter(|way| !way.value.is_empty());
    known.collect()
}

/// Whether relevance was propagated by rules, so that it is in units of the target.
pub(crate) fn is_propagated(explanation: &Explanation) -> bool {
    !explanation.rules.is_empty()
}

/// Names and values for the top of a page: where explanations like this one come from.
pub fn facts(explanation: &Explanation) -> Vec<(String, String)> {
    let Explanation {
        model,
        device,
        version,
        ..
    } = explanation;
    let hash = model.sha256.as_deref();
    let weights = hash.map(|hash| hash.get(..12).unwrap_or(hash).to_owned());
    let mut facts = vec![("Model", model.family.clone())];
    facts.extend(weights.map(|hash| ("Weights", hash)));
    let ways = ways(explanation).into_iter();
    facts.extend(ways.map(|way| (way.name, way.value.to_owned())));
    facts.push(("Device", device.clone()));
    facts.push(("Version", format!("relprop {version}")));
    let facts = facts.into_iter();
    facts
        .map(|(name, value)| (name.to_owned(), value))
        .collect()
}

/// The sentence, without its full stop, that says how many tokens the model did not read. None if
/// it read all.
pub(crate) fn dropped(explanation: &Explanation) -> Option<String> {
    let tokens = match explanation.dropped_tokens {
        0 => return None,
        1 => "1 token was".to_owned(),
        count => format!("{count} tokens were"),
    };
    let end = explanation.dropped_from.unwrap_or(TextEnd::End);
    Some(format!(
        "{tokens} dropped from the {end} of the text, because the model has no position for more"
    ))
}

/// The sentence, without its full stop, that says in how many windows the model read the text. None if it read it at
/// once.
pub(crate) fn windows(explanation: &Explanation) -> Option<String> {
    match explanation.windows {
        0 => None,
        count => Some(format!(
            "the text is longer than the model reads: logits and relevance are means over {count} windows that \
             overlap by half"
        )),
    }
}

/// Every label with its probability, the likeliest first; none where probabilities do not follow from the logits
/// that are known, as those of the likeliest tokens.
pub(crate) fn probabilities(explanation: &Explanation) -> Vec<(&str, f32)> {
    let Explanation { logits, labels, .. } = explanation;
    let whole = explanation.probability.is_none()
        && labels.len() == logits.len()
        && logits.len() > 1
        && logits.iter().all(|logit| logit.is_finite());
    let found = whole
        .then(|| explanation.probabilities.of(logits))
        .flatten();
    let found = found
        .into_iter()
        .flatten()
        .map(|probability| probability as f32);
    let mut labeled: Vec<_> = labels.iter().map(String::as_str).zip(found).collect();
    labeled.sort_by(|a, b| b.1.total_cmp(&a.1));
    labeled
}

/// The probability of the prediction: as the explanation gives it, or as it follows from its logits.
///
/// `None` where that says nothing: fewer than two logits under a softmax, logits that are not finite, or a
/// prediction that is not among the labels.
fn predicted(explanation: &Explanation) -> Option<f32> {
    let Explanation {
        logits,
        labels,
        prediction,
        ..
    } = explanation;
    if explanation.probability.is_some() {
        return explanation.probability;
    }
    let index = labels.iter().position(|label| label == prediction)?;
    if explanation.probabilities != Probabilities::Softmax {
        let found = explanation.probabilities.at(logits, index);
        return found.map(|probability| probability as f32);
    }
    if index >= logits.len() || logits.len() < 2 || logits.iter().any(|logit| !logit.is_finite()) {
        return None;
    }
    Some(probability(logits, index) as f32)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::{by_method, explanation, next_token};
    use crate::numbers::percent;

    fn named(explanation: &Explanation) -> Vec<(&str, &str)> {
        let ways = ways(explanation).into_iter();
        ways.map(|way| (way.name, way.value)).collect()
    }

    #[test]
    fn a_method_says_what_it_has_and_nothing_else() {
        let propagated = explanation("a", &[("a", 1.0)]);
        let all = [("Method", "lrp"), ("Rules", "ah-ln"), ("Read at", "blocks")];
        assert_eq!(named(&propagated), all);
        assert_eq!(named(&by_method("gae")), [("Method", "gae")]);
        assert_eq!(facts(&by_method("gae"))[2], ("Method".into(), "gae".into()));
    }

    #[test]
    fn tokens_are_quoted_and_labels_are_not() {
        let header = |explanation: &Explanation| {
            let header = Header::of(explanation);
            (header.prediction, header.target)
        };
        let mut sample = explanation("a", &[("a", 1.0)]);
        assert_eq!(header(&sample), ("positive".into(), "positive".into()));
        sample.target.score = Score::LogProbability;
        assert_eq!(header(&sample).1, "log p of positive");
        sample.target.score = Score::Entropy;
        assert_eq!(header(&sample).1, "the entropy of the prediction");
        assert_eq!(
            header(&next_token()),
            ("\" are\"".into(), "\" are\"".into())
        );
    }

    #[test]
    fn the_end_that_was_cut_is_that_of_the_head() {
        let mut sample = explanation("a", &[("a", 1.0)]);
        assert_eq!(dropped(&sample), None);
        sample.dropped_tokens = 1;
        let said = dropped(&sample).unwrap();
        assert!(
            said.starts_with("1 token was dropped from the end of the text"),
            "{said}"
        );
        sample.dropped_from = Some(TextEnd::Start);
        sample.dropped_tokens = 2;
        let said = dropped(&sample).unwrap();
        assert!(
            said.starts_with("2 tokens were dropped from the start of the text"),
            "{said}"
        );
    }

    #[test]
    fn labels_are_sorted_by_probability_and_those_of_tokens_are_unknown() {
        let mut sample = explanation("a", &[("a", 1.0)]);
        sample.logits = vec![-1.9, 2.1];
        let found = probabilities(&sample);
        assert_eq!((found[0].0, found[1].0), ("positive", "negative"));
        assert!((found[0].1 + found[1].1 - 1.0).abs() < 1e-6);
        sample.logits[0] = f32::NAN;
        assert!(probabilities(&sample).is_empty());
        assert!(probabilities(&next_token()).is_empty());
    }

    #[test]
    fn the_probability_is_the_softmax() {
        let mut sample = explanation("a", &[("a", 1.0)]);
        sample.logits = vec![-1.9, 2.1];
        assert_eq!(percent(predicted(&sample).unwrap(), 1), "98.2\u{a0}%");
        sample.logits = vec![-1000.0, 1000.0];
        assert_eq!(predicted(&sample), Some(1.0));
        sample.logits = vec![f32::NAN, 2.1];
        assert_eq!(predicted(&sample), None);
        sample.logits.clear();
        assert_eq!(predicted(&sample), None);
    }
}
