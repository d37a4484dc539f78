//! The order in which prepared meshes, borders and volumes are drawn.

use super::meshes::MeshBuffers;
use super::smooth::{Room, Smooth};
use crate::field::Variant;

/// Pixels a triangle below which drawing depths first costs more than it saves.
const FEW_PIXELS: u32 = 4;

/// A mesh ready to be drawn.
pub(super) struct Prepared {
    pub(super) bindings: wgpu::BindGroup,
    pub(super) mesh: MeshBuffers,
    pub(super) sulcal: wgpu::Buffer,
    pub(super) map: wgpu::Buffer,
    /// As the mesh's vertices, of its other shape.
    pub(super) toward: wgpu::Buffer,
    /// The ends of the way through the cortex.
    pub(super) ends: [wgpu::Buffer; 2],
    pub(super) borders: Vec<(wgpu::Buffer, u32)>,
    /// Whether it is drawn with the solid ones, and whether nothing shows through it.
    pub(super) solid: bool,
    pub(super) covers: bool,
    /// How a volume is sampled between the ends, if one is.
    pub(super) sampled: Option<Variant>,
}

impl Prepared {
    pub(super) fn set(&self, pass: &mut wgpu::RenderPass<'_>) {
        pass.set_bind_group(0, &self.bindings, &[]);
        pass.set_vertex_buffer(0, self.mesh.vertices.slice(..));
        pass.set_vertex_buffer(1, self.sulcal.slice(..));
        pass.set_vertex_buffer(2, self.map.slice(..));
        pass.set_vertex_buffer(3, self.toward.slice(..));
        pass.set_vertex_buffer(4, self.ends[0].slice(..));
        pass.set_vertex_buffer(5, self.ends[1].slice(..));
        pass.set_index_buffer(self.mesh.indices.slice(..), wgpu::IndexFormat::Uint32);
    }
}

/// What draws a view with so many samples a pixel.
pub(super) struct Steps {
    /// One a mesh.
    pub(super) colours: Vec<wgpu::RenderPipeline>,
    pub(super) depths: wgpu::RenderPipeline,
    pub(super) borders: Option<wgpu::RenderPipeline>,
    pub(super) solids: Vec<(wgpu::RenderPipeline, wgpu::BindGroup)>,
}

impl Steps {
    /// Solid meshes, volumes looked into, and see-through meshes over them.
    fn draw(
        &self,
        prepared: &[Prepared],
        depths_first: bool,
        n_pixels: u32,
        pass: &mut wgpu::RenderPass<'_>,
    ) {
        let n_opaque = prepared.iter().take_while(|item| item.solid).count();
        let opaque = &prepared[..n_opaque];
        let n_triangles: u32 = opaque.iter().map(|item| item.mesh.n_indices / 3).sum();
        if depths_first && n_pixels / FEW_PIXELS > n_triangles {
            // Depths first, so that what is hidden is not coloured.
            pass.set_pipeline(&self.depths);
            for item in opaque {
                item.set(pass);
                pass.draw_indexed(0..item.mesh.n_indices, 0, 0..1);
            }
        }
        for (n, (item, colour)) in prepared.iter().zip(&self.colours).enumerate() {
            if n == n_opaque {
                self.look_in(pass);
            }
            item.set(pass);
            if !item.solid {
                // Its own front first, so that only that is blended and not every fold behind it.
                pass.set_pipeline(&self.depths);
                pass.draw_indexed(0..item.mesh.n_indices, 0, 0..1);
            }
            pass.set_pipeline(colour);
            pass.draw_indexed(0..item.mesh.n_indices, 0, 0..1);
            for (corners, n_corners) in &item.borders {
                if let Some(borders) = &self.borders {
                    pass.set_pipeline(borders);
                    pass.set_vertex_buffer(0, corners.slice(..));
                    pass.draw(0..*n_corners, 0..1);
                }
            }
        }
        if n_opaque == prepared.len() {
            self.look_in(pass);
        }
    }

    fn look_in(&self, pass: &mut wgpu::RenderPass<'_>) {
        for (pipeline, bindings) in &self.solids {
            pass.set_pipeline(pipeline);
            pass.set_bind_group(0, bindings, &[]);
            pass.draw(0..3, 0..1);
        }
    }
}

/// Draws a view into colours that are resolved if they have several samples, over what is kept of a picture of one.
pub(super) fn draw(
    encoder: &mut wgpu::CommandEncoder,
    (colour, resolved, depth): (
        &wgpu::TextureView,
        Option<&wgpu::TextureView>,
        &wgpu::TextureView,
    ),
    background: wgpu::Color,
    (prepared, steps): (&[Prepared], &Steps),
    kept: Option<(&Smooth, &Room)>,
) {
    let size = colour.texture().size();
    let mut pass = encoder.begin_render_pass(&wgpu::RenderPassDescriptor {
        label: Some("surfaces"),
        color_attachments: &[Some(wgpu::RenderPassColorAttachment {
            view: colour,
            depth_slice: None,
            resolve_target: resolved,
            ops: wgpu::Operations {
                load: wgpu::LoadOp::Clear(background),
                store: if resolved.is_some() {
                    wgpu::StoreOp::Discard
                } else {
                    wgpu::StoreOp::Store
                },
            },
        })],
        depth_stencil_attachment: Some(depths_of(
            depth,
            if kept.is_some() { 0.0 } else { 1.0 },
            wgpu::StoreOp::Discard,
        )),
        ..Default::default()
    });
    if let Some((smooth, room)) = kept {
        smooth.keep(room, &mut pass);
    }
    // Software drivers colour what is hidden all the same where a pixel has several samples; and where few pixels are open
    // the depths cost more than they save.
    let depths_first = resolved.is_none() && kept.is_none();
    steps.draw(prepared, depths_first, size.width * size.height, &mut pass);
}

pub(super) fn depths_of(
    view: &wgpu::TextureView,
    begin: f32,
    store: wgpu::StoreOp,
) -> wgpu::RenderPassDepthStencilAttachment<'_> {
    wgpu::RenderPassDepthStencilAttachment {
        view,
        depth_ops: Some(wgpu::Operations {
            load: wgpu::LoadOp::Clear(begin),
            store,
        }),
        stencil_ops: None,
    }
}
