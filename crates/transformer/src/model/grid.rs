//! Distances on the grid of a picture's patches, which add to the scores of attention.

use burn::module::Param;
use burn::tensor::{Device, Int, Tensor, TensorData};
use relprop_rules::operations::AttentionBias;

use super::linear::normal;
use crate::{Batch, PatchConfig, PositionBias, TransformerConfig};

/// The table of one block, `[distance, head]`: what each distance adds to the score of each head.
pub(super) fn table(config: &TransformerConfig, device: &Device) -> Option<Param<Tensor<2>>> {
    let patches = patches(config)?;
    let drawn = normal(config.initializer_range);
    Some(drawn.init([distances(&patches), config.heads], device))
}

/// The row of the table for each pair of a batch's tokens, `[1 or batch, query, key]`. It is the same for all
/// pictures unless a patch of one is gone.
pub(super) fn rows(config: &TransformerConfig, batch: &Batch) -> Option<Tensor<3, Int>> {
    let patches = patches(config)?;
    let all = patches.positions();
    let pairs = (0..all).flat_map(|query| (0..all).map(move |key| (query, key)));
    let rows: Vec<i64> = pairs
        .map(|(query, key)| row(&patches, query, key) as i64)
        .collect();
    let rows =
        Tensor::<1, Int>::from_data(TensorData::new(rows, [all * all]), &batch.padding.device());
    let in_windows = config.stages.is_some();
    if in_windows || batch.spans.iter().all(|span| span.len() == all) {
        return Some(rows.reshape([1, all, all]));
    }
    let [pictures, tokens] = batch.positions.dims();
    let shape = [pictures, tokens, tokens];
    let query = batch.positions.clone().unsqueeze_dim::<3>(2).expand(shape);
    let key = batch.positions.clone().unsqueeze_dim::<3>(1).expand(shape);
    let places = (query * all as i64 + key).reshape([pictures * tokens * tokens]);
    Some(rows.select(0, places).reshape(shape))
}

/// What the `table` adds to the scores of the pairs that have these `rows`.
pub(super) fn bias(table: Tensor<2>, rows: Tensor<3, Int>) -> AttentionBias {
    let [_, heads] = table.dims();
    let [pictures, queries, keys] = rows.dims();
    let bias = table.select(0, rows.reshape([pictures * queries * keys]));
    let bias = bias.reshape([pictures, queries, keys, heads]);
    AttentionBias {
        bias: bias.permute([0, 3, 1, 2]),
    }
}

/// The grid that attention sees: all patches, or those of a window.
fn patches(config: &TransformerConfig) -> Option<PatchConfig> {
    let on_grid = config.attention.bias == Some(PositionBias::Grid);
    let patches = *config.patches().filter(|_| on_grid)?;
    Some(match &config.stages {
        None => patches,
        Some(stages) => PatchConfig {
            unclassed: true,
            ..PatchConfig::new([stages.window; 2], [1; 2], 1)
        },
    })
}

/// How many distances there are: of rows times of columns, and those of the class token.
fn distances(patches: &PatchConfig) -> usize {
    let [rows, columns] = patches.grid();
    let special = if patches.special() == 0 { 0 } else { 3 };
    (2 * rows - 1) * (2 * columns - 1) + special
}

/// The row of the table for the token at position `query` that looks at the one at `key`: distances of rows count
/// more than those of columns. The last three rows are from the class token, to it, and from it to itself.
fn row(patches: &PatchConfig, query: usize, key: usize) -> usize {
    let ([rows, columns], special) = (patches.grid(), patches.special());
    let all = distances(patches);
    match (query < special, key < special) {
        (true, true) => all - 1,
        (false, true) => all - 2,
        (true, false) => all - 3,
        (false, false) => {
            let [query, key] = [query, key].map(|place| place - special);
            let down = rows - 1 + query / columns - key / columns;
            let right = columns - 1 + query % columns - key % columns;
            down * (2 * columns - 1) + right
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A grid of 2 rows and 3 columns, after a class token: the table has 3 x 5 distances and 3 more.
    #[test]
    fn distances_are_counted_by_rows_and_columns() {
        let patches = PatchConfig::new([4, 6], [2, 2], 1);
        assert_eq!(distances(&patches), 18);
        // From a patch to itself: in the middle of the table.
        assert_eq!(row(&patches, 1, 1), 7);
        // From the upper left patch to the lower right one, and back.
        assert_eq!((row(&patches, 1, 6), row(&patches, 6, 1)), (0, 14));
        // One column to the right: the key stands right of the query.
        assert_eq!(row(&patches, 1, 2), 6);
        assert_eq!(
            [
                row(&patches, 0, 4),
                row(&patches, 4, 0),
                row(&patches, 0, 0)
            ],
            [15, 16, 17]
        );
    }
}
