//! Surfaces: indexed triangles, lit and painted in the fragment shader.

use std::collections::BTreeMap;

use wgpu::ShaderStages;

use super::meshes::Meshes;
use super::pipelines::{Draws, Scratch, pipeline};
use super::smooth::Smooth;
use super::solid::{SolidPass, depth_buffer};
use super::steps::{Prepared, Steps, depths_of, draw};
use super::target::Target;
use super::volume::{Volumes, sampler_entry, volume_entry};
use super::{Gpu, RenderError, buffer_binding, layout_entry, texture_binding};
use crate::field::{Kept, Variant};
use crate::scene::SurfaceView;
use crate::surface::{SurfaceUniform, draw_order};

#[derive(Debug)]
pub(super) struct SurfacePass {
    layout: wgpu::BindGroupLayout,
    pipeline_layout: wgpu::PipelineLayout,
    module: wgpu::ShaderModule,
    /// By samples a pixel.
    pipelines: BTreeMap<(u32, Draws), wgpu::RenderPipeline>,
    pub(super) picking: super::pick::PickPipeline,
    solids: SolidPass,
    smooth: Option<Smooth>,
    pub(super) store: Meshes,
    scratch: BTreeMap<([u32; 2], u32), Scratch>,
}

impl SurfacePass {
    pub(super) fn new(gpu: &Gpu) -> Self {
        let device = &gpu.device;
        let layout = device.create_bind_group_layout(&wgpu::BindGroupLayoutDescriptor {
            label: Some("surface"),
            entries: &[
                layout_entry(
                    0,
                    ShaderStages::VERTEX_FRAGMENT,
                    buffer_binding(wgpu::BufferBindingType::Uniform),
                ),
                layout_entry(
                    1,
                    ShaderStages::FRAGMENT,
                    texture_binding(wgpu::TextureViewDimension::D2),
                ),
                volume_entry(gpu, 2),
                volume_entry(gpu, 3),
                sampler_entry(gpu, 5),
            ],
        });
        Self {
            pipeline_layout: device.create_pipeline_layout(&wgpu::PipelineLayoutDescriptor {
                label: Some("surface"),
                bind_group_layouts: &[Some(&layout)],
                immediate_size: 0,
            }),
            module: device.create_shader_module(wgpu::ShaderModuleDescriptor {
                label: Some("surface"),
                source: wgpu::ShaderSource::Wgsl(
                    concat!(
                        include_str!("../shaders/look.wgsl"),
                        include_str!("../shaders/field.wgsl"),
                        include_str!("../shaders/light.wgsl"),
                        include_str!("../shaders/surface.wgsl")
                    )
                    .into(),
                ),
            }),
            layout,
            pipelines: BTreeMap::new(),
            picking: super::pick::PickPipeline::new(gpu),
            solids: SolidPass::new(gpu),
            smooth: None,
            store: Meshes::new(),
            scratch: BTreeMap::new(),
        }
    }

    /// Draws a view into a target, `quality` being samples a pixel side in the target and samples a pixel of it.
    pub(super) fn encode(
        &mut self,
        gpu: &Gpu,
        (colormaps, volumes): (&wgpu::TextureView, &mut Volumes),
        view: &SurfaceView,
        target: &Target,
        (background, (scale, samples)): (wgpu::Color, (u32, u32)),
        encoder: &mut wgpu::CommandEncoder,
        now: u64,
    ) -> Result<(), RenderError> {
        let shared = (colormaps, volumes);
        let costly =
            view.meshes.iter().any(|mesh| mesh.sampled.is_some()) || !view.solids.is_empty();
        let fits = gpu.check_size(target.size.map(|n| n * 2)).is_ok();
        if samples > 1 && gpu.is_software && costly && fits {
            return self.twice(gpu, shared, view, target, (background, scale), encoder, now);
        }
        let (prepared, steps) = self.ready(
            gpu,
            shared,
            view,
            (target.size, scale, samples),
            encoder,
            now,
        )?;
        let scratch = self
            .scratch
            .entry((target.size, samples))
            .or_insert_with(|| Scratch::new(gpu, target.size, samples));
        scratch.used = now;
        let (colour, resolved) = match &scratch.colour {
            Some(multisampled) => (multisampled, Some(&target.view)),
            None => (&target.view, None),
        };
        let into = (colour, resolved, &scratch.depth);
        draw(encoder, into, background, (&prepared, &steps), None);
        Ok(())
    }

