//! The wgpu renderer.

mod cache;
mod device;
mod meshes;
mod pick;
mod pipelines;
mod slice;
mod smooth;
mod solid;
mod steps;
mod surface;
mod target;
mod volume;

use std::collections::BTreeMap;

use crate::check;
use crate::colormap::Colormap;
use crate::scene::{Pick, Picture, Scene, View};
use cache::Cache;
pub use device::{Gpu, NO_DRIVER, RenderError, WANTED_FEATURES};
use slice::SlicePass;
use surface::SurfacePass;
use target::{COLOUR_FORMAT, Target};
use volume::Volumes;

/// Pipelines and caches of one device.
#[derive(Debug)]
pub struct Renderer {
    gpu: Gpu,
    /// Samples a pixel of surfaces in [`Renderer::draw`]: 1, or 4 for smooth edges. 4 on a real GPU, 1 on a software
    /// driver, where 4 cost about three times as long.
    pub samples: u32,
    /// Samples a pixel of surfaces in [`Renderer::picture`]: 1, 4, or 16 (four samples in each of four smaller pixels).
    pub picture_samples: u32,
    colormaps: wgpu::TextureView,
    volumes: Volumes,
    slices: SlicePass,
    surfaces: SurfacePass,
    slots: BTreeMap<u64, Target>,
    /// Counts draws: the clock of the caches.
    now: u64,
    /// A rehearsal of trouble: the draw, from 1, in which the device is lost.
    pub lost_in: Option<u64>,
    /// Whether it took the place of one whose device was lost.
    pub(crate) is_spare: bool,
}

impl Renderer {
    /// Builds the pipelines.
    pub fn new(gpu: Gpu) -> Self {
        let colormaps = colormap_texture(&gpu);
        let volumes = Volumes::new(&gpu);
        let slices = SlicePass::new(&gpu);
        let surfaces = SurfacePass::new(&gpu);
        let samples = if gpu.is_software { 1 } else { 4 };
        Self {
            gpu,
            samples,
            picture_samples: 16,
            colormaps,
            volumes,
            slices,
            surfaces,
            slots: BTreeMap::new(),
            now: 0,
            lost_in: None,
            is_spare: false,
        }
    }

    /// One on another device that goes on where this one ended.
    pub(crate) fn successor(&self, gpu: Gpu, notes: Vec<String>) -> Self {
        let mut other = Self::new(gpu);
        other.samples = self.samples;
        other.picture_samples = self.picture_samples;
        other.limit_volumes(self.volumes.longest_side);
        other.volumes.notes = notes;
        other.lost_in = self.lost_in;
        other.is_spare = true;
        other
    }

    /// The device.
    pub fn gpu(&self) -> &Gpu {
        &self.gpu
    }

    /// The longest volume side that is uploaded whole, voxels: the device's own limit, or a lower one to save memory.
    pub fn limit_volumes(&mut self, longest_side: u32) {
        let limit = self.gpu.device.limits().max_texture_dimension_3d;
        self.volumes.longest_side = longest_side.clamp(1, limit);
    }

    /// What the user should know of what was drawn since the last call: volumes that were thinned to fit the device.
    pub fn take_notes(&mut self) -> Vec<String> {
        std::mem::take(&mut self.volumes.notes)
    }

    /// Volumes uploaded so far.
    pub fn n_volume_uploads(&self) -> u64 {
        self.volumes.n_uploads
    }

    /// Draws into a texture of `size` pixels and returns its view. The texture is Rgba8Unorm, holds sRGB bytes with
    /// premultiplied alpha, and can be bound, rendered to and copied from. The same `slot` reuses its texture when the
    /// size is unchanged. Errors where the scene is malformed or too large for the device.
    pub fn draw(
        &mut self,
        slot: u64,
        scene: &Scene,
        size: [u32; 2],
    ) -> Result<wgpu::TextureView, RenderError> {
        check::scene(scene, size)?;
        self.gpu.check_size(size)?;
        let target = match self.slots.remove(&slot) {
            Some(target) if target.size == size => target,
            _ => self.gpu.watched(|| Ok(Target::new(&self.gpu, size)))?,
        };
        let samples = if self.samples > 1 { 4 } else { 1 };
        let drawn = self.render(&target, scene, 1, samples);
        let view = target.view.clone();
        self.slots.insert(slot, target);
        drawn.map(|()| view)
    }

    /// Waits until everything drawn so far is drawn.
    pub fn finish(&self) -> Result<(), RenderError> {
        self.gpu.wait()
    }

    /// Forgets a slot's texture, when its view is closed.
    pub fn release(&mut self, slot: u64) {
        self.slots.remove(&slot);
    }

