//! What every writer shows of two texts, or two pictures, that are alike.

use std::borrow::Cow;

use relprop_explain::{
    Explanation, LRP, Measure, SCHEMA, Score, SimilarText, Similarity, TargetValue,
};
use relprop_transformer::Probabilities;

/// The measure that was explained, and its value.
pub(crate) fn measure(similarity: &Similarity) -> (&'static str, f32) {
    match similarity.measure {
        Measure::Cosine => ("cosine", similarity.cosine),
        Measure::Dot => ("dot product", similarity.dot),
    }
}

/// Each text or picture with the relevance of its words or patches for the measure.
pub(crate) fn explanations(similarity: &Similarity) -> [Explanation; 2] {
    let (name, value) = measure(similarity);
    similarity.texts.each_ref().map(|text| Explanation {
        schema: SCHEMA.to_owned(),
        text: text.text.clone(),
        subject: text.subject,
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
        ledger: text.ledger.clone(),
    })
}

/// What relevance is shown of: words, or patches.
pub(crate) fn units(similarity: &Similarity) -> &'static str {
    match similarity.texts[0].subject.picture() {
        None => "words",
        Some(_) => "patches",
    }
}

/// The words of a text; of a picture, the places of its patches.
fn names(text: &SimilarText) -> Vec<Cow<'_, str>> {
    match text.subject.picture() {
        None => text.words.iter().map(|word| (&*word.text).into()).collect(),
        Some(_) => {
            let patches = text.tokens.iter().filter(|token| token.area.is_some());
            let place = |name: &str| format!("row {}", name.replace(',', " column "));
            patches.map(|patch| place(&patch.text).into()).collect()
        }
    }
}

/// A pair of words, or of patches.
pub(crate) struct Pair<'s> {
    /// The place of each among the words, or patches, of its text.
    pub(crate) places: [usize; 2],
    pub(crate) names: [Cow<'s, str>; 2],
    /// In units of the measure.
    pub(crate) relevance: f32,
}

/// The pairs of words, or of patches, that are the most relevant: at most `count`, the strongest first.
pub(crate) fn strongest(similarity: &Similarity, count: usize) -> Vec<Pair<'_>> {
    let rows = similarity.word_interaction.iter().enumerate();
    let mut pairs: Vec<([usize; 2], f32)> = rows
        .flat_map(|(i, row)| {
            let row = row.iter().enumerate();
            row.map(move |(j, relevance)| ([i, j], *relevance))
        })
        .collect();
    pairs.sort_by(|a, b| b.1.abs().total_cmp(&a.1.abs()));
    pairs.truncate(count);
    let unit = unit(similarity);
    let [first, second] = similarity.texts.each_ref().map(names);
    let pairs = pairs.into_iter().map(|([i, j], relevance)| Pair {
        places: [i, j],
        names: [first[i].clone(), second[j].clone()],
        relevance: relevance * unit,
    });
    pairs.collect()
}

/// What a pair's relevance is multiplied by to be in units of the measure.
pub(crate) fn unit(similarity: &Similarity) -> f32 {
    let (_, value) = measure(similarity);
    let product = similarity.account.product as f32;
    if product == 0.0 { 1.0 } else { value / product }
}
