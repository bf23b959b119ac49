//! What a language model writes.

use burn::tensor::Device;
use relprop_checkpoints::{Model, Tokenizer};
use relprop_explain::Continuation;
use relprop_testing::program::{Ran, relprop};
use relprop_testing::{LanguageModel, explainer, filled};
use relprop_transformer::{InputConfig, TransformerConfig};
use serde_json::{Map, Value, json};
use tempfile::TempDir;

/// What the model below says, one token after another; the last one has no successor but the first.
const TOKENS: [&str; 9] = ["a", "Ġwarm", "Ã", "©", "ðŁ", "ĺ", "Ģ", "!", "</s>"];

/// A language model in whose eyes each token is followed by the next of the list.
fn in_a_row(ends: &[u32]) -> Model {
    let ids: Map<String, Value> = TOKENS
        .iter()
        .zip(0..)
        .map(|(token, id): (_, u32)| ((*token).to_owned(), id.into()))
        .collect();
    let byte_level = json!({
        "type": "ByteLevel", "add_prefix_space": false, "trim_offsets": false, "use_regex": false
    });
    let tokenizer = json!({
        "version": "1.0", "truncation": null, "padding": null, "added_tokens": [],
        "normalizer": null, "pre_tokenizer": byte_level, "post_processor": null,
        "decoder": byte_level, "model": {"type": "BPE", "vocab": ids, "merges": []},
    });
    let config = TransformerConfig {
        input: InputConfig::Tokens {
            vocabulary: TOKENS.len(),
        },
        padding_token: 0,
        ..LanguageModel::Llama.config()
    };
    let model = filled(&config, &Device::flex(), |name, shape| {
        let count = shape.iter().product();
        let mut values = vec![0.0; count];
        let vocabulary = TOKENS.len();
        match (name, shape) {
            (name, _) if name.ends_with("gamma") => values.fill(1.0),
            ("embeddings.word.weight", [_, width]) => {
                (0..vocabulary).for_each(|token| values[token * width + token] = 1.0);
            }
            (_, [_, outputs]) if *outputs == vocabulary => {
                (0..vocabulary)
                    .for_each(|token| values[token * outputs + (token + 1) % outputs] = 1.0);
            }
            _ => {}
        }
        values
    });
    let tokenizer = Tokenizer::from_json(&tokenizer.to_string()).unwrap();
    Model {
        ends: ends.to_vec(),
        ..Model::new(model.transformer, tokenizer)
    }
}

fn go_on(model: &Model, count: usize) -> Continuation {
    let explainer = explainer(model, "ah-ln");
    let prompt = explainer.tokenize("a").unwrap();
    explainer.continuation(&prompt, count, None).unwrap()
}

/// pytorch/captum#1360, jalammar/ecco#51, inseq-team/inseq#301: each byte of a character of several tokens
/// was a replacement mark of its own.
#[test]
fn a_character_of_several_tokens_comes_out_whole() {
    let found = go_on(&in_a_row(&[]), 7);
    assert_eq!(found.text, "a warmé😀!");
    let places: Vec<_> = found.tokens.iter().map(|t| (t.start, t.end)).collect();
    let places_of = [
        (0, 1),
        (2, 6),
        (6, 7),
        (6, 7),
        (7, 8),
        (7, 8),
        (7, 8),
        (8, 9),
    ];
    assert_eq!(places, places_of);
}

/// The same on the way through files and the program, in every format.
#[test]
fn a_character_is_whole_in_every_format() {
    let folder: TempDir = tempfile::tempdir().unwrap();
    in_a_row(&[8]).save(folder.path()).unwrap();
    let explain = |format: &str| -> Ran {
        let mut command = relprop();
        let command = command.args(["explain", "--model"]).arg(folder.path());
        let command = command.args(["a", "--generate", "20", "--format", format]);
        Ran::from(command.output().unwrap()).done()
    };
    for format in ["json", "ansi", "html"] {
        let shown = explain(format).stdout;
        assert!(shown.contains("a warmé😀!"), "{shown}");
        // The end is not in the text, but it is said.
        assert!(!shown.contains("!</s>"), "{shown}");
        let end = if format == "html" {
            "&lt;/s&gt;"
        } else {
            "</s>"
        };
        assert!(shown.contains(end), "{shown}");
    }
}

/// The files say which tokens end a text, whether or not they are special; it was any special token.
#[test]
fn a_text_ends_where_the_files_say() {
    for (ends, tokens) in [
        (&[8][..], 7),
        (&[7], 6),
        (&[3, 7], 2),
        (&[], 20),
        (&[100], 20),
    ] {
        let found = go_on(&in_a_row(ends), 20);
        assert_eq!(found.steps.len(), tokens, "{ends:?}");
        let id = found.end.as_ref().map(|end| end.id);
        assert_eq!(id, (tokens < 20).then(|| tokens as u32 + 1), "{ends:?}");
        if let Some(end) = found.end {
            assert_eq!(end.text, TOKENS[end.id as usize]);
            assert!((0.0..=1.0).contains(&end.probability));
        }
    }
}