    /// Draws and reads back, surfaces with [`Renderer::picture_samples`].
    pub fn picture(&mut self, scene: &Scene, size: [u32; 2]) -> Result<Picture, RenderError> {
        check::scene(scene, size)?;
        self.gpu.check_size(size)?;
        let limits = self.gpu.device.limits();
        let samples = match &scene.view {
            View::Slice(_) => 1,
            View::Surfaces(_) => self.picture_samples,
        };
        // Four smaller pixels for one, where the device can hold and return them.
        let bytes = 16 * u64::from(size[0]) * u64::from(size[1]);
        let fits = size
            .iter()
            .all(|&side| side * 2 <= limits.max_texture_dimension_2d)
            && bytes <= limits.max_buffer_size;
        let scale = if samples > 4 && fits { 2 } else { 1 };
        let target = self
            .gpu
            .watched(|| Ok(Target::new(&self.gpu, size.map(|side| side * scale))))?;
        self.render(&target, scene, scale, if samples > 1 { 4 } else { 1 })?;
        self.gpu.watched(|| target.read(&self.gpu, scale))
    }

    /// What is under a pixel of a surface view: meshes by an id buffer, volumes by the ray through the pixel. Nothing for
    /// slices: see [`SliceView::voxel_at`](crate::scene::SliceView::voxel_at).
    pub fn pick(
        &mut self,
        scene: &Scene,
        size: [u32; 2],
        pixel: [u32; 2],
    ) -> Result<Option<Pick>, RenderError> {
        check::scene(scene, size)?;
        let View::Surfaces(view) = &scene.view else {
            return Ok(None);
        };
        if pixel[0] >= size[0] || pixel[1] >= size[1] {
            return Ok(None);
        }
        self.now += 1;
        let now = self.now;
        let gpu = self.gpu.clone();
        gpu.watched(|| self.surfaces.pick(&gpu, view, size, pixel, now))
    }

    fn render(
        &mut self,
        target: &Target,
        scene: &Scene,
        scale: u32,
        samples: u32,
    ) -> Result<(), RenderError> {
        self.now += 1;
        let now = self.now;
        let gpu = self.gpu.clone();
        gpu.watched(|| {
            let mut encoder = gpu
                .device
                .create_command_encoder(&wgpu::CommandEncoderDescriptor::default());
            let background = clear_colour(scene.background);
            match &scene.view {
                View::Slice(view) => {
                    self.slices.encode(
                        &gpu,
                        (&self.colormaps, &mut self.volumes),
                        view,
                        target,
                        background,
                        &mut encoder,
                        now,
                    )?;
                }
                View::Surfaces(view) => {
                    let quality = (scale, samples);
                    self.surfaces.encode(
                        &gpu,
                        (&self.colormaps, &mut self.volumes),
                        view,
                        target,
                        (background, quality),
                        &mut encoder,
                        now,
                    )?;
                }
            }
            if self.lost_in == Some(now) {
                gpu.device.destroy();
                gpu.wait()?;
            }
            gpu.queue.submit([encoder.finish()]);
            Ok(())
        })?;
        self.volumes.evict(now);
        self.surfaces.evict(now);
        Ok(())
    }
}

fn clear_colour(straight: [u8; 4]) -> wgpu::Color {
    let [r, g, b, a] = straight.map(|c| f64::from(c) / 255.0);
    wgpu::Color {
        r: r * a,
        g: g * a,
        b: b * a,
        a,
    }
}

/// One row of 256 colours a map.
fn colormap_texture(gpu: &Gpu) -> wgpu::TextureView {
    let rows: Vec<u8> = Colormap::all()
        .iter()
        .flat_map(|map| map.table())
        .flat_map(|[r, g, b]| [r, g, b, 255])
        .collect();
    let size = wgpu::Extent3d {
        width: 256,
        height: Colormap::all().len() as u32,
        depth_or_array_layers: 1,
    };
    let texture = gpu.device.create_texture(&wgpu::TextureDescriptor {
        label: Some("colour maps"),
        size,
        mip_level_count: 1,
        sample_count: 1,
        dimension: wgpu::TextureDimension::D2,
        format: COLOUR_FORMAT,
        usage: wgpu::TextureUsages::TEXTURE_BINDING | wgpu::TextureUsages::COPY_DST,
        view_formats: &[],
    });
    let layout = wgpu::TexelCopyBufferLayout {
        offset: 0,
        bytes_per_row: Some(1024),
        rows_per_image: None,
    };
    gpu.queue
        .write_texture(texture.as_image_copy(), &rows, layout, size);
    texture.create_view(&wgpu::TextureViewDescriptor::default())
}

/// Over what is there, colours premultiplied.
const BLEND_OVER: wgpu::BlendState = wgpu::BlendState::PREMULTIPLIED_ALPHA_BLENDING;

fn layout_entry(
    binding: u32,
    visibility: wgpu::ShaderStages,
    ty: wgpu::BindingType,
) -> wgpu::BindGroupLayoutEntry {
    wgpu::BindGroupLayoutEntry {
        binding,
        visibility,
        ty,
        count: None,
    }
}

fn buffer_binding(ty: wgpu::BufferBindingType) -> wgpu::BindingType {
    wgpu::BindingType::Buffer {
        ty,
        has_dynamic_offset: false,
        min_binding_size: None,
    }
}

fn texture_binding(view_dimension: wgpu::TextureViewDimension) -> wgpu::BindingType {
    wgpu::BindingType::Texture {
        sample_type: wgpu::TextureSampleType::Float { filterable: false },
        view_dimension,
        multisampled: false,
    }
}
