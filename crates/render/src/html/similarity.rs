//! Two texts that are alike, with a table of their words against each other; or two pictures, with lines between patches.

use std::slice;

use image::DynamicImage;
use maud::{Markup, html as markup};
use relprop_explain::{Explanation, Similarity};

use super::patches::{Linked, linked};
use super::words::words;
use super::{Html, Item, number_cell, report};
use crate::numbers::Scale;
use crate::similarity::{explanations, measure, strongest, unit};

/// How many pairs of patches are joined by lines, and how many are listed.
const LINES: usize = 30;
const LISTED: usize = 10;

/// A heat map of each text, and a table of pairs of words: a row for each word of the first text, a column
/// for each of the second. Of two pictures, a heat map of each over it, if the `pictures` are given, the strongest pairs of patches as
/// lines between both, and a list of the strongest of all.
pub fn similarity_html(similarity: &Similarity, pictures: Option<[&DynamicImage; 2]>) -> Html {
    let (name, value) = measure(similarity);
    let facts = [
        ("Model", similarity.model.family.clone()),
        ("Measure", format!("{name} {value:+.3}")),
        ("Rules", similarity.by.clone()),
        ("Read at", similarity.at.clone()),
        ("Version", format!("relprop {}", similarity.version)),
    ];
    let facts = facts.map(|(name, value)| (name.to_owned(), value));
    let both = explanations(similarity);
    match similarity.texts[0].subject.picture() {
        None => {
            let body = of_texts(similarity, &both);
            Html::new("Why the two texts are alike", &facts, true, &body)
        }
        Some(_) => of_pictures(similarity, &both, pictures, &facts),
    }
}

fn of_texts(similarity: &Similarity, both: &[Explanation; 2]) -> Markup {
    let unit = unit(similarity);
    let rows = similarity.word_interaction.iter();
    let rows: Vec<Vec<f32>> = rows
        .map(|row| row.iter().map(|relevance| relevance * unit).collect())
        .collect();
    let largest = rows.iter().flatten().fold(0.0_f32, |a, b| a.max(b.abs()));
    let scale = Scale::of_all(std::iter::once(largest));
    let numbers = scale.numbers();
    let [first, second] = both;
    markup! {
        section.guide {
            p {
                "A " b.for { "blue" } " word makes the two texts more alike to the model, a " b.against { "red" }
                " one less. In the table, each number says how much a word of the first text and a word of the "
                "second do so together."
            }
        }
        article {
            @for text in both { (words(text, &[], true)) }
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
            (account(similarity, "tokens"))
        }
    }
}

fn of_pictures(
    similarity: &Similarity,
    both: &[Explanation; 2],
    pictures: Option<[&DynamicImage; 2]>,
    facts: &[(String, String)],
) -> Html {
    let items = [0, 1].map(|index| Item {
        explanations: slice::from_ref(&both[index]),
        note: None,
        evidence: &[],
        picture: pictures.map(|both| both[index]),
    });
    let maps = report::body(&items);
    let pairs = strongest(similarity, LINES);
    let largest = pairs.first().map_or(0.0, |pair| pair.relevance.abs());
    let scale = Scale::of_all(std::iter::once(largest));
    let numbers = scale.numbers();
    let drawn: Vec<Linked> = pairs
        .iter()
        .map(|pair| Linked {
            places: pair.places,
            shade: scale.shade(pair.relevance),
            title: format!(
                "{} - {} {}",
                pair.names[0],
                pair.names[1],
                numbers.signed(pair.relevance)
            ),
        })
        .collect();
    let body = markup! {
        (maps)
        article {
            h2 { "Patches of both together" }
            p {
                "A " b.for { "blue" } " line joins two patches that make the pictures more alike together, a "
                b.against { "red" } " one two that make them less alike. The " (pairs.len()) " strongest are drawn."
            }
            (linked(both, pictures, &drawn))
            div.scroll tabindex="0" role="group" aria-label="Pairs of patches" {
                table {
                    thead {
                        tr {
                            th scope="col" { "first picture" }
                            th scope="col" { "second picture" }
                            th.number scope="col" { "relevance" }
                        }
                    }
                    tbody {
                        @for pair in pairs.iter().take(LISTED) {
                            tr {
                                th scope="row" { (pair.names[0]) }
                                td { (pair.names[1]) }
                                (number_cell(pair.relevance, scale, numbers))
                            }
                        }
                    }
                }
            }
            (account(similarity, "patches"))
        }
    };
    Html::new("Why the two pictures are alike", facts, true, &body)
}

/// Where the measure comes from.
fn account(similarity: &Similarity, units: &str) -> Markup {
    let (name, value) = measure(similarity);
    let (account, unit) = (&similarity.account, unit(similarity));
    let share = |part: f64| format!("{:+.3}", part as f32 * unit);
    markup! {
        p {
            "Of the " (name) " " (format!("{value:+.3}")) ", pairs of " (units) " hold " (share(account.pairs))
            ", " (units) " with biases of the other side "
            (share(account.first_with_biases + account.second_with_biases))
            ", and biases with biases " (share(account.biases)) "."
        }
    }
}
