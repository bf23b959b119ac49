//! What waits for the thread that explains.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// Something that can be done together with others of its kind.
pub(crate) trait Joins {
    /// Whether one pass can serve both.
    fn joins(&self, other: &Self) -> bool;
    /// How much of a pass it takes.
    fn size(&self) -> usize;
    /// Whether nobody waits for it any more.
    fn is_abandoned(&self) -> bool;
}

/// A queue of bounded length.
#[derive(Debug)]
pub(crate) struct Queue<J> {
    most: usize,
    waiting: Mutex<Waiting<J>>,
    changed: Condvar,
}

#[derive(Debug)]
struct Waiting<J> {
    jobs: VecDeque<J>,
    closed: bool,
}

/// Why a job was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NotTaken {
    /// So many wait already.
    Full(usize),
    /// There will be nobody to do it.
    Closed,
}

impl<J: Joins> Queue<J> {
    pub(crate) fn new(most: usize) -> Self {
        Self {
            most,
            waiting: Mutex::new(Waiting {
                jobs: VecDeque::new(),
                closed: false,
            }),
            changed: Condvar::new(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Waiting<J>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds jobs at the end: all of them, or none.
    pub(crate) fn put(&self, jobs: Vec<J>) -> Result<(), NotTaken> {
        let mut waiting = self.lock();
        if waiting.closed {
            return Err(NotTaken::Closed);
        }
        if waiting.jobs.len() + jobs.len() > self.most {
            // Those who left take no place.
            waiting.jobs.retain(|job| !job.is_abandoned());
        }
        // A request of several parts is taken if the queue is empty, however short it may be.
        if !waiting.jobs.is_empty() && waiting.jobs.len() + jobs.len() > self.most {
            return Err(NotTaken::Full(waiting.jobs.len()));
        }
        waiting.jobs.extend(jobs);
        self.changed.notify_one();
        Ok(())
    }

    /// The job that has waited the longest, and after it those that it can be done with, as long as their
    /// sizes are no more than `most` together. Waits for one; none when the queue is closed and empty.
    pub(crate) fn take(&self, most: usize) -> Option<Vec<J>> {
        let mut waiting = self.lock();
        loop {
            waiting.jobs.retain(|job| !job.is_abandoned());
            if let Some(first) = waiting.jobs.pop_front() {
                let mut size = first.size();
                let mut taken = vec![first];
                let mut place = 0;
                while place < waiting.jobs.len() {
                    let other = &waiting.jobs[place];
                    if size + other.size() <= most && taken[0].joins(other) {
                        size += other.size();
                        taken.extend(waiting.jobs.remove(place));
                    } else {
                        place += 1;
                    }
                }
                return Some(taken);
            }
            if waiting.closed {
                return None;
            }
            let woken = self.changed.wait(waiting);
            waiting = woken.unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// How many wait.
    pub(crate) fn len(&self) -> usize {
        self.lock().jobs.len()
    }

    /// Takes no more jobs. Those that wait are still done.
    pub(crate) fn close(&self) {
        self.lock().closed = true;
        self.changed.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A kind, a size, and whether it is abandoned.
    #[derive(Debug, PartialEq)]
    struct Job(char, usize, bool);

    impl Joins for Job {
        fn joins(&self, other: &Self) -> bool {
            self.0 == other.0
        }
        fn size(&self) -> usize {
            self.1
        }
        fn is_abandoned(&self) -> bool {
            self.2
        }
    }

    fn job(kind: char) -> Job {
        Job(kind, 1, false)
    }

    #[test]
    fn jobs_of_a_kind_are_taken_together_up_to_a_size() {
        let queue = Queue::new(9);
        for kind in ['a', 'b', 'a', 'a', 'b', 'a'] {
            queue.put(vec![job(kind)]).unwrap();
        }
        let taken = |most| queue.take(most).unwrap().iter().map(|job| job.0).collect();
        let all: Vec<String> = (0..3).map(|_| taken(3)).collect();
        assert_eq!(all, ["aaa", "bb", "a"]);
        queue.close();
        assert_eq!(queue.take(3), None);
        assert_eq!(queue.put(vec![job('a')]), Err(NotTaken::Closed));
    }

    #[test]
    fn one_that_is_larger_than_a_pass_is_taken_alone() {
        let queue = Queue::new(9);
        queue.put(vec![Job('a', 50, false), job('a')]).unwrap();
        assert_eq!(queue.take(32).unwrap(), [Job('a', 50, false)]);
        assert_eq!(queue.take(32).unwrap(), [job('a')]);
    }

    #[test]
    fn a_full_queue_takes_no_more_and_those_who_left_take_no_place() {
        let queue = Queue::new(2);
        queue.put(vec![job('a'), job('b')]).unwrap();
        assert_eq!(queue.put(vec![job('c')]), Err(NotTaken::Full(2)));
        let queue = Queue::new(2);
        queue.put(vec![Job('a', 1, true), job('b')]).unwrap();
        queue.put(vec![job('c')]).unwrap();
        assert_eq!(queue.len(), 2);
        assert_eq!(queue.take(9).unwrap(), [job('b')]);
        // What has more parts than the queue has places is taken when nothing waits.
        let queue = Queue::new(1);
        queue.put(vec![job('a'), job('b')]).unwrap();
        assert_eq!(queue.len(), 2);
    }
}
