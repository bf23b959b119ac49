//! The words of a text, or the patches of a picture, and which of them are evidence.

use std::ops::Range;

use crate::Case;
use crate::sample::overlap;
use relprop_explain::words;

/// A word, or a patch: its relevance, and whether it is evidence.
pub(in crate::metrics) struct Word {
    pub relevance: f64,
    pub evidence: bool,
    /// How much of it is: all or nothing of a word, and of a patch the share of its area.
    pub share: f64,
}

/// The words of the text before a given answer, or the patches of the picture, the most relevant first; equal ones stay in the
/// order of the text. None if no evidence is known, or if the model reads no word that is evidence.
pub(in crate::metrics) fn ranked(case: &Case) -> Option<Vec<Word>> {
    let mut words = match case.sample.text.picture() {
        None => words_of(case),
        Some(_) => patches_of(case),
    };
    words.sort_by(|a, b| b.relevance.total_cmp(&a.relevance));
    words.iter().any(|word| word.evidence).then_some(words)
}

fn patches_of(case: &Case) -> Vec<Word> {
    let decisive = case.sample.decisive_patches();
    let tokens = case.sample.text.tokens.iter().zip(case.relevance);
    let patches = tokens.filter_map(|(token, relevance)| {
        let patch = token.word? as usize;
        Some(Word {
            relevance: f64::from(*relevance),
            evidence: *decisive.get(patch)?,
            share: case.sample.patches[patch],
        })
    });
    patches.collect()
}

fn words_of(case: &Case) -> Vec<Word> {
    let evidence = &case.sample.evidence;
    let known = |place: Range<usize>| evidence.iter().any(|known| overlap(known, &place));
    let words = words(&case.sample.text, case.relevance);
    let prompt = case.sample.text.tokens.get(case.sample.prompt());
    let end = prompt.map_or(usize::MAX, |first| first.start);
    let words = words.iter().filter(|word| word.start < end);
    let words = words.map(|word| {
        let evidence = known(word.start..word.end);
        Word {
            relevance: word.relevance.into(),
            evidence,
            share: f64::from(u8::from(evidence)),
        }
    });
    words.collect()
}

/// How many words are evidence, and how many of these are among the `count` most relevant words. None as for
/// [`ranked`], and if the text has fewer words.
pub(in crate::metrics) fn among_first(case: &Case, count: usize) -> Option<Among> {
    let words = ranked(case)?;
    let evidence = |words: &[Word]| words.iter().filter(|word| word.evidence).count();
    Some(Among {
        found: evidence(words.get(..count)?),
        evidence: evidence(&words),
    })
}

/// What [`among_first`] counts.
pub(in crate::metrics) struct Among {
    pub found: usize,
    pub evidence: usize,
}

/// How many of the first words a metric of this name looks at: 5 for `iou@5` after `iou@`.
pub(in crate::metrics) fn first_words(name: &str, before: &str) -> Option<usize> {
    let count = name.strip_prefix(before)?.parse().ok()?;
    (count > 0).then_some(count)
}
