//! Explanations of texts or pictures, one below the other.

use std::ops::Range;

use image::DynamicImage;
use maud::{Markup, html as markup};
use relprop_explain::Explanation;

use super::{Html, bar, ledger::ledger, minus, patches, ranked, tokens::tokens, words::words};
use crate::header::{Header, dropped, is_propagated, probabilities, windows};
use crate::hops;
use crate::numbers::percent;
use crate::sums::Sums;

/// How many labels stand beside the predicted one.
const LABELS: usize = 5;

/// What one report shows.
#[derive(Clone, Copy, Debug)]
pub struct Report<'a> {
    /// The heading, and the title of the browser's tab; no heading if it is empty.
    pub title: &'a str,
    /// Names and values for the top of the report, such as [`facts`](crate::facts) gives.
    pub facts: &'a [(String, String)],
    /// The texts, in the order shown. An item without explanations is left out.
    pub items: &'a [Item<'a>],
}

/// One text, or picture, of a report.
#[derive(Clone, Copy, Debug)]
pub struct Item<'a> {
    /// One or several explanations of the same text, say under several rule sets; the first is the
    /// main one.
    pub explanations: &'a [Explanation],
    /// A remark below the heat map.
    pub note: Option<&'a str>,
    /// Known evidence, underlined: ranges of the text in characters, in any order.
    pub evidence: &'a [Range<usize>],
    /// The picture that was explained. Without it, a heat map of patches is drawn on nothing.
    pub picture: Option<&'a DynamicImage>,
}

/// The heat maps of texts or pictures, each with its prediction, its sums and a table of its tokens.
pub fn html(report: &Report) -> Html {
    Html::new(report.title, report.facts, false, &body(report.items))
}

/// How to read heat maps, and those of all items.
pub(super) fn body(all: &[Item]) -> Markup {
    let items = || all.iter().filter(|item| !item.explanations.is_empty());
    let main = || items().map(|item| &item.explanations[0]);
    // Pictures and texts are counted by themselves.
    let number = |index: usize| {
        let is_picture = |item: &Item| item.explanations[0].subject.picture().is_some();
        let all: Vec<bool> = items().map(is_picture).collect();
        let before = all[..index].iter();
        1 + before.filter(|kind| **kind == all[index]).count()
    };
    let guide = Guide {
        kind: match main()
            .filter(|main| main.subject.picture().is_some())
            .count()
        {
            0 => ["text", "texts", "word", "words"],
            count if count == main().count() => ["picture", "pictures", "patch", "patches"],
            _ => [
                "picture or text",
                "pictures or texts",
                "patch or word",
                "patches or words",
            ],
        },
        propagated: main().all(is_propagated),
        several: items().any(|item| item.explanations.len() > 1),
        evidence: items().any(|item| !item.evidence.is_empty()),
    };
    markup! {
        (guide.markup())
        @for (index, item) in items().enumerate() { (article(number(index), item)) }
    }
}

