//! The tensor `rope_freqs.weight`: the number by which each frequency of the rotation is divided.
//!
//! Llama 3.1 has a rule for these numbers, and the configuration of a model says the rule. The file has its
//! results alone, so the rule is found from them, and they are computed from it again as a proof.

use std::f64::consts::TAU;

use serde_json::{Map, Value, json};

/// The tensor's name.
pub(super) const FACTORS: &str = "rope_freqs.weight";

/// The positions that the rule is written for: any number does, since the two others go with it.
const POSITIONS: f64 = 8192.0;

/// The rule as `rope_scaling` says it; none if every number is 1.
pub(super) fn scaling(json: &Map<String, Value>, factors: &[f64]) -> Result<Option<Value>, String> {
    if factors.iter().all(|factor| *factor == 1.0) {
        return Ok(None);
    }
    let refused = || {
        format!(
            "{FACTORS} holds {factors:?}, which are not those of Llama 3.1's scaling of rotations"
        )
    };
    if json.contains_key("rope_scaling") {
        return Err(format!(
            "{FACTORS} and `rope.scaling.type` say two scalings of rotations"
        ));
    }
    let theta = json["rope_theta"].as_f64().unwrap_or(10_000.0);
    let features = 2.0 * factors.len() as f64;
    // How often each wave turns in the positions.
    let turns = |index: usize| POSITIONS / (TAU * theta.powf(2.0 * index as f64 / features));
    let largest = factors.iter().copied().fold(1.0, f64::max);
    let shares: Vec<(f64, f64)> = factors
        .iter()
        .enumerate()
        .map(|(index, factor)| {
            let share = (factor.recip() - largest.recip()) / (1.0 - largest.recip());
            (turns(index), share)
        })
        .collect();
    let between = |(_, share): &&(f64, f64)| (1e-6..1.0 - 1e-6).contains(share);
    let mut inside = shares.iter().filter(between);
    // The share of the kept frequency grows with the turns in a straight line, from 0 at `low` to 1 at `high`.
    let [low, high] = match (inside.next(), inside.next_back()) {
        (Some((first, a)), Some((last, b))) => {
            let slope = (a - b) / (first - last);
            [first - a / slope, first + (1.0 - a) / slope]
        }
        // Of the models that are known, high is four times low.
        (Some((turns, share)), None) => {
            let low = turns / (1.0 + 3.0 * share);
            [low, 4.0 * low]
        }
        (None, _) => {
            let kept = shares.iter().filter(|(_, share)| *share > 0.5);
            let scaled = shares.iter().filter(|(_, share)| *share <= 0.5);
            let least = kept.map(|(turns, _)| *turns).fold(f64::INFINITY, f64::min);
            let most = scaled.map(|(turns, _)| *turns).fold(0.0, f64::max);
            match least.is_finite() {
                true => [most, least],
                false => [most, 2.0 * most],
            }
        }
    };
    let again = shares.iter().zip(factors).all(|((turns, _), factor)| {
        let share = ((turns - low) / (high - low)).clamp(0.0, 1.0);
        let found = ((1.0 - share) / largest + share).recip();
        (found - factor).abs() <= 1e-5 * factor
    });
    match again && low > 0.0 && high > low {
        false => Err(refused()),
        true => Ok(Some(json!({
            "rope_type": "llama3",
            "factor": largest,
            "low_freq_factor": low,
            "high_freq_factor": high,
            "original_max_position_embeddings": POSITIONS as u64,
        }))),
    }
}
