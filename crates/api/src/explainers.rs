//! What is found for the items of a question.

use std::sync::Arc;

use image::DynamicImage;
use relprop_checkpoints::{PictureError, Towers};
use relprop_data::decode;
use relprop_engine::{AnyModel, EngineError, Found, FoundText, RowKind, Worker};
use relprop_explain::batching::Passes;
use relprop_explain::{Compare, Explainer};
use relprop_transformer::TokenizedText;

use crate::found::ItemFound;
use crate::models::NamedModel;
use crate::question::{Asked, Item, Question};

/// How many questions are remembered with what was made of them.
const REMEMBERED: usize = 32;

/// What was found for an item, with its picture if it is one; or why nothing was found.
pub type Outcome = Result<(ItemFound, Option<DynamicImage>), String>;

/// What was found for the items of a request.
#[derive(Debug)]
pub struct Explained {
    /// What was found for each item, with its picture if it is one.
    pub found: Vec<(ItemFound, Option<DynamicImage>)>,
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
struct Prepared {
    question: Question,
    by: By,
}

/// What explains.
#[derive(Debug)]
enum By {
    One {
        explainer: Box<Explainer>,
        content: RowKind,
        chat: bool,
    },
    Towers {
        towers: Arc<Towers>,
        compare: Box<Compare>,
        texts: Vec<TokenizedText>,
    },
}

impl By {
    fn new(model: &AnyModel, asked: &Asked) -> Result<Self, EngineError> {
        match (model, asked) {
            (AnyModel::One(model), Asked::One(request)) => {
                let (plan, content) = request.plan(model)?;
                Ok(Self::One {
                    explainer: Box::new(Explainer::new(model, &plan)?),
                    content,
                    chat: request.chat,
                })
            }
            (AnyModel::Towers(towers), Asked::Towers(request)) => {
                let compare = request.open(towers)?;
                Ok(Self::Towers {
                    texts: request.read(&compare)?,
                    compare: Box::new(compare),
                    towers: Arc::clone(towers),
                })
            }
            _ => Err(EngineError::OtherKind),
        }
    }
}

/// Explainers for the questions of late, the last one first.
#[derive(Debug, Default)]
pub struct Explainers(Vec<Prepared>);

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
        match self.prepared(models, question)? {
            By::One {
                explainer,
                content: RowKind::Pictures,
                ..
            } => {
                let found = of_pictures(explainer, items, passes)?;
                Ok((found, explainer.warning()))
            }
            By::One {
                explainer,
                content,
                chat,
            } => {
                let worker = Worker::new(std::slice::from_ref(explainer), content.clone());
                let worker = worker.chatting(*chat).in_passes(passes);
                Ok((of_texts(worker, items)?, explainer.warning()))
            }
            By::Towers {
                towers,
                compare,
                texts,
            } => Ok((compared(towers, compare, texts, items, passes)?, None)),
        }
    }

    /// What explains the question, made now or remembered.
    fn prepared(&mut self, models: &[NamedModel], question: &Question) -> Result<&By, EngineError> {
        let known = |prepared: &Prepared| prepared.question == *question;
        let prepared = match self.0.iter().position(known) {
            Some(place) => self.0.remove(place),
            None => Prepared {
                by: By::new(&models[question.model].model, &question.asked)?,
                question: question.clone(),
            },
        };
        self.0.truncate(REMEMBERED - 1);
        self.0.insert(0, prepared);
        Ok(&self.0[0].by)
    }
}

fn of_texts(mut worker: Worker<'_>, items: &[&Item]) -> Result<Vec<Outcome>, EngineError> {
    let texts = items.iter().map(|item| Some(item.text.as_str()));
    let seconds = items.iter().map(|item| item.second.as_deref());
    let found = worker.explain_texts(texts.collect(), Some(seconds.collect()), |_| ())?;
    let outcome = |found: FoundText| (ItemFound::One(found.found), found.picture);
    Ok(found.into_iter().map(|found| found.map(outcome)).collect())
}

/// What is found for pictures by one model.
fn of_pictures(
    explainer: &Explainer,
    items: &[&Item],
    mut passes: Passes,
) -> Result<Vec<Outcome>, EngineError> {
    in_pictures(
        items,
        |picture, name| explainer.model().picture(picture, name),
        |readable| {
            let found = explainer.explain_in(&mut passes, readable, |_| ())?;
            let found = found
                .into_iter()
                .map(|found| Found::Explanations(vec![found]));
            Ok(found.map(ItemFound::One).collect())
        },
    )
}

/// What two towers find for pictures and the same texts.
fn compared(
    towers: &Towers,
    compare: &Compare,
    texts: &[TokenizedText],
    items: &[&Item],
    mut passes: Passes,
) -> Result<Vec<Outcome>, EngineError> {
    let explain = |pictures: &[&TokenizedText]| {
        let found = pictures.iter().map(|picture| {
            let found = compare.explain(picture, texts)?;
            Ok(ItemFound::Compared(Box::new(found)))
        });
        found.collect()
    };
    in_pictures(
        items,
        |picture, name| towers.picture.picture(picture, name),
        |readable| Ok(passes.run(readable, 1 + texts.len(), explain, |_| ())?),
    )
}

/// Reads the pictures, and lets those that can be read be explained.
fn in_pictures(
    items: &[&Item],
    read: impl Fn(&DynamicImage, &str) -> Result<TokenizedText, PictureError>,
    explain: impl FnOnce(&[&TokenizedText]) -> Result<Vec<ItemFound>, EngineError>,
) -> Result<Vec<Outcome>, EngineError> {
    let read = items.iter().map(|item| {
        let bytes = item.picture.as_deref().unwrap_or_default();
        let named = |error: &dyn std::fmt::Display| format!("{}: {error}", item.text);
        let picture = decode(bytes).map_err(|error| named(&error))?;
        let tokens = read(&picture, &item.text);
        Ok((tokens.map_err(|error| named(&error))?, picture))
    });
    let read: Vec<Result<_, String>> = read.collect();
    let readable = read.iter().flatten().map(|(tokens, _)| tokens);
    let mut found = explain(&readable.collect::<Vec<_>>())?.into_iter();
    let outcomes = read.into_iter().map(|read| {
        let (_, picture) = read?;
        let found = found.next().ok_or("it was not explained")?;
        found.finite().map_err(|error| error.to_string())?;
        Ok((found, Some(picture)))
    });
    Ok(outcomes.collect())
}
