//! The thread that explains: all that a model computes is computed here, one batch after another.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use relprop_api::{Explained, Explainers, Item, NamedModel, Question, SimilarAsk};
use relprop_engine::{EngineError, caught};
use relprop_explain::Similarity;
use relprop_explain::batching::Passes;
use tokio::sync::oneshot;

use crate::metrics::Metrics;
use crate::queue::{Joins, Queue};
use crate::refusal::Refusal;

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

/// Does what waits in `queue`, until it is closed and empty. Up to `batch` texts share a pass.
pub(crate) fn run(queue: &Queue<Job>, models: &[NamedModel], metrics: &Metrics, batch: usize) {
    let mut thread = Thread {
        models,
        metrics,
        explainers: Explainers::default(),
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
    models: &'s [NamedModel],
    metrics: &'s Metrics,
    explainers: Explainers,
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
                    let found = kept(self.metrics, || ask.find());
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
        let found = kept(self.metrics, || {
            self.explainers.find(self.models, question, &items, passes)
        });
        match found {
            Ok((found, warning)) => {
                let texts = found.len() as u64;
                self.metrics.texts.fetch_add(texts, Ordering::Relaxed);
                let mut found = found.into_iter();
                for job in jobs {
                    let own = found.by_ref().take(job.items.len());
                    let answer = Explained::new(own.collect(), warning.clone());
                    let _ = job.reply.send(answer.map_err(Refusal::from));
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

#[cfg(test)]
mod tests {
    use relprop_api::Asked;

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
            asked: Asked::Towers(Box::default()),
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
