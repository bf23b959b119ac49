//! A family of models of your own, from outside of relprop: a table, and a folder that it reads.
//!
//! `docs/add-a-model.md` walks through the table. The folder is written here, with weights drawn at
//! random, so that the example runs as it is.
//!
//! ```sh
//! cargo run --release --example my_family
//! ```

use std::error::Error;
use std::fs;
use std::path::Path;
use std::sync::Arc;

use burn::tensor::Device;
use relprop_checkpoints::families::bert;
use relprop_checkpoints::keys::{Key, KeyError, LABELS, VOCABULARY, feed_forward, size};
use relprop_checkpoints::{Family, Keys, Model, Names, Tokenizer};
use relprop_explain::{Explainer, Plan};
use relprop_render as render;
use relprop_rules::operations::Activation;
use relprop_transformer::{InputConfig, NormPlacement, Transformer, TransformerConfig};
use serde_json::{Map, json};

/// Tinies: a BERT with its norms before attention and the feed-forward part, ReLU, and no pooler.
static TINY: Family = Family {
    name: "tiny",
    architecture: Some("TinyForSequenceClassification"),
    start,
    keys: &[KEYS],
    ignored_keys: &["trained_by"],
    base: "tiny",
    tensors: &[TENSORS],
    variants: &[],
    grouped: &[],
    stacked: &[],
    untransposed: &[],
    ignored_tensors: &[],
};

/// What every Tiny has, whatever its file says.
fn start() -> TransformerConfig {
    let mut config = TransformerConfig {
        norm_placement: NormPlacement::Before,
        embedding_norm: None,
        token_types: 0,
        pooler: None,
        ..bert::start()
    };
    feed_forward(&mut config).activation = Activation::Relu;
    config
}

/// The keys of its `config.json`, each with the field that it sets.
const KEYS: Keys = &[
    ("tokens", VOCABULARY),
    ("longest", Key::Size(|config| &mut config.positions)),
    ("width", Key::Size(|config| &mut config.width)),
    ("depth", Key::Size(|config| &mut config.blocks)),
    ("heads", Key::Size(|config| &mut config.heads)),
    ("expansion", EXPANSION),
    ("id2label", LABELS),
];

/// How many times wider the feed-forward part is than hidden states.
const EXPANSION: Key = Key::Custom {
    required: true,
    read: |config, value| {
        let width = size(value)?.checked_mul(config.width);
        let width = width.ok_or_else(|| KeyError::must_be(value, "a small number"))?;
        feed_forward(config).width = width;
        Ok(())
    },
    write: |config| json!(config.feed_forward.map(|part| part.width / config.width)),
};

/// What it calls its tensors: our name of a module, then its own.
const TENSORS: Names = &[
    ("embeddings.word", "$.embed.tokens"),
    ("embeddings.position", "$.embed.places"),
    ("encoder.{}.attention_norm", "$.blocks.{}.norm1"),
    ("encoder.{}.attention.query", "$.blocks.{}.attn.q"),
    ("encoder.{}.attention.key", "$.blocks.{}.attn.k"),
    ("encoder.{}.attention.value", "$.blocks.{}.attn.v"),
    ("encoder.{}.attention.output", "$.blocks.{}.attn.o"),
    ("encoder.{}.feed_forward_norm", "$.blocks.{}.norm2"),
    ("encoder.{}.feed_forward.up", "$.blocks.{}.mlp.up"),
    ("encoder.{}.feed_forward.down", "$.blocks.{}.mlp.down"),
    ("final_norm", "$.norm"),
    ("classifier", "head"),
];

fn main() -> Result<(), Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    write_tiny(folder.path())?;

    let model = Model::load_with(folder.path(), &Device::flex(), &[&TINY])?;
    let explainer = Explainer::new(&Arc::new(model), &Plan::default())?;
    let explanation = explainer.explain("not a dull film")?;
    println!("{}", render::ansi(&explanation, 80, false));
    Ok(())
}

/// Stands in for the program that trains Tinies: the same table writes what it reads.
fn write_tiny(folder: &Path) -> Result<(), Box<dyn Error>> {
    const WORDS: &[u8] = b"[PAD]\n[UNK]\n[CLS]\n[SEP]\nnot\na\ndull\nfilm";
    let tokenizer = Tokenizer::from_vocabulary(WORDS, &Map::new())?;
    let mut config = TransformerConfig {
        input: InputConfig::Tokens {
            vocabulary: tokenizer.vocabulary_size(),
        },
        positions: 16,
        width: 8,
        blocks: 2,
        heads: 2,
        labels: vec!["negative".to_owned(), "positive".to_owned()],
        ..start()
    };
    feed_forward(&mut config).width = 3 * config.width;
    let mut model = Model::new(Transformer::new(&config, &Device::flex())?, tokenizer);
    model.family = &TINY;
    model.save(folder)?;
    println!("{}", fs::read_to_string(folder.join("config.json"))?);
    Ok(())
}
