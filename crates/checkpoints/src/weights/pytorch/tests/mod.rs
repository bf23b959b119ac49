//! Files as `torch.save` writes them, and files that somebody made to do harm: `make.py` writes both.

use serde_json::{Map, Value, json};

use super::open;
use crate::Files;
use crate::changes::again;
use crate::files::File;
use crate::weights::Stored;

fn cases() -> Map<String, Value> {
    serde_json::from_str(include_str!("pickles.json")).unwrap()
}

fn file(bytes: Vec<u8>) -> File {
    let files = Files::at_hand([("pytorch_model.bin", bytes)]);
    files.get("pytorch_model.bin").unwrap()
}

fn bytes(hex: &Value) -> Vec<u8> {
    let hex = hex.as_str().unwrap().as_bytes().as_chunks::<2>().0;
    let byte = |digits: &[u8; 2]| u8::from_str_radix(str::from_utf8(digits).unwrap(), 16).unwrap();
    hex.iter().map(byte).collect()
}

/// What a tensor holds, as the table says it.
fn described(tensor: &Stored) -> Value {
    let kind = match &tensor.dtype {
        Ok(float) => format!("{float:?}"),
        Err(other) => other.clone(),
    };
    let numbers = (tensor.read)().unwrap();
    let hex: String = numbers.iter().map(|byte| format!("{byte:02x}")).collect();
    json!({"type": kind, "shape": tensor.shape, "bytes": hex})
}

#[test]
fn what_is_in_each_file_is_what_was_put_into_it() {
    for (name, case) in cases() {
        let found = open(&file(bytes(&case["file"])));
        match (found, case["refused"].as_str()) {
            (Ok(tensors), None) => {
                let tensors = tensors.iter();
                let found = tensors.map(|(name, tensor)| (name.clone(), described(tensor)));
                let expected: Map<_, _> = case["tensors"].as_object().unwrap().clone();
                assert_eq!(found.collect::<Map<_, _>>(), expected, "{name}");
            }
            (Err(error), Some(refused)) => {
                let said = error.to_string();
                assert!(said.contains(refused), "{name}: {said}");
                assert!(said.starts_with("pytorch_model.bin"), "{name}: {said}");
            }
            (Ok(_), Some(refused)) => panic!("{name} is not refused: {refused}"),
            (Err(error), None) => panic!("{name}: {error}"),
        }
    }
}

#[test]
fn a_file_that_is_cut_off_is_damaged() {
    for name in [
        "archive of protocol 2",
        "legacy of protocol 2",
        "archive of protocol 5",
    ] {
        let whole = bytes(&cases()[name]["file"]);
        for end in 0..whole.len() {
            let Err(error) = open(&file(whole[..end].to_vec())) else {
                panic!("{name} opens without its last {} bytes", whole.len() - end);
            };
            let said = error.to_string();
            let damaged = "cannot be read as what torch.save writes: ";
            assert!(said.contains(damaged), "{name} up to {end}: {said}");
        }
    }
}

/// A million tuples, each in the next: a machine that walks them by calling itself would run out of stack.
#[test]
fn a_deep_nest_does_no_harm() {
    let start = b"\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19.\x80\x02K\x01.\x80\x02K\x01.".to_vec();
    let nest = [
        vec![0x80, 2, b'N'],
        vec![0x85; 1_000_000],
        b".\x80\x02].".to_vec(),
    ]
    .concat();
    let refused = open(&file([start, nest].concat())).err().unwrap();
    assert!(refused.to_string().contains("no dictionary"), "{refused}");
}

/// Changes of all files, drawn one after another.
#[test]
fn changed_files_are_read_or_refused() {
    let files: Vec<Vec<u8>> = cases().values().map(|case| bytes(&case["file"])).collect();
    again(|changes| {
        let (file_of, other) = (changes.one(&files), changes.one(&files));
        let changed = changes.of(file_of, 0, b"(.0125abcdehjlqrstuNKMJXRQ}])", other);
        let length = changed.len();
        let Ok(tensors) = open(&file(changed)) else {
            return false;
        };
        for (_, tensor) in tensors {
            let read = (tensor.read)().unwrap();
            assert!(read.len() <= length, "no more than the file has");
        }
        true
    });
}
