//! Looking into volumes: a full-screen triangle a volume, stopped by the depth of solid meshes.

use std::collections::BTreeMap;

use wgpu::ShaderStages;

use super::cache::{Cache, folded};
use super::pipelines::DEPTH_FORMAT;
use super::target::{COLOUR_FORMAT, attachment};
use super::volume::{Volumes, sampler_entry, texture, volume_entry};
use super::{BLEND_OVER, Gpu, RenderError, buffer_binding, layout_entry, texture_binding};
use crate::field::Variant;
use crate::scene::{Cast, SolidLayer, SurfaceView};
use crate::solid::{SolidUniform, step_mm};

#[derive(Debug)]
pub(super) struct SolidPass {
    layout: wgpu::BindGroupLayout,
    pipeline_layout: wgpu::PipelineLayout,
    module: wgpu::ShaderModule,
    /// By samples a pixel, way of sampling, and whether the maximum is wanted.
    pipelines: BTreeMap<(u32, Variant, bool), wgpu::RenderPipeline>,
    /// How far bricks are from what may show, by volume and look.
    distances: Cache<wgpu::TextureView>,
}

impl SolidPass {
    pub(super) fn new(gpu: &Gpu) -> Self {
        let device = &gpu.device;
        let fragment = ShaderStages::FRAGMENT;
        let layout = device.create_bind_group_layout(&wgpu::BindGroupLayoutDescriptor {
            label: Some("solid"),
            entries: &[
                layout_entry(
                    0,
                    fragment,
                    buffer_binding(wgpu::BufferBindingType::Uniform),
                ),
                layout_entry(1, fragment, texture_binding(wgpu::TextureViewDimension::D2)),
                volume_entry(gpu, 2),
                volume_entry(gpu, 3),
                sampler_entry(gpu, 5),
                layout_entry(
                    4,
                    fragment,
                    wgpu::BindingType::Texture {
                        sample_type: wgpu::TextureSampleType::Depth,
                        view_dimension: wgpu::TextureViewDimension::D2,
                        multisampled: false,
                    },
                ),
                layout_entry(
                    6,
                    fragment,
                    wgpu::BindingType::Texture {
                        sample_type: wgpu::TextureSampleType::Uint,
                        view_dimension: wgpu::TextureViewDimension::D3,
                        multisampled: false,
                    },
                ),
            ],
        });
        Self {
            pipeline_layout: device.create_pipeline_layout(&wgpu::PipelineLayoutDescriptor {
                label: Some("solid"),
                bind_group_layouts: &[Some(&layout)],
                immediate_size: 0,
            }),
            module: device.create_shader_module(wgpu::ShaderModuleDescriptor {
                label: Some("solid"),
                source: wgpu::ShaderSource::Wgsl(
                    concat!(
                        include_str!("../shaders/look.wgsl"),
                        include_str!("../shaders/field.wgsl"),
                        include_str!("../shaders/light.wgsl"),
                        include_str!("../shaders/solid.wgsl")
                    )
                    .into(),
                ),
            }),
            layout,
            pipelines: BTreeMap::new(),
            distances: Cache::new(),
        }
    }

    pub(super) fn evict(&mut self, now: u64) {
        self.distances.evict(now);
    }

    /// How far the bricks of a volume are from what may show.
    fn distances(
        &mut self,
        gpu: &Gpu,
        volumes: &mut Volumes,
        solid: &SolidLayer,
        now: u64,
    ) -> Result<wgpu::TextureView, RenderError> {
        let look = &solid.layer.look;
        let step_mm = step_mm(solid);
        let numbers = [look.threshold, look.opacity, step_mm].map(f32::to_bits);
        let flags = [look.two_sided, look.soft, solid.cast == Cast::Maximum];
        let volume = &solid.layer.volume;
        let key = folded([volume.key], &(numbers, flags, volumes.longest_side));
        self.distances.get(key, now, || {
            let bricks = volumes.bricks(volume, now)?;
            let distances = bricks.distances(look, solid.cast, step_mm);
            let shape = bricks.shape.map(|n| n as u32);
            let (texture, view) = texture(gpu, shape, wgpu::TextureFormat::R8Uint);
            gpu.queue.write_texture(
                texture.as_image_copy(),
                &distances,
                wgpu::TexelCopyBufferLayout {
                    offset: 0,
                    bytes_per_row: Some(shape[0]),
                    rows_per_image: Some(shape[1]),
                },
                texture.size(),
            );
            Ok(view)
        })
    }

