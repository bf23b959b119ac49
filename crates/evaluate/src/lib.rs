#![doc = include_str!("../README.md")]

mod curve;
mod evaluation;
mod interval;
mod metric;
pub mod metrics;
mod randomize;
mod results;
mod sample;
mod statistics;
mod summary;
pub mod tune;
mod versions;

pub use curve::{STEPS, Scope, area};
pub use evaluation::{Candidate, Evaluation, Readings};
pub use interval::{Interval, mean_with_interval};
pub use metric::{About, Better, Case, Metric, Need, Reading};
pub use metrics::{UnknownMetric, metric};
pub use randomize::cascade;
pub use relprop_explain::View;
pub use relprop_explain::methods::{Method, Random};
pub use results::{MethodResults, Results};
pub use sample::{Polarity, Sample};
pub use statistics::pearson;
pub use summary::{Summary, summarize};
pub(crate) use versions::Versions;
pub use versions::{hiding_token, predictions};
