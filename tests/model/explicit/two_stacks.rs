//! The walk through an encoder and a decoder: both stacks are walked by the laws of one, and cross-attention hands
//! relevance to the output, through its queries, and to the source, through its keys and values.

use burn::tensor::Tensor;
use relprop_explain::Target;
use relprop_rules::explicit::{attention, residual};
use relprop_rules::operations::{Activation, NormScale};
use relprop_testing::{difference, parameters, random, texts, tokenizer};
use relprop_transformer::{
    Biases, DecoderConfig, FeedForwardConfig, Head, NormConfig, NormPlacement, PositionBias,
    Sinusoids, TransformerConfig,
};
use rstest::rstest;

use super::TOLERANCE;
use super::block::{Branch, merge, split};
use super::laws::{Heads, Laws, Maps, PRESETS};
use super::network::{Back, ENCODER, Network, Walk};
use super::pair::{Case, Pair};

/// From the relevance of what cross-attention gives to that of the output and of the source.
type BackOfBoth<'a> = Box<dyn FnOnce(Tensor<3>) -> (Tensor<3>, Tensor<3>) + 'a>;

impl Network<'_> {
    /// The input of the first block of one stack, `[1, position, feature]`.
    fn embed_part(&self, ids: &[u32]) -> Tensor<3> {
        let width = self.config.width;
        let part = if self.stack == ENCODER { "" } else { "output." };
        let first = self.config.first_position;
        let mut values = Vec::new();
        for (position, id) in ids.iter().enumerate() {
            let table = &self.parameters["embeddings.word.weight"];
            let factor = self.config.word_factor().unwrap_or(1.0);
            let word = table[*id as usize * width..][..width].iter();
            let row = first + position;
            let place: Vec<f64> = match self.config.sinusoids {
                Some(kind) => {
                    let half = width / 2;
                    let step = |i: usize| match kind {
                        Sinusoids::OverWidth => 2.0 * i as f64 / width as f64,
                        Sinusoids::ToTheEnd => i as f64 / (half as f64 - 1.0),
                    };
                    let angle = |i: usize| row as f64 / 10000_f64.powf(step(i));
                    let sines = (0..half).map(|i| angle(i).sin());
                    sines.chain((0..half).map(|i| angle(i).cos())).collect()
                }
                None if self.config.has_position_table() => {
                    let table = &self.parameters[&format!("embeddings.{part}position.weight")];
                    table[row * width..][..width].to_vec()
                }
                None => vec![0.0; width],
            };
            values.extend(word.zip(place).map(|(word, place)| word * factor + place));
        }
        let x = self.tensor(&values, [1, ids.len(), width]);
        match &self.config.embedding_norm {
            Some(config) => self.norm(&format!("embeddings.{part}norm"), config, x).0,
            None => x,
        }
    }

    /// Cross-attention of a block with its residual sum and norm.
    fn cross(&self, block: usize, x: Tensor<3>, source: Tensor<3>) -> (Tensor<3>, BackOfBoth<'_>) {
        let name = format!("{}.{block}.cross_attention", self.stack);
        let norm = |x| self.norm(&format!("{name}_norm"), &self.config.norm, x);
        let before = self.config.norm_placement == NormPlacement::Before;
        let (input, before_back): (_, Back) = match before {
            true => norm(x.clone()),
            false => (x.clone(), Box::new(|r| r)),
        };
        let (out, between_back) = self.between(&name, self.laws.maps_of_attention, input, source);
        let sum = x.clone() + out.clone();
        let (y, last): (_, Back) = match before {
            true => (sum, Box::new(|r| r)),
            false => norm(sum),
        };
        let back = move |r| {
            let (of_x, of_out) = residual::proportional(x, out, last(r));
            let (of_input, of_source) = between_back(of_out);
            (of_x + before_back(of_input), of_source)
        };
        (y, Box::new(back))
    }

    /// The attention `name`, of the tokens that ask to those of a source, with these laws of its maps.
    pub(super) fn between(
        &self,
        name: &str,
        maps: Maps,
        asking: Tensor<3>,
        source: Tensor<3>,
    ) -> (Tensor<3>, BackOfBoth<'_>) {
        let map = |part: &str, x| self.map(&format!("{name}.{part}"), maps, x);
        let heads = self.config.heads;
        let nothing = asking.zeros_like();
        let (query, query_back) = map("query", asking);
        let (key, key_back) = map("key", source.clone());
        let (value, value_back) = map("value", source);
        let [query, key, value] = [query, key, value].map(|x| split(x, heads));
        let scale = match self.config.scaled_attention {
            true => (self.config.head_width() as f64).sqrt().recip(),
            false => 1.0,
        };
        let scores = query.clone().matmul(key.clone().swap_dims(2, 3)) * scale;
        let powers = (scores.clone() - scores.clone().max_dim(3)).exp();
        let weights = powers.clone() / powers.sum_dim(3);
        let (out, output_back) = map("output", merge(weights.clone().matmul(value.clone())));
        let back = move |of_out| {
            let of_mixture = split(output_back(of_out), heads);
            let (of_weights, of_value, products): (_, _, fn(_, _, _) -> _) = match self.laws.heads {
                Heads::ConstantWeights => {
                    let of_value = attention::ah_rule(weights, value, of_mixture);
                    return (nothing, value_back(merge(of_value)));
                }
                Heads::PlainGradient => {
                    let (p, v) =
                        attention::mixing_plain_gradient(weights.clone(), value, of_mixture);
                    (p, v, attention::scores_plain_gradient)
                }
                Heads::Uniform => {
                    let (p, v) = attention::mixing_uniform(weights.clone(), value, of_mixture);
                    (p, v, attention::scores_uniform)
                }
            };
            let of_scores = attention::softmax_plain_gradient(scores, weights, of_weights);
            let (of_query, of_key): (Tensor<4>, Tensor<4>) = products(query, key, of_scores);
            let of_source = key_back(merge(of_key)) + value_back(merge(of_value));
            (query_back(merge(of_query)), of_source)
        };
        (out, Box::new(back))
    }

    /// A block of a decoder.
    fn decoder_block(
        &self,
        block: usize,
        x: Tensor<3>,
        source: Tensor<3>,
    ) -> (Tensor<3>, BackOfBoth<'_>) {
        let (x, own_back) = self.around(Branch::Attention(block), x);
        let (x, cross_back) = self.cross(block, x, source);
        let part = self.config.feed_forward.expect("it is there");
        let (y, fed_back) = self.around(Branch::FeedForward(block, part), x);
        let back = move |r| {
            let (of_x, of_source) = cross_back(fed_back(r));
            (own_back(of_x), of_source)
        };
        (y, Box::new(back))
    }
}

