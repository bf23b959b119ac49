//! One block of the walk: its two parts, one after the other or side by side, and what lies between scores
//! and the softmax.

use burn::tensor::Tensor;
use relprop_rules::explicit::{attention, residual};
use relprop_rules::operations::Activation;
use relprop_transformer::{Branches, FeedForwardConfig, NormPlacement};

use super::network::{Back, Network};

/// What stands beside a skip connection.
#[derive(Clone, Copy)]
enum Branch {
    Attention(usize),
    FeedForward(usize, FeedForwardConfig),
}

impl Branch {
    /// The name of one of its norms.
    fn norm(self, part: &str) -> String {
        match self {
            Self::Attention(block) => format!("encoder.{block}.attention_{part}"),
            Self::FeedForward(block, _) => format!("encoder.{block}.feed_forward_{part}"),
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
    fn around(&self, branch: Branch, x: Tensor<3>) -> (Tensor<3>, Back<'_>) {
        let norm = |part: &str, x| self.norm(&branch.norm(part), &self.config.norm, x);
        let placement = self.config.norm_placement;
        let (input, before): (_, Back) = match placement {
            NormPlacement::Before | NormPlacement::Around => norm("norm", x.clone()),
            NormPlacement::After | NormPlacement::AfterParts => (x.clone(), Box::new(|r| r)),
        };
        let (out, branch_back) = match branch {
            Branch::Attention(block) => self.attention(block, input),
            Branch::FeedForward(block, part) => self.feed_forward(block, part, input),
        };
        let (out, after): (_, Back) = match placement {
            NormPlacement::AfterParts => norm("norm", out),
            NormPlacement::Around => norm("output_norm", out),
            NormPlacement::Before | NormPlacement::After => (out, Box::new(|r| r)),
        };
        let out = out * self.config.branch_factor.unwrap_or(1.0);
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

    /// Attention and the feed-forward part, which read the same.
    fn side_by_side(&self, block: usize, x: Tensor<3>) -> (Tensor<3>, Back<'_>) {
        let norm = |branch: Branch| self.norm(&branch.norm("norm"), &self.config.norm, x.clone());
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

    /// Scores with their cap and the bias of distances.
    pub(super) fn capped_and_biased(
        &self,
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
        for head in 1..=heads {
            for query in 0..tokens {
                for key in 0..tokens {
                    let slope = 2_f64.powf(-8.0 * head as f64 / heads as f64);
                    bias.push(slope * (key as f64 - query as f64));
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
