//! The verbs of the detach algebra: values to the last bit, gradients exactly.

use burn::tensor::Tensor;
use relprop_rules::algebra::{Stabilizer, share, surrogate};
use rstest::rstest;

use super::support::{Draw, Place, numbers, single_places};

/// Zero of either sign, the smallest and the largest numbers, and a few hundred ordinary ones.
fn hard_numbers(place: Place, seed: u64) -> Vec<f64> {
    let mut values = Draw::new(seed).numbers(300);
    let tiny = f64::from(f32::MIN_POSITIVE);
    values.extend([0.0, -0.0, tiny, -tiny, 1e30, -1e30, f64::from(f32::MAX)]);
    // WGSL lets a card take numbers below the normal ones as zero.
    if place == Place::F32 {
        values.push(1e-45);
    }
    values
}

fn vector(place: Place, values: &[f64]) -> Tensor<1> {
    place.tensor(values, [values.len()])
}

/// The bits of every number. Adding a zero turns -0.0 into 0.0, which every rule may do: the two
/// are equal, and no operation of a model tells them apart. So zeros lose their sign here.
fn bits(tensor: Tensor<1>) -> Vec<u32> {
    let values: Vec<f32> = tensor.into_data_as::<f32>().try_into_vec().unwrap();
    values.into_iter().map(|x| (x + 0.0).to_bits()).collect()
}

#[rstest]
fn a_surrogate_has_the_value_to_the_last_bit(#[values(0, 1, 2)] seed: u64) {
    for place in single_places() {
        let value = vector(place, &hard_numbers(place, seed));
        let proxy = vector(place, &hard_numbers(place, seed + 10))
            .autodiff()
            .require_grad();
        let slope = vector(place, &hard_numbers(place, seed + 20));
        assert_eq!(bits(surrogate(value.clone(), proxy, slope)), bits(value));
    }
}

#[test]
fn a_surrogate_has_the_proxys_gradient_times_the_slope_and_no_other() {
    for place in single_places() {
        let leaf = |seed| {
            vector(place, &Draw::new(seed).numbers(50))
                .autodiff()
                .require_grad()
        };
        let [value, proxy, slope] = [leaf(1), leaf(2), leaf(3)];
        let upstream = vector(place, &Draw::new(4).numbers(50));

        let y = surrogate(value.clone(), proxy.clone(), slope.clone());
        let gradients = (y * upstream.clone().autodiff()).sum().backward();

        let expected = slope.clone().without_autodiff() * upstream;
        assert_eq!(bits(proxy.grad(&gradients).unwrap()), bits(expected));
        for constant in [value, slope] {
            let gradient = constant.grad(&gradients);
            assert!(gradient.is_none_or(|gradient| numbers(gradient).iter().all(|g| *g == 0.0)));
        }
    }
}

/// The shapes that rules use: a slope for each row, and one number that stands for all.
#[test]
fn shapes_that_broadcast_to_the_values_are_spread() {
    for place in single_places() {
        let tensor = |seed, shape: [usize; 2]| {
            let values = Draw::new(seed).numbers(shape[0] * shape[1]);
            place.tensor(&values, shape).autodiff()
        };
        let value = tensor(1, [2, 3]);
        let (proxy, slope) = (tensor(2, [2, 1]).require_grad(), tensor(3, [1, 3]));
        let y = surrogate(value.clone(), proxy.clone(), slope.clone());
        assert_eq!(numbers(y.clone()), numbers(value));
        let gradient = proxy.grad(&y.sum().backward()).unwrap();
        let expected: f64 = numbers(slope).iter().sum();
        for found in numbers(gradient) {
            assert!((found - expected).abs() < 1e-6, "{found}, not {expected}");
        }
    }
}

#[rstest]
fn a_share_keeps_the_value_and_passes_the_fraction(
    #[values(0.0, 0.25, 0.5, 1.0, -2.0)] fraction: f64,
) {
    for place in single_places() {
        let values = hard_numbers(place, 5);
        let x = vector(place, &values).autodiff().require_grad();
        let y = share(x.clone(), fraction);
        assert_eq!(bits(y.clone()), bits(vector(place, &values)));

        // The fractions are powers of two, so their products are exact.
        let upstream = Draw::new(6).numbers(values.len());
        let gradients = (y * vector(place, &upstream).autodiff()).sum().backward();
        let expected: Vec<f64> = upstream.iter().map(|u| u * fraction).collect();
        assert_eq!(
            bits(x.grad(&gradients).unwrap()),
            bits(vector(place, &expected))
        );
    }
}

#[test]
fn a_stabilizer_keeps_the_sign_and_takes_zero_as_positive() {
    for place in single_places() {
        let stabilizer = Stabilizer::new(0.5).unwrap();
        let x = vector(place, &[2.0, 0.25, 0.0, -0.0, -0.25, -2.0]);
        assert_eq!(
            numbers(stabilizer.apply(x)),
            [2.5, 0.75, 0.5, 0.5, -0.75, -2.5]
        );
    }
}

#[test]
fn a_stabilizer_keeps_every_denominator_at_least_epsilon_from_zero() {
    for place in single_places() {
        let epsilon = 1e-6;
        let denominators = Stabilizer::new(epsilon)
            .unwrap()
            .apply(vector(place, &hard_numbers(place, 7)));
        assert!(
            numbers(denominators)
                .iter()
                .all(|x| x.abs() >= f64::from(epsilon as f32))
        );
    }
}

/// It moves x by a constant, so it has the gradient of x.
#[test]
fn a_stabilizer_has_the_gradient_of_its_argument() {
    for place in single_places() {
        let x = vector(place, &[3.0, 0.0, -3.0]).autodiff().require_grad();
        let gradients = Stabilizer::new(0.1)
            .unwrap()
            .apply(x.clone())
            .sum()
            .backward();
        assert_eq!(numbers(x.grad(&gradients).unwrap()), [1.0; 3]);
    }
}

#[rstest]
#[case(0.0, "0")]
#[case(-0.0, "-0")]
#[case(-1e-6, "-0.000001")]
#[case(f64::NAN, "NaN")]
#[case(f64::INFINITY, "inf")]
#[case(f64::NEG_INFINITY, "-inf")]
fn a_stabilizer_refuses_an_epsilon_that_is_not_finite_and_above_zero(
    #[case] epsilon: f64,
    #[case] shown: &str,
) {
    assert_eq!(
        Stabilizer::new(epsilon).unwrap_err().to_string(),
        format!("epsilon = {shown} is out of range: it must be a finite number above 0")
    );
}

#[test]
fn a_stabilizer_takes_the_smallest_epsilon_above_zero() {
    assert!(Stabilizer::new(f64::MIN_POSITIVE).is_ok());
}