/// The stacks of `config`, the decoder's as a configuration of its own.
fn decoder_of(config: &TransformerConfig) -> TransformerConfig {
    let decoder = config.decoder.unwrap();
    let mut own = config.clone();
    (own.blocks, own.heads) = (decoder.blocks, decoder.heads);
    own.feed_forward.as_mut().unwrap().width = decoder.feed_forward;
    own.attention.causal = true;
    own
}

/// Runs source and output through both stacks, and walks the target back.
fn walk(pair: &Pair, preset: &str, case: &Case) -> Walk {
    let config = pair.model.transformer.config();
    let parameters = parameters(&pair.model.transformer);
    let own = decoder_of(config);
    let stack = |config, stack| Network {
        parameters: &parameters,
        config,
        laws: Laws::of(preset),
        stack,
    };
    let (encoder, decoder) = (stack(config, ENCODER), stack(&own, "decoder.blocks"));
    let ids: Vec<u32> = case.text.tokens.iter().map(|token| token.id).collect();
    let (source, output) = ids.split_at(case.text.source);

    let mut backs: Vec<Back> = Vec::new();
    let mut memory = encoder.embed_part(source);
    for block in 0..config.blocks {
        let (y, back) = encoder.block(block, memory);
        backs.push(back);
        memory = y;
    }
    let last = config.norm_placement.has_final();
    if last {
        let (y, back) = encoder.norm("decoder.source_norm", &config.norm, memory);
        backs.push(back);
        memory = y;
    }
    let mut x = decoder.embed_part(output);
    let mut both = Vec::new();
    for block in 0..own.blocks {
        let (y, back) = decoder.decoder_block(block, x, memory.clone());
        both.push(back);
        x = y;
    }
    let mut ends: Vec<Back> = Vec::new();
    let mut then = |(y, back)| {
        ends.push(back);
        y
    };
    if last {
        x = then(decoder.norm("final_norm", &config.norm, x));
    }
    x = then(decoder.pooled(case.read - case.text.source, x));
    if let Some(phi) = config.pooler {
        x = then(decoder.map("pooler.linear", decoder.laws.maps, x));
        x = then(decoder.activation(phi, x));
    }
    let logits = then(decoder.head(x));

    let mut weights = vec![0.0; config.logits()];
    for (label, weight) in case.weights() {
        weights[label] += weight;
    }
    let start = logits.clone() * decoder.tensor(&weights, [1, 1, weights.len()]);
    let mut of_output = ends.into_iter().rev().fold(start, |r, back| back(r));
    let mut of_source = memory.zeros_like();
    for back in both.into_iter().rev() {
        let (of_x, more) = back(of_output);
        of_output = of_x;
        of_source = of_source + more;
    }
    let of_source = backs.into_iter().rev().fold(of_source, |r, back| back(r));
    let all = Tensor::cat(vec![of_source, of_output], 1);
    Walk {
        logits: relprop_testing::numbers(logits),
        tokens: relprop_testing::numbers(all.sum_dim(2)),
    }
}

