//! What is found for the items of a question.

use image::DynamicImage;
use relprop_data::decode;
use relprop_engine::{EngineError, Found, FoundText, RowKind, Worker};
use relprop_explain::Explainer;
use relprop_explain::batching::Passes;

use crate::models::NamedModel;
use crate::question::{Item, Question};

/// How many questions are remembered with what was made of them.
const REMEMBERED: usize = 32;

/// What was found for an item, with its picture if it is one; or why nothing was found.
pub type Outcome = Result<(Found, Option<DynamicImage>), String>;

/// What was found for the items of a request.
#[derive(Debug)]
pub struct Explained {
    /// What was found for each item, with its picture if it is one.
    pub found: Vec<(Found, Option<DynamicImage>)>,
    /// Why there is next to no relevance at the site, if there is not.
    pub warning: Option<String>,
}

impl Explained {
    /// All that was found for the items of one request.
    ///
    /// # Errors
    ///
    /// [`EngineError::BadText`] for the first item for which nothing was found.
    pub fn new(found: Vec<Outcome>, warning: Option<String>) -> Result<Self, EngineError> {
        let alone = found.len() == 1;
        let found = found.into_iter().enumerate().map(|(place, found)| {
            found.map_err(|reason| EngineError::BadText {
                text: (!alone).then_some(place as u64 + 1),
                reason,
            })
        });
        let found = found.collect::<Result<_, _>>()?;
        Ok(Self { found, warning })
    }
}

/// What was made of a question.
#[derive(Debug)]
struct Asked {
    question: Question,
    explainer: Explainer,
    content: RowKind,
}

/// Explainers for the questions of late, the last one first.
#[derive(Debug, Default)]
pub struct Explainers(Vec<Asked>);

impl Explainers {
    /// What is found for each item, or why nothing is; and why there is next to no relevance at the site, if
    /// there is not.
    ///
    /// # Errors
    ///
    /// If the question cannot be asked of its model, or the device fails.
    pub fn find(
        &mut self,
        models: &[NamedModel],
        question: &Question,
        items: &[&Item],
        passes: Passes,
    ) -> Result<(Vec<Outcome>, Option<String>), EngineError> {
        let asked = self.asked(models, question)?;
        let warning = asked.explainer.warning();
        let found = match asked.content {
            RowKind::Pictures => of_pictures(&asked.explainer, items, passes)?,
            _ => of_texts(asked, items, passes)?,
        };
        Ok((found, warning))
    }

    /// The question with an explainer for it, made now or remembered.
    fn asked(&mut self, models: &[NamedModel], question: &Question) -> Result<&Asked, EngineError> {
        let known = |asked: &Asked| asked.question == *question;
        let asked = match self.0.iter().position(known) {
            Some(place) => self.0.remove(place),
            None => {
                let model = &models[question.model].model;
                let (plan, content) = question.request.plan(model)?;
                Asked {
                    explainer: Explainer::new(model, &plan)?,
                    question: question.clone(),
                    content,
                }
            }
        };
        self.0.truncate(REMEMBERED - 1);
        self.0.insert(0, asked);
        Ok(&self.0[0])
    }
}

fn of_texts(asked: &Asked, items: &[&Item], passes: Passes) -> Result<Vec<Outcome>, EngineError> {
    let texts = items.iter().map(|item| Some(item.text.as_str()));
    let seconds = items.iter().map(|item| item.second.as_deref());
    let worker = Worker::new(
        std::slice::from_ref(&asked.explainer),
        asked.content.clone(),
    );
    let mut worker = worker
        .chatting(asked.question.request.chat)
        .in_passes(passes);
    let found = worker.explain_texts(texts.collect(), Some(seconds.collect()), |_| ())?;
    let outcome = |found: FoundText| (found.found, found.picture);
    Ok(found.into_iter().map(|found| found.map(outcome)).collect())
}

fn of_pictures(
    explainer: &Explainer,
    items: &[&Item],
    mut passes: Passes,
) -> Result<Vec<Outcome>, EngineError> {
    let read = items.iter().map(|item| {
        let bytes = item.picture.as_deref().unwrap_or_default();
        let named = |error: &dyn std::fmt::Display| format!("{}: {error}", item.text);
        let picture = decode(bytes).map_err(|error| named(&error))?;
        let tokens = explainer.model().picture(&picture, &item.text);
        Ok((tokens.map_err(|error| named(&error))?, picture))
    });
    let read: Vec<Result<_, String>> = read.collect();
    let readable = read.iter().flatten().map(|(tokens, _)| tokens);
    let found = explainer.explain_in(&mut passes, &readable.collect::<Vec<_>>(), |_| ())?;
    let mut found = found.into_iter();
    let outcomes = read.into_iter().map(|read| {
        let (_, picture) = read?;
        let found = found.next().ok_or("it was not explained")?;
        found.finite().map_err(|error| error.to_string())?;
        Ok((Found::Explanations(vec![found]), Some(picture)))
    });
    Ok(outcomes.collect())
}
