//! The methods on gradients, against differences of logits in f64.

use relprop_explain::{
    methods::Baseline, methods::FullGrad, methods::FullGradParameters,
    methods::IntegratedGradients, methods::IntegratedGradientsParameters, methods::SmoothGrad,
    methods::SmoothGradParameters,
};
use rstest::rstest;

use crate::support::{Double, alone, encode, logit, of_text};
use relprop_testing::{Architecture, difference, draw_config, model, parameters, random};

const SITES: [&str; 2] = ["blocks", "embeddings.word"];

#[rstest]
fn saliency_is_the_length_of_the_slope(
    #[values(Architecture::PostNorm, Architecture::PreNorm)] architecture: Architecture,
    #[values(0, 1)] site: usize,
) {
    let model = model(&architecture.config());
    let text = encode(&model, "warm dull");
    let twin = Double::new(&model, &text, 1);
    let (signal, shape) = twin.signal(SITES[site]);
    let slopes = (0..signal.len()).map(|place| {
        let mut direction = vec![0.0; signal.len()];
        direction[place] = 1.0;
        twin.derivative(SITES[site], &signal, &direction, shape)
    });
    let slopes: Vec<f64> = slopes.collect();
    let norms = slopes
        .chunks(shape[2])
        .map(|slope| slope.iter().map(|x| x * x).sum::<f64>().sqrt());
    let method = relprop_explain::methods::Saliency::new(&relprop_testing::shared(&model));
    let found = of_text(&method.at(SITES[site]).unwrap(), &text, 1);
    let error = difference(&found, &norms.collect::<Vec<_>>());
    assert!(error < 1e-4, "{error:.1e}");
}

/// The baseline of each kind, token by token, from the signals of other texts.
fn baseline(kind: Baseline, model: &relprop_checkpoints::Model, site: &str) -> Vec<f64> {
    let text = encode(model, "warm dull");
    let replaced = |token: &str| {
        let mut text = text.clone();
        for token_of_text in text.tokens.iter_mut().filter(|token| !token.special) {
            token_of_text.id = model.tokenizer().unwrap().id(token).unwrap();
        }
        Double::new(model, &text, 0).signal(site).0
    };
    match kind {
        Baseline::Zero => vec![0.0; Double::new(model, &text, 0).signal(site).0.len()],
        Baseline::Pad => replaced("[PAD]"),
        Baseline::Unk => replaced("[UNK]"),
        // The word embeddings and their mean, straight from the parameters.
        Baseline::Mean => {
            let table = &parameters(&model.transformer)["embeddings.word.weight"];
            let width = model.transformer.config().width;
            let rows = table.len() / width;
            let mean: Vec<f64> = (0..width)
                .map(|feature| {
                    let column = table.iter().skip(feature).step_by(width);
                    column.sum::<f64>() / rows as f64
                })
                .collect();
            let words = text.tokens.iter().flat_map(|token| match token.special {
                true => table[token.id as usize * width..][..width].to_vec(),
                false => mean.clone(),
            });
            words.collect()
        }
    }
}

/// The integral by the midpoint rule, token by token.
#[rstest]
#[case(Baseline::Zero, "blocks")]
#[case(Baseline::Pad, "blocks")]
#[case(Baseline::Unk, "embeddings.word")]
#[case(Baseline::Mean, "embeddings.word")]
fn integrated_gradients_are_the_integral(#[case] kind: Baseline, #[case] site: &str) {
    let model = model(&Architecture::PostNorm.config());
    let text = encode(&model, "warm dull");
    let twin = Double::new(&model, &text, 2);
    let (signal, shape) = twin.signal(site);
    let start = baseline(kind, &model, site);
    let [_, tokens, features] = shape;

    let steps = 200;
    let mut expected = vec![0.0; tokens];
    for step in 0..steps {
        let place = (f64::from(step) + 0.5) / f64::from(steps);
        let point: Vec<f64> = signal
            .iter()
            .zip(&start)
            .map(|(x, b)| b + place * (x - b))
            .collect();
        for (token, sum) in expected.iter_mut().enumerate() {
            let mut direction = vec![0.0; signal.len()];
            for place in token * features..(token + 1) * features {
                direction[place] = signal[place] - start[place];
            }
            *sum += twin.derivative(site, &point, &direction, shape) / f64::from(steps);
        }
    }

    let parameters = IntegratedGradientsParameters {
        steps: 60,
        baseline: kind,
    };
    let method = IntegratedGradients::new(&relprop_testing::shared(&model), parameters).unwrap();
    let method = method.at(site).unwrap();
    let found = of_text(&method, &text, 2);
    let error = difference(&found, &expected);
    assert!(error < 1e-3, "{error:.1e}");

    // What it sums to, and the reported error, from the ends of the path.
    let sum: f64 = found.iter().sum();
    let ends = twin.logit(site, signal, shape) - twin.logit(site, start, shape);
    let reported = method.explain(&[&text], 2).unwrap()[0].error;
    assert!((ends - sum - reported).abs() < 1e-4 * ends.abs().max(1.0));
    assert!(reported.abs() < 1e-3 * ends.abs().max(1.0), "{reported}");
}

