//! The devices that are compiled in.

use burn::tensor::Device;

use crate::usage::UsageError;

/// A device that the user can name.
pub(crate) struct Known {
    pub(crate) name: &'static str,
    pub(crate) about: &'static str,
    make: fn() -> Device,
}

/// The devices that are compiled in, the one that `auto` takes first.
pub(crate) const DEVICES: &[Known] = &[
    #[cfg(feature = "flex")]
    Known {
        name: "cpu",
        about: "Burn's own CPU kernels (flex), on all cores",
        make: Device::flex,
    },
];

/// The device called `name`.
pub(crate) fn parse(name: &str) -> Result<Device, UsageError> {
    let found = match name {
        "auto" => DEVICES.first(),
        _ => DEVICES.iter().find(|device| device.name == name),
    };
    found.map(|device| (device.make)()).ok_or_else(|| {
        let names: Vec<_> = DEVICES.iter().map(|device| device.name).collect();
        UsageError::new(format_args!(
            "there is no device `{name}`; compiled in are: auto, {}",
            names.join(", ")
        ))
    })
}
