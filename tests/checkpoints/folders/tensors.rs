//! Weights that are damaged or do not fit, by the names of the file.

use std::fs;

use rstest::rstest;

use super::{Saved, zeros};

const INTERMEDIATE: &str = "bert.encoder.layer.0.intermediate.dense.weight";

#[test]
fn weights_cut_off_anywhere_are_called_damaged() {
    let saved = Saved::bert();
    let path = saved.path("model.safetensors");
    let bytes = fs::read(&path).unwrap();
    let header = u64::from_le_bytes(bytes[..8].try_into().unwrap()) as usize;
    let ends = [
        0,
        1,
        7,
        8,
        9,
        header / 2,
        8 + header,
        9 + header,
        bytes.len() / 2,
        bytes.len() - 1,
    ];
    for end in ends {
        fs::write(&path, &bytes[..end]).unwrap();
        let message = saved.refusal();
        assert!(
            message.starts_with(&format!("{path} cannot be read as safetensors: "))
                && message.ends_with("; is the file complete?"),
            "cut at {end} of {}: {message}",
            bytes.len()
        );
    }
}

#[test]
fn weights_that_are_something_else_are_called_damaged() {
    let saved = Saved::bert();
    let path = saved.path("model.safetensors");
    for content in [
        "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 1\n",
        "{}",
    ] {
        fs::write(&path, content).unwrap();
        let message = saved.refusal();
        assert!(
            message.contains("cannot be read as safetensors"),
            "{message}"
        );
    }
}

#[rstest]
#[case("bert.embeddings.position_embeddings.weight", [63, 32], [64, 32])]
#[case(INTERMEDIATE, [40, 32], [48, 32])]
fn a_tensor_of_the_wrong_shape_is_named_with_both_shapes_as_in_the_file(
    #[case] name: &str,
    #[case] found: [usize; 2],
    #[case] expected: [usize; 2],
) {
    let saved = Saved::bert();
    saved.rewrite(|tensors| _ = tensors.insert(name.to_owned(), zeros(&found)));
    assert_eq!(
        saved.refusal(),
        format!(
            "{} does not fit config.json:\n  {name} has the shape {found:?} instead of {expected:?}",
            saved.path("model.safetensors")
        )
    );
}

#[rstest]
#[case(INTERMEDIATE)]
#[case("bert.embeddings.word_embeddings.weight")]
#[case("bert.encoder.layer.1.attention.self.query.bias")]
#[case("bert.encoder.layer.1.attention.output.LayerNorm.weight")]
#[case("bert.encoder.layer.1.output.LayerNorm.bias")]
#[case("bert.pooler.dense.weight")]
#[case("classifier.bias")]
fn a_missing_tensor_is_named_as_in_the_file(#[case] name: &str) {
    let saved = Saved::bert();
    saved.rewrite(|tensors| _ = tensors.remove(name).unwrap());
    assert_eq!(
        saved.refusal(),
        format!(
            "{} does not fit config.json:\n  {name} is missing",
            saved.path("model.safetensors")
        )
    );
}

#[rstest]
#[case("bert.encoder.layer.7.attention.self.query.weight")]
#[case("bert.encoder.layer.7.attention.output.LayerNorm.weight")]
fn a_tensor_that_no_part_takes_is_named_as_in_the_file(#[case] name: &str) {
    let saved = Saved::bert();
    saved.rewrite(|tensors| _ = tensors.insert(name.to_owned(), zeros(&[32])));
    assert_eq!(
        saved.refusal(),
        format!(
            "{} does not fit config.json:\n  {name} belongs to no part of the model",
            saved.path("model.safetensors")
        )
    );
}

#[test]
fn the_position_numbers_of_old_checkpoints_are_let_pass() {
    let saved = Saved::bert();
    saved.rewrite(|tensors| {
        tensors.insert("bert.embeddings.position_ids".to_owned(), zeros(&[1, 64]));
    });
    assert!(saved.load().is_ok());
}

#[test]
fn every_tensor_that_does_not_fit_is_listed() {
    let saved = Saved::bert();
    saved.edit(
        "config.json",
        "\"num_hidden_layers\": 2",
        "\"num_hidden_layers\": 3",
    );
    let message = saved.refusal();
    // A block has sixteen tensors: six linear maps and two norms, each of two.
    assert_eq!(message.lines().count(), 1 + 16, "{message}");
    assert!(
        message.contains("\n  bert.encoder.layer.2.output.dense.bias is missing"),
        "{message}"
    );
}
