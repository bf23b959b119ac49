//! The conservation figure of Ali et al. 2022 on a model and texts of your own: the sum of relevance
//! against the logit, for Gradient x Input and for AH+LN, and what is missing.
//!
//! ```text
//! cargo run --release --example conservation -- MODEL TEXTS.tsv FIGURE.svg
//! ```

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Context;
use burn::tensor::Device;
use plotters::prelude::*;
use relprop_checkpoints::Model;
use relprop_data::corpus;
use relprop_evaluate::pearson;
use relprop_explain::{Explainer, Ledger, Plan, Target};
use relprop_rules::RuleSet;

/// A logit, and a sum of relevance that should be it.
type Point = (f64, f64);

fn main() -> anyhow::Result<()> {
    let arguments: Vec<PathBuf> = std::env::args_os().skip(1).map(PathBuf::from).collect();
    let [model, texts, figure] = &arguments[..] else {
        anyhow::bail!("give a model's folder, a file of texts, and the name of the figure");
    };
    let model = Arc::new(Model::load(model, &Device::flex())?);
    let texts = corpus::read_texts(texts)?;
    let texts: Vec<&str> = texts.texts.iter().map(|row| row.text.as_str()).collect();

    let tokens = |ledger: &Ledger| ledger.tokens;
    let with_terms = |ledger: &Ledger| ledger.tokens + sum(ledger, &["bias", "shift"]);
    let series = [
        (
            "Gradient x Input",
            points(&model, &texts, "gradient-x-input", tokens)?,
        ),
        ("AH+LN", points(&model, &texts, "ah-ln", tokens)?),
        (
            "AH+LN with biases",
            points(&model, &texts, "ah-ln", with_terms)?,
        ),
        (
            "libra with biases",
            points(&model, &texts, "libra", with_terms)?,
        ),
    ];
    println!(
        "{:<18} correlation  mean gap  worst gap",
        "sum of relevance"
    );
    for (name, points) in &series {
        let gaps = points.iter().map(|(logit, sum)| (sum - logit).abs());
        let (mean, worst) = (mean(gaps.clone()), gaps.fold(0.0, f64::max));
        println!(
            "{name:<18} {:>11.3}  {mean:>8.2e}  {worst:>9.2e}",
            correlation(points)?
        );
    }
    draw(figure, &series)
}

/// The logit of the last label of each text, and a sum over its ledger.
fn points(
    model: &Arc<Model>,
    texts: &[&str],
    preset: &str,
    sum: impl Fn(&Ledger) -> f64,
) -> anyhow::Result<Vec<Point>> {
    let last = model.transformer.config().labels.len() - 1;
    let rules = RuleSet::preset(preset)?;
    let plan = Plan {
        rules: Some(rules),
        target: Target::Label(last).into(),
        ledger: true,
        ..Plan::default()
    };
    let explainer = Explainer::new(model, &plan)?;
    let explained = texts.iter().map(|text| {
        let explanation = explainer.explain(text)?;
        let ledger = explanation.ledger().context("it was asked for")?;
        Ok((ledger.target, sum(ledger)))
    });
    explained.collect()
}

fn sum(ledger: &Ledger, kinds: &[&str]) -> f64 {
    let sums = ledger.by_kind().into_iter();
    let of_kinds = sums.filter(|(kind, _)| kinds.contains(kind));
    of_kinds.map(|(_, sum)| sum).sum()
}

fn mean(numbers: impl Iterator<Item = f64>) -> f64 {
    let numbers: Vec<f64> = numbers.collect();
    numbers.iter().sum::<f64>() / numbers.len() as f64
}

/// Pearson's correlation of the logits with the sums.
fn correlation(points: &[Point]) -> anyhow::Result<f64> {
    let (logits, sums): (Vec<f64>, Vec<f64>) = points.iter().copied().unzip();
    pearson(&logits, &sums).context("there are no two different logits")
}

fn draw(figure: &PathBuf, series: &[(&str, Vec<Point>)]) -> anyhow::Result<()> {
    let all = || series.iter().flat_map(|(_, points)| points);
    let low = all()
        .fold(0.0_f64, |low, (x, y)| low.min(*x).min(*y))
        .floor();
    let high = all()
        .fold(0.0_f64, |high, (x, y)| high.max(*x).max(*y))
        .ceil();
    let logits = all().map(|(x, _)| *x);
    let (left, right) = (
        logits.clone().fold(0.0, f64::min).floor(),
        logits.fold(0.0, f64::max).ceil(),
    );

    let area = SVGBackend::new(figure, (960, 640)).into_drawing_area();
    area.fill(&WHITE)?;
    let mut chart = ChartBuilder::on(&area)
        .margin(16)
        .x_label_area_size(48)
        .y_label_area_size(56)
        .build_cartesian_2d(left..right, low..high)?;
    chart
        .configure_mesh()
        .light_line_style(TRANSPARENT)
        .bold_line_style(BLACK.mix(0.1))
        .x_desc("logit")
        .y_desc("sum of relevance")
        .label_style(("sans-serif", 15))
        .axis_desc_style(("sans-serif", 17))
        .draw()?;
    let (from, to) = (left.max(low), right.min(high));
    chart.draw_series(LineSeries::new([(from, from), (to, to)], BLACK.mix(0.5)))?;
    let colors = [
        RGBColor(150, 150, 150),
        RGBColor(31, 119, 200),
        RGBColor(214, 90, 40),
        RGBColor(30, 150, 90),
    ];
    for ((name, points), color) in series.iter().zip(colors) {
        let dots = points
            .iter()
            .map(|point| Circle::new(*point, 2, color.mix(0.6).filled()));
        chart
            .draw_series(dots)?
            .label(*name)
            .legend(move |(x, y)| Circle::new((x + 8, y), 4, color.filled()));
    }
    chart
        .configure_series_labels()
        .position(SeriesLabelPosition::UpperLeft)
        .background_style(WHITE.mix(0.9))
        .border_style(BLACK.mix(0.2))
        .label_font(("sans-serif", 16))
        .draw()?;
    area.present()?;
    Ok(())
}
