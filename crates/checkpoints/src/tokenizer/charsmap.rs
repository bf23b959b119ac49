//! The table of characters that sentencepiece compiles: what each becomes before a text is cut.
//!
//! It is a tree in an array, which the `tokenizers` crate follows without looking where it leads. So it is
//! followed here first, to every place that a text can lead to.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

/// Looks through the tables of a normalizer.
pub(super) fn check(normalizer: &Value) -> Result<(), String> {
    let mut steps = vec![normalizer];
    while let Some(step) = steps.pop() {
        steps.extend(step["normalizers"].as_array().into_iter().flatten());
        if step["type"] == "Precompiled" {
            let table = step["precompiled_charsmap"].as_str();
            let table = table.and_then(|table| STANDARD.decode(table).ok());
            table
                .filter(|table| leads_nowhere_else(table).is_some())
                .ok_or("its table of characters, `precompiled_charsmap`, is damaged")?;
        }
    }
    Ok(())
}

/// Whether every way through the tree ends in the table.
fn leads_nowhere_else(table: &[u8]) -> Option<()> {
    let (length, rest) = table.split_first_chunk::<4>()?;
    let length = u32::from_le_bytes(*length) as usize / 4 * 4;
    let (tree, texts) = rest.split_at_checked(length)?;
    let texts = str::from_utf8(texts).ok()?;
    let tree: Vec<usize> = tree
        .as_chunks::<4>()
        .0
        .iter()
        .map(|unit| u32::from_le_bytes(*unit) as usize)
        .collect();

    let offset = |unit: usize| (unit >> 10) << ((unit & (1 << 9)) >> 6);
    let mut seen = vec![false; tree.len()];
    let mut places = vec![offset(*tree.first()?)];
    while let Some(place) = places.pop() {
        // The next byte of a text changes the last eight bits of the place.
        if place | 0xff >= tree.len() {
            return None;
        }
        if std::mem::replace(&mut seen[place], true) {
            continue;
        }
        for byte in 1..=0xff {
            let unit = tree[place ^ byte];
            if unit & (1 << 31 | 0xff) != byte {
                continue;
            }
            let next = place ^ byte ^ offset(unit);
            // A text may end here: what it becomes is among the texts.
            if unit >> 8 & 1 == 1 {
                let text = tree.get(next)? & ((1 << 31) - 1);
                texts.is_char_boundary(text).then_some(())?;
            }
            places.push(next);
        }
    }
    Some(())
}
