//! Families from outside of this crate, and what is said of a key that is not understood.

mod written;

use std::fs;
use std::path::Path;

use burn::tensor::Device;
use relprop_checkpoints::families::bert;
use relprop_checkpoints::keys::{Key, KeyError, VOCABULARY, feed_forward, size};
use relprop_checkpoints::{Family, Keys, Model, Names, Tokenizer};
use relprop_transformer::{Transformer, TransformerConfig};
use rstest::rstest;
use serde_json::{Value, json};

/// A BERT by other names, whose blocks are counted in pairs, and whose linear maps stand in the file as
/// they do here.
static MINE: Family = Family {
    name: "mine",
    architecture: None,
    start: bert::start,
    keys: &[KEYS],
    ignored_keys: &["color"],
    base: "inner",
    tensors: &[TENSORS, bert::TENSORS],
    variants: &[],
    grouped: &[],
    stacked: &[],
    untransposed: &["classifier"],
    ignored_tensors: &[],
};

const KEYS: Keys = &[
    ("tokens", VOCABULARY),
    ("width", Key::Size(|c| &mut c.width)),
    ("heads", Key::Size(|c| &mut c.heads)),
    ("expansion", Key::Size(|c| &mut feed_forward(c).width)),
    ("longest", Key::Size(|c| &mut c.positions)),
    ("pairs_of_blocks", PAIRS),
];

const PAIRS: Key = Key::Custom {
    required: true,
    read: |config, value| {
        let pairs = size(value)?;
        let blocks = pairs.checked_mul(2);
        config.blocks = blocks.ok_or_else(|| KeyError::must_be(value, "smaller"))?;
        Ok(())
    },
    write: |config| json!(config.blocks / 2),
};

const TENSORS: Names = &[("classifier", "$.head")];

fn saved(folder: &Path) -> Model {
    let config = TransformerConfig {
        width: 8,
        ..TransformerConfig::bert(4, vec!["LABEL_0".to_owned(), "LABEL_1".to_owned()])
    };
    let tokenizer = Tokenizer::from_vocabulary(b"[UNK]\n[CLS]\n[SEP]\ngood", &Default::default());
    let transformer = Transformer::new(&config, &Device::flex()).unwrap();
    let mut model = Model::new(transformer, tokenizer.unwrap());
    model.family = &MINE;
    model.save(folder).unwrap();
    model
}

#[test]
fn a_family_from_outside_reads_what_it_wrote() {
    let folder = tempfile::tempdir().unwrap();
    let before = saved(folder.path());
    let load =
        |families: &[&'static Family]| Model::load_with(folder.path(), &Device::flex(), families);
    let after = load(&[&MINE]).unwrap();
    assert_eq!(after.family, &MINE);
    assert_eq!(after.transformer.config(), before.transformer.config());

    let bytes = fs::read(folder.path().join("model.safetensors")).unwrap();
    let file = safetensors::SafeTensors::deserialize(&bytes).unwrap();
    assert_eq!(file.tensor("inner.head.weight").unwrap().shape(), [8, 2]);
    let query = "inner.encoder.layer.0.attention.self.query.weight";
    assert!(file.tensor(query).is_ok(), "{:?}", file.names());

    let unknown = load(&[]).unwrap_err().to_string();
    assert!(
        unknown.contains("models of type `mine` are not supported"),
        "{unknown}"
    );
}

/// A family from outside goes before one of the same name.
#[test]
fn a_family_from_outside_may_replace_one_of_ours() {
    static STRICT: Family = Family {
        keys: &[bert::KEYS],
        ..bert::BERT
    };
    let fixture = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures/bert");
    let load = |families| Model::load_with(&fixture, &Device::flex(), families);
    assert!(load(&[]).is_ok());
    let message = load(&[&STRICT]).unwrap_err().to_string();
    assert!(
        message.contains("`max_position_embeddings` is 24"),
        "{message}"
    );
}

/// A key's value, and what is said of it after the name of the file.
#[rstest]
#[case("gpt2", "n_inner", json!("wide"), "`n_inner` is \"wide\"; it must be a whole number")]
#[case("gpt2", "n_embd", json!("wide"), "`n_embd` is \"wide\"; it must be a whole number")]
#[case("gpt2", "tie_word_embeddings", json!(1), "`tie_word_embeddings` is 1; it must be true or false")]
#[case("mistral", "sliding_window", json!(-1), "`sliding_window` is -1; it must be a whole number")]
#[case(
    "llama-3",
    "rope_parameters",
    json!({"rope_type": "default", "rope_theta": null}),
    "`rope_parameters` has `rope_theta`, which is null; it must be a number"
)]
#[case(
    "llama-3",
    "rope_parameters",
    json!({"rope_type": "default", "beta_fast": 1}),
    "`rope_parameters` has `beta_fast`, which is not supported"
)]
#[case("vit", "image_size", json!([1, 2, 3]), "`image_size` is [1,2,3]; it must be a number, or a height and a width")]
#[case("vit", "patch_size", json!("x"), "`patch_size` is \"x\"; it must be a whole number")]
#[case("roberta", "model_type", json!(7), "`model_type` is 7; it must be a name")]
#[case("roberta", "id2label", json!([1]), "`id2label` is [1]; it must be a label for each of the ids")]
fn a_value_that_is_not_understood_is_named_with_its_key(
    #[case] family: &str,
    #[case] key: &str,
    #[case] value: Value,
    #[case] expected: &str,
) {
    let error = Family::read_config(&changed(family, key, value)).unwrap_err();
    let message = error.to_string();
    assert!(
        message.starts_with(&format!("config.json: {expected}")),
        "{message}"
    );
}

/// Transformers writes keys that were not set as null.
#[test]
fn null_says_what_is_not_there() {
    let read =
        |family, key: &str, value| Family::read_config(&changed(family, key, value)).unwrap().1;
    let config = read("gpt2", "n_inner", Value::Null);
    assert_eq!(config.feed_forward.unwrap().width, 4 * config.width);
    let given = Family::read_config(&fixture("llama-3")).unwrap().1;
    let config = read("llama-3", "num_key_value_heads", Value::Null);
    assert_eq!((config.key_heads(), given.key_heads()), (config.heads, 2));
    assert_eq!(
        read("mistral", "sliding_window", Value::Null)
            .attention
            .window,
        None
    );
}

fn fixture(family: &str) -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures");
    fs::read_to_string(root.join(family).join("config.json")).unwrap()
}

/// The fixture's configuration with another value of a key.
fn changed(family: &str, key: &str, value: Value) -> String {
    let mut config: Value = serde_json::from_str(&fixture(family)).unwrap();
    config[key] = value;
    config.to_string()
}
