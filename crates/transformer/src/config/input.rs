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
    /// Whether there is no class token before the patches: SigLIP.
    #[serde(default)]
    pub unclassed: bool,
    /// How many learned tokens without a position stand between the class token and the patches, which the head
    /// does not read: registers (Darcet et al. 2024), in DINOv2.
    #[serde(default)]
    pub registers: usize,
    /// Which tokens have a position that is added to them.
    #[serde(default)]
    pub placed: Placed,
    /// Whether the linear map of patches has no bias: CLIP.
    #[serde(default)]
    pub unbiased: bool,
}

/// Which tokens of a picture have a row in the table of positions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Placed {
    /// All but registers.
    #[default]
    All,
    /// The patches alone: DeiT III.
    Patches,
    /// None. Attention knows of places by a [bias](crate::PositionBias::Grid): BEiT.
    Nothing,
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
    /// Patches of this height and width out of pictures of that one, after a class token, as in ViT.
    pub fn new(picture: [usize; 2], patch: [usize; 2], channels: usize) -> Self {
        Self {
            picture,
            patch,
            channels,
            distillation: Distillation::Absent,
            unclassed: false,
            registers: 0,
            placed: Placed::All,
            unbiased: false,
        }
    }

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
        let distilled = self.distillation != Distillation::Absent;
        self.registers
            .saturating_add(usize::from(!self.unclassed))
            .saturating_add(usize::from(distilled))
    }

    /// How many rows the table of positions has.
    pub fn places(&self) -> usize {
        match self.placed {
            Placed::All => self.positions().saturating_sub(self.registers),
            Placed::Patches => self.positions().saturating_sub(self.special()),
            Placed::Nothing => 0,
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
