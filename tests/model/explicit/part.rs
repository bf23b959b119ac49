//! The feed-forward part of the walk, and activations.

use burn::tensor::Tensor;
use relprop_rules::explicit::{activation, product, residual};
use relprop_rules::operations::Activation;
use relprop_transformer::{ClippedGate, FeedForwardConfig};

use super::laws::{Activations, Gates};
use super::network::{Back, Network};

impl Network<'_> {
    pub(super) fn feed_forward(
        &self,
        block: usize,
        part: FeedForwardConfig,
        x: Tensor<3>,
    ) -> (Tensor<3>, Back<'_>) {
        let map = |part: &str, x| {
            let name = format!("{}.{}.feed_forward.{part}", self.stack, self.own(block));
            self.map(&name, self.laws.maps_of_feed_forward, x)
        };
        let (up, up_back) = map("up", x.clone());
        if !part.gated {
            let (y, activation_back) = self.activation(part.activation, up);
            let (y, down_back) = map("down", y);
            return (y, Box::new(|r| up_back(activation_back(down_back(r)))));
        }
        let (gate, gate_back) = map("gate", x);
        if let Some(ClippedGate { bound, slope }) = part.clip {
            let (up, up_clip) = self.activation(Activation::Clip, up / bound);
            let (gate, gate_clip) = self.activation(Activation::ClipAbove, gate / bound);
            let (silu, activation_back) = self.activation(part.activation, gate * bound * slope);
            let (silu, up) = (silu / slope, up * bound);
            let product = silu.clone() * up;
            let (y, down_back) = map("down", product.clone() + silu.clone());
            let back = move |r| {
                let (of_product, of_silu) = residual::proportional(product, silu, down_back(r));
                let (of_gate, of_up) = match self.laws.gates {
                    Gates::PlainGradient => product::gate_plain_gradient(of_product),
                    Gates::Uniform => product::gate_uniform(of_product),
                };
                let of_gate = gate_clip(activation_back(of_gate + of_silu));
                gate_back(of_gate) + up_back(up_clip(of_up))
            };
            return (y, Box::new(back));
        }
        let (gate, activation_back) = self.activation(part.activation, gate);
        let (y, down_back) = map("down", gate * up);
        let back = move |r| {
            let of_product = down_back(r);
            let (of_gate, of_up) = match self.laws.gates {
                Gates::PlainGradient => product::gate_plain_gradient(of_product),
                Gates::Uniform => product::gate_uniform(of_product),
            };
            gate_back(activation_back(of_gate)) + up_back(of_up)
        };
        (y, Box::new(back))
    }

    pub(super) fn activation(&self, phi: Activation, z: Tensor<3>) -> (Tensor<3>, Back<'_>) {
        let x = || z.clone();
        let (y, slope) = match phi {
            Activation::Gelu => {
                let distribution = (x() / std::f64::consts::SQRT_2).erf() * 0.5 + 0.5;
                (x() * distribution, activation::gelu_slope(x()))
            }
            Activation::GeluTanh => {
                let inner =
                    (x() + x() * x() * x() * 0.044715) * (2.0 / std::f64::consts::PI).sqrt();
                let y = x() * (inner.tanh() + 1.0) * 0.5;
                (y, activation::gelu_tanh_slope(x()))
            }
            Activation::Relu => (x().clamp_min(0.0), activation::relu_slope(x())),
            Activation::Silu => {
                let y = x() / ((x() * -1.0).exp() + 1.0);
                (y, activation::silu_slope(x()))
            }
            Activation::QuickGelu => {
                let y = x() / ((x() * -1.702).exp() + 1.0);
                (y, activation::quick_gelu_slope(x()))
            }
            Activation::Tanh => (x().tanh(), activation::tanh_slope(x())),
            Activation::Clip => (x().clamp(-1.0, 1.0), activation::clip_slope(x())),
            Activation::ClipAbove => (x().clamp_max(1.0), activation::clip_above_slope(x())),
        };
        let back: Back = match self.laws.activations {
            Activations::Identity => Box::new(activation::identity),
            Activations::PlainGradient => {
                let y = y.clone();
                Box::new(|r| activation::plain_gradient(z, y, slope, r))
            }
        };
        (y, back)
    }
}
