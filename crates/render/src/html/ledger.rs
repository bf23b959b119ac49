//! The ledger of a target: a waterfall from the tokens to the target, and how relevance moves from
//! layer to layer.

use maud::{Markup, html as markup};

use relprop_explain::{Explanation, Layer, Ledger};

use super::{minus, shaded};
use crate::ledger::{by_kind, closing, lines, numbers};
use crate::numbers::Scale;

/// The waterfall and the layers, for an explanation that has a ledger.
pub(super) fn ledger(explanation: &Explanation) -> Markup {
    let Some(ledger) = &explanation.ledger else {
        return markup! {};
    };
    let layers = &ledger.layers;
    let heads = layers.iter().any(|layer| !layer.heads.is_empty());
    markup! {
        details.ledger open {
            summary { "The parts of the target" }
            (waterfall(ledger))
            p.note {
                "By kind: " (minus(&by_kind(ledger))) ". " (capital(&minus(&closing(ledger)))) "."
            }
        }
        details.layers open {
            summary { "Relevance from layer to layer" }
            (tokens_of(explanation, layers))
        }
        @if heads {
            details.heads open {
                summary { "Relevance that each attention head passes on" }
                (heads_of(layers))
            }
        }
    }
}

/// A bar for each line. It starts where the bar above it ends; the last one is the target, from zero.
fn waterfall(ledger: &Ledger) -> Markup {
    let numbers = numbers(ledger);
    let mut bars = Vec::new();
    let mut end = 0.0;
    for line in lines(ledger) {
        let start = end;
        end += line.relevance;
        bars.push((line.label, line.relevance, start, end));
    }
    bars.push(("target".to_owned(), ledger.target, 0.0, ledger.target));
    let ends = || bars.iter().flat_map(|(.., start, end)| [*start, *end]);
    let low = ends().fold(0.0, f64::min);
    let high = ends().fold(0.0, f64::max);
    let span = if high > low { high - low } else { 1.0 };
    let percent = |value: f64| 100.0 * (value - low) / span;
    markup! {
        div.waterfall {
            @for (label, value, start, end) in &bars {
                @let class = if *value < 0.0 { "against" } else { "for" };
                @let (left, right) = (percent(start.min(*end)), percent(start.max(*end)));
                div.step.total[label == "target"] {
                    span { (label) }
                    span.number { (minus(&numbers.signed(*value as f32))) }
                    svg.track aria-hidden="true" {
                        rect.zero x=(format!("{:.2}%", percent(0.0))) width="1" height="100%" {}
                        rect class=(class) x=(format!("{left:.2}%")) y="15%" height="70%"
                            width=(format!("{:.2}%", (right - left).max(0.2))) {}
                    }
                }
            }
        }
    }
}

/// One row for each layer, one column for each token; the layer nearest to the target is on top.
fn tokens_of(explanation: &Explanation, layers: &[Layer]) -> Markup {
    let all = layers.iter().flat_map(|layer| layer.tokens.iter().copied());
    let scale = Scale::of_all(all);
    let numbers = scale.numbers();
    let names = explanation.tokens.iter().map(|token| &token.text);
    markup! {
        div.scroll tabindex="0" role="group" aria-label="Layers against tokens" {
            table.cells {
                tbody {
                    @for layer in layers.iter().rev() {
                        tr {
                            th scope="row" { (layer.site) }
                            @if layer.tokens.len() == explanation.tokens.len() {
                                @for (relevance, name) in layer.tokens.iter().zip(names.clone()) {
                                    (cell(*relevance, scale, name))
                                }
                            } @else {
                                td colspan=(explanation.tokens.len()) {
                                    (layer.tokens.len()) " tokens, each made of several"
                                }
                            }
                            td.number { (minus(&numbers.signed(layer.tokens.iter().sum()))) }
                        }
                    }
                    tr.names {
                        td {}
                        @for name in names.clone() { th scope="col" lang="" { span { (name) } } }
                        th.number { "sum" }
                    }
                }
            }
        }
    }
}

/// One row for each layer, one column for each head.
fn heads_of(layers: &[Layer]) -> Markup {
    let scale = Scale::of_all(layers.iter().flat_map(|layer| layer.heads.iter().copied()));
    markup! {
        div.scroll tabindex="0" role="group" aria-label="Layers against heads" {
            table.cells {
                tbody {
                    @for layer in layers.iter().rev().filter(|layer| !layer.heads.is_empty()) {
                        tr {
                            th scope="row" { "after " (layer.site) }
                            @for (head, relevance) in layer.heads.iter().enumerate() {
                                (cell(*relevance, scale, &format!("head {head}")))
                            }
                        }
                    }
                }
            }
        }
    }
}

/// A square in its color, whose number is shown when it is pointed at.
fn cell(relevance: f32, scale: Scale, name: &str) -> Markup {
    let shade = scale.shade(relevance);
    let title = format!("{name} {}", minus(&scale.numbers().signed(relevance)));
    markup! {
        td class={ "w " (shaded(shade)) } title=(title) {}
    }
}

/// A sentence's first letter in upper case.
fn capital(sentence: &str) -> String {
    let mut letters = sentence.chars();
    let first = letters
        .next()
        .map(|letter| letter.to_uppercase().to_string());
    first.unwrap_or_default() + letters.as_str()
}

#[cfg(test)]
mod tests {
    use crate::fixtures;
    use crate::html::tests::report;

    #[test]
    fn the_waterfall_ends_at_the_target_and_every_layer_has_its_row() {
        let mut explained = fixtures::explanation("warm", &[("warm", 1.7)]);
        assert!(!report(&[explained.clone()], &[]).contains("waterfall\""));
        explained.ledger = Some(fixtures::ledger());
        let page = report(&[explained], &[]);
        assert!(page.contains("<span>target</span><span class=\"number\">+2.10</span>"));
        assert!(page.contains("bias at 2 more sites"));
        for site in ["blocks", "encoder.0.output", "after blocks"] {
            assert!(
                page.contains(&format!("<th scope=\"row\">{site}</th>")),
                "{site}"
            );
        }
        assert!(page.contains("title=\"head 1 −0.50\""));
        assert!(page.contains("The account closes"));
    }
}
