//! Configurations: one for each kind of Transformer and of language model, and random ones.

use relprop_rules::operations::{Activation, NormScale, Pairs};
use relprop_transformer::{
    AttentionConfig, Biases, BlockAttention, Branches, FeedForwardConfig, Head, NormConfig,
    NormPlacement, PositionBias, RotaryConfig, RotaryFactors, RotaryScaling, TransformerConfig,
};

use crate::{Draw, tokenizer};

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

/// A configuration of a language model, of parts and sizes drawn at random.
pub fn draw_language_config(seed: u64) -> TransformerConfig {
    let mut draw = Draw::new(2000 + seed);
    let mut below = |end: usize| ((draw.number() + 1.0) / 2.0 * end as f32) as usize % end;
    let heads: usize = [1, 2, 4, 6][below(4)];
    let divisors: Vec<usize> = (1..=heads).filter(|of| heads.is_multiple_of(*of)).collect();
    let factor = [0.5, 2.0, 8.0][below(3)];
    let original_positions = 8 + below(60);
    let size = Some(1.2);
    let scaling = match seed % 5 {
        0 => RotaryScaling::Llama3 {
            factor,
            low_frequency: 1.0,
            high_frequency: [2.0, 4.0][below(2)],
            original_positions,
        },
        1 => RotaryScaling::Linear { factor },
        2 => RotaryScaling::Dynamic {
            factor: factor.max(1.0),
            original_positions: 3,
        },
        3 => RotaryScaling::Yarn {
            factor,
            fast: 8.0,
            slow: 1.0,
            original_positions,
            truncated: below(2) == 0,
            size: 1.2,
        },
        _ => RotaryScaling::Long {
            original_positions: 5,
            factor: None,
            size,
        },
    };
    let theta = [10.0, 10_000.0][below(2)];
    let rotary = RotaryConfig {
        scaling: (below(2) == 0).then_some(scaling),
        ..RotaryConfig::new(theta)
    };
    let tied = below(2) == 0;
    let base = draw_config(seed);
    let mut config = TransformerConfig {
        // A norm over two features gives the same for all of them.
        width: heads * (4 + 2 * below(3)),
        heads,
        embedding_width: base.embedding_width.filter(|_| !tied),
        scaled_embeddings: below(2) == 0,
        attention: AttentionConfig {
            key_heads: Some(divisors[below(divisors.len())]),
            head_width: (below(2) == 0).then(|| 4 + 2 * below(4)),
            causal: true,
            window: (below(2) == 0).then(|| 1 + below(9)),
            rotary: (below(3) > 0).then_some(rotary),
            query_key_norm: below(2) == 0,
            ..AttentionConfig::default()
        },
        biases: Biases {
            attention: below(2) == 0,
            attention_output: below(2) == 0,
            feed_forward: below(2) == 0,
            next_token: false,
        },
        feed_forward: (base.feed_forward).map(|part| FeedForwardConfig {
            gated: below(3) > 0,
            ..part
        }),
        norm: NormConfig {
            plus_one: base.norm.affine && below(2) == 0,
            unshifted: false,
            ..base.norm
        },
        pooler: None,
        head: Head::NextToken { tied },
        labels: Vec::new(),
        ..base
    };
    let pairs = 0..config.head_width() / 2;
    config.rotary_factors = Some(RotaryFactors {
        short: pairs.clone().map(|pair| 1.0 + 0.1 * pair as f64).collect(),
        long: pairs.map(|pair| 1.5 + 0.7 * pair as f64).collect(),
    });
    config
}

/// A configuration of parts and sizes drawn at random.
pub fn draw_config(seed: u64) -> TransformerConfig {
    let mut draw = Draw::new(1000 + seed);
    let mut below = |end: usize| ((draw.number() + 1.0) / 2.0 * end as f32) as usize % end;
    let activations = Activation::ALL;
    let mut norm = || NormConfig {
        scale: [
            NormScale::InsideRoot,
            NormScale::OutsideRoot,
            NormScale::RootMeanSquare,
        ][below(3)]([1e-12, 1e-5, 0.1][below(3)]),
        affine: below(3) > 0,
        plus_one: false,
        unshifted: false,
    };
    let (norm, embedding_norm) = (norm(), norm());
    let heads = [1, 2, 4][below(3)];
    TransformerConfig {
        width: heads * (2 + below(5)),
        heads,
        blocks: 1 + below(4),
        token_types: below(3),
        scaled_attention: below(2) == 0,
        feed_forward: (below(3) > 0).then(|| FeedForwardConfig {
            width: 3 + below(30),
            activation: activations[below(5)],
            gated: false,
        }),
        norm,
        norm_placement: [NormPlacement::Before, NormPlacement::After][below(2)],
        embedding_norm: (below(2) == 0).then_some(embedding_norm),
        pooler: activations.get(below(6)).copied(),
        embedding_width: (below(2) == 0).then(|| 4 + below(9)),
        first_position: below(3),
        ..Architecture::PostNorm.config()
    }
}
