//! Keys that transformers knows by two names.

/// The other names that transformers has for keys of a type (`attribute_map`), with the names here.
pub(crate) const ALIASES: &[(&str, &[(&str, &str)])] = &[
    (
        "bloom",
        &[
            ("n_embed", "hidden_size"),
            ("num_attention_heads", "n_head"),
            ("num_hidden_layers", "n_layer"),
        ],
    ),
    ("falcon", &[("n_embed", "hidden_size")]),
    ("mixtral", &[("num_experts", "num_local_experts")]),
    ("qwen3_moe", &[("num_experts", "num_local_experts")]),
    ("gpt_oss", &[("num_experts", "num_local_experts")]),
    ("olmoe", &[("num_local_experts", "num_experts")]),
    (
        "gpt_neo",
        &[
            ("num_attention_heads", "num_heads"),
            ("num_hidden_layers", "num_layers"),
        ],
    ),
    ("gptj", OF_GPT2),
    (
        "distilbert",
        &[
            ("hidden_size", "dim"),
            ("num_attention_heads", "n_heads"),
            ("num_hidden_layers", "n_layers"),
        ],
    ),
    ("gpt2", OF_GPT2),
    (
        "t5",
        &[
            ("head_dim", "d_kv"),
            ("hidden_size", "d_model"),
            ("num_attention_heads", "num_heads"),
            ("num_hidden_layers", "num_layers"),
        ],
    ),
    (
        "mt5",
        &[
            ("head_dim", "d_kv"),
            ("hidden_size", "d_model"),
            ("num_attention_heads", "num_heads"),
            ("num_hidden_layers", "num_layers"),
        ],
    ),
    (
        "umt5",
        &[
            ("head_dim", "d_kv"),
            ("hidden_size", "d_model"),
            ("num_attention_heads", "num_heads"),
            ("num_hidden_layers", "num_layers"),
        ],
    ),
    ("gpt_bigcode", OF_GPT2),
    (
        "mpt",
        &[
            ("hidden_size", "d_model"),
            ("num_attention_heads", "n_heads"),
            ("num_hidden_layers", "n_layers"),
        ],
    ),
    (
        "xglm",
        &[
            ("hidden_size", "d_model"),
            ("num_attention_heads", "attention_heads"),
            ("num_hidden_layers", "num_layers"),
        ],
    ),
    ("bart", OF_BART),
    ("mbart", OF_BART),
    ("marian", OF_BART),
    ("m2m_100", OF_BART),
    ("pegasus", OF_BART),
];

const OF_GPT2: &[(&str, &str)] = &[
    ("hidden_size", "n_embd"),
    ("max_position_embeddings", "n_positions"),
    ("num_attention_heads", "n_head"),
    ("num_hidden_layers", "n_layer"),
];

const OF_BART: &[(&str, &str)] = &[
    ("hidden_size", "d_model"),
    ("num_attention_heads", "encoder_attention_heads"),
    ("num_hidden_layers", "encoder_layers"),
];
