//! A picture as a model reads it: patches, each of which is a token.

use crate::{Distillation, PatchConfig};

/// A picture as a model reads it, cut into patches.
#[derive(Clone, Debug, PartialEq)]
pub struct Picture {
    /// The numbers of all patches, `[patch, channel, y, x]`; patches are counted row by row.
    pixels: Vec<f32>,
    patches: PatchConfig,
    size: [u32; 2],
    /// Where the first patch starts, and how large a patch is, in pixels of the picture as given.
    origin: [f32; 2],
    step: [f32; 2],
    /// What stands in the place of hidden patches, `[patch, channel, y, x]`; zeros if there is nothing.
    hidden: Option<Vec<f32>>,
}

impl Picture {
    /// Cuts `values`, `[channel, y, x]`, into patches. They are a picture of the size in `patches`.
    ///
    /// # Panics
    ///
    /// If the values are too many or too few.
    pub fn cut(values: &[f32], patches: PatchConfig) -> Self {
        let [height, width] = patches.picture;
        assert_eq!(
            values.len(),
            patches.channels * height * width,
            "the picture has another size"
        );
        let [rows, columns] = patches.grid();
        let [patch_height, patch_width] = patches.patch;
        let mut pixels = Vec::with_capacity(rows * columns * patches.numbers());
        for patch in 0..rows * columns {
            let (top, left) = (
                patch / columns * patch_height,
                patch % columns * patch_width,
            );
            for channel in 0..patches.channels {
                for y in top..top + patch_height {
                    let start = (channel * height + y) * width + left;
                    pixels.extend_from_slice(&values[start..start + patch_width]);
                }
            }
        }
        Self {
            pixels,
            patches,
            size: [width as u32, height as u32],
            origin: [0.0; 2],
            step: [patch_width as f32, patch_height as f32],
            hidden: None,
        }
    }

    /// The same picture, of which hidden patches are blurred, and not zeros. The blur is Gaussian, over the patches as the model
    /// reads them, and as wide as a patch, so that of what a patch shows little more than the color of its neighborhood is left:
    ///
    /// ```text
    /// b(y, x) = sum of w v(y', x') / sum of w,   w = exp(-(y' - y)^2 / 2 h^2 - (x' - x)^2 / 2 l^2)
    /// ```
    ///
    /// over the pixels of the picture with |y' - y| <= 3 h and |x' - x| <= 3 l, for patches of height h and width l.
    #[must_use]
    pub fn blurred(self) -> Self {
        let ([rows, columns], [tall, wide]) = (self.grid(), self.patches.patch);
        let [height, width] = [rows * tall, columns * wide];
        let numbers = self.numbers();
        let mut pixels = vec![0.0_f64; self.patches.channels * height * width];
        for (index, pixel) in pixels.iter_mut().enumerate() {
            let (x, y) = (index % width, index / width % height);
            let channel = index / (width * height);
            let patch = y / tall * columns + x / wide;
            let place = (channel * tall + y % tall) * wide + x % wide;
            *pixel = self.pixels[patch * numbers + place].into();
        }
        // The weights are products of a row's and a column's.
        let pixels = smoothed(&pixels, width, 1, wide);
        let pixels = smoothed(&pixels, height, width, tall);
        let pixels: Vec<f32> = pixels.into_iter().map(|pixel| pixel as f32).collect();
        let patches = PatchConfig {
            picture: [height, width],
            ..self.patches
        };
        let hidden = Some(Self::cut(&pixels, patches).pixels);
        Self { hidden, ..self }
    }

    /// The same picture, placed in the one that was given, whose width and height are `size`.
    /// `origin` is x and y of the first patch there, and `step` the width and height of a patch
    /// there, in pixels.
    #[must_use]
    pub fn placed(self, size: [u32; 2], origin: [f32; 2], step: [f32; 2]) -> Self {
        Self {
            size,
            origin,
            step,
            ..self
        }
    }

    /// A picture of zeros, for a run whose values do not matter.
    pub(crate) fn blank(patches: PatchConfig) -> Self {
        let [height, width] = patches.picture;
        Self::cut(&vec![0.0; patches.channels * height * width], patches)
    }

    /// How many rows and columns of patches it has.
    pub fn grid(&self) -> [usize; 2] {
        self.patches.grid()
    }

    /// The width and the height of the given picture, in pixels.
    pub fn size(&self) -> [u32; 2] {
        self.size
    }

    /// Where a patch lies in the given picture: x and y of its upper left corner, width, height.
    pub fn area(&self, patch: usize) -> [f32; 4] {
        let [_, columns] = self.grid();
        let ([x, y], [width, height]) = (self.origin, self.step);
        let (row, column) = ((patch / columns) as f32, (patch % columns) as f32);
        [x + column * width, y + row * height, width, height]
    }

    /// The numbers of all patches as the model reads them, `[patch, channel, y, x]`.
    pub fn numbers_of_all(&self) -> &[f32] {
        &self.pixels
    }

    /// The numbers of a patch, `[channel, y, x]`.
    pub(crate) fn patch(&self, patch: usize) -> &[f32] {
        let numbers = self.numbers();
        &self.pixels[patch * numbers..][..numbers]
    }

    /// What stands in the place of a patch that is hidden, `[channel, y, x]`; none for zeros.
    pub(crate) fn hidden_patch(&self, patch: usize) -> Option<&[f32]> {
        let numbers = self.numbers();
        let hidden = self.hidden.as_ref();
        hidden.map(|hidden| &hidden[patch * numbers..][..numbers])
    }

    pub(crate) fn numbers(&self) -> usize {
        self.patches.numbers()
    }

    /// The names of the tokens before those of the patches.
    pub(crate) fn special_tokens(&self) -> impl Iterator<Item = &'static str> {
        let class = (!self.patches.unclassed).then_some("[CLS]");
        let distilled = self.patches.distillation != Distillation::Absent;
        let distillation = distilled.then_some("[DIST]");
        let registers = std::iter::repeat_n("[REG]", self.patches.registers);
        class.into_iter().chain(distillation).chain(registers)
    }

    /// How many tokens stand before those of the patches.
    pub(crate) fn special(&self) -> usize {
        self.patches.special()
    }
}

/// Lines of `count` numbers, which stand `step` apart, each number replaced by the mean around it, weighed by a bell as wide as
/// `deviation`.
fn smoothed(numbers: &[f64], count: usize, step: usize, deviation: usize) -> Vec<f64> {
    let reach = 3 * deviation;
    let weight = |away: usize| {
        let away = away as f64 / deviation as f64;
        (-away * away / 2.0).exp()
    };
    let weights: Vec<f64> = (0..=reach).map(weight).collect();
    let smooth = |index: usize| {
        let place = index / step % count;
        let near = place.saturating_sub(reach)..(place + reach + 1).min(count);
        let [mut sum, mut all] = [0.0; 2];
        for other in near {
            let weight = weights[other.abs_diff(place)];
            sum += weight * numbers[index + other * step - place * step];
            all += weight;
        }
        sum / all
    };
    (0..numbers.len()).map(smooth).collect()
}
