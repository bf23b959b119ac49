//! A test for each fault that once was: what went wrong, and where it comes from, stands above it.
//!
//! Some are held elsewhere. RoBERTa's positions counted padding that stands in a text (transformers#1761, #15292):
//! `padding_takes_no_place_where_rows_are_left_to_it` in crates/transformer. The demo and `pointing-game` had two answers to one question:
//! `the_demo_trains_explains_and_reports` in tests/program/training.rs. A kernel knew the LN-rule by itself, so
//! that an edited rule did nothing on the CPU: `cargo test -p relprop-rules`.

mod continuations;
mod names;
mod opens;
mod precision;
mod resume;
mod tables;
mod words;

use relprop_testing::difference;
use relprop_testing::fixtures::folder;
use relprop_testing::program::{Ran, relprop};
use rstest::rstest;

fn explain(fixture: &str, arguments: &[&str]) -> Ran {
    let mut command = relprop();
    let command = command.args(["explain", "--model"]).arg(folder(fixture));
    command.args(arguments).output().unwrap().into()
}

/// The terminal said `gae, rules , read at blocks` for every method but propagation: the writer printed
/// fields that only propagation fills.
#[rstest]
fn a_method_without_rules_names_none(#[values("gae", "occlusion", "random")] method: &str) {
    let shown = explain("bert", &["a warm film", "--method", method]).done();
    assert!(shown.stdout.contains(method), "{}", shown.stdout);
    for word in ["rules", "read at"] {
        assert!(!shown.stdout.contains(word), "{}", shown.stdout);
    }
    let shown = explain("bert", &["a warm film"]).done();
    let said = "lrp, rules ah-ln, read at blocks";
    assert!(shown.stdout.contains(said), "{}", shown.stdout);
}

/// Pictures had a path of their own, which did not look at what is for texts.
#[rstest]
#[case(&["--generate", "3"])]
#[case(&["--no-truncate"])]
fn what_is_for_texts_is_refused_with_a_picture(#[case] option: &[&str]) {
    let picture = folder("pictures/small.png");
    let arguments = [option, &[picture.to_str().unwrap()]].concat();
    explain("vit", &arguments).failed(2, &[option[0], "is for texts"]);
}

/// A rule set was refused beside a method unless it was the default one, which could not be told from
/// none.
#[rstest]
fn no_rule_set_goes_with_a_method(#[values("ah-ln", "libra")] rules: &str) {
    let arguments = ["a", "--method", "gae", "--rules", rules];
    explain("bert", &arguments).failed(2, &["--rules", "`gae`"]);
}

/// A comparison folded with `f64::max`, which passes over what is no number: NaN was equal to anything.
#[rstest]
#[should_panic(expected = "not finite")]
fn a_number_that_is_none_is_no_agreement(
    #[values([f64::NAN, 1.0], [1.0, f64::INFINITY])] found: [f64; 2],
) {
    difference(&found, &[1.0, 1.0]);
}
