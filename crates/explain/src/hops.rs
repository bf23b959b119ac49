//! Hops: what of the relevance lands on earlier text of an answer is passed on to what that text rests on.
//!
//! An answer of a language model rests on the prompt and on what stands in the answer before it, such as a
//! chain of reasoning, and that was written because of the prompt as well. Let r_t be the relevance that has
//! landed on token t of the answer, and f_t its logit above the mean of all, at the token before it. A hop
//! explains
//!
//! ```text
//! sum_t (r_t / f_t) f_t = sum_t r_t
//! ```
//!
//! with the quotients as constants, so that token t hands on r_t, neither more nor less and with its sign, in
//! the shares in which its own logit is explained. A token whose logit is less than a standard deviation above
//! the mean was not expected: what it rests on cancels, shares of it would be many times r_t and of both signs,
//! and its relevance stays. Attention is causal, so a hop goes to earlier tokens alone, and after as many hops
//! as the answer has tokens nothing is left to be passed on.

use relprop_checkpoints::Model;
use relprop_transformer::{Content, TokenizedText};
use serde::{Deserialize, Serialize};

use crate::batching::logits;
use crate::methods::{Finding, Method, Question};
use crate::{Absorbed, Chosen, ExplainError, Ledger, Score, Target};

/// One hop of relevance, from what was explained to what it rests on.
///
/// ```text
/// target = prompt + answer + absorbed + unaccounted
/// ```
///
/// The next hop explains `answer - kept`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Hop {
    /// What was explained: at first the target itself, and then what earlier text of the answer passed on.
    pub target: f64,
    /// What landed on the prompt.
    pub prompt: f64,
    /// What landed on earlier text of the answer.
    pub answer: f64,
    /// What of that stays there: of tokens that were not expected, and after the last hop all.
    pub kept: f64,
    /// What biases and operations absorbed.
    pub absorbed: f64,
    /// The rest: rounding.
    pub unaccounted: f64,
    /// The relevance of every token in this hop.
    pub relevance: Vec<f32>,
}

/// What the method finds for the text, and where it is after some hops.
///
/// # Errors
///
/// As [`Method::find`].
pub fn hopped(
    method: &dyn Method,
    text: &TokenizedText,
    question: &Question,
    most: usize,
) -> Result<(Finding, Vec<Hop>), ExplainError> {
    let begun = answer_start(text);
    let explain = |text: &TokenizedText, question: &Question| {
        let mut found = method.find(&[text], question)?;
        Ok::<_, ExplainError>(found.remove(0))
    };
    let found = explain(text, question)?;
    let own = match most {
        0 => Vec::new(),
        _ => above_mean(question.model, text, begun)?,
    };
    let mut hops = vec![Hop::new(&found, begun)];
    // What each token holds in the end, and what it has still to pass on.
    let mut held: Vec<f64> = found.relevance.iter().map(|r| f64::from(*r)).collect();
    let mut ledgers = vec![found.ledger.clone()];
    let mut last = found.relevance.clone();
    for _ in 0..most {
        let quotient = |token: usize| {
            let value = own[token - begun].filter(|_| last[token] != 0.0)?;
            Some((token, (f64::from(last[token]) / value) as f32))
        };
        let passing = (begun..last.len()).filter_map(quotient);
        let (passing, weights): (Vec<usize>, Vec<f32>) = passing.unzip();
        if passing.is_empty() {
            break;
        }
        let asked = TokenizedText {
            asked: passing.iter().map(|token| token - 1).collect(),
            ..text.clone()
        };
        let next = explain(
            &asked,
            &Question {
                target: Target::AboveMean {
                    of: Chosen::Given,
                    top: None,
                },
                score: Score::Logit,
                weights: Some(&weights),
                ..*question
            },
        )?;
        let passed = |sum: f64, token: &usize| sum + f64::from(last[*token]);
        if let Some(hop) = hops.last_mut() {
            hop.kept -= passing.iter().fold(0.0, passed);
        }
        passing
            .iter()
            .for_each(|&token| held[token] -= f64::from(last[token]));
        let sums = held.iter_mut().zip(&next.relevance);
        sums.for_each(|(sum, r)| *sum += f64::from(*r));
        hops.push(Hop::new(&next, begun));
        last = next.relevance;
        ledgers.push(next.ledger);
    }
    let relevance: Vec<f32> = held.iter().map(|sum| *sum as f32).collect();
    let ledger = ledgers.into_iter().collect::<Option<Vec<Ledger>>>();
    let finding = Finding {
        ledger: ledger.map(|ledgers| joined(ledgers, &held)),
        relevance,
        ..found
    };
    Ok((finding, hops))
}

