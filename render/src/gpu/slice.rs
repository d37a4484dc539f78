//! Slices: a full-screen triangle a layer.

use bytemuck::{Pod, Zeroable};
use wgpu::ShaderStages;

use super::target::{COLOUR_FORMAT, Target};
use super::{BLEND_OVER, Cache, Gpu, RenderError, buffer_binding, layout_entry, texture_binding};
use crate::look::LookUniform;
use crate::mesh::sorted_regions;
use crate::sampling::{CROSS_HALF_GAP_PX, CROSS_HALF_WIDTH_PX, Sampling, TIE};
use crate::scene::{SliceView, VolumeData};

/// As `slice.wgsl` reads it.
#[repr(C)]
#[derive(Clone, Copy, Debug, Pod, Zeroable)]
struct SliceUniform {
    centre: [f32; 4],
    right: [f32; 4],
    down: [f32; 4],
    shape: [u32; 4],
    picture: [f32; 4],
    cross: [f32; 4],
    cross_colour: [f32; 4],
    look: LookUniform,
}

#[derive(Debug)]
pub(super) struct SlicePass {
    layout: wgpu::BindGroupLayout,
    layer: wgpu::RenderPipeline,
    outline: wgpu::RenderPipeline,
    cross: wgpu::RenderPipeline,
    volumes: Cache<wgpu::TextureView>,
    /// Bound where a pipeline reads no volume or no regions.
    no_volume: wgpu::TextureView,
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
                layout_entry(
                    2,
                    ShaderStages::FRAGMENT,
                    texture_binding(wgpu::TextureViewDimension::D3),
                ),
                layout_entry(
                    3,
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
        let pipeline = |entry_point: &str| {
            device.create_render_pipeline(&wgpu::RenderPipelineDescriptor {
                label: Some(entry_point),
                layout: Some(&pipeline_layout),
                vertex: wgpu::VertexState {
                    module: &module,
                    entry_point: Some("vs_full"),
                    compilation_options: wgpu::PipelineCompilationOptions::default(),
                    buffers: &[],
                },
                primitive: wgpu::PrimitiveState::default(),
                depth_stencil: None,
                multisample: wgpu::MultisampleState::default(),
                fragment: Some(wgpu::FragmentState {
                    module: &module,
                    entry_point: Some(entry_point),
                    compilation_options: wgpu::PipelineCompilationOptions::default(),
                    targets: &[Some(wgpu::ColorTargetState {
                        format: COLOUR_FORMAT,
                        blend: Some(BLEND_OVER),
                        write_mask: wgpu::ColorWrites::ALL,
                    })],
                }),
                multiview_mask: None,
                cache: None,
            })
        };
        Self {
            layer: pipeline("fs_layer"),
            outline: pipeline("fs_outline"),
            cross: pipeline("fs_cross"),
            volumes: Cache::new(),
            no_volume: volume_texture(gpu, [1; 3]).1,
            no_regions: device.create_buffer(&wgpu::BufferDescriptor {
                label: Some("no regions"),
                size: 8,
                usage: wgpu::BufferUsages::STORAGE,
                mapped_at_creation: false,
            }),
            layout,
        }
    }

