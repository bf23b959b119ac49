//! A norm with parts held constant: the same value as ever, and a gradient that is that of the norm with
//! these parts fixed as numbers, by difference quotients in f64.

use burn::tensor::Tensor;
use relprop_rules::Operation;
use relprop_rules::operations::{Held, Norm, NormScale};
use rstest::rstest;

use super::support::{PLACES, Place, difference, numbers};

const SHAPE: [usize; 3] = [2, 2, 5];

fn norm(place: Place, scale: NormScale) -> Norm {
    Norm {
        scale,
        gamma: Some(place.draw([SHAPE[2]], 2)),
        beta: Some(place.draw([SHAPE[2]], 3)),
    }
}

/// The sum of y times `upstream` at `x`, with the parts that `held` names as they are at `fixed`.
fn target(norm: &Norm, held: Held, x: Tensor<3>, fixed: &Tensor<3>) -> f64 {
    let mean = norm.mean(if held.mean { fixed.clone() } else { x.clone() });
    let scale = match held.scale {
        true => norm.scale(norm.center(fixed.clone())),
        false => norm.scale(x.clone() - mean.clone()),
    };
    let y = norm.affine((x - mean) * scale);
    numbers(y * Place::F64.draw(SHAPE, 4)).into_iter().sum()
}

/// The derivative of [`target`] by every number of x.
fn slopes(norm: &Norm, held: Held) -> Vec<f64> {
    const STEP: f64 = 1e-5;
    let fixed: Tensor<3> = Place::F64.draw(SHAPE, 1);
    let at = numbers(fixed.clone());
    let moved = |index: usize, by: f64| {
        let mut x = at.clone();
        x[index] += by;
        target(norm, held, Place::F64.tensor(&x, SHAPE), &fixed)
    };
    let slope = |index| (moved(index, STEP) - moved(index, -STEP)) / (2.0 * STEP);
    (0..at.len()).map(slope).collect()
}

#[rstest]
fn what_a_norm_holds_is_a_constant_on_every_device(
    #[values(
        NormScale::InsideRoot(0.01),
        NormScale::OutsideRoot(0.01),
        NormScale::RootMeanSquare(0.01)
    )]
    scale: NormScale,
    #[values(false, true)] mean: bool,
    #[values(false, true)] scale_is_held: bool,
) {
    let held = Held {
        mean,
        scale: scale_is_held,
    };
    let expected = slopes(&norm(Place::F64, scale), held);
    for &place in PLACES {
        let norm = norm(place, scale);
        let x: Tensor<3> = place.draw(SHAPE, 1).autodiff().require_grad();
        let y = norm.holding(x.clone(), held);
        let plain = numbers(norm.forward(x.clone()));
        assert!(difference(&numbers(y.clone()), &plain) < 1e-6, "{place:?}");
        let gradients = (y * place.draw(SHAPE, 4)).sum().backward();
        let error = difference(&numbers(x.grad(&gradients).unwrap()), &expected);
        // The quotients themselves are good to 1e-8.
        let limit = place.tolerance().max(1e-8);
        assert!(error < limit, "{place:?}: {error:.1e}");
    }
}
