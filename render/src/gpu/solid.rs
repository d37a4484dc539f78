//! Looking into volumes: a full-screen triangle a volume, stopped by the depth of solid meshes.

use std::collections::BTreeMap;

use wgpu::ShaderStages;

use super::pipelines::DEPTH_FORMAT;
use super::target::{COLOUR_FORMAT, attachment};
use super::volume::{Volumes, sampler_entry, volume_entry};
use super::{BLEND_OVER, Gpu, RenderError, buffer_binding, layout_entry, texture_binding};
use crate::field::Variant;
use crate::scene::{Cast, SolidLayer, SurfaceView};
use crate::solid::SolidUniform;

#[derive(Debug)]
pub(super) struct SolidPass {
    layout: wgpu::BindGroupLayout,
    pipeline_layout: wgpu::PipelineLayout,
    module: wgpu::ShaderModule,
    /// By samples a pixel, way of sampling, and whether the maximum is wanted.
    pipelines: BTreeMap<(u32, Variant, bool), wgpu::RenderPipeline>,
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
        }
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
                            depth_compare: Some(wgpu::CompareFunction::Always),
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
        let uniform = SolidUniform::new(view, solid, size, kept);
        let buffer = gpu.buffer(
            "solid",
            bytemuck::bytes_of(&uniform),
            wgpu::BufferUsages::UNIFORM,
        )?;
        let entry = |binding, resource| wgpu::BindGroupEntry { binding, resource };
        let texture = wgpu::BindingResource::TextureView;
        let bindings = gpu.device.create_bind_group(&wgpu::BindGroupDescriptor {
            label: Some("solid"),
            layout: &self.layout,
            entries: &[
                entry(0, buffer.as_entire_binding()),
                entry(1, texture(colormaps)),
                entry(2, texture(&volume)),
                entry(3, texture(&modulating)),
                entry(4, texture(depths)),
                entry(5, wgpu::BindingResource::Sampler(&volumes.sampler)),
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
