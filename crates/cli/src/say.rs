//! Messages on standard error.

use relprop_render::printable;

/// Says something. What a file says, such as the name of a label, reaches the terminal harmless.
pub(crate) fn say(message: &str) {
    eprintln!("{}", printable(message));
}
