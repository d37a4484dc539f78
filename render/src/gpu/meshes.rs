//! What meshes need on the device: vertices, triangles, shapes, values and region borders, uploaded once a key.

use std::borrow::Cow;
use std::sync::Arc;

use super::cache::folded;
use super::pipelines::BorderCorner;
use super::{Cache, Gpu, RenderError};
use crate::check;
use crate::mesh::{border_triangles, normals, unit_sphere};
use crate::scene::{MeshLayer, Places, VertexData};
use crate::surface::{overlay_values, sulcal_values};

/// A mesh on the device.
#[derive(Clone, Debug)]
pub(super) struct MeshBuffers {
    /// Position and normal, six numbers a vertex.
    pub(super) vertices: wgpu::Buffer,
    pub(super) indices: wgpu::Buffer,
    pub(super) n_indices: u32,
    pub(super) n_vertices: u64,
}

pub(super) type Triangles = Arc<[[u32; 3]]>;

#[derive(Debug)]
pub(super) struct Meshes {
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
    sphere: Option<MeshBuffers>,
    /// Zeros for a mesh without a sulcal map or overlay, and for how many vertices they suffice.
    blank: Option<(wgpu::Buffer, u64)>,
}

impl Meshes {
    pub(super) fn new() -> Self {
        Self {
            meshes: Cache::new(),
            coarse: Cache::new(),
            shapes: Cache::new(),
            places: Cache::new(),
            sulcal: Cache::new(),
            maps: Cache::new(),
            borders: Cache::new(),
            sphere: None,
            blank: None,
        }
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

    pub(super) fn place(
        &mut self,
        gpu: &Gpu,
        places: &Places,
        now: u64,
    ) -> Result<wgpu::Buffer, RenderError> {
        self.places.get(places.key, now, || {
            gpu.buffer(
                "ends",
                bytemuck::cast_slice(&places.vertices),
                wgpu::BufferUsages::VERTEX,
            )
        })
    }

    pub(super) fn sulcal(
        &mut self,
        gpu: &Gpu,
        data: &VertexData,
        now: u64,
    ) -> Result<wgpu::Buffer, RenderError> {
        values(&mut self.sulcal, gpu, data, now, |data| {
            bytemuck::cast_slice(&sulcal_values(data)).to_vec()
        })
    }

    pub(super) fn map(
        &mut self,
        gpu: &Gpu,
        data: &VertexData,
        now: u64,
    ) -> Result<wgpu::Buffer, RenderError> {
        values(&mut self.maps, gpu, data, now, |data| {
            bytemuck::cast_slice(&overlay_values(data)).to_vec()
        })
    }

    pub(super) fn evict(&mut self, now: u64) {
        self.meshes.evict(now);
        self.coarse.evict(now);
        self.shapes.evict(now);
        self.places.evict(now);
        self.sulcal.evict(now);
        self.maps.evict(now);
        self.borders.evict(now);
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
    pub(super) fn drawn(
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

    pub(super) fn sphere(&mut self, gpu: &Gpu) -> Result<MeshBuffers, RenderError> {
        if let Some(mesh) = &self.sphere {
            return Ok(mesh.clone());
        }
        let (vertices, triangles) = unit_sphere();
        let mesh = upload(gpu, &vertices, &triangles)?;
        Ok(self.sphere.insert(mesh).clone())
    }

    pub(super) fn blank(
        &mut self,
        gpu: &Gpu,
        n_vertices: u64,
    ) -> Result<wgpu::Buffer, RenderError> {
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

    pub(super) fn borders(
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
