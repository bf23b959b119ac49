//! The pieces of a text that decide its label, as a file says them.

use std::ops::Range;

use serde_json::Value;

/// What a file may say, for messages.
const WANTED: &str = "a piece of the text, [start, end] in characters, or a list of these";

/// Ranges of characters of `text`: a piece of the text stands for each place where it occurs, two numbers for
/// the characters from the one up to the other. Null stands for nothing.
///
/// # Errors
///
/// What is wrong, as the end of a sentence that begins with the column.
pub fn places(text: &str, said: &Value) -> Result<Vec<Range<usize>>, String> {
    match said {
        Value::Null => Ok(Vec::new()),
        Value::String(piece) => quoted(text, piece),
        Value::Array(all) if all.iter().all(Value::is_number) && !all.is_empty() => {
            range(text, all).map(|range| vec![range])
        }
        Value::Array(all) => {
            let found = all.iter().map(|said| match said {
                Value::Array(inner) if inner.iter().all(Value::is_number) => places(text, said),
                Value::String(_) => places(text, said),
                _ => Err(format!("has {said}, not {WANTED}")),
            });
            let found: Vec<Vec<Range<usize>>> = found.collect::<Result<_, _>>()?;
            Ok(found.concat())
        }
        _ => Err(format!("is {said}, not {WANTED}")),
    }
}

/// A cell of a table: JSON if it begins like a list, else a piece of the text.
pub(super) fn of_cell(cell: &str) -> Value {
    match cell.trim() {
        "" => Value::Null,
        cell if cell.starts_with('[') => {
            serde_json::from_str(cell).unwrap_or_else(|_| Value::String(cell.to_owned()))
        }
        cell => Value::String(cell.to_owned()),
    }
}

fn quoted(text: &str, piece: &str) -> Result<Vec<Range<usize>>, String> {
    let piece = piece.trim();
    if piece.is_empty() {
        return Ok(Vec::new());
    }
    let long = piece.chars().count();
    let found = text.match_indices(piece).map(|(at, _)| {
        let start = text[..at].chars().count();
        start..start + long
    });
    let found: Vec<_> = found.collect();
    match found.is_empty() {
        true => Err(format!("has `{piece}`, which is not in the text")),
        false => Ok(found),
    }
}

fn range(text: &str, numbers: &[Value]) -> Result<Range<usize>, String> {
    let long = text.chars().count();
    let number = |value: &Value| value.as_u64().and_then(|n| usize::try_from(n).ok());
    match numbers {
        [start, end] => match (number(start), number(end)) {
            (Some(start), Some(end)) if start < end && end <= long => Ok(start..end),
            _ => Err(format!(
                "has [{start}, {end}], which is no piece of a text of {long} characters"
            )),
        },
        _ => Err(format!("has {}, not {WANTED}", Value::from(numbers))),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn every_way_of_saying_where_is_read() {
        let text = "a wärm film, a good film";
        for (said, found) in [
            (json!(null), &[][..]),
            (json!("wärm"), &[(2, 6)][..]),
            (json!("film"), &[(7, 11), (20, 24)][..]),
            (json!([2, 6]), &[(2, 6)][..]),
            (json!([[2, 6], [15, 19]]), &[(2, 6), (15, 19)][..]),
            (json!(["wärm", [15, 19]]), &[(2, 6), (15, 19)][..]),
            (json!([]), &[][..]),
            (of_cell("wärm"), &[(2, 6)][..]),
            (of_cell(" [[2, 6]]"), &[(2, 6)][..]),
            (of_cell(""), &[][..]),
        ] {
            let places = places(text, &said).unwrap().into_iter();
            let places: Vec<_> = places.map(|place| (place.start, place.end)).collect();
            assert_eq!(places, found, "{said}");
        }
        for (said, problem) in [
            (json!("dull"), "`dull`, which is not in the text"),
            (json!([6, 2]), "[6, 2], which is no piece"),
            (json!([2, 60]), "24 characters"),
            (json!([-1, 2]), "no piece"),
            (json!([1, 2, 3]), "not a piece of the text"),
            (json!([true]), "not a piece of the text"),
            (json!({"start": 1}), "not a piece of the text"),
            (json!(1), "not a piece of the text"),
        ] {
            let error = places(text, &said).unwrap_err();
            assert!(error.contains(problem), "{said}: {error}");
        }
    }
}