    fn pipeline(&mut self, gpu: &Gpu, key: (u32, Variant, bool)) -> wgpu::RenderPipeline {
        let (samples, variant, maximum) = key;
        let [a, b] = variant.constants();
        let constants = [a, b, ("maximum", f64::from(u8::from(maximum)))];
        let (layout, module) = (&self.pipeline_layout, &self.module);
        self.pipelines
            .entry(key)
            .or_insert_with(|| {
                gpu.device
                    .create_render_pipeline(&wgpu::RenderPipelineDescriptor {
                        label: Some("solid"),
                        layout: Some(layout),
                        vertex: wgpu::VertexState {
                            module,
                            entry_point: Some("vs_full"),
                            compilation_options: wgpu::PipelineCompilationOptions::default(),
                            buffers: &[],
                        },
                        primitive: wgpu::PrimitiveState::default(),
                        depth_stencil: Some(wgpu::DepthStencilState {
                            format: DEPTH_FORMAT,
                            depth_write_enabled: Some(false),
                            depth_compare: Some(wgpu::CompareFunction::LessEqual),
                            stencil: wgpu::StencilState::default(),
                            bias: wgpu::DepthBiasState::default(),
                        }),
                        multisample: wgpu::MultisampleState {
                            count: samples,
                            ..Default::default()
                        },
                        fragment: Some(wgpu::FragmentState {
                            module,
                            entry_point: Some("fs_solid"),
                            compilation_options: wgpu::PipelineCompilationOptions {
                                constants: &constants,
                                ..Default::default()
                            },
                            targets: &[Some(wgpu::ColorTargetState {
                                format: COLOUR_FORMAT,
                                blend: Some(BLEND_OVER),
                                write_mask: wgpu::ColorWrites::ALL,
                            })],
                        }),
                        multiview_mask: None,
                        cache: None,
                    })
            })
            .clone()
    }

    /// What draws one volume over meshes of these depths: the pipeline and what it is bound to.
    pub(super) fn prepare(
        &mut self,
        gpu: &Gpu,
        (colormaps, volumes, depths): (&wgpu::TextureView, &mut Volumes, &wgpu::TextureView),
        view: &SurfaceView,
        solid: &SolidLayer,
        (size, samples): ([u32; 2], u32),
        now: u64,
    ) -> Result<(wgpu::RenderPipeline, wgpu::BindGroup), RenderError> {
        let ([volume, modulating], kept, variant) = volumes.of_layer(gpu, &solid.layer, now)?;
        let distances = self.distances(gpu, volumes, solid, now)?;
        let uniform = SolidUniform::new(view, solid, size, kept);
        let buffer = gpu.buffer(
            "solid",
            bytemuck::bytes_of(&uniform),
            wgpu::BufferUsages::UNIFORM,
        )?;
        let entry = |binding, resource| wgpu::BindGroupEntry { binding, resource };
        let view_of = wgpu::BindingResource::TextureView;
        let bindings = gpu.device.create_bind_group(&wgpu::BindGroupDescriptor {
            label: Some("solid"),
            layout: &self.layout,
            entries: &[
                entry(0, buffer.as_entire_binding()),
                entry(1, view_of(colormaps)),
                entry(2, view_of(&volume)),
                entry(3, view_of(&modulating)),
                entry(4, view_of(depths)),
                entry(5, wgpu::BindingResource::Sampler(&volumes.sampler)),
                entry(6, view_of(&distances)),
            ],
        });
        let maximum = solid.cast == Cast::Maximum;
        let pipeline = self.pipeline(gpu, (samples, variant, maximum));
        Ok((pipeline, bindings))
    }
}

/// A depth buffer of one sample a pixel that rays can read.
pub(super) fn depth_buffer(gpu: &Gpu, size: [u32; 2]) -> wgpu::TextureView {
    let usage = wgpu::TextureUsages::RENDER_ATTACHMENT | wgpu::TextureUsages::TEXTURE_BINDING;
    attachment(gpu, "depths for rays", size, 1, DEPTH_FORMAT, usage)
        .create_view(&wgpu::TextureViewDescriptor::default())
}
