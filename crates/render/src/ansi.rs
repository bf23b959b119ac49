//! A heat map for the terminal.

use anstyle::Style;

use super::account::Account;
use super::flow::flow;
use super::ledger;
use super::numbers::{Numbers, Scale, names, percent, probability};
use super::page::{PLAIN, Page};
use super::palette::{step, style};
use super::patches;
use super::segments::segments;
use relprop_explain::Explanation;

/// The narrowest picture: the legend fits.
const NARROWEST: usize = 24;
const BOLD: Style = Style::new().bold();
const DIMMED: Style = Style::new().dimmed();

/// A heat map of one explanation, at most `width` columns wide; it ends with a newline.
///
/// Of a picture, a map of its patches. Under each word stands its relevance. With `colour`, the background of a word shows it too:
/// blue for the target, red against it. Without, the text holds no escape code, and a row of one
/// to five signs takes the place of the colour. A `width` below 24 is taken as 24.
///
/// Control characters in the text are shown as symbols, so no text can talk to the terminal.
pub fn ansi(explanation: &Explanation, width: usize, colour: bool) -> String {
    let mut page = Page::new(width.max(NARROWEST), colour);
    header(&mut page, explanation);
    page.end_line();
    match &explanation.picture {
        None => heat_map(&mut page, explanation),
        Some(picture) => patches::map(&mut page, explanation, picture),
    }
    footer(&mut page, explanation);
    page.finish()
}

/// What was predicted, what is explained, and how.
fn header(page: &mut Page, explanation: &Explanation) {
    let (prediction, label) = names(explanation);
    let Explanation {
        target,
        method,
        rules,
        at,
        ..
    } = explanation;
    let sure = probability(explanation)
        .map(|p| format!(" ({})", percent(p, 1)))
        .unwrap_or_default();
    let value = Numbers::up_to(target.value.abs()).signed(target.value);
    let explained = format!("target {label} = {value}");
    page.parts(&[format!("{prediction}{sure}"), explained], BOLD);
    let mut by = vec![method.clone()];
    // Not every method goes by rules, or reads relevance at a site.
    by.extend((!rules.is_empty()).then(|| format!("rules {rules}")));
    by.extend((!at.is_empty()).then(|| format!("read at {at}")));
    page.paragraph(&by.join(", "), DIMMED);
}

/// The lines of the text, each with a row of numbers and, without colour, a row of signs.
fn heat_map(page: &mut Page, explanation: &Explanation) {
    let scale = Scale::of(explanation);
    let numbers = Numbers::up_to(scale.largest());
    let lines = flow(&segments(explanation), page.width(), |relevance| {
        numbers.signed(relevance)
    });
    for line in lines {
        page.row(&line, |cell| {
            let style = cell
                .relevance
                .map_or(PLAIN, |relevance| style(scale.shade(relevance)));
            Some((cell.text.clone(), style))
        });
        if line.iter().any(|cell| cell.number.is_some()) {
            page.row(&line, |cell| {
                let relevance = cell.number?;
                let weak = step(scale.shade(relevance)) == 0;
                Some((numbers.signed(relevance), if weak { DIMMED } else { PLAIN }))
            });
            if !page.colour() {
                page.row(&line, |cell| {
                    let shade = scale.shade(cell.number?);
                    let sign = if shade > 0.0 { "+" } else { "-" };
                    Some((sign.repeat(step(shade)), PLAIN))
                });
            }
        }
        page.end_line();
    }
}

/// The sums, what is missing of the target, and the legend.
fn footer(page: &mut Page, explanation: &Explanation) {
    let account = Account::of(explanation);
    let sums: Vec<String> = account
        .sums()
        .into_iter()
        .map(|(name, sum)| format!("{name} {sum}"))
        .collect();
    page.parts(&sums, PLAIN);
    match &explanation.ledger {
        Some(account) => ledger::ansi(page, account),
        None => page.paragraph(&account.held(), PLAIN),
    }
    if let Some(dropped) = dropped(explanation) {
        page.paragraph(&dropped, PLAIN);
    }
    if page.colour() {
        page.write("blue: for", style(1.0));
        page.write("  ", PLAIN);
        page.write("red: against", style(-1.0));
    } else if explanation.picture.is_some() {
        page.write(&patches::legend(), PLAIN);
    } else {
        page.write("+++ for  --- against", PLAIN);
    }
    page.end_line();
}

/// How many tokens the model did not see; `None` if it saw all.
pub(super) fn dropped(explanation: &Explanation) -> Option<String> {
    let tokens = match explanation.dropped_tokens {
        0 => return None,
        1 => "1 token was".into(),
        count => format!("{count} tokens were"),
    };
    Some(format!(
        "{tokens} dropped from the {}: the model has no position for more",
        match explanation.position {
            Some(_) => "start",
            None => "end",
        }
    ))
}

#[cfg(test)]
mod tests {
    use unicode_width::UnicodeWidthStr;

    use super::*;
    use crate::sample::{self, explanation};

    fn film() -> Explanation {
        let words = [
            ("a", 0.02),
            ("warm", 1.2),
            (",", 0.0),
            ("funny", 0.9),
            ("film", -0.4),
        ];
        explanation("a warm, funny film .", &words)
    }

