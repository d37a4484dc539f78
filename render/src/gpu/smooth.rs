//! Four samples a pixel, only where one is not enough: for software drivers, which colour every sample of a pixel and even
//! those that are hidden.
//!
//! The picture is drawn with one sample a pixel, and pixels are found between whose neighbours it bends. It is drawn again
//! at twice the side where all others lie at depth 0, so that the depth test passes over them. The mean of each four finer
//! pixels takes the place of such a pixel.

use std::collections::BTreeMap;
use std::sync::Arc;

use wgpu::ShaderStages;

use super::pipelines::DEPTH_FORMAT;
use super::target::{COLOUR_FORMAT, Target, attachment};
use super::{Gpu, layout_entry, texture_binding};

/// Textures for pictures of a size.
#[derive(Debug)]
pub(super) struct Room {
    /// The picture of one sample a pixel.
    pub(super) once: wgpu::TextureView,
    pub(super) once_depth: wgpu::TextureView,
    /// Where it is rough.
    rough: wgpu::TextureView,
    /// The picture at twice the side.
    pub(super) fine: wgpu::TextureView,
    pub(super) fine_depth: wgpu::TextureView,
    finds: wgpu::BindGroup,
    keeps: wgpu::BindGroup,
    means: wgpu::BindGroup,
}

#[derive(Debug)]
pub(super) struct Smooth {
    layout: wgpu::BindGroupLayout,
    find: wgpu::RenderPipeline,
    keep: wgpu::RenderPipeline,
    mean: wgpu::RenderPipeline,
    none: wgpu::TextureView,
    /// By size, with the last draw they served.
    rooms: BTreeMap<[u32; 2], (Arc<Room>, u64)>,
}

const ROUGH_FORMAT: wgpu::TextureFormat = wgpu::TextureFormat::R8Unorm;

impl Smooth {
    pub(super) fn new(gpu: &Gpu) -> Self {
        let device = &gpu.device;
        let texture = || texture_binding(wgpu::TextureViewDimension::D2);
        let layout = device.create_bind_group_layout(&wgpu::BindGroupLayoutDescriptor {
            label: Some("smooth"),
            entries: &[
                layout_entry(0, ShaderStages::FRAGMENT, texture()),
                layout_entry(1, ShaderStages::FRAGMENT, texture()),
                layout_entry(2, ShaderStages::FRAGMENT, texture()),
            ],
        });
        let module = device.create_shader_module(wgpu::ShaderModuleDescriptor {
            label: Some("smooth"),
            source: wgpu::ShaderSource::Wgsl(include_str!("../shaders/smooth.wgsl").into()),
        });
        let pipeline_layout = device.create_pipeline_layout(&wgpu::PipelineLayoutDescriptor {
            label: Some("smooth"),
            bind_group_layouts: &[Some(&layout)],
            immediate_size: 0,
        });
        let pipeline = |entry, format, write_mask, depth_stencil| {
            device.create_render_pipeline(&wgpu::RenderPipelineDescriptor {
                label: Some(entry),
                layout: Some(&pipeline_layout),
                vertex: wgpu::VertexState {
                    module: &module,
                    entry_point: Some("vs_full"),
                    compilation_options: wgpu::PipelineCompilationOptions::default(),
                    buffers: &[],
                },
                primitive: wgpu::PrimitiveState::default(),
                depth_stencil,
                multisample: wgpu::MultisampleState::default(),
                fragment: Some(wgpu::FragmentState {
                    module: &module,
                    entry_point: Some(entry),
                    compilation_options: wgpu::PipelineCompilationOptions::default(),
                    targets: &[Some(wgpu::ColorTargetState {
                        format,
                        blend: None,
                        write_mask,
                    })],
                }),
                multiview_mask: None,
                cache: None,
            })
        };
        let all = wgpu::ColorWrites::ALL;
        let depth = wgpu::DepthStencilState {
            format: DEPTH_FORMAT,
            depth_write_enabled: Some(true),
            depth_compare: Some(wgpu::CompareFunction::Always),
            stencil: wgpu::StencilState::default(),
            bias: wgpu::DepthBiasState::default(),
        };
        Self {
            find: pipeline("fs_rough", ROUGH_FORMAT, all, None),
            keep: pipeline(
                "fs_open",
                COLOUR_FORMAT,
                wgpu::ColorWrites::empty(),
                Some(depth),
            ),
            mean: pipeline("fs_mean", COLOUR_FORMAT, all, None),
            none: bound(gpu, [1, 1], ROUGH_FORMAT),
            rooms: BTreeMap::new(),
            layout,
        }
    }

