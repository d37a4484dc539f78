//! The one test of the whole chain of coordinates: a value stays at its place in the world,
//! however its volume is stored.

use std::collections::BTreeSet;

use fusiform_pipelines::io::nifti;
use fusiform_pipelines::space::Grid;
use fusiform_pipelines::volume::Volume;
use glam::{DAffine3, DMat3, DVec3};

use super::read;

/// The value at a world point. It is linear, so trilinear interpolation must give it exactly.
fn truth(world_mm: DVec3) -> f64 {
    0.5 * world_mm.x - 0.25 * world_mm.y + 2.0 * world_mm.z + 3.0
}

#[test]
fn all_48_orientations_hold_the_same_world() {
    let rotation = DMat3::from_rotation_z(0.11) * DMat3::from_rotation_x(-0.23);
    let sizes = DVec3::new(2.0, 2.5, 3.0);
    let shape = [5, 4, 6];
    let world_from_base = DAffine3 {
        matrix3: rotation * DMat3::from_diagonal(sizes),
        translation: DVec3::new(-7.5, 12.0, 31.0),
    };
    let permutations = [
        [0, 1, 2],
        [0, 2, 1],
        [1, 0, 2],
        [1, 2, 0],
        [2, 0, 1],
        [2, 1, 0],
    ];
    let folder = tempfile::tempdir().unwrap();
    let mut letters = BTreeSet::new();
    for permutation in permutations {
        for flips in 0..8usize {
            // Axis n of the stored volume runs along axis permutation[n] of the base, from its
            // end when flipped.
            let mut matrix = [[0.0; 3]; 3];
            let mut start = [0.0; 3];
            for (n, &base) in permutation.iter().enumerate() {
                let flipped = flips >> n & 1 == 1;
                matrix[n][base] = if flipped { -1.0 } else { 1.0 };
                if flipped {
                    start[base] = shape[base] as f64 - 1.0;
                }
            }
            let base_from_stored = DAffine3 {
                matrix3: DMat3::from_cols_array_2d(&matrix),
                translation: DVec3::from_array(start),
            };
            let grid = Grid {
                shape: permutation.map(|base| shape[base]),
                world_from_voxel: world_from_base * base_from_stored,
            };
            let data = (0..grid.n_voxels())
                .map(|v| truth(grid.world(grid.ijk(v))) as f32)
                .collect();
            let volume = Volume {
                grid,
                data,
                assumptions: vec![],
            };

            let path = folder.path().join("turned.nii.gz");
            nifti::write_volume(&path, &volume).unwrap();
            check(&read(&path, nifti::read_volume), world_from_base, shape);
            letters.insert(read(&path, nifti::read_volume).grid.orientation());

            // Once more with the qform alone.
            let path = folder.path().join("turned.nii");
            nifti::write_volume(&path, &volume).unwrap();
            let mut bytes = std::fs::read(&path).unwrap();
            bytes[254..256].fill(0);
            std::fs::write(&path, bytes).unwrap();
            let header = nifti::read_header(&path).unwrap();
            assert!(header.sform.is_none() && header.qform.is_some());
            check(&read(&path, nifti::read_volume), world_from_base, shape);
        }
    }
    assert_eq!(
        letters.len(),
        48,
        "each orientation has its own three letters"
    );
}

fn check(volume: &Volume, world_from_base: DAffine3, shape: [usize; 3]) {
    // At the centre of a voxel, between voxels, and outside.
    for ijk in [[0, 0, 0], [4, 3, 5], [1, 2, 3], [3, 0, 4]] {
        let centre = world_from_base.transform_point3(DVec3::from_array(ijk.map(f64::from)));
        // A little off the centre, the nearest voxel is still this one.
        let near = volume
            .at_world(centre + DVec3::new(0.3, -0.2, 0.4))
            .unwrap();
        assert!((f64::from(near) - truth(centre)).abs() < 1e-3);
    }
    let last = DVec3::from_array(shape.map(|n| n as f64 - 1.0));
    for part in [
        DVec3::splat(0.5),
        DVec3::new(0.1, 0.7, 0.33),
        DVec3::new(0.99, 0.01, 0.62),
    ] {
        let world = world_from_base.transform_point3(part * last);
        let value = f64::from(volume.trilinear(world).unwrap());
        assert!(
            (value - truth(world)).abs() < 1e-3,
            "{value} and {}",
            truth(world)
        );
    }
    let outside = world_from_base.transform_point3(last + 0.6);
    assert!(volume.at_world(outside).is_none() && volume.trilinear(outside).is_none());
}
