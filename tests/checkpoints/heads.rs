//! Heads against PyTorch, on the fixtures that `fixtures/heads.py` and `fixtures/more.py` made: what each gives, and Gradient x
//! Input at the word embeddings.

use std::sync::Arc;

use relprop_checkpoints::Model;
use relprop_explain::batching::Passes;
use relprop_explain::{Explainer, Parts, Place, Plan, Scalar};
use relprop_rules::RuleSet;
use relprop_testing::fixtures;
use relprop_testing::{difference, relevance};
use relprop_transformer::Head;
use rstest::rstest;
use serde::Deserialize;

#[derive(Deserialize)]
struct Reference<T> {
    texts: Vec<T>,
}

pub const TOLERANCE: f64 = 1e-4;

/// The families of `more.py` are in a folder of their own.
pub fn load<T: serde::de::DeserializeOwned>(name: &str) -> (Arc<Model>, Vec<T>) {
    let folder = match name.starts_with("more/") {
        true => name.to_owned(),
        false => format!("heads/{name}"),
    };
    let (model, reference): (_, Reference<T>) = fixtures::load(&folder);
    (Arc::new(model), reference.texts)
}

/// Gradient x Input at the word embeddings, or at the output of the norm that stands right after them.
pub fn plan(model: &Model) -> Plan {
    let config = model.transformer.config();
    let alone = !config.has_position_table() && config.token_types == 0;
    let normed = config.embedding_norm.is_some() && alone;
    let site = if normed { "blocks" } else { "embeddings.word" };
    Plan {
        rules: Some(RuleSet::preset("gradient-x-input").unwrap()),
        at: Some(site.to_owned()),
        ..Plan::default()
    }
}

fn numbers(found: &[f32]) -> Vec<f64> {
    found.iter().copied().map(f64::from).collect()
}

#[track_caller]
pub fn close(found: &[f32], expected: &[f64], what: &str) {
    let error = difference(&numbers(found), expected);
    assert!(error < TOLERANCE, "{what}: {error:.1e}");
}

#[derive(Deserialize)]
struct Labelled {
    text: String,
    ids: Vec<u32>,
    logits: Vec<Vec<f64>>,
    relevance: Vec<Vec<f64>>,
}

#[rstest]
fn each_token_has_a_label(
    #[values(
        "bert",
        "roberta",
        "xlm-roberta",
        "distilbert",
        "electra",
        "llama",
        "more/camembert",
        "more/deberta-v2",
        "more/phi3",
        "more/esm",
        "more/modernbert",
        "more/deberta",
        "more/eurobert",
        "more/nomic_bert",
        "more/gte",
        "more/roberta-prelayernorm",
        "more/t5"
    )]
    family: &str,
) {
    let (model, texts) = load::<Labelled>(&format!("{family}-tokens"));
    let explainer = Explainer::new(&model, &plan(&model)).unwrap();
    for Labelled {
        text,
        ids,
        logits,
        relevance,
    } in texts
    {
        let tokenized = explainer.tokenize(&text).unwrap();
        let found = explainer.labelling(&mut Passes::default(), &tokenized, Parts::Tokens, |_| ());
        let found = found.unwrap();
        let tokens = found.tokens.iter();
        assert_eq!(tokens.map(|token| token.id).collect::<Vec<_>>(), ids);
        for (token, expected) in found.tokens.iter().zip(&logits) {
            close(&token.logits, expected, &text);
        }
        for part in &found.parts {
            close(&part.relevance, &relevance[part.tokens[0]], &part.text);
        }
        assert!(!found.parts.is_empty());
        // What is explained of an entity is the sum of what is explained of its tokens.
        let whole =
            explainer.labelling(&mut Passes::default(), &tokenized, Parts::Entities, |_| ());
        for entity in whole.unwrap().parts {
            let tokens = entity.tokens.iter();
            let parts = tokens.map(|token| found.parts.iter().find(|p| p.tokens == [*token]));
            let parts: Vec<_> = parts.map(Option::unwrap).collect();
            let sums = (0..ids.len()).map(|token| {
                let of_token = parts.iter().map(|part| f64::from(part.relevance[token]));
                of_token.sum::<f64>()
            });
            close(&entity.relevance, &sums.collect::<Vec<_>>(), &entity.text);
        }
    }
}

#[derive(Deserialize)]
struct Answered {
    text: String,
    pair: String,
    start: Vec<f64>,
    end: Vec<f64>,
    span: [usize; 2],
    relevance: Vec<f64>,
}

#[rstest]
fn an_answer_starts_and_ends(
    #[values(
        "bert",
        "roberta",
        "xlm-roberta",
        "distilbert",
        "electra",
        "more/deberta-v2",
        "more/modernbert",
        "more/deberta",
        "more/bloom",
        "more/falcon",
        "more/gpt_neo",
        "more/gpt_neox",
        "more/gptj",
        "more/ministral",
        "more/opt.350m",
        "more/smollm3",
        "more/megatron-bert",
        "more/mpt",
        "more/exaone4"
    )]
    family: &str,
) {
    let (model, texts) = load::<Answered>(&format!("{family}-answers"));
    let explainer = Explainer::new(&model, &plan(&model)).unwrap();
    for expected in texts {
        let text = explainer.tokenize_pair(&expected.text, &expected.pair);
        let found = explainer.explain_batch(&[text.unwrap()]).unwrap().remove(0);
        let answer = found.answer.as_ref().unwrap();
        close(&answer.start_logits, &expected.start, "start");
        close(&answer.end_logits, &expected.end, "end");
        assert_eq!(answer.tokens, expected.span);
        assert!(expected.pair.contains(&answer.text), "{}", answer.text);
        assert_eq!(found.target.label, answer.text);
        let error = difference(&relevance(&found), &expected.relevance);
        assert!(error < TOLERANCE, "{error:.1e}");
    }
}

