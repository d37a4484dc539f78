//! The window's graphics device: scenes become textures that egui can show.
//!
//! The only file of the program, beside the bridge, that names wgpu. A scene is
//! drawn only when it differs from the one in its slot.

use std::collections::BTreeMap;
use std::sync::Arc;

use egui::{ColorImage, TextureHandle, TextureId, TextureOptions};
use fusiform_render::gpu::{Gpu, NO_DRIVER, RenderError, Renderer, WANTED_FEATURES};
use fusiform_render::renderer::Backend;
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

/// How egui makes its device: with what lets scenes be drawn faster, where the adapter has it. `safely` prefers a software
/// driver, after others were lost again and again.
pub fn device_options(safely: bool) -> egui_wgpu::WgpuConfiguration {
    let mut options = egui_wgpu::WgpuConfiguration::default();
    if let egui_wgpu::WgpuSetup::CreateNew(setup) = &mut options.wgpu_setup {
        let plain = Arc::clone(&setup.device_descriptor);
        setup.device_descriptor = Arc::new(move |adapter| {
            let mut descriptor = plain(adapter);
            descriptor.required_features |= adapter.features() & WANTED_FEATURES;
            descriptor
        });
        if safely {
            setup.native_adapter_selector = Some(Arc::new(|adapters, surface| {
                let serves = |adapter: &&wgpu::Adapter| {
                    surface.is_none_or(|surface| adapter.is_surface_supported(surface))
                };
                let software =
                    |a: &&wgpu::Adapter| a.get_info().device_type == wgpu::DeviceType::Cpu;
                let mut able = adapters.iter().filter(serves);
                let first = able.clone().find(software).or_else(|| able.next());
                first.cloned().ok_or_else(|| NO_DRIVER.to_owned())
            }));
        }
    }
    options
}

/// Trouble that a developer asks for, to see how the program bears it (CONTRIBUTING.md): `FUSIFORM_LOSE_GPU=n` loses every
/// device in its n-th drawing, `FUSIFORM_GPU_LONGEST=n` lets it hold volumes of at most n voxels a side.
fn rehearse(renderer: &mut Renderer) {
    let asked = |name| std::env::var(name).ok().and_then(|n| n.parse::<u32>().ok());
    renderer.lost_in = asked("FUSIFORM_LOSE_GPU").map(u64::from);
    if let Some(longest_side) = asked("FUSIFORM_GPU_LONGEST") {
        renderer.limit_volumes(longest_side);
    }
}

/// What draws off screen: a device, or the CPU where there is none, and why.
pub fn off_screen() -> (Backend, Option<String>) {
    let (mut backend, why_not) = Backend::best();
    if let Backend::Gpu(renderer) = &mut backend {
        rehearse(renderer);
    }
    (
        backend,
        why_not.map(|why| format!("{why}: drawing on the CPU")),
    )
}

/// Lets the log tell of panics within wgpu, which come of lost devices and are caught, instead of a trace on the terminal.
pub fn hush_lost_devices() {
    let usual = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        let at = panic.location().map_or("", std::panic::Location::file);
        if at.contains("wgpu") {
            log::warn!("{panic}");
        } else {
            usual(panic);
        }
    }));
}

/// Paints nothing once the device is lost: egui's painter would panic.
struct Blank(Gpu);

impl egui::Plugin for Blank {
    fn debug_name(&self) -> &'static str {
        "blank"
    }

    fn output_hook(&mut self, _ctx: &egui::Context, output: &mut egui::FullOutput) {
        if self.0.check().is_err() {
            output.shapes.clear();
        }
    }
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

/// Draws scenes for the window, on egui's own device or, where there is none or it is lost, on the CPU.
pub struct Easel {
    brush: Brush,
    /// The device of the window, whoever draws the scenes.
    screen: Option<Gpu>,
    drawn: BTreeMap<Slot, Drawn>,
    n_draws: u64,
    notes: Vec<String>,
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
    /// Draws on egui's device, where it is one that can.
    pub fn on(egui: egui_wgpu::RenderState) -> Self {
        let info = egui.adapter.get_info();
        if info.backend == wgpu::Backend::Gl {
            // It serves for panels; the shaders of scenes ask for more.
            let mut easel = Self::beside(&egui);
            easel.notes.push(format!(
                "{NO_DRIVER}: pictures are drawn by the CPU, slowly"
            ));
            return easel;
        }
        let gpu = Gpu::from_parts(egui.device.clone(), egui.queue.clone(), &info);
        let mut renderer = Box::new(Renderer::new(gpu.clone()));
        rehearse(&mut renderer);
        Self {
            brush: Brush::Gpu { renderer, egui },
            screen: Some(gpu),
            ..Self::without_gpu()
        }
    }

