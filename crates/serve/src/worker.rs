//! The thread that explains: all that a model computes is computed here, one batch after another.

use std::slice;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use arrow_array::{ArrayRef, RecordBatch, StringArray};
use image::DynamicImage;
use relprop_data::{Place, Rows, decode};
use relprop_engine::{EngineError, Found, RowKind, Worker, caught};
use relprop_explain::batching::Passes;
use relprop_explain::{Explainer, Explanation, Similarity};
use tokio::sync::oneshot;

use crate::metrics::Metrics;
use crate::models::ServedModel;
use crate::question::{Item, Question, SECOND, SimilarAsk};
use crate::queue::{Joins, Queue};
use crate::refusal::Refusal;

/// How many questions are remembered with what was made of them.
const REMEMBERED: usize = 32;

/// What was found for the items of a request.
#[derive(Debug)]
pub(crate) struct Explained {
    pub(crate) found: Vec<(Found, Option<DynamicImage>)>,
    /// Why there is next to no relevance at the site, if there is not.
    pub(crate) warning: Option<String>,
}

/// Where an answer goes.
type Reply<T> = oneshot::Sender<Result<T, Refusal>>;

/// What waits.
#[derive(Debug)]
pub(crate) struct Job {
    work: Work,
    /// Set when whoever asked has gone.
    gone: Arc<AtomicBool>,
}

#[derive(Debug)]
enum Work {
    Explain(Box<Question>, Vec<Item>, Reply<Explained>),
    Similar(SimilarAsk, Reply<Vec<(usize, Similarity)>>),
}

/// An answer that is waited for. When it is dropped, nobody waits any more.
#[derive(Debug)]
pub(crate) struct Waiting<T> {
    answer: oneshot::Receiver<Result<T, Refusal>>,
    gone: Arc<AtomicBool>,
}

impl<T> Waiting<T> {
    pub(crate) async fn answer(mut self) -> Result<T, Refusal> {
        let answer = (&mut self.answer).await;
        answer.unwrap_or_else(|_| Err(Refusal::ending()))
    }
}

impl<T> Drop for Waiting<T> {
    fn drop(&mut self) {
        self.gone.store(true, Ordering::Relaxed);
    }
}

impl Job {
    pub(crate) fn explain(question: Question, items: Vec<Item>) -> (Self, Waiting<Explained>) {
        Self::new(|reply| Work::Explain(Box::new(question), items, reply))
    }

    pub(crate) fn similar(ask: SimilarAsk) -> (Self, Waiting<Vec<(usize, Similarity)>>) {
        Self::new(|reply| Work::Similar(ask, reply))
    }

    fn new<T>(work: impl FnOnce(Reply<T>) -> Work) -> (Self, Waiting<T>) {
        let (reply, answer) = oneshot::channel();
        let gone = Arc::new(AtomicBool::new(false));
        let waiting = Waiting {
            answer,
            gone: Arc::clone(&gone),
        };
        let work = work(reply);
        (Self { work, gone }, waiting)
    }
}

impl Joins for Job {
    fn joins(&self, other: &Self) -> bool {
        match (&self.work, &other.work) {
            (Work::Explain(one, ..), Work::Explain(another, ..)) => one == another,
            _ => false,
        }
    }

    fn size(&self) -> usize {
        match &self.work {
            Work::Explain(_, items, _) => items.len(),
            Work::Similar(ask, _) => ask.texts.len(),
        }
    }

    fn is_abandoned(&self) -> bool {
        self.gone.load(Ordering::Relaxed)
    }
}

/// What was made of a question.
struct Asked {
    question: Question,
    explainer: Explainer,
    content: RowKind,
}

/// Does what waits in `queue`, until it is closed and empty. Up to `batch` texts share a pass.
pub(crate) fn run(queue: &Queue<Job>, models: &[ServedModel], metrics: &Metrics, batch: usize) {
    let mut thread = Thread {
        models,
        metrics,
        asked: Vec::new(),
    };
    while let Some(jobs) = queue.take(batch) {
        let begun = Instant::now();
        thread.work(jobs);
        metrics.computed(begun.elapsed());
    }
}

