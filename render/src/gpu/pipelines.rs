//! What surfaces are drawn with: pipelines and multisampled buffers.

use bytemuck::{Pod, Zeroable};

use super::target::{COLOUR_FORMAT, attachment};
use super::{BLEND_OVER, Gpu};
use crate::field::Variant;

pub(super) const DEPTH_FORMAT: wgpu::TextureFormat = wgpu::TextureFormat::Depth32Float;

/// A corner of a triangle that a region border crosses, as `Corner` in `surface.wgsl`.
#[repr(C)]
#[derive(Clone, Copy, Debug, Pod, Zeroable)]
pub(super) struct BorderCorner {
    pub(super) position: [f32; 3],
    pub(super) corner: u32,
    pub(super) labels: [i32; 3],
    pub(super) colours: [[u8; 4]; 3],
    /// The position in the other shape.
    pub(super) toward: [f32; 3],
}

/// Pipelines for one number of samples and one way of sampling volumes.
#[derive(Debug)]
pub(super) struct Pipelines {
    pub(super) colour: wgpu::RenderPipeline,
    pub(super) depth: wgpu::RenderPipeline,
    pub(super) border: wgpu::RenderPipeline,
}

/// Buffers a picture needs while it is drawn.
#[derive(Debug)]
pub(super) struct Scratch {
    /// The multisampled colours; nothing with one sample.
    pub(super) colour: Option<wgpu::TextureView>,
    pub(super) depth: wgpu::TextureView,
    pub(super) used: u64,
}

impl Scratch {
    pub(super) fn new(gpu: &Gpu, size: [u32; 2], samples: u32) -> Self {
        let view = |label, format| {
            let usage = wgpu::TextureUsages::RENDER_ATTACHMENT;
            attachment(gpu, label, size, samples, format, usage)
                .create_view(&wgpu::TextureViewDescriptor::default())
        };
        Self {
            colour: (samples > 1).then(|| view("samples", COLOUR_FORMAT)),
            depth: view("depth", DEPTH_FORMAT),
            used: 0,
        }
    }
}

impl Scratch {
    /// A picture that is drawn only for its depths.
    pub(super) fn unseen(gpu: &Gpu, size: [u32; 2]) -> wgpu::TextureView {
        let usage = wgpu::TextureUsages::RENDER_ATTACHMENT;
        attachment(gpu, "unseen", size, 1, COLOUR_FORMAT, usage)
            .create_view(&wgpu::TextureViewDescriptor::default())
    }
}

impl Pipelines {
    pub(super) fn new(
        gpu: &Gpu,
        layout: &wgpu::PipelineLayout,
        module: &wgpu::ShaderModule,
        (samples, sampled): (u32, Option<Variant>),
    ) -> Self {
        const MESH: [wgpu::VertexAttribute; 2] =
            wgpu::vertex_attr_array![0 => Float32x3, 1 => Float32x3];
        const POSITION: [wgpu::VertexAttribute; 1] = wgpu::vertex_attr_array![0 => Float32x3];
        const SULCAL: [wgpu::VertexAttribute; 1] = wgpu::vertex_attr_array![2 => Float32];
        const MAP: [wgpu::VertexAttribute; 1] = wgpu::vertex_attr_array![3 => Float32x2];
        const TOWARD: [wgpu::VertexAttribute; 2] =
            wgpu::vertex_attr_array![4 => Float32x3, 5 => Float32x3];
        const INNER: [wgpu::VertexAttribute; 1] = wgpu::vertex_attr_array![6 => Float32x3];
        const OUTER: [wgpu::VertexAttribute; 1] = wgpu::vertex_attr_array![7 => Float32x3];
        const CORNER: [wgpu::VertexAttribute; 7] = wgpu::vertex_attr_array![
            0 => Float32x3, 1 => Uint32, 2 => Sint32x3, 3 => Unorm8x4, 4 => Unorm8x4, 5 => Unorm8x4, 6 => Float32x3];
        let [a, b] = sampled.unwrap_or(Variant::NONE).constants();
        let constants = [a, b, ("through", f64::from(u8::from(sampled.is_some())))];
        let buffer = |stride: usize, attributes| {
            Some(wgpu::VertexBufferLayout {
                array_stride: stride as u64,
                step_mode: wgpu::VertexStepMode::Vertex,
                attributes,
            })
        };
        let mesh = [
            buffer(24, &MESH[..]),
            buffer(4, &SULCAL[..]),
            buffer(8, &MAP[..]),
            buffer(24, &TOWARD[..]),
            buffer(12, &INNER[..]),
            buffer(12, &OUTER[..]),
        ];
        let pipeline = |vertex: &str, fragment: Option<&str>, buffers: &[_], writes_depth: bool| {
            gpu.device
                .create_render_pipeline(&wgpu::RenderPipelineDescriptor {
                    label: Some(vertex),
                    layout: Some(layout),
                    vertex: wgpu::VertexState {
                        module,
                        entry_point: Some(vertex),
                        compilation_options: wgpu::PipelineCompilationOptions::default(),
                        buffers,
                    },
                    primitive: wgpu::PrimitiveState {
                        cull_mode: None,
                        ..Default::default()
                    },
                    depth_stencil: Some(wgpu::DepthStencilState {
                        format: DEPTH_FORMAT,
                        depth_write_enabled: Some(writes_depth),
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
                        entry_point: Some(fragment.unwrap_or("fs_nothing")),
                        compilation_options: wgpu::PipelineCompilationOptions {
                            constants: &constants,
                            ..Default::default()
                        },
                        targets: &[Some(wgpu::ColorTargetState {
                            format: COLOUR_FORMAT,
                            blend: Some(BLEND_OVER),
                            write_mask: if fragment.is_some() {
                                wgpu::ColorWrites::ALL
                            } else {
                                wgpu::ColorWrites::empty()
                            },
                        })],
                    }),
                    multiview_mask: None,
                    cache: None,
                })
        };
        Self {
            colour: pipeline("vs_surface", Some("fs_surface"), &mesh, true),
            depth: pipeline(
                "vs_depth",
                None,
                &[
                    buffer(24, &POSITION[..]),
                    None,
                    None,
                    buffer(24, &TOWARD[..1]),
                ],
                true,
            ),
            border: pipeline(
                "vs_border",
                Some("fs_border"),
                &[buffer(size_of::<BorderCorner>(), &CORNER[..])],
                false,
            ),
        }
    }
}
