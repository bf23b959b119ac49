//! Two texts that are alike, with a table of their words against each other.

use maud::html as markup;
use relprop_explain::Similarity;

use super::words::words;
use super::{Html, number_cell};
use crate::numbers::Scale;
use crate::similarity::{explanations, measure, unit};

/// A heat map of each text, and a table of pairs of words: a row for each word of the first text, a column
/// for each of the second.
pub fn similarity_html(similarity: &Similarity) -> Html {
    let (name, value) = measure(similarity);
    let facts = [
        ("Model", similarity.model.family.clone()),
        ("Measure", format!("{name} {value:+.3}")),
        ("Rules", similarity.by.clone()),
        ("Read at", similarity.at.clone()),
        ("Version", format!("relprop {}", similarity.version)),
    ];
    let facts = facts.map(|(name, value)| (name.to_owned(), value));
    let unit = unit(similarity);
    let rows = similarity.word_interaction.iter();
    let rows: Vec<Vec<f32>> = rows
        .map(|row| row.iter().map(|relevance| relevance * unit).collect())
        .collect();
    let largest = rows.iter().flatten().fold(0.0_f32, |a, b| a.max(b.abs()));
    let scale = Scale::of_all(std::iter::once(largest));
    let numbers = scale.numbers();
    let [first, second] = explanations(similarity);
    let account = &similarity.account;
    let share = |part: f64| format!("{:+.3}", part as f32 * unit);
    let body = markup! {
        section.guide {
            p {
                "A " b.for { "blue" } " word makes the two texts more alike to the model, a " b.against { "red" }
                " one less. In the table, each number says how much a word of the first text and a word of the "
                "second do so together."
            }
        }
        article {
            @for text in [&first, &second] { (words(text, &[], true)) }
            div.scroll tabindex="0" role="group" aria-label="Words against words" {
                table {
                    thead {
                        tr {
                            th scope="col" { "word" }
                            @for word in &second.words { th.number scope="col" lang="" { (word.text) } }
                        }
                    }
                    tbody {
                        @for (word, row) in first.words.iter().zip(&rows) {
                            tr {
                                th scope="row" lang="" { (word.text) }
                                @for relevance in row { (number_cell(*relevance, scale, numbers)) }
                            }
                        }
                    }
                }
            }
            p {
                "Of the " (name) " " (format!("{value:+.3}")) ", pairs of tokens hold " (share(account.pairs))
                ", tokens with biases of the other side "
                (share(account.first_with_biases + account.second_with_biases))
                ", and biases with biases " (share(account.biases)) "."
            }
        }
    };
    Html::new("Why the two texts are alike", &facts, true, &body)
}
