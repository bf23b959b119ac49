//! The curves of an evaluation: activation and pruning, as in the paper's figure.

use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use relprop_evaluate::{Results, STEPS, Summary};

/// The metrics whose curves are drawn, each with its title and the label of its axis.
const PANELS: [(&str, &str, &str); 5] = [
    ("auac", "Activation", "probability of the label"),
    ("au-mse", "Pruning", "squared change of the logits"),
    (
        "auac-text",
        "Activation, special tokens kept",
        "probability of the label",
    ),
    (
        "au-mse-text",
        "Pruning, special tokens kept",
        "squared change of the logits",
    ),
    (
        "srg",
        "Least minus most relevant hidden first",
        "difference of the probability",
    ),
];
/// The size of a panel, and the height of a line of the legend.
const PANEL: (u32, u32) = (540, 420);
const LINE: u32 = 26;
/// How many names stand beside one another in the legend.
const NAMES: usize = 3;

/// The color of the random order, which explains nothing.
const GRAY: RGBColor = RGBColor(150, 150, 150);
/// Colors that most readers can tell apart, color-blind ones too. When they are used up, lines are
/// dashed.
const COLORS: [RGBColor; 9] = [
    RGBColor(31, 119, 200),
    RGBColor(230, 97, 1),
    RGBColor(27, 140, 90),
    RGBColor(200, 30, 60),
    RGBColor(118, 78, 178),
    RGBColor(140, 86, 50),
    RGBColor(225, 100, 180),
    RGBColor(110, 125, 20),
    RGBColor(0, 160, 180),
];

/// The mean curves of every method as SVG, two panels side by side. None if no metric has a curve that
/// can be drawn.
pub fn evaluation_curves(results: &Results) -> Option<String> {
    let panels = PANELS.iter().filter_map(|panel| {
        let index = results
            .metrics
            .iter()
            .position(|metric| metric.name == panel.0)?;
        let curves: Vec<&Summary> = results.methods.iter().map(|m| &m.metrics[index]).collect();
        let drawn = curves.iter().any(|summary| summary.curve.len() == STEPS);
        drawn.then_some((panel, curves))
    });
    let panels: Vec<_> = panels.collect();
    if panels.is_empty() {
        return None;
    }
    let across = panels.len().min(2);
    let down = panels.len().div_ceil(2);
    let names = results.methods.len().div_ceil(NAMES) as u32;
    let size = (
        PANEL.0 * across as u32,
        PANEL.1 * down as u32 + LINE * names + LINE / 2,
    );
    let pens = pens(results);
    let mut svg = String::new();
    {
        let area = SVGBackend::with_string(&mut svg, size).into_drawing_area();
        // Writing to a string cannot fail, so drawing cannot fail.
        area.fill(&WHITE).ok()?;
        let (top, legend) = area.split_vertically(PANEL.1 * down as u32);
        for ((panel, curves), area) in panels.iter().zip(top.split_evenly((down, across))) {
            draw(&area, panel, curves, &pens)?;
        }
        for (index, (method, pen)) in results.methods.iter().zip(&pens).enumerate() {
            let x = 24 + (index % NAMES) as i32 * (size.0 as i32 - 24) / NAMES as i32;
            let y = LINE as i32 / 2 + (index / NAMES) as i32 * LINE as i32;
            let style = pen.color.stroke_width(3);
            for (from, to) in pen.pieces() {
                let line = PathElement::new(vec![(x + from, y), (x + to, y)], style);
                legend.draw(&line).ok()?;
            }
            let font = ("sans-serif", 16).into_text_style(&legend);
            let font = font.pos(Pos::new(HPos::Left, VPos::Center));
            legend
                .draw(&Text::new(method.name.clone(), (x + 36, y), font))
                .ok()?;
        }
        area.present().ok()?;
    }
    Some(svg)
}

type Area<'a> = DrawingArea<SVGBackend<'a>, plotters::coord::Shift>;

/// One panel: a line for each method, over the share of tokens that are shown, or hidden.
fn draw(area: &Area, panel: &(&str, &str, &str), curves: &[&Summary], pens: &[Pen]) -> Option<()> {
    let (_, title, axis) = panel;
    let points = || {
        curves
            .iter()
            .flat_map(|summary| summary.curve.iter().copied())
    };
    let high = points().fold(f64::NEG_INFINITY, f64::max);
    let low = points().fold(f64::INFINITY, f64::min);
    let margin = ((high - low) * 0.05).max(1e-6);
    let mut chart = ChartBuilder::on(area)
        .caption(*title, ("sans-serif", 20))
        .margin(12)
        .x_label_area_size(44)
        .y_label_area_size(64)
        .build_cartesian_2d(0.0..1.0, low - margin..high + margin)
        .ok()?;
    let shown = if title.starts_with("Activation") {
        "shown"
    } else {
        "hidden"
    };
    chart
        .configure_mesh()
        .light_line_style(TRANSPARENT)
        .bold_line_style(BLACK.mix(0.1))
        .x_labels(6)
        .x_desc(format!("share of tokens {shown}"))
        .y_desc(*axis)
        .label_style(("sans-serif", 14))
        .axis_desc_style(("sans-serif", 16))
        .draw()
        .ok()?;
    for (summary, pen) in curves.iter().zip(pens) {
        let points = summary.curve.iter().enumerate();
        let points = points.map(|(step, value)| (step as f64 / (STEPS - 1) as f64, *value));
        let style = pen.color.stroke_width(2);
        if pen.dashed {
            let series = DashedLineSeries::new(points, 6, 4, style);
            chart.draw_series(series).ok()?;
        } else {
            chart.draw_series(LineSeries::new(points, style)).ok()?;
        }
    }
    Some(())
}

/// How the line of one method is drawn.
struct Pen {
    color: RGBColor,
    dashed: bool,
}

impl Pen {
    /// The pieces of the line that stands beside the name.
    fn pieces(&self) -> &'static [(i32, i32)] {
        if self.dashed {
            &[(0, 6), (10, 16), (20, 26)]
        } else {
            &[(0, 26)]
        }
    }
}

fn pens(results: &Results) -> Vec<Pen> {
    let mut numbers = 0..;
    let pen = |name: &str| {
        if name == "random" {
            return Pen {
                color: GRAY,
                dashed: false,
            };
        }
        let number = numbers.next().unwrap_or(0);
        Pen {
            color: COLORS[number % COLORS.len()],
            dashed: number >= COLORS.len(),
        }
    };
    let names = results.methods.iter().map(|method| method.name.as_str());
    names.map(pen).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::results;

    #[test]
    fn every_method_has_a_line_in_every_panel_and_a_name() {
        let svg = evaluation_curves(&results()).unwrap();
        for text in ["Activation", "Pruning", "random", "ah-ln &lt;b&gt;"] {
            assert!(svg.contains(text), "{text}");
        }
        for RGBColor(red, green, blue) in [GRAY, COLORS[0]] {
            let color = format!("#{red:02X}{green:02X}{blue:02X}");
            // Two panels and the legend.
            assert_eq!(svg.matches(&color).count(), 3, "{color}");
        }
    }

    #[test]
    fn without_curves_there_is_no_picture() {
        let mut results = results();
        results.metrics.drain(..2);
        results
            .methods
            .iter_mut()
            .for_each(|method| drop(method.metrics.drain(..2)));
        assert_eq!(evaluation_curves(&results), None);
    }
}
