//! Windows on the grid of tokens, and what makes one token of four: Swin (Liu et al. 2021).

use burn::module::Module;
use burn::nn::Linear;
use burn::tensor::{Bool, Device, Int, Tensor, TensorData};
use relprop_rules::{
    Pass,
    operations::{Linear as LinearMap, NormScale},
};

use super::layer_norm::LayerNorm;
use super::linear::linear;
use crate::config::Stage;
use crate::{NormConfig, TransformerConfig};

/// How the tokens of pictures are sorted into windows. Beside the grid, windows have tokens of zeros.
#[derive(Clone, Debug)]
pub(super) struct Windows {
    /// The token in each place of each window, `[window x place]`; the number after the last token for one of zeros.
    tokens: Tensor<1, Int>,
    /// The place of each token, `[token]`.
    places: Tensor<1, Int>,
    /// How many places a window has.
    size: usize,
    /// Whether there are tokens of zeros.
    padded: bool,
}

impl Windows {
    /// Those of a block, and which pairs of places do not see each other, `[window, 1, 1 or query, key]`.
    pub(super) fn new(stage: Stage, window: usize, device: &Device) -> (Self, Tensor<4, Bool>) {
        let Stage {
            grid: [rows, columns],
            shift,
            ..
        } = stage;
        let [height, width] = [rows, columns].map(|side| side.next_multiple_of(window));
        let (mut tokens, mut parts) = (Vec::new(), Vec::new());
        let mut places = vec![0; rows * columns];
        // Windows are moved: their first row is `shift` rows below the first, and the last rows of the last ones are
        // the first rows of the grid, which are no neighbors of the others and do not see them.
        let part = |place: usize, side: usize| usize::from(shift > 0 && place >= side - shift);
        for top in (0..height).step_by(window) {
            for left in (0..width).step_by(window) {
                for y in top..top + window {
                    for x in left..left + window {
                        let (row, column) = ((y + shift) % height, (x + shift) % width);
                        let token = match row < rows && column < columns {
                            true => row * columns + column,
                            false => rows * columns,
                        };
                        if let Some(place) = places.get_mut(token) {
                            *place = tokens.len() as i64;
                        }
                        tokens.push(token as i64);
                        parts.push(2 * part(y, height) + part(x, width));
                    }
                }
            }
        }
        let size = window * window;
        let count = parts.len() / size;
        let apart = |parts: &[usize]| -> Vec<bool> {
            let pairs = parts
                .iter()
                .flat_map(|query| parts.iter().map(move |key| query != key));
            pairs.collect()
        };
        let (hidden, queries) = match shift {
            0 => (vec![false; count * size], 1),
            _ => (parts.chunks(size).flat_map(apart).collect(), size),
        };
        let hidden = Tensor::from_data(TensorData::new(hidden, [count, 1, queries, size]), device);
        let padded = tokens.len() > rows * columns;
        let list = |numbers: Vec<i64>| {
            let shape = [numbers.len()];
            Tensor::from_data(TensorData::new(numbers, shape), device)
        };
        let windows = Self {
            tokens: list(tokens),
            places: list(places),
            size,
            padded,
        };
        (windows, hidden)
    }

    /// `[batch, token, feature]` to `[batch x window, place, feature]`.
    pub(super) fn cut(&self, x: Tensor<3>) -> Tensor<3> {
        let [pictures, _, features] = x.dims();
        let x = match self.padded {
            false => x,
            true => {
                let options = (&x.device().without_autodiff(), x.dtype());
                let zeros = Tensor::zeros([pictures, 1, features], options);
                Tensor::cat(vec![x, zeros], 1)
            }
        };
        let x = x.select(1, self.tokens.clone());
        let windows = self.tokens.dims()[0] / self.size;
        x.reshape([pictures * windows, self.size, features])
    }

    /// The other way round.
    pub(super) fn join(&self, x: Tensor<3>) -> Tensor<3> {
        let [windows, size, features] = x.dims();
        let all = self.tokens.dims()[0];
        let x = x.reshape([windows * size / all, all, features]);
        x.select(1, self.places.clone())
    }

    /// Which places do not see each other, in each window of each of so many pictures.
    pub(super) fn of_pictures(hidden: Tensor<4, Bool>, pictures: usize) -> Tensor<4, Bool> {
        let [count, _, query, key] = hidden.dims();
        hidden
            .unsqueeze_dim::<5>(0)
            .expand([pictures, count, 1, query, key])
            .reshape([pictures * count, 1, query, key])
    }
}

/// Makes one token of four neighbors: their features side by side, a norm, and a linear map to twice the width.
#[derive(Module, Debug)]
pub(super) struct Merging {
    norm: LayerNorm,
    reduction: Linear,
    #[module(skip)]
    rows: usize,
    #[module(skip)]
    columns: usize,
}

impl Merging {
    /// What stands after block `index`, if something does.
    pub(super) fn new(config: &TransformerConfig, index: usize, device: &Device) -> Option<Self> {
        let stage = config.stage(index).filter(|stage| stage.merges)?;
        let width = config.at_block(index).width;
        let norm = NormConfig {
            scale: NormScale::InsideRoot(1e-5),
            ..config.norm
        };
        let [rows, columns] = stage.grid;
        Some(Self {
            norm: LayerNorm::new(&norm, 4 * width, device),
            reduction: linear(
                4 * width,
                2 * width,
                config.initializer_range,
                false,
                device,
            ),
            rows,
            columns,
        })
    }

    /// `[batch, token, feature]` to a quarter of the tokens with twice the features. Tokens beyond the lower and the
    /// right edge are zeros.
    pub(super) fn forward(&self, x: Tensor<3>, pass: &mut Pass) -> Tensor<3> {
        let [pictures, tokens, features] = x.dims();
        let options = (&x.device().without_autodiff(), x.dtype());
        let zeros = Tensor::zeros([pictures, 1, features], options);
        let x = Tensor::cat(vec![x, zeros], 1);
        // The order of the four: down before right.
        let four = |row: usize, column: usize| {
            let corners = [(0, 0), (1, 0), (0, 1), (1, 1)];
            corners.map(|(down, right)| {
                let (row, column) = (row + down, column + right);
                let inside = row < self.rows && column < self.columns;
                (if inside {
                    row * self.columns + column
                } else {
                    tokens
                }) as i64
            })
        };
        let rows = (0..self.rows).step_by(2);
        let order: Vec<i64> = rows
            .flat_map(|row| {
                (0..self.columns)
                    .step_by(2)
                    .flat_map(move |column| four(row, column))
            })
            .collect();
        let count = order.len();
        let order = Tensor::<1, Int>::from_data(
            TensorData::new(order, [count]),
            &x.device().without_autodiff(),
        );
        let x = x
            .select(1, order)
            .reshape([pictures, count / 4, 4 * features]);
        let x = pass.apply("norm", &self.norm.operation(), x);
        pass.apply("reduction", &LinearMap::from(&self.reduction), x)
    }
}
