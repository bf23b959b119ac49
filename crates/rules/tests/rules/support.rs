//! Seeded numbers, tensors of them, and an attention head and a norm to run under a rule set.

use burn::tensor::{Bool, DType, Device, Tensor, TensorData};
use proptest::test_runner::{Config as ProptestConfig, RngSeed};
use relprop_rules::operations::{AttentionMix, AttentionScores, AttentionWeights, Norm, NormScale};
use relprop_rules::{Pass, Registry, Relevance, RuleSet};

/// Random numbers: xorshift64*.
pub struct Draw(u64);

impl Draw {
    pub fn new(seed: u64) -> Self {
        Self((seed + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15))
    }

    fn bits(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 11
    }

    /// Between -1 and 1, and exact in f32, so that every type of float computes on the same input.
    pub fn number(&mut self) -> f64 {
        exact(self.bits() as f64 / (1_u64 << 52) as f64 - 1.0)
    }

    pub fn numbers(&mut self, count: usize) -> Vec<f64> {
        (0..count).map(|_| self.number()).collect()
    }

    pub fn below(&mut self, end: usize) -> usize {
        (self.bits() % end as u64) as usize
    }
}

/// The nearest number that is exact in f32.
pub fn exact(x: f64) -> f64 {
    f64::from(x as f32)
}

/// Where the same rules must give the same relevance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// The CPU in f64, where only the formula counts.
    F64,
    /// The CPU in f32, as users have it.
    F32,
    #[cfg(feature = "ndarray")]
    NdArray,
    /// Any card, or what imitates one, with fused kernels.
    #[cfg(feature = "gpu")]
    Gpu,
}

/// Every place that is compiled in.
pub const PLACES: &[Place] = &[
    Place::F64,
    Place::F32,
    #[cfg(feature = "ndarray")]
    Place::NdArray,
    #[cfg(feature = "gpu")]
    Place::Gpu,
];

/// Those that compute in f32.
pub fn single_places() -> impl Iterator<Item = Place> {
    let places = PLACES.iter().copied();
    places.filter(|place| *place != Place::F64)
}

impl Place {
    pub fn device(self) -> Device {
        match self {
            Self::F64 | Self::F32 => Device::flex(),
            #[cfg(feature = "ndarray")]
            #[expect(deprecated, reason = "it is tested as long as it is offered")]
            Self::NdArray => Device::ndarray(),
            #[cfg(feature = "gpu")]
            Self::Gpu => card(),
        }
    }

    pub fn dtype(self) -> DType {
        match self {
            Self::F64 => DType::F64,
            _ => DType::F32,
        }
    }

    /// Whether neighboring operations are compiled into one kernel.
    pub fn is_fused(self) -> bool {
        match self {
            #[cfg(feature = "gpu")]
            Self::Gpu => true,
            _ => false,
        }
    }

    /// How far a computation here may be from its twin.
    pub fn tolerance(self) -> f64 {
        match self {
            Self::F64 => 1e-10,
            Self::F32 => 1e-5,
            #[cfg(feature = "ndarray")]
            Self::NdArray => 1e-5,
            #[cfg(feature = "gpu")]
            Self::Gpu => 1e-4,
        }
    }

    pub fn tensor<const D: usize>(self, values: &[f64], shape: [usize; D]) -> Tensor<D> {
        let data = TensorData::new(values.to_vec(), shape);
        Tensor::from_data(data, (&self.device(), self.dtype()))
    }

    /// Random numbers between -1 and 1.
    pub fn draw<const D: usize>(self, shape: [usize; D], seed: u64) -> Tensor<D> {
        self.tensor(&Draw::new(seed).numbers(shape.iter().product()), shape)
    }

    pub fn mask<const D: usize>(self, values: &[bool], shape: [usize; D]) -> Tensor<D, Bool> {
        Tensor::from_data(TensorData::new(values.to_vec(), shape), &self.device())
    }
}

/// The card, which the calling thread has for itself from now on until it ends. Every test is a
/// thread; when several queue operations on one card, Burn 0.22.1 now and then loses a tensor:
/// "Should have handle for tensor".
#[cfg(feature = "gpu")]
fn card() -> Device {
    use std::sync::{Mutex, MutexGuard, PoisonError};
    static CARD: Mutex<()> = Mutex::new(());
    thread_local! {
        static MINE: MutexGuard<'static, ()> = CARD.lock().unwrap_or_else(PoisonError::into_inner);
    }
    MINE.with(|_| ());
    Device::wgpu(burn::tensor::DeviceKind::DefaultDevice)
}

