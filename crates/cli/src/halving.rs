//! Batches that shrink until the device can hold them.

use relprop_explain::ExplainError;

/// Runs batches, of fewer items each time that the device failed.
#[derive(Debug)]
pub(crate) struct Halving {
    /// How many items go into a batch at most.
    most: usize,
}

impl Halving {
    pub(crate) fn new() -> Self {
        Self { most: usize::MAX }
    }

    /// The results of `run` on all of `items`. Where the device fails, the batch is halved, `warn` is
    /// told so, and it goes on; later batches stay as small.
    ///
    /// # Errors
    ///
    /// Whatever else goes wrong, or the device's failure on a single item.
    pub(crate) fn run<T, R>(
        &mut self,
        items: &[T],
        mut run: impl FnMut(&[T]) -> Result<Vec<R>, ExplainError>,
        warn: impl Fn(&str),
    ) -> Result<Vec<R>, ExplainError> {
        let mut results = Vec::with_capacity(items.len());
        let mut rest = items;
        while !rest.is_empty() {
            let count = rest.len().min(self.most);
            let (batch, after) = rest.split_at(count);
            match run(batch) {
                Ok(done) => {
                    results.extend(done);
                    rest = after;
                }
                Err(ExplainError::Device(_)) if count > 1 => {
                    self.most = count / 2;
                    warn(&format!(
                        "the device failed on {count} texts at once; going on with {}",
                        self.most
                    ));
                }
                Err(error) => return Err(error),
            }
        }
        Ok(results)
    }
}

#[cfg(test)]
mod tests {
    use std::cell::{Cell, RefCell};

    use super::*;

    /// A device that holds `limit` items at once.
    fn device(limit: usize) -> impl FnMut(&[u32]) -> Result<Vec<u32>, ExplainError> {
        move |batch| match batch.len() <= limit {
            true => Ok(batch.iter().map(|item| 10 * item).collect()),
            false => Err(ExplainError::Device("out of memory".to_owned())),
        }
    }

    #[test]
    fn a_batch_that_does_not_fit_is_halved_and_every_item_is_done_once_and_in_order() {
        let items: Vec<u32> = (0..13).collect();
        let warnings = RefCell::new(Vec::new());
        let warn = |text: &str| warnings.borrow_mut().push(text.to_owned());
        let mut halving = Halving::new();
        let done = halving.run(&items, device(4), warn).unwrap();
        assert_eq!(done, (0..13).map(|item| 10 * item).collect::<Vec<_>>());
        assert_eq!(warnings.borrow().len(), 2, "13 to 6 to 3");
        assert!(warnings.borrow()[1].contains("6 texts at once; going on with 3"));

        // What was learnt is kept: the next batch fits at once.
        halving
            .run(&items, device(4), |_| panic!("failed again"))
            .unwrap();
    }

    #[test]
    fn a_device_that_cannot_do_a_single_item_is_given_up() {
        let tries = Cell::new(0);
        let mut dead = device(0);
        let run = |batch: &[u32]| {
            tries.set(tries.get() + 1);
            dead(batch)
        };
        let error = Halving::new().run(&[1; 32], run, |_| ()).unwrap_err();
        assert!(matches!(error, ExplainError::Device(_)));
        assert_eq!(tries.get(), 6, "32, 16, 8, 4, 2 and 1");
    }

    #[test]
    fn other_errors_are_not_tried_again() {
        let refuse = |_: &[u32]| -> Result<Vec<u32>, _> {
            let site = "pooling".to_owned();
            Err(ExplainError::NotPerToken { site })
        };
        let error = Halving::new().run(&[1, 2], refuse, |_| panic!("no warning"));
        assert!(matches!(error, Err(ExplainError::NotPerToken { .. })));
    }
}
