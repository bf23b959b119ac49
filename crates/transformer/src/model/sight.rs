//! Which keys a query may see.

use std::ops::Range;

/// Which keys a query may see, by their places: all, unless this says otherwise.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Sight {
    /// None that comes after it.
    pub(super) causal: bool,
    /// None that is as far away as this, or farther.
    pub(super) window: Option<usize>,
}

impl Sight {
    /// The places of the keys that these queries may see, of as many as there are.
    pub(super) fn of(self, queries: &Range<usize>, keys: usize) -> Range<usize> {
        let Self { causal, window } = self;
        let start = window.map_or(0, |window| (queries.start + 1).saturating_sub(window));
        let end = match (causal, window) {
            (true, _) => queries.end,
            (false, Some(window)) => (queries.end - 1).saturating_add(window),
            (false, None) => keys,
        };
        start..end.min(keys)
    }
}
