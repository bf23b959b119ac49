//! Models whose weights are set by hand, so that the right answer is known in closed form: every
//! method's score where theory fixes it, and how methods fail where they are known to.
//!
//! All models are one attention head over tokens that carry a value v, a key k and, at `[CLS]`, a
//! query: the logit of `positive` is
//!
//! ```text
//! f = u * sum_i p_i v_i + b,    p = softmax_i(beta * k_i)
//! ```
//!
//! The norms do nothing: their epsilon is so large that the scale is constant.

use std::collections::BTreeMap;

use burn::tensor::Device;
use relprop_checkpoints::Model;
use relprop_explain::Target;
use relprop_explain::{
    methods::Accounted, methods::Baseline, methods::FullGrad, methods::FullGradParameters,
    methods::IntegratedGradients, methods::IntegratedGradientsParameters,
};
use relprop_rules::operations::NormScale;
use relprop_testing::{filled, tokenizer};
use relprop_transformer::{NormConfig, NormPlacement, TokenizedText, TransformerConfig};
use rstest::rstest;

/// The factor of the classifier, and its bias.
const U: f64 = 3.0;
const B: f64 = 0.5;

/// The features of a token: its value, its key, and 1 at `[CLS]`. The head writes to the last.
const VALUE: usize = 0;
const KEY: usize = 1;
const QUERY: usize = 2;
const OUTPUT: usize = 3;
const WIDTH: usize = 4;

/// A model of tokens with these values and keys; others have none of either.
fn white_box(beta: f64, tokens: &[(&str, f64, f64)]) -> Model {
    let vocabulary = tokenizer();
    let mut features: BTreeMap<u32, [f64; WIDTH]> = BTreeMap::new();
    for (token, value, key) in tokens {
        let id = vocabulary
            .id(token)
            .unwrap_or_else(|| panic!("no token {token}"));
        let features = features.entry(id).or_default();
        (features[VALUE], features[KEY]) = (*value, *key);
    }
    let first = vocabulary.id("[CLS]").unwrap();
    features.entry(first).or_default()[QUERY] = 1.0;

    let config = TransformerConfig {
        width: WIDTH,
        heads: 1,
        blocks: 1,
        token_types: 0,
        scaled_attention: false,
        feed_forward: None,
        embedding_norm: None,
        norm: NormConfig {
            scale: NormScale::RootMeanSquare(1e12),
            affine: true,
            plus_one: false,
            unshifted: false,
        },
        norm_placement: NormPlacement::After,
        pooler: None,
        ..TransformerConfig::bert(
            vocabulary.vocabulary_size(),
            ["negative", "positive"].map(String::from).to_vec(),
        )
    };
    filled(&config, &Device::flex(), |name, shape| {
        let mut numbers = vec![0.0; shape.iter().product()];
        let mut set = |input: usize, output: usize, value: f64| {
            numbers[input * shape[1] + output] = value as f32;
        };
        match name {
            "embeddings.word.weight" => {
                for (id, features) in &features {
                    for (feature, value) in features.iter().enumerate() {
                        set(*id as usize, feature, *value);
                    }
                }
            }
            "encoder.0.attention.query.weight" => set(QUERY, KEY, beta),
            "encoder.0.attention.key.weight" => set(KEY, KEY, 1.0),
            "encoder.0.attention.value.weight" => set(VALUE, OUTPUT, 1.0),
            "encoder.0.attention.output.weight" => set(OUTPUT, OUTPUT, 1.0),
            // Undoes the scale of a norm whose epsilon is 1e12.
            "encoder.0.attention_norm.gamma" => numbers.fill(1e6),
            "classifier.weight" => set(OUTPUT, 1, U),
            "classifier.bias" => numbers[1] = B as f32,
            _ => {}
        }
        numbers
    })
}

/// A model, a text of it, and what its tokens carry.
struct Case {
    model: Model,
    text: TokenizedText,
    values: Vec<f64>,
    keys: Vec<f64>,
    beta: f64,
}