/// How to read a heat map.
struct Guide {
    /// What heat maps are of, one and several, and what they consist of, one and several.
    kind: [&'static str; 4],
    /// Whether all of them were made by propagation.
    propagated: bool,
    /// Whether a text has several explanations.
    several: bool,
    /// Whether known evidence is underlined.
    evidence: bool,
}

impl Guide {
    fn markup(&self) -> Markup {
        let [thing, things, part, parts] = self.kind;
        markup! {
            section.guide {
                h2 { "How to read this" }
                p {
                    "The model turned each " (thing) " into one number, the target. "
                    @if self.propagated {
                        "Relevance propagation follows that number back to the " (parts) ": a "
                    } @else {
                        "The method says how much each " (part) " matters for that number: a "
                    }
                    b.for { "blue" } " " (part) " speaks for the target, and a "
                    b.against { "red" } " " (part) " speaks against it. The deeper the color, the more "
                    "relevant the " (part) ". The deepest color marks the strongest " (part) " of each "
                    (thing) ", so compare colors within one " (thing) " only. "
                    @if self.propagated {
                        "Numbers are in units of the target and can be compared between " (things) ". "
                        "Where they add up to less or more than the target, biases and operations "
                        "whose rule does not conserve hold the difference."
                    } @else {
                        "Numbers are in the method's own unit."
                    }
                    @if self.evidence { " Words that are " span.evidence { "underlined" } " are known evidence." }
                    @if self.several {
                        " Below each " (thing) " stand other explanations of the same decision."
                    }
                }
                div.legend {
                    span { "against the target" }
                    span.gradient {}
                    span { "for the target" }
                }
            }
        }
    }
}

/// One text or picture: the decision, the heat map, the sums, other explanations, the tokens.
fn article(number: usize, item: &Item) -> Markup {
    let Some((main, others)) = item.explanations.split_first() else {
        return markup! {};
    };
    markup! {
        article style=[item.picture.map(patches::style)] {
            h2 { @if main.subject.picture().is_some() { "Picture " } @else { "Text " } (number) }
            (decision(main))
            @if let Some(info) = main.subject.picture() {
                p.note { (main.text) }
                div.pictures {
                    @if item.picture.is_some() { (patches::picture(info)) }
                    (patches::map(main, info, item.picture.is_some()))
                }
            } @else {
                (words(main, item.evidence, true))
            }
            (ranked::segments(&main.segments))
            (sums(main))
            @for hop in hops::lines(main) { p.note { (minus(&hop)) "." } }
            (ledger(main))
            @for note in [dropped(main), windows(main)].into_iter().flatten() { p.note { (note) "." } }
            @if let Some(note) = item.note { p.note { (note) } }
            @if !others.is_empty() {
                section.others {
                    h3 { "Other explanations of this decision" }
                    @for other in others { (comparison(other, item)) }
                }
            }
            (tokens(item.explanations))
        }
    }
}

/// The prediction and its probability, the target, and how it was explained.
fn decision(explanation: &Explanation) -> Markup {
    let header = Header::of(explanation);
    markup! {
        dl.decision {
            div {
                dt { "Prediction" }
                dd {
                    strong { (header.prediction) }
                    @if let Some(probability) = header.probability {
                        " " span.number { (percent(probability, 1)) }
                        (bar(probability))
                    }
                }
            }
            div { dt { "Target" } dd { (header.target) " " span.number { (minus(&header.value)) } } }
            @for way in &header.ways { div { dt { (way.name) } dd { (way.value) } } }
        }
        (others(explanation))
    }
}

/// The other labels and their probabilities, where there are any, the likeliest first.
fn others(explanation: &Explanation) -> Markup {
    let probabilities = probabilities(explanation);
    let rest = || {
        probabilities
            .iter()
            .filter(|(label, _)| *label != explanation.prediction)
    };
    markup! {
        @if rest().next().is_some() {
            ul.labels {
                @for (label, probability) in rest().take(LABELS) {
                    li data-label=(label) { (label) " " span.number { (percent(*probability, 1)) } (bar(*probability)) }
                }
            }
        }
    }
}

/// The sums below a heat map.
fn sums(explanation: &Explanation) -> Markup {
    let sums = Sums::of(explanation);
    markup! {
        p.sums {
            @for (name, sum) in &sums.named() { span { (name) " " span.number { (minus(sum)) } } }
            span.held { "The " (minus(&sums.held())) "." }
        }
    }
}

/// One of the other explanations: its name and sums beside a small heat map.
fn comparison(explanation: &Explanation, item: &Item) -> Markup {
    let sums = Sums::of(explanation);
    let total = minus(&sums.numbers().signed(sums.total));
    markup! {
        div.other {
            div {
                strong { (explanation.title()) }
                p.number {
                    (total)
                    @if let Some(share) = sums.share() {
                        span.share { (minus(&percent(share, 0))) " of the target" }
                    }
                }
            }
            @if let Some(info) = explanation.subject.picture() {
                (patches::map(explanation, info, item.picture.is_some()))
            } @else {
                (words(explanation, item.evidence, false))
            }
        }
    }
}
