//! The format compressed-tensors: whole numbers packed along the inputs of a linear map, or small numbers one by one,
//! with factors for the whole matrix, each output, or each group of an output's inputs.

use serde_json::Value;

use super::fp8;
use super::grid::Grid;
use super::parts::{Parts, fits, floats, matrix, number, out_of, words};
use crate::weights::Stored;

/// How whole numbers are packed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Packing {
    /// How many bits a number has, where numbers are packed: a divisor of 32.
    bits: Option<u32>,
}

impl Packing {
    /// Reads `quantization_config`; says how the weights are quantized if that is not read.
    pub(super) fn read(said: &Value) -> Result<Self, String> {
        let whole = said["format"].as_str();
        let groups = said["config_groups"].as_object().into_iter().flatten();
        let groups: Vec<&Value> = groups.map(|(_, group)| group).collect();
        let formats = groups
            .iter()
            .map(|group| group["format"].as_str().or(whole));
        let formats: Vec<&str> = formats.map(|format| format.unwrap_or("dense")).collect();
        const KNOWN: [&str; 5] = [
            "dense",
            "float-quantized",
            "int-quantized",
            "naive-quantized",
            "pack-quantized",
        ];
        if let Some(format) = formats.iter().find(|format| !KNOWN.contains(format)) {
            return Err(format!("as compressed tensors in the format {format}"));
        }
        let sparse = said["sparsity_config"]["format"].as_str();
        if let Some(format) = sparse.filter(|format| *format != "dense") {
            return Err(format!("as compressed tensors in the format {format}"));
        }
        let packed = groups.iter().zip(&formats);
        let packed = packed.filter(|(_, format)| **format == "pack-quantized");
        let mut bits: Vec<u64> = packed
            .map(|(group, _)| group["weights"]["num_bits"].as_u64().unwrap_or_default())
            .collect();
        bits.dedup();
        let bits = match bits[..] {
            [] => None,
            [bits @ (1 | 2 | 4 | 8)] => Some(bits as u32),
            _ => return Err(format!("as compressed tensors, packed with {bits:?} bits")),
        };
        Ok(Self { bits })
    }

    /// `w = (q - zero) * scale`, where a number q is stored with the half of its range added.
    pub(super) fn undo(self, parts: &mut Parts) -> Result<Stored, String> {
        let Some(bits) = self.bits else {
            return Err(
                "its numbers are packed, and `quantization_config` does not say how".to_owned(),
            );
        };
        let packed = parts.take_of("weight_packed", "I32")?;
        let [outputs, columns] = matrix("weight_packed", &packed)?;
        let shape = parts.take_of("weight_shape", "I64")?;
        fits("weight_shape", &shape, &[2])?;
        let shape = shape.bytes().map_err(|error| error.to_string())?;
        let sides = shape
            .as_chunks()
            .0
            .iter()
            .map(|side| i64::from_le_bytes(*side));
        let sides = sides.map(|side| usize::try_from(side).unwrap_or_default());
        let [rows, inputs] = sides.collect::<Vec<_>>()[..] else {
            return Err("`weight_shape` holds no two sizes".to_owned());
        };
        let per_word = (u32::BITS / bits) as usize;
        if rows != outputs || inputs.div_ceil(per_word) != columns {
            return Err(format!(
                "`weight_shape` is {rows} by {inputs}, which does not go with `weight_packed`"
            ));
        }
        let order = parts.find("weight_g_idx");
        if let Some(order) = &order {
            fits("weight_g_idx", order, &[inputs])?;
        }
        let grid = Grid::take(parts, "weight_scale", [outputs, inputs], None)?;
        let groups = grid.columns();
        let zeros = parts.find("weight_zero_point");
        if let Some(zeros) = &zeros {
            fits(
                "weight_zero_point",
                zeros,
                &[outputs.div_ceil(per_word), groups],
            )?;
        }
        Ok(floats(vec![outputs, inputs], move || {
            let (packed, scales) = (words(&packed)?, grid.scales()?);
            let zeros = zeros.as_ref().map(words).transpose()?;
            // The place in a row whose group is the input's.
            let group_of: Vec<usize> = match &order {
                None => (0..inputs).map(|input| grid.place(0, input)).collect(),
                Some(order) => words(order)?.iter().map(|group| *group as usize).collect(),
            };
            if group_of.iter().any(|group| *group >= groups) {
                return Err(out_of("weight_scale"));
            }
            let middle = f64::from(1_u32 << (bits - 1));
            let mut weight = Vec::with_capacity(outputs * inputs);
            for output in 0..outputs {
                let row = &packed[output * columns..(output + 1) * columns];
                let first = grid.place(output, 0);
                weight.extend(group_of.iter().enumerate().map(|(input, group)| {
                    // Zeros are packed along the outputs, with the same half added.
                    let zero = zeros.as_ref().map_or(middle, |zeros| {
                        let word = zeros[output / per_word * groups + group];
                        f64::from(number(&[word], bits, output % per_word))
                    });
                    let q = f64::from(number(row, bits, input));
                    ((q - zero) * scales[first + group]) as f32
                }));
            }
            Ok(weight)
        }))
    }
}

/// `w = (q - zero) * scale`, where each q is a byte: a whole number, or a float.
pub(super) fn scaled(parts: &mut Parts) -> Result<Stored, String> {
    let packed = parts.take("weight")?;
    let shape = matrix("weight", &packed)?;
    let kind = packed.dtype().err().map(ToOwned::to_owned);
    let grid = Grid::take(parts, "weight_scale", shape, None)?;
    // How large activations become is for products in eight bits.
    for activations in ["input_scale", "input_zero_point"] {
        parts.find(activations);
    }
    match kind.as_deref() {
        Some("F8_E4M3") => {
            parts.find("weight_zero_point");
            Ok(fp8::scaled(packed, shape, grid))
        }
        Some("I8") => {
            let zeros = parts.find("weight_zero_point");
            if let Some(zeros) = &zeros {
                fits("weight_zero_point", zeros, grid.shape())?;
            }
            Ok(floats(shape.to_vec(), move || {
                let (bytes, scales) = (packed.bytes()?, grid.scales()?);
                let zeros = zeros.as_ref().map(Stored::bytes).transpose()?;
                let numbers = bytes.iter().enumerate().map(|(at, byte)| {
                    let place = grid.place(at / shape[1], at % shape[1]);
                    let whole = |byte: u8| f64::from(byte.cast_signed());
                    let zero = zeros.as_ref().map_or(0.0, |zeros| whole(zeros[place]));
                    ((whole(*byte) - zero) * scales[place]) as f32
                });
                Ok(numbers.collect())
            }))
        }
        _ => Err("`weight` holds neither whole numbers nor floats of eight bits".to_owned()),
    }
}
