//! The tensors of a GGUF file under the names of transformers, and what llama.cpp's converter did to them.

use burn::tensor::{Bytes, DType};

use super::blocks::Kind;
use super::header::Header;

/// What was done to a tensor when the file was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Undone {
    Nothing,
    /// The rows of each of so many heads were put in the order of pairs that are side by side.
    Turned(usize),
    /// One was added to each number.
    AddedOne,
}

/// Parts of a block, with their names in transformers.
const PARTS: [(&str, &str); 15] = [
    ("attn_norm", "input_layernorm"),
    ("attn_q", "self_attn.q_proj"),
    ("attn_k", "self_attn.k_proj"),
    ("attn_v", "self_attn.v_proj"),
    ("attn_qkv", "self_attn.qkv_proj"),
    ("attn_output", "self_attn.o_proj"),
    ("attn_q_norm", "self_attn.q_norm"),
    ("attn_k_norm", "self_attn.k_norm"),
    ("ffn_norm", "post_attention_layernorm"),
    ("ffn_gate", "mlp.gate_proj"),
    ("ffn_up", "mlp.up_proj"),
    ("ffn_down", "mlp.down_proj"),
    ("post_attention_norm", "post_attention_layernorm"),
    ("post_ffw_norm", "post_feedforward_layernorm"),
    ("attn_rot_embd", "self_attn.rotary_emb.inv_freq"),
];

/// The name that transformers has for a tensor, and what is to be undone.
pub(super) fn of(header: &Header, name: &str) -> Result<(String, Undone), String> {
    let unknown = || format!("the tensor {name} is one that relprop does not know");
    let model = header.text("general.architecture")?.unwrap_or_default();
    let gemma = model.starts_with("gemma");
    let (module, end) = name.rsplit_once('.').ok_or_else(unknown)?;
    let norm = |is_norm: bool| match gemma && is_norm && end == "weight" {
        true => Undone::AddedOne,
        false => Undone::Nothing,
    };
    let (module, undone) = match module {
        "token_embd" => ("model.embed_tokens".to_owned(), Undone::Nothing),
        "output" => ("lm_head".to_owned(), Undone::Nothing),
        "output_norm" => ("model.norm".to_owned(), norm(true)),
        _ => {
            let block = module
                .strip_prefix("blk.")
                .and_then(|rest| rest.split_once('.'));
            let (number, part) = block.ok_or_else(unknown)?;
            number.parse::<usize>().map_err(|_| unknown())?;
            let of_model = match (model, part) {
                ("phi3", "ffn_up") => Some("mlp.gate_up_proj"),
                ("gemma2" | "gemma3", "ffn_norm") => Some("pre_feedforward_layernorm"),
                _ => None,
            };
            let listed = || PARTS.iter().find(|(theirs, _)| *theirs == part);
            let ours = of_model.or_else(|| listed().map(|(_, ours)| *ours));
            let heads = |key: &str| header.size(&format!("llama.attention.{key}"));
            let undone = match (model, part) {
                ("llama", "attn_q") => Undone::Turned(heads("head_count")?.unwrap_or(1)),
                ("llama", "attn_k") => {
                    let all = heads("head_count")?;
                    Undone::Turned(heads("head_count_kv")?.or(all).unwrap_or(1))
                }
                _ => norm(part.ends_with("norm")),
            };
            let ours = ours.ok_or_else(unknown)?;
            (format!("model.layers.{number}.{ours}"), undone)
        }
    };
    Ok((format!("{module}.{end}"), undone))
}

impl Undone {
    /// The tensor as it was.
    pub(super) fn undo(self, mut bytes: Bytes, kind: Kind, shape: &[usize]) -> Bytes {
        match self {
            Self::Nothing => bytes,
            Self::AddedOne => {
                let numbers = crate::weights::floats_of(&bytes, dtype(kind));
                Bytes::from_elems(
                    numbers
                        .map(|number| (number - 1.0) as f32)
                        .collect::<Vec<f32>>(),
                )
            }
            Self::Turned(heads) => {
                let rows = shape.first().copied().unwrap_or_default();
                let half = rows / heads.max(1) / 2;
                // Another number of rows fits no head, and the shape is refused.
                if rows == 0 || half * 2 * heads != rows {
                    return bytes;
                }
                let turned = bytes.to_vec();
                let size = bytes.len() / rows;
                for (row, target) in bytes.chunks_exact_mut(size).enumerate() {
                    let (head, within) = (row / (2 * half), row % (2 * half));
                    let from = head * 2 * half + within % half * 2 + within / half;
                    target.copy_from_slice(&turned[from * size..(from + 1) * size]);
                }
                bytes
            }
        }
    }
}

/// The type of the floats that are read of a tensor.
fn dtype(kind: Kind) -> DType {
    match kind {
        Kind::F16 => DType::F16,
        Kind::Bf16 => DType::BF16,
        Kind::F64 => DType::F64,
        _ => DType::F32,
    }
}