/// A request to explain.
struct Explain {
    items: Vec<Item>,
    reply: Reply<Explained>,
    gone: Arc<AtomicBool>,
}

struct Thread<'s> {
    models: &'s [ServedModel],
    metrics: &'s Metrics,
    /// The questions of late, the last one first.
    asked: Vec<Asked>,
}

impl Thread<'_> {
    /// Does jobs that one pass can serve.
    fn work(&mut self, jobs: Vec<Job>) {
        let mut question = None;
        let mut joined = Vec::new();
        for Job { work, gone } in jobs {
            match work {
                Work::Explain(of, items, reply) => {
                    joined.push(Explain { items, reply, gone });
                    question = Some(of);
                }
                Work::Similar(ask, reply) => {
                    self.metrics.batches.fetch_add(1, Ordering::Relaxed);
                    let model = &self.models[ask.model].model;
                    let found = kept(self.metrics, || ask.find(model));
                    // Whoever asked may be gone.
                    let _ = reply.send(found.map_err(Refusal::from));
                }
            }
        }
        if let Some(question) = question {
            let later = joined.len().saturating_sub(1) as u64;
            self.metrics.joined.fetch_add(later, Ordering::Relaxed);
            self.explain(&question, joined);
        }
    }

    /// Explains the items of some requests at once. If that fails, each request is explained by itself, so
    /// that one cannot spoil another.
    fn explain(&mut self, question: &Question, jobs: Vec<Explain>) {
        let items: Vec<&Item> = jobs.iter().flat_map(|job| &job.items).collect();
        let passes = match &*jobs {
            [job] => Passes::until(Arc::clone(&job.gone)),
            // Others wait for a pass of several.
            _ => Passes::default(),
        };
        self.metrics.batches.fetch_add(1, Ordering::Relaxed);
        let found = kept(self.metrics, || self.find(question, &items, passes));
        match found {
            Ok((found, warning)) => {
                let texts = found.len() as u64;
                self.metrics.texts.fetch_add(texts, Ordering::Relaxed);
                let mut found = found.into_iter();
                for job in jobs {
                    let own = found.by_ref().take(job.items.len());
                    let answer = explained(own.collect(), warning.clone());
                    let _ = job.reply.send(answer);
                }
            }
            Err(error) => match <[Explain; 1]>::try_from(jobs) {
                Ok([job]) => {
                    let _ = job.reply.send(Err(error.into()));
                }
                Err(jobs) => {
                    for job in jobs {
                        self.explain(question, vec![job]);
                    }
                }
            },
        }
    }

    /// What is found for each item, or why nothing is.
    fn find(
        &mut self,
        question: &Question,
        items: &[&Item],
        passes: Passes,
    ) -> Result<(Vec<Outcome>, Option<String>), EngineError> {
        let asked = self.asked(question)?;
        let warning = asked.explainer.warning();
        let found = match asked.content {
            RowKind::Pictures => of_pictures(&asked.explainer, items, passes)?,
            _ => of_texts(asked, items, passes)?,
        };
        Ok((found, warning))
    }

    /// The question with an explainer for it, made now or remembered.
    fn asked(&mut self, question: &Question) -> Result<&Asked, EngineError> {
        let known = |asked: &Asked| asked.question == *question;
        let asked = match self.asked.iter().position(known) {
            Some(place) => self.asked.remove(place),
            None => {
                let model = &self.models[question.model].model;
                let (plan, content) = question.request.plan(model)?;
                Asked {
                    explainer: Explainer::new(model, &plan)?,
                    question: question.clone(),
                    content,
                }
            }
        };
        self.asked.truncate(REMEMBERED - 1);
        self.asked.insert(0, asked);
        Ok(&self.asked[0])
    }
}

