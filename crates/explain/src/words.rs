//! Words, and the relevance of each.

use relprop_transformer::TokenizedText;

use crate::WordRelevance;

/// The words of a text, each with the sum of the relevance of its tokens. Special tokens belong to no
/// word. A text that both stacks of a model read has its words once, with what both hold.
pub fn words(text: &TokenizedText, relevance: &[f32]) -> Vec<WordRelevance> {
    let characters: Vec<char> = text.text.chars().collect();
    let mut words: Vec<(u32, WordRelevance)> = Vec::new();
    for (token, relevance) in text.tokens.iter().zip(relevance) {
        let Some(word) = token.word else { continue };
        let same = match text.source {
            0 => words.last_mut().filter(|(last, _)| *last == word),
            _ => words.iter_mut().find(|(known, _)| *known == word),
        };
        match same {
            Some((_, merged)) => {
                merged.end = merged.end.max(token.end);
                merged.relevance += relevance;
            }
            None => {
                let (start, end, relevance) = (token.start, token.end, *relevance);
                words.push((
                    word,
                    WordRelevance {
                        text: String::new(),
                        start,
                        end,
                        relevance,
                    },
                ));
            }
        }
    }
    let text_of = |word: &WordRelevance| characters[word.start..word.end].iter().collect();
    words
        .into_iter()
        .map(|(_, word)| WordRelevance {
            text: text_of(&word),
            ..word
        })
        .collect()
}
