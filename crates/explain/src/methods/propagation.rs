//! Relevance propagation under a rule set.

use std::sync::{Arc, OnceLock};

use burn::module::Module;
use burn::tensor::{DType, Tensor, TensorData};
use rayon::prelude::*;
use relprop_checkpoints::Model;
use relprop_rules::{BoundRules, Pass, Registry, Relevance, RuleSet};
use relprop_transformer::{Batch, HeadOutput, PaddingSide, Part, TokenizedText, Transformer};

use super::reader::per_token;
use super::{Finding, Method, Question};
use crate::batching::Layout;
use crate::batching::{TOKENS, in_passes};
use crate::ledger_plan::LedgerPlan;
use crate::numbers::numbers;
use crate::score::Scored;
use crate::{Absorbed, DEFAULT_SITE, ExplainError, Ledger, Score, SiteRelevance};

/// Gradient x Input on a network whose backward pass the rules have changed (Ali et al. 2022): how much
/// of the target each token carries, in one forward and one backward pass.
///
/// ```text
/// R(x) = x * d target / dx,    the derivative as the rules say
/// ```
///
/// It is the only method that explains any target and keeps a ledger.
#[derive(Clone, Debug)]
pub struct Propagation {
    model: Arc<Model>,
    rules: BoundRules,
    name: String,
    at: String,
    recompute: bool,
    padding: PaddingSide,
    ledger: Option<LedgerPlan>,
    /// The model in f64, once a ledger has needed it.
    double: Arc<OnceLock<Transformer>>,
}

/// The most numbers that a run keeps for the way back: 4 GiB in f32. Where they would be more, blocks are run again.
const MOST_KEPT: usize = 1 << 30;

impl Propagation {
    /// Propagates through `model` under `rules`, and reads relevance at [`DEFAULT_SITE`].
    ///
    /// # Errors
    ///
    /// If the rule set does not fit the model: see [`RuleSet::bind`].
    pub fn new(
        model: &Arc<Model>,
        rules: &RuleSet,
        registry: &Registry,
    ) -> Result<Self, ExplainError> {
        Ok(Self {
            rules: rules.bind(&model.transformer.sites(), registry)?,
            model: Arc::clone(model),
            name: rules.name.clone(),
            at: DEFAULT_SITE.to_owned(),
            recompute: false,
            padding: PaddingSide::default(),
            ledger: None,
            double: Arc::default(),
        })
    }

    /// Reads relevance at `site` instead.
    ///
    /// # Errors
    ///
    /// If the model has no such site, or the signal there is not one vector a token;
    /// [`ExplainError::Recompute`] if blocks are to be run again.
    pub fn at(mut self, site: &str) -> Result<Self, ExplainError> {
        per_token(&self.model.transformer, site)?;
        if self.recompute && site != DEFAULT_SITE {
            return Err(ExplainError::Recompute);
        }
        site.clone_into(&mut self.at);
        let plan = |_| LedgerPlan::new(&self.model.transformer, &self.at);
        self.ledger = self.ledger.map(plan);
        Ok(self)
    }

    /// Keeps the account of every text: its [`Ledger`]. Texts are then explained one by one. Where the
    /// digits of f32 are too few to close it, the text is explained in f64, if the device has that.
    ///
    /// # Errors
    ///
    /// [`ExplainError::Recompute`] if blocks are to be run again.
    pub fn with_ledger(mut self) -> Result<Self, ExplainError> {
        if self.recompute {
            return Err(ExplainError::Recompute);
        }
        self.ledger = Some(LedgerPlan::new(&self.model.transformer, &self.at));
        Ok(self)
    }

    /// Keeps of the forward run only the inputs of the blocks, and runs each block again on the way
    /// back: less memory, more time, the same relevance up to rounding.
    ///
    /// # Errors
    ///
    /// [`ExplainError::Recompute`] if relevance is not read at [`DEFAULT_SITE`], or with a ledger.
    pub fn recompute(mut self) -> Result<Self, ExplainError> {
        if self.at != DEFAULT_SITE || self.ledger.is_some() {
            return Err(ExplainError::Recompute);
        }
        self.recompute = true;
        Ok(self)
    }

    /// Pads the shorter texts of a batch on this side. The result does not depend on it.
    #[must_use]
    pub fn padding(self, padding: PaddingSide) -> Self {
        Self { padding, ..self }
    }

    /// The rule of every site.
    pub fn bound(&self) -> &BoundRules {
        &self.rules
    }

    /// The site at which relevance is read.
    pub(crate) fn site_name(&self) -> &str {
        &self.at
    }

    /// Explains one text with its ledger. Rules that create relevance of both signs, such as
    /// alpha-beta, can leave entries of many times the target, and their rounding errors are then
    /// too large for f32.
    fn account(
        &self,
        plan: &LedgerPlan,
        text: &TokenizedText,
        from_state: bool,
        score: &Ask,
    ) -> Result<Finding, ExplainError> {
        let transformer = &self.model.transformer;
        let found = self.account_in(transformer, plan, text, from_state, score)?;
        let closes = found.ledger.as_ref().is_some_and(Ledger::closes);
        if closes || !transformer.device().supports_dtype(DType::F64) {
            return Ok(found);
        }
        let double = || transformer.clone().cast(DType::F64);
        self.account_in(
            self.double.get_or_init(double),
            plan,
            text,
            from_state,
            score,
        )
    }

