//! Quantized tensors against the numbers that their own libraries make of them, or their formula: `make.py` writes both.

use std::collections::{BTreeMap, BTreeSet};

use rstest::rstest;
use serde_json::{Map, Value, json};

use super::Quantized;
use crate::Files;
use crate::changes::again;
use crate::weights::{Stored, WeightFiles, open};

/// The files of this folder.
#[rustfmt::skip]
const FILES: [(&str, &[u8]); 17] = [
    ("awq", include_bytes!("awq.safetensors")),
    ("bitsandbytes-fp4", include_bytes!("bitsandbytes-fp4.safetensors")),
    ("bitsandbytes-int8", include_bytes!("bitsandbytes-int8.safetensors")),
    ("bitsandbytes-nf4", include_bytes!("bitsandbytes-nf4.safetensors")),
    ("compressed-fp8", include_bytes!("compressed-fp8.safetensors")),
    ("compressed-int-8", include_bytes!("compressed-int-8.safetensors")),
    ("compressed-pack-4", include_bytes!("compressed-pack-4.safetensors")),
    ("compressed-pack-4-zeros", include_bytes!("compressed-pack-4-zeros.safetensors")),
    ("compressed-pack-8", include_bytes!("compressed-pack-8.safetensors")),
    ("fp8-blocks", include_bytes!("fp8-blocks.safetensors")),
    ("fp8-whole", include_bytes!("fp8-whole.safetensors")),
    ("gptq-2-v2", include_bytes!("gptq-2-v2.safetensors")),
    ("gptq-4", include_bytes!("gptq-4.safetensors")),
    ("gptq-4-rest", include_bytes!("gptq-4-rest.safetensors")),
    ("gptq-4-shuffled", include_bytes!("gptq-4-shuffled.safetensors")),
    ("gptq-8", include_bytes!("gptq-8.safetensors")),
    ("mxfp4", include_bytes!("mxfp4.safetensors")),
];

/// How the tensors of a file were quantized, as its own header says.
fn how(bytes: &[u8]) -> Map<String, Value> {
    let (_, header) = safetensors::SafeTensors::read_metadata(bytes).unwrap();
    let said = &header.metadata().as_ref().unwrap()["quantization_config"];
    let said: Value = serde_json::from_str(said).unwrap();
    Map::from_iter([(super::KEY.to_owned(), said)])
}

/// The tensors of a file.
fn tensors(bytes: &[u8]) -> BTreeMap<String, Stored> {
    let files = Files::at_hand([("model.safetensors", bytes.to_vec())]);
    open(&WeightFiles::find(&files).unwrap()).unwrap()
}

#[test]
fn each_becomes_the_numbers_that_it_stands_for() {
    for (name, bytes) in FILES {
        let mut stored = tensors(bytes);
        let expected = stored.split_off("expected/");
        let norm = stored["a.norm.weight"].floats().unwrap();
        let expected: BTreeMap<String, Stored> = expected
            .into_iter()
            .filter_map(|(name, tensor)| {
                let name = name.strip_prefix("expected/")?;
                Some((name.to_owned(), tensor))
            })
            .collect();
        assert_eq!(expected.len(), 1, "{name}");
        let quantized = Quantized::of(&how(bytes)).unwrap().unwrap();
        quantized.undo(&mut stored).unwrap();
        for (tensor, expected) in &expected {
            let found = stored.remove(tensor).unwrap();
            assert_eq!(found.shape(), expected.shape(), "{name}");
            let [found, expected] = [&found, expected].map(|tensor| tensor.floats().unwrap());
            let largest = expected
                .iter()
                .fold(0.0, |largest: f64, n| largest.max(n.abs()));
            assert!(largest > 0.0, "{name}");
            for (found, expected) in found.iter().zip(&expected) {
                let difference = (found - expected).abs();
                assert!(difference <= 2e-7 * largest, "{name}: {found} {expected}");
            }
        }
        // What was not quantized stays, and nothing else is left.
        assert_eq!(
            stored.remove("a.norm.weight").unwrap().floats().unwrap(),
            norm
        );
        let left: BTreeSet<&str> = stored.keys().map(String::as_str).collect();
        let biases = BTreeSet::from(["a.b.bias", "a.b.gate_up_proj_bias"]);
        assert!(left.is_subset(&biases), "{name}: {left:?}");
    }
}