    /// Textures for pictures of a size.
    pub(super) fn room(&mut self, gpu: &Gpu, size: [u32; 2], now: u64) -> Arc<Room> {
        if let Some((room, used)) = self.rooms.get_mut(&size) {
            *used = now;
            return Arc::clone(room);
        }
        let twice = size.map(|n| n * 2);
        let once = bound(gpu, size, COLOUR_FORMAT);
        let rough = bound(gpu, size, ROUGH_FORMAT);
        let fine = bound(gpu, twice, COLOUR_FORMAT);
        let bind = |views: [&wgpu::TextureView; 3]| {
            let entry = |binding, view| wgpu::BindGroupEntry {
                binding,
                resource: wgpu::BindingResource::TextureView(view),
            };
            gpu.device.create_bind_group(&wgpu::BindGroupDescriptor {
                label: Some("smooth"),
                layout: &self.layout,
                entries: &[entry(0, views[0]), entry(1, views[1]), entry(2, views[2])],
            })
        };
        let room = Arc::new(Room {
            finds: bind([&once, &self.none, &self.none]),
            keeps: bind([&self.none, &rough, &self.none]),
            means: bind([&once, &rough, &fine]),
            once_depth: bound(gpu, size, DEPTH_FORMAT),
            fine_depth: bound(gpu, twice, DEPTH_FORMAT),
            once,
            rough,
            fine,
        });
        self.rooms.insert(size, (Arc::clone(&room), now));
        room
    }

    /// Resizing a window makes a size a frame.
    pub(super) fn evict(&mut self, now: u64) {
        self.rooms.retain(|_, (_, used)| now - *used <= 16);
    }

    /// Finds where the picture is rough.
    pub(super) fn find(&self, room: &Room, encoder: &mut wgpu::CommandEncoder) {
        whole(encoder, &room.rough, &self.find, &room.finds);
    }

    /// Begins the picture at twice the side with what is smooth as it is.
    pub(super) fn keep(&self, room: &Room, pass: &mut wgpu::RenderPass<'_>) {
        pass.set_pipeline(&self.keep);
        pass.set_bind_group(0, &room.keeps, &[]);
        pass.draw(0..3, 0..1);
    }

    /// Ends with the mean of each four pixels.
    pub(super) fn mean(&self, room: &Room, target: &Target, encoder: &mut wgpu::CommandEncoder) {
        whole(encoder, &target.view, &self.mean, &room.means);
    }
}

/// Draws every pixel of a texture.
fn whole(
    encoder: &mut wgpu::CommandEncoder,
    into: &wgpu::TextureView,
    pipeline: &wgpu::RenderPipeline,
    bindings: &wgpu::BindGroup,
) {
    let mut pass = encoder.begin_render_pass(&wgpu::RenderPassDescriptor {
        label: Some("smooth"),
        color_attachments: &[Some(wgpu::RenderPassColorAttachment {
            view: into,
            depth_slice: None,
            resolve_target: None,
            ops: wgpu::Operations {
                load: wgpu::LoadOp::Clear(wgpu::Color::TRANSPARENT),
                store: wgpu::StoreOp::Store,
            },
        })],
        ..Default::default()
    });
    pass.set_pipeline(pipeline);
    pass.set_bind_group(0, bindings, &[]);
    pass.draw(0..3, 0..1);
}

/// A texture that is drawn into and read.
fn bound(gpu: &Gpu, size: [u32; 2], format: wgpu::TextureFormat) -> wgpu::TextureView {
    let usage = wgpu::TextureUsages::RENDER_ATTACHMENT | wgpu::TextureUsages::TEXTURE_BINDING;
    attachment(gpu, "smooth", size, 1, format, usage)
        .create_view(&wgpu::TextureViewDescriptor::default())
}
