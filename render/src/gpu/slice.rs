//! Slices: a full-screen triangle a layer.

use std::collections::BTreeMap;

use bytemuck::{Pod, Zeroable};
use wgpu::ShaderStages;

use super::target::{COLOUR_FORMAT, Target};
use super::volume::{Volumes, sampler_entry, volume_entry};
use super::{BLEND_OVER, Gpu, RenderError, buffer_binding, layout_entry, texture_binding};
use crate::field::Variant;
use crate::look::LookUniform;
use crate::mesh::sorted_regions;
use crate::sampling::{CROSS_HALF_GAP_PX, CROSS_HALF_WIDTH_PX, Sampling, Steps};
use crate::scene::{SliceView, VolumeData};

/// As `slice.wgsl` reads it.
#[repr(C)]
#[derive(Clone, Copy, Debug, Pod, Zeroable)]
struct PlaceUniform {
    centre: [f32; 4],
    right: [f32; 4],
    down: [f32; 4],
    through: [f32; 4],
}

/// As `slice.wgsl` reads it.
#[repr(C)]
#[derive(Clone, Copy, Debug, Pod, Zeroable)]
struct SliceUniform {
    place: PlaceUniform,
    modulation_place: PlaceUniform,
    shape: [u32; 4],
    modulation_shape: [u32; 4],
    modulation_range: [f32; 4],
    picture: [f32; 4],
    cross: [f32; 4],
    cross_colour: [f32; 4],
    look: LookUniform,
}

#[derive(Debug)]
pub(super) struct SlicePass {
    layout: wgpu::BindGroupLayout,
    pipeline_layout: wgpu::PipelineLayout,
    module: wgpu::ShaderModule,
    layers: BTreeMap<Variant, wgpu::RenderPipeline>,
    outline: wgpu::RenderPipeline,
    cross: wgpu::RenderPipeline,
    /// Bound where a pipeline reads no regions.
    no_regions: wgpu::Buffer,
}

