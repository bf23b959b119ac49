//! Whole models with random parameters: a rule set changes what flows back and nothing else, and
//! neither the batch, nor padding, nor training leaves a trace in an explanation.

use burn::tensor::Device;
use relprop_checkpoints::Model;
use relprop_explain::Target;
use relprop_rules::{Pass, Registry, RuleSet};
use relprop_testing::{
    ARCHITECTURES, Architecture, Asked, difference, explain_together, explainer, logits, model,
    model_on, numbers, relevance, texts,
};
use relprop_transformer::{Batch, PaddingSide, TransformerConfig};
use rstest::rstest;

fn batch(model: &Model, texts: &[String], side: PaddingSide) -> Batch {
    let encode = |text: &String| {
        model
            .tokenizer()
            .unwrap()
            .encode(text, 64, Default::default())
            .unwrap()
    };
    let texts: Vec<_> = texts.iter().map(encode).collect();
    Batch::new(&texts, 0, side, &model.transformer.device())
}

/// A model computes less where only one token of each text is read and nobody looks on.
#[rstest]
fn looking_at_the_last_block_changes_nothing(
    #[values(
        Architecture::PostNorm,
        Architecture::PreNorm,
        Architecture::AttentionOnly
    )]
    architecture: Architecture,
    #[values(PaddingSide::Left, PaddingSide::Right)] side: PaddingSide,
) {
    let model = model(&architecture.config());
    let batch = batch(&model, &texts(), side);
    let sites = model.transformer.sites();
    let last = model.transformer.boundaries().pop().unwrap();
    for preset in RuleSet::presets() {
        let rules = RuleSet::preset(preset).unwrap();
        let rules = rules.bind(&sites, &Registry::default()).unwrap();
        let explained = |mut pass: Pass| {
            let logits = model.transformer.forward(&batch, &mut pass);
            let target = logits.clone().slice([0..batch.spans.len(), 1..2]).sum();
            let relevance = pass.backward(target).take::<3>("blocks").unwrap();
            (numbers(logits), numbers(relevance))
        };
        let alone = explained(Pass::new(&rules).with_probe("blocks"));
        let watched = Pass::new(&rules).with_probe("blocks").with_probe(&last);
        let watched = explained(watched);
        assert!(difference(&alone.0, &watched.0) < 1e-5, "{preset}: logits");
        let error = difference(&alone.1, &watched.1);
        assert!(error < limit(preset), "{preset}: {error:.1e}");
    }
}

/// Both run on a tracked input. Burn computes the softmax of untracked tensors another way, which
/// the next test is about.
#[rstest]
fn no_preset_changes_the_logits_by_a_single_bit(
    #[values(
        Architecture::PostNorm,
        Architecture::PreNorm,
        Architecture::AttentionOnly
    )]
    architecture: Architecture,
) {
    let model = model(&architecture.config());
    let batch = batch(&model, &texts(), PaddingSide::Right);
    let plain = model
        .transformer
        .forward(&batch, &mut Pass::plain().with_probe("blocks"));
    let plain = numbers(plain);
    for preset in RuleSet::presets() {
        let rules = RuleSet::preset(preset).unwrap();
        let rules = rules
            .bind(&model.transformer.sites(), &Registry::default())
            .unwrap();
        let mut pass = Pass::new(&rules).with_probe("blocks");
        assert_eq!(
            numbers(model.transformer.forward(&batch, &mut pass)),
            plain,
            "{preset}"
        );
    }
}

#[rstest]
fn predicting_and_explaining_give_the_same_logits_up_to_rounding(
    #[values(
        Architecture::PostNorm,
        Architecture::PreNorm,
        Architecture::AttentionOnly
    )]
    architecture: Architecture,
) {
    let model = model(&architecture.config());
    let batch = batch(&model, &texts(), PaddingSide::Right);
    let untracked = model.transformer.forward(&batch, &mut Pass::plain());
    let tracked = model
        .transformer
        .forward(&batch, &mut Pass::plain().with_probe("blocks"));
    let error = difference(&numbers(tracked), &numbers(untracked));
    println!("{architecture:?}: {error:.1e}");
    assert!(error < 1e-5, "{error:.1e}");
}

