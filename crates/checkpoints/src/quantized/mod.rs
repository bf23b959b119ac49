//! Weights that were quantized after training: several tensors of a file stand for one, which is put together
//! as floats when it is read. `quantization_config` in `config.json` says how.

mod awq;
mod bitsandbytes;
mod compressed;
mod fp8;
mod gptq;
mod grid;
mod mxfp4;
mod parts;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use self::parts::Parts;
use crate::weights::Stored;

/// The key of `config.json` that says how weights were quantized.
pub(crate) const KEY: &str = "quantization_config";

/// How weights were quantized, where the numbers that they stand for are known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Quantized {
    Awq,
    Gptq(gptq::Packing),
    Fp8(fp8::Blocks),
    Compressed(compressed::Packing),
    BitsAndBytes,
    Mxfp4,
}

/// Puts one tensor together from its parts.
type Undo = Box<dyn Fn(&mut Parts) -> Result<Stored, String>>;

impl Quantized {
    /// What a `config.json` says of its weights; nothing if they were not quantized.
    ///
    /// # Errors
    ///
    /// How they were quantized, where relprop does not read that.
    pub(crate) fn of(config: &Map<String, Value>) -> Result<Option<Self>, String> {
        let said = |key: &str| config.get(key).filter(|value| !value.is_null());
        let how = match (said(KEY), said("quantization")) {
            (Some(how), _) => how,
            (None, Some(_)) => return Err(refusal("quantization", "by MLX")),
            (None, None) => return Ok(None),
        };
        let bits = ["load_in_4bit", "load_in_8bit"].map(|key| how[key] == true);
        let read = match how["quant_method"].as_str() {
            Some("awq") => awq::read(how).map(|()| Self::Awq),
            Some("gptq") => gptq::Packing::read(how).map(Self::Gptq),
            Some("fp8") => fp8::Blocks::read(how).map(Self::Fp8),
            Some("compressed-tensors") => compressed::Packing::read(how).map(Self::Compressed),
            Some("bitsandbytes") => Ok(Self::BitsAndBytes),
            None if bits.contains(&true) => Ok(Self::BitsAndBytes),
            Some("mxfp4") => Ok(Self::Mxfp4),
            Some("fbgemm_fp8") => Err("to FP8 by FBGEMM".to_owned()),
            _ => Err("in a way of its own".to_owned()),
        };
        let read = read.map_err(|how| refusal(KEY, &how))?;
        Ok(Some(read))
    }

    /// Puts tensors of floats in the places of those that stand for them.
    ///
    /// # Errors
    ///
    /// What is wrong, for each tensor that cannot be put together.
    pub(crate) fn undo(self, stored: &mut BTreeMap<String, Stored>) -> Result<(), Vec<String>> {
        // A tensor whose name ends like this is quantized; then what puts it together.
        let ways: Vec<(&str, Undo)> = match self {
            Self::Awq => vec![("qweight", Box::new(awq::undo))],
            Self::Gptq(packing) => vec![("qweight", Box::new(move |parts| packing.undo(parts)))],
            Self::Fp8(blocks) => {
                vec![(
                    "weight_scale_inv",
                    Box::new(move |parts| blocks.undo(parts)),
                )]
            }
            Self::Compressed(packing) => vec![
                ("weight_packed", Box::new(move |parts| packing.undo(parts))),
                ("weight_scale", Box::new(compressed::scaled)),
            ],
            Self::BitsAndBytes => vec![
                ("weight.absmax", Box::new(bitsandbytes::four_bits)),
                ("SCB", Box::new(bitsandbytes::eight_bits)),
            ],
            Self::Mxfp4 => vec![("_blocks", Box::new(mxfp4::undo))],
        };
        let ends: Vec<String> = ways.iter().map(|(end, _)| format!("`{end}`")).collect();
        let (mut problems, mut undone) = (BTreeMap::new(), 0);
        for (end, undo) in ways {
            let names = stored.keys().filter_map(|name| name.strip_suffix(end));
            for module in names.map(str::to_owned).collect::<Vec<_>>() {
                let mut parts = Parts::new(stored, module);
                let name = parts.name();
                match undo(&mut parts) {
                    Ok(tensor) => {
                        stored.insert(name, tensor);
                        undone += 1;
                    }
                    // What is said first of a tensor is what is wrong with it.
                    Err(problem) => {
                        let problem = format!("{name}: {problem}");
                        problems.entry(name).or_insert(problem);
                    }
                }
            }
        }
        if problems.is_empty() && undone == 0 {
            // transformers would draw weights, or quantize those that are there.
            return Err(vec![format!(
                "`{KEY}` says that the weights are quantized, and none is: no name ends in {}; take both files from \
                 one model",
                ends.join(" or ")
            )]);
        }
        match problems.is_empty() {
            true => Ok(()),
            false => Err(problems.into_values().collect()),
        }
    }
}

/// What to say of weights that were quantized in a way that is not read.
fn refusal(key: &str, how: &str) -> String {
    format!(
        "`{key}` says that the weights are quantized {how}, which relprop does not read; give the model that \
         they were made from"
    )
}
