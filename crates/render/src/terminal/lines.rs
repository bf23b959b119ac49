//! The lines of a terminal, with color or without.

use anstyle::Style;
use unicode_width::UnicodeWidthStr;

use crate::flow::{Cell, chunks, clean};

/// The terminal's own style.
pub(super) const PLAIN: Style = Style::new();
/// What stands between two parts of a line.
const GAP: &str = "   ";

/// What has been written so far.
pub(super) struct Lines {
    width: usize,
    color: bool,
    text: String,
}

impl Lines {
    /// No lines yet. Without `color`, no line holds an escape code.
    pub fn new(width: usize, color: bool) -> Self {
        Self {
            width,
            color,
            text: String::new(),
        }
    }

    pub fn width(&self) -> usize {
        self.width
    }

    pub fn color(&self) -> bool {
        self.color
    }

    pub fn finish(self) -> String {
        self.text
    }

    /// Adds to the line.
    pub fn write(&mut self, text: &str, style: Style) {
        if self.color && style != PLAIN && !text.is_empty() {
            self.text += &format!("{style}{text}{style:#}");
        } else {
            self.text += text;
        }
    }

    pub fn end_line(&mut self) {
        self.text.push('\n');
    }

    /// Short texts side by side, as many on a line as fit.
    pub(super) fn parts(&mut self, parts: &[(String, Style)]) {
        let mut used = 0;
        for (text, style) in parts {
            let text = clean(text);
            let text = text.trim_end();
            let end = used + GAP.width() + text.width();
            if used > 0 && end > self.width {
                self.end_line();
                used = 0;
            }
            if text.width() > self.width {
                self.paragraph(text, *style);
                continue;
            }
            if used > 0 {
                self.write(GAP, PLAIN);
                used += GAP.width();
            }
            self.write(text, *style);
            used += text.width();
        }
        if used > 0 {
            self.end_line();
        }
    }

    /// A text broken into lines at its spaces, and within words that are longer than a line.
    pub fn paragraph(&mut self, text: &str, style: Style) {
        let fits = |line: &str, more: &str| line.width() + more.trim_end().width() <= self.width;
        let mut lines = vec![String::new()];
        for word in text.split_inclusive(' ').map(clean) {
            let parts = if fits("", &word) {
                vec![word]
            } else {
                chunks(&word, self.width)
            };
            for part in parts {
                match lines.last_mut() {
                    Some(line) if fits(line, &part) => *line += &part,
                    _ => lines.push(part),
                }
            }
        }
        for line in lines {
            let line = line.trim_end();
            if !line.is_empty() {
                self.write(line, style);
                self.end_line();
            }
        }
    }

    /// A line that shows something in the column of each cell. An empty line is left out.
    pub fn row(&mut self, line: &[Cell], show: impl Fn(&Cell) -> Option<(String, Style)>) {
        let mut column = 0;
        for cell in line {
            if let Some((text, style)) = show(cell).filter(|(text, _)| !text.is_empty()) {
                self.text += &" ".repeat(cell.column.saturating_sub(column));
                column = cell.column.max(column) + text.width();
                self.write(&text, style);
            }
        }
        if column > 0 {
            self.end_line();
        }
    }
}
