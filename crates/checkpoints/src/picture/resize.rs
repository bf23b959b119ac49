//! Pictures in another size, to the last bit as Pillow makes them.

use std::f64::consts::PI;

/// The size that a picture is resized to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Resize {
    /// This height and width, whatever the picture's shape.
    To([usize; 2]),
    /// The shorter side to this size, and the longer one in proportion, rounded down.
    Shorter(usize),
}

impl Resize {
    /// The height and width that a picture of these `sides` gets.
    pub(super) fn of(self, sides: [usize; 2]) -> [usize; 2] {
        match self {
            Self::To(size) => size,
            Self::Shorter(size) => {
                let shorter = sides[0].min(sides[1]).max(1);
                sides.map(|side| size * side / shorter)
            }
        }
    }

    /// The height and width that every picture has at least.
    pub(super) fn least(self) -> [usize; 2] {
        match self {
            Self::To(size) => size,
            Self::Shorter(size) => [size; 2],
        }
    }
}

/// How new pixels are interpolated from old ones. All but `Nearest` weigh all old pixels under a new one, by the distance from
/// its center.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "these are their names")]
pub enum Filter {
    Nearest,
    Lanczos,
    Bilinear,
    Bicubic,
    Box,
    Hamming,
}

impl Filter {
    /// In the order of Pillow's numbers for them.
    pub(super) const ALL: [Self; 6] = [
        Self::Nearest,
        Self::Lanczos,
        Self::Bilinear,
        Self::Bicubic,
        Self::Box,
        Self::Hamming,
    ];

    /// The distance at which weights end, in pixels.
    fn reach(self) -> f64 {
        match self {
            Self::Nearest | Self::Box => 0.5,
            Self::Bilinear | Self::Hamming => 1.0,
            Self::Bicubic => 2.0,
            Self::Lanczos => 3.0,
        }
    }

    /// The weight at the distance `x` within reach, in pixels.
    fn weight(self, x: f64) -> f64 {
        let away = x.abs();
        match self {
            // A pixel on the border of two boxes is in one of them.
            Self::Nearest | Self::Box if -0.5 < x && x <= 0.5 => 1.0,
            Self::Bilinear if away < 1.0 => 1.0 - away,
            Self::Hamming if away < 1.0 => sinc(away) * (0.54 + 0.46 * (PI * away).cos()),
            // Catmull and Rom's, whose slope at 1 is -1/2.
            Self::Bicubic if away < 1.0 => (1.5 * away - 2.5) * away * away + 1.0,
            Self::Bicubic if away < 2.0 => (((away - 5.0) * away + 8.0) * away - 4.0) * -0.5,
            Self::Lanczos if (-3.0..3.0).contains(&x) => sinc(x) * sinc(x / 3.0),
            _ => 0.0,
        }
    }
}

fn sinc(x: f64) -> f64 {
    match x {
        0.0 => 1.0,
        _ => (PI * x).sin() / (PI * x),
    }
}

/// Weights are whole numbers of this many binary places: 8 bits of a level and the sign of a sum stay free in 32.
const PLACES: u32 = 22;

/// What a new row or column is made of.
struct Taps {
    /// The first old one.
    first: usize,
    /// The weight of it and of those that follow.
    weights: Vec<i32>,
}

impl Taps {
    /// Of each of `to` new rows or columns that are made of `from` old ones.
    fn all(filter: Filter, from: usize, to: usize) -> Vec<Self> {
        let scale = from as f64 / to as f64;
        // A filter is never narrower than old pixels are.
        let wide = scale.max(1.0);
        let reach = filter.reach() * wide;
        let new = 0..to;
        let taps = new.map(|index| {
            let center = (index as f64 + 0.5) * scale;
            let first = (center - reach + 0.5).max(0.0) as usize;
            let end = ((center + reach + 0.5) as usize).min(from);
            let near = (first..end).map(|old| {
                let x = (old as f64 - center + 0.5) * (1.0 / wide);
                filter.weight(x)
            });
            let weights: Vec<f64> = near.collect();
            let sum: f64 = weights.iter().sum();
            let sum = if sum == 0.0 { 1.0 } else { sum };
            let one = f64::from(1 << PLACES);
            // Halves are rounded away from zero.
            let weights = weights.iter();
            let weights = weights.map(|weight| (weight / sum * one).round() as i32);
            Self {
                first,
                weights: weights.collect(),
            }
        });
        taps.collect()
    }
}

/// A level from a sum of weighted levels, to which a half was added.
fn level(sum: i32) -> u8 {
    (sum >> PLACES).clamp(0, 255) as u8
}

const HALF: i32 = 1 << (PLACES - 1);

/// `bytes`, `[y, x, channel]`, in another size: each row first, then each column, with levels rounded in between.
pub(super) fn resize(
    bytes: Vec<u8>,
    from: [usize; 2],
    to: [usize; 2],
    filter: Filter,
    channels: usize,
) -> Vec<u8> {
    if from == to {
        return bytes;
    }
    if filter == Filter::Nearest {
        return nearest(&bytes, from, to, channels);
    }
    let bytes = match from[1] == to[1] {
        true => bytes,
        false => match channels {
            1 => rows::<1>(&bytes, filter, from[1], to[1]),
            _ => rows::<3>(&bytes, filter, from[1], to[1]),
        },
    };
    match from[0] == to[0] {
        true => bytes,
        false => columns(&bytes, filter, from[0], to[0]),
    }
}

/// Rows of another length.
fn rows<const CHANNELS: usize>(bytes: &[u8], filter: Filter, from: usize, to: usize) -> Vec<u8> {
    let taps = Taps::all(filter, from, to);
    let old = bytes.chunks_exact(from * CHANNELS);
    let mut new = Vec::with_capacity(old.len() * to * CHANNELS);
    for row in old {
        for Taps { first, weights } in &taps {
            let mut sums = [HALF; CHANNELS];
            let pixels = row[first * CHANNELS..].chunks_exact(CHANNELS);
            for (pixel, weight) in pixels.zip(weights) {
                for (sum, byte) in sums.iter_mut().zip(pixel) {
                    *sum += weight * i32::from(*byte);
                }
            }
            new.extend(sums.map(level));
        }
    }
    new
}

/// Another number of rows.
fn columns(bytes: &[u8], filter: Filter, from: usize, to: usize) -> Vec<u8> {
    let length = bytes.len() / from;
    let mut new = Vec::with_capacity(length * to);
    for Taps { first, weights } in Taps::all(filter, from, to) {
        let mut sums = vec![HALF; length];
        for (row, weight) in bytes[first * length..].chunks_exact(length).zip(weights) {
            for (sum, byte) in sums.iter_mut().zip(row) {
                *sum += weight * i32::from(*byte);
            }
        }
        new.extend(sums.into_iter().map(level));
    }
    new
}

/// The old pixel at the center of each new one.
fn nearest(bytes: &[u8], from: [usize; 2], to: [usize; 2], channels: usize) -> Vec<u8> {
    let [rows, columns] = [0, 1].map(|axis| {
        let step = from[axis] as f64 / to[axis] as f64;
        // The places are summed up, as Pillow does: it decides which of two pixels is nearest to a place between them.
        let places = std::iter::successors(Some(step * 0.5), |place| Some(place + step));
        let places = places.map(|place| (place as usize).min(from[axis] - 1));
        places.take(to[axis]).collect::<Vec<_>>()
    });
    let mut new = Vec::with_capacity(to[0] * to[1] * channels);
    for row in &rows {
        for column in &columns {
            let start = (row * from[1] + column) * channels;
            new.extend(&bytes[start..start + channels]);
        }
    }
    new
}
