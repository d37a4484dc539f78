//! Surfaces inside and beside their volumes.

use fusiform_pipelines::placement::{Space, assumed_line, surface_fits};
use fusiform_pipelines::space::Grid;
use fusiform_pipelines::surface::Surface;
use glam::{DAffine3, DVec3, Vec3};

/// 10 × 20 × 30 voxels of 2 mm; voxel edges from (−1, −1, −1) to (19, 39, 59) mm.
fn grid() -> Grid {
    Grid {
        shape: [10, 20, 30],
        world_from_voxel: DAffine3::from_scale(DVec3::splat(2.0)),
    }
}

fn surface(vertices: &[[f32; 3]]) -> Surface {
    Surface {
        vertices: vertices.iter().map(|v| Vec3::from_array(*v)).collect(),
        triangles: [].into(),
        hemisphere: None,
        assumptions: Vec::new(),
    }
}

#[test]
fn vertices_are_counted_to_the_edges_of_the_outermost_voxels() {
    let fit = surface_fits(
        &surface(&[
            [-0.9, 0.0, 0.0],
            [18.9, 38.9, 58.9],
            [-1.1, 0.0, 0.0],
            [0.0, 39.1, 0.0],
        ]),
        &grid(),
    );
    assert!((fit.inside_fraction - 0.5).abs() < 1e-12);
    // The box of the vertices is centred on (8.9, 19.55, 29.45), the volume on (9, 19, 29).
    let expected = (0.1f64 * 0.1 + 0.55 * 0.55 + 0.45 * 0.45).sqrt();
    assert!((fit.centre_distance_mm - expected).abs() < 1e-5);
    assert!(!fit.misses() && fit.warning("lh.pial", "t1").is_none());
}

#[test]
fn a_surface_beside_its_volume_is_said_in_one_sentence() {
    let fit = surface_fits(
        &surface(&[[109.0, 19.0, 29.0], [9.0, 19.0, 29.0], [209.0, 19.0, 29.0]]),
        &grid(),
    );
    assert!((fit.inside_fraction - 1.0 / 3.0).abs() < 1e-12);
    assert!((fit.centre_distance_mm - 100.0).abs() < 1e-9);
    let text = fit.warning("lh.pial", "t1.nii").unwrap();
    for part in ["lh.pial", "t1.nii", "33 %", "100 mm"] {
        assert!(text.contains(part), "{text}");
    }
    assert_eq!(surface_fits(&surface(&[]), &grid()).centre_distance_mm, 0.0);
}

#[test]
fn spaces_go_by_the_codes_of_the_standard() {
    let spaces = [0, 1, 2, 3, 4, 5, 9].map(Space::of_nifti_code);
    use Space::{Aligned, Mni152, Scanner, Talairach, Template, Unknown};
    assert_eq!(
        spaces,
        [
            Unknown, Scanner, Aligned, Talairach, Mni152, Template, Unknown
        ]
    );
    assert_eq!(Space::Mni152.to_string(), "MNI152");
}

#[test]
fn the_status_line_names_the_first_assumption() {
    let all: Vec<String> = ["units unknown", "sform used", "no TR"]
        .map(str::to_owned)
        .into();
    assert_eq!(assumed_line(&[]), "");
    assert_eq!(assumed_line(&all[..1]), "assumed: units unknown");
    assert_eq!(assumed_line(&all), "assumed: units unknown (and 2 more)");
}
