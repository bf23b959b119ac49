//! `relprop devices`

use crate::device::DEVICES;
use crate::output::Output;

/// Lists the devices that are compiled in.
pub(crate) fn devices() -> anyhow::Result<()> {
    let list: String = DEVICES
        .iter()
        .map(|device| format!("{:<8} {}\n", device.name, device.about))
        .collect();
    Output::open(None)?.write(&list)
}
