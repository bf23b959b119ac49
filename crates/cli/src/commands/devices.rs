//! `relprop devices`

use crate::output::Output;

/// Lists the devices that are compiled in, and those that were found.
pub(crate) fn devices() -> anyhow::Result<()> {
    Output::open(None)?.write(relprop_engine::devices())
}
