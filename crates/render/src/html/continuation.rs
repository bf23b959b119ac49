//! A table of the new tokens of a continuation against all tokens before them.

use maud::{Markup, html as markup};
use relprop_explain::{Continuation, Step};

use super::{Html, number_cell, ranked};
use crate::continuation::{chosen, ended, names, part_at, scale};
use crate::numbers::percent;

/// A row for each token of a continuation, and a column for each new one.
pub fn continuation_html(continuation: &Continuation) -> Html {
    let facts = [
        ("Model", continuation.model.family.clone()),
        ("Explained by", continuation.by.clone()),
        ("Read at", continuation.at.clone()),
        ("New tokens", chosen(continuation)),
        (
            "The text ends with",
            ended(continuation).unwrap_or_default(),
        ),
        ("Version", format!("relprop {}", continuation.version)),
    ];
    let facts = facts.into_iter().filter(|(_, value)| !value.is_empty());
    let facts = facts.map(|(name, value)| (name.to_owned(), value));
    let tokens = names(continuation);
    let body = markup! {
        section.guide {
            p {
                "Each column is a token that the model added. It shows how relevant the tokens before "
                "were for the logit of that token: a " b.for { "blue" } " token speaks for it, and a "
                b.against { "red" } " token speaks against it. Compare colors within a column only."
            }
        }
        article {
            p { (continuation.text) }
            (ranked::segments(&continuation.segments))
            div.scroll tabindex="0" role="group" aria-label="Tokens against new tokens" {
                table {
                    thead {
                        tr {
                            th scope="col" { "token" }
                            @for step in &continuation.steps {
                                th.number scope="col" {
                                    (tokens[step.token]) " " small { (percent(step.probability, 0)) }
                                }
                            }
                        }
                    }
                    tbody {
                        @for (row, token) in tokens.iter().enumerate() {
                            @if let Some(part) = part_at(continuation, row) {
                                tr { th scope="rowgroup" colspan=(1 + continuation.steps.len()) { (part) } }
                            }
                            tr.special[continuation.tokens[row].special] {
                                th scope="row" lang="" { (token) }
                                @for step in &continuation.steps { (cell(step, row)) }
                            }
                        }
                    }
                }
            }
        }
    };
    Html::new(
        "Why the model went on as it did",
        &facts.collect::<Vec<_>>(),
        true,
        &body,
    )
}

/// The relevance of the token in this row; none for the new token itself and those after it.
fn cell(step: &Step, row: usize) -> Markup {
    match step.relevance.get(row) {
        Some(&relevance) => {
            let scale = scale(step);
            number_cell(relevance, scale, scale.numbers())
        }
        None => markup! { td {} },
    }
}