impl Case {
    fn new(beta: f64, tokens: &[(&str, f64, f64)], text: &str) -> Self {
        let model = white_box(beta, tokens);
        let text = model
            .tokenizer()
            .unwrap()
            .encode(text, 64, Default::default())
            .unwrap();
        let of = |carried: fn(&(&str, f64, f64)) -> f64| {
            let tokens_of_text = text.tokens.iter();
            tokens_of_text
                .map(|token| {
                    tokens
                        .iter()
                        .find(|t| t.0 == token.text)
                        .map_or(0.0, carried)
                })
                .collect()
        };
        let (values, keys) = (of(|t| t.1), of(|t| t.2));
        let case = Self {
            model,
            text,
            values,
            keys,
            beta,
        };
        assert!(
            (case.f() - case.logit()).abs() < 1e-5,
            "the model is not what it should be"
        );
        case
    }

    /// What [CLS] takes of each token.
    fn p(&self) -> Vec<f64> {
        let weights = self.keys.iter().map(|key| (self.beta * key).exp());
        let weights: Vec<f64> = weights.collect();
        let sum: f64 = weights.iter().sum();
        weights.iter().map(|weight| weight / sum).collect()
    }

    /// sum_i p_i v_i
    fn mixed(&self) -> f64 {
        self.p().iter().zip(&self.values).map(|(p, v)| p * v).sum()
    }

    fn f(&self) -> f64 {
        U * self.mixed() + B
    }

    fn logit(&self) -> f64 {
        let explainer = relprop_testing::explainer(&self.model, "ah-ln");
        let explainer = explainer.target(Target::Label(1)).unwrap();
        let explanation = explainer.explain_batch(std::slice::from_ref(&self.text));
        explanation.unwrap()[0].target.value.into()
    }

    fn n(&self) -> usize {
        self.values.len()
    }

    /// One number for each token.
    fn each(&self, number: impl Fn(usize) -> f64) -> Vec<f64> {
        (0..self.n()).map(number).collect()
    }

    fn relevance(&self, method: &str) -> Vec<f64> {
        let method = relprop_testing::method(method, &self.model, 0).unwrap();
        let found = method.relevance(&[&self.text], 1).unwrap();
        found[0].iter().copied().map(f64::from).collect()
    }

    fn assert(&self, method: &str, expected: &[f64]) {
        let found = self.relevance(method);
        let close = found
            .iter()
            .zip(expected)
            .all(|(a, b)| (a - b).abs() < 2e-5);
        assert!(close, "{method}: {found:.5?} instead of {expected:.5?}");
    }
}

const LEXICON: [(&str, f64, f64); 6] = [
    ("warm", 1.5, 0.0),
    ("funny", 2.0, 0.0),
    ("dull", -2.5, 0.0),
    ("film", 0.25, 0.0),
    ("[SEP]", 0.1, 0.0),
    ("never", -0.75, 0.0),
];

/// Uniform attention and a linear head: the logit is the mean of a lexicon's values.
fn lexicon() -> Case {
    let case = Case::new(0.0, &LEXICON, "a warm , funny film that never gets dull");
    assert!(case.values.iter().filter(|v| **v != 0.0).count() == 6);
    case
}

/// In a sum, each term's part is the term: whoever splits the logit up must find u v_i / n.
#[rstest]
#[case("gradient-x-input")]
#[case("ah")]
#[case("ln")]
#[case("ah-ln")]
#[case("libra")]
#[case("epsilon")]
#[case("integrated-gradients:baseline=zero")]
#[case("integrated-gradients:steps=1:baseline=zero")]
#[case("occlusion")]
fn additive_models_are_split_into_their_terms(#[case] method: &str) {
    let case = lexicon();
    let n = case.n() as f64;
    case.assert(method, &case.each(|i| U * case.values[i] / n));
}

/// The same, where special tokens are no players, or stay in the baseline.
#[rstest]
#[case("shapley")]
#[case("shapley:exact=1:samples=1")]
#[case("integrated-gradients:baseline=pad")]
#[case("integrated-gradients:baseline=unk")]
fn special_tokens_get_nothing_where_they_stay(#[case] method: &str) {
    let case = lexicon();
    let n = case.n() as f64;
    let expected = case.each(|i| match case.text.tokens[i].special {
        true => 0.0,
        false => U * case.values[i] / n,
    });
    case.assert(method, &expected);
}

