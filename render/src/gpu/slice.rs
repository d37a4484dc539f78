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
    /// By how a volume is sampled, and whether through a slab.
    layers: BTreeMap<(Variant, bool), wgpu::RenderPipeline>,
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
        let drawn = |entry| {
            let plain = (Variant::NONE, false);
            pipeline(gpu, &pipeline_layout, &module, entry, plain)
        };
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

    fn layer(&mut self, gpu: &Gpu, variant: (Variant, bool)) -> wgpu::RenderPipeline {
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
            if steps.n > 0 {
                draws.push(Draw {
                    pipeline: self.layer(gpu, (variant, steps.n > 1)),
                    uniform,
                    volumes: [texture, modulating],
                    regions: None,
                    within: shadow(view, &layer.volume, target.size),
                });
            }
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
                draws.push(Draw {
                    pipeline: self.outline.clone(),
                    uniform,
                    volumes: [stored.view, none.clone()],
                    regions: Some(buffer),
                    within: [[0, 0], target.size],
                });
            }
        }
        if let Some((at_mm, colour)) = view.crosshair {
            let [x, y] = view.pixel_at(at_mm, target.size);
            let mut uniform = SliceUniform::zeroed();
            uniform.cross = [x, y, CROSS_HALF_WIDTH_PX, CROSS_HALF_GAP_PX];
            uniform.cross_colour = colour.map(|c| f32::from(c) / 255.0);
            // The two lines; where they would meet is the gap.
            let far = target.size.map(|side| side as f32);
            let reach = CROSS_HALF_WIDTH_PX + 1.0;
            for (low, high) in [
                ([x - reach, 0.0], [x + reach, far[1]]),
                ([0.0, y - reach], [far[0], y + reach]),
            ] {
                draws.push(Draw {
                    pipeline: self.cross.clone(),
                    uniform,
                    volumes: [none.clone(), none.clone()],
                    regions: None,
                    within: pixels(low, high, target.size),
                });
            }
        }
        draws.retain(|draw| {
            draw.within[0][0] < draw.within[1][0] && draw.within[0][1] < draw.within[1][1]
        });
        let bindings = self.bind(gpu, colormaps, &volumes.sampler, &draws)?;
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
        for (draw, bindings) in draws.iter().zip(&bindings) {
            let [[left, top], [right, bottom]] = draw.within;
            pass.set_pipeline(&draw.pipeline);
            pass.set_bind_group(0, bindings, &[]);
            pass.set_scissor_rect(left, top, right - left, bottom - top);
            pass.draw(0..3, 0..1);
        }
        Ok(())
    }

    /// What each draw is bound to. All uniforms lie in one buffer: each buffer costs a copy of its own.
    fn bind(
        &self,
        gpu: &Gpu,
        colormaps: &wgpu::TextureView,
        sampler: &wgpu::Sampler,
        draws: &[Draw],
    ) -> Result<Vec<wgpu::BindGroup>, RenderError> {
        let align = gpu.device.limits().min_uniform_buffer_offset_alignment as usize;
        let stride = size_of::<SliceUniform>().next_multiple_of(align);
        let mut bytes = vec![0; stride * draws.len()];
        for (place, draw) in bytes.chunks_exact_mut(stride).zip(draws) {
            place[..size_of::<SliceUniform>()].copy_from_slice(bytemuck::bytes_of(&draw.uniform));
        }
        let uniforms = gpu.buffer("slice", &bytes, wgpu::BufferUsages::UNIFORM)?;
        let entry = |binding, resource| wgpu::BindGroupEntry { binding, resource };
        let bound = draws.iter().enumerate().map(|(n, draw)| {
            let uniform = wgpu::BindingResource::Buffer(wgpu::BufferBinding {
                buffer: &uniforms,
                offset: (n * stride) as u64,
                size: std::num::NonZeroU64::new(size_of::<SliceUniform>() as u64),
            });
            let regions = draw.regions.as_ref().unwrap_or(&self.no_regions);
            gpu.device.create_bind_group(&wgpu::BindGroupDescriptor {
                label: Some("slice"),
                layout: &self.layout,
                entries: &[
                    entry(0, uniform),
                    entry(1, wgpu::BindingResource::TextureView(colormaps)),
                    entry(2, wgpu::BindingResource::TextureView(&draw.volumes[0])),
                    entry(3, wgpu::BindingResource::TextureView(&draw.volumes[1])),
                    entry(4, regions.as_entire_binding()),
                    entry(5, wgpu::BindingResource::Sampler(sampler)),
                ],
            })
        });
        Ok(bound.collect())
    }
}

/// One thing that is drawn over the others.
struct Draw {
    pipeline: wgpu::RenderPipeline,
    uniform: SliceUniform,
    /// The volume, and the modulating one.
    volumes: [wgpu::TextureView; 2],
    regions: Option<wgpu::Buffer>,
    /// The only pixels it may change: the first corner, and the one after the last.
    within: [[u32; 2]; 2],
}

/// The pixels of a picture between two corners, a pixel more on each side.
fn pixels(low: [f32; 2], high: [f32; 2], size: [u32; 2]) -> [[u32; 2]; 2] {
    let end = |at: f32, side: u32| at.clamp(0.0, side as f32) as u32;
    [
        [0, 1].map(|a| end(low[a].floor() - 1.0, size[a])),
        [0, 1].map(|a| end(high[a].ceil() + 1.0, size[a])),
    ]
}

/// The pixels behind which a volume lies, wherever the view cuts it.
fn shadow(view: &SliceView, volume: &VolumeData, size: [u32; 2]) -> [[u32; 2]; 2] {
    let (low, high) = volume.bounds_mm();
    let corners = [low, high].map(|corner| view.pixel_at(corner, size));
    let end = |a: usize, pick: fn(f32, f32) -> f32| pick(corners[0][a], corners[1][a]);
    pixels(
        [end(0, f32::min), end(1, f32::min)],
        [end(0, f32::max), end(1, f32::max)],
        size,
    )
}

fn pipeline(
    gpu: &Gpu,
    layout: &wgpu::PipelineLayout,
    module: &wgpu::ShaderModule,
    entry_point: &str,
    (variant, thick): (Variant, bool),
) -> wgpu::RenderPipeline {
    let [a, b] = variant.constants();
    let constants = [a, b, ("thick", f64::from(u8::from(thick)))];
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
