//! Picking: the view is zoomed until one pixel fills the target, and triangles draw their names.

use bytemuck::{Pod, Zeroable};
use glam::{Mat4, Vec3};
use wgpu::ShaderStages;

use super::pipelines::DEPTH_FORMAT;
use super::surface::SurfacePass;
use super::target::{attachment, read_texture};
use super::{Gpu, RenderError, buffer_binding, layout_entry};
use crate::cpu::pick::{Ray, by_opacity, pick_of, with_solids};
use crate::scene::{Pick, SurfaceView};

/// The mesh's index + 1 and the triangle's index.
const ID_FORMAT: wgpu::TextureFormat = wgpu::TextureFormat::Rg32Uint;

#[repr(C)]
#[derive(Clone, Copy, Debug, Pod, Zeroable)]
struct PickUniform {
    clip_from_mesh: Mat4,
    mesh: [u32; 4],
    shape: [f32; 4],
}

#[derive(Debug)]
pub(super) struct PickPipeline {
    layout: wgpu::BindGroupLayout,
    pipeline: wgpu::RenderPipeline,
}

impl PickPipeline {
    pub(super) fn new(gpu: &Gpu) -> Self {
        let device = &gpu.device;
        let storage = buffer_binding(wgpu::BufferBindingType::Storage { read_only: true });
        let layout = device.create_bind_group_layout(&wgpu::BindGroupLayoutDescriptor {
            label: Some("pick"),
            entries: &[
                layout_entry(
                    0,
                    ShaderStages::VERTEX_FRAGMENT,
                    buffer_binding(wgpu::BufferBindingType::Uniform),
                ),
                layout_entry(1, ShaderStages::VERTEX, storage),
                layout_entry(2, ShaderStages::VERTEX, storage),
                layout_entry(3, ShaderStages::VERTEX, storage),
            ],
        });
        let module = device.create_shader_module(wgpu::ShaderModuleDescriptor {
            label: Some("pick"),
            source: wgpu::ShaderSource::Wgsl(include_str!("../shaders/pick.wgsl").into()),
        });
        let pipeline_layout = device.create_pipeline_layout(&wgpu::PipelineLayoutDescriptor {
            label: Some("pick"),
            bind_group_layouts: &[Some(&layout)],
            immediate_size: 0,
        });
        let pipeline = device.create_render_pipeline(&wgpu::RenderPipelineDescriptor {
            label: Some("pick"),
            layout: Some(&pipeline_layout),
            vertex: wgpu::VertexState {
                module: &module,
                entry_point: Some("vs_pick"),
                compilation_options: wgpu::PipelineCompilationOptions::default(),
                buffers: &[],
            },
            primitive: wgpu::PrimitiveState {
                cull_mode: None,
                ..Default::default()
            },
            depth_stencil: Some(wgpu::DepthStencilState {
                format: DEPTH_FORMAT,
                depth_write_enabled: Some(true),
                depth_compare: Some(wgpu::CompareFunction::Less),
                stencil: wgpu::StencilState::default(),
                bias: wgpu::DepthBiasState::default(),
            }),
            multisample: wgpu::MultisampleState::default(),
            fragment: Some(wgpu::FragmentState {
                module: &module,
                entry_point: Some("fs_pick"),
                compilation_options: wgpu::PipelineCompilationOptions::default(),
                targets: &[Some(ID_FORMAT.into())],
            }),
            multiview_mask: None,
            cache: None,
        });
        Self { layout, pipeline }
    }
}

impl SurfacePass {
    /// What is under the middle of a pixel.
    pub(super) fn pick(
        &mut self,
        gpu: &Gpu,
        view: &SurfaceView,
        size: [u32; 2],
        pixel: [u32; 2],
        now: u64,
    ) -> Result<Option<Pick>, RenderError> {
        let (opaque, clear) = by_opacity(view);
        let hit = self.nearest(gpu, view, &opaque, (size, pixel), now)?;
        if let Some(pick) = with_solids(view, size, pixel, hit) {
            return Ok(Some(pick));
        }
        let hit = self.nearest(gpu, view, &clear, (size, pixel), now)?;
        Ok(hit.and_then(|(mesh, triangle)| {
            pick_of(
                view,
                &Ray::through(&view.camera, size, pixel),
                mesh,
                triangle,
            )
        }))
    }

