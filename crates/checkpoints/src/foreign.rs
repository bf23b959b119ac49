//! Models in the formats of other programs, which are not read here, and the message for each.

use std::path::{Path, PathBuf};

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
        "the weights have the names of OpenCLIP, and open_clip_config.json is not there, which describes them",
    ),
];

/// Types of models that are not read, and why; what to do is said where there is something.
pub const REFUSED_TYPES: &[(&str, &str)] = &[
    ("apertus", "relprop does not compute its activation, xIELU"),
    ("arcee", SQUARES),
    (
        "big_bird",
        "its tokens look at blocks of others, some of which are drawn",
    ),
    ("biogpt", PYTHON),
    ("blenderbot-small", PYTHON),
    (
        "codegen",
        "its tensor of queries, keys and values is cut into four parts first, each with some heads of all three; relprop \
         does not read that",
    ),
    ("convbert", "convolutions stand beside its heads"),
    (
        "deepseek_v3",
        "its keys and values are made of one narrow vector a token (latent attention), and its router chooses groups of \
         experts first; relprop computes neither; its distilled models are of the types `llama` and `qwen2`",
    ),
    (
        "hunyuan_v1_dense",
        "its queries and keys are normalized after their rotation, which relprop does not compute",
    ),
    (
        "longformer",
        "its tokens look at a window and at some tokens that are picked out, which have linear maps of their own; \
         relprop computes no attention of two kinds in one block",
    ),
    ("mamba", NO_ATTENTION),
    ("mamba2", NO_ATTENTION),
    (
        "mobilebert",
        "its blocks have bottlenecks, and several feed-forward parts",
    ),
    ("nemotron", SQUARES),
    (
        "new",
        "its code is in its own folder and not in transformers, which has the same model as the type `gte`; look for \
         a folder of that type",
    ),
    ("persimmon", SQUARES),
    (
        "phimoe",
        "its router chooses one expert after another, with weights of its own kind (SparseMixer), which relprop does not compute",
    ),
    ("qwen2_5_vl", PICTURES_AMONG_WORDS),
    ("qwen2_vl", PICTURES_AMONG_WORDS),
    ("rwkv", NO_ATTENTION),
    (
        "siglip2",
        "its pictures may have any size, and a mask says which patches are there (NaFlex); relprop reads pictures of one size, \
         for which folders of SigLIP 2 have the type `siglip`",
    ),
    ("squeezebert", "its linear maps are convolutions in groups"),
];

const SQUARES: &str =
    "its feed-forward part squares what a ReLU lets through, which relprop does not compute";
const PYTHON: &str =
    "its tokenizer is written in Python, and no `tokenizer.json` says what it does";
const NO_ATTENTION: &str = "it has no attention";
const PICTURES_AMONG_WORDS: &str = "its pictures stand among the words of a text, with positions of three kinds (time, row, column); relprop reads no such text";

/// A type of which some classes are read.
const OTHER_CLASSES: (&str, &str) = (
    "clip",
    "of this type, only `CLIPModel` is read, which compares pictures with texts",
);

/// Why models of this type are not read, if it is known.
pub(super) fn model_type(name: &str) -> Option<&'static str> {
    let mut all = REFUSED_TYPES.iter().chain([&OTHER_CLASSES]);
    let known = all.find(|(known, _)| *known == name);
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
