//! A table of the tokens, below the heat map.

use maud::{Markup, html as markup};

use relprop_explain::{Explanation, TokenRelevance};

use super::number_cell;
use crate::numbers::{Numbers, Scale};

/// Every token with its relevance in every explanation.
pub(super) fn tokens(explanations: &[Explanation]) -> Markup {
    let scales: Vec<(&Explanation, Scale, Numbers)> = explanations
        .iter()
        .map(|explanation| {
            let scale = Scale::of_tokens(explanation);
            (explanation, scale, scale.numbers())
        })
        .collect();
    let tokens = explanations.first().map_or(&[][..], |main| &main.tokens);
    let pictures = explanations
        .iter()
        .any(|one| one.subject.picture().is_some());
    let places = if pictures { "pixels" } else { "characters" };
    markup! {
        details.all-tokens {
            summary { "All " (tokens.len()) " tokens" }
            div.scroll tabindex="0" role="group" aria-label="Tokens" {
                table {
                    thead {
                        tr {
                            th scope="col" { "token" }
                            th scope="col" { (places) }
                            @for (explanation, ..) in &scales {
                                th.number scope="col" { (explanation.title()) }
                            }
                        }
                    }
                    tbody {
                        @for (index, token) in tokens.iter().enumerate() {
                            tr.special[token.special] {
                                th scope="row" lang="" { (token.text) }
                                td.place {
                                    @if let Some([x, y, width, height]) = token.area {
                                        (x) "–" (x + width) ", " (y) "–" (y + height)
                                    }
                                    @if token.start < token.end { (token.start) "–" (token.end) }
                                }
                                @for (explanation, scale, numbers) in &scales {
                                    (cell(explanation.tokens.get(index), *scale, *numbers))
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// A token's relevance in one explanation, which may have fewer tokens.
fn cell(token: Option<&TokenRelevance>, scale: Scale, numbers: Numbers) -> Markup {
    match token {
        Some(token) => number_cell(token.relevance, scale, numbers),
        None => markup! { td {} },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::explanation;

    #[test]
    fn every_token_has_a_row_and_every_rule_set_a_column() {
        let main = explanation("a b", &[("a", 1.0), ("b", -2.0)]);
        let mut other = main.clone();
        other.tokens.truncate(2);
        let table = tokens(&[main, other]).into_string();
        assert_eq!(table.matches("<tr").count(), 1 + 4);
        assert!(table.contains("<td class=\"place\">2–3</td>"), "{table}");
        assert!(table.contains("<td class=\"number w against s50\">−2.00</td><td></td>"));
        assert!(table.contains(
            "<tr class=\"special\"><th scope=\"row\" lang=\"\">[CLS]</th><td class=\"place\"></td>"
        ));
    }
}
