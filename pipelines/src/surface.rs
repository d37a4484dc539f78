//! Cortical surfaces: one topology a hemisphere, several shapes.

use std::sync::Arc;

use glam::Vec3;
use rayon::prelude::*;

use crate::volume::{Region, Volume};
use crate::{Error, Result};

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

/// A volume sampled on the cortical sheet: per vertex the mean of trilinear samples at `n_depths`
/// points from white to pial (ends included; 1 takes the middle). NaN where every sample is outside.
///
/// An error when the two surfaces do not share their vertices.
pub fn project(
    volume: &Volume,
    white: &Surface,
    pial: &Surface,
    n_depths: usize,
) -> Result<VertexMap> {
    if white.vertices.len() != pial.vertices.len() {
        return Err(Error::data(format!(
            "the white surface has {} vertices and the pial surface {}: they must come from the same subject and mesh",
            white.vertices.len(),
            pial.vertices.len()
        )));
    }
    let depths: Vec<f64> = match n_depths {
        0 | 1 => vec![0.5],
        n => (0..n).map(|i| i as f64 / (n - 1) as f64).collect(),
    };
    let values = white
        .vertices
        .par_iter()
        .zip(pial.vertices.par_iter())
        .map(|(inner, outer)| {
            let (mut sum, mut n) = (0.0f64, 0);
            for &depth in &depths {
                let point = inner.as_dvec3().lerp(outer.as_dvec3(), depth);
                if let Some(value) = volume.trilinear(point).filter(|v| v.is_finite()) {
                    sum += f64::from(value);
                    n += 1;
                }
            }
            if n == 0 {
                f32::NAN
            } else {
                (sum / f64::from(n)) as f32
            }
        })
        .collect::<Vec<f32>>();
    Ok(VertexMap {
        name: String::new(),
        values: values.into(),
    })
}
