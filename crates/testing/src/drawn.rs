//! Random configurations.

use relprop_rules::operations::{Activation, NormScale};
use relprop_transformer::{
    AttentionConfig, Biases, FeedForwardConfig, Head, NormConfig, NormPlacement, RotaryConfig,
    RotaryFactors, RotaryScaling, TransformerConfig,
};

use crate::{Architecture, Draw};

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
            ..Biases::default()
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
            clip: None,
        }),
        norm,
        norm_placement: [NormPlacement::Before, NormPlacement::After][below(2)],
        embedding_norm: (below(2) == 0).then_some(embedding_norm),
        pooler: activations.get(below(6)).copied(),
        embedding_width: (below(2) == 0).then(|| 4 + below(9)),
        first_position: below(3),
        tasks: below(2) * 3,
        ..Architecture::PostNorm.config()
    }
}
