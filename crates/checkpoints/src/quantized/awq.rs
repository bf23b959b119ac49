//! AWQ (Lin et al. 2024): whole numbers of four bits, packed along the outputs of a linear map in an order of their
//! own. Each group of inputs has a factor and a zero for each output.

use serde_json::Value;

use super::parts::{Parts, fits, floats, matrix, words};
use crate::weights::Stored;

/// Which of the eight outputs of a word has the four bits at each place, from the lowest on.
const ORDER: [usize; 8] = [0, 2, 4, 6, 1, 3, 5, 7];

/// Reads `quantization_config`; says how the weights are quantized if that is not read.
pub(super) fn read(said: &Value) -> Result<(), String> {
    let bits = ["bits", "w_bit"].map(|key| &said[key]);
    if let Some(bits) = bits.into_iter().find(|bits| !bits.is_null() && **bits != 4) {
        return Err(format!("by AWQ with {bits} bits"));
    }
    let version = said["version"].as_str().unwrap_or("gemm");
    match version.eq_ignore_ascii_case("gemm") {
        true => Ok(()),
        false => Err(format!("by AWQ in the version {version}")),
    }
}

/// `w[output, input] = (q[input, output] - zero[group, output]) * scale[group, output]`.
pub(super) fn undo(parts: &mut Parts) -> Result<Stored, String> {
    let packed = parts.take_of("qweight", "I32")?;
    let [inputs, columns] = matrix("qweight", &packed)?;
    let outputs = columns * ORDER.len();
    let scales = parts.take_floats("scales")?;
    let groups = scales.rows();
    fits("scales", &scales, &[groups, outputs])?;
    let zeros = parts.take_of("qzeros", "I32")?;
    fits("qzeros", &zeros, &[groups, columns])?;
    if groups == 0 || !inputs.is_multiple_of(groups) {
        return Err(format!("{inputs} inputs are not in {groups} equal groups"));
    }
    let size = inputs / groups;
    Ok(floats(vec![outputs, inputs], move || {
        let (packed, zeros, scales) = (words(&packed)?, words(&zeros)?, scales.floats()?);
        let mut weight = vec![0.0; outputs * inputs];
        for (input, row) in packed.chunks_exact(columns.max(1)).enumerate() {
            let group = input / size;
            let zeros = &zeros[group * columns..(group + 1) * columns];
            let scales = &scales[group * outputs..(group + 1) * outputs];
            for (column, (word, zero)) in row.iter().zip(zeros).enumerate() {
                for (place, output) in ORDER.iter().enumerate() {
                    let output = column * ORDER.len() + output;
                    let [q, zero] = [word, zero].map(|word| f64::from((word >> (4 * place)) & 15));
                    weight[output * inputs + input] = ((q - zero) * scales[output]) as f32;
                }
            }
        }
        Ok(weight)
    }))
}
