//! A device and its queue, and what becomes of them: a driver may refuse, and it may stop answering at any time.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, OnceLock};

/// What can go wrong while drawing.
#[derive(Debug, thiserror::Error)]
pub enum RenderError {
    /// No adapter or device.
    #[error("no graphics driver: {0}")]
    NoDevice(String),
    /// The device was there and is no more; it will not come back. All of it is told by the text.
    #[error("{0}")]
    Lost(String),
    /// The scene does not fit the device.
    #[error("{0}")]
    Scene(String),
}

/// Features that make drawing faster where a device has them; none is needed.
pub const WANTED_FEATURES: wgpu::Features = wgpu::Features::FLOAT32_FILTERABLE;

/// A device and its queue.
#[derive(Clone, Debug)]
pub struct Gpu {
    /// wgpu handles are cheap to clone.
    pub device: wgpu::Device,
    /// The queue.
    pub queue: wgpu::Queue,
    /// The adapter's name, for the user.
    pub adapter_name: String,
    /// Whether it is a software driver.
    pub is_software: bool,
    /// Why the device is lost, once it is.
    end: Arc<OnceLock<String>>,
}

impl Gpu {
    /// A device with no window: a real GPU if there is one, else a software driver. Errors where there is no driver.
    pub fn headless() -> Result<Self, RenderError> {
        let mut asked = wgpu::InstanceDescriptor::new_without_display_handle_from_env();
        // OpenGL lacks some of what the shaders ask for.
        asked.backends.remove(wgpu::Backends::GL);
        let instance = wgpu::Instance::new(asked);
        let options = wgpu::RequestAdapterOptions {
            power_preference: wgpu::PowerPreference::HighPerformance,
            ..Default::default()
        };
        let adapter = pollster::block_on(instance.request_adapter(&options)).map_err(|error| {
            log::debug!("no adapter: {error}");
            RenderError::NoDevice(NO_DRIVER.into())
        })?;
        let info = adapter.get_info();
        let descriptor = wgpu::DeviceDescriptor {
            label: Some("fusiform render"),
            required_features: adapter.features() & WANTED_FEATURES,
            required_limits: adapter.limits(),
            ..Default::default()
        };
        let (device, queue) =
            pollster::block_on(adapter.request_device(&descriptor)).map_err(|error| {
                RenderError::NoDevice(format!("{} gives no device: {error}", info.name))
            })?;
        Ok(Self::from_parts(device, queue, &info))
    }

    /// A device that another owner made, such as the window's. No optional feature is needed. What the device refuses
    /// outside of drawing is logged from here on (wgpu would end the program), and that it is lost is noticed: by one value
    /// a device and its clones.
    pub fn from_parts(
        device: wgpu::Device,
        queue: wgpu::Queue,
        adapter: &wgpu::AdapterInfo,
    ) -> Self {
        let end = Arc::new(OnceLock::new());
        let noted = Arc::clone(&end);
        device.set_device_lost_callback(move |_, why| {
            noted.get_or_init(|| why);
        });
        device.on_uncaptured_error(Arc::new(|error| log::error!("graphics: {error}")));
        Self {
            device,
            queue,
            adapter_name: adapter.name.clone(),
            is_software: adapter.device_type == wgpu::DeviceType::Cpu,
            end,
        }
    }

    /// An error where the device is lost. What is asked of a lost device does nothing and says nothing, so ask.
    pub fn check(&self) -> Result<(), RenderError> {
        self.poll(wgpu::PollType::Poll)
    }

    /// Waits until all that was asked for is done.
    pub(super) fn wait(&self) -> Result<(), RenderError> {
        self.poll(wgpu::PollType::wait_indefinitely())
    }

    fn poll(&self, how: wgpu::PollType) -> Result<(), RenderError> {
        // wgpu panics where a driver says that its device is lost while it is waited for.
        let polled = catch_unwind(AssertUnwindSafe(|| self.device.poll(how)));
        if let Some(why) = self.end.get() {
            return Err(self.lost(why));
        }
        match polled {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(error)) => Err(self.lost(error)),
            Err(_) => Err(self.lost(self.end.get_or_init(|| "no reason is given".to_owned()))),
        }
    }

    /// The error of a device that is gone.
    pub(super) fn lost(&self, why: impl std::fmt::Display) -> RenderError {
        let why = why.to_string();
        let why = match why.trim() {
            "" => String::new(),
            why => format!(" ({why})"),
        };
        RenderError::Lost(format!(
            "the graphics device {} was lost{why}",
            self.adapter_name
        ))
    }

    /// Runs GPU work so that a refusal of the device (out of memory, a limit not foreseen) and its loss are errors, not
    /// panics.
    pub(super) fn watched<T>(
        &self,
        work: impl FnOnce() -> Result<T, RenderError>,
    ) -> Result<T, RenderError> {
        self.check()?;
        let memory = self.device.push_error_scope(wgpu::ErrorFilter::OutOfMemory);
        let validation = self.device.push_error_scope(wgpu::ErrorFilter::Validation);
        let result = work();
        let refused = pollster::block_on(validation.pop());
        let exhausted = pollster::block_on(memory.pop());
        // Only after the scopes are closed; of a lost device, whatever else was said follows from that.
        self.check()?;
        match exhausted.or(refused) {
            Some(error) if result.is_ok() => Err(RenderError::Scene(format!(
                "{} refuses: {error}",
                self.adapter_name
            ))),
            _ => result,
        }
    }

    /// An error where a picture side is larger than the device's textures.
    pub(super) fn check_size(&self, size: [u32; 2]) -> Result<(), RenderError> {
        let limit = self.device.limits().max_texture_dimension_2d;
        if size[0] > limit || size[1] > limit {
            return Err(RenderError::Scene(format!(
                "a picture of {} × {} pixels is larger than {} can draw ({limit} a side)",
                size[0], size[1], self.adapter_name
            )));
        }
        Ok(())
    }

    /// A buffer with contents, or an error where it is larger than the device allows.
    pub(super) fn buffer(
        &self,
        label: &str,
        bytes: &[u8],
        usage: wgpu::BufferUsages,
    ) -> Result<wgpu::Buffer, RenderError> {
        let limits = self.device.limits();
        let limit = if usage.contains(wgpu::BufferUsages::STORAGE) {
            limits
                .max_buffer_size
                .min(limits.max_storage_buffer_binding_size)
        } else {
            limits.max_buffer_size
        };
        if bytes.len() as u64 > limit {
            return Err(RenderError::Scene(format!(
                "the {label} needs {} MB on the graphics device, {} allows {} MB",
                bytes.len() >> 20,
                self.adapter_name,
                limit >> 20
            )));
        }
        let buffer = self.device.create_buffer(&wgpu::BufferDescriptor {
            label: Some(label),
            size: (bytes.len() as u64).next_multiple_of(4).max(4),
            usage: usage | wgpu::BufferUsages::COPY_DST,
            mapped_at_creation: false,
        });
        self.queue.write_buffer(&buffer, 0, bytes);
        Ok(buffer)
    }
}

/// What to do where no driver answers.
pub const NO_DRIVER: &str = "no Vulkan, Metal or DirectX 12 driver answers; on Linux install mesa-vulkan-drivers and libvulkan1";