    /// The same with four samples a pixel where a picture of one is rough: for software drivers.
    fn twice(
        &mut self,
        gpu: &Gpu,
        (colormaps, volumes): (&wgpu::TextureView, &mut Volumes),
        view: &SurfaceView,
        target: &Target,
        (background, scale): (wgpu::Color, u32),
        encoder: &mut wgpu::CommandEncoder,
        now: u64,
    ) -> Result<(), RenderError> {
        let shared = (colormaps, &mut *volumes);
        let size = (target.size, scale, 1);
        let (prepared, steps) = self.ready(gpu, shared, view, size, encoder, now)?;
        let size = (target.size.map(|n| n * 2), scale * 2, 1);
        let shared = (colormaps, volumes);
        let (finer, finer_steps) = self.ready(gpu, shared, view, size, encoder, now)?;
        let smooth = self.smooth.get_or_insert_with(|| Smooth::new(gpu));
        let room = smooth.room(gpu, target.size, now);
        let into = (&room.once, None, &room.once_depth);
        draw(encoder, into, background, (&prepared, &steps), None);
        smooth.find(&room, encoder);
        let into = (&room.fine, None, &room.fine_depth);
        let kept = Some((&*smooth, &*room));
        draw(encoder, into, background, (&finer, &finer_steps), kept);
        smooth.mean(&room, target, encoder);
        Ok(())
    }

    /// What is drawn of a view and how, in so many pixels, samples a pixel side in them and samples a pixel of them.
    fn ready(
        &mut self,
        gpu: &Gpu,
        (colormaps, volumes): (&wgpu::TextureView, &mut Volumes),
        view: &SurfaceView,
        (size, scale, samples): ([u32; 2], u32, u32),
        encoder: &mut wgpu::CommandEncoder,
        now: u64,
    ) -> Result<(Vec<Prepared>, Steps), RenderError> {
        let prepared = self.prepare(gpu, (colormaps, &mut *volumes), view, size, scale, now)?;
        let mut solids = Vec::new();
        if !view.solids.is_empty() {
            let depths = self.depths(gpu, &prepared, size, encoder);
            for solid in &view.solids {
                let shared = (colormaps, &mut *volumes, &depths);
                let quality = (size, samples);
                solids.push(
                    self.solids
                        .prepare(gpu, shared, view, solid, quality, now)?,
                );
            }
        }
        let steps = self.steps(gpu, &prepared, solids, samples);
        Ok((prepared, steps))
    }

    /// The depths of solid meshes, one sample a pixel, for rays to stop at.
    fn depths(
        &mut self,
        gpu: &Gpu,
        prepared: &[Prepared],
        size: [u32; 2],
        encoder: &mut wgpu::CommandEncoder,
    ) -> wgpu::TextureView {
        let depths = depth_buffer(gpu, size);
        let one = self.pipeline(gpu, 1, Draws::Depths);
        // A picture of one sample a pixel whose colours are not looked at.
        let unseen = Scratch::unseen(gpu, size);
        let mut pass = encoder.begin_render_pass(&wgpu::RenderPassDescriptor {
            label: Some("depths"),
            color_attachments: &[Some(wgpu::RenderPassColorAttachment {
                view: &unseen,
                depth_slice: None,
                resolve_target: None,
                ops: wgpu::Operations {
                    load: wgpu::LoadOp::Clear(wgpu::Color::TRANSPARENT),
                    store: wgpu::StoreOp::Discard,
                },
            })],
            depth_stencil_attachment: Some(depths_of(&depths, 1.0, wgpu::StoreOp::Store)),
            ..Default::default()
        });
        pass.set_pipeline(&one);
        for item in prepared.iter().filter(|item| item.solid) {
            item.set(&mut pass);
            pass.draw_indexed(0..item.mesh.n_indices, 0, 0..1);
        }
        drop(pass);
        depths
    }

    /// What draws the meshes with so many samples a pixel.
    fn steps(
        &mut self,
        gpu: &Gpu,
        prepared: &[Prepared],
        solids: Vec<(wgpu::RenderPipeline, wgpu::BindGroup)>,
        samples: u32,
    ) -> Steps {
        let colours = prepared.iter().map(|item| {
            let draws = if item.covers {
                Draws::Solid(item.sampled)
            } else {
                Draws::Clear(item.sampled)
            };
            self.pipeline(gpu, samples, draws)
        });
        let colours = colours.collect();
        let bordered = prepared.iter().any(|item| !item.borders.is_empty());
        Steps {
            colours,
            depths: self.pipeline(gpu, samples, Draws::Depths),
            borders: bordered.then(|| self.pipeline(gpu, samples, Draws::Borders)),
            solids,
        }
    }