fn bart() -> TransformerConfig {
    let norm = NormConfig {
        scale: NormScale::InsideRoot(1e-5),
        affine: true,
        plus_one: false,
        unshifted: false,
    };
    TransformerConfig {
        positions: 64,
        first_position: 2,
        counted_padding: true,
        token_types: 0,
        width: 32,
        blocks: 2,
        feed_forward: Some(FeedForwardConfig {
            width: 48,
            activation: Activation::Gelu,
            gated: false,
            clip: None,
        }),
        decoder: Some(DecoderConfig {
            blocks: 3,
            heads: 2,
            feed_forward: 40,
            start: 3,
        }),
        embedding_norm: Some(norm),
        norm,
        pooler: None,
        labels: Vec::new(),
        head: Head::NextToken { tied: true },
        biases: Biases {
            next_token: true,
            ..Biases::default()
        },
        ..TransformerConfig::bert(tokenizer().vocabulary_size(), Vec::new())
    }
}

fn t5(c: &mut TransformerConfig) {
    c.first_position = 0;
    c.counted_padding = false;
    c.embedding_norm = None;
    c.norm.scale = NormScale::RootMeanSquare(1e-6);
    c.norm_placement = NormPlacement::Before;
    c.biases = Biases::NONE;
    c.scaled_attention = false;
    c.logit_divisor = Some(32_f64.sqrt());
    c.decoder.as_mut().unwrap().heads = 4;
    c.attention.head_width = Some(6);
    let (buckets, farthest, alone) = (8, 11, true);
    c.attention.bias = Some(PositionBias::Learned {
        buckets,
        farthest,
        alone,
        by_block: false,
    });
}

/// A source and an output of these texts, asked for `target` at the last token of the output.
fn case(pair: &Pair, source: &str, output: &str, target: Target) -> Case {
    let model = &pair.model;
    let mut text = model.tokenize(source, None, Default::default()).unwrap();
    let written = tokenizer().encode(output, 64, Default::default()).unwrap();
    text.types.extend(written.types);
    text.tokens.extend(written.tokens);
    let read = text.tokens.len() - 1;
    Case { text, read, target }
}

#[rstest]
#[case::bart(|_: &mut TransformerConfig| ())]
#[case::t5(t5)]
#[case::umt5(|c: &mut TransformerConfig| {
    t5(c);
    if let Some(PositionBias::Learned { by_block, .. }) = &mut c.attention.bias {
        *by_block = true;
    }
})]
#[case::gated_t5(|c: &mut TransformerConfig| {
    t5(c);
    c.feed_forward.as_mut().unwrap().gated = true;
    c.head = Head::NextToken { tied: false };
})]
#[case::mbart(|c: &mut TransformerConfig| c.norm_placement = NormPlacement::Before)]
#[case::marian(|c: &mut TransformerConfig| {
    (c.first_position, c.counted_padding, c.embedding_norm) = (0, false, None);
    (c.sinusoids, c.scaled_embeddings) = (Some(Sinusoids::OverWidth), true);
})]
#[case::m2m(|c: &mut TransformerConfig| {
    (c.norm_placement, c.embedding_norm) = (NormPlacement::Before, None);
    c.sinusoids = Some(Sinusoids::ToTheEnd);
})]
#[case::labels(|c: &mut TransformerConfig| {
    c.head = Head::LabelsAtEnd { skips_padding: false };
    c.pooler = Some(Activation::Tanh);
    c.labels = ["a", "b", "c"].map(str::to_owned).to_vec();
})]
fn the_walk_through_both_stacks_gives_what_the_preset_gives(
    #[case] change: fn(&mut TransformerConfig),
) {
    let mut config = bart();
    change(&mut config);
    let pair = Pair::new(random(&config, 0.3, 9));
    let outputs = texts();
    for preset in PRESETS {
        for (index, (source, output)) in texts().iter().zip(outputs.iter().rev()).enumerate() {
            let target = match index {
                0 => Target::Contrast(1, 2),
                _ => Target::Label(index % 3),
            };
            let case = case(&pair, source, output, target);
            let (logits, tokens) = pair.by_gradient(preset, &case);
            let walk = walk(&pair, preset, &case);
            let forward = difference(&walk.logits, &logits);
            assert!(forward < 1e-12, "the forward passes differ: {forward:.1e}");
            if tokens
                .iter()
                .chain(&walk.tokens)
                .all(|relevance| *relevance == 0.0)
            {
                continue;
            }
            let error = difference(&walk.tokens, &tokens);
            println!("{preset}: {error:.1e}");
            assert!(error < TOLERANCE, "{preset}: {error:.1e}");
        }
    }
}
