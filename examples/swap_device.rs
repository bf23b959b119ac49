//! The same model and the same call on every device that is compiled in, and how far their answers are
//! apart. Only the device that the model is loaded on differs.
//!
//! ```sh
//! cargo run --release -- demo                                   # trains relprop-demo/model
//! cargo run --release --features gpu --example swap_device -- relprop-demo/model "not a dull film"
//! ```

use std::error::Error;
use std::path::Path;
use std::sync::Arc;

use burn::tensor::Device;
use relprop_checkpoints::Model;
use relprop_explain::{Explainer, Plan};
use relprop_render as render;
use relprop_rules::RuleSet;

/// The CPU first.
fn devices() -> Vec<Device> {
    vec![
        Device::flex(),
        #[cfg(feature = "gpu")]
        Device::wgpu(burn::tensor::DeviceKind::DefaultDevice),
        #[cfg(feature = "cuda")]
        Device::cuda(burn::tensor::DeviceIndex::Default),
    ]
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let folder = arguments.next().unwrap_or("relprop-demo/model".to_owned());
    let text = arguments.next().unwrap_or("not a dull film".to_owned());
    let rules = RuleSet::preset("ah-ln")?;

    let mut first: Option<Vec<f32>> = None;
    for device in devices() {
        let model = Arc::new(Model::load(Path::new(&folder), &device)?);
        let plan = Plan::default().by_rules(rules.clone());
        let explanation = Explainer::new(&model, &plan)?.explain(&text)?;
        println!("{}", render::ansi(&explanation, 80, true));

        let relevance: Vec<f32> = explanation.tokens.iter().map(|t| t.relevance).collect();
        let first = first.get_or_insert_with(|| relevance.clone());
        let largest = first.iter().fold(0.0_f32, |most, r| most.max(r.abs()));
        let apart = first.iter().zip(&relevance).map(|(a, b)| (a - b).abs());
        let worst = apart.fold(0.0, f32::max);
        println!("{device:?}: {:.1e} of the largest apart\n", worst / largest);
    }
    Ok(())
}
