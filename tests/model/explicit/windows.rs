//! Windows and stages in the walk. Attention is that of all tokens of a grid at once, of which those in other windows are
//! hidden; nothing is sorted into windows.

use burn::tensor::{Device, Int, Tensor, TensorData};
use relprop_rules::operations::NormScale;
use relprop_transformer::{NormConfig, TransformerConfig};

use super::network::{Back, Network};

/// The grid of tokens that a block sees, with the rows and columns of zeros that fill the last windows.
#[derive(Clone, Copy)]
pub struct Place {
    grid: [usize; 2],
    filled: [usize; 2],
    window: usize,
    shift: usize,
    stage: usize,
    merges: bool,
}

impl Place {
    pub fn of(config: &TransformerConfig, block: usize) -> Option<Self> {
        let stages = config.stages.as_ref()?;
        let window = stages.window;
        let mut grid = config.patches()?.grid();
        let mut index = block;
        for (stage, blocks) in stages.blocks.iter().enumerate() {
            if index >= *blocks {
                index -= blocks;
                grid = grid.map(|side| side.div_ceil(2));
                continue;
            }
            let odd = index % 2 == 1 && grid[0].min(grid[1]) > window;
            return Some(Self {
                grid,
                filled: grid.map(|side| side.div_ceil(window) * window),
                window,
                shift: if odd { window / 2 } else { 0 },
                stage,
                merges: index + 1 == *blocks && stage + 1 < stages.blocks.len(),
            });
        }
        None
    }

    /// Where a token of the filled grid stands once the grid is moved.
    fn moved(&self, token: usize) -> [usize; 2] {
        let [height, width] = self.filled;
        let (row, column) = (token / width, token % width);
        [
            (row + height - self.shift) % height,
            (column + width - self.shift) % width,
        ]
    }

    /// Whether two tokens are in one window, and were neighbors before the grid was moved.
    pub fn sees(&self, query: usize, key: usize) -> bool {
        let (query, key) = (self.moved(query), self.moved(key));
        let side = self.window;
        (0..2).all(|axis| {
            let edge = self.filled[axis] - self.shift;
            query[axis] / side == key[axis] / side && (query[axis] >= edge) == (key[axis] >= edge)
        })
    }

    /// The row of the table for two tokens of one window.
    pub fn row(&self, query: usize, key: usize) -> usize {
        let side = self.window;
        let [query, key] = [query, key].map(|token| self.moved(token).map(|place| place % side));
        let [down, right] = [0, 1].map(|axis| side - 1 + query[axis] - key[axis]);
        down * (2 * side - 1) + right
    }

    /// The configuration with the sizes of its stage.
    pub fn own(&self, config: &TransformerConfig) -> TransformerConfig {
        let mut own = config.clone();
        own.width = config.width << self.stage;
        own.heads = config.stages.as_ref().unwrap().heads[self.stage];
        own
    }
}

/// The tokens at these places, and zeros where there is none; the way back takes each token's own.
fn placed<'a>(x: Tensor<3>, order: Vec<Option<usize>>) -> (Tensor<3>, Back<'a>) {
    let [_, tokens, width] = x.dims();
    let list = |numbers: Vec<i64>| {
        let shape = [numbers.len()];
        Tensor::<1, Int>::from_data(TensorData::new(numbers, shape), &Device::flex())
    };
    let with_zeros = move |x: Tensor<3>| {
        let zeros = Tensor::zeros([1, 1, width], (&x.device(), x.dtype()));
        Tensor::cat(vec![x, zeros], 1)
    };
    let forward = order
        .iter()
        .map(|token| token.unwrap_or(tokens) as i64)
        .collect();
    let places = (0..tokens).map(|token| {
        let place = order.iter().position(|at| *at == Some(token));
        place.unwrap_or(order.len()) as i64
    });
    let places = list(places.collect());
    let y = with_zeros(x).select(1, list(forward));
    (y, Box::new(move |r| with_zeros(r).select(1, places)))
}

impl Network<'_> {
    /// Attention, on the filled grid where there are windows.
    pub(super) fn attention_in_windows(&self, block: usize, x: Tensor<3>) -> (Tensor<3>, Back<'_>) {
        let Some(place) = Place::of(self.config, block) else {
            return self.attention(block, x);
        };
        let ([rows, columns], [height, width]) = (place.grid, place.filled);
        let fill = (0..height * width).map(|token| {
            let (row, column) = (token / width, token % width);
            (row < rows && column < columns).then_some(row * columns + column)
        });
        let cut = (0..rows * columns).map(|token| Some(token / columns * width + token % columns));
        let (x, fill_back) = placed(x, fill.collect());
        let (y, back) = self.attention(block, x);
        let (y, cut_back) = placed(y, cut.collect());
        (y, Box::new(|r| fill_back(back(cut_back(r)))))
    }

    /// A block with the sizes of its stage, and the four tokens that become one after it.
    pub(super) fn staged(&self, block: usize, x: Tensor<3>) -> (Tensor<3>, Back<'_>) {
        let Some(place) = Place::of(self.config, block) else {
            return self.block(block, x);
        };
        // For as long as the test runs.
        let own: &Network<'_> = Box::leak(Box::new(Network {
            parameters: self.parameters,
            config: Box::leak(Box::new(place.own(self.config))),
            laws: self.laws,
            stack: self.stack,
        }));
        let (x, block_back) = own.block(block, x);
        if !place.merges {
            return (x, block_back);
        }
        let [rows, columns] = place.grid;
        let corners = [(0, 0), (1, 0), (0, 1), (1, 1)];
        let mut order = Vec::new();
        for row in (0..rows).step_by(2) {
            for column in (0..columns).step_by(2) {
                order.extend(corners.map(|(down, right)| {
                    let inside = row + down < rows && column + right < columns;
                    inside.then_some((row + down) * columns + column + right)
                }));
            }
        }
        let (x, placed_back) = placed(x, order);
        let [_, count, width] = x.dims();
        let x = x.reshape([1, count / 4, 4 * width]);
        let norm = NormConfig {
            scale: NormScale::InsideRoot(1e-5),
            ..self.config.norm
        };
        let (x, norm_back) = self.norm(&format!("merging.{block}.norm"), &norm, x);
        let (y, map_back) = self.map(&format!("merging.{block}.reduction"), self.laws.maps, x);
        let back = move |r| {
            let r = norm_back(map_back(r)).reshape([1, count, width]);
            block_back(placed_back(r))
        };
        (y, Box::new(back))
    }
}
