//! A classifier from Hugging Face, explained: what it decides, and which words carry the decision.
//!
//! Any folder that `save_pretrained` wrote will do, of a BERT, RoBERTa, XLM-RoBERTa, DistilBERT or
//! ELECTRA for sequence classification. In Python:
//!
//! ```python
//! name = "distilbert-base-uncased-finetuned-sst-2-english"
//! AutoModelForSequenceClassification.from_pretrained(name).save_pretrained("my-model")
//! AutoTokenizer.from_pretrained(name).save_pretrained("my-model")
//! ```
//!
//! ```sh
//! cargo run --release --example hugging_face -- my-model "not a dull film"
//! cargo run --release --example hugging_face -- my-nli-model "It rains." "It is dry."    # a pair
//! ```

use std::error::Error;
use std::path::Path;
use std::sync::Arc;

use burn::tensor::Device;
use relprop_checkpoints::Model;
use relprop_explain::{Explainer, Plan};
use relprop_render as render;
use relprop_rules::RuleSet;

/// A small random BERT, so that the example runs as it is.
const FIXTURE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/bert");

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let folder = arguments.next().unwrap_or(FIXTURE.to_owned());
    let text = arguments.next().unwrap_or("not a dull film".to_owned());
    let second = arguments.next();

    let model = Arc::new(Model::load(Path::new(&folder), &Device::flex())?);
    let config = model.transformer.config();
    println!(
        "{}: {} blocks of width {}, for {}",
        model.family.name,
        config.blocks,
        config.width,
        config.labels.join(", ")
    );

    // At the word embeddings, whatever the family: what each token itself brings in.
    let rules = RuleSet::preset("ah-ln")?;
    let plan = Plan {
        rules: Some(rules),
        at: Some("embeddings.word".to_owned()),
        ledger: true,
        ..Plan::default()
    };
    let explainer = Explainer::new(&model, &plan)?;
    let tokens = match &second {
        Some(second) => explainer.tokenize_pair(&text, second)?,
        None => explainer.tokenize(&text)?,
    };
    let explanation = explainer.explain_batch(&[tokens])?.remove(0);
    println!("{}", render::ansi(&explanation, 80, true));

    for token in &explanation.tokens {
        println!("{:>12} {:+.3}", token.text, token.relevance);
    }
    Ok(())
}
