//! Messages on standard error.

use relprop_render::printable;

/// Prints a message. Control characters from files, such as in the name of a label, are made
/// harmless.
pub(crate) fn say(message: &str) {
    eprintln!("{}", printable(message));
}
