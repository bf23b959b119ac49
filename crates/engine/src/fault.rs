//! Panics as errors: Burn panics if a device fails in the middle of a computation.

use std::panic::{self, AssertUnwindSafe};
use std::sync::{Mutex, Once, PoisonError};

/// The panic of code that computes.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "relprop cannot go on. If the device is out of memory or lost, use fewer or shorter texts at once, \
     or the device `cpu`. If not, this is a mistake in relprop; please report it\n{what}"
)]
pub struct Fault {
    /// The first panic, with its place.
    pub what: String,
}

/// How many bodies are running, and the message of the first panic in them or in a thread that
/// works for them. Later panics follow from the first.
struct Watch {
    bodies: usize,
    first: Option<String>,
}

static WATCH: Mutex<Watch> = Mutex::new(Watch {
    bodies: 0,
    first: None,
});
static HOOK: Once = Once::new();

fn watch<T>(change: impl FnOnce(&mut Watch) -> T) -> T {
    change(&mut WATCH.lock().unwrap_or_else(PoisonError::into_inner))
}

/// Runs `body`. A panic in it, or in a thread that works for it, is returned as an error, with a
/// backtrace if `RUST_BACKTRACE` is set. Panics elsewhere in the process go to the hook that was
/// there before.
///
/// # Errors
///
/// [`Fault`] if `body` panics. In a build whose panics end it, as in a browser, there is nothing to catch.
pub fn caught<T>(body: impl FnOnce() -> T) -> Result<T, Fault> {
    if cfg!(panic = "abort") {
        return Ok(body());
    }
    HOOK.call_once(|| {
        let shown = std::env::var_os("RUST_BACKTRACE").is_some();
        let print = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            let ours = watch(|watch| {
                if watch.bodies > 0 {
                    watch.first.get_or_insert_with(|| info.to_string());
                }
                watch.bodies > 0
            });
            if shown || !ours {
                print(info);
            }
        }));
    });
    watch(|watch| watch.bodies += 1);
    let result = panic::catch_unwind(AssertUnwindSafe(body));
    let first = watch(|watch| {
        watch.bodies -= 1;
        match watch.bodies {
            0 => watch.first.take(),
            _ => watch.first.clone(),
        }
    });
    result.map_err(|_| Fault {
        what: first.unwrap_or_default(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_an_error_that_names_the_way_out() {
        let error = caught::<()>(|| panic!("the card is gone")).unwrap_err();
        let text = error.to_string();
        for part in ["the card is gone", "fault.rs", "device `cpu`"] {
            assert!(text.contains(part), "{text}");
        }
        assert_eq!(caught(|| 7), Ok(7));
        // The message of a later panic is not that of an earlier one.
        let error = caught::<()>(|| panic!("again")).unwrap_err();
        assert!(error.what.contains("again"), "{error}");
    }
}
