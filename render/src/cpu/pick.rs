//! Picking by rays.

use glam::{DVec3, DVec4, Vec2};
use rayon::prelude::*;

use crate::camera::Camera;
use crate::check;
use crate::gpu::RenderError;
use crate::scene::{Pick, SurfaceView};
use crate::solid::Caster;
use crate::surface::draw_order;

/// From the near to the far plane, world mm.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ray {
    start: DVec3,
    /// To the far plane, not of unit length.
    along: DVec3,
}

impl Ray {
    /// Through the middle of a pixel.
    pub(crate) fn through(camera: &Camera, size: [u32; 2], pixel: [u32; 2]) -> Self {
        let [width, height] = size.map(f64::from);
        let x = (f64::from(pixel[0]) + 0.5) / width * 2.0 - 1.0;
        let y = 1.0 - (f64::from(pixel[1]) + 0.5) / height * 2.0;
        let world_from_clip = camera
            .clip_from_world((width / height) as f32)
            .as_dmat4()
            .inverse();
        let at = |depth: f64| {
            let p = world_from_clip * DVec4::new(x, y, depth, 1.0);
            p.truncate() / p.w
        };
        Self {
            start: at(0.0),
            along: at(1.0) - at(0.0),
        }
    }

    /// How far along the ray a triangle is hit, 0 to 1 (Möller & Trumbore 1997), from either side.
    fn hit(&self, [a, b, c]: [DVec3; 3]) -> Option<f64> {
        let (ab, ac) = (b - a, c - a);
        let p = self.along.cross(ac);
        let determinant = ab.dot(p);
        if determinant == 0.0 {
            return None;
        }
        let from = self.start - a;
        let u = from.dot(p) / determinant;
        let q = from.cross(ab);
        let v = self.along.dot(q) / determinant;
        let t = ac.dot(q) / determinant;
        (u >= 0.0 && v >= 0.0 && u + v <= 1.0 && (0.0..=1.0).contains(&t)).then_some(t)
    }

    /// Where the ray meets the plane of a triangle, or the middle of a triangle seen edge-on.
    fn meets_plane(&self, [a, b, c]: [DVec3; 3]) -> DVec3 {
        let normal = (b - a).cross(c - a);
        let slope = self.along.dot(normal);
        if slope == 0.0 {
            (a + b + c) / 3.0
        } else {
            self.start + self.along * ((a - self.start).dot(normal) / slope)
        }
    }
}

/// The visible meshes: opaque ones, and see-through ones.
pub(crate) fn by_opacity(view: &SurfaceView) -> (Vec<usize>, Vec<usize>) {
    draw_order(view)
        .into_iter()
        .partition(|&i| view.meshes[i].opacity >= 1.0)
}

/// What is under the middle of a pixel.
pub(super) fn pick(
    view: &SurfaceView,
    size: [u32; 2],
    pixel: [u32; 2],
) -> Result<Option<Pick>, RenderError> {
    let (opaque, clear) = by_opacity(view);
    let ray = Ray::through(&view.camera, size, pixel);
    let hit = nearest(view, &opaque, &ray)?;
    if let Some(pick) = with_solids(view, size, pixel, hit) {
        return Ok(Some(pick));
    }
    Ok(nearest(view, &clear, &ray)?
        .and_then(|(mesh, triangle)| pick_of(view, &ray, mesh, triangle)))
}

/// The nearer of a triangle (which mesh, which of its triangles) and of what the ray meets in volumes before it.
pub(crate) fn with_solids(
    view: &SurfaceView,
    size: [u32; 2],
    pixel: [u32; 2],
    hit: Option<(usize, usize)>,
) -> Option<Pick> {
    let ray = Ray::through(&view.camera, size, pixel);
    let on_mesh = hit.and_then(|(mesh, triangle)| pick_of(view, &ray, mesh, triangle));
    let depth = match on_mesh {
        Some(Pick::Vertex { mesh, point_mm, .. }) => {
            let world_mm = point_mm + view.meshes[mesh].offset_mm;
            let aspect = size[0] as f32 / size[1] as f32;
            view.camera
                .clip_from_world(aspect)
                .project_point3(world_mm)
                .z
        }
        _ => 1.0,
    };
    let ndc = Vec2::new(
        (pixel[0] as f32 + 0.5) / size[0] as f32 * 2.0 - 1.0,
        1.0 - (pixel[1] as f32 + 0.5) / size[1] as f32 * 2.0,
    );
    let in_solids = view
        .solids
        .iter()
        .enumerate()
        .filter_map(|(n, solid)| Some((n, Caster::new(view, solid, size).met(ndc, depth)?)))
        .min_by(|a, b| a.1.distance_mm.total_cmp(&b.1.distance_mm));
    match in_solids {
        Some((solid, met)) => Some(Pick::Voxel {
            solid,
            voxel: met.voxel,
            point_mm: met.point_mm,
        }),
        None => on_mesh,
    }
}

/// The nearest triangle of some meshes: which mesh and which of its triangles.
fn nearest(
    view: &SurfaceView,
    meshes: &[usize],
    ray: &Ray,
) -> Result<Option<(usize, usize)>, RenderError> {
    let mut best: Option<(f64, usize, usize)> = None;
    for &mesh in meshes {
        let layer = &view.meshes[mesh];
        check::triangles(layer)?;
        let hit = (0..layer.mesh.triangles.len())
            .into_par_iter()
            .filter_map(|triangle| Some((ray.hit(corners(view, mesh, triangle)?)?, triangle)))
            .min_by(|a, b| a.0.total_cmp(&b.0));
        if let Some((t, triangle)) = hit
            && best.is_none_or(|(nearest, ..)| t < nearest)
        {
            best = Some((t, mesh, triangle));
        }
    }
    Ok(best.map(|(_, mesh, triangle)| (mesh, triangle)))
}

/// What a ray picks on a triangle it is known to hit.
pub(crate) fn pick_of(view: &SurfaceView, ray: &Ray, mesh: usize, triangle: usize) -> Option<Pick> {
    let corners = corners(view, mesh, triangle)?;
    let layer = &view.meshes[mesh];
    let point = ray.meets_plane(corners);
    let nearest = (0..3).min_by(|&a, &b| {
        point
            .distance_squared(corners[a])
            .total_cmp(&point.distance_squared(corners[b]))
    })?;
    Some(Pick::Vertex {
        mesh,
        vertex: layer.mesh.triangles[triangle][nearest],
        point_mm: (point - layer.offset_mm.as_dvec3()).as_vec3(),
    })
}

/// A triangle's corners in the world.
fn corners(view: &SurfaceView, mesh: usize, triangle: usize) -> Option<[DVec3; 3]> {
    let layer = view.meshes.get(mesh)?;
    let vertices = layer.mesh.triangles.get(triangle)?;
    let corner = |v: u32| {
        layer
            .vertex_mm(v as usize)
            .map(|p| (p + layer.offset_mm).as_dvec3())
    };
    Some([
        corner(vertices[0])?,
        corner(vertices[1])?,
        corner(vertices[2])?,
    ])
}
