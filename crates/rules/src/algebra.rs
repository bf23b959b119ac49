//! The detach algebra: the functions that every rule is built of.
//!
//! * *detach*: nothing flows back. This is [`Tensor::detach`](burn::tensor::Tensor::detach).
//! * [`share`]: a fraction flows back.
//! * [`surrogate`]: one tensor's value, another tensor's gradient.
//!
//! Rules divide by outputs, which may be zero. There are two ways to do so: a [`Stabilizer`] moves the
//! denominator away from zero, and [`quotient`] gives 0 where the denominator is 0.

use burn::tensor::Tensor;

/// A tensor with the value of `value` and the gradient of `proxy`, scaled elementwise by `slope`.
///
/// `slope` is a constant: nothing flows back through it. It must be finite: on some devices zero
/// times infinity would turn the value into NaN. The three tensors have one shape, or shapes that
/// broadcast to that of `value`.
///
/// ```
/// use burn::tensor::{Device, Tensor};
/// use relprop_rules::algebra::surrogate;
///
/// let x = Tensor::<1>::from_data([3.0], &Device::flex().autodiff()).require_grad();
/// let y = surrogate(x.clone() * x.clone(), x.clone(), x.clone()); // x * detach(x)
/// assert_eq!(y.clone().into_scalar::<f32>(), 9.0);
/// assert_eq!(x.grad(&y.backward()).unwrap().into_scalar::<f32>(), 3.0); // not 6
/// ```
pub fn surrogate<const D: usize>(
    value: Tensor<D>,
    proxy: Tensor<D>,
    slope: Tensor<D>,
) -> Tensor<D> {
    if !proxy.is_tracked() {
        return value.detach();
    }
    #[cfg(feature = "flex")]
    if let Some(y) = fused_surrogate(&value, &proxy, &slope) {
        return y;
    }
    // The bracket is exactly zero, so the value is unchanged to the last bit.
    value.detach() + (proxy.clone() - proxy.detach()) * slope.detach()
}

/// The surrogate as one node of autodiff's graph, which computes nothing in the forward pass. It is
/// None on any device but the CPU, because other devices fuse the three operations of the formula
/// themselves.
#[cfg(feature = "flex")]
fn fused_surrogate<const D: usize>(
    value: &Tensor<D>,
    proxy: &Tensor<D>,
    slope: &Tensor<D>,
) -> Option<Tensor<D>> {
    use crate::flex;

    let proxy = match proxy.dims() == value.dims() {
        true => proxy.clone(),
        false => proxy.clone().expand(value.dims()),
    };
    let slope = flex::numbers(slope)?;
    flex::node(value, proxy, move |gradient| {
        flex::product(gradient, &slope)
    })
}

/// A tensor with the value of `x` and `fraction` times its gradient.
///
/// ```
/// use burn::tensor::{Device, Tensor};
/// use relprop_rules::algebra::share;
///
/// let x = Tensor::<1>::from_data([3.0], &Device::flex().autodiff()).require_grad();
/// let y = share(x.clone(), 0.5);
/// assert_eq!(y.clone().into_scalar::<f32>(), 3.0);
/// assert_eq!(x.grad(&y.backward()).unwrap().into_scalar::<f32>(), 0.5);
/// ```
pub fn share<const D: usize>(x: Tensor<D>, fraction: f64) -> Tensor<D> {
    let fraction = Tensor::full([1; D], fraction, (&x.device(), x.dtype()));
    surrogate(x.clone(), x, fraction)
}

/// `numerator` / `denominator` as a constant, elementwise; 0 where the denominator is below 1e-30 in size,
/// where the quotient could overflow.
///
/// The two have one shape, or shapes that broadcast to that of `numerator`.
///
/// ```
/// use burn::tensor::{Device, Tensor};
/// use relprop_rules::algebra::quotient;
///
/// let [y, z] = [[6.0, 1.0], [-3.0, 0.0]].map(|x| Tensor::<1>::from_data(x, &Device::flex()));
/// let quotient = quotient(&y, &z);
/// assert_eq!(quotient.into_data_as::<f32>().to_vec::<f32>().unwrap(), [-2.0, 0.0]);
/// ```
pub fn quotient<const D: usize>(numerator: &Tensor<D>, denominator: &Tensor<D>) -> Tensor<D> {
    let denominator = denominator.clone().detach();
    let is_zero = denominator.clone().abs().lower_elem(1e-30);
    let quotient = numerator.clone().detach() / denominator.mask_fill(is_zero.clone(), 1.0);
    quotient.mask_fill(is_zero, 0.0)
}

/// Keeps a denominator away from zero without changing its sign.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Stabilizer {
    epsilon: f64,
}

impl Stabilizer {
    /// A stabilizer that adds `epsilon`, a number above zero.
    ///
    /// # Errors
    ///
    /// [`RuleError::Parameter`](crate::RuleError::Parameter) if `epsilon` is not finite and above
    /// zero.
    pub fn new(epsilon: f64) -> Result<Self, crate::RuleError> {
        if epsilon.is_finite() && epsilon > 0.0 {
            Ok(Self { epsilon })
        } else {
            Err(crate::RuleError::Parameter {
                name: "epsilon",
                value: epsilon,
                range: "a finite number above 0",
            })
        }
    }

    /// `x + epsilon * sign(x)`, where the sign of zero is +1.
    ///
    /// ```
    /// use burn::tensor::{Device, Tensor};
    /// use relprop_rules::algebra::Stabilizer;
    ///
    /// let x = Tensor::<1>::from_data([2.0, 0.0, -2.0], &Device::flex());
    /// let y = Stabilizer::new(0.5)?.apply(x);
    /// assert_eq!(y.into_data_as::<f32>().to_vec::<f32>().unwrap(), [2.5, 0.5, -2.5]);
    /// # Ok::<(), relprop_rules::RuleError>(())
    /// ```
    pub fn apply<const D: usize>(&self, x: Tensor<D>) -> Tensor<D> {
        let negative = x.clone().lower_elem(0.0);
        let epsilon = x.full_like(self.epsilon).mask_fill(negative, -self.epsilon);
        x + epsilon
    }
}