    /// Texts that are hard to lay out.
    fn hard() -> Vec<Explanation> {
        let long = "x".repeat(90);
        let mut hostile = explanation("\x1b[31mred\u{202e} \r\n\x07bell", &[("red", 1.0)]);
        hostile.prediction = format!("\x1b[2J{long}");
        let mut dropped = explanation("one two three four", &[("one", 1.0), ("two", -1.0)]);
        dropped.dropped_tokens = 2;
        vec![
            film(),
            explanation("", &[]),
            explanation(
                "映画はとても良かった👍🏽 e\u{301}te\u{301}",
                &[
                    ("映画", 0.8),
                    ("は", 0.01),
                    ("とても", 0.3),
                    ("良かった", 1.9),
                    ("👍🏽", 0.7),
                    ("e\u{301}te\u{301}", -0.1),
                ],
            ),
            explanation(&long, &[(&long, 2.0)]),
            explanation("a b", &[("a", f32::NAN), ("b", f32::NEG_INFINITY)]),
            explanation(
                "a b c d e f g h i j k",
                &[("a", 1e-9), ("d", 3e8), ("e", -3e8), ("f", 1.0)],
            ),
            hostile,
            dropped,
        ]
    }

    /// The text without its escape codes.
    fn stripped(text: &str) -> String {
        let mut parts = text.split('\x1b');
        let first = parts.next().unwrap_or_default().to_string();
        parts.fold(first, |text, part| text + part.split_once('m').unwrap().1)
    }

    #[test]
    fn without_colour_signs_tell_the_strength() {
        insta::assert_snapshot!(ansi(&film(), 30, false), @"
        positive (98.2 %)
        target positive = +2.10
        lrp, rules ah-ln, read at
        blocks

        a     warm  ,     funny film .
        +0.02 +1.20 0.00  +0.90 -0.40
              +++++       ++++  --

        words +1.72
        special tokens 0.00
        total +1.72
        tokens hold +1.72 of +2.10
        (82 %); the rest sits in
        biases and in operations whose
        rule does not conserve
        +++ for  --- against
        ");
    }

    #[test]
    fn a_picture_is_a_map_of_its_patches() {
        insta::assert_snapshot!(ansi(&sample::picture(), 60, false), @"
        positive (98.2 %)   target positive = +2.10
        lrp, rules ah-ln, read at blocks

        boat.png

         +5 -3
          .  .

        strongest: row 0 column 0 +2.00, row 0 column 1 -1.00, row 1
        column 0 0.00, row 1 column 1 0.00
        patches +1.00   special tokens 0.00   total +1.00
        tokens hold +1.00 of +2.10 (48 %); the rest sits in biases
        and in operations whose rule does not conserve
        +1 to +5 for, -1 to -5 against
        ");
        let coloured = ansi(&sample::picture(), 60, true);
        assert!(
            coloured.contains("\x1b[38;5;231m\x1b[48;5;25m  \x1b[0m"),
            "{coloured:?}"
        );
        assert!(ansi(&sample::picture(), 24, false).contains("\n +5 -3\n"));
    }

    #[test]
    fn colour_adds_escape_codes_and_nothing_else() {
        let coloured = ansi(&film(), 60, true);
        assert!(
            coloured.contains("\x1b[38;5;231m\x1b[48;5;25mwarm\x1b[0m"),
            "{coloured:?}"
        );
        assert!(
            coloured.contains("\x1b[48;5;217mfilm\x1b[0m"),
            "{coloured:?}"
        );
        insta::assert_snapshot!(stripped(&coloured), @"
        positive (98.2 %)   target positive = +2.10
        lrp, rules ah-ln, read at blocks

        a     warm  ,     funny film .
        +0.02 +1.20 0.00  +0.90 -0.40

        words +1.72   special tokens 0.00   total +1.72
        tokens hold +1.72 of +2.10 (82 %); the rest sits in biases
        and in operations whose rule does not conserve
        blue: for  red: against
        ");
    }

    #[test]
    fn no_escape_codes_without_colour() {
        for explanation in hard() {
            let text = ansi(&explanation, 40, false);
            assert!(
                text.chars().all(|c| c == '\n' || !c.is_control()),
                "{text:?}"
            );
        }
    }

    #[test]
    fn every_line_fits_the_width() {
        for explanation in hard() {
            for (width, colour) in [
                (0, false),
                (24, true),
                (33, false),
                (80, true),
                (500, false),
            ] {
                for line in stripped(&ansi(&explanation, width, colour)).lines() {
                    assert!(line.width() <= width.max(NARROWEST), "{width}: {line:?}");
                    assert_eq!(line.trim_end(), line);
                }
            }
        }
    }

    #[test]
    fn numbers_start_in_the_column_of_their_word() {
        let text = ansi(&hard()[2], 80, false);
        let (words, numbers) = (text.lines().nth(3).unwrap(), text.lines().nth(4).unwrap());
        for (word, number) in [
            ("映画", "+0.80"),
            ("とても", "+0.30"),
            ("👍🏽", "+0.70"),
            ("e\u{301}", "-0.10"),
        ] {
            let column = words[..words.find(word).unwrap()].width();
            assert_eq!(
                numbers.find(number),
                Some(column),
                "{word}\n{words}\n{numbers}"
            );
        }
    }

    #[test]
    fn nothing_of_the_text_is_lost() {
        let text = ansi(&hard()[7], 60, false);
        assert!(text.contains("one   two three four\n"), "{text}");
        assert!(
            text.contains("2 tokens were dropped from the end"),
            "{text}"
        );
    }

    #[test]
    fn zero_relevance_everywhere_is_a_picture_too() {
        let text = ansi(&explanation("a b", &[("a", 0.0), ("b", 0.0)]), 80, true);
        assert!(
            text.contains("words 0.00   special tokens 0.00   total 0.00"),
            "{text}"
        );
        assert!(!text.contains("NaN"), "{text}");
    }
}
