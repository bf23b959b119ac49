//! Train a small classifier on a table of texts and explain one of its decisions.
//!
//! ```sh
//! cargo run --release --example train_and_explain -- reviews.tsv my-model "a warm , funny film"
//! ```
//!
//! Without arguments it trains on the embedded corpus, in a temporary folder.

use std::error::Error;
use std::path::PathBuf;
use std::sync::Arc;

use burn::tensor::Device;
use relprop_data::{corpus::Corpus, corpus::reviews};
use relprop_explain::{Explainer, Plan};
use relprop_render as render;
use relprop_rules::RuleSet;
use relprop_train::{Display, TrainConfig, train};

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let corpus = match arguments.next() {
        Some(path) => Corpus::read(path)?,
        None => reviews(8000, 0),
    };
    let temporary = tempfile::tempdir()?;
    let out = arguments
        .next()
        .map_or(temporary.path().join("model"), PathBuf::from);
    let text = arguments
        .next()
        .unwrap_or("the plot is not dull".to_owned());

    let trained = train(
        &corpus,
        &TrainConfig::small(),
        &out,
        &Device::flex(),
        Display::Lines,
    )?;
    println!(
        "right on {:.1} % of the held-out texts",
        100.0 * trained.dev_accuracy
    );

    let rules = RuleSet::preset("ah-ln")?;
    let model = Arc::new(trained.model);
    let explainer = Explainer::new(&model, &Plan::default().by_rules(rules))?;
    println!("{}", render::ansi(&explainer.explain(&text)?, 80, true));
    Ok(())
}
