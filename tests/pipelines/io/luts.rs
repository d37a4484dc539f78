//! Look-up tables of atlases, each as its program writes it.

use std::path::Path;

use fusiform_pipelines::io::atlas::{colour_of_key, read_regions, table_of};

use super::refusal;

/// Small files in the layout of FreeSurfer's colour tables, ITK-SNAP's label descriptions, FSL's
/// atlases and JSON.
pub(crate) const LOOK_UP_TABLES: [(&str, &str); 6] = [
    (
        "freesurfer.ctab",
        "# No. Label Name:   R G B A\n\n0 Unknown 0 0 0 0\n17  Left-Hippocampus   220 216 20 0\n 1001 ctx-lh-7  25 100 40 0\n",
    ),
    (
        "itk_snap.txt",
        "################\n# ITK-SnAP Label Description File\n    0     0    0    0        0  0  0    \"Clear Label\"\n    5   255   10    0     0.50  1  1    \"Caudate, left\"\n",
    ),
    (
        "fsl_maxprob.xml",
        "<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?>\n<atlas version=\"1.0\"><header><name>Two</name><type>Probabilistic</type><images><imagefile>/Two/two-prob-1mm</imagefile><summaryimagefile>/Two/two-maxprob-thr25-1mm</summaryimagefile></images></header><data><label index=\"0\" x=\"48\" y=\"94\" z=\"35\">Frontal Pole</label><label index=\"1\" x=\"25\" y=\"70\" z=\"32\">Insular Cortex</label></data></atlas>",
    ),
    (
        "fsl_label.xml",
        "<atlas version=\"1.0\"><header><type>Label</type><images><imagefile>/T/talairach.nii.gz</imagefile></images></header><data><label index=\"0\">Unclassified</label><label index=\"3\">Gyrus Rectus</label></data></atlas>",
    ),
    ("pairs.json", "{\"1\": \"V1\", \"12\": \"hV4\"}"),
    (
        "items.json",
        "{\"regions\": [{\"index\": 2, \"name\": \"FFA\", \"color\": \"#ff8000\"}, {\"id\": 3, \"label\": \"PPA\", \"rgb\": [1, 2, 3]}]}",
    ),
];

fn table(name: &str) -> &'static str {
    LOOK_UP_TABLES
        .iter()
        .find(|(file, _)| *file == name)
        .unwrap()
        .1
}

fn read(folder: &Path, name: &str, text: &str) -> Vec<(i32, String, [u8; 3])> {
    let path = folder.join(name);
    std::fs::write(&path, text).unwrap();
    let regions = read_regions(&path).unwrap_or_else(|e| panic!("{e}"));
    regions
        .into_iter()
        .map(|r| (r.key, r.name, r.colour))
        .collect()
}

#[test]
fn each_programs_table_names_its_regions() {
    let folder = tempfile::tempdir().unwrap();
    let names = |name: &str| read(folder.path(), name, table(name));
    let region = |key: i32, name: &str, colour: [u8; 3]| (key, name.to_owned(), colour);
    assert_eq!(
        names("freesurfer.ctab"),
        [
            region(0, "Unknown", [0, 0, 0]),
            region(17, "Left-Hippocampus", [220, 216, 20]),
            region(1001, "ctx-lh-7", [25, 100, 40])
        ]
    );
    assert_eq!(
        names("itk_snap.txt"),
        [
            region(0, "Clear Label", [0, 0, 0]),
            region(5, "Caudate, left", [255, 10, 0])
        ]
    );
    // The most probable of the maps 0 and 1 is written as 1 and 2, for 0 is outside.
    assert_eq!(
        names("fsl_maxprob.xml"),
        [
            region(1, "Frontal Pole", colour_of_key(1)),
            region(2, "Insular Cortex", colour_of_key(2))
        ]
    );
    assert_eq!(
        names("fsl_label.xml"),
        [
            region(0, "Unclassified", colour_of_key(0)),
            region(3, "Gyrus Rectus", colour_of_key(3))
        ]
    );
    assert_eq!(
        names("pairs.json"),
        [
            region(1, "V1", colour_of_key(1)),
            region(12, "hV4", colour_of_key(12))
        ]
    );
    assert_eq!(
        names("items.json"),
        [region(2, "FFA", [255, 128, 0]), region(3, "PPA", [1, 2, 3])]
    );
    let without_colours = read(folder.path(), "two.txt", "1 V1\n2 area 7\n");
    assert_eq!(
        without_colours,
        [
            region(1, "V1", colour_of_key(1)),
            region(2, "area 7", colour_of_key(2))
        ]
    );
}

#[test]
fn a_line_that_names_no_region_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let says = |name: &str, text: &str, part: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        let message = refusal(&path, read_regions(&path));
        assert!(message.contains(part), "{message}");
    };
    says("bad.ctab", "# x\n1 V1 1 2 3 0\nV2 2\n", "line 3");
    says("empty.txt", "# nothing\n", "names no regions");
    says(
        "bad.xml",
        "<atlas><data><label index=\"x\">a</label></data></atlas>",
        "“x”",
    );
    says("bad.json", "{\"a\": [1]}", "names no regions");
    says(
        "huge.xml",
        "<atlas><data><label index=\"2147483647\">a</label></data></atlas>",
        "2147483647",
    );
}

#[test]
fn a_table_is_found_beside_its_volume_or_where_fsl_and_nsd_keep_it() {
    let folder = tempfile::tempdir().unwrap();
    let put = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, text).unwrap();
        path
    };
    let colours = "1 V1 255 0 0 0\n";
    let found = |volume: &str| table_of(&folder.path().join(volume));
    // A text that is no table is left alone.
    put("a/rois.txt", "made on Monday\n");
    assert_eq!(found("a/rois.nii.gz"), None);
    let beside = put("a/rois.json", "{\"1\": \"V1\"}");
    assert_eq!(found("a/rois.nii.gz"), Some(beside));
    let snap = put("a/snap.label", table("itk_snap.txt"));
    assert_eq!(found("a/snap.nii"), Some(snap));
    let fsl = put("atlases/Two.xml", table("fsl_maxprob.xml"));
    put("atlases/Label.xml", table("fsl_label.xml"));
    assert_eq!(found("atlases/Two/two-maxprob-thr25-1mm.nii.gz"), Some(fsl));
    assert_eq!(found("atlases/Two/other.nii.gz"), None);
    let roi = "nsddata/ppdata/subj01/func1pt8mm/roi/";
    let visual = put(
        "nsddata/freesurfer/subj01/label/prf-visualrois.mgz.ctab",
        colours,
    );
    let faces = put("nsddata/templates/floc-faces.ctab", colours);
    assert_eq!(
        found(&format!("{roi}lh.prf-visualrois.nii.gz")),
        Some(visual)
    );
    assert_eq!(found(&format!("{roi}floc-faces.nii.gz")), Some(faces));
    assert_eq!(found(&format!("{roi}nsdgeneral.nii.gz")), None);
}