    /// The nearest triangle of some meshes: which mesh and which of its triangles.
    fn nearest(
        &mut self,
        gpu: &Gpu,
        view: &SurfaceView,
        meshes: &[usize],
        (size, pixel): ([u32; 2], [u32; 2]),
        now: u64,
    ) -> Result<Option<(usize, usize)>, RenderError> {
        if meshes.is_empty() {
            return Ok(None);
        }
        let zoomed =
            one_pixel(size, pixel) * view.camera.clip_from_world(size[0] as f32 / size[1] as f32);
        let mut draws = Vec::new();
        for &i in meshes {
            let layer = &view.meshes[i];
            let mesh = self.store.mesh(gpu, layer, now)?;
            let toward = self.store.toward(gpu, layer, &mesh, now)?;
            let share = layer
                .toward
                .as_ref()
                .map_or(0.0, |(_, share)| share.clamp(0.0, 1.0));
            let uniform = PickUniform {
                clip_from_mesh: zoomed * Mat4::from_translation(layer.offset_mm),
                mesh: [i as u32 + 1, 0, 0, 0],
                shape: [share, 0.0, 0.0, 0.0],
            };
            let buffer = gpu.buffer(
                "pick",
                bytemuck::bytes_of(&uniform),
                wgpu::BufferUsages::UNIFORM,
            )?;
            let entry = |binding, buffer: &wgpu::Buffer| (binding, buffer.clone());
            let buffers = [
                entry(0, &buffer),
                entry(1, &mesh.vertices),
                entry(2, &mesh.indices),
                entry(3, &toward),
            ];
            let entries: Vec<_> = buffers
                .iter()
                .map(|(binding, buffer)| wgpu::BindGroupEntry {
                    binding: *binding,
                    resource: buffer.as_entire_binding(),
                })
                .collect();
            let bindings = gpu.device.create_bind_group(&wgpu::BindGroupDescriptor {
                label: Some("pick"),
                layout: &self.picking.layout,
                entries: &entries,
            });
            draws.push((bindings, mesh.n_indices));
        }
        let usage = wgpu::TextureUsages::RENDER_ATTACHMENT;
        let ids = attachment(
            gpu,
            "ids",
            [1, 1],
            1,
            ID_FORMAT,
            usage | wgpu::TextureUsages::COPY_SRC,
        );
        let depth = attachment(gpu, "pick depth", [1, 1], 1, DEPTH_FORMAT, usage);
        let views = [&ids, &depth]
            .map(|texture| texture.create_view(&wgpu::TextureViewDescriptor::default()));
        let mut encoder = gpu
            .device
            .create_command_encoder(&wgpu::CommandEncoderDescriptor::default());
        {
            let mut pass = encoder.begin_render_pass(&wgpu::RenderPassDescriptor {
                label: Some("pick"),
                color_attachments: &[Some(wgpu::RenderPassColorAttachment {
                    view: &views[0],
                    depth_slice: None,
                    resolve_target: None,
                    ops: wgpu::Operations {
                        load: wgpu::LoadOp::Clear(wgpu::Color::TRANSPARENT),
                        store: wgpu::StoreOp::Store,
                    },
                })],
                depth_stencil_attachment: Some(wgpu::RenderPassDepthStencilAttachment {
                    view: &views[1],
                    depth_ops: Some(wgpu::Operations {
                        load: wgpu::LoadOp::Clear(1.0),
                        store: wgpu::StoreOp::Discard,
                    }),
                    stencil_ops: None,
                }),
                ..Default::default()
            });
            pass.set_pipeline(&self.picking.pipeline);
            for (bindings, n_indices) in &draws {
                pass.set_bind_group(0, bindings, &[]);
                pass.draw(0..*n_indices, 0..1);
            }
        }
        gpu.queue.submit([encoder.finish()]);
        let bytes = read_texture(gpu, &ids, [1, 1], 8)?;
        let id: [u32; 2] = bytemuck::try_pod_read_unaligned(&bytes).map_err(|error| {
            RenderError::Scene(format!("the id buffer cannot be read: {error}"))
        })?;
        Ok((id[0] as usize)
            .checked_sub(1)
            .map(|mesh| (mesh, id[1] as usize)))
    }
}

/// Clip space of a one-pixel picture from that of the whole.
fn one_pixel(size: [u32; 2], pixel: [u32; 2]) -> Mat4 {
    let [width, height] = size.map(|side| side as f32);
    let x = (pixel[0] as f32 + 0.5) / width * 2.0 - 1.0;
    let y = 1.0 - (pixel[1] as f32 + 0.5) / height * 2.0;
    Mat4::from_scale(Vec3::new(width, height, 1.0)) * Mat4::from_translation(Vec3::new(-x, -y, 0.0))
}