    /// Draws a view into a target, from the bottom layer to the crosshair.
    pub(super) fn encode(
        &mut self,
        gpu: &Gpu,
        colormaps: &wgpu::TextureView,
        view: &SliceView,
        target: &Target,
        background: wgpu::Color,
        encoder: &mut wgpu::CommandEncoder,
        now: u64,
    ) -> Result<(), RenderError> {
        let mut draws = Vec::new();
        for layer in &view.layers {
            let mut uniform = placed(view, &layer.volume, target.size);
            uniform.shape[3] = u32::from(layer.linear);
            uniform.look = layer.look.uniform();
            let texture = self.volume(gpu, &layer.volume, now)?;
            draws.push((
                self.layer.clone(),
                self.bind(gpu, colormaps, &uniform, &texture, &self.no_regions)?,
            ));
        }
        if let Some(outlines) = &view.outlines {
            let regions = sorted_regions(&outlines.colours);
            if !regions.is_empty() {
                let mut uniform = placed(view, &outlines.labels, target.size);
                uniform.shape[3] = regions.len() as u32;
                uniform.picture[3] = outlines.width_px.max(0.0);
                let packed: Vec<[u32; 2]> = regions
                    .iter()
                    .map(|&(key, colour)| [key as u32, u32::from_le_bytes(colour)])
                    .collect();
                let buffer = gpu.buffer(
                    "region colours",
                    bytemuck::cast_slice(&packed),
                    wgpu::BufferUsages::STORAGE,
                )?;
                let texture = self.volume(gpu, &outlines.labels, now)?;
                draws.push((
                    self.outline.clone(),
                    self.bind(gpu, colormaps, &uniform, &texture, &buffer)?,
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
                self.bind(gpu, colormaps, &uniform, &self.no_volume, &self.no_regions)?,
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

    pub(super) fn evict(&mut self, now: u64) {
        self.volumes.evict(now);
    }

    fn bind(
        &self,
        gpu: &Gpu,
        colormaps: &wgpu::TextureView,
        uniform: &SliceUniform,
        volume: &wgpu::TextureView,
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
                entry(3, regions.as_entire_binding()),
            ],
        }))
    }

    fn volume(
        &mut self,
        gpu: &Gpu,
        volume: &VolumeData,
        now: u64,
    ) -> Result<wgpu::TextureView, RenderError> {
        self.volumes.get(volume.key, now, || {
            let limit = gpu.device.limits().max_texture_dimension_3d;
            if let Some(side) = volume.shape.iter().find(|&&side| side > limit as usize) {
                return Err(RenderError::Scene(format!(
                    "a volume of {side} voxels along one side is larger than {} can hold ({limit})",
                    gpu.adapter_name
                )));
            }
            let shape = volume.shape.map(|n| n as u32);
            let (texture, view) = volume_texture(gpu, shape);
            gpu.queue.write_texture(
                texture.as_image_copy(),
                bytemuck::cast_slice(&volume.data),
                wgpu::TexelCopyBufferLayout {
                    offset: 0,
                    bytes_per_row: Some(shape[0] * 4),
                    rows_per_image: Some(shape[1]),
                },
                texture.size(),
            );
            Ok(view)
        })
    }
}

fn placed(view: &SliceView, volume: &VolumeData, size: [u32; 2]) -> SliceUniform {
    let sampling = Sampling::new(view, volume);
    let [i, j, k] = volume.shape.map(|n| n as u32);
    SliceUniform {
        centre: sampling.centre.extend(0.0).to_array(),
        right: sampling.right.extend(0.0).to_array(),
        down: sampling.down.extend(0.0).to_array(),
        shape: [i, j, k, 0],
        picture: [size[0] as f32 / 2.0, size[1] as f32 / 2.0, TIE, 0.0],
        ..SliceUniform::zeroed()
    }
}

fn volume_texture(gpu: &Gpu, shape: [u32; 3]) -> (wgpu::Texture, wgpu::TextureView) {
    let texture = gpu.device.create_texture(&wgpu::TextureDescriptor {
        label: Some("volume"),
        size: wgpu::Extent3d {
            width: shape[0],
            height: shape[1],
            depth_or_array_layers: shape[2],
        },
        mip_level_count: 1,
        sample_count: 1,
        dimension: wgpu::TextureDimension::D3,
        format: wgpu::TextureFormat::R32Float,
        usage: wgpu::TextureUsages::TEXTURE_BINDING | wgpu::TextureUsages::COPY_DST,
        view_formats: &[],
    });
    let view = texture.create_view(&wgpu::TextureViewDescriptor::default());
    (texture, view)
}
