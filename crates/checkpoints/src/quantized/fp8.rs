//! Floats of eight bits: a sign, four bits of exponent and three of fraction (E4M3, Micikevicius et al. 2022), with a
//! factor for each block of a matrix.

use serde_json::Value;

use super::grid::Grid;
use super::parts::{Parts, floats, matrix};
use crate::weights::Stored;

/// The sizes of the blocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Blocks(Option<[usize; 2]>);

impl Blocks {
    /// Reads `quantization_config`; says how the weights are quantized if that is not read.
    pub(super) fn read(said: &Value) -> Result<Self, String> {
        let format = said["fmt"].as_str().unwrap_or("e4m3");
        if format != "e4m3" {
            return Err(format!("to FP8 in the format {format}"));
        }
        match &said["weight_block_size"] {
            Value::Null => Ok(Self(None)),
            sizes => match (sizes[0].as_u64(), sizes[1].as_u64()) {
                (Some(rows @ 1..), Some(columns @ 1..)) => {
                    Ok(Self(Some([rows as usize, columns as usize])))
                }
                _ => Err(format!("to FP8 with `weight_block_size` {sizes}")),
            },
        }
    }

    /// `w = q * scale`; the file calls the factors inverse, because they undo what was multiplied before.
    pub(super) fn undo(self, parts: &mut Parts) -> Result<Stored, String> {
        let packed = parts.take_of("weight", "F8_E4M3")?;
        let shape = matrix("weight", &packed)?;
        let grid = Grid::take(parts, "weight_scale_inv", shape, self.0)?;
        // How large activations become is for products in eight bits.
        parts.find("activation_scale");
        Ok(scaled(packed, shape, grid))
    }
}

/// A matrix of such floats with its factors.
pub(super) fn scaled(packed: Stored, shape: [usize; 2], grid: Grid) -> Stored {
    floats(shape.to_vec(), move || {
        let (bytes, scales) = (packed.bytes()?, grid.scales()?);
        let numbers = bytes.iter().enumerate().map(|(at, byte)| {
            let scale = scales[grid.place(at / shape[1], at % shape[1])];
            (e4m3(*byte) * scale) as f32
        });
        Ok(numbers.collect())
    })
}

/// The number that a byte stands for.
pub(super) fn e4m3(byte: u8) -> f64 {
    let (exponent, fraction) = (i32::from(byte >> 3 & 15), f64::from(byte & 7));
    let size = match (exponent, byte & 7) {
        (15, 7) => f64::NAN,
        (0, _) => fraction / 8.0 * 2_f64.powi(-6),
        _ => (1.0 + fraction / 8.0) * 2_f64.powi(exponent - 7),
    };
    match byte >> 7 {
        0 => size,
        _ => -size,
    }
}
