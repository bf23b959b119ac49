//! What a model reads: tokens, or the patches of pictures.

use serde::{Deserialize, Serialize};

/// What a model reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum InputConfig {
    /// Texts.
    Tokens {
        /// How many tokens the vocabulary has.
        vocabulary: usize,
    },
    /// Pictures.
    Patches(PatchConfig),
}

/// How a picture is cut into patches. Each patch is a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PatchConfig {
    /// The height and the width of a picture, in pixels.
    pub picture: [usize; 2],
    /// The height and the width of a patch, in pixels. Pixels that fill no patch at the lower and
    /// the right edge are not read.
    pub patch: [usize; 2],
    /// The number of channels of a pixel: 1 for gray, 3 for red, green and blue.
    pub channels: usize,
    /// Whether there is DeiT's distillation token, and whether it is classified.
    pub distillation: Distillation,
}

/// The token that DeiT has besides the class token, and learns from a teacher (Touvron et al. 2021).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Distillation {
    /// There is none, as in ViT.
    Absent,
    /// It is there, but only the class token is classified.
    Unread,
    /// Each of the two tokens has its classifier; the logits are the mean of both.
    Averaged,
}

impl PatchConfig {
    /// How many rows and columns of patches there are.
    pub fn grid(&self) -> [usize; 2] {
        [0, 1].map(|axis| {
            self.picture[axis]
                .checked_div(self.patch[axis])
                .unwrap_or(0)
        })
    }

    /// How many tokens stand before the patches.
    pub fn special(&self) -> usize {
        match self.distillation {
            Distillation::Absent => 1,
            Distillation::Unread | Distillation::Averaged => 2,
        }
    }

    /// How many tokens a picture has.
    pub fn positions(&self) -> usize {
        let [rows, columns] = self.grid();
        rows.saturating_mul(columns).saturating_add(self.special())
    }

    /// How many numbers a patch has.
    pub fn numbers(&self) -> usize {
        let [height, width] = self.patch;
        self.channels.saturating_mul(height).saturating_mul(width)
    }
}

/// The token of a patch that is visible, in a model for pictures.
pub const PATCH_VISIBLE: u32 = 0;
/// The token of a patch that is hidden: all its numbers are zero, the mean of the pictures that the
/// model was trained on.
pub const PATCH_HIDDEN: u32 = 1;
