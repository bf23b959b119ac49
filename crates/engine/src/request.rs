//! What a front end is asked, in words: arguments, a request in JSON and keywords of Python alike.

use std::num::NonZeroUsize;

use relprop_checkpoints::{Input, Model, Truncation};
use relprop_explain::{
    ExplainError, Hypotheses, LRP, Parts, Place, Plan, Sampling, Scalar, Score, Segmentation,
    Target,
};
use relprop_rules::RuleSet;
use relprop_transformer::{Head, Outputs};
use serde::{Deserialize, Serialize};

use crate::rules::{is_rules_file, rules};
use crate::{EngineError, RowKind, Second};

/// The target unless another is asked for.
pub(crate) const PREDICTED: &str = "predicted";

/// Everything that may be asked about texts, with names in the place of indices. A model turns it into a
/// [`Plan`] and a [`RowKind`]. In JSON its fields have the names that a plan has.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Request {
    /// A method of [`relprop_explain::methods`]; propagation if it is none.
    pub method: Option<String>,
    /// The rules of propagation; [`relprop_explain::DEFAULT_RULES`] if they are none.
    pub rules: Option<NamedRules>,
    /// The site at which propagation reads relevance.
    pub at: Option<String>,
    /// Whether propagation accounts for the whole target.
    pub ledger: bool,
    /// Whether propagation runs every block again in the backward pass.
    pub recompute: bool,
    /// What is explained, as the grammar of [`Scalar`] writes it, with names.
    pub target: String,
    /// What the target is compared with.
    pub against: Option<String>,
    /// The token that is asked, counted from 0: a place, if the target has none.
    pub position: Option<usize>,
    /// How often relevance on earlier text of an answer is passed on.
    pub hops: usize,
    /// How the target is measured, if it does not say so.
    pub score: Score,
    /// How texts are cut into segments.
    pub segments: Option<Segmentation>,
    /// What is done to a text that is too long.
    pub truncation: Truncation,
    /// The seed of random numbers, if the method draws any.
    pub seed: u64,
    /// What the model reads after each text.
    pub pair: Option<Second>,
    /// Labels that the model was never trained on, each of which makes a second text.
    pub labels: Vec<String>,
    /// The sentence that a label makes, with `{}` where it stands; [`Hypotheses::TEMPLATE`] if it is none.
    pub template: Option<String>,
    /// Whether several of the labels can be true at once.
    pub several: bool,
    /// The answers of a language model, each explained as a whole; of a model that finds answers, one that
    /// stands in the second text.
    pub answer: Option<Second>,
    /// Whether texts are put through the chat template.
    pub chat: bool,
    /// What is explained where each token has a label.
    pub parts: Parts,
    /// How many tokens a language model adds to each text.
    pub generate: Option<NonZeroUsize>,
    /// How these tokens are drawn; if it is none, each is the likeliest.
    pub sampling: Option<Sampling>,
}

impl Default for Request {
    fn default() -> Self {
        Self {
            method: None,
            rules: None,
            at: None,
            ledger: false,
            recompute: false,
            target: PREDICTED.to_owned(),
            against: None,
            position: None,
            hops: 0,
            score: Score::default(),
            segments: None,
            truncation: Truncation::default(),
            seed: 0,
            pair: None,
            labels: Vec::new(),
            template: None,
            several: false,
            answer: None,
            chat: false,
            parts: Parts::default(),
            generate: None,
            sampling: None,
        }
    }
}

/// A rule set, or the name of one.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum NamedRules {
    /// A preset, or a file that ends in `.toml`.
    Name(String),
    /// The rules themselves.
    Set(RuleSet),
}

impl NamedRules {
    /// The rule set.
    ///
    /// # Errors
    ///
    /// As [`rules`].
    pub fn open(&self) -> Result<RuleSet, EngineError> {
        match self {
            Self::Name(name) => rules(name),
            Self::Set(rules) => Ok(rules.clone()),
        }
    }
}

