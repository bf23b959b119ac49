//! A language model that is trained here is saved as a checkpoint of a known family.

use burn::tensor::Device;
use relprop_checkpoints::Model;
use relprop_data::corpus::agreement_corpus;
use relprop_testing::alone;
use relprop_train::{Display, Task, TrainConfig, accuracy, train};
use rstest::rstest;

use crate::language::every_logit;

/// A small model that is trained here, and read again.
#[test]
fn a_language_model_is_trained_and_saved_as_a_llama() {
    let _alone = alone();
    let corpus = agreement_corpus(1000, 0);
    let config = TrainConfig {
        vocabulary: 450,
        width: 32,
        feed_forward: 64,
        epochs: 5,
        learning_rate: 5e-3,
        ..TrainConfig::small_language_model()
    };
    assert_eq!(config.task, Task::NextToken);
    let folder = tempfile::tempdir().unwrap();
    let trained = train(
        &corpus,
        &config,
        folder.path(),
        &Device::flex(),
        Display::Silent,
    );
    let trained = trained.unwrap();
    assert!(trained.dev_accuracy > 0.2, "{}", trained.dev_accuracy);

    let model = Model::load(folder.path(), &Device::flex()).unwrap();
    assert_eq!(model.family.name, "llama");
    let found = accuracy(&model, &corpus.dev, 7).unwrap();
    assert!((found - trained.dev_accuracy).abs() < 1e-2);

    // The same, prefix by prefix.
    let (mut right, mut all) = (0, 0);
    for example in &corpus.dev {
        let whole = model
            .tokenize(&example.text, None, Default::default())
            .unwrap();
        for length in 1..whole.tokens.len() {
            let mut prefix = whole.clone();
            prefix.tokens.truncate(length);
            prefix.types.truncate(length);
            let logits = every_logit(&model, &prefix);
            let best = (0..logits.len()).max_by(|a, b| logits[*a].total_cmp(&logits[*b]));
            all += 1;
            right += usize::from(best == Some(whole.tokens[length].id as usize));
        }
    }
    let expected = right as f64 / all as f64;
    assert!(
        (found - expected).abs() < 2.0 / all as f64,
        "{found} and {expected}"
    );
}

#[rstest]
#[case("task = \"next-token\"\narchitecture = \"pre-norm\"", "architecture")]
#[case("task = \"next-token\"\nembeddings = \"x\"", "embeddings")]
#[case("task = \"next\"", "next-token")]
fn a_setting_that_is_not_for_language_models_is_refused(#[case] toml: &str, #[case] named: &str) {
    let message = TrainConfig::from_toml(toml).unwrap_err().to_string();
    assert!(message.contains(named), "{message}");
}