    fn account_in(
        &self,
        transformer: &Transformer,
        plan: &LedgerPlan,
        text: &TokenizedText,
        from_state: bool,
        score: &Ask,
    ) -> Result<Finding, ExplainError> {
        let pass = plan.pass(&self.rules);
        let (mut found, mut recorded) =
            self.run_scored(transformer, &[text], pass, from_state, &|_, numbers| {
                score(numbers)
            })?;
        let mut found = found.remove(0);
        let mut ledger = plan.ledger(&mut recorded, found.relevance.clone())?;
        if !from_state {
            let scored = score(&found.logits);
            let lost = scored.absorbed.iter().filter(|lost| lost.amount != 0.0);
            let lost: Vec<Absorbed> = lost
                .map(|lost| Absorbed {
                    site: lost.site.to_owned(),
                    operation: None,
                    kind: lost.kind.to_owned(),
                    relevance: -lost.amount,
                })
                .collect();
            if !lost.is_empty() {
                ledger.enter(scored.value, lost);
            }
        }
        found.ledger = Some(ledger);
        Ok(found)
    }

    /// About how many numbers a run keeps for the way back: what each block makes of each token, and of each pair.
    fn kept(&self, texts: &[&TokenizedText]) -> usize {
        let config = self.model.transformer.config();
        let longest = texts.iter().map(|text| text.tokens.len()).max();
        let longest = longest.unwrap_or_default();
        let inner = config.feed_forward.map_or(0, |part| part.width);
        let of_token = 8 * config.width + 4 * inner + 3 * config.heads * longest;
        config.all_blocks() * texts.len() * longest * of_token
    }

    /// The model that is explained.
    pub(crate) fn model(&self) -> &Arc<Model> {
        &self.model
    }

    /// What it finds for the target that `score` makes of the numbers that the head gives for a text, by its index.
    pub(crate) fn find_scored(
        &self,
        texts: &[&TokenizedText],
        score: &dyn Fn(usize, &[f32]) -> Scored,
    ) -> Result<Vec<Finding>, ExplainError> {
        if let Some(plan) = &self.ledger {
            let each = texts.iter().enumerate();
            let account = |(index, text): (usize, &&TokenizedText)| {
                self.account(plan, text, false, &|numbers| score(index, numbers))
            };
            return each.map(account).collect();
        }
        let longest = texts.iter().map(|text| text.tokens.len()).max();
        let most = (TOKENS / longest.unwrap_or(1).max(1)).max(1);
        let mut found = Vec::with_capacity(texts.len());
        for (number, of_pass) in texts.chunks(most).enumerate() {
            let pass = Pass::new(&self.rules).with_probe(&self.at);
            let score = |index: usize, numbers: &[f32]| score(number * most + index, numbers);
            let transformer = &self.model.transformer;
            let (more, _) = self.run_scored(transformer, of_pass, pass, false, &score)?;
            found.extend(more);
        }
        Ok(found)
    }

    /// Explains the texts in `pass`, and gives what else it recorded.
    pub(crate) fn run(
        &self,
        transformer: &Transformer,
        texts: &[&TokenizedText],
        pass: Pass,
        question: &Question,
    ) -> Result<(Vec<Finding>, Relevance), ExplainError> {
        let score = |text: usize, numbers: &[f32]| question.scored(texts[text], numbers);
        let from_state = question.score == Score::Norm;
        self.run_scored(transformer, texts, pass, from_state, &score)
    }