#[rstest]
fn explaining_twice_gives_equal_explanations(
    #[values(
        Architecture::PostNorm,
        Architecture::PreNorm,
        Architecture::AttentionOnly
    )]
    architecture: Architecture,
) {
    let model = model(&architecture.config());
    for preset in RuleSet::presets() {
        let explainer = explainer(&model, preset);
        let text = &texts()[2];
        assert_eq!(
            explainer.explain(text).unwrap(),
            explainer.explain(text).unwrap()
        );
    }
}

fn with_dropout(share: f64) -> TransformerConfig {
    let config = Architecture::PostNorm.config();
    TransformerConfig {
        dropout: share,
        attention_dropout: share,
        ..config
    }
}

#[test]
fn a_model_straight_from_training_is_explained_as_one_at_rest() {
    let device = Device::flex().autodiff();
    let training = model_on(&with_dropout(0.5), &device);
    let resting = model(&with_dropout(0.0));
    for preset in RuleSet::presets() {
        for text in texts() {
            let explain = |model: &Model| explainer(model, preset).explain(&text).unwrap();
            let [first, second, at_rest] = [&training, &training, &resting].map(explain);
            assert_eq!(first, second, "dropout is on");
            let error = difference(&relevance(&first), &relevance(&at_rest))
                .max(difference(&logits(&first), &logits(&at_rest)));
            println!("{preset}: {error:.1e}");
            assert!(error < 1e-6, "{preset}: {error:.1e}");
        }
    }
}

/// The test above would fail if explaining used dropout.
#[test]
fn a_training_pass_does_drop() {
    let model = model_on(&with_dropout(0.5), &Device::flex().autodiff());
    let batch = batch(&model, &texts(), PaddingSide::Right);
    let run = |mut pass| numbers(model.transformer.forward(&batch, &mut pass));
    assert_ne!(run(Pass::training()), run(Pass::training()));
    assert_ne!(run(Pass::training()), run(Pass::plain()));
}

/// How far rounding may carry the relevance of one text in two batches.
///
/// Under `alpha-beta` each linear map hands on alpha + beta = 3 times the absolute relevance, which
/// cancels in the sum over features: what rounding changes grows with it.
fn limit(preset: &str) -> f64 {
    if preset == "alpha-beta" { 1e-4 } else { 1e-5 }
}

#[rstest]
fn a_text_is_explained_alone_as_in_any_batch(
    #[values(
        Architecture::PostNorm,
        Architecture::PreNorm,
        Architecture::AttentionOnly
    )]
    architecture: Architecture,
    #[values(PaddingSide::Right, PaddingSide::Left)] side: PaddingSide,
) {
    let model = model(&architecture.config());
    let texts = texts();
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    let mut worst = 0.0_f64;
    for preset in RuleSet::presets() {
        let explainer = explainer(&model, preset)
            .padding(side)
            .target(Target::Label(1))
            .unwrap();
        let together = explain_together(&explainer, &texts);
        let shuffled = explain_together(&explainer, &[texts[3], texts[0], texts[0]]);
        for (text, found) in texts
            .iter()
            .zip(&together)
            .chain([(&texts[3], &shuffled[0]), (&texts[0], &shuffled[2])])
        {
            let alone = explainer.explain(text).unwrap();
            assert_eq!(alone.text, found.text);
            let error = difference(&relevance(found), &relevance(&alone));
            assert!(
                error < limit(preset),
                "{preset}, {} tokens: {error:.1e}",
                alone.tokens.len()
            );
            let error_of_logits = difference(&logits(found), &logits(&alone));
            assert!(error_of_logits < 1e-5, "{error_of_logits:.1e}");
            worst = worst.max(error);
        }
    }
    println!("{architecture:?}, {side:?}: {worst:.1e}");
}

