//! GPTQ (Frantar et al. 2023): whole numbers of a few bits, packed along the inputs of a linear map. Each group of
//! inputs has a factor and a zero for each output.

use serde_json::Value;

use super::parts::{Parts, fits, floats, matrix, number, out_of, words};
use crate::weights::Stored;

/// How the numbers are packed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Packing {
    /// How many bits a number has: a divisor of 32.
    bits: u32,
    /// How many inputs share a factor; all of them if there is none.
    group: Option<usize>,
    /// Whether zeros are stored less one, as the first version of the format has it.
    shifted: bool,
}

impl Packing {
    /// Reads `quantization_config`; says how the weights are quantized if that is not read.
    pub(super) fn read(said: &Value) -> Result<Self, String> {
        let bits = match said["bits"].as_u64() {
            Some(bits @ (2 | 4 | 8)) => bits as u32,
            _ => return Err(format!("by GPTQ with `bits` {}", said["bits"])),
        };
        let group = match &said["group_size"] {
            Value::Null => None,
            size => match size.as_i64() {
                Some(-1) => None,
                Some(size @ 1..) => Some(size as usize),
                _ => return Err(format!("by GPTQ with `group_size` {size}")),
            },
        };
        let shifted = match said["checkpoint_format"].as_str() {
            None | Some("gptq") => true,
            Some("gptq_v2") => false,
            Some(other) => return Err(format!("by GPTQ in the format {other}")),
        };
        if said["dynamic"]
            .as_object()
            .is_some_and(|own| !own.is_empty())
        {
            return Err(
                "by GPTQ with settings of their own for some modules (`dynamic`)".to_owned(),
            );
        }
        Ok(Self {
            bits,
            group,
            shifted,
        })
    }

    /// `w[output, input] = (q[input, output] - zero[group, output]) * scale[group, output]`.
    pub(super) fn undo(self, parts: &mut Parts) -> Result<Stored, String> {
        let Self {
            bits,
            group,
            shifted,
        } = self;
        let per_word = (u32::BITS / bits) as usize;
        let packed = parts.take_of("qweight", "I32")?;
        let [rows, outputs] = matrix("qweight", &packed)?;
        let inputs = rows * per_word;
        let scales = parts.take_floats("scales")?;
        let groups = scales.rows();
        fits("scales", &scales, &[groups, outputs])?;
        let zeros = parts.take_of("qzeros", "I32")?;
        fits("qzeros", &zeros, &[groups, outputs.div_ceil(per_word)])?;
        // The group of each input, where they are not in order.
        let order = parts.find("g_idx");
        if let Some(order) = &order {
            fits("g_idx", order, &[inputs])?;
        }
        let size = group.unwrap_or(inputs).max(1);
        if order.is_none() && inputs.div_ceil(size) != groups {
            return Err(format!(
                "`scales` has {groups} groups, and {inputs} inputs in groups of {size} have another number"
            ));
        }
        Ok(floats(vec![outputs, inputs], move || {
            let (packed, zeros, scales) = (words(&packed)?, words(&zeros)?, scales.floats()?);
            let group_of: Vec<usize> = match &order {
                None => (0..inputs).map(|input| input / size).collect(),
                Some(order) => words(order)?.iter().map(|group| *group as usize).collect(),
            };
            if group_of.iter().any(|group| *group >= groups) {
                return Err(out_of("scales"));
            }
            let zero_words = outputs.div_ceil(per_word);
            let mask = u32::MAX >> (u32::BITS - bits);
            let zero = |group: usize, output| {
                let stored = number(&zeros[group * zero_words..], bits, output);
                f64::from(if shifted { (stored + 1) & mask } else { stored })
            };
            let zeros: Vec<f64> = (0..groups)
                .flat_map(|group| (0..outputs).map(move |output| (group, output)))
                .map(|(group, output)| zero(group, output))
                .collect();
            let mut weight = vec![0.0; outputs * inputs];
            for (row, words) in packed.chunks_exact(outputs.max(1)).enumerate() {
                for (output, word) in words.iter().enumerate() {
                    for place in 0..per_word {
                        let input = row * per_word + place;
                        let at = group_of[input] * outputs + output;
                        let q = f64::from(number(&[*word], bits, place));
                        weight[output * inputs + input] = ((q - zeros[at]) * scales[at]) as f32;
                    }
                }
            }
            Ok(weight)
        }))
    }
}
