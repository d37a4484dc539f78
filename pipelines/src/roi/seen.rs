//! Meshes as they lie on a picture: which vertices are seen, which lie within a line drawn by hand, and what is under
//! the pointer. Exact: every triangle over a point is looked at, found through cells of the picture.

use glam::{DVec2, Vec2, Vec3};

use super::lasso::holds;

/// Pixels a side of a cell.
const CELL: f32 = 8.0;
/// Cells a side, at most.
const MOST_CELLS: usize = 512;
/// A triangle hides a vertex when it is nearer by this much (in units of depth).
const NEARER: f32 = 1e-4;

/// Meshes projected on a picture.
#[derive(Clone, Debug)]
pub struct Seen {
    /// Pixels from the left and from the top, and the depth: smaller is nearer.
    points: Vec<Vec3>,
    triangles: Vec<[u32; 3]>,
    cells: [usize; 2],
    cell_px: f32,
    /// Where each cell's triangles begin.
    starts: Vec<u32>,
    members: Vec<u32>,
}

impl Seen {
    /// Points of a picture of `size` pixels and triangles of them. Triangles that name a missing point, or one that is
    /// not finite, are passed over.
    pub fn new(points: Vec<Vec3>, triangles: Vec<[u32; 3]>, size: [f32; 2]) -> Self {
        let most = size[0].max(size[1]) / MOST_CELLS as f32;
        let cell_px = CELL.max(most);
        let cells = size.map(|side| (side / cell_px).ceil().max(1.0) as usize);
        let mut seen = Self {
            points,
            triangles,
            cells,
            cell_px,
            starts: vec![0; cells[0] * cells[1] + 1],
            members: Vec::new(),
        };
        // Counted, summed, then filled: two passes instead of a list a cell.
        for t in 0..seen.triangles.len() {
            for cell in seen.covered(t) {
                seen.starts[cell + 1] += 1;
            }
        }
        for cell in 1..seen.starts.len() {
            seen.starts[cell] += seen.starts[cell - 1];
        }
        let mut next: Vec<u32> = seen.starts.clone();
        seen.members = vec![0; seen.starts.last().map_or(0, |&n| n as usize)];
        for t in 0..seen.triangles.len() {
            for cell in seen.covered(t) {
                seen.members[next[cell] as usize] = t as u32;
                next[cell] += 1;
            }
        }
        seen
    }

    /// A point: pixels from the left and from the top, depth.
    pub fn point(&self, vertex: usize) -> Option<Vec3> {
        self.points.get(vertex).copied()
    }

    fn corners(&self, triangle: usize) -> Option<[Vec3; 3]> {
        let [a, b, c] = *self.triangles.get(triangle)?;
        let corners = [
            self.point(a as usize)?,
            self.point(b as usize)?,
            self.point(c as usize)?,
        ];
        corners.iter().all(|p| p.is_finite()).then_some(corners)
    }

    /// The cells that a triangle's box touches.
    fn covered(&self, triangle: usize) -> impl Iterator<Item = usize> + use<> {
        let [columns, rows] = self.cells;
        let (mut low, mut high) = (Vec2::INFINITY, Vec2::NEG_INFINITY);
        if let Some(corners) = self.corners(triangle) {
            for corner in corners {
                low = low.min(corner.truncate());
                high = high.max(corner.truncate());
            }
        }
        let range = |low: f32, high: f32, n: usize| {
            let first = (low / self.cell_px).floor().clamp(0.0, n as f32) as usize;
            let end = ((high / self.cell_px).floor() + 1.0).clamp(0.0, n as f32) as usize;
            first..end.max(first)
        };
        let (across, down) = (range(low.x, high.x, columns), range(low.y, high.y, rows));
        down.flat_map(move |row| across.clone().map(move |column| row * columns + column))
    }

    /// The triangles over a point of the picture with the depth there, and the share of each corner.
    fn over(&self, at: Vec2) -> impl Iterator<Item = (usize, f32, Vec3)> + '_ {
        let [columns, rows] = self.cells;
        let cell = (at / self.cell_px).floor();
        let within =
            cell.x >= 0.0 && cell.y >= 0.0 && cell.x < columns as f32 && cell.y < rows as f32;
        let cell = if within {
            cell.y as usize * columns + cell.x as usize
        } else {
            usize::MAX - 1
        };
        let range = match (self.starts.get(cell), self.starts.get(cell + 1)) {
            (Some(&from), Some(&to)) => from as usize..to as usize,
            _ => 0..0,
        };
        self.members[range].iter().filter_map(move |&t| {
            let [a, b, c] = self.corners(t as usize)?;
            let [pa, pb, pc] = [a, b, c].map(|p| p.truncate() - at);
            let shares = Vec3::new(pb.perp_dot(pc), pc.perp_dot(pa), pa.perp_dot(pb));
            let area = shares.element_sum();
            if area == 0.0 {
                return None;
            }
            let shares = shares / area;
            let depth = shares.dot(Vec3::new(a.z, b.z, c.z));
            (shares.min_element() >= 0.0).then_some((t as usize, depth, shares))
        })
    }

    /// Whether no triangle lies before a vertex. One outside the picture is not seen.
    pub fn sees(&self, vertex: usize) -> bool {
        let Some(point) = self.point(vertex).filter(|p| p.is_finite()) else {
            return false;
        };
        let mut met = false;
        for (triangle, depth, _) in self.over(point.truncate()) {
            let own = self.triangles[triangle].contains(&(vertex as u32));
            met |= own;
            if !own && depth < point.z - NEARER {
                return false;
            }
        }
        met
    }

    /// The vertex nearest to what is seen at a point of the picture: of the nearest triangle the corner with the largest
    /// share.
    pub fn vertex_at(&self, at: Vec2) -> Option<usize> {
        let nearest = self.over(at).min_by(|a, b| a.1.total_cmp(&b.1));
        let (triangle, _, shares) = nearest?;
        let corner = shares.max_position();
        Some(self.triangles[triangle][corner] as usize)
    }

    /// The vertices that are seen within a line drawn on the picture.
    pub fn within(&self, polygon_px: &[Vec2]) -> Vec<u32> {
        if polygon_px.len() < 3 {
            return Vec::new();
        }
        let polygon: Vec<DVec2> = polygon_px.iter().map(Vec2::as_dvec2).collect();
        let inside = |vertex: &usize| {
            let at = self.points[*vertex].truncate().as_dvec2();
            holds(&polygon, at) && self.sees(*vertex)
        };
        let all = 0..self.points.len();
        all.filter(inside).map(|v| v as u32).collect()
    }
}
