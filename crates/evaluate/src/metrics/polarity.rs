//! Correlation with human polarity: does relevance agree with people?

use crate::sample::overlap;
use crate::statistics::pearson;
use crate::{About, Better, Case, Metric, Need, Reading};

/// Pearson's correlation, over the words of a text, of relevance with how much people find that the
/// word speaks for the label (Socher et al. 2013 asked them about every word).
///
/// A word's relevance is the sum over its tokens. A text whose words are all alike, to people or to
/// the method, has no number.
#[derive(Clone, Copy, Debug)]
pub struct HumanPolarity;

impl Metric for HumanPolarity {
    fn about(&self) -> About {
        About::new(
            "polarity",
            "correlation with what people think of each word",
            Better::Higher,
        )
        .needing(Need::Polarity)
    }

    fn read(&self, case: &Case, _: &[&[f32]]) -> Option<Reading> {
        let [mut judged, mut relevance] = [Vec::new(), Vec::new()];
        for word in &case.sample.polarity {
            let tokens = case.sample.text.tokens.iter().zip(case.relevance);
            let of_word = tokens.filter(|(t, _)| overlap(&(t.start..t.end), &word.place));
            let found: Vec<f64> = of_word
                .map(|(_, relevance)| f64::from(*relevance))
                .collect();
            // If a text was cut, its last words were not read.
            if !found.is_empty() {
                judged.push(word.value);
                relevance.push(found.iter().sum());
            }
        }
        pearson(&judged, &relevance).map(Reading::from)
    }
}
