//! MXFP4 (OCP Microscaling Formats 1.0): floats of four bits, two in a byte, with a power of two for each block of 32.
//! gpt-oss has its experts so.

use super::parts::{Parts, fits, floats};
use crate::weights::Stored;

/// The sizes that the three low bits stand for; the fourth is the sign.
const SIZES: [f64; 8] = [0.0, 0.5, 1.0, 1.5, 2.0, 3.0, 4.0, 6.0];

/// `w = q * 2^(scale - 127)`. In the file are `[expert, output, block, byte]`; experts are wanted as
/// `[expert, input, output]`.
pub(super) fn undo(parts: &mut Parts) -> Result<Stored, String> {
    let packed = parts.take_of("_blocks", "U8")?;
    let &[experts, outputs, blocks, bytes] = packed.shape() else {
        return Err(format!(
            "`_blocks` has the shape {:?}; it must have four sizes",
            packed.shape()
        ));
    };
    let scales = parts.take_of("_scales", "U8")?;
    fits("_scales", &scales, &[experts, outputs, blocks])?;
    let inputs = blocks * bytes * 2;
    Ok(floats(vec![experts, inputs, outputs], move || {
        let (packed, scales) = (packed.bytes()?, scales.bytes()?);
        let mut weight = vec![0.0; experts * inputs * outputs];
        for (row, row_of_bytes) in packed.chunks_exact((blocks * bytes).max(1)).enumerate() {
            let (expert, output) = (row / outputs, row % outputs);
            for (at, byte) in row_of_bytes.iter().enumerate() {
                let scale = 2_f64.powi(i32::from(scales[row * blocks + at / bytes]) - 127);
                // The low four bits come first.
                for (place, four) in [byte & 15, byte >> 4].into_iter().enumerate() {
                    let size = SIZES[usize::from(four & 7)] * scale;
                    let number = if four >> 3 == 0 { size } else { -size };
                    let input = 2 * at + place;
                    weight[(expert * inputs + input) * outputs + output] = number as f32;
                }
            }
        }
        Ok(weight)
    }))
}
