//! What `fusiform info` says of files of every kind.

use fusiform_pipelines::io::inspect::inspect;

use super::{fixture, refusal};

#[test]
fn every_kind_of_file_is_described() {
    let cases: [(&str, &str, &[usize]); 12] = [
        (
            "freesurfer/lh.oblique",
            "FreeSurfer surface, left hemisphere",
            &[8, 12],
        ),
        ("freesurfer/lh.sulc", "FreeSurfer map", &[8]),
        ("freesurfer/series.mgz", "MGH series", &[]),
        ("freesurfer/f32.mgz", "MGH volume", &[]),
        ("cifti/two.dscalar.nii", "CIFTI-2 maps", &[2, 8]),
        ("cifti/areas.dlabel.nii", "CIFTI-2 labels", &[1, 8]),
        ("mat/packed.mat", "MATLAB file, 12 arrays", &[]),
        ("mat/v73.mat", "MATLAB 7.3 file, 3 arrays", &[]),
        ("mat/latest.h5", "HDF5 file, 1 array", &[4, 3]),
        ("arrays.npz", "NumPy file", &[]),
        ("areas.label.gii", "GIFTI labels", &[]),
        ("int16_le.nii", "NIfTI-1 volume", &[3, 2, 2]),
    ];
    for (file, kind, shape) in cases {
        let info = inspect(&fixture(file)).unwrap_or_else(|e| panic!("{e}"));
        assert!(info.kind.starts_with(kind), "{file}: {}", info.kind);
        assert!(
            shape.is_empty() || info.shape == shape,
            "{file}: {:?}",
            info.shape
        );
        assert!(info.to_text().contains(kind));
    }
    let arrays = inspect(&fixture("mat/packed.mat"))
        .unwrap()
        .description
        .unwrap();
    assert!(
        arrays.contains("betas (4 × 3 double)") && arrays.contains("design.order (1 × 3 uint16)")
    );
    let cifti = inspect(&fixture("cifti/two.dscalar.nii"))
        .unwrap()
        .description
        .unwrap();
    assert!(cifti.contains("CORTEX_LEFT, CORTEX_RIGHT"), "{cifti}");
}

#[test]
fn what_is_of_no_kind_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("notes.xyz");
    std::fs::write(&path, "hello").unwrap();
    let message = refusal(&path, inspect(&path));
    assert!(message.contains("no kind"), "{message}");
}
