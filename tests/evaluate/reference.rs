//! The reference points on a real BERT.

use std::path::Path;

use burn::tensor::Device;
use relprop_checkpoints::Model;
use relprop_data::corpus;
use relprop_evaluate::Sample;

use crate::measure;
use relprop_testing::propagation;

/// The first 300 validation sentences of SST-2, true label, against an independent run.
///
/// It takes minutes and needs the folder `shared` beside the checkout, so it runs only if asked for:
/// `cargo test --release --workspace --test evaluate -- --ignored --nocapture`.
#[test]
#[ignore = "takes minutes, and reads ../shared/models: see above"]
fn minilm_reaches_the_reference_points() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared");
    let model = Model::load(&folder.join("models/minilm-l6-sst2"), &Device::flex()).unwrap();
    let inputs = corpus::read_texts(folder.join("data/sst2/dev.tsv")).unwrap();
    let samples: Vec<Sample> = inputs.texts[..300]
        .iter()
        .map(|input| {
            let text = model
                .tokenizer()
                .unwrap()
                .encode(&input.text, 512, Default::default());
            Sample::new(
                text.unwrap(),
                input.label.as_ref().unwrap().parse().unwrap(),
            )
        })
        .collect();
    for (preset, auac, au_mse) in [
        ("gradient-x-input", 0.757, 3.72),
        ("ah", 0.816, 2.95),
        ("ln", 0.854, 2.38),
        ("ah-ln", 0.896, 2.51),
        ("attn-lrp", 0.933, 1.39),
        ("libra", 0.920, 1.53),
    ] {
        let readings = samples.chunks(32).flat_map(|chunk| {
            measure(
                &model,
                propagation(&model, preset),
                &["auac", "au-mse"],
                chunk,
            )
        });
        let readings: Vec<_> = readings.collect();
        let mean = |metric: usize| {
            let values = readings
                .iter()
                .map(|text| text[metric].as_ref().unwrap().value);
            values.sum::<f64>() / readings.len() as f64
        };
        let (found_auac, found_au_mse) = (mean(0), mean(1));
        println!("{preset}: AUAC {found_auac:.4} ({auac}), AU-MSE {found_au_mse:.3} ({au_mse})");
        assert!(
            (found_auac - auac).abs() < 0.003,
            "{preset}: {found_auac:.4}"
        );
        assert!(
            (found_au_mse / au_mse - 1.0).abs() < 0.01,
            "{preset}: {found_au_mse:.4}"
        );
    }
}
