//! The window's graphics device: scenes become textures that egui can show.
//!
//! The only file of the program, beside the bridge, that names wgpu. A scene is
//! drawn only when it differs from the one in its slot.

use std::collections::BTreeMap;
use std::sync::Arc;

use egui::{ColorImage, TextureHandle, TextureId, TextureOptions};
use fusiform_render::gpu::{Gpu, RenderError, Renderer, WANTED_FEATURES};
use fusiform_render::scene::{
    Look, OutlineLayer, Pick, RegionColours, Scene, VertexData, View, VolumeData, VolumeLayer,
};

/// The places of the window that show a scene.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Slot {
    /// Axial slice.
    Axial,
    /// Coronal slice.
    Coronal,
    /// Sagittal slice.
    Sagittal,
    /// Cortical surface.
    Surface,
    /// A slice of a mosaic.
    Tile(u8),
}

impl Slot {
    fn number(self) -> u64 {
        match self {
            Self::Axial => 0,
            Self::Coronal => 1,
            Self::Sagittal => 2,
            Self::Surface => 3,
            Self::Tile(n) => 4 + u64::from(n),
        }
    }
}

/// How egui makes its device: with what lets scenes be drawn faster, where the adapter has it.
pub fn device_options() -> egui_wgpu::WgpuConfiguration {
    let mut options = egui_wgpu::WgpuConfiguration::default();
    if let egui_wgpu::WgpuSetup::CreateNew(setup) = &mut options.wgpu_setup {
        let plain = Arc::clone(&setup.device_descriptor);
        setup.device_descriptor = Arc::new(move |adapter| {
            let mut descriptor = plain(adapter);
            descriptor.required_features |= adapter.features() & WANTED_FEATURES;
            descriptor
        });
    }
    options
}

struct Drawn {
    print: Vec<u64>,
    shown: Shown,
}

enum Shown {
    Native(TextureId),
    Managed(TextureHandle),
}

impl Shown {
    fn id(&self) -> TextureId {
        match self {
            Self::Native(id) => *id,
            Self::Managed(handle) => handle.id(),
        }
    }
}

enum Brush {
    Gpu {
        renderer: Box<Renderer>,
        egui: egui_wgpu::RenderState,
    },
    Cpu,
}

/// Draws scenes for the window, on egui's own device or, where there is none, on the CPU.
pub struct Easel {
    brush: Brush,
    drawn: BTreeMap<Slot, Drawn>,
    n_draws: u64,
}

impl std::fmt::Debug for Easel {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Easel")
            .field("driver", &self.driver())
            .field("n_draws", &self.n_draws)
            .finish()
    }
}

impl Easel {
    /// Draws on egui's device.
    pub fn on(egui: egui_wgpu::RenderState) -> Self {
        let info = egui.adapter.get_info();
        let gpu = Gpu::from_parts(egui.device.clone(), egui.queue.clone(), &info);
        Self {
            brush: Brush::Gpu {
                renderer: Box::new(Renderer::new(gpu)),
                egui,
            },
            drawn: BTreeMap::new(),
            n_draws: 0,
        }
    }

    /// Draws on the CPU.
    pub fn without_gpu() -> Self {
        Self {
            brush: Brush::Cpu,
            drawn: BTreeMap::new(),
            n_draws: 0,
        }
    }

    /// What draws, for the user.
    pub fn driver(&self) -> String {
        match &self.brush {
            Brush::Gpu { renderer, .. } => renderer.gpu().adapter_name.clone(),
            Brush::Cpu => "no graphics driver: drawn by the CPU".into(),
        }
    }

    /// Whether drawing is slow, so that a moving picture should be drawn coarser.
    pub fn is_slow(&self) -> bool {
        match &self.brush {
            Brush::Gpu { renderer, .. } => renderer.gpu().is_software,
            Brush::Cpu => true,
        }
    }

    /// What the user should know of what was drawn, since the last call.
    pub fn take_notes(&mut self) -> Vec<String> {
        match &mut self.brush {
            Brush::Gpu { renderer, .. } => renderer.take_notes(),
            Brush::Cpu => Vec::new(),
        }
    }

    /// Scenes drawn so far.
    pub fn n_draws(&self) -> u64 {
        self.n_draws
    }

    /// The texture that shows a scene, drawn now if the slot shows another; with smooth edges unless it moves and drawing
    /// is slow.
    pub fn show(
        &mut self,
        ctx: &egui::Context,
        slot: Slot,
        scene: &Scene,
        size: [u32; 2],
        moves: bool,
    ) -> Result<TextureId, RenderError> {
        let samples = if moves && self.is_slow() { 1 } else { 4 };
        let mut print = fingerprint(scene, size);
        print.push(samples.into());
        if let Some(drawn) = self.drawn.get(&slot).filter(|d| d.print == print) {
            return Ok(drawn.shown.id());
        }
        self.n_draws += 1;
        let old = self.drawn.remove(&slot).map(|d| d.shown);
        let shown = match &mut self.brush {
            Brush::Gpu { renderer, egui } => {
                renderer.samples = samples;
                let texture = renderer.draw(slot.number(), scene, size)?;
                let mut screen = egui.renderer.write();
                let filter = wgpu::FilterMode::Linear;
                Shown::Native(match old {
                    Some(Shown::Native(id)) => {
                        screen.update_egui_texture_from_wgpu_texture(
                            &egui.device,
                            &texture,
                            filter,
                            id,
                        );
                        id
                    }
                    _ => screen.register_native_texture(&egui.device, &texture, filter),
                })
            }
            Brush::Cpu => {
                let picture = fusiform_render::cpu::picture(scene, size)?;
                let size = [picture.width as usize, picture.height as usize];
                let image = ColorImage::from_rgba_unmultiplied(size, &picture.rgba);
                Shown::Managed(ctx.load_texture(format!("{slot:?}"), image, TextureOptions::LINEAR))
            }
        };
        let id = shown.id();
        self.drawn.insert(slot, Drawn { print, shown });
        Ok(id)
    }

