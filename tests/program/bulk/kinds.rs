//! Tables as other programs write them: columns of several kinds, empty objects, and quotes.

use serde_json::{Value, json};

use super::Folder;

/// The texts that were explained, and what `--errors` has: lines and reasons.
fn explained(folder: &Folder, input: &str, out: &str) -> (Vec<String>, Vec<(u64, String)>) {
    let errors = folder.path("errors.jsonl");
    folder.explain(input, out, &["--errors", &errors]);
    let texts = folder.rows(out).into_iter();
    let texts = texts.map(|row| row["text"].as_str().unwrap().to_owned());
    let errors = String::from_utf8(folder.bytes("errors.jsonl")).unwrap();
    let errors = errors.lines().map(|line| {
        let row: Value = serde_json::from_str(line).unwrap();
        let reason = row["reason"].as_str().unwrap().to_owned();
        (row["line"].as_u64().unwrap(), reason)
    });
    (texts.collect(), errors.collect())
}

#[test]
fn only_the_rows_of_another_kind_are_left_out() {
    let folder = Folder::new();
    for (columns, bad) in [
        (
            &["{\"a\":1}", "\"none\"", "null", "{\"a\":2}"][..],
            &[2][..],
        ),
        (&["\"none\"", "{\"a\":1}", "{\"a\":2}"], &[1]),
        (&["[1]", "1", "[]"], &[2]),
        (&["{}", "{}", "null"], &[]),
        (&["[{\"a\":1},null]", "[]", "null"], &[]),
        (&["{\"a\":{}}", "{\"a\":null}", "{}"], &[]),
        (&["[{}]", "[{},null]", "[]"], &[]),
        (&["1", "2.5", "true", "\"x\"", "null"], &[]),
    ] {
        let rows = columns.iter();
        let rows = rows.map(|column| format!("{{\"text\":\"warm\",\"meta\":{column}}}\n"));
        folder.write("in.jsonl", rows.collect::<String>());
        for out in ["out.jsonl", "out.csv", "out.arrow", "out.parquet"] {
            let (texts, errors) = explained(&folder, "in.jsonl", out);
            assert_eq!(texts.len() + bad.len(), columns.len(), "{columns:?} {out}");
            let lines: Vec<_> = errors.iter().map(|(line, _)| *line).collect();
            assert_eq!(lines, bad, "{columns:?} {out}");
            assert!(
                errors
                    .iter()
                    .all(|(_, reason)| reason.contains("`meta` is"))
            );
        }
    }
}

#[test]
fn an_empty_object_stays_one_or_is_the_text_of_one() {
    let folder = Folder::new();
    let rows = [
        "{\"text\":\"warm\",\"a\":{},\"b\":{\"c\":[{},null]}}\n",
        "{\"text\":\"dull\",\"a\":null,\"b\":null}\n",
    ];
    folder.write("in.jsonl", rows.concat());
    for (out, empty) in [("out.arrow", json!({})), ("out.parquet", json!("{}"))] {
        folder.explain("in.jsonl", out, &[]);
        let rows = folder.rows(out);
        assert_eq!(rows[0]["a"], empty, "{out}");
        assert_eq!(rows[0]["b"], json!({"c": [empty, null]}), "{out}");
        assert_eq!((&rows[1]["a"], &rows[1]["b"]), (&Value::Null, &Value::Null));
    }
}

#[test]
fn quotes_of_a_tsv_are_meant_where_it_shows_it() {
    let folder = Folder::new();
    for (table, texts) in [
        // As pandas writes them.
        (
            "text\tlabel\n\"a \"\"warm\"\"\tfilm\"\t1\n\"it is\ndull\"\t0\n",
            ["a \"warm\"\tfilm", "it is\ndull"],
        ),
        // As GLUE writes them.
        (
            "text\tlabel\n\"a warm\" film\t1\nit is \"dull\t0\n",
            ["\"a warm\" film", "it is \"dull"],
        ),
    ] {
        folder.write("in.tsv", table);
        let (found, errors) = explained(&folder, "in.tsv", "out.jsonl");
        assert_eq!(
            (&found[..], errors),
            (&texts.map(str::to_owned)[..], vec![])
        );
    }
}
