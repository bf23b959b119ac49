//! Blocks as gguf, the Python package of llama.cpp, reads them (`make.py`), and factors of rotations.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rstest::rstest;
use serde::Deserialize;
use serde_json::{Map, json};

use super::blocks::Kind;
use super::rope::scaling;

#[derive(Deserialize)]
struct Blocks {
    kind: u32,
    name: String,
    blocks: String,
    numbers: String,
}

#[test]
fn blocks_stand_for_the_numbers_of_llama_cpp_to_the_bit() {
    let all: Vec<Blocks> = serde_json::from_str(include_str!("blocks.json")).unwrap();
    assert_eq!(all.len(), 10);
    for Blocks {
        kind,
        name,
        blocks,
        numbers,
    } in all
    {
        let expected = STANDARD.decode(numbers).unwrap();
        let kind = Kind::of(kind).unwrap();
        let found = kind.numbers(&STANDARD.decode(blocks).unwrap(), expected.len() / 4);
        let found: Vec<u8> = found.into_iter().flat_map(f32::to_le_bytes).collect();
        assert!(found == expected, "{name}");
    }
}

/// The factors of Llama 3.1's rule, as its code in Python computes them.
fn factors(theta: f64, features: usize, [factor, low, high, positions]: [f64; 4]) -> Vec<f64> {
    let factors = (0..features / 2).map(|pair| {
        let wave = std::f64::consts::TAU * theta.powf(2.0 * pair as f64 / features as f64);
        if wave < positions / high {
            1.0
        } else if wave > positions / low {
            factor
        } else {
            let smooth = (positions / wave - low) / (high - low);
            1.0 / ((1.0 - smooth) / factor + smooth)
        }
    });
    factors.map(|factor| f64::from(factor as f32)).collect()
}

#[rstest]
#[case::llama_3_1(500_000.0, 128, [8.0, 1.0, 4.0, 8192.0])]
#[case::llama_3_2(500_000.0, 64, [32.0, 1.0, 4.0, 8192.0])]
#[case::one_between(500_000.0, 8, [8.0, 1.0, 4.0, 8192.0])]
#[case::none_between(10_000.0, 4, [8.0, 1.0, 1.5, 128.0])]
#[case::another_rule(10_000.0, 64, [5.0, 2.0, 9.0, 300.0])]
fn the_rule_of_a_rotation_is_found_from_its_factors(
    #[case] theta: f64,
    #[case] features: usize,
    #[case] rule: [f64; 4],
) {
    let mut keys = Map::new();
    keys.insert("rope_theta".to_owned(), json!(theta));
    let expected = factors(theta, features, rule);
    let found = scaling(&keys, &expected).unwrap().unwrap();
    let names = [
        "factor",
        "low_freq_factor",
        "high_freq_factor",
        "original_max_position_embeddings",
    ];
    let rule = names.map(|name| found[name].as_f64().unwrap());
    for (again, expected) in factors(theta, features, rule).iter().zip(&expected) {
        assert!((again - expected).abs() < 1e-5 * expected, "{found}");
    }
}

#[test]
fn other_factors_are_refused() {
    let mut keys = Map::new();
    keys.insert("rope_theta".to_owned(), json!(10_000.0));
    assert_eq!(scaling(&keys, &[1.0; 4]), Ok(None));
    let refused = scaling(&keys, &[1.0, 3.0, 2.0, 4.0]).unwrap_err();
    assert!(
        refused.starts_with("rope_freqs.weight holds [1.0, 3.0, 2.0, 4.0]"),
        "{refused}"
    );
    keys.insert("rope_scaling".to_owned(), json!({"rope_type": "yarn"}));
    scaling(&keys, &[1.0, 8.0]).unwrap_err();
}
