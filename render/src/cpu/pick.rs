//! Picking by rays.

use glam::{DVec3, DVec4};
use rayon::prelude::*;

use crate::camera::Camera;
use crate::check;
use crate::gpu::RenderError;
use crate::scene::{Pick, SurfaceView};
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

/// The nearest hit of all visible meshes.
pub(super) fn nearest(
    view: &SurfaceView,
    size: [u32; 2],
    pixel: [u32; 2],
) -> Result<Option<Pick>, RenderError> {
    let ray = Ray::through(&view.camera, size, pixel);
    let mut best: Option<(f64, usize, usize)> = None;
    for mesh in draw_order(view) {
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
    Ok(best.and_then(|(_, mesh, triangle)| pick_of(view, &ray, mesh, triangle)))
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
    Some(Pick {
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
            .mesh
            .vertices
            .get(v as usize)
            .map(|p| (*p + layer.offset_mm).as_dvec3())
    };
    Some([
        corner(vertices[0])?,
        corner(vertices[1])?,
        corner(vertices[2])?,
    ])
}