#[test]
fn integrated_gradients_are_complete_on_models_of_all_shapes() {
    for seed in 0..8 {
        let model = random(&draw_config(seed), 0.2, seed);
        let text = encode(&model, "a warm , funny film");
        let run = |steps| {
            let parameters = IntegratedGradientsParameters {
                steps,
                baseline: Baseline::Unk,
            };
            let method =
                IntegratedGradients::new(&relprop_testing::shared(&model), parameters).unwrap();
            method.explain(&[&text], 1).unwrap().remove(0)
        };
        let whole = logit(&model, &text, 1);
        let none =
            crate::support::logit_hidden(&model, &text, |place| !text.tokens[place].special, 1);
        let [few, many] = [4, 200].map(run);
        let sum: f64 = many.relevance.iter().copied().map(f64::from).sum();
        let scale = whole.abs().max(none.abs()).max(1.0);
        assert!(
            (whole - none - sum - many.error).abs() < 1e-4 * scale,
            "seed {seed}"
        );
        // Some models are not smooth (ReLU, norms near 0), but more steps never end up far worse.
        assert!(
            many.error.abs() < few.error.abs().max(1e-3 * scale),
            "seed {seed}"
        );
    }
}

#[test]
fn smooth_grad_without_noise_is_saliency() {
    let model = model(&Architecture::PostNorm.config());
    let text = encode(&model, "a warm , funny film");
    let smooth = alone(&model, "smooth-grad:noise=0:samples=3", &text, 1);
    let saliency = alone(&model, "saliency", &text, 1);
    assert!(difference(&smooth, &saliency) < 1e-5);
}

#[test]
fn smooth_grad_settles_as_samples_grow() {
    let model = model(&Architecture::PostNorm.config());
    let text = encode(&model, "a warm , funny film");
    let run = |samples, seed| {
        let parameters = SmoothGradParameters {
            samples,
            noise: 0.05,
            seed,
        };
        of_text(
            &SmoothGrad::new(&relprop_testing::shared(&model), parameters).unwrap(),
            &text,
            1,
        )
    };
    let apart = |samples| {
        let pairs = [(0, 1), (2, 3), (4, 5), (6, 7)];
        let apart = pairs.map(|(a, b)| difference(&run(samples, a), &run(samples, b)));
        apart.iter().sum::<f64>()
    };
    // The spread of a mean falls with the root of the number of samples: to a quarter here.
    let (few, many) = (apart(5), apart(80));
    assert!(many < 0.5 * few && many > 0.1 * few, "{few} {many}");
}

/// Where a linear map or a norm adds something, and what: from the parameters, by name.
fn added(model: &relprop_checkpoints::Model) -> Vec<(String, Vec<f64>)> {
    let parameters = parameters(&model.transformer);
    let sites = model.transformer.sites().into_iter();
    let after = sites.skip_while(|site| site.name != "blocks");
    after
        .filter_map(|site| {
            let module = site.name.replace('-', "_").replace(".norm", "_norm");
            let part = match site.operation? {
                "linear" => "bias",
                "norm" => "beta",
                _ => return None,
            };
            let added = parameters.get(&format!("{module}.{part}"))?;
            Some((site.name, added.clone()))
        })
        .collect()
}

/// Gradient x Input and every bias, from differences: how the logit moves when the signal of one
/// token moves along itself, or along the bias that was added there.
#[test]
fn full_grad_is_what_signals_and_biases_hold() {
    let model = model(&Architecture::PostNorm.config());
    let text = encode(&model, "warm dull");
    let twin = Double::new(&model, &text, 0);
    let along = |site: &str, direction: &dyn Fn(usize) -> Vec<f64>| {
        let (signal, shape) = twin.signal(site);
        let [_, tokens, features] = shape;
        let held = (0..tokens).map(|token| {
            let mut whole = vec![0.0; signal.len()];
            whole[token * features..][..features].copy_from_slice(&direction(token));
            twin.derivative(site, &signal, &whole, shape)
        });
        held.collect::<Vec<_>>()
    };
    let (signal, [_, _, features]) = twin.signal("blocks");
    let mut expected = along("blocks", &|token| {
        signal[token * features..][..features].to_vec()
    });
    let biases = added(&model);
    // Two blocks of six maps and two norms; pooler and classifier.
    assert_eq!(biases.len(), 2 * 8 + 2);
    for (site, bias) in biases {
        for (token, held) in along(&site, &|_| bias.clone()).into_iter().enumerate() {
            expected[token] += held;
        }
    }
    let found = alone(&model, "full-grad", &text, 0);
    let error = difference(&found, &expected);
    assert!(error < 1e-4, "{error:.1e}");
}

#[test]
fn full_grad_is_complete_under_libra_and_says_what_is_missing_elsewhere() {
    for seed in 0..12 {
        let model = random(&draw_config(seed), 0.3, seed);
        let text = encode(&model, "a warm , funny film");
        let logit = logit(&model, &text, 1);
        for rules in ["libra", "ah-ln", "gradient-x-input"] {
            let rules = rules.to_owned();
            let method = FullGrad::new(
                &relprop_testing::shared(&model),
                &FullGradParameters {
                    rules: rules.clone(),
                },
            );
            let found = method.unwrap().explain(&[&text], 1).unwrap();
            let held = found[0].relevance.iter().copied().map(f64::from);
            let size: f64 = held.clone().map(f64::abs).sum::<f64>().max(1.0);
            let error = logit - held.sum::<f64>();
            assert!((error - found[0].error).abs() < 1e-4 * size);
            if rules == "libra" {
                assert!(error.abs() < 1e-4 * size, "seed {seed}: {error}");
            }
        }
    }
}

#[test]
fn full_grad_refuses_rules_under_which_a_bias_has_no_share() {
    let model = model(&Architecture::PostNorm.config());
    let rules = "epsilon".to_owned();
    let error = FullGrad::new(
        &relprop_testing::shared(&model),
        &FullGradParameters { rules },
    )
    .unwrap_err();
    let message = error.to_string();
    assert!(
        message.contains("`encoder.0.attention.query`") && message.contains("libra"),
        "{message}"
    );
}
