//! Attention that differs by block, in a `config.json`.

use serde_json::{Value, json};

use super::KeyError;
use relprop_transformer::{BlockAttention, TransformerConfig};

/// A file with more blocks is refused later on.
const MOST_BLOCKS: usize = 1000;

const FULL: &str = "full_attention";
const SLIDING: &str = "sliding_attention";

/// Which blocks have the window that `config.attention` has: those that are `sliding_attention` in the list
/// `value`, or by `usual` where there is none.
///
/// # Errors
///
/// A [`KeyError`] if the list has another number of blocks, or another kind of attention in it.
pub fn read_layer_types(
    config: &mut TransformerConfig,
    value: Option<&Value>,
    usual: impl Fn(usize) -> bool,
) -> Result<(), KeyError> {
    if config.blocks > MOST_BLOCKS {
        return Ok(());
    }
    let slides: Vec<bool> = match value {
        None | Some(Value::Null) => (0..config.blocks).map(usual).collect(),
        Some(value) => {
            let kinds = list(value, config.blocks)?.iter();
            let slides = kinds.map(|kind| match kind.as_str() {
                Some(FULL) => Ok(false),
                Some(SLIDING) => Ok(true),
                _ => Err(KeyError::only(
                    kind,
                    "`full_attention` or `sliding_attention`",
                )),
            });
            slides.collect::<Result<_, _>>()?
        }
    };
    windows(config, &slides);
    Ok(())
}

/// Gives the window of `config.attention` to these blocks alone.
pub fn windows(config: &mut TransformerConfig, has_window: &[bool]) {
    let all = BlockAttention {
        window: config.attention.window,
        rotary: config.attention.rotary,
    };
    let own = has_window.iter().map(|has| BlockAttention {
        window: all.window.filter(|_| *has),
        ..all
    });
    config.attention_by_block = own.collect();
    config.attention.window = None;
    simplify(config);
}

/// Says for each block what it has, even where all are alike.
pub fn one_by_one(config: &mut TransformerConfig) {
    if config.attention_by_block.is_empty() && config.blocks <= MOST_BLOCKS {
        let all = config.block_attention(0);
        config.attention_by_block = vec![all; config.blocks];
        config.attention.window = None;
    }
}

/// Takes the rotation from blocks without a window: they know no positions.
pub fn turn_windows_alone(config: &mut TransformerConfig) {
    one_by_one(config);
    let mut all = config.attention_by_block.iter_mut();
    all.by_ref()
        .filter(|block| block.window.is_none())
        .for_each(|block| block.rotary = None);
    simplify(config);
}

/// Says it once where all blocks are alike.
pub fn simplify(config: &mut TransformerConfig) {
    let blocks = &config.attention_by_block;
    if let Some(first) = blocks.first().copied()
        && blocks.iter().all(|block| *block == first)
        && (first.rotary == config.attention.rotary)
    {
        config.attention.window = first.window;
        config.attention_by_block.clear();
    }
}

/// The kind of attention of each block, as `layer_types`.
pub fn write_layer_types(config: &TransformerConfig) -> Value {
    let kinds = (0..config.blocks.min(MOST_BLOCKS)).map(|index| {
        match config.block_attention(index).window {
            None => FULL,
            Some(_) => SLIDING,
        }
    });
    json!(kinds.collect::<Vec<_>>())
}

/// The window of the blocks that have one.
pub fn window(config: &TransformerConfig) -> Option<usize> {
    let mut own = config.attention_by_block.iter();
    let own = own.find_map(|block| block.window);
    own.or(config.attention.window)
}

/// A list with one entry for each block.
///
/// # Errors
///
/// A [`KeyError`] if it is none.
pub fn list(value: &Value, blocks: usize) -> Result<&[Value], KeyError> {
    let list = value.as_array().filter(|list| list.len() == blocks);
    let list = list.map(Vec::as_slice);
    list.ok_or_else(|| KeyError::must_be(value, "a list with one entry for each block"))
}
