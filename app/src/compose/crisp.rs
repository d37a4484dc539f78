//! Classes on a mesh end half way between vertices. Colours of other classes would lie between two whose numbers are
//! apart, were the numbers mixed as those of a measure are.

use std::collections::BTreeMap;
use std::sync::Arc;

use fusiform_render::scene::{Key, MeshData, MeshLayer, Places, VertexData};
use glam::Vec3;

/// Marks the keys of meshes that were cut: the program counts its keys from 1, and never as far.
const CUT: u64 = 1 << 62;

/// The mesh with every triangle between classes cut into the parts that are nearest to its corners; nothing where no
/// colours of classes lie on it. Its borders of regions are left out, for its vertices are no longer those of the regions.
pub fn crisp(layer: &MeshLayer) -> Option<MeshLayer> {
    let (values, look) = layer.overlay.as_ref()?;
    if look.colormap.n_classes().is_none() || layer.sampled.is_some() {
        return None;
    }
    let cut = Cut::of(&layer.mesh, &values.values);
    let places =
        |all: &[Vec3]| -> Arc<[Vec3]> { cut.mixed(all, |parts| parts.sum::<Vec3>()).into() };
    let numbers = |all: &[f32]| -> Arc<[f32]> { cut.mixed(all, |parts| parts.sum::<f32>()).into() };
    let toward = layer.toward.as_ref().map(|(to, share)| {
        let to = Places {
            key: cut_key(to.key),
            vertices: places(&to.vertices),
        };
        (to, *share)
    });
    Some(MeshLayer {
        mesh: MeshData {
            key: cut_key(layer.mesh.key),
            vertices: places(&layer.mesh.vertices),
            triangles: cut.triangles.clone().into(),
        },
        toward,
        sulcal: layer.sulcal.as_ref().map(|shade| VertexData {
            key: cut_key(shade.key),
            values: numbers(&shade.values),
        }),
        overlay: Some((
            VertexData {
                key: cut_key(values.key),
                values: cut.classes.clone().into(),
            },
            look.clone(),
        )),
        outlines: Vec::new(),
        ..layer.clone()
    })
}

fn cut_key(key: Key) -> Key {
    Key {
        id: key.id | CUT,
        ..key
    }
}

/// New vertices beside the old ones, and triangles of one class each.
struct Cut {
    /// The old vertices that each new one is the middle of.
    middles: Vec<Vec<u32>>,
    /// Of all vertices.
    classes: Vec<f32>,
    triangles: Vec<[u32; 3]>,
}

impl Cut {
    fn of(mesh: &MeshData, values: &[f32]) -> Self {
        let mut cut = Self {
            middles: Vec::new(),
            classes: values.to_vec(),
            triangles: Vec::new(),
        };
        let class = |v: u32| values.get(v as usize).copied().unwrap_or(f32::NAN);
        // The middle of an edge as a vertex of the class of its one end, which two triangles share.
        let mut halves: BTreeMap<(u32, u32), u32> = BTreeMap::new();
        for &triangle in mesh.triangles.iter() {
            let [a, b, c] = triangle.map(|v| class(v).to_bits());
            if a == b && b == c {
                cut.triangles.push(triangle);
                continue;
            }
            for corner in 0..3 {
                let own = triangle[corner];
                let [next, last] = [1, 2].map(|step| triangle[(corner + step) % 3]);
                let [to_next, to_last] = [next, last].map(|other| {
                    *halves
                        .entry((own, other))
                        .or_insert_with(|| cut.put(vec![own, other], class(own)))
                });
                let heart = cut.put(triangle.to_vec(), class(own));
                cut.triangles.push([own, to_next, heart]);
                cut.triangles.push([own, heart, to_last]);
            }
        }
        cut
    }

    fn put(&mut self, middle_of: Vec<u32>, class: f32) -> u32 {
        self.middles.push(middle_of);
        self.classes.push(class);
        (self.classes.len() - 1) as u32
    }

    /// The values of all vertices, those of new ones the means of the old.
    fn mixed<T: Copy + Default + std::ops::Div<f32, Output = T>>(
        &self,
        old: &[T],
        sum: impl Fn(&mut dyn Iterator<Item = T>) -> T,
    ) -> Vec<T> {
        let mean = |of: &Vec<u32>| {
            let value = |&v: &u32| old.get(v as usize).copied().unwrap_or_default();
            sum(&mut of.iter().map(value)) / of.len().max(1) as f32
        };
        old.iter()
            .copied()
            .chain(self.middles.iter().map(mean))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use fusiform_render::colormap::Colormap;
    use fusiform_render::scene::Look;

    use super::*;

    fn square(colormap: Colormap) -> MeshLayer {
        let key = |id| Key { id, revision: 0 };
        let vertices = [Vec3::ZERO, Vec3::X, Vec3::X + Vec3::Y, Vec3::Y];
        let look = Look {
            colormap,
            range: (0.5, 8.5),
            threshold: 0.5,
            soft: false,
            two_sided: false,
            opacity: 1.0,
        };
        let values = VertexData {
            key: key(2),
            values: [1.0, 1.0, 7.0, 1.0].into(),
        };
        MeshLayer {
            mesh: MeshData {
                key: key(1),
                vertices: vertices.into(),
                triangles: [[0, 1, 3], [1, 2, 3]].into(),
            },
            toward: None,
            offset_mm: Vec3::ZERO,
            sulcal: None,
            overlay: Some((values, look)),
            sampled: None,
            outlines: Vec::new(),
            opacity: 1.0,
            relief: 1.0,
            coarse: false,
        }
    }

    #[test]
    fn every_triangle_is_of_one_class_and_covers_what_it_did() {
        assert!(crisp(&square(Colormap::Viridis)).is_none());
        let cut = crisp(&square(Colormap::Classes)).expect("cut");
        let (values, _) = cut.overlay.as_ref().expect("an overlay");
        assert_eq!(values.values.len(), cut.mesh.vertices.len());
        let mut areas = BTreeMap::new();
        for triangle in cut.mesh.triangles.iter() {
            let [a, b, c] = triangle.map(|v| cut.mesh.vertices[v as usize]);
            let classes = triangle.map(|v| values.values[v as usize]);
            assert!(
                classes.iter().all(|class| *class == classes[0]),
                "{classes:?}"
            );
            // None is turned over.
            let area = (b - a).cross(c - a).z / 2.0;
            assert!(area > 0.0);
            *areas.entry(classes[0] as i32).or_insert(0.0) += area;
        }
        // Each corner has a third of its triangle.
        assert!((areas[&7] - 1.0 / 6.0).abs() < 1e-6, "{areas:?}");
        assert!((areas[&1] - 5.0 / 6.0).abs() < 1e-6, "{areas:?}");
    }
}
