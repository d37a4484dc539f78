//! Surfaces: indexed triangles, lit and painted in the fragment shader.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};

use wgpu::ShaderStages;

use super::pipelines::{BorderCorner, Pipelines, Scratch};
use super::target::Target;
use super::{Cache, Gpu, RenderError, buffer_binding, layout_entry, texture_binding};
use crate::check;
use crate::mesh::{border_triangles, normals, unit_sphere};
use crate::scene::{Key, MeshLayer, SurfaceView, VertexData};
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

/// A mesh ready to be drawn.
struct Prepared {
    bindings: wgpu::BindGroup,
    mesh: MeshBuffers,
    sulcal: wgpu::Buffer,
    map: wgpu::Buffer,
    borders: Option<(wgpu::Buffer, u32)>,
    solid: bool,
}

#[derive(Debug)]
pub(super) struct SurfacePass {
    layout: wgpu::BindGroupLayout,
    pipeline_layout: wgpu::PipelineLayout,
    module: wgpu::ShaderModule,
    pipelines: BTreeMap<u32, Pipelines>,
    pub(super) picking: super::pick::PickPipeline,
    meshes: Cache<MeshBuffers>,
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
                        include_str!("../shaders/surface.wgsl")
                    )
                    .into(),
                ),
            }),
            layout,
            pipelines: BTreeMap::new(),
            picking: super::pick::PickPipeline::new(gpu),
            meshes: Cache::new(),
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
        colormaps: &wgpu::TextureView,
        view: &SurfaceView,
        target: &Target,
        (background, (scale, samples)): (wgpu::Color, (u32, u32)),
        encoder: &mut wgpu::CommandEncoder,
        now: u64,
    ) -> Result<(), RenderError> {
        let mut prepared = Vec::new();
        if let Some(marker) = view.marker {
            let uniform = SurfaceUniform::marker(&view.camera, target.size, marker);
            let mesh = self.sphere(gpu)?;
            let blank = self.blank(gpu, mesh.n_vertices)?;
            prepared.push(Prepared {
                bindings: self.bind(gpu, colormaps, &uniform)?,
                mesh,
                sulcal: blank.clone(),
                map: blank,
                borders: None,
                solid: true,
            });
        }
        for i in draw_order(view) {
            let layer = &view.meshes[i];
            let uniform = SurfaceUniform::layer(&view.camera, target.size, scale, layer);
            let mesh = self.mesh(gpu, layer, now)?;
            let blank = self.blank(gpu, mesh.n_vertices)?;
            prepared.push(Prepared {
                bindings: self.bind(gpu, colormaps, &uniform)?,
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
                borders: self.borders(gpu, layer, now)?,
                solid: uniform.opacity() >= 1.0,
            });
        }
        let pipelines = self
            .pipelines
            .entry(samples)
            .or_insert_with(|| Pipelines::new(gpu, &self.pipeline_layout, &self.module, samples));
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
            depth_stencil_attachment: Some(wgpu::RenderPassDepthStencilAttachment {
                view: &scratch.depth,
                depth_ops: Some(wgpu::Operations {
                    load: wgpu::LoadOp::Clear(1.0),
                    store: wgpu::StoreOp::Discard,
                }),
                stencil_ops: None,
            }),
            ..Default::default()
        });
        for item in &prepared {
            pass.set_bind_group(0, &item.bindings, &[]);
            pass.set_vertex_buffer(0, item.mesh.vertices.slice(..));
            pass.set_vertex_buffer(1, item.sulcal.slice(..));
            pass.set_vertex_buffer(2, item.map.slice(..));
            pass.set_index_buffer(item.mesh.indices.slice(..), wgpu::IndexFormat::Uint32);
            if !item.solid {
                // Its own front first, so that only that is blended and not every fold behind it.
                pass.set_pipeline(&pipelines.depth);
                pass.draw_indexed(0..item.mesh.n_indices, 0, 0..1);
            }
            pass.set_pipeline(&pipelines.colour);
            pass.draw_indexed(0..item.mesh.n_indices, 0, 0..1);
            if let Some((corners, n_corners)) = &item.borders {
                pass.set_pipeline(&pipelines.border);
                pass.set_vertex_buffer(0, corners.slice(..));
                pass.draw(0..*n_corners, 0..1);
            }
        }
        Ok(())
    }

    pub(super) fn evict(&mut self, now: u64) {
        self.meshes.evict(now);
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
                let zeros = vec![0; n_vertices as usize * size_of::<[f32; 2]>()];
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
        now: u64,
    ) -> Result<Option<(wgpu::Buffer, u32)>, RenderError> {
        let Some((labels, colours)) = &layer.outlines else {
            return Ok(None);
        };
        let hash = |value: &dyn Fn(&mut DefaultHasher)| {
            let mut hasher = DefaultHasher::new();
            value(&mut hasher);
            hasher.finish()
        };
        // The lines depend on three things; folded into one key, they live and die like any other value.
        let key = Key {
            id: hash(&|h| (layer.mesh.key.id, labels.key.id).hash(h)),
            revision: hash(&|h| (layer.mesh.key, labels.key, colours).hash(h)),
        };
        let (buffer, n_corners) = self.borders.get(key, now, || {
            let vertices = &layer.mesh.vertices;
            let corners: Vec<BorderCorner> =
                border_triangles(&layer.mesh.triangles, &labels.values, colours)
                    .iter()
                    .flat_map(|triangle| {
                        [0, 1, 2].map(|corner| BorderCorner {
                            position: vertices[triangle.vertices[corner] as usize].to_array(),
                            corner: corner as u32,
                            labels: triangle.labels,
                            colours: triangle.colours,
                        })
                    })
                    .collect();
            let buffer = gpu.buffer(
                "region borders",
                bytemuck::cast_slice(&corners),
                wgpu::BufferUsages::VERTEX,
            )?;
            Ok((buffer, corners.len() as u32))
        })?;
        Ok((n_corners > 0).then_some((buffer, n_corners)))
    }

    fn bind(
        &self,
        gpu: &Gpu,
        colormaps: &wgpu::TextureView,
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
            ],
        }))
    }
}

fn upload(
    gpu: &Gpu,
    vertices: &[glam::Vec3],
    triangles: &[[u32; 3]],
) -> Result<MeshBuffers, RenderError> {
    let interleaved: Vec<[[f32; 3]; 2]> = vertices
        .iter()
        .zip(normals(vertices, triangles))
        .map(|(vertex, normal)| [vertex.to_array(), normal.to_array()])
        .collect();
    // Read as vertices and indices by the picture and as storage by the pick.
    let storage = wgpu::BufferUsages::STORAGE;
    Ok(MeshBuffers {
        vertices: gpu.buffer(
            "mesh",
            bytemuck::cast_slice(&interleaved),
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
