//! Explanations made up for tests.

use relprop_explain::{
    Absorbed, Explanation, Layer, Ledger, ModelInfo, PictureInfo, SCHEMA, Score, TargetValue,
    TokenRelevance, WordRelevance,
};

/// An explanation of `text` whose words stand in it in this order, each a single token, between
/// `[CLS]` and `[SEP]`, which hold nothing.
pub(super) fn explanation(text: &str, words: &[(&str, f32)]) -> Explanation {
    let mut from = 0;
    let words: Vec<WordRelevance> = words
        .iter()
        .map(|&(word, relevance)| {
            let byte = from + text[from..].find(word).expect("the words are in the text");
            from = byte + word.len();
            let start = text[..byte].chars().count();
            let end = start + word.chars().count();
            WordRelevance {
                text: word.into(),
                start,
                end,
                relevance,
            }
        })
        .collect();
    let special = |text: &str, id| TokenRelevance {
        text: text.into(),
        id,
        start: 0,
        end: 0,
        special: true,
        relevance: 0.0,
        area: None,
    };
    let mut tokens = vec![special("[CLS]", 101)];
    tokens.extend(words.iter().zip(1000..).map(|(word, id)| TokenRelevance {
        text: word.text.clone(),
        id,
        start: word.start,
        end: word.end,
        special: false,
        relevance: word.relevance,
        area: None,
    }));
    tokens.push(special("[SEP]", 102));
    Explanation {
        schema: SCHEMA.into(),
        text: text.into(),
        picture: None,
        method: "lrp".into(),
        rules: "ah-ln".into(),
        at: "blocks".into(),
        model: ModelInfo {
            family: "bert".into(),
            sha256: Some("5e1f".into()),
        },
        device: "flex".into(),
        version: "0.1.0".into(),
        logits: vec![-1.9, 2.1],
        labels: vec!["negative".into(), "positive".into()],
        prediction: "positive".into(),
        probability: None,
        position: None,
        target: TargetValue {
            label: "positive".into(),
            score: Score::Logit,
            value: 2.1,
        },
        tokens,
        words,
        dropped_tokens: 0,
        ledger: None,
    }
}

/// The account of a target of 2.1, of which the tokens hold 1.7.
pub(super) fn ledger() -> Ledger {
    let entry = |site: &str, operation: &str, kind: &str, relevance| Absorbed {
        site: site.into(),
        operation: Some(operation.into()),
        kind: kind.into(),
        relevance,
    };
    let layer = |site: &str, warm, heads: &[f32]| Layer {
        site: site.into(),
        tokens: vec![0.0, warm, 0.0],
        heads: heads.into(),
        absorbed: 0.4,
        unaccounted: 1e-7,
    };
    Ledger {
        target: 2.1,
        tokens: 1.7,
        absorbed: vec![
            entry("encoder.0.attention.output", "linear", "bias", 0.02),
            entry("encoder.0.attention.norm", "norm", "shift", -0.01),
            entry(
                "encoder.0.feed-forward.activation",
                "activation",
                "activation",
                1.0,
            ),
            entry("encoder.0.feed-forward.down", "linear", "bias", -0.01),
            entry("classifier", "linear", "bias", -0.6 - 1e-7),
        ],
        unaccounted: 1e-7,
        layers: vec![
            layer("blocks", 1.7, &[2.0, -0.5]),
            layer("encoder.0.output", 2.7, &[]),
        ],
    }
}

/// An explanation of a picture of 6 x 4 pixels, two rows and two columns of patches of 2 x 2 pixels:
/// the first holds 2, the one beside it -1, the others nothing.
pub(super) fn picture() -> Explanation {
    let mut sample = explanation("", &[]);
    sample.text = "boat.png".into();
    sample.picture = Some(PictureInfo {
        width: 6,
        height: 4,
        rows: 2,
        columns: 2,
    });
    sample.tokens.truncate(1);
    for (patch, relevance) in [2.0, -1.0, 0.0, 0.0].into_iter().enumerate() {
        let (row, column) = (patch / 2, patch % 2);
        sample.tokens.push(TokenRelevance {
            text: format!("{row},{column}"),
            id: 0,
            start: 0,
            end: 0,
            special: false,
            relevance,
            area: Some([column as f32 * 2.0, row as f32 * 2.0, 2.0, 2.0]),
        });
    }
    sample
}
