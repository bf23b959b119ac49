//! Models in the formats of other programs, which are not read here, and the message for each.

use std::path::{Path, PathBuf};

use serde_json::{Map, Value};

use super::CheckpointError;

/// Endings of file names in lower case, and the message for such a file: what it is, and what to
/// do.
const FILES: &[(&str, &str)] = &[
    (
        "adapter_config.json",
        "it belongs to an adapter, where a whole model is needed; in Python, peft's AutoPeftModel class for \
         the task merges an adapter and its model: \
         .from_pretrained(folder).merge_and_unload().save_pretrained(merged)",
    ),
    (
        ".onnx",
        "the weights are in ONNX alone, which relprop does not read; give the folder of the model that \
         they were exported from, with model.safetensors",
    ),
    (
        "tf_model.h5",
        "the weights are TensorFlow's alone, which relprop does not read; in Python, transformers 4 \
         writes model.safetensors: its Auto class for the task, \
         .from_pretrained(folder, from_tf=True).save_pretrained(folder)",
    ),
    (
        ".ckpt.index",
        "the weights are a TensorFlow checkpoint, which relprop does not read; in Python, \
         transformers 4 converts it: `transformers-cli convert`",
    ),
    (
        "flax_model.msgpack",
        "the weights are Flax's alone, which relprop does not read; in Python, transformers 4 writes \
         model.safetensors: its Auto class for the task, \
         .from_pretrained(folder, from_flax=True).save_pretrained(folder)",
    ),
    (
        "openvino_model.bin",
        "the weights are OpenVINO's alone, which relprop does not read; give the folder of the model \
         that they were exported from, with model.safetensors",
    ),
    (
        "open_clip_pytorch_model.bin",
        "the weights have the names of OpenCLIP, which relprop does not read",
    ),
];

/// Types of models that are not read, and why; what to do is said where there is something.
const TYPES: &[(&str, &str)] = &[
    (
        "longformer",
        "its tokens look at a window and at some tokens that are picked out, which have linear maps of their own; \
         relprop computes no attention of two kinds in one block",
    ),
    (
        "new",
        "its code is in its own folder and not in transformers, which has the same model as the type `gte`; look for \
         a folder of that type",
    ),
];

/// Why models of this type are not read, if it is known.
pub(super) fn model_type(name: &str) -> Option<&'static str> {
    let known = TYPES.iter().find(|(known, _)| *known == name);
    known.map(|(_, reason)| *reason)
}

/// The error for the file at `path`, if it is a model of another program.
pub(super) fn file(path: &Path) -> Option<CheckpointError> {
    let name = path.file_name()?.to_str()?.to_lowercase();
    let known = FILES.iter().find(|(end, _)| name.ends_with(end));
    known.map(|(_, message)| CheckpointError::Foreign {
        path: path.to_owned(),
        message,
    })
}

/// The error instead of `missing`, if the files at these paths are those of a model of another program.
pub(super) fn instead(paths: &[PathBuf], missing: CheckpointError) -> CheckpointError {
    let mut known = FILES.iter().filter_map(|(end, _)| {
        let name = |path: &&PathBuf| {
            let name = path.file_name().and_then(|name| name.to_str());
            name.is_some_and(|name| name.to_lowercase().ends_with(end))
        };
        paths.iter().find(name)
    });
    known.next().and_then(|path| file(path)).unwrap_or(missing)
}

/// What to say of a `config.json` whose weights are quantized.
pub(super) fn quantized(config: &Map<String, Value>) -> Option<String> {
    let said = |key: &str| config.get(key).filter(|value| !value.is_null());
    let original = "give the model that they were made from";
    let (key, how, way_out) = match (said("quantization_config"), said("quantization")) {
        (Some(how), _) => {
            let method = how["quant_method"].as_str();
            let bits = ["load_in_4bit", "load_in_8bit"].map(|key| how[key] == true);
            let (how, way_out) = match method {
                Some("awq") => ("by AWQ", original),
                Some("gptq") => ("by GPTQ", original),
                Some("bitsandbytes") => ("by bitsandbytes", DEQUANTIZE),
                None if bits.contains(&true) => ("by bitsandbytes", DEQUANTIZE),
                Some("fp8" | "fbgemm_fp8") => ("to FP8", original),
                Some("mxfp4") => ("to MXFP4", original),
                Some("compressed-tensors") => ("as compressed tensors", original),
                _ => ("in a way of its own", original),
            };
            ("quantization_config", how, way_out)
        }
        (None, Some(_)) => ("quantization", "by MLX", original),
        (None, None) => return None,
    };
    Some(format!(
        "`{key}` says that the weights are quantized {how}; relprop reads weights that are not \
         quantized: {way_out}"
    ))
}

/// What transformers offers for the methods that it can undo.
const DEQUANTIZE: &str = "give the model that they were made from, or write them as floats in Python: \
                          model.dequantize(), then model.save_pretrained(folder)";