#[rstest]
fn padding_gets_exactly_nothing(
    #[values(
        Architecture::PostNorm,
        Architecture::PreNorm,
        Architecture::AttentionOnly
    )]
    architecture: Architecture,
    #[values(PaddingSide::Right, PaddingSide::Left)] side: PaddingSide,
    #[values("blocks", "embeddings.word", "encoder.1.attention.value")] site: &str,
) {
    let model = model(&architecture.config());
    let batch = batch(&model, &texts(), side);
    let sites = model.transformer.sites();
    for preset in RuleSet::presets() {
        let rules = RuleSet::preset(preset).unwrap();
        let rules = rules.bind(&sites, &Registry::default()).unwrap();
        let mut pass = Pass::new(&rules).with_probe(site);
        let target = model.transformer.forward(&batch, &mut pass).sum();
        let relevance = pass.backward(target).take::<3>(site).unwrap();
        let [_, positions, features] = relevance.dims();
        for (place, vector) in numbers(relevance).chunks(features).enumerate() {
            let (text, position) = (place / positions, place % positions);
            let padding = !batch.spans[text].contains(&position);
            // Every token of a text does get something, at every one of these sites.
            let nothing = vector.iter().all(|r| *r == 0.0);
            assert_eq!(
                nothing, padding,
                "{preset}: text {text}, position {position}"
            );
        }
    }
    assert!(
        batch.spans.iter().any(|span| span.len() == 3),
        "a text of one word is among them"
    );
}

#[test]
fn sites_have_unique_names_in_the_order_of_computation() {
    for architecture in ARCHITECTURES {
        let sites = model(&architecture.config()).transformer.sites();
        let names: Vec<&str> = sites.iter().map(|site| site.name.as_str()).collect();
        for (place, name) in names.iter().enumerate() {
            assert!(
                !names[..place].contains(name),
                "{architecture:?}: {name} twice"
            );
        }
        let place = |name: &str| {
            let place = names.iter().position(|known| *known == name);
            place.unwrap_or_else(|| panic!("{architecture:?} has no site {name}"))
        };
        let order = [
            "embeddings.word",
            "embeddings.sum",
            "blocks",
            "encoder.0.attention.query",
            "encoder.0.attention.scores",
            "encoder.0.attention.weights",
            "encoder.0.attention.mix",
            "encoder.0.attention.residual",
            "encoder.1.attention.weights",
            "pooling",
            "classifier",
        ]
        .map(place);
        assert!(order.is_sorted(), "{architecture:?}: {order:?}");
    }
}

#[test]
fn sites_are_those_of_the_parts_that_a_model_has() {
    let has = |architecture: Architecture, name: &str| {
        let sites = model(&architecture.config()).transformer.sites();
        sites.iter().any(|site| site.name == name)
    };
    use Architecture::{AttentionOnly, PostNorm, PreNorm};
    for (name, owners) in [
        ("embeddings.norm", &[PostNorm, AttentionOnly][..]),
        ("embeddings.token-type", &[PostNorm, AttentionOnly]),
        ("encoder.1.feed-forward.activation", &[PostNorm, PreNorm]),
        ("encoder.2.attention.weights", &[AttentionOnly]),
        ("final-norm", &[PreNorm]),
        ("pooler.activation", &[PostNorm, AttentionOnly]),
    ] {
        for architecture in ARCHITECTURES {
            let expected = owners.contains(&architecture);
            assert_eq!(
                has(architecture, name),
                expected,
                "{architecture:?}: {name}"
            );
        }
    }
}

#[test]
fn every_operation_of_every_model_has_a_rule_in_every_preset() {
    for architecture in ARCHITECTURES {
        let sites = model(&architecture.config()).transformer.sites();
        for preset in RuleSet::presets() {
            let rules = RuleSet::preset(preset).unwrap();
            let rules = rules.bind(&sites, &Registry::default()).unwrap();
            for site in &sites {
                let has_rule = rules.name(&site.name).is_some();
                assert_eq!(
                    has_rule,
                    site.operation.is_some(),
                    "{preset}: {}",
                    site.name
                );
            }
        }
    }
}