/// The logit of each token from `begun` on, minus the mean of all logits at the token before it; none of
/// a token that was not expected.
fn above_mean(
    model: &Model,
    text: &TokenizedText,
    begun: usize,
) -> Result<Vec<Option<f64>>, ExplainError> {
    let transformer = &model.transformer;
    let asked = TokenizedText {
        asked: (begun - 1..text.tokens.len() - 1).collect(),
        ..text.clone()
    };
    let numbers = logits(transformer, &[&asked])?.remove(0);
    let outputs = transformer.config().logits();
    let rows = numbers.chunks(outputs).zip(&text.tokens[begun..]);
    let above = rows.map(|(row, token)| {
        let all = || row.iter().map(|z| f64::from(*z));
        let mean = all().sum::<f64>() / outputs as f64;
        let variance = all().map(|z| (z - mean).powi(2)).sum::<f64>() / outputs as f64;
        let value = f64::from(row[token.id as usize]) - mean;
        (value > variance.sqrt()).then_some(value)
    });
    Ok(above.collect())
}

impl Hop {
    fn new(found: &Finding, begun: usize) -> Self {
        let sum = |relevance: &[f32]| relevance.iter().map(|r| f64::from(*r)).sum::<f64>();
        let (prompt, answer) = found.relevance.split_at(begun);
        let (prompt, answer) = (sum(prompt), sum(answer));
        let absorbed = match &found.ledger {
            Some(ledger) => ledger.absorbed.iter().map(|entry| entry.relevance).sum(),
            None => found.value - prompt - answer,
        };
        Self {
            target: found.value,
            prompt,
            answer,
            kept: answer,
            absorbed,
            unaccounted: found.value - prompt - answer - absorbed,
            relevance: found.relevance.clone(),
        }
    }
}

/// The first token of the answer: of one that was put after a prompt, or else the first that is explained.
pub fn answer_start(text: &TokenizedText) -> usize {
    let explained = text
        .asked
        .first()
        .map_or(text.tokens.len(), |asked| asked + 1);
    let Content::Text {
        second: Some(second),
    } = text.content
    else {
        return explained;
    };
    let of_answer = |token: &relprop_transformer::Token| !token.special && token.start >= second;
    let first = text.tokens.iter().position(of_answer);
    first.map_or(explained, |first| first.min(explained)).max(1)
}

/// One account of several hops: the target of the first, what tokens hold after the last, and what was
/// absorbed in all of them.
fn joined(ledgers: Vec<Ledger>, held: &[f64]) -> Ledger {
    let mut ledgers = ledgers.into_iter();
    let mut whole = ledgers.next().unwrap_or_else(|| Ledger {
        target: 0.0,
        tokens: 0.0,
        absorbed: Vec::new(),
        unaccounted: 0.0,
        layers: Vec::new(),
    });
    let same = |a: &Absorbed, b: &Absorbed| {
        (&a.site, &a.operation, &a.kind) == (&b.site, &b.operation, &b.kind)
    };
    for entry in ledgers.flat_map(|ledger| ledger.absorbed) {
        match whole.absorbed.iter_mut().find(|other| same(other, &entry)) {
            Some(other) => other.relevance += entry.relevance,
            None => whole.absorbed.push(entry),
        }
    }
    whole.tokens = held.iter().sum();
    let absorbed: f64 = whole.absorbed.iter().map(|entry| entry.relevance).sum();
    whole.unaccounted = whole.target - whole.tokens - absorbed;
    whole
}
