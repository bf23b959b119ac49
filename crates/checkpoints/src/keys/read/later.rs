//! The types of proteins' models, of ModernBERT, and of mixtures of experts.

/// What the code of a type reads, and the fields of its configuration.
#[rustfmt::skip]
pub(super) const LATER: &[(&str, &[&str])] = &[
    ("esm", &[
        "add_cross_attention", "attention_probs_dropout_prob", "bos_token_id",
        "chunk_size_feed_forward", "emb_layer_norm_before", "eos_token_id", "esmfold_config",
        "head_dim", "hidden_dropout_prob", "hidden_size", "initializer_range", "intermediate_size",
        "is_decoder", "is_folding_model", "layer_norm_eps", "mask_token_id",
        "max_position_embeddings", "num_attention_heads", "num_hidden_layers", "num_labels",
        "pad_token_id", "position_embedding_type", "problem_type", "rope_theta",
        "tie_word_embeddings", "token_dropout", "use_cache", "vocab_list", "vocab_size",
    ]),
    ("modernbert", &[
        "attention_bias", "attention_dropout", "bos_token_id", "classifier_activation",
        "classifier_bias", "classifier_dropout", "classifier_pooling", "cls_token_id", "decoder_bias",
        "deterministic_flash_attn", "embedding_dropout", "eos_token_id", "global_rope_theta",
        "head_dim", "hidden_activation", "hidden_size", "initializer_cutoff_factor",
        "initializer_range", "intermediate_size", "layer_types", "local_attention",
        "local_rope_theta", "max_position_embeddings", "mlp_bias", "mlp_dropout", "norm_bias",
        "norm_eps", "num_attention_heads", "num_hidden_layers", "num_labels", "pad_token_id",
        "problem_type", "rope_parameters", "rope_scaling", "sep_token_id", "sliding_window",
        "sparse_pred_ignore_index", "sparse_prediction", "tie_word_embeddings", "vocab_size",
    ]),
    ("mixtral", &[
        "attention_dropout", "bos_token_id", "eos_token_id", "head_dim", "hidden_act", "hidden_size",
        "initializer_range", "intermediate_size", "max_position_embeddings", "num_attention_heads",
        "num_experts_per_tok", "num_hidden_layers", "num_key_value_heads", "num_labels",
        "num_local_experts", "output_router_logits", "pad_token_id", "problem_type", "rms_norm_eps",
        "rope_parameters", "router_aux_loss_coef", "router_jitter_noise", "sliding_window",
        "tie_word_embeddings", "use_cache", "vocab_size",
    ]),
    ("qwen2_moe", &[
        "attention_dropout", "bos_token_id", "decoder_sparse_step", "eos_token_id", "head_dim",
        "hidden_act", "hidden_size", "initializer_range", "intermediate_size", "layer_types",
        "max_position_embeddings", "max_window_layers", "mlp_only_layers", "moe_intermediate_size",
        "norm_topk_prob", "num_attention_heads", "num_experts", "num_experts_per_tok",
        "num_hidden_layers", "num_key_value_heads", "num_labels", "output_router_logits",
        "pad_token_id", "problem_type", "qkv_bias", "rms_norm_eps", "rope_parameters",
        "router_aux_loss_coef", "shared_expert_intermediate_size", "sliding_window",
        "tie_word_embeddings", "use_cache", "use_sliding_window", "vocab_size",
    ]),
    ("qwen3_moe", &[
        "attention_bias", "attention_dropout", "bos_token_id", "decoder_sparse_step", "eos_token_id",
        "head_dim", "hidden_act", "hidden_size", "initializer_range", "intermediate_size",
        "max_position_embeddings", "mlp_only_layers", "moe_intermediate_size", "norm_topk_prob",
        "num_attention_heads", "num_experts", "num_experts_per_tok", "num_hidden_layers",
        "num_key_value_heads", "num_labels", "output_router_logits", "pad_token_id", "problem_type",
        "rms_norm_eps", "rope_parameters", "router_aux_loss_coef", "sliding_window",
        "tie_word_embeddings", "use_cache", "use_sliding_window", "vocab_size",
    ]),
    ("gpt_oss", &[
        "attention_bias", "attention_dropout", "bos_token_id", "eos_token_id", "head_dim",
        "hidden_act", "hidden_size", "initializer_range", "intermediate_size", "layer_types",
        "max_position_embeddings", "num_attention_heads", "num_experts_per_tok", "num_hidden_layers",
        "num_key_value_heads", "num_labels", "num_local_experts", "output_router_logits",
        "pad_token_id", "problem_type", "rms_norm_eps", "rope_parameters", "router_aux_loss_coef",
        "sliding_window", "swiglu_alpha", "swiglu_limit", "tie_word_embeddings", "use_cache",
        "vocab_size",
    ]),
];
