//! One block of the walk: its two parts, one after the other or side by side, and what lies between scores
//! and the softmax.

use std::ops::Range;

use burn::tensor::Tensor;
use relprop_rules::explicit::{attention, residual};
use relprop_rules::operations::Activation;
use relprop_transformer::{
    Branches, Disentangled, FeedForwardConfig, Head, NormPlacement, PositionBias, VectorPooling,
};

use super::network::{Back, ENCODER, Network};
use super::windows::Place;

/// From the relevance of scores to that of scores of contents alone, and that of queries and keys which scores
/// of distances are of, where there are any.
type BackOfDistances<'a> =
    Box<dyn FnOnce(Tensor<4>) -> (Tensor<4>, Option<(Tensor<4>, Tensor<4>)>) + 'a>;

/// What stands beside a skip connection.
#[derive(Clone, Copy)]
pub(super) enum Branch {
    Attention(usize),
    FeedForward(usize, FeedForwardConfig),
}

impl Branch {
    /// The name of one of its norms.
    fn norm(self, stack: &str, part: &str, own: impl Fn(usize) -> usize) -> String {
        match self {
            Self::Attention(block) => format!("{stack}.{}.attention_{part}", own(block)),
            Self::FeedForward(block, _) => {
                format!("{stack}.{}.feed_forward_{part}", own(block))
            }
        }
    }
}

