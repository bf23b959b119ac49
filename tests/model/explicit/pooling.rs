//! The walk through attention of a learned query, which pools: SigLIP.

use burn::tensor::Tensor;
use relprop_rules::explicit::residual;

use super::network::{Back, Network};

impl Network<'_> {
    /// From all tokens, `[1, position, feature]`, to one vector, `[1, 1, feature]`. What goes to the query is absorbed.
    pub(super) fn attended(&self, x: Tensor<3>) -> (Tensor<3>, Back<'_>) {
        let name = |part: &str| format!("attention_pooling.{part}");
        let width = self.config.width;
        let probe = self.tensor(&self.parameters[&name("probe")], [1, 1, width]);
        let (gathered, attention_back) = self.between(&name("attention"), self.laws.maps, probe, x);
        let (normed, norm_back) = self.norm(&name("norm"), &self.config.norm, gathered.clone());
        let map = |part, x| self.map(&name(part), self.laws.maps_of_feed_forward, x);
        let (up, up_back) = map("feed_forward.up", normed);
        let part = self.config.feed_forward.expect("it is there");
        let (y, activation_back) = self.activation(part.activation, up);
        let (down, down_back) = map("feed_forward.down", y);
        let sum = gathered.clone() + down.clone();
        let back = move |r| {
            let (of_gathered, of_down) = residual::proportional(gathered, down, r);
            let of_part = norm_back(up_back(activation_back(down_back(of_down))));
            let (_, of_tokens) = attention_back(of_gathered + of_part);
            of_tokens
        };
        (sum, Box::new(back))
    }
}
