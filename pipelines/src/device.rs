//! Which processor the dense arithmetic runs on.

use std::str::FromStr;

use burn::tensor::{Device, DeviceKind, DeviceType};

use crate::{Error, Result};

/// What the user asks for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum DeviceChoice {
    /// A real GPU if there is one, else the CPU.
    #[default]
    Auto,
    /// The CPU.
    Cpu,
    /// The GPU, through wgpu (a software driver counts).
    Wgpu,
}

impl FromStr for DeviceChoice {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "auto" => Ok(Self::Auto),
            "cpu" => Ok(Self::Cpu),
            "wgpu" => Ok(Self::Wgpu),
            other => Err(format!("unknown device “{other}”: use auto, cpu or wgpu")),
        }
    }
}

/// A device and its name for reports.
#[derive(Clone, Debug)]
pub struct Compute {
    /// Where tensors live.
    pub device: Device,
    /// `cpu` or `wgpu`.
    pub name: String,
}

impl Compute {
    /// The CPU.
    pub fn cpu() -> Self {
        Self {
            device: Device::flex(),
            name: "cpu".into(),
        }
    }

    /// Whether products are computed on the CPU.
    pub fn is_cpu(&self) -> bool {
        self.name == "cpu"
    }

    fn wgpu(device: Device) -> Self {
        Self {
            device,
            name: "wgpu".into(),
        }
    }
}

/// Resolves a choice on this machine.
///
/// Adapters are listed, none is opened. A software rasteriser (lavapipe, WARP) is listed as the
/// one adapter of kind `Cpu`: `auto` passes it by, because its first matrix product compiles for
/// tens of seconds. An error when `wgpu` was asked for and no adapter exists at all.
pub fn choose(choice: DeviceChoice) -> Result<Compute> {
    if choice == DeviceChoice::Cpu {
        return Ok(Compute::cpu());
    }
    let software = Device::wgpu(DeviceKind::Cpu);
    let adapters = Device::enumerate(DeviceType::Wgpu);
    let gpu = adapters.iter().find(|&d| *d != software);
    match (gpu, choice) {
        (Some(gpu), _) => Ok(Compute::wgpu(gpu.clone())),
        (None, DeviceChoice::Wgpu) if !adapters.is_empty() => Ok(Compute::wgpu(software)),
        (None, DeviceChoice::Wgpu) => Err(Error::Choice(
            "no graphics adapter answers through wgpu: install a Vulkan driver, or use --device cpu".into(),
        )),
        (None, DeviceChoice::Auto | DeviceChoice::Cpu) => Ok(Compute::cpu()),
    }
}
