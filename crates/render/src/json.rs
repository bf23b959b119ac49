//! Explanations as JSON: the fields of [`Explanation`], in the order in which it declares them.
//!
//! JSON has no NaN and no infinity, and a writer that puts `null` in their place makes a file that
//! cannot be read back. So a number that is not finite is an error here, found before anything is
//! written. To skip a bad text among many, call [`jsonl`] text by text.

use relprop_explain::Explanation;

/// An explanation with a number that JSON cannot hold.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("text {}: {source}", .index + 1)]
pub struct NotFinite {
    /// Which explanation, counted from 0 in the order given.
    pub index: usize,
    /// Which of its numbers.
    pub source: relprop_explain::NotFinite,
}

/// Why serializing cannot fail: it can only for maps whose keys are not text, and there are none.
const SERIALIZES: &str = "text, numbers and lists always serialize";

/// Pretty JSON: an object for one explanation, an array for none or several. Ends with a newline.
///
/// # Errors
///
/// [`NotFinite`] if a logit, the target or a relevance is NaN or infinite.
pub fn json(explanations: &[Explanation]) -> Result<String, NotFinite> {
    finite(explanations)?;
    let written = match explanations {
        [one] => serde_json::to_string_pretty(one),
        several => serde_json::to_string_pretty(several),
    };
    Ok(written.expect(SERIALIZES) + "\n")
}

/// One compact object in each line; each line ends with a newline.
///
/// # Errors
///
/// [`NotFinite`] if a logit, the target or a relevance is NaN or infinite.
pub fn jsonl(explanations: &[Explanation]) -> Result<String, NotFinite> {
    finite(explanations)?;
    Ok(explanations
        .iter()
        .map(|one| serde_json::to_string(one).expect(SERIALIZES) + "\n")
        .collect())
}

fn finite(explanations: &[Explanation]) -> Result<(), NotFinite> {
    for (index, explanation) in explanations.iter().enumerate() {
        let checked = explanation.finite();
        checked.map_err(|source| NotFinite { index, source })?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;
    use crate::fixtures::{explanation, ledger};

    fn sample() -> Explanation {
        explanation(
            "a warm ,\nfunny film",
            &[("warm", 1.2), ("funny", 0.1), ("film", -1e-7)],
        )
    }

    #[test]
    fn what_is_written_reads_back_unchanged() {
        let mut other = sample();
        other.model.sha256 = None;
        other.dropped_tokens = 3;
        other.ledger = Some(ledger());
        let both = [sample(), other];
        let array = json(&both).unwrap();
        assert_eq!(
            serde_json::from_str::<Vec<Explanation>>(&array).unwrap(),
            both
        );
        let object = json(&both[1..]).unwrap();
        assert_eq!(
            serde_json::from_str::<Explanation>(&object).unwrap(),
            both[1]
        );
        let lines = jsonl(&both).unwrap();
        let read: Vec<Explanation> = lines
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect();
        assert_eq!(read, both);
    }

    #[test]
    fn nothing_is_an_empty_array_and_no_lines() {
        assert_eq!(
            (json(&[]).unwrap(), jsonl(&[]).unwrap()),
            ("[]\n".into(), String::new())
        );
    }

    #[test]
    fn keys_stand_in_the_order_of_the_design() {
        let value: Value = serde_json::from_str(&jsonl(&[sample()]).unwrap()).unwrap();
        let keys =
            |value: &Value| -> Vec<String> { value.as_object().unwrap().keys().cloned().collect() };
        assert_eq!(
            keys(&value).join(" "),
            "schema text method rules at model device version logits labels prediction target \
             tokens words"
        );
        assert_eq!(keys(&value["model"]), ["family", "sha256"]);
        assert_eq!(keys(&value["target"]), ["label", "value"]);
        let token = ["text", "id", "start", "end", "special", "relevance"];
        assert_eq!(keys(&value["tokens"][1]), token);
        assert_eq!(
            keys(&value["words"][0]),
            ["text", "start", "end", "relevance"]
        );
        let mut accounted = sample();
        accounted.ledger = Some(ledger());
        let value: Value = serde_json::from_str(&jsonl(&[accounted]).unwrap()).unwrap();
        assert_eq!(
            keys(&value["ledger"]).join(" "),
            "target tokens absorbed unaccounted layers"
        );
        let entry = ["site", "operation", "kind", "relevance"];
        assert_eq!(keys(&value["ledger"]["absorbed"][0]), entry);
    }

    #[test]
    fn numbers_are_as_short_as_the_design_shows_them() {
        let line = jsonl(&[explanation("warm", &[("warm", 1.2)])]).unwrap();
        for part in [
            r#""logits":[-1.9,2.1]"#,
            r#""target":{"label":"positive","value":2.1}"#,
            r#"{"text":"warm","id":1000,"start":0,"end":4,"special":false,"relevance":1.2}"#,
        ] {
            assert!(line.contains(part), "{part} is not in {line}");
        }
    }

    #[test]
    fn numbers_that_json_lacks_are_refused_with_their_place() {
        let mut bad = sample();
        bad.tokens[1].relevance = f32::NAN;
        let error = jsonl(&[sample(), bad.clone()]).unwrap_err();
        assert_eq!(
            (error.index, error.source.place.as_str()),
            (1, "the relevance of token 1 \"warm\"")
        );
        assert!(
            error
                .to_string()
                .starts_with(&format!("text 2: {} is NaN", error.source.place))
        );
        bad.logits[0] = f32::INFINITY;
        assert_eq!(json(&[bad]).unwrap_err().source.place, "logit 0");
        let mut bad = sample();
        bad.ledger = Some(ledger());
        bad.ledger.as_mut().unwrap().absorbed[4].relevance = f64::NAN;
        assert_eq!(
            json(&[bad]).unwrap_err().source.place,
            "what classifier absorbed"
        );
    }
}
