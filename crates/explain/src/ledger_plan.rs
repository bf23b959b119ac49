//! Which sites a pass must record for a ledger, and how the ledger is made from them.

use relprop_rules::operations::AttentionMix;
use relprop_rules::{BoundRules, Operation, Pass, Relevance};
use relprop_transformer::Transformer;

use crate::numbers::numbers;
use crate::{ExplainError, Layer, Ledger};

/// The stretches of a model between the cuts of its ledger, from the site where relevance is read.
#[derive(Clone, Debug)]
pub(crate) struct LedgerPlan(Vec<Stretch>);

#[derive(Clone, Debug)]
struct Stretch {
    /// The site that it starts at.
    cut: String,
    /// The sites in it where attention heads give their mixtures of values.
    mixes: Vec<String>,
}

impl LedgerPlan {
    /// The stretches from `at` on. The ledger leaves out what comes before `at`.
    pub(crate) fn new(transformer: &Transformer, at: &str) -> Self {
        let boundaries = transformer.boundaries();
        let sites = transformer.sites();
        let from = sites.iter().skip_while(|site| site.name != at);
        let mut stretches: Vec<Stretch> = Vec::new();
        for site in from {
            let name = site.name.clone();
            match stretches.last_mut() {
                Some(last) if !boundaries.contains(&name) => {
                    if site.operation == Some(AttentionMix::NAME) {
                        last.mixes.push(name);
                    }
                }
                _ => stretches.push(Stretch {
                    cut: name,
                    mixes: Vec::new(),
                }),
            }
        }
        Self(stretches)
    }

    /// A pass that records what the ledger needs.
    pub(crate) fn pass<'r>(&self, rules: &'r BoundRules) -> Pass<'r> {
        let cuts = self.0.iter().map(|stretch| stretch.cut.as_str());
        let mixes = self.0.iter().flat_map(|stretch| &stretch.mixes);
        let probes = cuts.clone().chain(mixes.map(String::as_str));
        let pass = Pass::new(rules).with_ledger(cuts);
        probes.fold(pass, Pass::with_probe)
    }

    /// The ledger of one text whose tokens have this relevance where it was read.
    pub(crate) fn ledger(
        &self,
        recorded: &mut Relevance,
        tokens: Vec<f32>,
    ) -> Result<Ledger, ExplainError> {
        let account = recorded.take_ledger()?.unwrap_or_default();
        let mut tokens = Some(tokens);
        let mut layers = Vec::new();
        for (stretch, stage) in self.0.iter().zip(&account.stages) {
            // The probe at the first cut has been read already.
            let tokens = match tokens.take() {
                Some(tokens) => tokens,
                None => numbers(recorded.take::<3>(&stretch.cut)?.sum_dim(2))?,
            };
            let mut heads = Vec::new();
            for site in &stretch.mixes {
                let mixed = recorded.take::<4>(site)?;
                // One text may have several windows.
                heads.extend(numbers(mixed.sum_dim(3).sum_dim(2).sum_dim(0))?);
            }
            layers.push(Layer {
                site: stretch.cut.clone(),
                tokens,
                heads,
                absorbed: stage.absorbed.iter().map(|entry| entry.relevance).sum(),
                unaccounted: stage.unaccounted,
            });
        }
        Ok(Ledger {
            target: account.target,
            tokens: account.read(),
            absorbed: account.absorbed().map(Into::into).collect(),
            unaccounted: account.unaccounted(),
            layers,
        })
    }
}