#[derive(Deserialize)]
struct Masked {
    text: String,
    ids: Vec<u32>,
    position: usize,
    target: u32,
    logit: f64,
    relevance: Vec<f64>,
}

#[rstest]
fn a_mask_is_filled(
    #[values(
        "bert",
        "roberta",
        "xlm-roberta",
        "distilbert",
        "electra",
        "more/albert",
        "more/mpnet",
        "more/esm",
        "more/esm.1b",
        "more/modernbert",
        "more/nomic_bert",
        "more/gte",
        "more/deberta",
        "more/deberta-v2",
        "more/eurobert",
        "more/eurobert.mean",
        "more/eurobert.tied",
        "more/ernie",
        "more/data2vec-text",
        "more/megatron-bert",
        "more/xlm-roberta-xl",
        "more/roberta-prelayernorm",
        "more/jina_embeddings_v3"
    )]
    family: &str,
) {
    let (model, texts) = load::<Masked>(&format!("{family}-masks"));
    let explainer = Explainer::new(&model, &plan(&model)).unwrap();
    for expected in texts {
        let masks = model.tokenize(&expected.text, None, Default::default());
        let masks = masks.unwrap().asked;
        let several = masks.len() > 1;
        let explainer = match several {
            false => explainer.clone(),
            true => {
                let message = explainer.tokenize(&expected.text).unwrap_err().to_string();
                assert!(message.contains("several"), "{message}");
                let plan = Plan {
                    target: Scalar {
                        place: Some(Place::token(masks[0])),
                        ..Scalar::default()
                    },
                    ..plan(&model)
                };
                Explainer::new(&model, &plan).unwrap()
            }
        };
        let found = explainer.explain(&expected.text).unwrap();
        let ids: Vec<_> = found.tokens.iter().map(|token| token.id).collect();
        assert_eq!(
            (ids, found.position),
            (expected.ids, Some(expected.position))
        );
        assert_eq!(found.prediction, model.output(expected.target as usize));
        close(&[found.target.value], &[expected.logit], "logit");
        let error = difference(&relevance(&found), &expected.relevance);
        assert!(error < TOLERANCE, "{error:.1e}");
    }
    let message = explainer.explain("no mask here").unwrap_err().to_string();
    assert!(message.contains("the text has no `"), "{message}");
}

#[derive(Deserialize)]
struct Classified {
    text: String,
    ids: Vec<u32>,
    logits: Vec<f64>,
    relevance: Vec<f64>,
}

/// The last of these texts ends with a padding token, which does not answer.
#[rstest]
fn a_decoder_classifies_at_its_last_token(
    #[values(
        "gpt2",
        "llama",
        "more/gemma2",
        "more/gpt_neox",
        "more/gpt_oss",
        "more/opt.350m",
        "more/olmo2",
        "more/glm4",
        "more/gpt_bigcode"
    )]
    family: &str,
) {
    let (model, texts) = load::<Classified>(&format!("{family}-labels"));
    let explainer = Explainer::new(&model, &plan(&model)).unwrap();
    let tokenized = texts
        .iter()
        .map(|text| explainer.tokenize(&text.text).unwrap());
    let together = explainer
        .explain_batch(&tokenized.collect::<Vec<_>>())
        .unwrap();
    for (expected, found) in texts.iter().zip(together) {
        let ids: Vec<_> = found.tokens.iter().map(|token| token.id).collect();
        assert_eq!(ids, expected.ids);
        close(&found.logits, &expected.logits, &expected.text);
        let error = difference(&relevance(&found), &expected.relevance);
        assert!(error < TOLERANCE, "{}: {error:.1e}", expected.text);
    }
}

/// Every head's account closes, under rules that conserve and rules that do not.
#[rstest]
fn the_ledger_closes(
    #[values(
        "bert-tokens",
        "roberta-answers",
        "distilbert-masks",
        "electra-masks",
        "gpt2-labels",
        "llama-labels",
        "llama-tokens",
        "more/albert-masks",
        "more/eurobert.mean-masks",
        "more/deberta-v2-answers",
        "more/gemma2-labels",
        "more/phi3-tokens"
    )]
    name: &str,
    #[values("gradient-x-input", "ah-ln", "attn-lrp", "libra")] preset: &str,
) {
    let (model, texts) = load::<serde_json::Value>(name);
    let plan = Plan {
        rules: Some(RuleSet::preset(preset).unwrap()),
        ledger: true,
        ..Plan::default()
    };
    let explainer = Explainer::new(&model, &plan).unwrap();
    for text in &texts {
        let said = |key: &str| text[key].as_str();
        let Some(first) = said("text").filter(|text| text.matches("MASK]").count() < 2) else {
            continue;
        };
        let tokenized = match said("pair") {
            Some(second) => explainer.tokenize_pair(first, second),
            None => explainer.tokenize(first),
        };
        let tokenized = tokenized.unwrap();
        let ledgers = match model.transformer.config().head {
            Head::TokenLabels => {
                let passes = &mut Passes::default();
                let found = explainer.labelling(passes, &tokenized, Parts::Tokens, |_| ());
                let parts = found.unwrap().parts.into_iter();
                parts.map(|part| part.ledger.unwrap()).collect()
            }
            _ => vec![
                explainer
                    .explain_batch(&[tokenized])
                    .unwrap()
                    .remove(0)
                    .ledger
                    .unwrap(),
            ],
        };
        assert!(!ledgers.is_empty());
        for ledger in ledgers {
            let room = 1e-5 * ledger.target.abs().max(1.0);
            assert!(
                ledger.unaccounted.abs() < room,
                "{first}: {}",
                ledger.unaccounted
            );
        }
    }
}
