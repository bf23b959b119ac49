//! Sums over a row. The compiler may not change the order in which floats are added. So each sum is written
//! as many partial sums, which fit into vector registers.

const LANES: usize = 32;

/// The sum of `f` of every number.
#[inline(always)]
pub(crate) fn sum(x: &[f32], f: impl Fn(f32) -> f32) -> f32 {
    let mut lanes = [0.0; LANES];
    let whole = x.chunks_exact(LANES);
    let rest: f32 = whole.remainder().iter().map(|x| f(*x)).sum();
    for x in whole {
        for (lane, x) in lanes.iter_mut().zip(x) {
            *lane += f(*x);
        }
    }
    lanes.iter().sum::<f32>() + rest
}

/// The sum of a (x - mean).
#[inline(always)]
pub(crate) fn product(a: &[f32], x: &[f32], mean: f32) -> f32 {
    let mut lanes = [0.0; LANES];
    let (a_whole, x_whole) = (a.chunks_exact(LANES), x.chunks_exact(LANES));
    let rest = a_whole.remainder().iter().zip(x_whole.remainder());
    let rest: f32 = rest.map(|(a, x)| a * (x - mean)).sum();
    for (a, x) in a_whole.zip(x_whole) {
        for ((lane, a), x) in lanes.iter_mut().zip(a).zip(x) {
            *lane += a * (x - mean);
        }
    }
    lanes.iter().sum::<f32>() + rest
}

/// The largest number; NaN does not count.
#[inline(always)]
pub(crate) fn largest(x: &[f32]) -> f32 {
    let larger = |a: f32, b: f32| if b > a { b } else { a };
    let mut lanes = [f32::NEG_INFINITY; LANES];
    let whole = x.chunks_exact(LANES);
    let rest = whole.remainder();
    for x in whole {
        for (lane, x) in lanes.iter_mut().zip(x) {
            *lane = larger(*lane, *x);
        }
    }
    let lanes = lanes.iter().copied().fold(f32::NEG_INFINITY, larger);
    rest.iter().copied().fold(lanes, larger)
}