/// Against the mean embedding, a token's part is how far it is from the mean.
#[test]
fn the_mean_baseline_measures_from_the_mean() {
    let case = lexicon();
    let n = case.n() as f64;
    let vocabulary = case.model.transformer.config().vocabulary() as f64;
    let mean = LEXICON.iter().map(|token| token.1).sum::<f64>() / vocabulary;
    let expected = case.each(|i| match case.text.tokens[i].special {
        true => 0.0,
        false => U * (case.values[i] - mean) / n,
    });
    case.assert("integrated-gradients:baseline=mean", &expected);
}

/// The bias belongs to no token; FullGrad puts it where it is added, at the pooled one.
#[test]
fn full_grad_adds_the_bias_at_the_first_token() {
    let case = lexicon();
    let n = case.n() as f64;
    let mut expected = case.each(|i| U * case.values[i] / n);
    expected[0] += B;
    case.assert("full-grad", &expected);
    case.assert("full-grad:rules=libra", &expected);
    let method = FullGrad::new(
        &relprop_testing::shared(&case.model),
        &FullGradParameters::default(),
    )
    .unwrap();
    let found = method.explain(&[&case.text], 1).unwrap();
    assert!(found[0].error.abs() < 1e-5);
}

/// AttnLRP gives half of a product to the attention weights, and constant scores keep it.
#[test]
fn attn_lrp_loses_half_where_scores_are_constant() {
    let case = lexicon();
    let n = case.n() as f64;
    case.assert("attn-lrp", &case.each(|i| U * case.values[i] / n / 2.0));
}

/// The gradient of a linear model is the same at every token: it says nothing about any.
#[rstest]
#[case("saliency")]
#[case("smooth-grad")]
fn slopes_do_not_tell_the_terms_of_a_sum_apart(#[case] method: &str) {
    let case = lexicon();
    let slope = U / case.n() as f64;
    // The residual connection takes what the first token has in the output's feature to the logit:
    // nothing, but it has a slope, and that is longer than all others.
    let first = slope.hypot(U);
    case.assert(method, &case.each(|i| if i == 0 { first } else { slope }));
}

/// Attention is uniform whatever the values are.
#[rstest]
#[case("attention-last", 1.0)]
#[case("attention-rollout", 1.0)]
#[case("attention-flow", 1.0)]
fn attention_is_blind_to_values(#[case] method: &str, #[case] each: f64) {
    let case = lexicon();
    case.assert(method, &case.each(|_| each));
}

/// Only the first token's query reaches the logit. Attention times gradient is u p_i v_i there, and
/// the positive part leaves out all evidence against.
#[test]
fn positive_parts_lose_the_evidence_against() {
    let case = lexicon();
    let n = case.n() as f64;
    let picked = case.each(|i| (U * case.values[i] / n).max(0.0));
    let largest = picked.iter().copied().fold(0.0, f64::max);
    case.assert("gae", &case.each(|i| picked[i] / largest));

    // Rollout: the first row is (picked + I) / sum, all others are I.
    let sum = 1.0 + picked.iter().sum::<f64>();
    let expected = case.each(|i| match i {
        0 => 0.0,
        _ => picked[i] / sum + 1.0,
    });
    case.assert("grad-rollout", &expected);
}

/// R^A is half the share of a token in the sum and the gradient is u v_i: their product is a square,
/// so the evidence against is taken for evidence.
#[test]
fn chefer_takes_the_evidence_against_for_evidence() {
    let case = lexicon();
    assert!(case.mixed() > 0.0);
    let p = case.p();
    let picked = case.each(|i| {
        let share = p[i] * case.values[i] / case.mixed();
        0.5 * share * U * case.values[i]
    });
    let sum = 1.0 + picked.iter().sum::<f64>();
    let expected = case.each(|i| if i == 0 { 0.0 } else { picked[i] / sum });
    case.assert("chefer", &expected);
    let dull = case
        .text
        .tokens
        .iter()
        .position(|t| t.text == "dull")
        .unwrap();
    let found = case.relevance("chefer");
    assert!(found.iter().all(|r| *r <= found[dull]), "{found:?}");
}

