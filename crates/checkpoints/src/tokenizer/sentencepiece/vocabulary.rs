//! The vocabulary of a model of sentencepiece, and the two kinds of models that are made of it.

use std::collections::{BTreeMap, HashMap};

use serde_json::{Map, Value, json};

use super::Class;
use super::proto::{Model, NORMAL, Piece};
use crate::tokenizer::frame::content_by;

/// Pieces with the names that the tokenizer has for them.
pub(super) type Pieces<'a> = [(String, &'a Piece)];

/// The pieces with the class's own ones at their places.
pub(super) fn vocabulary<'a>(
    model: &'a Model,
    class: Class,
    keys: &Map<String, Value>,
) -> Result<Vec<(String, &'a Piece)>, String> {
    static AT_ZERO: Piece = Piece {
        text: String::new(),
        score: 0.0,
        kind: NORMAL,
    };
    static AT_LAST: Piece = Piece {
        text: String::new(),
        score: -100.0,
        kind: NORMAL,
    };
    let named = |key: &str| {
        let token = content_by(class.name(), keys, key);
        (token.unwrap_or_default(), &AT_ZERO)
    };
    let own = |text: &str| (text.to_owned(), &AT_ZERO);
    let (first, skipped): (Vec<(String, &Piece)>, usize) = match class {
        Class::XlmRoberta => (
            ["bos_token", "pad_token", "eos_token", "unk_token"]
                .map(named)
                .into(),
            3,
        ),
        Class::Camembert => (
            vec![
                own("<s>NOTUSED"),
                named("pad_token"),
                own("</s>NOTUSED"),
                named("unk_token"),
                ("<unk>NOTUSED".to_owned(), &AT_LAST),
            ],
            1,
        ),
        Class::Albert
        | Class::Deberta
        | Class::Llama
        | Class::Gemma
        | Class::Siglip
        | Class::T5
        | Class::Plain => (Vec::new(), 0),
    };
    if class == Class::Camembert && model.algorithm != 1 {
        return Err("it is no Unigram, as CamembertTokenizer's is".to_owned());
    }
    let pieces = model.pieces.iter().skip(skipped);
    let mut all: Vec<_> = first;
    all.extend(pieces.map(|piece| (piece.text.clone(), piece)));
    if matches!(class, Class::XlmRoberta | Class::Camembert) {
        all.push(named("mask_token"));
    }
    if class == Class::T5 {
        let known = |token: &String| model.pieces.iter().any(|piece| piece.text == *token);
        let sentinels = sentinels(keys).into_iter().filter(|token| !known(token));
        all.extend(sentinels.map(|token| own(&token)));
    }
    if class == Class::Plain && model.algorithm != 1 {
        renamed(&mut all, keys);
    }
    Ok(all)
}

/// T5's tokens for what is left out of a text, as many as `extra_ids` says, the last one first.
pub(super) fn sentinels(keys: &Map<String, Value>) -> Vec<String> {
    let count = keys.get("extra_ids").and_then(Value::as_u64).unwrap_or(100);
    let numbers = (0..count.min(1000)).rev();
    numbers
        .map(|number| format!("<extra_id_{number}>"))
        .collect()
}

/// Names that `added_tokens_decoder` gives to pieces which hold a place alone.
fn renamed(all: &mut Pieces, keys: &Map<String, Value>) {
    let decoder = keys.get("added_tokens_decoder").and_then(Value::as_object);
    let names: BTreeMap<usize, &str> = decoder
        .into_iter()
        .flatten()
        .filter_map(|(id, token)| {
            let name = token.get("content").unwrap_or(token).as_str()?;
            Some((id.parse().ok()?, name))
        })
        .collect();
    let ids = ids(all);
    let kept: Vec<bool> = (0..all.len())
        .map(|id| {
            let name = names.get(&id).copied();
            name.is_none_or(|name| ids.get(name).is_some_and(|id| !names.contains_key(id)))
        })
        .collect();
    for (id, kept) in kept.into_iter().enumerate() {
        if let (false, Some(name)) = (kept, names.get(&id)) {
            all[id].0 = (*name).to_owned();
        }
    }
}

/// The places of pieces; of several alike, the last one.
fn ids(all: &Pieces) -> HashMap<String, usize> {
    let places = all.iter().enumerate();
    places.map(|(id, (text, _))| (text.clone(), id)).collect()
}

pub(super) fn unigram_model(all: &Pieces, unknown: usize, byte_fallback: bool) -> Value {
    let vocabulary = all.iter();
    let vocabulary = vocabulary.map(|(text, piece)| json!([text, f64::from(piece.score)]));
    json!({
        "type": "Unigram", "unk_id": unknown, "byte_fallback": byte_fallback,
        "vocab": vocabulary.collect::<Vec<_>>()
    })
}

pub(super) fn bpe(all: &Pieces, merges: Vec<(String, String)>, unknown: Option<String>) -> Value {
    let ids = ids(all).into_iter();
    let vocabulary: Map<String, Value> = ids.map(|(text, id)| (text, id.into())).collect();
    json!({
        "type": "BPE", "vocab": vocabulary, "merges": merges, "unk_token": unknown,
        "fuse_unk": true, "byte_fallback": true
    })
}

/// All ways to put a piece together from two, the pieces in their order.
pub(super) fn merges(all: &Pieces) -> Vec<(String, String)> {
    let ids = ids(all);
    let mut pieces: Vec<(&String, usize)> = ids.iter().map(|(text, id)| (text, *id)).collect();
    pieces.sort_by_key(|(_, id)| *id);
    // The shorter the left one, the earlier.
    let pieces = pieces.into_iter();
    let merges = pieces.flat_map(|(text, _)| {
        halves(text).filter(|(left, right)| ids.contains_key(*left) && ids.contains_key(*right))
    });
    merges
        .map(|(left, right)| (left.to_owned(), right.to_owned()))
        .collect()
}

/// The two parts of a text, cut between any two of its characters.
fn halves(text: &str) -> impl Iterator<Item = (&str, &str)> {
    let cuts = text.char_indices().skip(1);
    cuts.map(|(at, _)| text.split_at(at))
}

/// All ways to put a piece together from two, the best pieces first.
pub(super) fn ranked(all: &Pieces) -> Vec<(String, String)> {
    let normal: HashMap<&str, (f32, usize)> = all
        .iter()
        .enumerate()
        .filter(|(_, (_, piece))| piece.kind == NORMAL)
        .map(|(id, (text, piece))| (text.as_str(), (piece.score + 0.0, id)))
        .collect();
    let mut pieces: Vec<_> = normal.iter().map(|(text, rank)| (*text, *rank)).collect();
    pieces.sort_by(|(_, (a, first)), (_, (b, second))| b.total_cmp(a).then(first.cmp(second)));
    let merges = pieces.into_iter().flat_map(|(text, _)| {
        halves(text).filter(|(left, right)| normal.contains_key(left) && normal.contains_key(right))
    });
    // Python sorts the halves of one piece as texts: the shorter left one is a start of the longer.
    merges
        .map(|(left, right)| (left.to_owned(), right.to_owned()))
        .collect()
}
