//! The metadata of a GGUF file as the keys of a `config.json`.

use serde_json::{Map, Value, json};

use super::header::{Header, Value as Said};

/// Architectures of llama.cpp that are read, with the class of transformers.
pub(super) const KNOWN: [(&str, &str, &str); 7] = [
    ("llama", "llama", "LlamaForCausalLM"),
    ("qwen2", "qwen2", "Qwen2ForCausalLM"),
    ("qwen3", "qwen3", "Qwen3ForCausalLM"),
    ("gemma", "gemma", "GemmaForCausalLM"),
    ("gemma2", "gemma2", "Gemma2ForCausalLM"),
    ("gemma3", "gemma3_text", "Gemma3ForCausalLM"),
    ("phi3", "phi3", "Phi3ForCausalLM"),
];

/// Keys of a model that are read, or that repeat what others say.
const KEYS: [&str; 25] = [
    "attention.head_count",
    "attention.head_count_kv",
    "attention.key_length",
    "attention.layer_norm_rms_epsilon",
    "attention.sliding_window",
    "attention.sliding_window_pattern",
    "attention.value_length",
    "attn_logit_softcapping",
    "block_count",
    "context_length",
    "embedding_length",
    "expert_count",
    "expert_used_count",
    "feed_forward_length",
    "final_logit_softcapping",
    "rope.dimension_count",
    "rope.freq_base",
    "rope.freq_base_swa",
    "rope.scaling.attn_factor",
    "rope.scaling.factor",
    "rope.scaling.finetuned",
    "rope.scaling.original_context_length",
    "rope.scaling.type",
    "tensor_data_layout",
    "vocab_size",
];

/// What a `config.json` says of the same model.
pub(super) fn described(header: &Header) -> Result<Map<String, Value>, String> {
    let model = header.text("general.architecture")?;
    let model = model.ok_or("it has no `general.architecture`")?;
    let Some((_, name, class)) = KNOWN.iter().find(|(known, ..)| *known == model) else {
        let known = KNOWN.map(|(known, ..)| format!("`{known}`")).join(", ");
        return Err(format!(
            "`general.architecture` is `{model}`; of GGUF files, relprop reads {known}"
        ));
    };
    let key = |key: &str| format!("{model}.{key}");
    let start = key("");
    for (said, value) in &header.keys {
        let Some(rest) = said.strip_prefix(&start) else {
            continue;
        };
        let none = match value {
            Said::Whole(number) => *number == 0,
            Said::Flag(flag) => !flag,
            _ => false,
        };
        let expert = rest.starts_with("expert_");
        if !none && (expert || !KEYS.contains(&rest)) && rest != "attention.causal" {
            return Err(format!("`{said}` is set, which relprop does not compute"));
        }
    }
    if header.flag(&key("attention.causal"))? == Some(false) {
        return Err(format!(
            "`{}` is false; relprop computes causal models alone",
            key("attention.causal")
        ));
    }
    let size = |name: &str| {
        let found = header.size(&key(name))?;
        found.ok_or_else(|| format!("it has no `{}`", key(name)))
    };
    let words = header.tensors.get("token_embd.weight");
    let words = words.and_then(|place| place.shape.first());
    let heads = size("attention.head_count")?;
    let width = size("embedding_length")?;
    let head = header.size(&key("attention.key_length"))?;
    if let Some(value) = header.size(&key("attention.value_length"))?
        && head.or(width.checked_div(heads)) != Some(value)
    {
        return Err(format!(
            "`{}` is {value}, and keys have another length, which relprop does not compute",
            key("attention.value_length")
        ));
    }
    let head = head.or(width.checked_div(heads)).unwrap_or_default();
    let layers = size("block_count")?;
    let mut json = json!({
        "model_type": name,
        "architectures": [class],
        "vocab_size": words.ok_or("it has no tensor token_embd.weight")?,
        "hidden_size": width,
        "intermediate_size": size("feed_forward_length")?,
        "num_hidden_layers": layers,
        "num_attention_heads": heads,
        "num_key_value_heads": header.size(&key("attention.head_count_kv"))?.unwrap_or(heads),
        "max_position_embeddings": size("context_length")?,
        "tie_word_embeddings": !header.tensors.contains_key("output.weight"),
        "rope_theta": header.number(&key("rope.freq_base"))?.unwrap_or(10_000.0),
    });
    let epsilon = key("attention.layer_norm_rms_epsilon");
    let epsilon = header
        .number(&epsilon)?
        .ok_or_else(|| format!("it has no `{epsilon}`"))?;
    json["rms_norm_eps"] = json!(epsilon);
    if head.checked_mul(heads) != Some(width)
        || matches!(model, "qwen3" | "gemma" | "gemma2" | "gemma3")
    {
        json["head_dim"] = json!(head);
    }
    let turned = header.size(&key("rope.dimension_count"))?.unwrap_or(head);
    match model {
        "phi3" if turned != head && head > 0 => {
            json["partial_rotary_factor"] = json!(turned as f64 / head as f64);
        }
        _ if turned != head => {
            let key = key("rope.dimension_count");
            return Err(format!(
                "`{key}` is {turned}, and a head has {head} features"
            ));
        }
        _ => {}
    }
    let window = header
        .size(&key("attention.sliding_window"))?
        .filter(|window| *window > 0);
    match model {
        "phi3" => json["sliding_window"] = json!(window),
        "gemma2" | "gemma3" => {
            json["sliding_window"] = json!(window.unwrap_or(4096));
            for (theirs, ours) in CAPS {
                json[ours] = json!(header.number(&key(theirs))?);
            }
            // llama.cpp tells the largest model of each, whose scores are scaled otherwise, by its blocks.
            let largest = if model == "gemma2" { 46 } else { 62 };
            json["query_pre_attn_scalar"] = json!(match layers == largest {
                true => width.checked_div(heads).unwrap_or_default(),
                false => head,
            });
            if model == "gemma3" {
                let base = header.number(&key("rope.freq_base_swa"))?;
                json["rope_local_base_freq"] = json!(base.unwrap_or(10_000.0));
            }
        }
        _ if window.is_some() => {
            return Err(format!(
                "`{}` is set, which relprop does not compute",
                key("attention.sliding_window")
            ));
        }
        _ => {}
    }
    if header
        .keys
        .contains_key(&key("attention.sliding_window_pattern"))
    {
        let key = key("attention.sliding_window_pattern");
        return Err(format!("`{key}` is set, which relprop does not read"));
    }
    if let Some(kind) = header
        .text(&key("rope.scaling.type"))?
        .filter(|kind| *kind != "none")
    {
        if matches!(kind, "dynamic" | "yarn" | "longrope") {
            return Err(format!(
                "`{}` is `{kind}`, which relprop does not read from a GGUF file",
                key("rope.scaling.type")
            ));
        }
        json["rope_scaling"] = json!({
            "rope_type": kind,
            "factor": header.number(&key("rope.scaling.factor"))?.unwrap_or(1.0),
        });
        if let Some(positions) = header.size(&key("rope.scaling.original_context_length"))? {
            json["rope_scaling"]["original_max_position_embeddings"] = json!(positions);
        }
    }
    match json {
        Value::Object(keys) => Ok(keys),
        _ => Err("it says nothing of the model".to_owned()),
    }
}

/// Caps on scores and logits.
const CAPS: [(&str, &str); 2] = [
    ("attn_logit_softcapping", "attn_logit_softcapping"),
    ("final_logit_softcapping", "final_logit_softcapping"),
];
