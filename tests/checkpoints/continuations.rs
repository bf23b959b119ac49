//! Continuations of a text: every new token is the model's choice, and is explained.

use relprop_explain::{Sampler, Sampling, Target};
use relprop_testing::{difference, explainer, relevance};
use rstest::rstest;

use crate::language::{every_logit, load};

/// The likeliest token, again and again; each explained as if the text ended before it.
#[rstest]
fn a_continuation_is_greedy_and_each_token_is_explained(
    #[values("gpt2", "llama", "mistral")] family: &str,
) {
    let (model, _) = load(family);
    let prompt = model
        .tokenize("the film is", None, Default::default())
        .unwrap();
    let explainer = explainer(&model, "libra");
    let found = explainer.continuation(&prompt, 5, None).unwrap();
    assert_eq!(found.prompt, prompt.tokens.len());
    assert!(found.text.starts_with("the film is"));
    let length = found.text.chars().count();
    let inside = |start: usize, end: usize| start <= end && end <= length;
    assert!(
        found
            .tokens
            .iter()
            .all(|token| inside(token.start, token.end))
    );

    let mut text = prompt.clone();
    for step in &found.steps {
        let logits = every_logit(&model, &text);
        let best = (0..logits.len()).max_by(|a, b| logits[*a].total_cmp(&logits[*b]));
        let id = found.tokens[step.token].id;
        assert_eq!(best, Some(id as usize));
        let alone = &explainer
            .explain_batch(std::slice::from_ref(&text))
            .unwrap()[0];
        let rows: Vec<f64> = step.relevance.iter().map(|r| f64::from(*r)).collect();
        assert!(difference(&rows, &relevance(alone)) < 1e-4);
        assert!((step.probability - alone.probability.unwrap()).abs() < 1e-5);
        assert!((step.target.value - alone.target.value).abs() < 1e-4);
        let mut next = text.tokens[0].clone();
        next.id = id;
        text.tokens.push(next);
        text.types.push(0);
    }
    assert!((1..=5).contains(&found.steps.len()));
}

/// Each token is the one that the sampler draws of the logits after those before it, and it is what
/// is explained, whether or not it is the likeliest.
#[rstest]
fn a_continuation_is_drawn_and_each_token_is_explained(
    #[values("gpt2", "llama", "mistral")] family: &str,
) {
    let (model, _) = load(family);
    let prompt = model
        .tokenize("the film is", None, Default::default())
        .unwrap();
    let sampling = Sampling {
        temperature: 1.5,
        seed: 5,
        ..Sampling::default()
    };
    let libra = explainer(&model, "libra");
    let found = libra.continuation(&prompt, 8, Some(sampling)).unwrap();
    assert_eq!(found.sampling, Some(sampling));
    assert!(!found.steps.is_empty());

    let mut sampler = Sampler::new(sampling).unwrap();
    let mut text = prompt.clone();
    let mut surprises = 0;
    for step in &found.steps {
        let logits = every_logit(&model, &text);
        let single: Vec<f32> = logits.iter().map(|z| *z as f32).collect();
        let id = sampler.draw(&single);
        assert_eq!(found.tokens[step.token].id as usize, id);
        let explainer = libra.clone().target(Target::Label(id)).unwrap();
        let batch = std::slice::from_ref(&text);
        let alone = &explainer.explain_batch(batch).unwrap()[0];
        let rows: Vec<f64> = step.relevance.iter().map(|r| f64::from(*r)).collect();
        assert!(difference(&rows, &relevance(alone)) < 1e-4);
        assert_eq!(step.target.label, alone.target.label);
        let whole: f64 = logits.iter().map(|z| z.exp()).sum();
        let expected = logits[id].exp() / whole;
        assert!((f64::from(step.probability) - expected).abs() < 1e-5);
        surprises += usize::from(alone.prediction != alone.target.label);
        let mut next = text.tokens[0].clone();
        next.id = id as u32;
        text.tokens.push(next);
        text.types.push(0);
    }
    assert!(surprises > 0, "only likeliest tokens were drawn");
}