#[rstest]
#[case("encoder.0.attention.weights")]
#[case("encoder.0.attention.mix")]
#[case("pooling")]
#[case("pooler.linear")]
#[case("classifier")]
fn relevance_is_refused_where_there_is_no_vector_a_token(#[case] site: &str) {
    let model = model(&Architecture::PostNorm.config());
    assert_eq!(
        explainer(&model, "ah-ln").at(site).unwrap_err().to_string(),
        format!(
            "relevance cannot be read at `{site}`: its signal does not have one vector a token; \
             `blocks` and `embeddings.word` do"
        )
    );
}

#[test]
fn relevance_is_refused_at_an_unknown_site_with_its_near_misses() {
    let model = model(&Architecture::PostNorm.config());
    let message = explainer(&model, "ah-ln")
        .at("embedding.word")
        .unwrap_err()
        .to_string();
    assert!(
        message.starts_with("`embedding.word` matches no site; did you mean `embeddings.word`"),
        "{message}"
    );
}

#[rstest]
fn relevance_can_be_read_at_every_site_that_is_not_refused(
    #[values(
        Architecture::PostNorm,
        Architecture::PreNorm,
        Architecture::AttentionOnly
    )]
    architecture: Architecture,
) {
    let model = model(&architecture.config());
    let mut read = 0;
    for site in model.transformer.sites() {
        let Ok(explainer) = explainer(&model, "ah-ln").at(&site.name) else {
            continue;
        };
        let explanation = explainer.explain(&texts()[2]).unwrap();
        assert_eq!(explanation.at, site.name);
        assert!(
            explanation
                .tokens
                .iter()
                .all(|token| token.relevance.is_finite())
        );
        read += 1;
    }
    assert!(read > 10, "only {read} sites");
}

#[rstest]
fn a_contrast_is_the_difference_of_its_two_explanations(
    #[values(
        Architecture::PostNorm,
        Architecture::PreNorm,
        Architecture::AttentionOnly
    )]
    architecture: Architecture,
) {
    let model = model(&architecture.config());
    let mut worst = 0.0_f64;
    for preset in RuleSet::presets() {
        for text in texts() {
            let explain = |target| {
                explainer(&model, preset)
                    .target(target)
                    .unwrap()
                    .explain(&text)
                    .unwrap()
            };
            let [a, b] = [2, 0].map(|label| explain(Target::Label(label)));
            let contrast = explain(Target::Contrast(2, 0));
            assert_eq!(contrast.target.label, "positive-negative");
            assert_eq!(contrast.target.value, a.target.value - b.target.value);
            let (a, b) = (relevance(&a), relevance(&b));
            let expected: Vec<f64> = a.iter().zip(&b).map(|(a, b)| a - b).collect();
            worst = worst.max(difference(&relevance(&contrast), &expected));
        }
    }
    println!("{architecture:?}: {worst:.1e}");
    assert!(worst < 1e-5, "{worst:.1e}");
}

#[test]
fn the_predicted_target_is_the_label_of_the_largest_logit() {
    let model = model(&Architecture::PostNorm.config());
    let mut predicted = Vec::new();
    for text in texts() {
        let explanation = explainer(&model, "ah-ln").explain(&text).unwrap();
        let label = explanation
            .labels
            .iter()
            .position(|l| *l == explanation.prediction)
            .unwrap();
        assert!(
            explanation
                .logits
                .iter()
                .all(|logit| *logit <= explanation.logits[label])
        );
        let by_label = explainer(&model, "ah-ln")
            .target(Target::Label(label))
            .unwrap();
        assert_eq!(by_label.explain(&text).unwrap(), explanation);
        predicted.push(label);
    }
    predicted.dedup();
    assert!(predicted.len() > 1, "these texts are all predicted alike");
}
