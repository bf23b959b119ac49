//! Tests of what all pages and fragments have in common.

use std::ops::Range;

use image::{DynamicImage, Rgb, RgbImage};
use relprop_explain::Explanation;

use super::*;
use crate::fixtures::{by_method, continuation, explanation, ledger, picture, results};

pub fn report(explanations: &[Explanation], evidence: &[Range<usize>]) -> String {
    let items = [Item {
        explanations,
        note: Some("a & b"),
        evidence,
        picture: None,
    }];
    let report = Report {
        title: "T <i>",
        facts: &[("Model".into(), "x<y".into())],
        items: &items,
    };
    html(&report).page()
}

#[test]
fn every_text_is_escaped() {
    let text = "<script>alert(\"x\")</script> & 'so'";
    let mut sample = explanation(text, &[("<script>", 1.0), ("\"", -1.0), ("&", 0.1)]);
    sample.tokens[1].text = "<script>".into();
    sample.labels[1] = "<b>".into();
    sample.prediction = "<b>".into();
    sample.target.label = "<b>\"".into();
    sample.rules = "\"><u>".into();
    let page = report(&[sample.clone(), sample], &[]);
    for tag in [
        "<script",
        "<i>",
        "<b>",
        "<u>",
        "x<y",
        "a & b",
        "title=\"\"\"",
    ] {
        assert!(!page.contains(tag), "{tag} is not escaped");
    }
    assert!(page.contains("title=\"&lt;script&gt; +1.00\""), "{page}");
    assert!(page.contains("a &amp; b"));
}

#[test]
fn the_page_needs_nothing_from_outside() {
    let page = report(&[explanation("a", &[("a", 1.0)])], &[]);
    for sign in ["http", "src=", "href=", "url(", "@import"] {
        assert!(!page.contains(sign), "{sign} is in the page");
    }
    assert!(page.starts_with("<!DOCTYPE html><html lang=\"en\">"));
}

#[test]
fn other_rules_are_compared_and_tabled() {
    let main = explanation("a", &[("a", 1.05)]);
    let mut other = explanation("a", &[("a", -4.2)]);
    other.rules = "libra".into();
    let page = report(&[main, other], &[]);
    assert!(
        page.contains("<strong>libra</strong><p class=\"number\">−4.20"),
        "{page}"
    );
    assert!(page.contains("−200\u{a0}% of the target"));
    assert!(page.contains("<th class=\"number\" scope=\"col\">libra</th>"));
    assert!(page.contains("The tokens hold +1.05 of +2.10 (50\u{a0}%); the rest sits in"));
}

#[test]
fn nothing_relevant_and_nothing_at_all_are_pages_too() {
    let page = report(&[explanation("a", &[("a", 0.0)])], &[]);
    assert!(
        page.contains("class=\"w for s0\"") && !page.contains("NaN"),
        "{page}"
    );
    assert!(!report(&[], &[]).contains("<article>"));
    assert!(report(&[explanation("", &[])], &[]).contains("<article>"));
}

#[test]
fn a_method_is_not_called_propagation() {
    let page = report(&[by_method("gae")], &[]);
    assert!(
        page.contains("<div><dt>Method</dt><dd>gae</dd></div></dl>"),
        "{page}"
    );
    for word in [
        "Rules",
        "Read at",
        "propagation",
        "units of the target",
        "the rest",
    ] {
        assert!(!page.contains(word), "{word}");
    }
}

/// Everything that can be on a page.
fn pages() -> Vec<Html> {
    let mut accounted = explanation("a warm film", &[("warm", 1.7)]);
    accounted.ledger = Some(ledger());
    let of = |explanations: &[Explanation]| {
        let items = [Item {
            explanations,
            note: Some("a note"),
            evidence: std::slice::from_ref(&(0..3)),
            picture: None,
        }];
        let report = Report {
            title: "",
            facts: &[],
            items: &items,
        };
        html(&report)
    };
    vec![
        of(&[accounted, by_method("gae")]),
        of(&[picture(), picture()]),
        continuation_html(&continuation()),
        evaluation_html(&results(), &[], "relprop evaluate"),
    ]
}

/// The selectors of a style sheet, one by one, those within `@media` too.
fn selectors(style: &str) -> Vec<&str> {
    let before_braces = style.split('{').map(|part| {
        let part = part.rsplit(['}', ';']).next().unwrap_or_default();
        part.trim()
    });
    let rules = before_braces.filter(|rule| !rule.is_empty() && !rule.starts_with('@'));
    rules
        .flat_map(|rule| rule.split(','))
        .map(str::trim)
        .collect()
}

#[test]
fn every_selector_starts_with_the_class() {
    let all = selectors(&STYLE);
    assert!(all.len() > 80, "{}", all.len());
    for selector in all {
        let rest = selector.strip_prefix(".relprop");
        let rest = rest.unwrap_or_else(|| panic!("{selector} reaches the whole page"));
        assert!(
            rest.is_empty() || rest.starts_with([' ', '.']),
            "{selector}"
        );
    }
    assert_eq!(
        selectors("@media print { a, .relprop b { c: d; } } e > f { g: h }"),
        ["a", ".relprop b", "e > f"]
    );
}

#[test]
fn a_fragment_is_one_element_without_ids() {
    for html in pages() {
        let fragment = html.fragment();
        assert!(fragment.starts_with("<div class=\"relprop"), "{fragment}");
        for sign in [
            "<html", "<head", "<body", "<script", "<main", " id=", "href=\"#",
        ] {
            assert!(!fragment.contains(sign), "{sign} is in {fragment}");
        }
        let (opened, closed) = (
            fragment.matches("<div").count(),
            fragment.matches("</div>").count(),
        );
        assert_eq!(opened, closed);
    }
}

#[test]
fn a_page_is_the_fragment_in_a_frame() {
    for html in pages() {
        let (page, fragment) = (html.page(), html.fragment());
        let inside = |text: &str| text[text.find("<style>").unwrap()..].to_owned();
        assert_eq!(inside(&page), inside(&fragment) + "</body></html>");
    }
}

#[test]
fn fragments_in_one_document_keep_their_own_pictures() {
    let fragment = |level| {
        let drawn = DynamicImage::ImageRgb8(RgbImage::from_pixel(6, 4, Rgb([level; 3])));
        let items = [Item {
            explanations: &[picture()],
            note: None,
            evidence: &[],
            picture: Some(&drawn),
        }];
        let report = Report {
            title: "",
            facts: &[],
            items: &items,
        };
        html(&report).fragment()
    };
    let (dark, light) = (fragment(10), fragment(200));
    let data = |fragment: &str| {
        let start = fragment.find("--picture:url(data:").unwrap();
        let length = fragment[start..].find(')').unwrap();
        fragment[start..start + length].to_owned()
    };
    assert_ne!(data(&dark), data(&light));
    let document = dark.clone() + &light;
    assert_eq!(document.matches(&data(&dark)).count(), 1);
    assert_eq!(document.matches(&data(&light)).count(), 1);
    assert_eq!(document.matches(" id=").count(), 0);
}
