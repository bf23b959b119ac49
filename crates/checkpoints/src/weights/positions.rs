//! Positions of patches for pictures of another size than those that the table was made for: the table is a grid, which
//! is interpolated to the new one, as transformers does before it runs the model.

use std::collections::BTreeMap;

use burn::tensor::{Bytes, DType};
use relprop_transformer::{InputConfig, TransformerConfig};

use super::stored::Stored;
use crate::Family;

/// How a grid of positions is interpolated by cubes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Interpolation {
    /// From the four nearest rows and columns: DINOv2.
    Nearest,
    /// From all rows and columns under a new one: DINOv2 with registers.
    Smoothed,
}

impl Interpolation {
    /// That of models of a family, if transformers interpolates its positions.
    pub(crate) fn of(family: &Family) -> Option<Self> {
        match family.name {
            "dinov2" => Some(Self::Nearest),
            "dinov2_with_registers" => Some(Self::Smoothed),
            _ => None,
        }
    }

    /// Makes the model one for pictures of the height and width `size`.
    pub(crate) fn resize(
        self,
        config: &mut TransformerConfig,
        family: &Family,
        stored: &mut BTreeMap<String, Stored>,
        size: [usize; 2],
    ) {
        let InputConfig::Patches(patches) = &mut config.input else {
            return;
        };
        let before = (patches.grid(), patches.places());
        patches.picture = size;
        let (from, to) = (before.0, patches.grid());
        config.positions = patches.positions();
        let base = family.base_in(stored.keys().map(String::as_str));
        let name = family.tensor_name("embeddings.position", base);
        let [height, width] = size;
        // transformers leaves the table as it is for a square picture of as many patches.
        if height == width && from == to {
            return;
        }
        if let Some(table) = stored.get_mut(&name)
            && let [1, rows, features] = table.shape[..]
            && rows == before.1
            && let Ok(dtype) = table.dtype
            && to.iter().all(|side| *side > 0)
        {
            let (one, rows) = (before.1 - from[0] * from[1], to[0] * to[1]);
            table.shape[1] = one + rows;
            let shape = table.shape.clone();
            let old = std::mem::replace(
                table,
                Stored::new(DType::F32, shape, Box::new(|| unreachable!())),
            );
            let wide = dtype == DType::F64;
            let read = move || {
                let numbers = old.floats()?;
                let (first, grid) = numbers.split_at(one * features);
                let grid = self.grid(grid, from, to, features);
                let all = first.iter().copied().chain(grid);
                Ok(match wide {
                    true => Bytes::from_elems(all.collect::<Vec<f64>>()),
                    #[expect(
                        clippy::cast_possible_truncation,
                        reason = "weights are rounded to f32"
                    )]
                    false => {
                        Bytes::from_elems(all.map(|number| number as f32).collect::<Vec<f32>>())
                    }
                })
            };
            table.dtype = Ok(if wide { DType::F64 } else { DType::F32 });
            table.read = Box::new(read);
        }
    }

    /// The grid `[row, column, feature]` with other numbers of rows and columns.
    fn grid(self, old: &[f64], from: [usize; 2], to: [usize; 2], features: usize) -> Vec<f64> {
        let [rows, columns] = [0, 1].map(|axis| {
            let new = 0..to[axis];
            let taps = new.map(|index| self.taps(index, from[axis], to[axis]));
            taps.collect::<Vec<_>>()
        });
        let mut new = vec![0.0; to[0] * to[1] * features];
        for (index, sums) in new.chunks_mut(features.max(1)).enumerate() {
            for (row, of_row) in &rows[index / to[1]] {
                for (column, of_column) in &columns[index % to[1]] {
                    let start = (row * from[1] + column) * features;
                    let numbers = &old[start..start + features];
                    let weight = of_row * of_column;
                    sums.iter_mut()
                        .zip(numbers)
                        .for_each(|(sum, number)| *sum += weight * number);
                }
            }
        }
        new
    }

    /// The old rows that make the new one at `index`, each with its weight.
    fn taps(self, index: usize, from: usize, to: usize) -> Vec<(usize, f64)> {
        let scale = from as f64 / to as f64;
        let center = scale * (index as f64 + 0.5);
        match self {
            Self::Nearest => {
                let place = center - 0.5;
                let taps = (-1..=2).map(|step| {
                    let row = place.floor() as i64 + step;
                    let weight = cube(place - row as f64, -0.75);
                    (row.clamp(0, from as i64 - 1) as usize, weight)
                });
                taps.collect()
            }
            Self::Smoothed => {
                let wide = scale.max(1.0);
                let first = (center - 2.0 * wide + 0.5).max(0.0) as usize;
                let end = ((center + 2.0 * wide + 0.5) as usize).min(from);
                let taps =
                    (first..end).map(|row| (row, cube((row as f64 - center + 0.5) / wide, -0.5)));
                let mut taps: Vec<_> = taps.collect();
                let sum: f64 = taps.iter().map(|(_, weight)| weight).sum();
                taps.iter_mut().for_each(|(_, weight)| *weight /= sum);
                taps
            }
        }
    }
}

/// The cubic kernel of Keys (1981) at the distance x, with the slope a at 1.
fn cube(x: f64, a: f64) -> f64 {
    let x = x.abs();
    match x {
        ..=1.0 => ((a + 2.0) * x - (a + 3.0)) * x * x + 1.0,
        ..2.0 => ((a * x - 5.0 * a) * x + 8.0 * a) * x - 4.0 * a,
        _ => 0.0,
    }
}
