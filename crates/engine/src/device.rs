//! The devices to compute on: what is compiled in, and what this machine has.

use std::fmt::{self, Write};

use burn::tensor::Device;
#[cfg(any(feature = "gpu", feature = "cuda"))]
use burn_dispatch::DispatchDevice;

use crate::EngineError;

/// A kind of device that the user can name.
struct Kind {
    name: &'static str,
    about: &'static str,
    /// The feature that compiles it in.
    feature: &'static str,
    /// Looks for the devices of this kind; none if it is not compiled in.
    find: Option<fn() -> Vec<Device>>,
}

/// `find`, if `feature` is on.
macro_rules! compiled_in {
    ($feature:literal, $find:expr) => {{
        #[cfg(feature = $feature)]
        let find: Option<fn() -> Vec<Device>> = Some($find);
        #[cfg(not(feature = $feature))]
        let find: Option<fn() -> Vec<Device>> = None;
        find
    }};
}

/// Every kind, the one that `auto` prefers first.
const KINDS: [Kind; 4] = [
    Kind {
        name: "cuda",
        about: "NVIDIA cards through CUDA",
        feature: "cuda",
        find: compiled_in!("cuda", || Device::enumerate(burn::tensor::DeviceType::Cuda)
            .into_vec()),
    },
    Kind {
        name: "gpu",
        about: "any card through wgpu: Vulkan, Metal or DirectX",
        feature: "gpu",
        find: compiled_in!("gpu", || Device::enumerate(burn::tensor::DeviceType::Wgpu)
            .into_vec()),
    },
    Kind {
        name: "cpu",
        about: "Burn's own CPU kernels (flex), on all cores",
        feature: "flex",
        find: compiled_in!("flex", || vec![Device::flex()]),
    },
    Kind {
        name: "ndarray",
        about: "CPU kernels of the ndarray crate; deprecated by Burn, for comparison only",
        feature: "ndarray",
        #[allow(deprecated, reason = "the comparison is worth it while Burn has it")]
        find: compiled_in!("ndarray", || vec![Device::ndarray()]),
    },
];

/// The device that `text` names: `auto`, a kind such as `gpu`, or one of several devices such as
/// `gpu:1`.
///
/// # Errors
///
/// If there is no such device: the error says which there are, or what compiles it in.
pub fn device(text: &str) -> Result<Device, EngineError> {
    if text == "auto" {
        return auto().ok_or(EngineError::NoDevice);
    }
    let (name, index) = match text.split_once(':') {
        None => (text, "0"),
        Some((name, index)) => (name, index),
    };
    let Some(kind) = KINDS.iter().find(|kind| kind.name == name) else {
        return Err(EngineError::UnknownDevice {
            name: text.to_owned(),
            known: KINDS.iter().map(|kind| kind.name).collect(),
        });
    };
    let Some(find) = kind.find else {
        return Err(EngineError::DeviceNotCompiledIn {
            name: name.to_owned(),
            feature: kind.feature,
        });
    };
    let mut found = find();
    match index.parse::<usize>() {
        Ok(index) if index < found.len() => Ok(found.swap_remove(index)),
        _ if found.is_empty() => Err(EngineError::DeviceNotFound {
            name: name.to_owned(),
        }),
        _ => Err(EngineError::NoSuchDevice {
            name: text.to_owned(),
            found: (0..found.len()).map(|i| format!("{name}:{i}")).collect(),
        }),
    }
}

/// The first device that is not a GPU in software.
fn auto() -> Option<Device> {
    let found = KINDS.iter().filter_map(|kind| Some(kind.find?()));
    found
        .flatten()
        .find(|device| Card::of(device).is_none_or(|card| !card.is_software))
}

/// A list of all kinds and of the devices that were found.
pub fn devices() -> String {
    let mut list = String::new();
    let mut line = |name: &str, about: &str| {
        // Writing to a string cannot fail.
        let _ = writeln!(list, "{name:<10}{about}");
    };
    for kind in &KINDS {
        let Some(find) = kind.find else {
            let about = format!("not compiled in; build with --features {}", kind.feature);
            line(kind.name, &about);
            continue;
        };
        line(kind.name, kind.about);
        let found = find();
        if found.is_empty() {
            line("", "none found: is its driver installed?");
        }
        for (index, device) in found.iter().enumerate() {
            if let Some(card) = Card::of(device) {
                line(&format!("  {}:{index}", kind.name), &card.to_string());
            }
        }
    }
    list
}

/// What a GPU says about itself.
struct Card {
    name: String,
    /// Whether it is a GPU in software, on the CPU.
    is_software: bool,
    /// Its memory in bytes; wgpu does not report it.
    memory: Option<u64>,
}

impl Card {
    #[cfg(any(feature = "gpu", feature = "cuda"))]
    fn of(device: &Device) -> Option<Self> {
        let identity = device.identity()?;
        let memory = match device.as_dispatch() {
            DispatchDevice::Cube(device) => device.client().properties().memory.max_memory(),
            #[allow(unreachable_patterns, reason = "without a CPU kind there is no other")]
            _ => None,
        };
        Some(Self {
            name: identity.name,
            is_software: identity.physical.is_none(),
            memory,
        })
    }

    #[cfg(not(any(feature = "gpu", feature = "cuda")))]
    fn of(_: &Device) -> Option<Self> {
        None
    }
}

impl fmt::Display for Card {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)?;
        if let Some(bytes) = self.memory {
            write!(f, ", {:.1} GiB", bytes as f64 / f64::from(1 << 30))?;
        }
        if self.is_software {
            f.write_str(" (imitated by the CPU: to test with; `auto` passes it over)")?;
        }
        Ok(())
    }
}