impl SlicePass {
    pub(super) fn new(gpu: &Gpu) -> Self {
        let device = &gpu.device;
        let layout = device.create_bind_group_layout(&wgpu::BindGroupLayoutDescriptor {
            label: Some("slice"),
            entries: &[
                layout_entry(
                    0,
                    ShaderStages::FRAGMENT,
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
                layout_entry(
                    4,
                    ShaderStages::FRAGMENT,
                    buffer_binding(wgpu::BufferBindingType::Storage { read_only: true }),
                ),
            ],
        });
        let module = device.create_shader_module(wgpu::ShaderModuleDescriptor {
            label: Some("slice"),
            source: wgpu::ShaderSource::Wgsl(
                concat!(
                    include_str!("../shaders/look.wgsl"),
                    include_str!("../shaders/field.wgsl"),
                    include_str!("../shaders/slice.wgsl")
                )
                .into(),
            ),
        });
        let pipeline_layout = device.create_pipeline_layout(&wgpu::PipelineLayoutDescriptor {
            label: Some("slice"),
            bind_group_layouts: &[Some(&layout)],
            immediate_size: 0,
        });
        let drawn = |entry| pipeline(gpu, &pipeline_layout, &module, entry, Variant::NONE);
        Self {
            layers: BTreeMap::new(),
            outline: drawn("fs_outline"),
            cross: drawn("fs_cross"),
            no_regions: device.create_buffer(&wgpu::BufferDescriptor {
                label: Some("no regions"),
                size: 8,
                usage: wgpu::BufferUsages::STORAGE,
                mapped_at_creation: false,
            }),
            layout,
            pipeline_layout,
            module,
        }
    }

    fn layer(&mut self, gpu: &Gpu, variant: Variant) -> wgpu::RenderPipeline {
        let made = || {
            pipeline(
                gpu,
                &self.pipeline_layout,
                &self.module,
                "fs_layer",
                variant,
            )
        };
        self.layers.entry(variant).or_insert_with(made).clone()
    }

    /// Draws a view into a target, from the bottom layer to the crosshair.
    pub(super) fn encode(
        &mut self,
        gpu: &Gpu,
        (colormaps, volumes): (&wgpu::TextureView, &mut Volumes),
        view: &SliceView,
        target: &Target,
        background: wgpu::Color,
        encoder: &mut wgpu::CommandEncoder,
        now: u64,
    ) -> Result<(), RenderError> {
        let none = volumes.none();
        let sampler = volumes.sampler.clone();
        let mut draws = Vec::new();
        for layer in &view.layers {
            let steps = Steps::new(view, &layer.volume);
            let ([texture, modulating], kept, variant) = volumes.of_layer(gpu, layer, now)?;
            let stored = volumes.get(gpu, &layer.volume, now)?;
            let mut uniform = SliceUniform {
                place: place(view, &layer.volume, steps, kept[0].stride),
                shape: stored.shape(0),
                look: layer.look.uniform(),
                picture: picture(target.size, steps.n, 0.0),
                ..SliceUniform::zeroed()
            };
            if let Some(modulation) = &layer.modulation {
                let stored = volumes.get(gpu, &modulation.volume, now)?;
                uniform.modulation_place = place(view, &modulation.volume, steps, kept[1].stride);
                uniform.modulation_shape = stored.shape(0);
                let (low, scale) = modulation.ramp();
                uniform.modulation_range = [low, scale, 0.0, 0.0];
            }
            let textures = ([&texture, &modulating], &sampler);
            draws.push((
                self.layer(gpu, variant),
                self.bind(gpu, colormaps, &uniform, textures, &self.no_regions)?,
            ));
        }
        for outlines in &view.outlines {
            let regions = sorted_regions(&outlines.colours);
            if !regions.is_empty() {
                let flat = SliceView {
                    slab_mm: None,
                    ..view.clone()
                };
                let steps = Steps::new(&flat, &outlines.labels);
                let stored = volumes.get(gpu, &outlines.labels, now)?;
                let uniform = SliceUniform {
                    place: place(&flat, &outlines.labels, steps, stored.kept.stride),
                    shape: stored.shape(regions.len() as u32),
                    picture: picture(target.size, 1, outlines.width_px.max(0.0)),
                    ..SliceUniform::zeroed()
                };
                let packed: Vec<[u32; 2]> = regions
                    .iter()
                    .map(|&(key, colour)| [key as u32, u32::from_le_bytes(colour)])
                    .collect();
                let buffer = gpu.buffer(
                    "region colours",
                    bytemuck::cast_slice(&packed),
                    wgpu::BufferUsages::STORAGE,
                )?;
                draws.push((
                    self.outline.clone(),
                    self.bind(
                        gpu,
                        colormaps,
                        &uniform,
                        ([&stored.view, &none], &sampler),
                        &buffer,
                    )?,
                ));
            }
        }
        if let Some((at_mm, colour)) = view.crosshair {
            let [x, y] = view.pixel_at(at_mm, target.size);
            let mut uniform = SliceUniform::zeroed();
            uniform.cross = [x, y, CROSS_HALF_WIDTH_PX, CROSS_HALF_GAP_PX];
            uniform.cross_colour = colour.map(|c| f32::from(c) / 255.0);
            draws.push((
                self.cross.clone(),
                self.bind(
                    gpu,
                    colormaps,
                    &uniform,
                    ([&none, &none], &sampler),
                    &self.no_regions,
                )?,
            ));
        }
        let mut pass = encoder.begin_render_pass(&wgpu::RenderPassDescriptor {
            label: Some("slice"),
            color_attachments: &[Some(wgpu::RenderPassColorAttachment {
                view: &target.view,
                depth_slice: None,
                resolve_target: None,
                ops: wgpu::Operations {
                    load: wgpu::LoadOp::Clear(background),
                    store: wgpu::StoreOp::Store,
                },
            })],
            ..Default::default()
        });
        for (pipeline, bindings) in &draws {
            pass.set_pipeline(pipeline);
            pass.set_bind_group(0, bindings, &[]);
            pass.draw(0..3, 0..1);
        }
        Ok(())
    }

    fn bind(
        &self,
        gpu: &Gpu,
        colormaps: &wgpu::TextureView,
        uniform: &SliceUniform,
        ([volume, modulating], sampler): ([&wgpu::TextureView; 2], &wgpu::Sampler),
        regions: &wgpu::Buffer,
    ) -> Result<wgpu::BindGroup, RenderError> {
        let buffer = gpu.buffer(
            "slice",
            bytemuck::bytes_of(uniform),
            wgpu::BufferUsages::UNIFORM,
        )?;
        let entry = |binding, resource| wgpu::BindGroupEntry { binding, resource };
        Ok(gpu.device.create_bind_group(&wgpu::BindGroupDescriptor {
            label: Some("slice"),
            layout: &self.layout,
            entries: &[
                entry(0, buffer.as_entire_binding()),
                entry(1, wgpu::BindingResource::TextureView(colormaps)),
                entry(2, wgpu::BindingResource::TextureView(volume)),
                entry(3, wgpu::BindingResource::TextureView(modulating)),
                entry(4, regions.as_entire_binding()),
                entry(5, wgpu::BindingResource::Sampler(sampler)),
            ],
        }))
    }
}

fn pipeline(
    gpu: &Gpu,
    layout: &wgpu::PipelineLayout,
    module: &wgpu::ShaderModule,
    entry_point: &str,
    variant: Variant,
) -> wgpu::RenderPipeline {
    gpu.device
        .create_render_pipeline(&wgpu::RenderPipelineDescriptor {
            label: Some(entry_point),
            layout: Some(layout),
            vertex: wgpu::VertexState {
                module,
                entry_point: Some("vs_full"),
                compilation_options: wgpu::PipelineCompilationOptions::default(),
                buffers: &[],
            },
            primitive: wgpu::PrimitiveState::default(),
            depth_stencil: None,
            multisample: wgpu::MultisampleState::default(),
            fragment: Some(wgpu::FragmentState {
                module,
                entry_point: Some(entry_point),
                compilation_options: wgpu::PipelineCompilationOptions {
                    constants: &variant.constants(),
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
}

fn picture(size: [u32; 2], n_steps: u32, width_px: f32) -> [f32; 4] {
    [
        size[0] as f32 / 2.0,
        size[1] as f32 / 2.0,
        n_steps as f32,
        width_px,
    ]
}

fn place(view: &SliceView, volume: &VolumeData, steps: Steps, stride: [u32; 3]) -> PlaceUniform {
    let sampling = Sampling::new(view, volume, steps).thinned(stride);
    PlaceUniform {
        centre: sampling.centre.extend(0.0).to_array(),
        right: sampling.right.extend(0.0).to_array(),
        down: sampling.down.extend(0.0).to_array(),
        through: sampling.through.extend(0.0).to_array(),
    }
}