pub fn numbers<const D: usize>(tensor: Tensor<D>) -> Vec<f64> {
    tensor.into_data_as::<f64>().try_into_vec().unwrap()
}

/// The largest difference, in units of the largest expected absolute value.
pub fn difference(found: &[f64], expected: &[f64]) -> f64 {
    assert_eq!(found.len(), expected.len());
    let largest = expected
        .iter()
        .fold(0.0_f64, |largest, x| largest.max(x.abs()));
    assert!(largest > 0.0, "nothing to compare with");
    let finite = found.iter().chain(expected).all(|x| x.is_finite());
    assert!(finite, "not finite: {found:?} instead of {expected:?}");
    let errors = found.iter().zip(expected).map(|(a, b)| (a - b).abs());
    errors.fold(0.0, f64::max) / largest
}

/// How property tests run: the same cases in every run, so that a failure can be repeated.
pub fn properties(cases: u32) -> ProptestConfig {
    ProptestConfig {
        cases,
        rng_seed: RngSeed::Fixed(0),
        failure_persistence: None,
        ..ProptestConfig::default()
    }
}

/// Runs a model of one scalar under a rule set and gives the relevance at `probes`.
pub fn explain(
    rules: &RuleSet,
    registry: &Registry,
    probes: &[&str],
    model: impl Fn(&mut Pass) -> Tensor<1>,
) -> Relevance {
    let mut trace = Pass::trace();
    model(&mut trace);
    let bound = rules.bind(&trace.into_sites(), registry).unwrap();
    let pass = Pass::new(&bound);
    let mut pass = probes
        .iter()
        .fold(pass, |pass, site| pass.with_probe(*site));
    let target = model(&mut pass);
    pass.backward(target)
}

/// Runs a model under a preset; see [`explain`].
pub fn explain_by(
    preset: &str,
    probes: &[&str],
    model: impl Fn(&mut Pass) -> Tensor<1>,
) -> Relevance {
    explain(
        &RuleSet::preset(preset).unwrap(),
        &Registry::default(),
        probes,
        model,
    )
}

/// Attention of several texts and heads: `asking` looks at `x`, whose vectors are the values too.
///
/// q_ij = scale (x_i K) . (asking_j Q),  p_j = softmax(q_j),  y_j = sum_i p_ij x_i.
pub struct Head {
    pub batch: usize,
    pub heads: usize,
    pub queries: usize,
    pub keys: usize,
    pub features: usize,
    pub scale: f64,
    /// `[batch, head, key, feature]`.
    pub x: Vec<f64>,
    /// `[batch, head, query, feature]`.
    pub asking: Vec<f64>,
    /// K and Q, `[batch, head, feature, feature]`.
    pub projections: [Vec<f64>; 2],
    /// `[batch, query, key]`.
    pub hidden: Option<Vec<bool>>,
    /// The target is the sum of y times this, `[batch, head, query, feature]`.
    pub upstream: Vec<f64>,
}

/// Which keys a head does not look at.
#[derive(Clone, Copy, Debug)]
pub enum Hide {
    Nothing,
    /// The same keys for every query of a text, as padding is hidden.
    PerText,
    /// Other keys for every query.
    PerQuery,
}

impl Head {
    /// `sizes`: batch, heads, queries, keys, features.
    pub fn draw(sizes: [usize; 5], hide: Hide, seed: u64) -> Self {
        let [batch, heads, queries, keys, features] = sizes;
        let mut draw = Draw::new(seed);
        let hidden = match hide {
            Hide::Nothing => None,
            Hide::PerText => {
                let rows: Vec<_> = (0..batch).map(|_| hidden_keys(keys, &mut draw)).collect();
                let rows = rows
                    .iter()
                    .flat_map(|row| std::iter::repeat_n(row.clone(), queries));
                Some(rows.flatten().collect())
            }
            Hide::PerQuery => Some(
                (0..batch * queries)
                    .flat_map(|_| hidden_keys(keys, &mut draw))
                    .collect(),
            ),
        };
        let groups = batch * heads;
        Self {
            batch,
            heads,
            queries,
            keys,
            features,
            // Scores far enough apart that weights differ, not so far that one key takes all.
            scale: 2.0 / (features as f64).sqrt(),
            x: draw.numbers(groups * keys * features),
            asking: draw.numbers(groups * queries * features),
            projections: [(), ()].map(|()| draw.numbers(groups * features * features)),
            hidden,
            upstream: draw.numbers(groups * queries * features),
        }
    }

