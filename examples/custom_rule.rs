//! A propagation rule of your own, in a few lines, used on a trained model.
//!
//! ```sh
//! cargo run --release -- demo                                   # trains relprop-demo/model
//! cargo run --release --example custom_rule -- relprop-demo/model "not a dull film"
//! ```

use std::error::Error;
use std::path::Path;
use std::sync::Arc;

use burn::tensor::{Device, Tensor};
use relprop_checkpoints::Model;
use relprop_explain::{Explainer, Plan};
use relprop_render as render;
use relprop_rules::operations::Residual;
use relprop_rules::{Assignment, Operation, Registry, Rule, RuleSet, algebra::share};
use serde::Deserialize;

/// Lets only a part of what flows into a branch flow back: 0 for the skip connection alone, 1 for
/// the plain gradient.
#[derive(Debug, Deserialize)]
struct Branch {
    share: f64,
}

impl Rule<Residual> for Branch {
    fn apply(&self, sum: &Residual, (skip, branch): (Tensor<3>, Tensor<3>)) -> Tensor<3> {
        sum.forward((skip, share(branch, self.share)))
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let folder = arguments.next().unwrap_or("relprop-demo/model".to_owned());
    let text = arguments.next().unwrap_or("not a dull film".to_owned());
    let model = Arc::new(Model::load(Path::new(&folder), &Device::flex())?);

    let mut registry = Registry::default();
    registry.register::<Residual, Branch>("branch");

    let mut rules = RuleSet::preset("ah-ln")?;
    rules.name = "ah-ln with half of each branch".to_owned();
    let mut halved = Assignment::new("encoder.*", "residual", "branch");
    halved.parameters.insert("share".to_owned(), 0.5.into());
    rules.rules.insert(0, halved);
    println!("{}", rules.to_toml()?);

    for rules in [RuleSet::preset("ah-ln")?, rules] {
        let plan = Plan::default().by_rules(rules);
        let explainer = Explainer::with_registry(&model, &plan, &registry)?;
        let explanation = explainer.explain(&text)?;
        println!("{}", render::ansi(&explanation, 80, true));
    }
    Ok(())
}
