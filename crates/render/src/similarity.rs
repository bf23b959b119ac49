//! What every writer shows of two texts that are alike.

use relprop_explain::{Explanation, LRP, Measure, SCHEMA, Score, Similarity, Subject, TargetValue};
use relprop_transformer::Probabilities;

/// The measure that was explained, and its value.
pub(crate) fn measure(similarity: &Similarity) -> (&'static str, f32) {
    match similarity.measure {
        Measure::Cosine => ("cosine", similarity.cosine),
        Measure::Dot => ("dot product", similarity.dot),
    }
}

/// Each text with the relevance of its words for the measure.
pub(crate) fn explanations(similarity: &Similarity) -> [Explanation; 2] {
    let (name, value) = measure(similarity);
    similarity.texts.each_ref().map(|text| Explanation {
        schema: SCHEMA.to_owned(),
        text: text.text.clone(),
        subject: Subject::TEXT,
        method: LRP.to_owned(),
        rules: similarity.by.clone(),
        at: similarity.at.clone(),
        model: similarity.model.clone(),
        device: similarity.device.clone(),
        version: similarity.version.clone(),
        logits: Vec::new(),
        labels: Vec::new(),
        prediction: format!("{name} {value:+.3}"),
        probability: None,
        probabilities: Probabilities::None,
        answer: None,
        position: None,
        target: TargetValue {
            label: name.to_owned(),
            score: Score::Logit,
            value,
        },
        tokens: text.tokens.clone(),
        parts: Vec::new(),
        words: text.words.clone(),
        dropped_tokens: 0,
        dropped_from: None,
        windows: 0,
        segments: Vec::new(),
        hops: Vec::new(),
        ledger: None,
    })
}

/// The pairs of words that are the most relevant, in units of the measure: at most `count`, the strongest
/// first.
pub(crate) fn strongest(similarity: &Similarity, count: usize) -> Vec<(&str, &str, f32)> {
    let [first, second] = &similarity.texts;
    let rows = similarity.word_interaction.iter().zip(&first.words);
    let mut pairs: Vec<_> = rows
        .flat_map(|(row, word)| {
            let row = row.iter().zip(&second.words);
            row.map(move |(relevance, other)| (&*word.text, &*other.text, *relevance))
        })
        .collect();
    pairs.sort_by(|a, b| b.2.abs().total_cmp(&a.2.abs()));
    pairs.truncate(count);
    let unit = unit(similarity);
    pairs.iter_mut().for_each(|pair| pair.2 *= unit);
    pairs
}

/// What a pair's relevance is multiplied by to be in units of the measure.
pub(crate) fn unit(similarity: &Similarity) -> f32 {
    let (_, value) = measure(similarity);
    let product = similarity.account.product as f32;
    if product == 0.0 { 1.0 } else { value / product }
}
