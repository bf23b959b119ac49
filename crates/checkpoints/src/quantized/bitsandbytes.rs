//! bitsandbytes: numbers of four bits that stand for those of a table, with a factor for each block (QLoRA, Dettmers et
//! al. 2023); or whole numbers of eight bits with a factor for each row (LLM.int8(), Dettmers et al. 2022).

use serde::Deserialize;

use super::parts::{Parts, fits, floats, matrix, out_of};
use crate::json::from_json;
use crate::weights::Stored;

/// What a file says of a tensor of four bits.
#[derive(Deserialize)]
struct State {
    blocksize: usize,
    shape: Vec<usize>,
    nested_blocksize: Option<usize>,
    nested_offset: Option<f64>,
}

/// `w = table[q] * factor`. Factors may be quantized once more: they are then
/// `table'[factor] * factor' + offset`.
pub(super) fn four_bits(parts: &mut Parts) -> Result<Stored, String> {
    let packed = parts.take_of("weight", "U8")?;
    let states = parts.beginning("weight.quant_state.");
    let [state] = &states[..] else {
        return Err("it has no `quant_state`".to_owned());
    };
    let state = state.bytes().map_err(|error| error.to_string())?;
    let state = String::from_utf8_lossy(&state);
    let state: State = from_json(&state).map_err(|error| format!("`quant_state`: {error}"))?;
    let (block, shape) = (state.blocksize, state.shape);
    let count = shape
        .iter()
        .try_fold(1, |count: usize, side| count.checked_mul(*side));
    let stored: usize = packed.shape().iter().product();
    let count = count.filter(|count| block > 0 && count.div_ceil(2) == stored);
    let count = count.ok_or_else(|| {
        format!("`weight` holds {stored} bytes, which do not go with the shape {shape:?} in `quant_state`")
    })?;
    let table = parts.take_floats("weight.quant_map")?;
    fits("weight.quant_map", &table, &[16])?;
    let factors = parts.take("weight.absmax")?;
    let blocks = count.div_ceil(block);
    fits("weight.absmax", &factors, &[blocks])?;
    let nested = match (state.nested_blocksize, state.nested_offset) {
        (Some(block), Some(offset)) if block > 0 => {
            let table = parts.take_floats("weight.nested_quant_map")?;
            fits("weight.nested_quant_map", &table, &[256])?;
            let factors = parts.take_floats("weight.nested_absmax")?;
            fits("weight.nested_absmax", &factors, &[blocks.div_ceil(block)])?;
            Some((block, offset, table, factors))
        }
        _ => None,
    };
    match (factors.dtype(), &nested) {
        (Ok(_), None) => {}
        (Err("U8"), Some(_)) => {}
        _ => return Err("`weight.absmax` does not go with `quant_state`".to_owned()),
    }
    Ok(floats(shape, move || {
        let (bytes, table) = (packed.bytes()?, table.floats()?);
        let factors: Vec<f64> = match &nested {
            None => factors.floats()?,
            Some((block, offset, table, outer)) => {
                let (table, outer) = (table.floats()?, outer.floats()?);
                let factors = factors.bytes()?;
                let factors = factors.iter().enumerate();
                let factors = factors.map(|(at, factor)| {
                    let factor = table[usize::from(*factor)] * outer[at / block];
                    factor + offset
                });
                factors.collect()
            }
        };
        let number = |at: usize| {
            // The high four bits come first.
            let q = match at % 2 {
                0 => bytes[at / 2] >> 4,
                _ => bytes[at / 2] & 15,
            };
            (table[usize::from(q)] * factors[at / block]) as f32
        };
        match blocks == factors.len() {
            true => Ok((0..count).map(number).collect()),
            false => Err(out_of("weight.absmax")),
        }
    }))
}

/// `w[row, column] = q[row, column] * factor[row] / 127`.
pub(super) fn eight_bits(parts: &mut Parts) -> Result<Stored, String> {
    let packed = parts.take_of("weight", "I8")?;
    let [rows, columns] = matrix("weight", &packed)?;
    let factors = parts.take_floats("SCB")?;
    fits("SCB", &factors, &[rows])?;
    // In which order a card keeps the numbers while it computes; in a file they are in rows.
    if let Some(order) = parts.find("weight_format") {
        let order = order.bytes().map_err(|error| error.to_string())?;
        if order.iter().any(|byte| *byte != 0) {
            return Err("its numbers are not stored in rows (`weight_format`)".to_owned());
        }
    }
    Ok(floats(vec![rows, columns], move || {
        let (bytes, factors) = (packed.bytes()?, factors.floats()?);
        let numbers = bytes.iter().enumerate().map(|(at, byte)| {
            (f64::from(byte.cast_signed()) * factors[at / columns] / 127.0) as f32
        });
        Ok(numbers.collect())
    }))
}