    fn pipeline(&mut self, gpu: &Gpu, samples: u32, draws: Draws) -> wgpu::RenderPipeline {
        let made = || pipeline(gpu, &self.pipeline_layout, &self.module, samples, draws);
        self.pipelines
            .entry((samples, draws))
            .or_insert_with(made)
            .clone()
    }

    /// Uploads what is new and binds the rest, in the order of drawing.
    fn prepare(
        &mut self,
        gpu: &Gpu,
        (colormaps, volumes): (&wgpu::TextureView, &mut Volumes),
        view: &SurfaceView,
        size: [u32; 2],
        scale: u32,
        now: u64,
    ) -> Result<Vec<Prepared>, RenderError> {
        let mut prepared = Vec::new();
        if let Some(marker) = view.marker {
            let uniform = SurfaceUniform::marker(&view.camera, size, marker);
            let mesh = self.store.sphere(gpu)?;
            let blank = self.store.blank(gpu, mesh.n_vertices)?;
            let nothing = [volumes.none(), volumes.none()];
            prepared.push(Prepared {
                bindings: self.bind(gpu, colormaps, (&nothing, &volumes.sampler), &uniform)?,
                toward: mesh.vertices.clone(),
                mesh,
                sulcal: blank.clone(),
                map: blank.clone(),
                ends: [blank.clone(), blank],
                borders: Vec::new(),
                solid: true,
                covers: uniform.opacity() >= 1.0,
                sampled: None,
            });
        }
        for i in draw_order(view) {
            let layer = &view.meshes[i];
            let (textures, kept, variant) = match &layer.sampled {
                Some(sampled) => volumes.of_layer(gpu, &sampled.layer, now)?,
                None => (
                    [volumes.none(), volumes.none()],
                    [Kept::WHOLE; 2],
                    Variant::NONE,
                ),
            };
            let uniform = SurfaceUniform::layer(&view.camera, size, scale, layer, kept);
            let (mesh, triangles) = self.store.drawn(gpu, layer, now)?;
            let blank = self.store.blank(gpu, mesh.n_vertices)?;
            prepared.push(Prepared {
                bindings: self.bind(gpu, colormaps, (&textures, &volumes.sampler), &uniform)?,
                toward: self.store.toward(gpu, layer, &mesh, now)?,
                ends: match &layer.sampled {
                    Some(sampled) => [
                        self.store.place(gpu, &sampled.inner, now)?,
                        self.store.place(gpu, &sampled.outer, now)?,
                    ],
                    None => [blank.clone(), blank.clone()],
                },
                sulcal: match &layer.sulcal {
                    Some(data) => self.store.sulcal(gpu, data, now)?,
                    None => blank.clone(),
                },
                map: match &layer.overlay {
                    Some((data, _)) => self.store.map(gpu, data, now)?,
                    None => blank,
                },
                mesh,
                borders: self.store.borders(gpu, layer, &triangles, now)?,
                solid: uniform.opacity() >= 1.0,
                covers: uniform.opacity() >= 1.0,
                sampled: layer.sampled.as_ref().map(|_| variant),
            });
        }
        Ok(prepared)
    }

    pub(super) fn evict(&mut self, now: u64) {
        self.store.evict(now);
        self.solids.evict(now);
        // Resizing a window makes a size a frame.
        self.scratch.retain(|_, scratch| now - scratch.used <= 16);
        if let Some(smooth) = &mut self.smooth {
            smooth.evict(now);
        }
    }

    fn bind(
        &self,
        gpu: &Gpu,
        colormaps: &wgpu::TextureView,
        ([volume, modulating], sampler): (&[wgpu::TextureView; 2], &wgpu::Sampler),
        uniform: &SurfaceUniform,
    ) -> Result<wgpu::BindGroup, RenderError> {
        let buffer = gpu.buffer(
            "surface",
            bytemuck::bytes_of(uniform),
            wgpu::BufferUsages::UNIFORM,
        )?;
        Ok(gpu.device.create_bind_group(&wgpu::BindGroupDescriptor {
            label: Some("surface"),
            layout: &self.layout,
            entries: &[
                wgpu::BindGroupEntry {
                    binding: 0,
                    resource: buffer.as_entire_binding(),
                },
                wgpu::BindGroupEntry {
                    binding: 1,
                    resource: wgpu::BindingResource::TextureView(colormaps),
                },
                wgpu::BindGroupEntry {
                    binding: 2,
                    resource: wgpu::BindingResource::TextureView(volume),
                },
                wgpu::BindGroupEntry {
                    binding: 3,
                    resource: wgpu::BindingResource::TextureView(modulating),
                },
                wgpu::BindGroupEntry {
                    binding: 5,
                    resource: wgpu::BindingResource::Sampler(sampler),
                },
            ],
        }))
    }
}
