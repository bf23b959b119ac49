//! Rewrites the regular expressions of a `tokenizer.json`, which are written for the engine onig,
//! for the engine of this build.
//!
//! Where the two engines read a sign differently, it is written in a form that both read in the
//! same way. A pattern for which there is no such form is refused.

use serde_json::Value;

/// What onig takes for a letter of a word. Others count the two joiners, U+200C and U+200D, as well.
const WORD: &str = r"\p{Alphabetic}\p{M}\p{Nd}\p{Pc}²³¹¼½¾";

/// Rewrites every pattern of a `tokenizer.json`.
pub(super) fn spell_out(json: &mut Value) -> Result<(), String> {
    match json {
        Value::Array(values) => values.iter_mut().try_for_each(spell_out),
        Value::Object(keys) => keys.iter_mut().try_for_each(|(key, value)| match value {
            Value::String(pattern) if key == "Regex" => {
                *pattern = spelled_out(pattern)?;
                Ok(())
            }
            // A vocabulary holds no patterns, and may be large.
            _ if key == "vocab" || key == "merges" => Ok(()),
            value => spell_out(value),
        }),
        _ => Ok(()),
    }
}

/// A pattern that both engines read as onig reads `pattern`.
fn spelled_out(pattern: &str) -> Result<String, String> {
    let refused = |part: &str| {
        Err(format!(
            "the pattern `{pattern}` has `{part}`, which this build's engine for regular expressions \
             reads differently from the tokenizer's own"
        ))
    };
    let mut found = String::new();
    let mut classes = 0;
    let mut rest = pattern;
    while let Some(next) = rest.chars().next() {
        let mut length = next.len_utf8();
        match next {
            '\\' => {
                let escaped = rest[1..].chars().next().unwrap_or('\\');
                length += escaped.len_utf8();
                match escaped {
                    'w' if classes > 0 => found.push_str(WORD),
                    'w' => found.push_str(&format!("[{WORD}]")),
                    'W' => found.push_str(&format!("[^{WORD}]")),
                    'b' | 'B' | 'Z' | 'G' | 'K' | 'R' | 'X' | 'y' | 'Y' | 'N' | 'O' | 'k' | 'g'
                    | 'C' | 'M' | 'c' => return refused(&rest[..length]),
                    _ => found.push_str(&rest[..length.min(rest.len())]),
                }
                rest = &rest[length.min(rest.len())..];
                continue;
            }
            '[' if rest.starts_with("[:") && classes > 0 => {
                let end = rest.find(":]").map_or(rest.len(), |end| end + 2);
                return refused(&rest[..end]);
            }
            '[' => classes += 1,
            ']' if classes > 0 => classes -= 1,
            // The start and the end of every line.
            '^' | '$' if classes == 0 => {
                found.push_str(&format!("(?m:{next})"));
                rest = &rest[length..];
                continue;
            }
            '(' if classes == 0 => {
                // Already spelled out, as relprop saves it.
                if let Some(line) = ["(?m:^)", "(?m:$)"].iter().find(|l| rest.starts_with(**l)) {
                    found.push_str(line);
                    rest = &rest[line.len()..];
                    continue;
                }
                let flags = rest.strip_prefix("(?").unwrap_or("");
                let flags = flags.split_once([':', ')']).map_or("", |(flags, _)| flags);
                let letters = |c: char| c.is_ascii_alphabetic() || c == '-';
                if !flags.is_empty()
                    && flags.chars().all(letters)
                    && !["i", "-i", "x"].contains(&flags)
                {
                    return refused(&format!("(?{flags}"));
                }
            }
            _ => {}
        }
        // In a class, the first bracket after its start is a sign.
        found.push_str(&rest[..length]);
        rest = &rest[length..];
        if next == '[' {
            let negated = rest.starts_with('^');
            let start = usize::from(negated);
            let sign = usize::from(rest[start..].starts_with(']'));
            found.push_str(&rest[..start]);
            found.push_str(if sign == 1 { r"\]" } else { "" });
            rest = &rest[start + sign..];
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use tokenizers::utils::SysRegex;

    use super::*;

    fn matches(pattern: &str, text: &str) -> Vec<String> {
        let pattern = SysRegex::new(&spelled_out(pattern).unwrap()).unwrap();
        let found = pattern.find_iter(text);
        found
            .map(|(start, end)| text[start..end].to_owned())
            .collect()
    }

    /// What onig 6.9 finds, by the tokenizers package of Python.
    #[test]
    fn patterns_mean_what_they_mean_to_onig() {
        let text = "می\u{200c}خ a_1² 👩\u{200d}👧";
        let words = ["می", "خ", "a_1²"];
        assert_eq!(matches(r"\w+", text), words);
        assert_eq!(matches(r"[\w]+", text), words);
        assert_eq!(matches(r"[^\W]+", text), words);
        assert_eq!(matches(r"[^\w\s]+", text), ["\u{200c}", "👩\u{200d}👧"]);
        assert_eq!(matches(r"\W+", "a\u{200d}b"), ["\u{200d}"]);
        assert_eq!(matches(r"^a", "a\na"), ["a", "a"]);
        assert_eq!(matches(r"a$", "a\na"), ["a", "a"]);
        assert_eq!(matches(r"[]a]+", "]a^"), ["]a"]);
        assert_eq!(matches(r"[^]a]+", "]a^"), ["^"]);
        assert_eq!(matches(r"\\w", r"\w"), [r"\w"]);
        let gpt2 = r"'s|'t| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+";
        assert_eq!(spelled_out(gpt2).unwrap(), gpt2);
        let llama = r"(?i:'s|'t)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}|\s*[\r\n]+|\s+(?!\S)|\s+";
        assert_eq!(spelled_out(llama).unwrap(), llama);
    }

    #[test]
    fn what_is_spelled_out_stays_as_it_is() {
        for pattern in [r"\w+|[^\w\s]+", r"^\W", r"a$", r"[]^$]"] {
            let once = spelled_out(pattern).unwrap();
            assert_eq!(spelled_out(&once).unwrap(), once);
        }
    }

    #[test]
    fn what_cannot_be_spelled_out_is_refused() {
        for (pattern, part) in [
            (r"a\b", r"\b"),
            (r"(?m)a.b", "(?m"),
            (r"(?s:.)", "(?s"),
            (r"[[:punct:]]", "[:punct:]"),
            (r"a\Z", r"\Z"),
            (r"\X+", r"\X"),
        ] {
            let said = spelled_out(pattern).unwrap_err();
            assert!(
                said.contains(&format!("`{part}`")) && said.contains(pattern),
                "{said}"
            );
        }
    }
}