    pub fn forward(&self, place: Place, pass: &mut Pass) -> Tensor<1> {
        let Self {
            batch,
            heads,
            queries,
            keys,
            features,
            ..
        } = *self;
        let sequence =
            |values: &[f64], length| place.tensor::<4>(values, [batch, heads, length, features]);
        let hidden = self.hidden.as_ref();
        let hidden = hidden.map(|hidden| place.mask(hidden, [batch, 1, queries, keys]));
        let x = pass.signal("x", sequence(&self.x, keys));
        let asking = pass.signal("asking", sequence(&self.asking, queries));
        let [to_key, to_query] = &self.projections;
        let key = pass.signal("key", x.clone().matmul(sequence(to_key, features)));
        let query = pass.signal("query", asking.matmul(sequence(to_query, features)));
        let scores = AttentionScores { scale: self.scale };
        let scores = pass.apply("scores", &scores, (query, key));
        let weights = pass.apply(
            "weights",
            &AttentionWeights {
                hidden,
                sinks: None,
            },
            scores,
        );
        let value = pass.signal("value", x);
        let y = pass.apply("mix", &AttentionMix, (weights, value));
        (y * sequence(&self.upstream, queries)).sum()
    }
}

/// Hides about half of the keys, and never all.
fn hidden_keys(keys: usize, draw: &mut Draw) -> Vec<bool> {
    let seen = draw.below(keys);
    (0..keys)
        .map(|key| draw.number() < 0.0 && key != seen)
        .collect()
}

/// A norm of several rows of features.
pub struct NormCase {
    pub rows: usize,
    pub features: usize,
    pub scale: NormScale,
    /// `[row, feature]`.
    pub x: Vec<f64>,
    pub gamma: Option<Vec<f64>>,
    pub beta: Option<Vec<f64>>,
    /// The target is the sum of y times this, `[row, feature]`.
    pub upstream: Vec<f64>,
}

impl NormCase {
    /// Rows of at least two features, without gamma and beta. No centered feature is near zero:
    /// deviations come in pairs d, -d with |d| at least 1/4, and in one triple d, d', -d-d' of
    /// equal signs if the number of features is odd, so that their mean is zero and centering
    /// leaves them as they are; then each row is moved as a whole.
    pub fn draw(rows: usize, features: usize, scale: NormScale, seed: u64) -> Self {
        let mut draw = Draw::new(seed);
        let mut x = Vec::with_capacity(rows * features);
        for _ in 0..rows {
            let mut deviation = |sign: f64| exact(sign * (0.25 + draw.number().abs()));
            let mut row = Vec::with_capacity(features);
            if !features.is_multiple_of(2) {
                let [a, b] = [deviation(1.0), deviation(1.0)];
                row.extend([a, b, -a - b]);
            }
            while row.len() < features {
                let d = deviation(1.0);
                row.extend([d, -d]);
            }
            for last in (1..features).rev() {
                row.swap(last, draw.below(last + 1));
            }
            let offset = 2.0 * draw.number();
            x.extend(row.into_iter().map(|d| exact(d + offset)));
        }
        let upstream = draw.numbers(rows * features);
        Self {
            rows,
            features,
            scale,
            x,
            gamma: None,
            beta: None,
            upstream,
        }
    }

    pub fn with_affine(mut self, gamma: bool, beta: bool, seed: u64) -> Self {
        let mut draw = Draw::new(seed ^ 0xAFF);
        let mut parameter = |wanted: bool| wanted.then(|| draw.numbers(self.features));
        // Factors of both signs, none near zero.
        self.gamma = parameter(gamma).map(|g| g.iter().map(|g| exact(g + g.signum())).collect());
        self.beta = parameter(beta);
        self
    }

    /// The rows stand as `[2, rows / 2, feature]` where that is possible.
    fn shape(&self) -> [usize; 3] {
        let batch = if self.rows.is_multiple_of(2) { 2 } else { 1 };
        [batch, self.rows / batch, self.features]
    }

    pub fn forward(&self, place: Place, pass: &mut Pass) -> Tensor<1> {
        let parameter = |values: &Option<Vec<f64>>| {
            values
                .as_ref()
                .map(|values| place.tensor(values, [self.features]))
        };
        let norm = Norm {
            scale: self.scale,
            gamma: parameter(&self.gamma),
            beta: parameter(&self.beta),
        };
        let x = pass.signal("x", place.tensor(&self.x, self.shape()));
        let y = pass.apply("norm", &norm, x);
        (y * place.tensor(&self.upstream, self.shape())).sum()
    }
}