/// Attention that is certain: all of it goes to one token.
fn certain() -> Case {
    let tokens = [("warm", 1.5, 0.0), ("film", 2.0, 1.0), ("dull", -2.5, 0.0)];
    let case = Case::new(60.0, &tokens, "a warm , dull film");
    assert!((case.f() - (U * 2.0 + B)).abs() < 1e-9);
    case
}

fn at(case: &Case, token: &str) -> usize {
    let mut tokens = case.text.tokens.iter();
    tokens.position(|t| t.text == token).unwrap()
}

/// A softmax that is certain has no slope: the one token has it all, by value and by slope.
#[rstest]
#[case("gradient-x-input", U * 2.0)]
#[case("ah", U * 2.0)]
#[case("ln", U * 2.0)]
#[case("ah-ln", U * 2.0)]
#[case("libra", U * 2.0)]
#[case("attn-lrp", U)]
#[case("gae", 1.0)]
fn certain_attention_gives_everything_to_one_token(#[case] method: &str, #[case] all: f64) {
    let case = certain();
    let film = at(&case, "film");
    case.assert(method, &case.each(|i| if i == film { all } else { 0.0 }));
}

#[test]
fn saliency_sees_the_one_token_and_the_residual_connection() {
    let case = certain();
    let film = at(&case, "film");
    case.assert(
        "saliency",
        &case.each(|i| if i == 0 || i == film { U } else { 0.0 }),
    );
}

#[test]
fn certain_attention_is_where_attention_is_an_explanation() {
    let case = certain();
    let (film, n) = (at(&case, "film"), case.n() as f64);
    // The first query is certain; all others ask for nothing, so they look everywhere alike.
    let others = (n - 1.0) / n;
    let expected = case.each(|i| if i == film { 1.0 + others } else { others });
    case.assert("attention-last", &expected);
    // Half of each row is the residual connection; each token but the first keeps its own.
    let expected = case.each(|i| {
        let own = 0.5;
        own + 0.5 * others + if i == film { 0.5 } else { 0.0 }
    });
    case.assert("attention-rollout", &expected);
}

/// Take the one token away, and the model looks elsewhere: what it then finds is not nothing. So
/// occlusion is not the value, and it is exact about what it says. Take the query away, and it looks
/// everywhere.
#[test]
fn occlusion_counts_what_takes_the_place() {
    let case = certain();
    let film = at(&case, "film");
    let n = case.n() as f64;
    let elsewhere = (1.5 - 2.5) / n;
    let everywhere = (1.5 + 2.0 - 2.5) / n;
    let mut expected = case.each(|_| 0.0);
    expected[film] = U * (2.0 - elsewhere);
    expected[0] = U * (2.0 - everywhere);
    case.assert("occlusion", &expected);
}

/// A lookup by key that is not certain.
fn lookup() -> Case {
    let tokens = [
        ("warm", 1.5, 1.0),
        ("film", 2.0, 0.3),
        ("dull", -2.5, -0.4),
        ("funny", 0.5, 0.0),
        ("[SEP]", 0.2, 0.1),
    ];
    Case::new(1.7, &tokens, "a warm , dull film funny")
}

/// The AH-rule: what the head takes of each token.
#[rstest]
#[case("ah")]
#[case("ah-ln")]
#[case("libra")]
fn constant_weights_give_each_token_what_is_taken_of_it(#[case] preset: &str) {
    let case = lookup();
    let p = case.p();
    case.assert(preset, &case.each(|i| U * p[i] * case.values[i]));
}

/// How the logit changes with the score of a token, times the score: u p_i (v_i - y) s_i.
fn through_scores(case: &Case) -> Vec<f64> {
    let (p, y) = (case.p(), case.mixed());
    case.each(|i| U * p[i] * (case.values[i] - y) * case.beta * case.keys[i])
}

