//! What every writer shows of a picture and texts that it was compared with.

use relprop_explain::{ComparedText, Comparison, Explanation};

use crate::numbers::Numbers;

/// The texts, the likeliest first.
pub(crate) fn likeliest(found: &Comparison) -> Vec<&ComparedText> {
    let mut texts: Vec<&ComparedText> = found.texts.iter().collect();
    texts.sort_by(|a, b| b.logit.total_cmp(&a.logit));
    texts
}

/// The cosine and the logit of a text.
pub(crate) fn facts(text: &ComparedText) -> String {
    let logit = Numbers::up_to(text.logit.abs()).signed(text.logit);
    format!("cosine {:+.3}  logit {logit}", text.cosine)
}

/// How many pairs are named.
const PAIRS: usize = 10;

/// The strongest pairs of patches and words, if they were asked for: `row 1 column 2 with red +0.42`.
pub(crate) fn pairs(picture: &Explanation, text: &ComparedText) -> Option<String> {
    let (pairs, of_text) = (text.pairs.as_ref()?, text.explanation.as_ref()?);
    let patches: Vec<&str> = picture.patches().map(|patch| &*patch.text).collect();
    let rows = pairs.word_interaction.iter().zip(patches);
    let mut all: Vec<(&str, &str, f32)> = rows
        .flat_map(|(row, patch)| {
            let row = row.iter().zip(&of_text.words);
            row.map(move |(relevance, word)| (patch, &*word.text, *relevance))
        })
        .collect();
    all.sort_by(|a, b| b.2.abs().total_cmp(&a.2.abs()));
    let numbers = Numbers::up_to(all.first().map_or(0.0, |pair| pair.2.abs()));
    let named = all.iter().take(PAIRS).map(|(patch, word, relevance)| {
        let place = patch.replace(',', " column ");
        format!("row {place} with {word} {}", numbers.signed(*relevance))
    });
    let named: Vec<String> = named.collect();
    Some(format!("strongest pairs: {}", named.join(", ")))
}
