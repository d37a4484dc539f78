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

/// What a pipeline draws of meshes; with a volume sampled in one way, or with none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Draws {
    /// Colours that hide what is behind them.
    Solid(Option<Variant>),
    /// Colours that let it through.
    Clear(Option<Variant>),
    /// Depths and no colours.
    Depths,
    /// Region borders.
    Borders,
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

/// A pipeline of so many samples a pixel.
pub(super) fn pipeline(
    gpu: &Gpu,
    layout: &wgpu::PipelineLayout,
    module: &wgpu::ShaderModule,
    samples: u32,
    draws: Draws,
) -> wgpu::RenderPipeline {
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
    let buffer = |stride: usize, attributes| {
        Some(wgpu::VertexBufferLayout {
            array_stride: stride as u64,
            step_mode: wgpu::VertexStepMode::Vertex,
            attributes,
        })
    };
    let (vertex, fragment, buffers) = match draws {
        Draws::Solid(_) | Draws::Clear(_) => (
            "vs_surface",
            "fs_surface",
            vec![
                buffer(24, &MESH[..]),
                buffer(4, &SULCAL[..]),
                buffer(8, &MAP[..]),
                buffer(24, &TOWARD[..]),
                buffer(12, &INNER[..]),
                buffer(12, &OUTER[..]),
            ],
        ),
        Draws::Depths => (
            "vs_depth",
            "fs_nothing",
            vec![
                buffer(24, &POSITION[..]),
                None,
                None,
                buffer(24, &TOWARD[..1]),
            ],
        ),
        Draws::Borders => (
            "vs_border",
            "fs_border",
            vec![buffer(size_of::<BorderCorner>(), &CORNER[..])],
        ),
    };
    let sampled = match draws {
        Draws::Solid(sampled) | Draws::Clear(sampled) => sampled,
        Draws::Depths | Draws::Borders => None,
    };
    let [a, b] = sampled.unwrap_or(Variant::NONE).constants();
    let constants = [a, b, ("through", f64::from(u8::from(sampled.is_some())))];
    gpu.device
        .create_render_pipeline(&wgpu::RenderPipelineDescriptor {
            label: Some(vertex),
            layout: Some(layout),
            vertex: wgpu::VertexState {
                module,
                entry_point: Some(vertex),
                compilation_options: wgpu::PipelineCompilationOptions::default(),
                buffers: &buffers,
            },
            primitive: wgpu::PrimitiveState {
                cull_mode: None,
                ..Default::default()
            },
            depth_stencil: Some(wgpu::DepthStencilState {
                format: DEPTH_FORMAT,
                depth_write_enabled: Some(draws != Draws::Borders),
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
                entry_point: Some(fragment),
                compilation_options: wgpu::PipelineCompilationOptions {
                    constants: &constants,
                    ..Default::default()
                },
                targets: &[Some(wgpu::ColorTargetState {
                    format: COLOUR_FORMAT,
                    blend: match draws {
                        Draws::Solid(_) | Draws::Depths => None,
                        Draws::Clear(_) | Draws::Borders => Some(BLEND_OVER),
                    },
                    write_mask: match draws {
                        Draws::Depths => wgpu::ColorWrites::empty(),
                        _ => wgpu::ColorWrites::ALL,
                    },
                })],
            }),
            multiview_mask: None,
            cache: None,
        })
}
