//! Surfaces: indexed triangles, lit and painted in the fragment shader.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use wgpu::ShaderStages;

use super::cache::folded;
use super::pipelines::{BorderCorner, Draws, Scratch, pipeline};
use super::smooth::{Room, Smooth};
use super::solid::{SolidPass, depth_buffer};
use super::target::Target;
use super::volume::{Volumes, sampler_entry, volume_entry};
use super::{Cache, Gpu, RenderError, buffer_binding, layout_entry, texture_binding};
use crate::check;
use crate::field::{Kept, Variant};
use crate::mesh::{border_triangles, normals, unit_sphere};
use crate::scene::{MeshLayer, Places, SurfaceView, VertexData};
use crate::surface::{SurfaceUniform, draw_order, overlay_values, sulcal_values};

/// A mesh on the device.
#[derive(Clone, Debug)]
pub(super) struct MeshBuffers {
    /// Position and normal, six numbers a vertex.
    pub(super) vertices: wgpu::Buffer,
    pub(super) indices: wgpu::Buffer,
    pub(super) n_indices: u32,
    n_vertices: u64,
}

/// Pixels a triangle below which drawing depths first costs more than it saves.
const FEW_PIXELS: u32 = 4;

type Triangles = Arc<[[u32; 3]]>;

/// A mesh ready to be drawn.
struct Prepared {
    bindings: wgpu::BindGroup,
    mesh: MeshBuffers,
    sulcal: wgpu::Buffer,
    map: wgpu::Buffer,
    /// As the mesh's vertices, of its other shape.
    toward: wgpu::Buffer,
    /// The ends of the way through the cortex.
    ends: [wgpu::Buffer; 2],
    borders: Vec<(wgpu::Buffer, u32)>,
    /// Whether it is drawn with the solid ones, and whether nothing shows through it.
    solid: bool,
    covers: bool,
    /// How a volume is sampled between the ends, if one is.
    sampled: Option<Variant>,
}

#[derive(Debug)]
pub(super) struct SurfacePass {
    layout: wgpu::BindGroupLayout,
    pipeline_layout: wgpu::PipelineLayout,
    module: wgpu::ShaderModule,
    /// By samples a pixel.
    pipelines: BTreeMap<(u32, Draws), wgpu::RenderPipeline>,
    pub(super) picking: super::pick::PickPipeline,
    solids: SolidPass,
    smooth: Option<Smooth>,
    meshes: Cache<MeshBuffers>,
    /// The triangles of coarse meshes, and their indices.
    coarse: Cache<(Triangles, wgpu::Buffer)>,
    /// Vertices and normals of other shapes.
    shapes: Cache<wgpu::Buffer>,
    /// Ends of ways through the cortex.
    places: Cache<wgpu::Buffer>,
    sulcal: Cache<wgpu::Buffer>,
    maps: Cache<wgpu::Buffer>,
    borders: Cache<(wgpu::Buffer, u32)>,
    scratch: BTreeMap<([u32; 2], u32), Scratch>,
    sphere: Option<MeshBuffers>,
    /// Zeros for a mesh without a sulcal map or overlay, and for how many vertices they suffice.
    blank: Option<(wgpu::Buffer, u64)>,
}