impl Request {
    /// What is asked of `model`, and what its rows hold.
    ///
    /// # Errors
    ///
    /// If two options exclude each other, if the model has no such target, or cannot be asked this at all.
    /// The rest is refused where an [`Explainer`](relprop_explain::Explainer) is made of the plan.
    pub fn plan(&self, model: &Model) -> Result<(Plan, RowKind), EngineError> {
        self.check(model)?;
        let target = self.scalar(model)?;
        if self.generate.is_some() && !target.of.is_given() {
            // Each token that is written has a target of its own.
            let others = [
                (
                    "target",
                    target.of != Target::Predicted || target.place.is_some(),
                ),
                ("ledger", self.ledger),
                ("hops", self.hops > 0),
            ];
            if let Some((other, _)) = others.into_iter().find(|(_, given)| *given) {
                let one = "generate";
                return Err(EngineError::Apart { one, other });
            }
        }
        let plan = Plan {
            method: other_method(self.method.as_ref())?,
            rules: self.rules.as_ref().map(NamedRules::open).transpose()?,
            at: self.at.clone(),
            ledger: self.ledger,
            recompute: self.recompute,
            target,
            hops: self.hops,
            segments: self.segments.clone(),
            truncation: self.truncation,
            seed: self.seed,
        };
        let content = self.content(model, &plan.target)?;
        Ok((plan, content))
    }

    /// What is explained: the target, with what other options say of it.
    fn scalar(&self, model: &Model) -> Result<Scalar, EngineError> {
        let other = "target";
        let mut scalar = Scalar::read(model, &self.target, self.against.as_deref())
            .map_err(ExplainError::from)?;
        if !self.labels.is_empty() && scalar.of == Target::Predicted {
            let labels = &model.transformer.config().labels;
            let entailment = Hypotheses::entailment(labels);
            scalar.of = entailment.map(Target::Label).ok_or_else(|| {
                let labels = labels.clone();
                ExplainError::NoEntailment { labels }
            })?;
        }
        scalar = scored(scalar, self.score)?;
        if let Some(position) = self.position {
            if scalar.place.is_some() {
                let one = "position";
                return Err(EngineError::Apart { one, other });
            }
            scalar.place = Some(Place::token(position));
        }
        if let Some(answer) = &self.answer {
            let one = "answer";
            if !matches!(scalar.of, Target::Predicted | Target::Given) {
                return Err(EngineError::Apart { one, other });
            }
            scalar.of = Target::Given;
            if finds_answers(model) {
                let Second::Text(answer) = answer else {
                    return Err(EngineError::AnswerColumn);
                };
                if scalar.place.is_some() {
                    return Err(EngineError::Apart { one, other });
                }
                scalar.place = Some(Place::Text {
                    text: answer.clone(),
                    number: None,
                });
            }
        }
        Ok(scalar)
    }

    /// What each row is, for `model`.
    fn content(&self, model: &Model, scalar: &Scalar) -> Result<RowKind, EngineError> {
        if matches!(model.input, Input::Pictures(_)) {
            return Ok(RowKind::Pictures);
        }
        if let Some(tokens) = self.generate {
            let sampling = self.sampling;
            if let Some(sampling) = sampling {
                sampling.check().map_err(ExplainError::from)?;
            }
            let tokens = tokens.get();
            return Ok(match scalar.of.is_given() {
                true => RowKind::Written { tokens, sampling },
                false => RowKind::Prompts { tokens, sampling },
            });
        }
        if let (Some(answer), false) = (&self.answer, finds_answers(model)) {
            return Ok(RowKind::Answered(answer.clone()));
        }
        if !self.labels.is_empty() {
            let template = self.template.as_deref().unwrap_or(Hypotheses::TEMPLATE);
            let hypotheses = Hypotheses {
                labels: self.labels.clone(),
                template: template.to_owned(),
                several: self.several,
            };
            hypotheses.check()?;
            return Ok(RowKind::Hypotheses(hypotheses));
        }
        let second = self.pair.clone();
        Ok(match labels_tokens(model) && scalar.place.is_none() {
            true => RowKind::Labelled {
                second,
                parts: self.parts,
            },
            false => RowKind::Texts { second },
        })
    }

