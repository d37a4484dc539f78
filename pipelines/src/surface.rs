//! Cortical surfaces: one topology a hemisphere, several shapes.

use std::sync::Arc;

use glam::Vec3;

use crate::volume::Region;

/// Which half of the brain.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize,
)]
pub enum Hemisphere {
    /// The subject's left.
    Left,
    /// The subject's right.
    Right,
}

impl Hemisphere {
    /// The sign of its x: −1 on the left, 1 on the right.
    pub fn side(self) -> f32 {
        match self {
            Self::Left => -1.0,
            Self::Right => 1.0,
        }
    }
}

/// How the sheet is laid out in space.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize,
)]
pub enum Shape {
    /// The border of white and grey matter.
    White,
    /// Half way between white and pial.
    Midthickness,
    /// The outer border of grey matter.
    Pial,
    /// Sulci blown out.
    Inflated,
    /// A sphere.
    Sphere,
    /// Cut and laid flat.
    Flat,
}

/// A triangle mesh in world millimetres.
#[derive(Clone, Debug)]
pub struct Surface {
    /// Vertex positions, world mm (RAS+).
    pub vertices: Arc<[Vec3]>,
    /// Triangles by vertex number, counter-clockwise seen from outside.
    pub triangles: Arc<[[u32; 3]]>,
    /// Left or right, when known.
    pub hemisphere: Option<Hemisphere>,
    /// What was assumed while reading, in sentences for the user.
    pub assumptions: Vec<String>,
}

/// One number a vertex (curvature, thickness, a statistic). NaN is "no value".
#[derive(Clone, Debug)]
pub struct VertexMap {
    /// Its name.
    pub name: String,
    /// The values in vertex order.
    pub values: Arc<[f32]>,
}

/// One region key a vertex, with names.
#[derive(Clone, Debug)]
pub struct VertexLabels {
    /// The region key of every vertex.
    pub keys: Arc<[i32]>,
    /// The regions.
    pub regions: Vec<Region>,
}
