//! Numbers that a type of float does not hold.

use burn::tensor::Device;
use relprop_testing::program::{Ran, relprop};
use relprop_testing::{Architecture, Draw, filled};

/// huggingface/transformers#17437: numbers that are too large for f16 were blamed on the weights, though
/// f32 holds them.
#[test]
fn what_f16_does_not_hold_is_said_of_f16() {
    let folder = tempfile::tempdir().unwrap();
    let mut draw = Draw::new(0);
    let large = filled(
        &Architecture::PostNorm.config(),
        &Device::flex(),
        |_, shape| {
            let count = shape.iter().product();
            (0..count).map(|_| 1e5 * draw.number()).collect()
        },
    );
    large.save(folder.path()).unwrap();
    let explain = |dtype: &str| -> Ran {
        let mut command = relprop();
        let command = command.args(["explain", "--model"]).arg(folder.path());
        let command = command.args(["--dtype", dtype, "--format", "json", "a film"]);
        command.output().unwrap().into()
    };
    explain("f32").done();
    explain("f16").failed(1, &["f16, whose numbers end at 65504", "leave out --dtype"]);
}
