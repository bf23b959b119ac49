//! What is kept, cloned and shared: a server holds an explainer in its state, a thread takes a clone of it.

use std::sync::Arc;
use std::thread;

use relprop::checkpoints::{Family, Preprocessor, Tokenizer};
use relprop::data::DataError;
use relprop::evaluate::{Candidate, Metric, Results, Sample};
use relprop::explain::methods::{Method, Propagation};
use relprop::explain::{NotFinite, Sampler, UnknownTarget};
use relprop::rules::{BoundRules, Rule, Site, operations::Linear};
use relprop::train::{TrainConfig, TrainError};
use relprop::transformer::{Batch, TokenizedText, Transformer};
use relprop::{
    CheckpointError, Continuation, EngineError, ExplainError, Explainer, Explanation, Ledger,
    Model, Plan, Registry, RuleError, RuleSet, Sampling, Target, Threads,
};
use relprop_testing::{Architecture, explainer, model};

fn goes_to_threads<T: Send + Sync + 'static + ?Sized>() {}

fn is_cloned<T: Clone + Send + Sync + 'static>() {}

fn is_an_error<T: std::error::Error + Send + Sync + 'static>() {}

/// The compiler decides: a field that is bound to one thread or to a borrowed model is found here.
#[test]
fn what_a_user_keeps_goes_to_threads_and_borrows_nothing() {
    is_cloned::<Model>();
    is_cloned::<Arc<Model>>();
    is_cloned::<Transformer>();
    is_cloned::<Tokenizer>();
    is_cloned::<Preprocessor>();
    is_cloned::<TokenizedText>();
    is_cloned::<Batch>();
    is_cloned::<Plan>();
    is_cloned::<Target>();
    is_cloned::<Sampling>();
    is_cloned::<Explainer>();
    is_cloned::<Explanation>();
    is_cloned::<Continuation>();
    is_cloned::<Ledger>();
    is_cloned::<RuleSet>();
    is_cloned::<BoundRules>();
    is_cloned::<Site>();
    is_cloned::<Results>();
    is_cloned::<Sample>();
    is_cloned::<TrainConfig>();
    goes_to_threads::<Registry>();
    goes_to_threads::<Family>();
    goes_to_threads::<Propagation>();
    goes_to_threads::<Sampler>();
    goes_to_threads::<Threads>();
    goes_to_threads::<Candidate>();
    goes_to_threads::<dyn Method>();
    goes_to_threads::<dyn Metric>();
    goes_to_threads::<dyn Rule<Linear>>();
}

/// `anyhow`, and `?` in a function that returns `Box<dyn Error + Send + Sync>`, take each of them.
#[test]
fn every_error_can_be_handed_on() {
    is_an_error::<CheckpointError>();
    is_an_error::<DataError>();
    is_an_error::<EngineError>();
    is_an_error::<ExplainError>();
    is_an_error::<NotFinite>();
    is_an_error::<RuleError>();
    is_an_error::<TrainError>();
    is_an_error::<UnknownTarget>();
}

#[test]
fn threads_that_share_an_explainer_get_what_one_gets() {
    let explainer = explainer(&model(&Architecture::PostNorm.config()), "attn-lrp");
    let texts = ["a warm , funny film", "dull", "the plot is not funny"];
    let alone = texts.map(|text| explainer.explain(text).unwrap());
    let threads = [0, 1, 2, 3].map(|_| {
        let explainer = explainer.clone();
        thread::spawn(move || texts.map(|text| explainer.explain(text).unwrap()))
    });
    for thread in threads {
        assert_eq!(thread.join().unwrap(), alone);
    }
}
