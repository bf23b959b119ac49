//! The table of tokens below a text.

use maud::{Markup, html as markup};

use super::minus;
use crate::numbers::{Numbers, Scale};
use relprop_explain::{Explanation, TokenRelevance};

/// Every token with its relevance under every rule set.
pub(super) fn table(explanations: &[Explanation]) -> Markup {
    let scales: Vec<(&Explanation, Scale, Numbers)> = explanations
        .iter()
        .map(|explanation| {
            let scale = Scale::of_tokens(explanation);
            (explanation, scale, Numbers::up_to(scale.largest()))
        })
        .collect();
    let tokens = explanations.first().map_or(&[][..], |main| &main.tokens);
    let pictures = explanations.iter().any(|one| one.picture.is_some());
    let places = if pictures { "pixels" } else { "characters" };
    markup! {
        details {
            summary { "All " (tokens.len()) " tokens" }
            div.scroll {
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
                                td {
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

/// A token's relevance in the table, tinted like the words.
fn cell(token: Option<&TokenRelevance>, scale: Scale, numbers: Numbers) -> Markup {
    let Some(token) = token else {
        return markup! { td {} };
    };
    let shade = scale.shade(token.relevance);
    markup! {
        td.number.w.against[shade < 0.0].for[shade >= 0.0] style={ (format!("--s:{:.3}", shade.abs())) } {
            (minus(&numbers.signed(token.relevance)))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::explanation;

    #[test]
    fn every_token_has_a_row_and_every_rule_set_a_column() {
        let main = explanation("a b", &[("a", 1.0), ("b", -2.0)]);
        let mut other = main.clone();
        other.tokens.truncate(2);
        let table = table(&[main, other]).into_string();
        assert_eq!(table.matches("<tr").count(), 1 + 4);
        assert!(table.contains("<td>2–3</td>"), "{table}");
        assert!(
            table
                .contains("<td class=\"number w against\" style=\"--s:1.000\">−2.00</td><td></td>")
        );
        assert!(
            table.contains("<tr class=\"special\"><th scope=\"row\" lang=\"\">[CLS]</th><td></td>")
        );
    }
}