impl SurfacePass {
    pub(super) fn new(gpu: &Gpu) -> Self {
        let device = &gpu.device;
        let layout = device.create_bind_group_layout(&wgpu::BindGroupLayoutDescriptor {
            label: Some("surface"),
            entries: &[
                layout_entry(
                    0,
                    ShaderStages::VERTEX_FRAGMENT,
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
            ],
        });
        Self {
            pipeline_layout: device.create_pipeline_layout(&wgpu::PipelineLayoutDescriptor {
                label: Some("surface"),
                bind_group_layouts: &[Some(&layout)],
                immediate_size: 0,
            }),
            module: device.create_shader_module(wgpu::ShaderModuleDescriptor {
                label: Some("surface"),
                source: wgpu::ShaderSource::Wgsl(
                    concat!(
                        include_str!("../shaders/look.wgsl"),
                        include_str!("../shaders/field.wgsl"),
                        include_str!("../shaders/light.wgsl"),
                        include_str!("../shaders/surface.wgsl")
                    )
                    .into(),
                ),
            }),
            layout,
            pipelines: BTreeMap::new(),
            picking: super::pick::PickPipeline::new(gpu),
            solids: SolidPass::new(gpu),
            smooth: None,
            meshes: Cache::new(),
            coarse: Cache::new(),
            shapes: Cache::new(),
            places: Cache::new(),
            sulcal: Cache::new(),
            maps: Cache::new(),
            borders: Cache::new(),
            scratch: BTreeMap::new(),
            sphere: None,
            blank: None,
        }
    }

    /// Draws a view into a target, `quality` being samples a pixel side in the target and samples a pixel of it.
    pub(super) fn encode(
        &mut self,
        gpu: &Gpu,
        (colormaps, volumes): (&wgpu::TextureView, &mut Volumes),
        view: &SurfaceView,
        target: &Target,
        (background, (scale, samples)): (wgpu::Color, (u32, u32)),
        encoder: &mut wgpu::CommandEncoder,
        now: u64,
    ) -> Result<(), RenderError> {
        let shared = (colormaps, volumes);
        let costly =
            view.meshes.iter().any(|mesh| mesh.sampled.is_some()) || !view.solids.is_empty();
        let fits = gpu.check_size(target.size.map(|n| n * 2)).is_ok();
        if samples > 1 && gpu.is_software && costly && fits {
            return self.twice(gpu, shared, view, target, (background, scale), encoder, now);
        }
        let (prepared, steps) = self.ready(
            gpu,
            shared,
            view,
            (target.size, scale, samples),
            encoder,
            now,
        )?;
        let scratch = self
            .scratch
            .entry((target.size, samples))
            .or_insert_with(|| Scratch::new(gpu, target.size, samples));
        scratch.used = now;
        let (colour, resolved) = match &scratch.colour {
            Some(multisampled) => (multisampled, Some(&target.view)),
            None => (&target.view, None),
        };
        let into = (colour, resolved, &scratch.depth);
        draw(encoder, into, background, (&prepared, &steps), None);
        Ok(())
    }

    /// The same with four samples a pixel where a picture of one is rough: for software drivers.
    fn twice(
        &mut self,
        gpu: &Gpu,
        (colormaps, volumes): (&wgpu::TextureView, &mut Volumes),
        view: &SurfaceView,
        target: &Target,
        (background, scale): (wgpu::Color, u32),
        encoder: &mut wgpu::CommandEncoder,
        now: u64,
    ) -> Result<(), RenderError> {
        let shared = (colormaps, &mut *volumes);
        let size = (target.size, scale, 1);
        let (prepared, steps) = self.ready(gpu, shared, view, size, encoder, now)?;
        let size = (target.size.map(|n| n * 2), scale * 2, 1);
        let shared = (colormaps, volumes);
        let (finer, finer_steps) = self.ready(gpu, shared, view, size, encoder, now)?;
        let smooth = self.smooth.get_or_insert_with(|| Smooth::new(gpu));
        let room = smooth.room(gpu, target.size, now);
        let into = (&room.once, None, &room.once_depth);
        draw(encoder, into, background, (&prepared, &steps), None);
        smooth.find(&room, encoder);
        let into = (&room.fine, None, &room.fine_depth);
        let kept = Some((&*smooth, &*room));
        draw(encoder, into, background, (&finer, &finer_steps), kept);
        smooth.mean(&room, target, encoder);
        Ok(())
    }

    /// What is drawn of a view and how, in so many pixels, samples a pixel side in them and samples a pixel of them.
    fn ready(
        &mut self,
        gpu: &Gpu,
        (colormaps, volumes): (&wgpu::TextureView, &mut Volumes),
        view: &SurfaceView,
        (size, scale, samples): ([u32; 2], u32, u32),
        encoder: &mut wgpu::CommandEncoder,
        now: u64,
    ) -> Result<(Vec<Prepared>, Steps), RenderError> {
        let prepared = self.prepare(gpu, (colormaps, &mut *volumes), view, size, scale, now)?;
        let mut solids = Vec::new();
        if !view.solids.is_empty() {
            let depths = self.depths(gpu, &prepared, size, encoder);
            for solid in &view.solids {
                let shared = (colormaps, &mut *volumes, &depths);
                let quality = (size, samples);
                solids.push(
                    self.solids
                        .prepare(gpu, shared, view, solid, quality, now)?,
                );
            }
        }
        let steps = self.steps(gpu, &prepared, solids, samples);
        Ok((prepared, steps))
    }

    /// The depths of solid meshes, one sample a pixel, for rays to stop at.
    fn depths(
        &mut self,
        gpu: &Gpu,
        prepared: &[Prepared],
        size: [u32; 2],
        encoder: &mut wgpu::CommandEncoder,
    ) -> wgpu::TextureView {
        let depths = depth_buffer(gpu, size);
        let one = self.pipeline(gpu, 1, Draws::Depths);
        // A picture of one sample a pixel whose colours are not looked at.
        let unseen = Scratch::unseen(gpu, size);
        let mut pass = encoder.begin_render_pass(&wgpu::RenderPassDescriptor {
            label: Some("depths"),
            color_attachments: &[Some(wgpu::RenderPassColorAttachment {
                view: &unseen,
                depth_slice: None,
                resolve_target: None,
                ops: wgpu::Operations {
                    load: wgpu::LoadOp::Clear(wgpu::Color::TRANSPARENT),
                    store: wgpu::StoreOp::Discard,
                },
            })],
            depth_stencil_attachment: Some(depths_of(&depths, wgpu::StoreOp::Store)),
            ..Default::default()
        });
        pass.set_pipeline(&one);
        for item in prepared.iter().filter(|item| item.solid) {
            item.set(&mut pass);
            pass.draw_indexed(0..item.mesh.n_indices, 0, 0..1);
        }
        drop(pass);
        depths
    }

    /// What draws the meshes with so many samples a pixel.
    fn steps(
        &mut self,
        gpu: &Gpu,
        prepared: &[Prepared],
        solids: Vec<(wgpu::RenderPipeline, wgpu::BindGroup)>,
        samples: u32,
    ) -> Steps {
        let colours = prepared.iter().map(|item| {
            let draws = if item.covers {
                Draws::Solid(item.sampled)
            } else {
                Draws::Clear(item.sampled)
            };
            self.pipeline(gpu, samples, draws)
        });
        let colours = colours.collect();
        let bordered = prepared.iter().any(|item| !item.borders.is_empty());
        Steps {
            colours,
            depths: self.pipeline(gpu, samples, Draws::Depths),
            borders: bordered.then(|| self.pipeline(gpu, samples, Draws::Borders)),
            solids,
        }
    }

    fn pipeline(&mut self, gpu: &Gpu, samples: u32, draws: Draws) -> wgpu::RenderPipeline {
        let made = || pipeline(gpu, &self.pipeline_layout, &self.module, samples, draws);
        self.pipelines
            .entry((samples, draws))
            .or_insert_with(made)
            .clone()
    }

    /// Uploads what is new and binds the rest, in the order of drawing.
    fn prepare(
        &mut self,
        gpu: &Gpu,
        (colormaps, volumes): (&wgpu::TextureView, &mut Volumes),
        view: &SurfaceView,
        size: [u32; 2],
        scale: u32,
        now: u64,
    ) -> Result<Vec<Prepared>, RenderError> {
        let mut prepared = Vec::new();
        if let Some(marker) = view.marker {
            let uniform = SurfaceUniform::marker(&view.camera, size, marker);
            let mesh = self.sphere(gpu)?;
            let blank = self.blank(gpu, mesh.n_vertices)?;
            let nothing = [volumes.none(), volumes.none()];
            prepared.push(Prepared {
                bindings: self.bind(gpu, colormaps, (&nothing, &volumes.sampler), &uniform)?,
                toward: mesh.vertices.clone(),
                mesh,
                sulcal: blank.clone(),
                map: blank.clone(),
                ends: [blank.clone(), blank],
                borders: Vec::new(),
                solid: true,
                covers: uniform.opacity() >= 1.0,
                sampled: None,
            });
        }
        for i in draw_order(view) {
            let layer = &view.meshes[i];
            let (textures, kept, variant) = match &layer.sampled {
                Some(sampled) => volumes.of_layer(gpu, &sampled.layer, now)?,
                None => (
                    [volumes.none(), volumes.none()],
                    [Kept::WHOLE; 2],
                    Variant::NONE,
                ),
            };
            let uniform = SurfaceUniform::layer(&view.camera, size, scale, layer, kept);
            let (mesh, triangles) = self.drawn(gpu, layer, now)?;
            let blank = self.blank(gpu, mesh.n_vertices)?;
            prepared.push(Prepared {
                bindings: self.bind(gpu, colormaps, (&textures, &volumes.sampler), &uniform)?,
                toward: self.toward(gpu, layer, &mesh, now)?,
                ends: match &layer.sampled {
                    Some(sampled) => [
                        self.place(gpu, &sampled.inner, now)?,
                        self.place(gpu, &sampled.outer, now)?,
                    ],
                    None => [blank.clone(), blank.clone()],
                },
                sulcal: match &layer.sulcal {
                    Some(data) => values(&mut self.sulcal, gpu, data, now, |data| {
                        bytemuck::cast_slice(&sulcal_values(data)).to_vec()
                    })?,
                    None => blank.clone(),
                },
                map: match &layer.overlay {
                    Some((data, _)) => values(&mut self.maps, gpu, data, now, |data| {
                        bytemuck::cast_slice(&overlay_values(data)).to_vec()
                    })?,
                    None => blank,
                },
                mesh,
                borders: self.borders(gpu, layer, &triangles, now)?,
                solid: uniform.opacity() >= 1.0,
                covers: uniform.opacity() >= 1.0,
                sampled: layer.sampled.as_ref().map(|_| variant),
            });
        }
        Ok(prepared)
    }

    /// The vertices and normals of a mesh's other shape, or its own again.
    pub(super) fn toward(
        &mut self,
        gpu: &Gpu,
        layer: &MeshLayer,
        mesh: &MeshBuffers,
        now: u64,
    ) -> Result<wgpu::Buffer, RenderError> {
        let Some((places, _)) = &layer.toward else {
            return Ok(mesh.vertices.clone());
        };
        // The normals are those of the mesh's triangles: the shape belongs to both.
        let key = folded([layer.mesh.key, places.key], &());
        self.shapes.get(key, now, || {
            gpu.buffer(
                "shape",
                bytemuck::cast_slice(&interleaved(&places.vertices, &layer.mesh.triangles)),
                wgpu::BufferUsages::VERTEX | wgpu::BufferUsages::STORAGE,
            )
        })
    }

    fn place(&mut self, gpu: &Gpu, places: &Places, now: u64) -> Result<wgpu::Buffer, RenderError> {
        self.places.get(places.key, now, || {
            gpu.buffer(
                "ends",
                bytemuck::cast_slice(&places.vertices),
                wgpu::BufferUsages::VERTEX,
            )
        })
    }

    pub(super) fn evict(&mut self, now: u64) {
        self.meshes.evict(now);
        self.coarse.evict(now);
        self.solids.evict(now);
        self.shapes.evict(now);
        self.places.evict(now);
        self.sulcal.evict(now);
        self.maps.evict(now);
        self.borders.evict(now);
        // Resizing a window makes a size a frame.
        self.scratch.retain(|_, scratch| now - scratch.used <= 16);
        if let Some(smooth) = &mut self.smooth {
            smooth.evict(now);
        }
    }

    pub(super) fn mesh(
        &mut self,
        gpu: &Gpu,
        layer: &MeshLayer,
        now: u64,
    ) -> Result<MeshBuffers, RenderError> {
        self.meshes.get(layer.mesh.key, now, || {
            check::triangles(layer)?;
            upload(gpu, &layer.mesh.vertices, &layer.mesh.triangles)
        })
    }

    /// A mesh with the triangles that are drawn, and these.
    fn drawn(
        &mut self,
        gpu: &Gpu,
        layer: &MeshLayer,
        now: u64,
    ) -> Result<(MeshBuffers, Triangles), RenderError> {
        let mesh = self.mesh(gpu, layer, now)?;
        if !layer.coarse {
            return Ok((mesh, Arc::clone(&layer.mesh.triangles)));
        }
        let (triangles, indices) =
            self.coarse
                .get(layer.mesh.key, now, || match layer.drawn_triangles() {
                    Cow::Borrowed(_) => {
                        Ok((Arc::clone(&layer.mesh.triangles), mesh.indices.clone()))
                    }
                    Cow::Owned(triangles) => {
                        let bytes = bytemuck::cast_slice(&triangles);
                        let indices =
                            gpu.buffer("coarse mesh", bytes, wgpu::BufferUsages::INDEX)?;
                        Ok((triangles.into(), indices))
                    }
                })?;
        let n_indices = triangles.len() as u32 * 3;
        let mesh = MeshBuffers {
            indices,
            n_indices,
            ..mesh
        };
        Ok((mesh, triangles))
    }

    fn sphere(&mut self, gpu: &Gpu) -> Result<MeshBuffers, RenderError> {
        if let Some(mesh) = &self.sphere {
            return Ok(mesh.clone());
        }
        let (vertices, triangles) = unit_sphere();
        let mesh = upload(gpu, &vertices, &triangles)?;
        Ok(self.sphere.insert(mesh).clone())
    }

    fn blank(&mut self, gpu: &Gpu, n_vertices: u64) -> Result<wgpu::Buffer, RenderError> {
        match &self.blank {
            Some((buffer, enough)) if *enough >= n_vertices => Ok(buffer.clone()),
            _ => {
                let zeros = vec![0; n_vertices as usize * size_of::<[f32; 3]>()];
                let buffer = gpu.buffer("blank values", &zeros, wgpu::BufferUsages::VERTEX)?;
                self.blank = Some((buffer.clone(), n_vertices));
                Ok(buffer)
            }
        }
    }

    fn borders(
        &mut self,
        gpu: &Gpu,
        layer: &MeshLayer,
        triangles: &[[u32; 3]],
        now: u64,
    ) -> Result<Vec<(wgpu::Buffer, u32)>, RenderError> {
        let borders = layer.outlines.iter().map(|(labels, colours)| {
            // The lines depend on all of these; folded into one key, they live and die like any other value.
            let shape = layer.toward.as_ref().map_or(layer.mesh.key, |(p, _)| p.key);
            let key = folded(
                [layer.mesh.key, labels.key, shape],
                &(colours, layer.coarse),
            );
            self.borders.get(key, now, || {
                let vertices = &layer.mesh.vertices;
                let toward = layer.toward.as_ref().map_or(vertices, |(p, _)| &p.vertices);
                let corners: Vec<BorderCorner> =
                    border_triangles(triangles, &labels.values, colours)
                        .iter()
                        .flat_map(|triangle| {
                            [0, 1, 2].map(|corner| BorderCorner {
                                position: vertices[triangle.vertices[corner] as usize].to_array(),
                                corner: corner as u32,
                                labels: triangle.labels,
                                colours: triangle.colours,
                                toward: toward[triangle.vertices[corner] as usize].to_array(),
                            })
                        })
                        .collect();
                let buffer = gpu.buffer(
                    "region borders",
                    bytemuck::cast_slice(&corners),
                    wgpu::BufferUsages::VERTEX,
                )?;
                Ok((buffer, corners.len() as u32))
            })
        });
        let borders = borders.collect::<Result<Vec<_>, RenderError>>()?;
        Ok(borders
            .into_iter()
            .filter(|(_, n_corners)| *n_corners > 0)
            .collect())
    }

    fn bind(
        &self,
        gpu: &Gpu,
        colormaps: &wgpu::TextureView,
        ([volume, modulating], sampler): (&[wgpu::TextureView; 2], &wgpu::Sampler),
        uniform: &SurfaceUniform,
    ) -> Result<wgpu::BindGroup, RenderError> {
        let buffer = gpu.buffer(
            "surface",
            bytemuck::bytes_of(uniform),
            wgpu::BufferUsages::UNIFORM,
        )?;
        Ok(gpu.device.create_bind_group(&wgpu::BindGroupDescriptor {
            label: Some("surface"),
            layout: &self.layout,
            entries: &[
                wgpu::BindGroupEntry {
                    binding: 0,
                    resource: buffer.as_entire_binding(),
                },
                wgpu::BindGroupEntry {
                    binding: 1,
                    resource: wgpu::BindingResource::TextureView(colormaps),
                },
                wgpu::BindGroupEntry {
                    binding: 2,
                    resource: wgpu::BindingResource::TextureView(volume),
                },
                wgpu::BindGroupEntry {
                    binding: 3,
                    resource: wgpu::BindingResource::TextureView(modulating),
                },
                wgpu::BindGroupEntry {
                    binding: 5,
                    resource: wgpu::BindingResource::Sampler(sampler),
                },
            ],
        }))
    }
}

impl Prepared {
    fn set(&self, pass: &mut wgpu::RenderPass<'_>) {
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
struct Steps {
    /// One a mesh.
    colours: Vec<wgpu::RenderPipeline>,
    depths: wgpu::RenderPipeline,
    borders: Option<wgpu::RenderPipeline>,
    solids: Vec<(wgpu::RenderPipeline, wgpu::BindGroup)>,
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
fn draw(
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
        depth_stencil_attachment: Some(depths_of(depth, wgpu::StoreOp::Discard)),
        ..Default::default()
    });
    if let Some((smooth, room)) = kept {
        smooth.keep(room, &mut pass);
    }
    // Software drivers colour what is hidden all the same where a pixel has several samples.
    let depths_first = resolved.is_none();
    steps.draw(prepared, depths_first, size.width * size.height, &mut pass);
}

fn depths_of(
    view: &wgpu::TextureView,
    store: wgpu::StoreOp,
) -> wgpu::RenderPassDepthStencilAttachment<'_> {
    wgpu::RenderPassDepthStencilAttachment {
        view,
        depth_ops: Some(wgpu::Operations {
            load: wgpu::LoadOp::Clear(1.0),
            store,
        }),
        stencil_ops: None,
    }
}

/// Position and normal of each vertex.
fn interleaved(vertices: &[glam::Vec3], triangles: &[[u32; 3]]) -> Vec<[[f32; 3]; 2]> {
    vertices
        .iter()
        .zip(normals(vertices, triangles))
        .map(|(vertex, normal)| [vertex.to_array(), normal.to_array()])
        .collect()
}

fn upload(
    gpu: &Gpu,
    vertices: &[glam::Vec3],
    triangles: &[[u32; 3]],
) -> Result<MeshBuffers, RenderError> {
    // Read as vertices and indices by the picture and as storage by the pick.
    let storage = wgpu::BufferUsages::STORAGE;
    Ok(MeshBuffers {
        vertices: gpu.buffer(
            "mesh",
            bytemuck::cast_slice(&interleaved(vertices, triangles)),
            wgpu::BufferUsages::VERTEX | storage,
        )?,
        indices: gpu.buffer(
            "mesh",
            bytemuck::cast_slice(triangles),
            wgpu::BufferUsages::INDEX | storage,
        )?,
        n_indices: triangles.len() as u32 * 3,
        n_vertices: vertices.len() as u64,
    })
}

fn values(
    cache: &mut Cache<wgpu::Buffer>,
    gpu: &Gpu,
    data: &VertexData,
    now: u64,
    bytes: impl FnOnce(&[f32]) -> Vec<u8>,
) -> Result<wgpu::Buffer, RenderError> {
    cache.get(data.key, now, || {
        gpu.buffer(
            "vertex values",
            &bytes(&data.values),
            wgpu::BufferUsages::VERTEX,
        )
    })
}