    /// The same for the target that `score` makes of what the head gives for a text, by its index: of the
    /// numbers, or `from_state` of the states that it reads.
    pub(crate) fn run_scored(
        &self,
        transformer: &Transformer,
        texts: &[&TokenizedText],
        mut pass: Pass,
        from_state: bool,
        score: &dyn Fn(usize, &[f32]) -> Scored,
    ) -> Result<(Vec<Finding>, Relevance), ExplainError> {
        // Of a model in training too: nothing is to flow to its weights.
        let transformer = transformer.clone().valid();
        let device = transformer.device();
        let padding_token = transformer.config().padding_token;
        let batch = Batch::new(texts.iter().copied(), padding_token, self.padding, &device);

        let layout = Layout::new(&transformer, texts, &batch);
        let outputs = transformer.config().logits();
        let mut scored: Vec<f64> = Vec::new();
        let mut values = Ok(Vec::new());
        // One backward pass for all texts: no text's target depends on another text.
        let mut target = |head: HeadOutput| {
            let (read, places) = match from_state {
                true => {
                    let width = head.state.dims()[2];
                    (head.state.flatten(1, 2), layout.with(outputs, width))
                }
                false => (head.numbers.clone(), layout.clone()),
            };
            let [rows, row] = read.dims();
            let mut weights = vec![0.0; rows * row];
            values = numbers(head.numbers).and_then(|values| {
                let states = match from_state {
                    true => Some(numbers(read.clone())?),
                    false => None,
                };
                let read = states.as_ref().unwrap_or(&values);
                for text in 0..texts.len() {
                    let places = places.of(text);
                    let of_text = score(text, &read[places.clone()]);
                    weights[places].copy_from_slice(&of_text.weights);
                    scored.push(of_text.value);
                }
                Ok(values)
            });
            let weights = TensorData::new(weights, [rows, row]);
            let weights = Tensor::<2>::from_data(weights, (&device, read.dtype()));
            (read * weights).sum()
        };
        let (relevance, recorded) = if self.recompute {
            let relevance =
                transformer.relevance_by_blocks(&batch, &self.rules, Part::default(), target);
            (relevance, pass.into_readings())
        } else {
            let target = target(transformer.forward_with_state(&batch, &mut pass));
            let mut recorded = pass.backward(target);
            let relevance: Tensor<3> = recorded.take(&self.at)?;
            (relevance, recorded)
        };
        let values = values?;

        let relevance = per_position(relevance, batch.positions.dims()[1]);
        let positions = relevance.dims()[1];
        let relevance = numbers(relevance)?;
        let rows = relevance.par_chunks(positions).zip(&batch.spans);
        let found = rows.enumerate().map(|(index, (relevance, span))| Finding {
            logits: values[layout.of(index)].to_vec(),
            value: scored[index],
            relevance: relevance[span.clone()].to_vec(),
            ledger: None,
        });
        Ok((found.collect(), recorded))
    }
}

/// Makes a target of the numbers that the head gives for one text.
type Ask<'a> = dyn Fn(&[f32]) -> Scored + 'a;

/// The relevance of each position, `[batch, position, 1]`: the sum over features. At the site of
/// the pixels there are no tokens before the patches yet; such tokens get 0.
fn per_position(relevance: Tensor<3>, positions: usize) -> Tensor<3> {
    let relevance = relevance.sum_dim(2);
    let [texts, found, _] = relevance.dims();
    if found == positions {
        return relevance;
    }
    let options = (&relevance.device(), relevance.dtype());
    let nothing = Tensor::zeros([texts, positions - found, 1], options);
    Tensor::cat(vec![nothing, relevance], 1)
}

impl Method for Propagation {
    /// The name of the rule set.
    fn name(&self) -> &str {
        &self.name
    }

    fn relevance(
        &self,
        texts: &[&TokenizedText],
        label: usize,
    ) -> Result<Vec<Vec<f32>>, ExplainError> {
        let question = Question::of_label(&self.model, label)?;
        in_passes(texts, 1, |texts| {
            let found = self.find(texts, &question)?;
            Ok(found.into_iter().map(|found| found.relevance).collect())
        })
    }

    fn find(
        &self,
        texts: &[&TokenizedText],
        question: &Question,
    ) -> Result<Vec<Finding>, ExplainError> {
        if let Some(plan) = &self.ledger {
            // A bias is one parameter for all texts, so each text needs a pass of its own.
            let from_state = question.score == Score::Norm;
            let account = |text: &&TokenizedText| {
                self.account(plan, text, from_state, &|numbers| {
                    question.scored(text, numbers)
                })
            };
            return texts.iter().map(account).collect();
        }
        if texts.is_empty() {
            return Ok(Vec::new());
        }
        let pass = Pass::new(&self.rules).with_probe(&self.at);
        let long = self.at == DEFAULT_SITE && self.kept(texts) > MOST_KEPT;
        let by_blocks = long.then(|| Self {
            recompute: true,
            ..self.clone()
        });
        let by = by_blocks.as_ref().unwrap_or(self);
        let (found, _) = by.run(&self.model.transformer, texts, pass, question)?;
        Ok(found)
    }

    fn read(
        &self,
        site: &str,
        text: &TokenizedText,
        question: &Question,
    ) -> Result<SiteRelevance, ExplainError> {
        self.read_site(site, text, question)
    }

    fn takes_any_target(&self) -> bool {
        true
    }

    fn rules(&self) -> &str {
        &self.name
    }

    /// A norm takes no notice of the size of what it is given, so that its plain gradient times its input is 0, but
    /// for epsilon.
    fn warning(&self) -> Option<String> {
        let config = self.model.transformer.config();
        let before = ["embeddings.word", "embeddings.sum"].contains(&self.at.as_str());
        let plain = self.rules.name("embeddings.norm") == Some("gradient");
        (before && plain && config.has_normed_words()).then(|| {
            format!(
                "a norm stands right after the word embeddings of this model, and takes no notice of their size: under \
                 `{}`, next to no relevance is left at `{}`; read it at `embeddings.norm` or at `{DEFAULT_SITE}`",
                self.name, self.at
            )
        })
    }

    fn site(&self) -> &str {
        &self.at
    }
}
