//! Faults that the code they happen in does not expect: Burn panics where a device fails in the middle
//! of a computation.

use std::panic::{self, AssertUnwindSafe};
use std::sync::OnceLock;

/// What the first panic said, of any thread: later ones follow from it.
static FIRST: OnceLock<String> = OnceLock::new();

/// Runs `body`. A panic in it is an error like others; with `RUST_BACKTRACE` it says where it came from
/// as well.
pub(crate) fn caught<T>(body: impl FnOnce() -> anyhow::Result<T>) -> anyhow::Result<T> {
    let shown = std::env::var_os("RUST_BACKTRACE").is_some();
    let print = panic::take_hook();
    panic::set_hook(Box::new(move |info| {
        let _ = FIRST.set(info.to_string());
        if shown {
            print(info);
        }
    }));
    let result = panic::catch_unwind(AssertUnwindSafe(body));
    drop(panic::take_hook());
    result.unwrap_or_else(|_| {
        let what = FIRST.get().map_or("", String::as_str);
        Err(anyhow::anyhow!(
            "relprop cannot go on. If the device is out of memory or lost, use fewer or shorter texts \
             at once, or `--device cpu`. If not, this is a mistake in relprop; please report it\n{what}"
        ))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_an_error_that_names_the_way_out() {
        let error = caught::<()>(|| panic!("the card is gone")).unwrap_err();
        let text = error.to_string();
        for part in ["the card is gone", "fault.rs", "--device cpu"] {
            assert!(text.contains(part), "{text}");
        }
        assert_eq!(caught(|| Ok(7)).unwrap(), 7);
    }
}
