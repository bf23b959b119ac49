//! The metrics, one a file.

mod au_mse;
mod auac;
mod aupc;
mod comprehensiveness;
mod conservation;
mod evidence;
mod lerf;
mod mass_accuracy;
mod morf;
mod mprt;
mod pointing_game;
mod polarity;
mod precision;
mod random_logit;
mod rank_accuracy;
mod rationale;
mod reciprocal_rank;
mod sparseness;
mod srg;
mod sufficiency;
mod tau_loo;

pub use au_mse::AuMse;
pub use auac::Auac;
pub use aupc::Aupc;
pub use comprehensiveness::Comprehensiveness;
pub use conservation::Conservation;
pub use lerf::Lerf;
pub use mass_accuracy::MassAccuracy;
pub use morf::Morf;
pub use mprt::Mprt;
pub use pointing_game::PointingGame;
pub use polarity::HumanPolarity;
pub use precision::Precision;
pub use random_logit::RandomLogit;
pub use rank_accuracy::RankAccuracy;
pub use reciprocal_rank::ReciprocalRank;
pub use sparseness::Sparseness;
pub use srg::Srg;
pub use sufficiency::Sufficiency;
pub use tau_loo::TauLoo;

use super::Metric;
use super::curve::Scope;

/// The names of the metrics. `precision@3` stands for any `precision@K`.
pub const METRICS: [&str; 22] = [
    "auac",
    "aupc",
    "au-mse",
    "auac-text",
    "aupc-text",
    "au-mse-text",
    "morf",
    "lerf",
    "srg",
    "comprehensiveness",
    "sufficiency",
    "tau-loo",
    "pointing-game",
    "mass-accuracy",
    "rank-accuracy",
    "precision@3",
    "reciprocal-rank",
    "polarity",
    "mprt",
    "random-logit",
    "conservation",
    "sparseness",
];

/// There is no metric of this name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no metric `{name}`; there are {}", METRICS.join(", "))]
pub struct UnknownMetric {
    /// The name.
    pub name: String,
}

/// The metric called `name`.
///
/// # Errors
///
/// [`UnknownMetric`], with the names that there are.
pub fn metric(name: &str) -> Result<Box<dyn Metric>, UnknownMetric> {
    let metric: Box<dyn Metric> = match name {
        "auac" => Box::new(Auac(Scope::All)),
        "aupc" => Box::new(Aupc(Scope::All)),
        "au-mse" => Box::new(AuMse(Scope::All)),
        "auac-text" => Box::new(Auac(Scope::Text)),
        "aupc-text" => Box::new(Aupc(Scope::Text)),
        "au-mse-text" => Box::new(AuMse(Scope::Text)),
        "morf" => Box::new(Morf),
        "lerf" => Box::new(Lerf),
        "srg" => Box::new(Srg),
        "comprehensiveness" => Box::new(Comprehensiveness),
        "sufficiency" => Box::new(Sufficiency),
        "tau-loo" => Box::new(TauLoo),
        "pointing-game" => Box::new(PointingGame),
        "mass-accuracy" => Box::new(MassAccuracy),
        "rank-accuracy" => Box::new(RankAccuracy),
        "reciprocal-rank" => Box::new(ReciprocalRank),
        "polarity" => Box::new(HumanPolarity),
        "mprt" => Box::new(Mprt),
        "random-logit" => Box::new(RandomLogit),
        "conservation" => Box::new(Conservation),
        "sparseness" => Box::new(Sparseness),
        _ => {
            let count = name.strip_prefix("precision@");
            let count = count.and_then(|count| count.parse().ok());
            let count = count.filter(|count| *count > 0).ok_or(UnknownMetric {
                name: name.to_owned(),
            })?;
            Box::new(Precision(count))
        }
    };
    Ok(metric)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_metric_is_found_by_its_name() {
        for name in METRICS {
            assert_eq!(metric(name).unwrap().name(), name);
        }
        assert_eq!(metric("precision@12").unwrap().name(), "precision@12");
    }

    #[test]
    fn an_unknown_name_is_told_what_there_is() {
        for name in ["auc", "precision@", "precision@0", "precision@-1", ""] {
            let error = metric(name).err().unwrap().to_string();
            assert!(error.contains(&format!("`{name}`")) && error.contains("au-mse-text"));
        }
    }
}
