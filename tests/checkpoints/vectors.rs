//! Vectors of texts, and why two are alike, against PyTorch, on the fixtures of `heads.rs`.

use relprop_explain::batching::logits;
use relprop_explain::{Measure, Similar};
use relprop_transformer::{Head, VectorPooling};
use rstest::rstest;
use serde::Deserialize;

use super::heads::{close, load, plan};

#[derive(Deserialize)]
struct Vectors {
    text: String,
    mean: Vec<f64>,
    first: Vec<f64>,
    last: Vec<f64>,
    /// By feature of the mean.
    relevance: Vec<Vec<f64>>,
}

#[rstest]
fn a_text_has_a_vector(
    #[values(
        "bert",
        "roberta",
        "xlm-roberta",
        "distilbert",
        "electra",
        "more/albert",
        "more/mpnet",
        "more/deberta-v2",
        "more/esm",
        "more/modernbert",
        "more/deberta",
        "more/eurobert",
        "more/nomic_bert",
        "more/gte",
        "more/t5",
        "more/t5.gated",
        "more/ernie",
        "more/cohere"
    )]
    family: &str,
) {
    let (model, texts) = load::<Vectors>(&format!("{family}-vectors"));
    let similar = |pooling| Similar::new(&model, &plan(&model), Measure::Dot, pooling).unwrap();
    let tokenize = |text: &Vectors| {
        model
            .tokenize(&text.text, None, Default::default())
            .unwrap()
    };
    let [first, second] = [tokenize(&texts[0]), tokenize(&texts[1])];
    for (pooling, of) in [
        (None, (|text| &text.mean) as fn(&Vectors) -> &Vec<f64>),
        (Some(VectorPooling::First), |text| &text.first),
        (Some(VectorPooling::Last), |text| &text.last),
    ] {
        let found = similar(pooling).explain([&first, &second]).unwrap();
        close(&found.texts[0].vector, of(&texts[0]), "vector");
        close(&found.texts[1].vector, of(&texts[1]), "vector");
    }
    let found = similar(None).explain([&first, &second]).unwrap();
    let pairs = texts[0].relevance[0].iter().enumerate().flat_map(|(i, _)| {
        let column = 0..texts[1].relevance[0].len();
        let (u, v) = (&texts[0].relevance, &texts[1].relevance);
        column.map(move |j| u.iter().zip(v).map(|(u, v)| u[i] * v[j]).sum::<f64>())
    });
    close(
        &found.interaction.concat(),
        &pairs.collect::<Vec<_>>(),
        "pairs",
    );
    let account = found.account;
    assert!(account.unaccounted.abs() < 1e-5 * account.product.abs().max(1.0));
    // The other text's vector is a constant: relevance is linear in it.
    let expected = (0..first.tokens.len()).map(|token| {
        let features = texts[0].relevance.iter().zip(&texts[1].mean);
        features
            .map(|(relevance, v)| relevance[token] * v)
            .sum::<f64>()
    });
    let tokens: Vec<f32> = found.texts[0].tokens.iter().map(|t| t.relevance).collect();
    close(&tokens, &expected.collect::<Vec<_>>(), "first order");
    assert!(matches!(
        model.transformer.config().head,
        Head::Vector { .. }
    ));
    assert_eq!(logits(&model.transformer, &[&first]).unwrap()[0].len(), 16);
}
