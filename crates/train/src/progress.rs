//! Training's progress as a bar on standard error.

use burn::train::logger::{EvaluationProgressLogger, TrainingProgressLogger};
use burn::train::metric::MetricDefinition;
use burn::train::renderer::{
    EvaluationName, MetricState, MetricsRenderer, MetricsRendererEvaluation,
    MetricsRendererTraining,
};
use indicatif::{ProgressBar, ProgressStyle};

/// Shows how far the epoch is. The figures of each epoch are printed by its
/// [history](crate::history::History).
pub(crate) struct Bar(pub(crate) ProgressBar);

impl Bar {
    /// A bar for the texts of an epoch; it shows nothing where standard error is no terminal.
    pub(crate) fn new() -> Self {
        let style =
            ProgressStyle::with_template("{prefix:>12} {wide_bar} {pos}/{len} texts, {eta} left");
        Self(ProgressBar::no_length().with_style(style.unwrap_or(ProgressStyle::default_bar())))
    }
}

impl TrainingProgressLogger for Bar {
    fn start(&mut self, _epochs: usize, first: usize, _items: Option<usize>, _: Option<&str>) {
        self.0.set_prefix(format!("epoch {first}"));
    }

    fn update_epoch(&mut self, epoch: usize) {
        self.0.set_prefix(format!("epoch {}", epoch + 1));
    }

    fn start_split(&mut self, _split: &str, items: usize) {
        self.0.reset();
        self.0.set_length(items as u64);
    }

    fn update_split(&mut self, items: usize) {
        self.0.set_position(items as u64);
    }

    fn end_split(&mut self) {}

    fn end(&mut self) {
        self.0.finish_and_clear();
    }

    fn log_event_training(&mut self, _event: String) {}
}

impl MetricsRendererTraining for Bar {
    fn update_train(&mut self, _state: MetricState) {}

    fn update_valid(&mut self, _state: MetricState) {}
}

impl MetricsRenderer for Bar {
    fn manual_close(&mut self) {}

    fn register_metric(&mut self, _definition: MetricDefinition) {}
}

// burn-train's renderers serve its evaluator too, which relprop does not use.
impl MetricsRendererEvaluation for Bar {
    fn update_test(&mut self, _name: EvaluationName, _state: MetricState) {}
}

impl EvaluationProgressLogger for Bar {
    fn start_global_progress(&mut self, _tests: usize) {}

    fn start_test(&mut self, _name: &str, _items: usize) {}

    fn update_test_progress(&mut self, _items: usize) {}

    fn end_test(&mut self) {}

    fn end_global_progress(&mut self) {}

    fn log_event_evaluation(&mut self, _event: String) {}
}
