//! A heat map by itself, for a paper or a slide.

use maud::{Markup, html as markup};
use relprop_explain::{Explanation, PictureInfo};
use unicode_width::UnicodeWidthStr;

use crate::colors::color;
use crate::flow::{Cell, flow};
use crate::numbers::{Numbers, Scale};
use crate::segments::segments;

/// The size of a column, of a line of text, and of the line of numbers below it.
const COLUMN: f32 = 9.0;
const LINE: f32 = 22.0;
const NUMBERS: f32 = 20.0;
/// The size of letters and of digits.
const LETTERS: f32 = 15.0;
const DIGITS: f32 = 11.0;
/// The longer side of a picture.
const PICTURE: f32 = 448.0;

/// A drawing of the words of a text, on lines of at most `columns` letters and with the relevance of
/// each word below it; or of the patches of a picture. Blue is for the target, red against it.
///
/// The drawing has no background and no style sheet, so it can be put on a slide or into a page.
pub fn svg(explanation: &Explanation, columns: usize) -> String {
    match explanation.subject.picture() {
        None => text(explanation, columns.max(1)),
        Some(picture) => patches(explanation, picture),
    }
}

fn text(explanation: &Explanation, columns: usize) -> String {
    let scale = Scale::of(explanation);
    let numbers = scale.numbers();
    let lines = flow(&segments(explanation), columns, |relevance| {
        // Digits are smaller than letters.
        let columns = numbers.signed(relevance).width() as f32;
        (columns * DIGITS / LETTERS).ceil() as usize
    });
    let used = lines.iter().flatten();
    let used = used.map(|cell| cell.column + cell.text.width()).max();
    let width = (used.unwrap_or(1).max(columns)) as f32 * COLUMN;
    let height = lines.len() as f32 * (LINE + NUMBERS);
    let body = markup! {
        g font-family="ui-monospace, 'DejaVu Sans Mono', Menlo, Consolas, monospace" font-size=(LETTERS) {
            @for (index, line) in lines.iter().enumerate() {
                @let top = index as f32 * (LINE + NUMBERS);
                @for cell in line { (word(cell, top, scale, numbers)) }
            }
        }
    };
    drawing(width, height, [width, height], &body)
}

/// A word, or a part of the text between two words, with its color and its number.
fn word(cell: &Cell, top: f32, scale: Scale, numbers: Numbers) -> Markup {
    let left = cell.column as f32 * COLUMN;
    // Fonts differ in the width of their letters: the drawing says how wide the word is.
    let width = cell.text.width() as f32 * COLUMN;
    markup! {
        @if let Some(relevance) = cell.relevance {
            (area([left, top, width, LINE], scale.shade(relevance), ""))
        }
        @if !cell.text.trim().is_empty() {
            text x=(left) y=(top + LETTERS + 1.0) textLength=(width) lengthAdjust="spacingAndGlyphs"
                "xml:space"="preserve" { (cell.text) }
        }
        @if let Some(relevance) = cell.number {
            text x=(left) y=(top + LINE + DIGITS) font-size=(DIGITS) opacity="0.7" {
                (numbers.signed(relevance).replace('-', "−"))
            }
        }
    }
}

fn patches(explanation: &Explanation, picture: &PictureInfo) -> String {
    let scale = Scale::of(explanation);
    let numbers = scale.numbers();
    let [width, height] = [picture.width as f32, picture.height as f32];
    let factor = PICTURE / width.max(height).max(1.0);
    let body = markup! {
        @for patch in explanation.patches() {
            @let title = format!("{} {}", patch.text, numbers.signed(patch.relevance));
            (area(patch.area.unwrap_or_default(), scale.shade(patch.relevance), &title))
        }
    };
    drawing(width * factor, height * factor, [width, height], &body)
}

/// A colored area, whose title is shown when it is pointed at.
fn area([x, y, width, height]: [f32; 4], shade: f32, title: &str) -> Markup {
    let ([red, green, blue], depth) = color(shade);
    let fill = format!("#{red:02x}{green:02x}{blue:02x}");
    let depth = format!("{depth:.3}");
    markup! {
        rect x=(x) y=(y) width=(width) height=(height) fill=(fill) fill-opacity=(depth) {
            @if !title.is_empty() { title { (title) } }
        }
    }
}

/// A drawing of this size on the page, whose own units go from 0 to `units`.
fn drawing(width: f32, height: f32, units: [f32; 2], body: &Markup) -> String {
    let [columns, rows] = units;
    let drawing = markup! {
        svg xmlns="http://www.w3.org/2000/svg" width=(width) height=(height)
            viewBox={ "0 0 " (columns) " " (rows) } fill="currentColor" role="img" {
            (body)
        }
    };
    drawing.into_string() + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::{explanation, picture};

    #[test]
    fn every_word_has_its_area_and_its_number() {
        let sample = explanation("a <warm> film", &[("warm", 2.0), ("film", -1.0)]);
        let drawn = svg(&sample, 40);
        let strong = "<rect x=\"27\" y=\"0\" width=\"36\" height=\"22\" fill=\"#1e64c8\" \
                      fill-opacity=\"0.680\">";
        assert!(drawn.contains(strong), "{drawn}");
        assert!(drawn.contains("fill=\"#d64224\" fill-opacity=\"0.340\""));
        assert!(drawn.contains(">−1.00</text>") && drawn.contains(">+2.00</text>"));
        assert!(drawn.contains("&lt;") && !drawn.contains("<warm"));
        assert!(
            drawn.starts_with(
                "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"360\" height=\"42\""
            )
        );
    }

    #[test]
    fn long_texts_have_several_lines_and_empty_ones_none() {
        let long = ["film"; 9].join(" ");
        let drawn = svg(&explanation(&long, &[("film", 1.0)]), 20);
        assert!(drawn.contains("height=\"126\""), "{drawn}");
        assert!(svg(&explanation("", &[]), 20).contains("height=\"0\""));
    }

    #[test]
    fn patches_keep_the_shape_of_their_picture() {
        let drawn = svg(&picture(), 80);
        assert!(drawn.contains("viewBox=\"0 0 6 4\""), "{drawn}");
        assert_eq!(drawn.matches("<rect").count(), 4);
        assert!(drawn.contains("<title>0,1 -1.00</title>"));
    }
}
