//! Words are pieces of the text as it stands, and the same on every build.

use relprop_checkpoints::Truncation;
use relprop_testing::fixtures::folder;
use relprop_testing::program::{Ran, relprop};
use rstest::rstest;
use serde_json::{Value, json};

use crate::opens::Folder;

fn explained(model: &str, text: &str) -> Value {
    let mut command = relprop();
    let command = command.args(["explain", "--model"]).arg(folder(model));
    let ran: Ran = command
        .args([text, "--format", "json"])
        .output()
        .unwrap()
        .into();
    serde_json::from_str(&ran.done().stdout).unwrap()
}

/// A normalizer composes letters, drops marks and signs, and adds spaces around characters. A word ended where it
/// did, and was a piece of what it made.
#[rstest]
#[case("tokenizers#1201: Hangul in letters of its own", "\u{1112}\u{1161}\u{11ab}\u{1100}\u{1173}\u{11af} good", &["\u{1112}\u{1161}\u{11ab}\u{1100}\u{1173}\u{11af}", "good"])]
#[case("elasticsearch#92329: a mark that is dropped", "caf\u{e9} cafe\u{301}", &["caf\u{e9}", "cafe\u{301}"])]
#[case("lime#374: a sign that is dropped", "soft\u{ad}hyphen a\u{200b}b", &["soft\u{ad}hyphen", "a\u{200b}b"])]
#[case("tiktoken#292: marks between letters", "\u{939}\u{93f}\u{928}\u{94d}\u{926}\u{940} \u{e44}\u{e21}\u{e48}", &["\u{939}\u{93f}\u{928}\u{94d}\u{926}\u{940}", "\u{e44}\u{e21}\u{e48}"])]
#[case("tokenizers#663, inseq#246: white space alone", "  a \t warm\n\nfilm ", &["a", "warm", "film"])]
#[case("shap#2849: one sign of several", "a \u{1f469}\u{200d}\u{1f467} film", &["a", "\u{1f469}\u{200d}\u{1f467}", "film"])]
fn a_word_is_a_piece_of_the_text(
    #[case] source: &str,
    #[case] text: &str,
    #[case] words: &[&str],
    #[values("bert", "xlm-roberta")] model: &str,
) {
    let found = explained(model, text);
    let found = found["words"].as_array().unwrap().iter();
    let found: Vec<&str> = found.map(|word| word["text"].as_str().unwrap()).collect();
    assert_eq!(found, words, "{source}, {model}");
}

/// tokenizers#1144, #1009: `\w` of one engine of patterns takes signs that another's does not, so that a build
/// with the other engine read other tokens.
#[test]
fn a_pattern_means_what_it_means_to_python() {
    let before = json!({
        "normalizer": null,
        "pre_tokenizer": {"type": "Split", "pattern": {"Regex": r"\w+"}, "behavior": "Isolated", "invert": false}
    });
    let class = json!({"tokenizer_class": "PreTrainedTokenizerFast"});
    let folder = Folder::of("bert").with("tokenizer.json", before);
    let model = folder.with("tokenizer_config.json", class).open().unwrap();
    let text = model.tokenize("a\u{200c}b", None, Truncation::Cut).unwrap();
    // Two letters, the sign between them, and the two special tokens.
    assert_eq!(text.tokens.len(), 5);
}