    /// What is under a pixel of a surface scene.
    pub fn pick(
        &mut self,
        scene: &Scene,
        size: [u32; 2],
        pixel: [u32; 2],
    ) -> Result<Option<Pick>, RenderError> {
        match &mut self.brush {
            Brush::Gpu { renderer, .. } => renderer.pick(scene, size, pixel),
            Brush::Cpu => fusiform_render::cpu::pick(scene, size, pixel),
        }
    }
}

/// What tells one scene from another: the keys of its heavy values and all its small ones.
fn fingerprint(scene: &Scene, size: [u32; 2]) -> Vec<u64> {
    let mut print = Print(vec![u64::from(size[0]), u64::from(size[1])]);
    print.bytes(scene.background);
    match &scene.view {
        View::Slice(slice) => {
            print.number(slice.plane as u64);
            print.floats(slice.centre_mm.to_array());
            print.floats([slice.mm_per_pixel]);
            print.number(slice.radiological.into());
            print.number(slice.nose_right.into());
            print.floats([slice.slab_mm.unwrap_or(-1.0)]);
            print.number(slice.layers.len() as u64);
            for layer in &slice.layers {
                print.layer(layer);
            }
            print.number(slice.outlines.len() as u64);
            for OutlineLayer {
                labels,
                colours,
                width_px,
            } in &slice.outlines
            {
                print.volume(labels);
                print.colours(colours);
                print.floats([*width_px]);
            }
            if let Some((at, colour)) = slice.crosshair {
                print.floats(at.to_array());
                print.bytes(colour);
            }
        }
        View::Surfaces(surfaces) => {
            let camera = &surfaces.camera;
            print.floats(camera.target_mm.to_array());
            print.floats(camera.rotation.to_array());
            print.floats([camera.half_height_mm, camera.fov_degrees]);
            print.number(surfaces.meshes.len() as u64);
            print.number(surfaces.solids.len() as u64);
            for mesh in &surfaces.meshes {
                print.key(mesh.mesh.key);
                print.floats(mesh.offset_mm.to_array());
                print.floats([mesh.opacity]);
                print.vertices(mesh.sulcal.as_ref());
                print.vertices(mesh.overlay.as_ref().map(|(values, _)| values));
                if let Some((_, look)) = &mesh.overlay {
                    print.look(look);
                }
                print.number(mesh.outlines.len() as u64);
                for (labels, colours) in &mesh.outlines {
                    print.key(labels.key);
                    print.colours(colours);
                }
                print.floats([mesh.relief]);
                print.number(mesh.coarse.into());
                if let Some((places, share)) = &mesh.toward {
                    print.key(places.key);
                    print.floats([*share]);
                }
                if let Some(sampled) = &mesh.sampled {
                    print.key(sampled.inner.key);
                    print.key(sampled.outer.key);
                    print.layer(&sampled.layer);
                    print.floats([sampled.depth.0, sampled.depth.1]);
                    print.number(sampled.n_layers.into());
                }
            }
            for solid in &surfaces.solids {
                print.layer(&solid.layer);
                print.number(solid.cast as u64);
                print.floats([solid.step_voxels]);
            }
            for clip in &surfaces.clips {
                print.floats(clip.normal.to_array());
                print.floats([clip.distance_mm]);
            }
            if let Some((at, radius, colour)) = surfaces.marker {
                print.floats(at.to_array());
                print.floats([radius]);
                print.bytes(colour);
            }
        }
    }
    print.0
}

struct Print(Vec<u64>);

impl Print {
    fn number(&mut self, n: u64) {
        self.0.push(n);
    }

    fn floats<const N: usize>(&mut self, values: [f32; N]) {
        self.0.extend(values.map(|v| u64::from(v.to_bits())));
    }

    fn bytes(&mut self, bytes: [u8; 4]) {
        self.number(u32::from_le_bytes(bytes).into());
    }

    fn key(&mut self, key: fusiform_render::scene::Key) {
        self.0.extend([key.id, key.revision]);
    }

    fn colours(&mut self, colours: &RegionColours) {
        self.number(colours.len() as u64);
        for &(key, colour) in colours.iter() {
            self.number(u64::from(key.cast_unsigned()));
            self.bytes(colour);
        }
    }

    fn volume(&mut self, volume: &VolumeData) {
        self.key(volume.key);
    }

    fn layer(&mut self, layer: &VolumeLayer) {
        self.volume(&layer.volume);
        self.number(layer.linear.into());
        self.look(&layer.look);
        if let Some(modulation) = &layer.modulation {
            self.volume(&modulation.volume);
            self.floats([modulation.range.0, modulation.range.1]);
        }
    }

    fn vertices(&mut self, values: Option<&VertexData>) {
        match values {
            Some(values) => self.key(values.key),
            None => self.number(u64::MAX),
        }
    }

    fn look(&mut self, look: &Look) {
        self.number(look.colormap as u64);
        self.floats([look.range.0, look.range.1, look.threshold, look.opacity]);
        self.number(look.two_sided.into());
        self.number(look.soft.into());
    }
}