#[rstest]
#[case("gptq-4", "a.b.scales", "a.b.weight: it has no `scales`")]
#[case("gptq-4", "a.b.qzeros", "a.b.weight: it has no `qzeros`")]
#[case("awq", "a.b.qzeros", "a.b.weight: it has no `qzeros`")]
#[case("fp8-blocks", "a.b.weight", "a.b.weight: it has no `weight`")]
#[case(
    "compressed-pack-4",
    "a.b.weight_shape",
    "a.b.weight: it has no `weight_shape`"
)]
#[case(
    "bitsandbytes-nf4",
    "a.b.weight.quant_state.bitsandbytes__nf4",
    "a.b.weight: it has no `quant_state`"
)]
#[case(
    "bitsandbytes-nf4",
    "a.b.weight.nested_absmax",
    "a.b.weight: it has no `weight.nested_absmax`"
)]
#[case(
    "mxfp4",
    "a.b.gate_up_proj_scales",
    "a.b.gate_up_proj: it has no `_scales`"
)]
fn a_missing_part_is_named(#[case] file: &str, #[case] part: &str, #[case] expected: &str) {
    let (_, bytes) = FILES.into_iter().find(|(name, _)| *name == file).unwrap();
    let mut stored = tensors(bytes);
    stored.remove(part).unwrap();
    let quantized = Quantized::of(&how(bytes)).unwrap().unwrap();
    assert_eq!(quantized.undo(&mut stored).unwrap_err(), [expected]);
}

#[rstest]
#[case("gptq-4", json!({"quant_method": "gptq", "bits": 8, "group_size": 8}), "`qzeros` has the shape")]
#[case("gptq-4", json!({"quant_method": "gptq", "bits": 4, "group_size": 16}), "`scales` has 4 groups")]
#[case("awq", json!({"quant_method": "gptq", "bits": 4, "group_size": 8}), "`scales` has the shape")]
#[case("fp8-blocks", json!({"quant_method": "fp8", "weight_block_size": [128, 128]}), "`weight_scale_inv` has")]
#[case("compressed-int-8", json!({"quant_method": "fp8"}), "no name ends in `weight_scale_inv`")]
#[case("bitsandbytes-int8", json!({"quant_method": "compressed-tensors"}), "no name ends in `weight_packed` or `weight_scale`")]
fn parts_that_do_not_go_together_are_refused(
    #[case] file: &str,
    #[case] said: Value,
    #[case] expected: &str,
) {
    let (_, bytes) = FILES.into_iter().find(|(name, _)| *name == file).unwrap();
    let mut stored = tensors(bytes);
    let config = Map::from_iter([(super::KEY.to_owned(), said)]);
    let quantized = Quantized::of(&config).unwrap().unwrap();
    let problems = quantized.undo(&mut stored).unwrap_err();
    assert!(problems[0].contains(expected), "{problems:?}");
}

/// Damaged files give errors, or other numbers; they do no more.
#[test]
fn changed_files_do_no_harm() {
    again(|changes| {
        let (name, bytes) = changes.one(&FILES);
        let (config, other) = (how(bytes), changes.one(&FILES).1);
        let changed = changes.of(bytes, 8, b"{}[]:,0123456789", other);
        let files = Files::at_hand([("model.safetensors", changed)]);
        let Ok(mut stored) = open(&WeightFiles::find(&files).unwrap()) else {
            return false;
        };
        let quantized = Quantized::of(&config).unwrap().unwrap();
        let undone = quantized.undo(&mut stored).is_ok();
        if undone {
            for (tensor, numbers) in &stored {
                if let Ok(numbers) = numbers.floats() {
                    let count: usize = stored[tensor].shape().iter().product();
                    assert!(
                        numbers.len() == count || stored[tensor].dtype().is_err(),
                        "{name}"
                    );
                }
            }
        }
        undone
    });
}
