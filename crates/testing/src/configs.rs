//! Configurations: one for each kind of Transformer and of language model.

use relprop_rules::operations::{Activation, NormScale, Pairs};
use relprop_transformer::{
    AttentionConfig, Biases, BlockAttention, Branches, ClippedGate, FeedForwardConfig, Head,
    NormConfig, NormPlacement, PositionBias, RotaryConfig, RotaryScaling, TransformerConfig,
};

use crate::tokenizer;

/// The kinds of Transformer that there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Architecture {
    /// BERT: norms after the residual sums, GELU, tanh pooler.
    PostNorm,
    /// Norms before attention and the feed-forward part, ReLU, no pooler.
    PreNorm,
    /// The released model of Ali et al. 2022.
    AttentionOnly,
}

/// All of them.
pub const ARCHITECTURES: [Architecture; 3] = [
    Architecture::PostNorm,
    Architecture::PreNorm,
    Architecture::AttentionOnly,
];

impl Architecture {
    /// Two or three blocks of width 32, for three labels.
    pub fn config(self) -> TransformerConfig {
        let labels = ["negative", "neutral", "positive"]
            .map(String::from)
            .to_vec();
        let vocabulary = tokenizer().vocabulary_size();
        let bert = TransformerConfig {
            positions: 64,
            width: 32,
            feed_forward: Some(FeedForwardConfig {
                width: 48,
                activation: Activation::Gelu,
                gated: false,
                clip: None,
            }),
            ..TransformerConfig::bert(vocabulary, labels.clone())
        };
        match self {
            Self::PostNorm => bert,
            Self::PreNorm => TransformerConfig {
                norm_placement: NormPlacement::Before,
                norm: NormConfig {
                    scale: NormScale::InsideRoot(1e-5),
                    affine: true,
                    plus_one: false,
                    unshifted: false,
                },
                feed_forward: Some(FeedForwardConfig {
                    width: 48,
                    activation: Activation::Relu,
                    gated: false,
                    clip: None,
                }),
                embedding_norm: None,
                token_types: 0,
                pooler: None,
                ..bert
            },
            Self::AttentionOnly => TransformerConfig {
                positions: 64,
                width: 32,
                ..TransformerConfig::attention_only(vocabulary, labels)
            },
        }
    }
}

/// The families of language models, each with what it has and others have not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LanguageModel {
    /// LayerNorm, a table of positions, biases, a tied head.
    Gpt2,
    /// RMSNorm, rotary positions, a gated feed-forward part, no biases, a head of its own.
    Llama,
    /// Slower waves among the rotary positions.
    Llama3,
    /// Heads of keys that several heads of queries share, and a window.
    Mistral,
    /// Biases of queries, keys and values.
    Qwen2,
    /// Norms of queries and keys, heads that are wider than their share.
    Qwen3,
    /// Factors of 1 plus what was learned, scaled embeddings, one head of keys.
    Gemma,
    /// Both parts of a block side by side with a norm each, a share of features that is turned.
    GptNeoX,
    /// Both parts by one norm, pairs of neighbours, a head with a bias.
    GptJ,
    /// Positions as a bias of scores, a norm of embeddings.
    Bloom,
    /// Norms after the parts, queries and keys of all heads normalized together.
    Olmo2,
    /// Norms around the parts, soft caps, windows and rotations by block.
    Gemma2,
    /// Factors of embeddings, parts, scores and logits.
    Granite,
    /// Sinks of attention, and bounds of gates.
    GptOss,
    /// Positions as a bias of scores in few digits.
    Falcon,
}