    /// Draws on the CPU for a window that has a device, when that is not to be trusted with more.
    pub fn beside(egui: &egui_wgpu::RenderState) -> Self {
        let info = egui.adapter.get_info();
        Self {
            screen: Some(Gpu::from_parts(
                egui.device.clone(),
                egui.queue.clone(),
                &info,
            )),
            ..Self::without_gpu()
        }
    }

    /// Draws on the CPU.
    pub fn without_gpu() -> Self {
        Self {
            brush: Brush::Cpu,
            screen: None,
            drawn: BTreeMap::new(),
            n_draws: 0,
            notes: Vec::new(),
        }
    }

    /// Lets a window whose device is lost end in peace.
    pub fn guard(&self, ctx: &egui::Context) {
        if let Some(screen) = &self.screen {
            ctx.add_plugin(Blank(screen.clone()));
        }
    }

    /// How the window's device was lost, if it was. Pictures are drawn by the CPU from then on.
    pub fn lost(&mut self) -> Option<String> {
        let how = self.screen.as_ref()?.check().err()?.to_string();
        self.go_on_without(&how);
        Some(how)
    }

    fn go_on_without(&mut self, how: &str) {
        if let Brush::Gpu { renderer, .. } = &mut self.brush {
            self.notes.append(&mut renderer.take_notes());
            self.notes
                .push(format!("{how}: pictures are drawn by the CPU, slowly"));
            self.brush = Brush::Cpu;
            self.drawn.clear();
        }
    }

    /// What draws, for the user.
    pub fn driver(&self) -> String {
        match &self.brush {
            Brush::Gpu { renderer, .. } => renderer.gpu().adapter_name.clone(),
            Brush::Cpu => match &self.screen {
                Some(screen) => format!("{}, pictures drawn by the CPU", screen.adapter_name),
                None => "no graphics driver: drawn by the CPU".into(),
            },
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
        let mut notes = std::mem::take(&mut self.notes);
        if let Brush::Gpu { renderer, .. } = &mut self.brush {
            notes.append(&mut renderer.take_notes());
        }
        notes
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
        let on_device = match &mut self.brush {
            Brush::Gpu { renderer, egui } => {
                renderer.samples = samples;
                let drawn = renderer.draw(slot.number(), scene, size);
                Some(drawn.map(|texture| on_screen(egui, &texture, old.as_ref())))
            }
            Brush::Cpu => None,
        };
        let shown = match on_device {
            Some(Err(RenderError::Lost(how))) => {
                self.go_on_without(&how);
                by_hand(ctx, slot, scene, size)?
            }
            Some(drawn) => drawn?,
            None => by_hand(ctx, slot, scene, size)?,
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
        if let Brush::Gpu { renderer, .. } = &mut self.brush {
            match renderer.pick(scene, size, pixel) {
                Err(RenderError::Lost(how)) => self.go_on_without(&how),
                picked => return picked,
            }
        }
        fusiform_render::cpu::pick(scene, size, pixel)
    }
}

/// A texture of egui's device as a picture, in the place of an old one.
fn on_screen(
    egui: &egui_wgpu::RenderState,
    texture: &wgpu::TextureView,
    old: Option<&Shown>,
) -> Shown {
    let mut screen = egui.renderer.write();
    let filter = wgpu::FilterMode::Linear;
    Shown::Native(match old {
        Some(&Shown::Native(id)) => {
            screen.update_egui_texture_from_wgpu_texture(&egui.device, texture, filter, id);
            id
        }
        _ => screen.register_native_texture(&egui.device, texture, filter),
    })
}

/// A scene drawn by the reference renderer.
fn by_hand(
    ctx: &egui::Context,
    slot: Slot,
    scene: &Scene,
    size: [u32; 2],
) -> Result<Shown, RenderError> {
    let picture = fusiform_render::cpu::picture(scene, size)?;
    let size = [picture.width as usize, picture.height as usize];
    let image = ColorImage::from_rgba_unmultiplied(size, &picture.rgba);
    Ok(Shown::Managed(ctx.load_texture(
        format!("{slot:?}"),
        image,
        TextureOptions::LINEAR,
    )))
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
