//! The optimizer and the learning rate.

use burn::grad_clipping::GradientClippingConfig;
use burn::lr_scheduler::{
    LrSchedulerConfig, linear::LinearLrSchedulerConfig, module_lr_scheduler::ModuleLrScheduler,
    sequential::SequentialLrSchedulerConfig,
};
use burn::optim::{AdamWConfig, ModuleOptimizer};

use crate::{TrainConfig, TrainError};

/// AdamW, with the norm of each parameter's gradient clipped.
pub(crate) fn optimizer(config: &TrainConfig) -> ModuleOptimizer {
    AdamWConfig::new()
        .with_epsilon(1e-8)
        .with_weight_decay(config.weight_decay)
        .with_grad_clipping(Some(GradientClippingConfig::Norm(config.clip)))
        .init()
}

/// The learning rate: it rises linearly over the warm-up steps, then falls linearly to nearly zero.
pub(crate) fn schedule(
    config: &TrainConfig,
    steps: usize,
) -> Result<ModuleLrScheduler, TrainError> {
    let peak = config.learning_rate;
    let warmup = ((config.warmup * steps as f64) as usize).clamp(1, steps.max(2) - 1);
    let line =
        |from, to, steps| LrSchedulerConfig::Linear(LinearLrSchedulerConfig::new(from, to, steps));
    let up = line(peak / warmup as f64, peak, warmup);
    let down = line(peak, 0.0, steps.saturating_sub(warmup).max(1));
    SequentialLrSchedulerConfig::new(vec![up, down], vec![warmup])
        .init()
        .map_err(TrainError::Failed)
}
