//! What an adapter of the kind of LoRA does to tensors: it adds a product of two narrow matrices, or puts
//! another tensor in the place.

use std::collections::{BTreeMap, BTreeSet};
use std::io;

use burn::tensor::{Bytes, DType, bf16, f16};

use super::stored::Stored;
use crate::files::File;

/// The changes of a model's tensors, by the names that these have in the model's files.
#[derive(Default)]
pub(crate) struct Changes {
    pub(crate) added: BTreeMap<String, Product>,
    /// The tensors that were put in the place of others.
    pub(crate) replaced: BTreeSet<String>,
    /// The files that the changes are read from.
    pub(crate) files: Vec<File>,
}

/// `scale * b a`, where `a` is `[rank, inputs]` and `b` is `[outputs, rank]`.
pub(crate) struct Product {
    pub(crate) a: Stored,
    pub(crate) b: Stored,
    pub(crate) scale: f64,
}

impl Changes {
    /// What of the changes has no place in the model, whose tensors have these names.
    pub(super) fn left_over(&self, names: &BTreeSet<&str>) -> Vec<String> {
        let changed = self.added.keys().chain(&self.replaced);
        changed
            .filter(|name| !names.contains(name.as_str()))
            .map(|name| {
                format!("{name} is changed by the adapter and belongs to no part of the model")
            })
            .collect()
    }
}

impl Product {
    /// Adds the product to a tensor of the file, `[outputs, inputs]` if it is `turned` and otherwise the other
    /// way round.
    pub(super) fn on(self, base: Stored, turned: bool) -> Result<Stored, String> {
        let Self { a, b, scale } = self;
        let (&[rank, inputs], &[outputs, also]) = (&a.shape[..], &b.shape[..]) else {
            return Err("the adapter's two parts are no matrices".to_owned());
        };
        let expected = match turned {
            true => [outputs, inputs],
            false => [inputs, outputs],
        };
        if rank != also || base.shape != expected {
            return Err(format!(
                "the adapter's parts have the shapes {:?} and {:?}, which do not go with {:?}",
                a.shape, b.shape, base.shape
            ));
        }
        for part in [&a, &b] {
            if let Err(dtype) = &part.dtype {
                return Err(format!("the adapter holds {dtype}, which is no float"));
            }
        }
        let Ok(dtype) = base.dtype else {
            return Ok(base);
        };
        let wide = dtype == DType::F64;
        let shape = base.shape.clone();
        let read = move || {
            let [a, b] = [a.floats()?, b.floats()?];
            // The left factor has the rows of the tensor, the right one its columns.
            let (left, right) = match turned {
                true => (b, a),
                false => (transposed(&a, rank), transposed(&b, outputs)),
            };
            let bytes = (base.read)()?;
            let columns = expected[1].max(1);
            let mut sums: Vec<f64> = Vec::new();
            let mut row = |row: usize, numbers: &mut dyn Iterator<Item = f64>| {
                sums.clear();
                sums.extend(numbers);
                for (index, factor) in left[row * rank..(row + 1) * rank].iter().enumerate() {
                    let factor = factor * scale;
                    let of_right = &right[index * columns..(index + 1) * columns];
                    sums.iter_mut()
                        .zip(of_right)
                        .for_each(|(sum, number)| *sum += factor * number);
                }
                sums.clone()
            };
            let width = columns * dtype.size();
            let rows = bytes.chunks_exact(width).enumerate();
            let mut rows = rows.flat_map(|(at, bytes)| row(at, &mut numbers(bytes, dtype)));
            Ok(match wide {
                true => Bytes::from_elems(rows.collect::<Vec<f64>>()),
                #[expect(
                    clippy::cast_possible_truncation,
                    reason = "weights are rounded to f32"
                )]
                false => {
                    let mut narrow = Vec::with_capacity(expected[0] * expected[1]);
                    narrow.extend(rows.by_ref().map(|number| number as f32));
                    Bytes::from_elems(narrow)
                }
            })
        };
        Ok(Stored {
            dtype: Ok(if wide { DType::F64 } else { DType::F32 }),
            shape,
            read: Box::new(read),
        })
    }
}

impl Stored {
    /// All numbers of a tensor of floats.
    pub(crate) fn floats(&self) -> io::Result<Vec<f64>> {
        let bytes = (self.read)()?;
        let dtype = self.dtype.as_ref().copied().unwrap_or(DType::F32);
        Ok(numbers(&bytes, dtype).collect())
    }
}

/// The numbers that bytes of this type of float stand for.
pub(crate) fn numbers(bytes: &[u8], dtype: DType) -> Box<dyn Iterator<Item = f64> + '_> {
    match dtype {
        DType::F64 => Box::new(bytes.as_chunks().0.iter().map(|b| f64::from_le_bytes(*b))),
        DType::F32 => {
            let numbers = bytes.as_chunks().0.iter();
            Box::new(numbers.map(|b| f64::from(f32::from_le_bytes(*b))))
        }
        DType::F16 => Box::new(
            bytes
                .as_chunks()
                .0
                .iter()
                .map(|b| f16::from_le_bytes(*b).to_f64()),
        ),
        _ => Box::new(
            bytes
                .as_chunks()
                .0
                .iter()
                .map(|b| bf16::from_le_bytes(*b).to_f64()),
        ),
    }
}

/// A matrix of so many rows, with its columns as rows.
fn transposed(numbers: &[f64], rows: usize) -> Vec<f64> {
    let columns = numbers.len() / rows.max(1);
    let column = |column: usize| (0..rows).map(move |row| numbers[row * columns + column]);
    (0..columns).flat_map(column).collect()
}