/// Gradient x Input counts the scores twice, at the keys and at the query: it is off by twice the
/// covariance of scores and values (Ali et al. 2022, Proposition 3.1).
#[rstest]
#[case("gradient-x-input")]
#[case("ln")]
fn plain_gradients_break_conservation_by_the_covariance(#[case] preset: &str) {
    let case = lookup();
    let (p, scores) = (case.p(), through_scores(&case));
    let mut expected = case.each(|i| U * p[i] * case.values[i] + scores[i]);
    expected[0] += scores.iter().sum::<f64>();
    case.assert(preset, &expected);

    let mean_score: f64 = case.each(|i| p[i] * case.beta * case.keys[i]).iter().sum();
    let covariance = case.each(|i| {
        let score = case.beta * case.keys[i];
        p[i] * (score - mean_score) * (case.values[i] - case.mixed())
    });
    let covariance: f64 = covariance.iter().sum();
    let sum: f64 = case.relevance(preset).iter().sum();
    assert!((sum - U * case.mixed() - 2.0 * U * covariance).abs() < 1e-5);
    assert!(covariance.abs() > 0.1);
}

/// AttnLRP: half by value, a quarter at the keys, a quarter at the query.
#[test]
fn attn_lrp_gives_a_quarter_to_keys_and_to_the_query() {
    let case = lookup();
    let (p, scores) = (case.p(), through_scores(&case));
    let mut expected = case.each(|i| U * p[i] * case.values[i] / 2.0 + scores[i] / 4.0);
    expected[0] += scores.iter().sum::<f64>() / 4.0;
    case.assert("attn-lrp", &expected);
}

/// The slope of value, key and query together.
#[test]
fn saliency_is_the_length_of_all_slopes() {
    let case = lookup();
    let (p, y) = (case.p(), case.mixed());
    let of_key = |i: usize| U * p[i] * (case.values[i] - y) * case.beta;
    let of_query: f64 = case.each(|i| of_key(i) * case.keys[i]).iter().sum();
    let expected = case.each(|i| {
        // At the first token the query and, by the residual connection, the output's feature too.
        let of_first = if i == 0 { of_query.hypot(U) } else { 0.0 };
        (U * p[i]).hypot(of_key(i)).hypot(of_first)
    });
    case.assert("saliency", &expected);
}

/// Of two tokens of one value, the one whose key fits holds more, for every method that looks at
/// attention weights or at what flows through them.
#[test]
fn the_token_whose_key_fits_holds_more() {
    let tokens = [("warm", 1.0, 1.0), ("film", 1.0, 0.0), ("dull", -1.0, 0.0)];
    let case = Case::new(2.0, &tokens, "film warm dull");
    let (warm, film) = (at(&case, "warm"), at(&case, "film"));
    let methods = [
        "ah-ln",
        "libra",
        "gradient-x-input",
        "attn-lrp",
        "saliency",
        "smooth-grad:noise=0.01",
        "occlusion",
        "shapley",
        "integrated-gradients",
        "full-grad",
        "attention-last",
        "attention-rollout",
        "attention-flow",
        "grad-rollout",
        "gae",
        "chefer",
    ];
    for method in methods {
        let found = case.relevance(method);
        assert!(found[warm] > found[film] + 1e-3, "{method}: {found:?}");
    }
}

/// Whatever the model, integrated gradients and Shapley values sum to the difference of two logits.
#[test]
fn complete_methods_stay_complete_in_a_lookup() {
    let case = lookup();
    let parameters = IntegratedGradientsParameters {
        steps: 50,
        baseline: Baseline::Zero,
    };
    let method =
        IntegratedGradients::new(&relprop_testing::shared(&case.model), parameters).unwrap();
    let found = method.explain(&[&case.text], 1).unwrap();
    let Accounted { relevance, error } = &found[0];
    let sum: f64 = relevance.iter().copied().map(f64::from).sum();
    // At zero there is the bias alone.
    assert!(
        (sum - (case.f() - B)).abs() < 1e-4 && error.abs() < 1e-4,
        "{sum} {error}"
    );

    // With all words unknown, there is what [CLS] and [SEP] hold.
    let n = case.n() as f64;
    let of_separator = (case.beta * 0.1).exp();
    let nothing = U * of_separator * 0.2 / (n - 1.0 + of_separator) + B;
    let sum: f64 = case.relevance("shapley").iter().sum();
    assert!((sum - (case.f() - nothing)).abs() < 1e-4, "{sum}");
}