/// What `work` gives; a panic in it is an error.
fn kept<T>(
    metrics: &Metrics,
    work: impl FnOnce() -> Result<T, EngineError>,
) -> Result<T, EngineError> {
    caught(work).unwrap_or_else(|fault| {
        metrics.faults.fetch_add(1, Ordering::Relaxed);
        Err(fault.into())
    })
}

/// What was found for an item, with its picture.
type Here = (Found, Option<DynamicImage>);
/// That, or why there is nothing.
type Outcome = Result<Here, String>;

/// The answer to a request: all of it, or the first thing that is wrong.
fn explained(found: Vec<Outcome>, warning: Option<String>) -> Result<Explained, Refusal> {
    let alone = found.len() == 1;
    let found = found.into_iter().enumerate().map(|(place, found)| {
        found.map_err(|reason| EngineError::BadText {
            text: (!alone).then_some(place as u64 + 1),
            reason,
        })
    });
    let found = found.collect::<Result<_, _>>()?;
    Ok(Explained { found, warning })
}

fn of_texts(asked: &Asked, items: &[&Item], passes: Passes) -> Result<Vec<Outcome>, EngineError> {
    let texts = items.iter().map(|item| &item.text);
    let mut columns: Vec<(&str, ArrayRef)> =
        vec![("text", Arc::new(StringArray::from_iter_values(texts)))];
    if items.iter().any(|item| item.second.is_some()) {
        let seconds: StringArray = items.iter().map(|item| item.second.as_ref()).collect();
        columns.push((SECOND, Arc::new(seconds)));
    }
    let places = 1..=items.len() as u64;
    let rows = Rows {
        batch: RecordBatch::try_from_iter(columns)?,
        places: places.map(|row| Place { row, line: None }).collect(),
        bad: Vec::new(),
    };
    let worker = Worker::new(slice::from_ref(&asked.explainer), asked.content.clone());
    let mut worker = worker
        .chatting(asked.question.request.chat)
        .in_passes(passes);
    let group = worker.explain(rows, 0, |_| ())?;
    let mut outcomes: Vec<Option<Outcome>> = vec![];
    outcomes.resize_with(items.len(), || None);
    for bad in group.bad {
        let place = usize::try_from(bad.place.row - 1).unwrap_or(usize::MAX);
        if let Some(outcome) = outcomes.get_mut(place) {
            *outcome = Some(Err(bad.reason));
        }
    }
    // The others are in order.
    let free = outcomes.iter_mut().filter(|outcome| outcome.is_none());
    for (outcome, found) in free.zip(group.found) {
        *outcome = Some(Ok((found, None)));
    }
    Ok(outcomes.into_iter().flatten().collect())
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
        let found: Explanation = found.next().ok_or("it was not explained")?;
        found.finite().map_err(|error| error.to_string())?;
        Ok((Found::Explanations(vec![found]), Some(picture)))
    });
    Ok(outcomes.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_the_error_of_its_request_and_the_thread_goes_on() {
        let metrics = Metrics::default();
        let error = kept::<()>(&metrics, || panic!("the card is gone")).unwrap_err();
        let refusal = Refusal::from(error);
        assert_eq!(refusal.status.as_u16(), 500);
        assert!(refusal.message.contains("the card is gone"), "{refusal:?}");
        assert_eq!(metrics.faults.load(Ordering::Relaxed), 1);
        assert_eq!(kept(&metrics, || Ok(7)).ok(), Some(7));
        assert_eq!(metrics.faults.load(Ordering::Relaxed), 1);
    }

    /// Whoever waits no more takes no time of the model.
    #[test]
    fn a_job_is_abandoned_when_nobody_waits() {
        let question = Question {
            model: 0,
            request: relprop_engine::Request::default(),
        };
        let (job, waiting) = Job::explain(question, vec![Item::text("a".to_owned())]);
        assert!(!job.is_abandoned());
        drop(waiting);
        assert!(job.is_abandoned());
        let queue = Queue::new(1);
        queue.put(vec![job]).unwrap();
        queue.close();
        run(&queue, &[], &Metrics::default(), 1);
    }
}