impl Network<'_> {
    pub(super) fn block(&self, block: usize, x: Tensor<3>) -> (Tensor<3>, Back<'_>) {
        if self.config.branches != Branches::InTurn {
            return self.side_by_side(block, x);
        }
        let (x, first_back) = self.around(Branch::Attention(block), x);
        let Some(part) = self.config.feed_forward else {
            return (x, first_back);
        };
        let (y, second_back) = self.around(Branch::FeedForward(block, part), x);
        (y, Box::new(|r| first_back(second_back(r))))
    }

    /// A branch with its residual sum and its norms.
    pub(super) fn around(&self, branch: Branch, x: Tensor<3>) -> (Tensor<3>, Back<'_>) {
        let norm = |part: &str, x| {
            self.norm(
                &branch.norm(self.stack, part, |block| self.own(block)),
                &self.config.norm,
                x,
            )
        };
        let placement = self.config.norm_placement;
        let (input, before): (_, Back) = match placement {
            NormPlacement::Before | NormPlacement::Around => norm("norm", x.clone()),
            NormPlacement::After | NormPlacement::AfterParts => (x.clone(), Box::new(|r| r)),
        };
        let (out, branch_back) = match branch {
            Branch::Attention(block) => self.attention_in_windows(block, input),
            Branch::FeedForward(block, part) => self.feed_forward(block, part, input),
        };
        let (out, after): (_, Back) = match placement {
            NormPlacement::AfterParts => norm("norm", out),
            NormPlacement::Around => norm("output_norm", out),
            NormPlacement::Before | NormPlacement::After => (out, Box::new(|r| r)),
        };
        let out = self.scaled(branch, out * self.config.branch_factor.unwrap_or(1.0));
        let sum = x.clone() + out.clone();
        let (y, last): (_, Back) = match placement {
            NormPlacement::After => norm("norm", sum),
            _ => (sum, Box::new(|r| r)),
        };
        let back = |r| {
            let (of_x, of_out) = residual::proportional(x, out, last(r));
            of_x + before(branch_back(after(of_out)))
        };
        (y, Box::new(back))
    }

    /// A part with each feature times its own factor. That hands all relevance on.
    fn scaled(&self, branch: Branch, out: Tensor<3>) -> Tensor<3> {
        let name = branch.norm(self.stack, "scale", |block| self.own(block));
        match self.parameters.get(&name) {
            None => out,
            Some(scale) => out * self.tensor(scale, [1, 1, scale.len()]),
        }
    }

    /// Attention and the feed-forward part, which read the same.
    fn side_by_side(&self, block: usize, x: Tensor<3>) -> (Tensor<3>, Back<'_>) {
        let norm = |branch: Branch| {
            let name = branch.norm(self.stack, "norm", |block| self.own(block));
            self.norm(&name, &self.config.norm, x.clone())
        };
        let part = self.config.feed_forward.expect("both parts are there");
        let (normed, norm_back) = norm(Branch::Attention(block));
        let (attended, attention_back) = self.attention(block, normed.clone());
        let own = (self.config.branches == Branches::Parallel)
            .then(|| norm(Branch::FeedForward(block, part)));
        let (input, own_back) = match own {
            Some((input, back)) => (input, Some(back)),
            None => (normed, None),
        };
        let (fed, fed_back) = self.feed_forward(block, part, input);
        let middle = x.clone() + attended.clone();
        let y = middle.clone() + fed.clone();
        let back = |r| {
            let (of_middle, of_fed) = residual::proportional(middle, fed, r);
            let (of_x, of_attended) = residual::proportional(x, attended, of_middle);
            let (of_attention, of_part) = (attention_back(of_attended), fed_back(of_fed));
            match own_back {
                Some(own_back) => of_x + norm_back(of_attention) + own_back(of_part),
                None => of_x + norm_back(of_attention + of_part),
            }
        };
        (y, Box::new(back))
    }

    /// What the head reads: the state of a token, the mean of those of patches, or both side by side.
    pub(super) fn pooled(&self, read: usize, x: Tensor<3>) -> (Tensor<3>, Back<'_>) {
        let first = |x: &Tensor<3>| self.pooled_by(read..read + 1, x.clone());
        let mean = |x: &Tensor<3>| {
            let special = self.config.patches().map_or(0, |patches| patches.special());
            self.pooled_by(special..x.dims()[1], x.clone())
        };
        match self.config.head {
            Head::LabelsOfPatches | Head::LabelsOfMean => mean(&x),
            Head::LabelsOfBoth => {
                let ((token, token_back), (patches, patches_back)) = (first(&x), mean(&x));
                let back = |r: Tensor<3>| {
                    let mut halves = r.chunk(2, 2).into_iter();
                    let of_token = token_back(halves.next().unwrap());
                    of_token + patches_back(halves.next().unwrap())
                };
                (Tensor::cat(vec![token, patches], 2), Box::new(back))
            }
            Head::Vector {
                pooling: VectorPooling::Attention,
                ..
            } => self.attended(x),
            _ => first(&x),
        }
    }

    /// The mean of the states of these tokens.
    fn pooled_by(&self, read: Range<usize>, x: Tensor<3>) -> (Tensor<3>, Back<'_>) {
        let [_, tokens, _] = x.dims();
        let mut weights = vec![0.0; tokens];
        weights[read.clone()].fill((read.len() as f64).recip());
        let weights = self.tensor(&weights, [1, 1, tokens]);
        let y = x.clone().narrow(1, read.start, read.len()).mean_dim(1);
        (y, Box::new(|r| residual::pooling(weights, x, r)))
    }

    /// The number of the block whose parameters a block has.
    pub(super) fn own(&self, block: usize) -> usize {
        match self.config.shared_blocks {
            true => 0,
            false => block,
        }
    }

    /// What a distance adds to a score.
    fn bias(&self, block: usize, head: usize, heads: usize, query: usize, key: usize) -> f64 {
        match self.config.attention.bias {
            None => 0.0,
            Some(PositionBias::Grid) if self.config.stages.is_some() => {
                let place = Place::of(self.config, block).unwrap();
                let table = &self.parameters[&format!("encoder.{block}.attention.grid")];
                // The bias of a pair that is hidden is of no account.
                match place.sees(query, key) {
                    true => table[place.row(query, key) * heads + head],
                    false => 0.0,
                }
            }
            Some(PositionBias::Grid) => {
                let patches = self.config.patches().unwrap();
                let ([rows, columns], special) = (patches.grid(), patches.special());
                let distances = (2 * rows - 1) * (2 * columns - 1);
                let row = match (query.checked_sub(special), key.checked_sub(special)) {
                    (None, Some(_)) => distances,
                    (Some(_), None) => distances + 1,
                    (None, None) => distances + 2,
                    (Some(query), Some(key)) => {
                        let down = query / columns + rows - 1 - key / columns;
                        let right = query % columns + columns - 1 - key % columns;
                        down * (2 * columns - 1) + right
                    }
                };
                let table = &self.parameters[&format!("encoder.{block}.attention.grid")];
                table[row * heads + head]
            }
            Some(PositionBias::Linear) => {
                let slope = 2_f64.powf(-8.0 * (head + 1) as f64 / heads as f64);
                slope * (key as f64 - query as f64)
            }
            // These numbers of 2 and 4 heads, up to 64 positions, have no more digits than bfloat16.
            Some(PositionBias::LinearRounded) => {
                let slope = 2_f64.powf(-8.0 * (head + 1) as f64 / heads as f64);
                slope * key as f64 / (self.config.head_width() as f64).sqrt()
            }
            Some(PositionBias::Learned {
                buckets,
                farthest,
                by_block,
                ..
            }) => {
                // A decoder looks back alone, and has all buckets for that.
                let half = if self.config.attention.causal {
                    buckets
                } else {
                    buckets / 2
                };
                let near = half / 2;
                let distance = query.abs_diff(key);
                let mut bucket = distance;
                if distance >= near {
                    let [from, to] = [distance, farthest].map(|size| size as f64 / near as f64);
                    bucket = near + (from.ln() / to.ln() * near as f64) as usize;
                }
                let hidden = self.config.attention.causal && key > query;
                let later = if key > query && !hidden { half } else { 0 };
                let row = later + bucket.min(half - 1);
                let table = match (self.stack, by_block) {
                    (stack, true) => format!("{stack}.{block}.attention.position_bias.weight"),
                    (ENCODER, false) => "position_bias.weight".to_owned(),
                    (_, false) => "decoder.position_bias.weight".to_owned(),
                };
                self.parameters[&table][row * heads + head]
            }
        }
    }

    /// The bucket of a distance in disentangled attention.
    fn bucket(distances: Disentangled, query: usize, key: usize) -> usize {
        let Disentangled {
            buckets, farthest, ..
        } = distances;
        let back = query as f64 - key as f64;
        let near = (buckets / 2) as f64;
        let mut bucket = back;
        if let Some(farthest) = farthest
            && back.abs() > near
        {
            let grown = (back.abs() / near).ln() / ((farthest - 1) as f64 / near).ln();
            bucket = back.signum() * ((grown * (near - 1.0)).ceil() + near);
        }
        (bucket + buckets as f64).clamp(0.0, 2.0 * buckets as f64 - 1.0) as usize
    }

    /// Scores with those of contents and distances.
    pub(super) fn with_distances(
        &self,
        block: usize,
        scores: Tensor<4>,
        query: &Tensor<4>,
        key: &Tensor<4>,
    ) -> (Tensor<4>, BackOfDistances<'_>) {
        let Some(distances) = self.config.attention.disentangled else {
            return (scores, Box::new(|r| (r, None)));
        };
        let [_, heads, tokens, width] = query.dims();
        let rows = 2 * distances.buckets;
        let table = &self.parameters["distances.table.weight"];
        let mut vectors = self.tensor(table, [1, rows, heads * width]);
        if distances.norm {
            vectors = self.norm("distances.norm", &self.config.norm, vectors).0;
        }
        // The vectors of each pair, for each head: those of keys for queries, and the other way round.
        let pairs = |part: &str, of_keys: bool| -> Tensor<5> {
            let part = match distances.own_maps {
                true => format!("distance_{part}"),
                false => part.to_owned(),
            };
            let name = format!("{}.{}.attention.{part}", self.stack, self.own(block));
            let (mapped, _) = self.map(&name, self.laws.maps, vectors.clone());
            let mapped = relprop_testing::numbers(mapped);
            let mut found = Vec::new();
            for head in 0..heads {
                for i in 0..tokens {
                    for j in 0..tokens {
                        let (query, key) = if of_keys { (j, i) } else { (i, j) };
                        let row = Self::bucket(distances, query, key);
                        let start = (row * heads + head) * width;
                        found.extend_from_slice(&mapped[start..start + width]);
                    }
                }
            }
            self.tensor(&found, [1, heads, tokens, tokens, width])
        };
        let scale = (3.0 * width as f64).sqrt().recip();
        let product = |x: &Tensor<4>, pairs: &Tensor<5>| -> Tensor<4> {
            let terms = x.clone().unsqueeze_dim::<5>(3) * pairs.clone() * scale;
            terms.sum_dim(4).squeeze_dim(4)
        };
        let (of_keys, of_queries) = (pairs("key", false), pairs("query", true));
        let asked = product(query, &of_keys);
        let asking = product(key, &of_queries).swap_dims(2, 3);
        let both = asked.clone() + asking.clone();
        let y = scores.clone() + both.clone();
        let (query, key) = (query.clone(), key.clone());
        let back = move |r: Tensor<4>| {
            let (of_scores, of_both) = residual::proportional(scores, both, r);
            let (of_asked, of_asking) = residual::proportional(asked, asking, of_both);
            let of_query = attention::position_scores(query, of_keys, of_asked);
            let of_key = attention::position_scores(key, of_queries, of_asking.swap_dims(2, 3));
            (of_scores, Some((of_query, of_key)))
        };
        (y, Box::new(back))
    }

    /// Scores with their cap and the bias of distances.
    pub(super) fn capped_and_biased(
        &self,
        block: usize,
        scores: Tensor<4>,
    ) -> (Tensor<4>, Box<dyn FnOnce(Tensor<4>) -> Tensor<4> + '_>) {
        let shape = scores.dims();
        let [_, heads, tokens, _] = shape;
        let rows = [1, heads * tokens, tokens];
        let (scores, cap_back): (_, Option<Back>) = match self.config.attention.score_cap {
            None => (scores, None),
            Some(cap) => {
                let scores = scores.reshape(rows) / cap;
                let (y, back) = self.activation(Activation::Tanh, scores);
                ((y * cap).reshape(shape), Some(back))
            }
        };
        let uncap = move |r: Tensor<4>| match cap_back {
            Some(back) => back(r.reshape(rows)).reshape(shape),
            None => r,
        };
        if self.config.attention.bias.is_none() {
            return (scores, Box::new(uncap));
        }
        let mut bias = Vec::new();
        for head in 0..heads {
            for query in 0..tokens {
                for key in 0..tokens {
                    bias.push(self.bias(block, head, heads, query, key));
                }
            }
        }
        let bias = self.tensor(&bias, shape);
        // Keys after the query are hidden, so that their bias is of no account.
        let biased = scores.clone() + bias.clone();
        let back = move |r| uncap(attention::biased_scores(scores, bias, r));
        (biased, Box::new(back))
    }
}

/// `[1, position, feature]` to `[1, head, position, feature of a head]`.
pub fn split(x: Tensor<3>, heads: usize) -> Tensor<4> {
    let [_, positions, width] = x.dims();
    x.reshape([1, positions, heads, width / heads])
        .swap_dims(1, 2)
}

/// `[1, head, position, feature of a head]` to `[1, position, feature]`.
pub fn merge(x: Tensor<4>) -> Tensor<3> {
    let [_, heads, positions, width] = x.dims();
    x.swap_dims(1, 2).reshape([1, positions, heads * width])
}
