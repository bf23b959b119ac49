//! Ways to obtain relevance: relevance propagation under any rule set, and what it is compared with.
//!
//! Each file holds one [`Method`] with its source and its formula. [`by_name`] gives any of them by its
//! name. Notation: f is the logit of a label, x_t the
//! signal of token t at the site where relevance is read, A_l the attention weights of block l.

mod attention_flow;
mod attention_last;
mod attention_rollout;
mod chefer;
mod decomposition;
mod full_grad;
mod gae;
mod grad_rollout;
mod integrated_gradients;
mod method;
mod occlusion;
mod propagation;
mod random;
mod registry;
mod saliency;
mod shapley;
mod shared;
mod smooth_grad;

pub(crate) use shared::reader;
use shared::{attention, quadrature};

pub use crate::question::Question;
pub use attention_flow::{AttentionFlow, AttentionFlowParameters};
pub use attention_last::AttentionLast;
pub use attention_rollout::AttentionRollout;
pub use chefer::{Chefer, CheferParameters};
pub use decomposition::{Biases, Decomposition, DecompositionParameters, Shares};
pub use full_grad::{FullGrad, FullGradParameters};
pub use gae::Gae;
pub use grad_rollout::GradRollout;
pub use integrated_gradients::{Baseline, IntegratedGradients, IntegratedGradientsParameters};
pub use method::{Accounted, Finding, Method, relevance_by_label};
pub use occlusion::Occlusion;
pub use propagation::Propagation;
pub use random::Random;
pub use registry::{by_name, names};
pub use saliency::Saliency;
pub use shapley::{Shapley, ShapleyParameters};
pub use smooth_grad::{SmoothGrad, SmoothGradParameters};