impl LanguageModel {
    /// Two blocks of width 32.
    pub fn config(self) -> TransformerConfig {
        let vocabulary = tokenizer().vocabulary_size();
        let mut config = TransformerConfig {
            positions: 64,
            width: 32,
            feed_forward: Some(FeedForwardConfig {
                width: 48,
                activation: Activation::Silu,
                gated: true,
                clip: None,
            }),
            ..TransformerConfig::llama(vocabulary)
        };
        let rotary = |theta, scaling| {
            Some(RotaryConfig {
                scaling,
                ..RotaryConfig::new(theta)
            })
        };
        let untied = Head::NextToken { tied: false };
        match self {
            Self::Gpt2 => TransformerConfig {
                head: config.head,
                attention: AttentionConfig {
                    causal: true,
                    ..AttentionConfig::default()
                },
                pooler: None,
                labels: Vec::new(),
                ..Architecture::PreNorm.config()
            },
            Self::Llama => TransformerConfig {
                head: untied,
                ..config
            },
            Self::Llama3 => {
                config.attention.key_heads = Some(2);
                // Of the four waves of a head, one is kept, one is slowed down a little.
                config.attention.rotary = rotary(
                    100.0,
                    Some(RotaryScaling::Llama3 {
                        factor: 8.0,
                        low_frequency: 1.0,
                        high_frequency: 4.0,
                        original_positions: 32,
                    }),
                );
                config
            }
            Self::Mistral => {
                config.attention.key_heads = Some(2);
                config.attention.window = Some(5);
                TransformerConfig {
                    head: untied,
                    ..config
                }
            }
            Self::Qwen2 => {
                config.attention.key_heads = Some(2);
                config.biases.attention = true;
                config
            }
            Self::Qwen3 => {
                config.attention.key_heads = Some(2);
                config.attention.head_width = Some(12);
                config.attention.query_key_norm = true;
                config.attention.rotary = rotary(1_000_000.0, None);
                config
            }
            Self::Gemma => {
                config.attention.key_heads = Some(1);
                config.attention.head_width = Some(6);
                config.norm.plus_one = true;
                TransformerConfig {
                    scaled_embeddings: true,
                    feed_forward: Some(FeedForwardConfig {
                        width: 40,
                        activation: Activation::GeluTanh,
                        gated: true,
                        clip: None,
                    }),
                    ..config
                }
            }
            Self::GptNeoX | Self::GptJ => {
                config.attention.rotary = Some(RotaryConfig {
                    features: Some(4),
                    pairs: match self {
                        Self::GptJ => Pairs::Neighbours,
                        _ => Pairs::Halves,
                    },
                    ..RotaryConfig::new(100.0)
                });
                let one = self == Self::GptJ;
                TransformerConfig {
                    head: untied,
                    branches: match one {
                        true => Branches::ParallelOneNorm,
                        false => Branches::Parallel,
                    },
                    biases: Biases {
                        next_token: one,
                        ..Biases::default()
                    },
                    norm: Architecture::PreNorm.config().norm,
                    feed_forward: Architecture::PreNorm.config().feed_forward,
                    ..config
                }
            }
            Self::Bloom => {
                let mut gpt2 = Self::Gpt2.config();
                gpt2.attention.bias = Some(PositionBias::Linear);
                TransformerConfig {
                    embedding_norm: Some(gpt2.norm),
                    ..gpt2
                }
            }
            Self::Olmo2 => {
                config.attention.key_heads = Some(2);
                config.attention.query_key_norm = true;
                config.attention.whole_query_key_norm = true;
                TransformerConfig {
                    norm_placement: NormPlacement::AfterParts,
                    head: untied,
                    ..config
                }
            }
            Self::Gemma2 => {
                config = Self::Gemma.config();
                config.attention.score_factor = Some(0.3);
                config.attention.score_cap = Some(2.0);
                TransformerConfig {
                    norm_placement: NormPlacement::Around,
                    logit_cap: Some(3.0),
                    ..config
                }
            }
            Self::Granite => {
                config.attention.score_factor = Some(0.2);
                TransformerConfig {
                    embedding_factor: Some(3.0),
                    branch_factor: Some(0.5),
                    logit_divisor: Some(4.0),
                    ..config
                }
            }
            Self::GptOss => {
                config.attention.sinks = true;
                config.feed_forward = config.feed_forward.map(|part| FeedForwardConfig {
                    clip: Some(ClippedGate {
                        bound: 0.4,
                        slope: 1.7,
                    }),
                    ..part
                });
                config
            }
            Self::Falcon => {
                config.attention.rotary = None;
                config.attention.bias = Some(PositionBias::LinearRounded);
                config
            }
        }
    }

    /// The same of so many blocks, which take turns with a window and without, turned otherwise and not at
    /// all, where the family has that.
    pub fn of_blocks(self, blocks: usize) -> TransformerConfig {
        let config = TransformerConfig {
            blocks,
            ..self.config()
        };
        let kind = |index: usize| BlockAttention {
            window: index.is_multiple_of(2).then_some(4),
            rotary: [Some(RotaryConfig::new(50.0)), config.attention.rotary, None][index % 3],
        };
        TransformerConfig {
            attention_by_block: match self {
                Self::Gemma2 => (0..blocks).map(kind).collect(),
                _ => Vec::new(),
            },
            ..config
        }
    }
}
