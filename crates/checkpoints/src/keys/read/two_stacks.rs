//! The types of models with an encoder and a decoder.

/// What the code of a type reads, and the fields of its configuration.
#[rustfmt::skip]
pub(super) const TWO_STACKS: &[(&str, &[&str])] = &[
    ("t5", &[
        "classifier_dropout", "d_ff", "d_kv", "d_model", "decoder_start_token_id",
        "dense_act_fn", "dropout_rate", "eos_token_id", "feed_forward_proj",
        "initializer_factor", "is_decoder", "is_encoder_decoder", "is_gated_act",
        "layer_norm_epsilon", "num_decoder_layers", "num_heads", "num_labels", "num_layers",
        "pad_token_id", "problem_type", "relative_attention_max_distance",
        "relative_attention_num_buckets", "scale_decoder_outputs", "tie_word_embeddings",
        "use_cache", "vocab_size",
    ]),
    ("mt5", &[
        "bos_token_id", "classifier_dropout", "d_ff", "d_kv", "d_model",
        "decoder_start_token_id", "dense_act_fn", "dropout_rate", "eos_token_id",
        "feed_forward_proj", "initializer_factor", "is_decoder", "is_encoder_decoder",
        "is_gated_act", "layer_norm_epsilon", "num_decoder_layers", "num_heads", "num_labels",
        "num_layers", "pad_token_id", "problem_type", "relative_attention_max_distance",
        "relative_attention_num_buckets", "tie_word_embeddings", "use_cache", "vocab_size",
    ]),
    ("bart", &[
        "activation_dropout", "activation_function", "attention_dropout", "bos_token_id",
        "classifier_dropout", "d_model", "decoder_attention_heads", "decoder_ffn_dim",
        "decoder_layerdrop", "decoder_layers", "decoder_start_token_id", "dropout",
        "encoder_attention_heads", "encoder_ffn_dim", "encoder_layerdrop", "encoder_layers",
        "eos_token_id", "forced_eos_token_id", "init_std", "is_decoder", "is_encoder_decoder",
        "max_position_embeddings", "num_labels", "pad_token_id", "problem_type",
        "scale_embedding", "tie_word_embeddings", "use_cache", "vocab_size",
    ]),
    ("mbart", &[
        "activation_dropout", "activation_function", "attention_dropout", "bos_token_id",
        "classifier_dropout", "d_model", "decoder_attention_heads", "decoder_ffn_dim",
        "decoder_layerdrop", "decoder_layers", "decoder_start_token_id", "dropout",
        "encoder_attention_heads", "encoder_ffn_dim", "encoder_layerdrop", "encoder_layers",
        "eos_token_id", "forced_eos_token_id", "gradient_checkpointing", "init_std",
        "is_decoder", "is_encoder_decoder", "max_position_embeddings", "num_labels",
        "pad_token_id", "problem_type", "scale_embedding", "tie_word_embeddings", "use_cache",
        "vocab_size",
    ]),
    ("marian", &[
        "activation_dropout", "activation_function", "attention_dropout", "bos_token_id",
        "d_model", "decoder_attention_heads", "decoder_ffn_dim", "decoder_layerdrop",
        "decoder_layers", "decoder_start_token_id", "decoder_vocab_size", "dropout",
        "encoder_attention_heads", "encoder_ffn_dim", "encoder_layerdrop", "encoder_layers",
        "eos_token_id", "forced_eos_token_id", "init_std", "is_decoder", "is_encoder_decoder",
        "max_position_embeddings", "pad_token_id", "scale_embedding",
        "share_encoder_decoder_embeddings", "tie_word_embeddings", "use_cache", "vocab_size",
    ]),
    ("m2m_100", &[
        "activation_dropout", "activation_function", "attention_dropout", "bos_token_id",
        "d_model", "decoder_attention_heads", "decoder_ffn_dim", "decoder_layerdrop",
        "decoder_layers", "decoder_start_token_id", "dropout", "encoder_attention_heads",
        "encoder_ffn_dim", "encoder_layerdrop", "encoder_layers", "eos_token_id", "init_std",
        "is_encoder_decoder", "max_position_embeddings", "pad_token_id", "scale_embedding",
        "tie_word_embeddings", "use_cache", "vocab_size",
    ]),
    ("pegasus", &[
        "activation_dropout", "activation_function", "attention_dropout", "d_model",
        "decoder_attention_heads", "decoder_ffn_dim", "decoder_layerdrop", "decoder_layers",
        "decoder_start_token_id", "dropout", "encoder_attention_heads", "encoder_ffn_dim",
        "encoder_layerdrop", "encoder_layers", "eos_token_id", "forced_eos_token_id",
        "init_std", "is_decoder", "is_encoder_decoder", "max_position_embeddings",
        "pad_token_id", "scale_embedding", "tie_word_embeddings", "use_cache", "vocab_size",
    ]),
];
