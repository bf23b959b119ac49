//! Invented data for the tests: explanations, a ledger, a continuation and an evaluation.

use relprop_evaluate::{About, Better, Interval, MethodResults, Results, Summary};
use relprop_explain::{
    Absorbed, CONTINUATION, Continuation, Explanation, Layer, Ledger, ModelInfo, PictureInfo,
    SCHEMA, Sampling, Score, Step, Subject, TargetValue, TokenRelevance, WordRelevance,
};
use relprop_transformer::Probabilities;

/// An explanation of `text` whose words stand in it in this order, each a single token, between
/// `[CLS]` and `[SEP]`, which hold nothing.
pub(crate) fn explanation(text: &str, words: &[(&str, f32)]) -> Explanation {
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
        subject: Subject::TEXT,
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
        probabilities: Probabilities::Softmax,
        answer: None,
        position: None,
        target: TargetValue {
            label: "positive".into(),
            score: Score::Logit,
            value: 2.1,
        },
        tokens,
        parts: Vec::new(),
        words,
        dropped_tokens: 0,
        dropped_from: None,
        windows: 0,
        segments: Vec::new(),
        hops: Vec::new(),
        ledger: None,
    }
}

/// The ledger of a target of 2.1, of which the tokens hold 1.7.
pub(crate) fn ledger() -> Ledger {
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
pub(crate) fn picture() -> Explanation {
    let mut sample = explanation("", &[]);
    sample.text = "boat.png".into();
    sample.subject = Subject::Picture {
        picture: PictureInfo {
            width: 6,
            height: 4,
            rows: 2,
            columns: 2,
        },
    };
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

/// An explanation by another method than propagation, which has no rules and reads at no site.
pub(crate) fn by_method(name: &str) -> Explanation {
    let mut sample = explanation("a warm film", &[("a", 0.1), ("warm", 0.6), ("film", 0.3)]);
    sample.method = name.to_owned();
    sample.rules.clear();
    sample.at.clear();
    sample
}

/// An explanation of what a language model expects after a text.
pub(crate) fn next_token() -> Explanation {
    let mut sample = explanation("the keys", &[("the", -0.25), ("keys", 1.5)]);
    sample.model.family = "gpt2".into();
    sample.tokens.retain(|token| !token.special);
    sample.logits = vec![2.1, 1.0];
    sample.labels = vec![" are".into(), " is".into()];
    sample.prediction = " are".into();
    sample.probability = Some(0.625);
    sample.position = Some(1);
    sample.target.label = " are".into();
    sample
}

/// Two tokens that a language model added to a prompt of two.
pub(crate) fn continuation() -> Continuation {
    let token = |text: &str, start, end| TokenRelevance {
        text: text.into(),
        id: 0,
        start,
        end,
        special: false,
        relevance: 0.0,
        area: None,
    };
    let step = |token, label: &str, relevance: &[f32]| Step {
        token,
        probability: 0.5,
        target: TargetValue {
            label: label.into(),
            score: Score::Logit,
            value: 2.0,
        },
        relevance: relevance.into(),
    };
    Continuation {
        schema: CONTINUATION.into(),
        text: "the keys are here".into(),
        by: "ah-ln".into(),
        at: "blocks".into(),
        model: ModelInfo {
            family: "gpt2".into(),
            sha256: None,
        },
        version: "0.1.0".into(),
        sampling: Some(Sampling::default()),
        prompt: 2,
        source: 0,
        tokens: vec![
            token("the", 0, 3),
            token("Ġkeys", 4, 8),
            token("Ġare", 9, 12),
            token("Ġhere", 13, 17),
        ],
        segments: Vec::new(),
        steps: vec![
            step(2, " are", &[-0.25, 1.5]),
            step(3, " here", &[0.5, 0.0, -1.0]),
        ],
        end: None,
    }
}

/// Two methods under an area with its curve, an error with its curve, and a metric without a
/// number.
pub(crate) fn results() -> Results {
    let metric = |name: &str, better| About {
        name: name.to_owned(),
        about: format!("about {name}"),
        better,
        need: None,
    };
    let summary = |metric: &str, mean: f64, points: usize| Summary {
        metric: metric.to_owned(),
        mean: Some(Interval {
            mean,
            low: mean - 0.25,
            high: mean + 0.25,
        }),
        texts: 3,
        curve: (0..points)
            .map(|point| mean * point as f64 / 10.0)
            .collect(),
    };
    let method = |name: &str, auac, au_mse| MethodResults {
        name: name.to_owned(),
        metrics: vec![
            summary("auac", auac, 11),
            summary("au-mse", au_mse, 11),
            Summary {
                mean: None,
                texts: 0,
                ..summary("sparseness", 0.0, 0)
            },
        ],
    };
    Results {
        texts: 3,
        metrics: vec![
            metric("auac", Better::Higher),
            metric("au-mse", Better::Lower),
            metric("sparseness", Better::Neither),
        ],
        methods: vec![
            method("random", 0.125, 12.0),
            method("ah-ln <b>", 0.75, 2.5),
        ],
    }
}
