//! Blocks in stages, whose tokens become fewer and wider, and whose attention stays within windows.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use super::check::{LARGEST, ensure};
use super::{ConfigError, TransformerConfig};

/// The stages of a Swin (Liu et al. 2021). Attention stays within square windows of the grid of patches, which every
/// other block of a stage moves by half a window. After each stage but the last, every four neighboring tokens become
/// one of twice the width.
///
/// The width and the heads of a [`TransformerConfig`] are those of the first stage.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Stages {
    /// How many blocks each stage has, all of them together as many as the model.
    pub blocks: Vec<usize>,
    /// How many heads the blocks of each stage have.
    pub heads: Vec<usize>,
    /// How many rows and columns a window has.
    pub window: usize,
}

/// Where a block stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stage {
    /// The number of its stage.
    pub(crate) stage: usize,
    /// The rows and columns of tokens there.
    pub(crate) grid: [usize; 2],
    /// By how many rows and columns windows are moved.
    pub(crate) shift: usize,
    /// Whether tokens become fewer after it.
    pub(crate) merges: bool,
}

impl TransformerConfig {
    /// Where block `index` stands, if there are stages.
    pub(crate) fn stage(&self, index: usize) -> Option<Stage> {
        let stages = self.stages.as_ref()?;
        let mut grid = self.patches()?.grid();
        let mut first = 0;
        for (stage, blocks) in stages.blocks.iter().enumerate() {
            let end = first + blocks;
            if index < end {
                // A window that is all there is cannot be moved.
                let moves =
                    (index - first) % 2 == 1 && grid.iter().all(|side| *side > stages.window);
                return Some(Stage {
                    stage,
                    grid,
                    shift: if moves { stages.window / 2 } else { 0 },
                    merges: index + 1 == end && stage + 1 < stages.blocks.len(),
                });
            }
            grid = grid.map(|side| side.div_ceil(2));
            first = end;
        }
        None
    }

    /// The same with the sizes of block `index`.
    pub(crate) fn at_block(&self, index: usize) -> Cow<'_, Self> {
        let (Some(stages), Some(Stage { stage, .. })) = (&self.stages, self.stage(index)) else {
            return Cow::Borrowed(self);
        };
        let mut own = self.clone();
        own.width = self.width << stage;
        own.heads = stages.heads[stage];
        if let Some(part) = &mut own.feed_forward {
            part.width <<= stage;
        }
        Cow::Owned(own)
    }

    /// The width of hidden states after the last block.
    pub(crate) fn last_width(&self) -> usize {
        let merged = self
            .stages
            .as_ref()
            .map_or(0, |stages| stages.blocks.len() - 1);
        self.width << merged
    }

    pub(super) fn check_stages(&self) -> Result<(), ConfigError> {
        let Some(stages) = &self.stages else {
            return Ok(());
        };
        let count = stages.blocks.len();
        let range = "from 1 to 8 stages";
        ensure((1..=8).contains(&count), "stages.blocks", count, range)?;
        let (blocks, heads) = (stages.blocks.iter(), stages.heads.len());
        let sum = blocks.fold(0_usize, |sum, blocks| sum.saturating_add(*blocks));
        let range = "as many blocks together as the model has";
        ensure(sum == self.blocks, "stages.blocks", sum, range)?;
        let some = stages.blocks.iter().all(|blocks| *blocks > 0);
        ensure(some, "stages.blocks", 0, "at least 1 block a stage")?;
        ensure(
            heads == count,
            "stages.heads",
            heads,
            "one number for each stage",
        )?;
        for (stage, heads) in stages.heads.iter().enumerate() {
            let width = self.width.saturating_mul(1 << stage);
            let fits = *heads > 0 && width <= LARGEST && width.is_multiple_of(*heads);
            ensure(
                fits,
                "stages.heads",
                heads,
                "a divisor of the width of the stage",
            )?;
        }
        let whole = self.patches().filter(|patches| patches.special() == 0);
        let last = whole.map_or([0; 2], |patches| {
            patches
                .grid()
                .map(|side| (1..count).fold(side, |side, _| side.div_ceil(2)))
        });
        let window = stages.window;
        let fits = window > 0 && last.iter().all(|side| window <= *side);
        let range = "at least 1, and no larger than the grid of the last stage, in a model that reads patches alone";
        ensure(fits, "stages.window", window, range)?;
        let plain = self.attention.key_heads.is_none()
            && self.attention.head_width.is_none()
            && self.attention.bias == Some(super::PositionBias::Grid)
            && self.attention_by_block.is_empty()
            && !self.attention.causal
            && self.attention.rotary.is_none()
            && self.experts.is_none()
            && !self.shared_blocks
            && self.head.is_of_mean();
        let range = "absent beside other kinds of attention, experts, and heads other than that of the mean";
        ensure(plain, "stages", "there", range)
    }
}