    /// Refuses options that exclude each other, and what the model cannot be asked.
    fn check(&self, model: &Model) -> Result<(), EngineError> {
        let given = [
            ("answer", self.answer.is_some()),
            ("generate", self.generate.is_some()),
            ("pair", self.pair.is_some()),
            ("labels", !self.labels.is_empty()),
            ("chat", self.chat),
            ("position", self.position.is_some()),
        ];
        let is_given = |name: &str| given.iter().any(|(other, on)| *on && *other == name);
        if finds_answers(model) && self.answer.is_some() && self.pair.is_none() {
            return Err(EngineError::NoContext);
        }
        for (one, others) in APART {
            // An answer that a model finds stands in the second text.
            if one == "answer" && finds_answers(model) {
                continue;
            }
            if let (true, Some(other)) = (is_given(one), others.iter().find(|name| is_given(name)))
            {
                return Err(EngineError::Apart { one, other });
            }
        }
        if matches!(model.input, Input::Pictures(_)) {
            let for_texts = ["pair", "labels", "answer", "generate", "chat"].into_iter();
            return match for_texts.into_iter().find(|name| is_given(name)) {
                Some(option) => Err(EngineError::OnlyTexts { option }),
                None => Ok(()),
            };
        }
        let head = model.transformer.config().head;
        if !self.labels.is_empty() && head.outputs() != Outputs::Labels {
            let labels = model.transformer.config().labels.clone();
            return Err(ExplainError::NoEntailment { labels }.into());
        }
        if matches!(head, Head::Vector { .. }) {
            return Err(EngineError::Vector);
        }
        if self.generate.is_some() && !matches!(head, Head::NextToken { .. }) {
            return Err(ExplainError::NoContinuation.into());
        }
        if let (true, Some(tokenizer)) = (self.chat, model.tokenizer()) {
            let checked = tokenizer.check_chat();
            checked.map_err(|error| ExplainError::Text(error.into()))?;
        }
        Ok(())
    }
}

/// The method beside propagation that a name asks for; none if it is propagation.
pub(crate) fn other_method(name: Option<&String>) -> Result<Option<String>, EngineError> {
    let name = name.filter(|name| *name != LRP);
    match name.filter(|name| is_rules_file(name)) {
        Some(file) => Err(ExplainError::RulesAsMethod(file.clone()).into()),
        None => Ok(name.cloned()),
    }
}

/// A target that is measured as `score` says. A target that says it itself must say the same.
pub(crate) fn scored(scalar: Scalar, score: Score) -> Result<Scalar, EngineError> {
    if score == Score::Logit {
        return Ok(scalar);
    }
    if ![Score::Logit, score].contains(&scalar.score) {
        return Err(EngineError::Apart {
            one: "score",
            other: "target",
        });
    }
    Ok(Scalar { score, ..scalar })
}

/// Options that exclude each other.
const APART: [(&str, &[&str]); 4] = [
    (
        "labels",
        &["chat", "pair", "position", "generate", "answer"],
    ),
    ("answer", &["pair", "position", "generate"]),
    ("generate", &["pair", "position"]),
    ("chat", &["pair"]),
];

/// Whether the model finds the answer to a question in a second text.
fn finds_answers(model: &Model) -> bool {
    model.transformer.config().head.outputs() == Outputs::StartAndEnd
}

/// Whether the model has a label for each token of a text.
fn labels_tokens(model: &Model) -> bool {
    model.transformer.config().head.outputs() == Outputs::TokenLabels
}
