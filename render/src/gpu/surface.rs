//! Surfaces: indexed triangles, lit and painted in the fragment shader.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use wgpu::ShaderStages;

use super::cache::folded;
use super::pipelines::{BorderCorner, Pipelines, Scratch};
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
    solid: bool,
    /// How a volume is sampled between the ends, if one is.
    sampled: Option<Variant>,
}

#[derive(Debug)]
pub(super) struct SurfacePass {
    layout: wgpu::BindGroupLayout,
    pipeline_layout: wgpu::PipelineLayout,
    module: wgpu::ShaderModule,
    /// By samples a pixel and how a volume is sampled.
    pipelines: BTreeMap<(u32, Option<Variant>), Pipelines>,
    pub(super) picking: super::pick::PickPipeline,
    solids: SolidPass,
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
        let prepared = self.prepare(gpu, (colormaps, volumes), view, target, scale, now)?;
        let mut solids = Vec::new();
        if !view.solids.is_empty() {
            let depths = depth_buffer(gpu, target.size);
            self.compile(gpu, (1, None));
            let one = &self.pipelines[&(1, None)];
            // A picture of one sample a pixel whose colours are not looked at.
            let unseen = Scratch::unseen(gpu, target.size);
            let mut pass = encoder.begin_render_pass(&wgpu::RenderPassDescriptor {
                label: Some("depths"),
                color_attachments: &[Some(wgpu::RenderPassColorAttachment {
                    view: &unseen,
                    depth_slice: None,
                    resolve_target: None,
                    ops: wgpu::Operations {
                        load: wgpu::LoadOp::Clear(background),
                        store: wgpu::StoreOp::Discard,
                    },
                })],
                depth_stencil_attachment: Some(depths_of(&depths, wgpu::StoreOp::Store)),
                ..Default::default()
            });
            pass.set_pipeline(&one.depth);
            for item in prepared.iter().filter(|item| item.solid) {
                item.set(&mut pass);
                pass.draw_indexed(0..item.mesh.n_indices, 0, 0..1);
            }
            drop(pass);
            for solid in &view.solids {
                solids.push(self.solids.prepare(
                    gpu,
                    (colormaps, volumes, &depths),
                    view,
                    solid,
                    (target.size, samples),
                    now,
                )?);
            }
        }
        for item in &prepared {
            self.compile(gpu, (samples, item.sampled));
        }
        let scratch = self
            .scratch
            .entry((target.size, samples))
            .or_insert_with(|| Scratch::new(gpu, target.size, samples));
        scratch.used = now;

        let (colour, resolve_target, store) = match &scratch.colour {
            Some(multisampled) => (multisampled, Some(&target.view), wgpu::StoreOp::Discard),
            None => (&target.view, None, wgpu::StoreOp::Store),
        };
        let mut pass = encoder.begin_render_pass(&wgpu::RenderPassDescriptor {
            label: Some("surfaces"),
            color_attachments: &[Some(wgpu::RenderPassColorAttachment {
                view: colour,
                depth_slice: None,
                resolve_target,
                ops: wgpu::Operations {
                    load: wgpu::LoadOp::Clear(background),
                    store,
                },
            })],
            depth_stencil_attachment: Some(depths_of(&scratch.depth, wgpu::StoreOp::Discard)),
            ..Default::default()
        });
        let (opaque, clear): (Vec<_>, Vec<_>) = prepared.iter().partition(|item| item.solid);
        let mut solids = Some(solids);
        for (n, item) in opaque.iter().chain(&clear).enumerate() {
            if n == opaque.len() {
                look_in(&mut pass, solids.take());
            }
            let pipelines = &self.pipelines[&(samples, item.sampled)];
            item.set(&mut pass);
            if !item.solid {
                // Its own front first, so that only that is blended and not every fold behind it.
                pass.set_pipeline(&pipelines.depth);
                pass.draw_indexed(0..item.mesh.n_indices, 0, 0..1);
            }
            pass.set_pipeline(&pipelines.colour);
            pass.draw_indexed(0..item.mesh.n_indices, 0, 0..1);
            for (corners, n_corners) in &item.borders {
                pass.set_pipeline(&pipelines.border);
                pass.set_vertex_buffer(0, corners.slice(..));
                pass.draw(0..*n_corners, 0..1);
            }
        }
        look_in(&mut pass, solids.take());
        Ok(())
    }

    fn compile(&mut self, gpu: &Gpu, key: (u32, Option<Variant>)) {
        let (layout, module) = (&self.pipeline_layout, &self.module);
        self.pipelines
            .entry(key)
            .or_insert_with(|| Pipelines::new(gpu, layout, module, key));
    }

    /// Uploads what is new and binds the rest, in the order of drawing.
    fn prepare(
        &mut self,
        gpu: &Gpu,
        (colormaps, volumes): (&wgpu::TextureView, &mut Volumes),
        view: &SurfaceView,
        target: &Target,
        scale: u32,
        now: u64,
    ) -> Result<Vec<Prepared>, RenderError> {
        let mut prepared = Vec::new();
        if let Some(marker) = view.marker {
            let uniform = SurfaceUniform::marker(&view.camera, target.size, marker);
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
            let uniform = SurfaceUniform::layer(&view.camera, target.size, scale, layer, kept);
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

fn look_in(
    pass: &mut wgpu::RenderPass<'_>,
    solids: Option<Vec<(wgpu::RenderPipeline, wgpu::BindGroup)>>,
) {
    for (pipeline, bindings) in solids.into_iter().flatten() {
        pass.set_pipeline(&pipeline);
        pass.set_bind_group(0, &bindings, &[]);
        pass.draw(0..3, 0..1);
    }
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
