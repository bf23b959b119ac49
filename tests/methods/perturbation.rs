//! The methods that hide tokens, against one logit at a time.

use std::collections::HashMap;

use rstest::rstest;

use crate::support::{alone, encode, logit, logit_hidden};
use relprop_testing::{ARCHITECTURES, Architecture, difference, draw_config, model, random};

#[rstest]
fn occlusion_is_the_logit_with_and_without(#[values(0, 1, 2)] architecture: usize) {
    let model = model(&ARCHITECTURES[architecture].config());
    for text in ["warm", "a warm , funny film that never gets dull"] {
        let text = encode(&model, text);
        let whole = logit(&model, &text, 2);
        let without = |hidden| logit_hidden(&model, &text, |place| place == hidden, 2);
        let expected: Vec<f64> = (0..text.tokens.len())
            .map(|token| whole - without(token))
            .collect();
        let error = difference(&alone(&model, "occlusion", &text, 2), &expected);
        assert!(error < 1e-4, "{error:.1e}");
    }
}

/// All orders of `items`.
fn orders(items: &[usize]) -> Vec<Vec<usize>> {
    if items.is_empty() {
        return vec![Vec::new()];
    }
    let mut all = Vec::new();
    for (index, first) in items.iter().enumerate() {
        let mut rest = items.to_vec();
        rest.remove(index);
        for mut order in orders(&rest) {
            order.insert(0, *first);
            all.push(order);
        }
    }
    all
}

#[rstest]
fn shapley_is_the_mean_over_all_orders(#[values(0, 1, 2)] architecture: usize) {
    let model = model(&ARCHITECTURES[architecture].config());
    let text = encode(&model, "a warm funny film");
    let players: Vec<usize> = (0..text.tokens.len())
        .filter(|place| !text.tokens[*place].special)
        .collect();
    let mut known: HashMap<Vec<usize>, f64> = HashMap::new();
    let mut value = |shown: &[usize]| {
        let mut shown = shown.to_vec();
        shown.sort_unstable();
        *known.entry(shown.clone()).or_insert_with(|| {
            let hidden = |place: usize| players.contains(&place) && !shown.contains(&place);
            logit_hidden(&model, &text, hidden, 1)
        })
    };
    let all = orders(&players);
    let mut expected = vec![0.0; text.tokens.len()];
    for order in &all {
        for shown in 0..order.len() {
            let gain = value(&order[..=shown]) - value(&order[..shown]);
            expected[order[shown]] += gain / all.len() as f64;
        }
    }
    let found = alone(&model, "shapley", &text, 1);
    let error = difference(&found, &expected);
    assert!(error < 1e-4, "{error:.1e}");

    // Sampled orders come near it, and nearer as there are more.
    let sampled = |samples| {
        let name = format!("shapley:exact=1:samples={samples}");
        difference(&alone(&model, &name, &text, 1), &expected)
    };
    let (few, many) = (sampled(3), sampled(400));
    assert!(many < 0.1 && many < few, "{few} {many}");
}

#[test]
fn shapley_sums_to_what_showing_the_text_changes() {
    for seed in 0..6 {
        let model = random(&draw_config(seed), 0.2, seed);
        let text = encode(&model, "a warm , funny film");
        let nothing = logit_hidden(&model, &text, |place| !text.tokens[place].special, 1);
        let expected = logit(&model, &text, 1) - nothing;
        for name in [
            "shapley",
            "shapley:exact=1:samples=1",
            "shapley:exact=2:samples=7",
        ] {
            let found = alone(&model, name, &text, 1);
            let special = text.tokens.iter().zip(&found).filter(|(t, _)| t.special);
            assert!(special.clone().count() == 2 && special.clone().all(|(_, r)| *r == 0.0));
            let sum: f64 = found.iter().sum();
            assert!(
                (sum - expected).abs() < 1e-4 * expected.abs().max(1.0),
                "{name}: {sum}"
            );
        }
    }
}

/// Twelve tokens are still exact: no seed makes a difference. Thirteen are not.
#[test]
fn shapley_is_exact_up_to_twelve_tokens() {
    let model = model(&Architecture::AttentionOnly.config());
    for (words, exact) in [(12, true), (13, false)] {
        let text = encode(&model, &vec!["warm"; words - 1].join(" "));
        let text = encode(&model, &format!("{} dull", text.text));
        assert_eq!(text.tokens.len(), words + 2);
        let [a, b] = ["shapley:seed=1", "shapley:seed=2"].map(|n| alone(&model, n, &text, 0));
        assert_eq!(a == b, exact);
    }
}
