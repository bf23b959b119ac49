//! The metrics, one in each file. A new metric needs its file and a line of the table below. Code
//! that several metrics need is in `shared/`.

mod au_mse;
mod auac;
mod aupc;
mod auprc;
mod comprehensiveness;
mod conservation;
mod iou;
mod lerf;
mod mas;
mod mass_accuracy;
mod morf;
mod mprt;
mod pointing_game;
mod polarity;
mod precision;
mod random_logit;
mod rank_accuracy;
mod reciprocal_rank;
mod recovery;
mod rise;
mod shared;
mod sparseness;
mod srg;
mod sufficiency;
mod tau_loo;
mod token_f1;

pub use au_mse::AuMse;
pub use auac::Auac;
pub use aupc::Aupc;
pub use auprc::Auprc;
pub use comprehensiveness::Comprehensiveness;
pub use conservation::Conservation;
pub use iou::Iou;
pub use lerf::Lerf;
pub use mas::Mas;
pub use mass_accuracy::MassAccuracy;
pub use morf::Morf;
pub use mprt::Mprt;
pub use pointing_game::PointingGame;
pub use polarity::HumanPolarity;
pub use precision::Precision;
pub use random_logit::RandomLogit;
pub use rank_accuracy::RankAccuracy;
pub use reciprocal_rank::ReciprocalRank;
pub use recovery::Recovery;
pub use rise::Rise;
pub use sparseness::Sparseness;
pub use srg::Srg;
pub use sufficiency::Sufficiency;
pub use tau_loo::TauLoo;
pub use token_f1::TokenF1;

use super::Metric;
use super::curve::Scope;

/// Makes a metric.
type Make = fn() -> Box<dyn Metric>;

/// Every metric, in the order in which users are shown them. Names, help and the lookup by name
/// come from this table and from [`Metric::about`].
const TABLE: &[Make] = &[
    || Box::new(Auac(Scope::All)),
    || Box::new(Aupc(Scope::All)),
    || Box::new(AuMse(Scope::All)),
    || Box::new(Auac(Scope::Text)),
    || Box::new(Aupc(Scope::Text)),
    || Box::new(AuMse(Scope::Text)),
    || Box::new(Morf),
    || Box::new(Lerf),
    || Box::new(Srg),
    || Box::new(Comprehensiveness),
    || Box::new(Sufficiency),
    || Box::new(TauLoo),
    || Box::new(Rise),
    || Box::new(Mas),
    || Box::new(PointingGame),
    || Box::new(MassAccuracy),
    || Box::new(RankAccuracy),
    || Box::new(Precision(3)),
    || Box::new(TokenF1(5)),
    || Box::new(Iou(5)),
    || Box::new(Auprc),
    || Box::new(ReciprocalRank),
    || Box::new(Recovery),
    || Box::new(HumanPolarity),
    || Box::new(Mprt),
    || Box::new(RandomLogit),
    || Box::new(Conservation),
    || Box::new(Sparseness),
];

/// The names of the metrics that are measured by default.
pub const DEFAULT: [&str; 4] = ["auac", "aupc", "au-mse", "srg"];

/// Every metric, in the order in which users are shown them. `precision@3` stands for any
/// `precision@K`, and so do `token-f1@5` and `iou@5`.
pub fn all() -> impl ExactSizeIterator<Item = Box<dyn Metric>> {
    TABLE.iter().map(|make| make())
}

/// Their names.
pub fn names() -> impl ExactSizeIterator<Item = String> {
    all().map(|metric| metric.about().name)
}

/// There is no metric of this name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no metric `{name}`; there are {}", names().collect::<Vec<_>>().join(", "))]
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
    let known = all().find(|metric| metric.about().name == name);
    let found = known.or_else(|| all().find_map(|metric| metric.variant(name)));
    found.ok_or_else(|| UnknownMetric {
        name: name.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Better;

    #[test]
    fn every_metric_is_found_by_its_name_and_no_name_comes_twice() {
        let names: Vec<String> = names().collect();
        for (index, name) in names.iter().enumerate() {
            assert_eq!(metric(name).unwrap().about().name, *name);
            assert!(!names[..index].contains(name), "{name}");
        }
        for name in ["precision@12", "token-f1@1", "iou@10"] {
            assert_eq!(metric(name).unwrap().about().name, name);
        }
        for name in DEFAULT {
            assert!(names.iter().any(|known| known == name), "{name}");
        }
    }

    /// A row of the tables of docs/evaluation.md begins with names and says which values are good.
    #[test]
    fn the_documentation_has_every_metric_and_no_other() {
        let page = include_str!("../../../../docs/evaluation.md");
        let rows = page.lines().filter_map(|line| {
            let mut cells = line.strip_prefix("| `")?.split(" | ");
            let (names, better) = (cells.next()?, cells.next()?);
            let better = match better {
                "higher" => Better::Higher,
                "lower" => Better::Lower,
                "neither" => Better::Neither,
                _ => return None,
            };
            let names = names.trim_end_matches('`').split("`, `");
            // `precision@K` stands in the table with a number.
            let shown = |name: &str| match name.strip_suffix("@K") {
                Some(start) => {
                    let known = all().map(|metric| metric.about().name);
                    let mut known = known.filter(|name| name.starts_with(&format!("{start}@")));
                    known.next().unwrap_or_default()
                }
                None => name.to_owned(),
            };
            Some(names.map(move |name| (shown(name), better)))
        });
        let mut documented: Vec<_> = rows.flatten().collect();
        let mut there: Vec<_> = all()
            .map(|metric| metric.about())
            .map(|about| (about.name, about.better))
            .collect();
        documented.sort_by(|a, b| a.0.cmp(&b.0));
        there.sort_by(|a, b| a.0.cmp(&b.0));
        assert_eq!(documented, there);
    }

    #[test]
    fn an_unknown_name_is_told_what_there_is() {
        for name in [
            "auc",
            "precision@",
            "precision@0",
            "precision@-1",
            "iou@",
            "token-f1@x",
            "",
        ] {
            let error = metric(name).err().unwrap().to_string();
            assert!(error.contains(&format!("`{name}`")) && error.contains("au-mse-text"));
        }
    }
}
