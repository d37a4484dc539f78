//! `fusiform roi` as a user meets it: lists, operations, files, and one-sentence errors.

use std::path::Path;

use fusiform_pipelines::io::{gifti, nifti};
use fusiform_pipelines::roi::files;
use fusiform_pipelines::run::quietly;
use fusiform_pipelines::space::Grid;
use fusiform_pipelines::study::derivative;
use fusiform_pipelines::surface::{Hemisphere, Surface};
use fusiform_pipelines::volume::{Region, Volume};
use glam::{DAffine3, DVec3, Vec3};

use crate::cli::{error, fusiform, json};

/// An atlas of two slabs with a gap, a map that is its own x, and a sheet through both.
#[allow(clippy::unwrap_used, reason = "a test helper fails by panicking")]
fn write(folder: &Path) {
    let grid = Grid {
        shape: [12, 10, 8],
        world_from_voxel: DAffine3::from_scale(DVec3::splat(2.0)),
    };
    let key = |v: usize| match grid.ijk(v) {
        [2..5, _, _] => 1,
        [5..8, _, _] => 2,
        _ => 0,
    };
    let keys: Vec<i32> = (0..grid.n_voxels()).map(key).collect();
    nifti::write_labels(&folder.join("atlas.nii.gz"), &grid, &keys).unwrap();
    let region = |key, name: &str| Region {
        key,
        name: name.into(),
        colour: [key as u8 * 80, 20, 200],
    };
    let regions = [region(1, "V1"), region(2, "V2")];
    derivative::write_regions(&folder.join("atlas.tsv"), &regions).unwrap();
    let map = Volume {
        data: (0..grid.n_voxels())
            .map(|v| grid.ijk(v)[0] as f32)
            .collect(),
        grid,
        assumptions: Vec::new(),
    };
    nifti::write_volume(&folder.join("map.nii.gz"), &map).unwrap();
    for (name, z) in [("lh.white.surf.gii", 4.0), ("lh.pial.surf.gii", 8.0)] {
        let at = |v: u32| Vec3::new((v % 12) as f32 * 2.0, (v / 12) as f32 * 2.0, z);
        let corner = |n: u32| n / 11 * 12 + n % 11;
        let surface = Surface {
            vertices: (0..120).map(at).collect(),
            triangles: (0..99)
                .map(corner)
                .flat_map(|v| [[v, v + 1, v + 12], [v + 1, v + 13, v + 12]])
                .collect(),
            hemisphere: Some(Hemisphere::Left),
            assumptions: Vec::new(),
        };
        gifti::write_surface(&folder.join(name), &surface).unwrap();
    }
}

#[test]
fn regions_are_listed_combined_and_written() {
    let folder = tempfile::tempdir().expect("folder");
    write(folder.path());
    let at = |name: &str| folder.path().join(name).to_string_lossy().into_owned();
    let (atlas, map) = (at("atlas.nii.gz"), at("map.nii.gz"));
    let listed = json(&fusiform(&["roi", &atlas, "--json"]));
    let regions = listed["regions"].as_array().expect("regions");
    assert_eq!(regions.len(), 2);
    assert_eq!(regions[0]["name"], "V1");
    assert_eq!(regions[0]["n_voxels"], 240);
    assert_eq!(regions[0]["volume_mm3"], 1920.0);
    assert_eq!(regions[0]["middle_mm"][0], 6.0);

    let n_of = |args: &[&str]| {
        let mut all = vec!["roi", "--json"];
        all.extend(args);
        let made = json(&fusiform(&all));
        assert_eq!(made["regions"].as_array().map(Vec::len), Some(1), "{made}");
        made["regions"][0]["n_voxels"].as_u64().expect("a count")
    };
    // The map is i: above 3.5 lie the layers 4 to 11, 80 voxels each.
    let above = ["--from-map", &map, "--threshold", "3.5"];
    let with = |args: &[&'static str]| {
        let mut all = vec![atlas.as_str()];
        all.extend(above.iter().map(|s| &**s));
        all.extend(args);
        n_of(&all)
    };
    assert_eq!(n_of(&above), 8 * 80);
    assert_eq!(with(&["--union", "V1,map"]), 10 * 80);
    assert_eq!(with(&["--intersection", "V1,map"]), 80);
    assert_eq!(with(&["--difference", "map,V1,V2"]), 4 * 80);
    assert_eq!(
        n_of(&[&atlas, "--complement", "V1,V2", "--within", &map]),
        5 * 80
    );
    assert_eq!(n_of(&[&atlas, "--keep", "V1", "--grow", "1"]), 5 * 80);

    let out = at("early.nii.gz");
    let made = json(&fusiform(&[
        "roi", &atlas, "--union", "V1,V2", "--name", "early", "-o", &out, "--json",
    ]));
    assert_eq!(made["written"].as_array().map(Vec::len), Some(2));
    let read = quietly(|run| files::read(Path::new(&out), None, run)).expect("regions");
    assert_eq!((read[0].name.as_str(), read[0].n_voxels()), ("early", 480));
    assert_eq!(read[0].colour, [80, 20, 200]);

    // Brought onto the cortex: the columns of vertices over the slab's layers.
    let sheet = format!("{},{}", at("lh.white.surf.gii"), at("lh.pial.surf.gii"));
    let label = at("lh.V1.label");
    let args = [
        "roi",
        &atlas,
        "--keep",
        "V1",
        "--surfaces",
        &sheet,
        "-o",
        &label,
        "--json",
    ];
    assert_eq!(json(&fusiform(&args))["regions"][0]["n_vertices"], 30);
    let read = quietly(|run| files::read(Path::new(&label), Some(120), run)).expect("label");
    let columns: Vec<u32> = read[0].patches[0].vertices.iter().map(|v| v % 12).collect();
    assert!(columns.len() == 30 && columns.iter().all(|c| (2..5).contains(c)));
}

#[test]
fn what_cannot_be_done_is_said_in_a_sentence() {
    let folder = tempfile::tempdir().expect("folder");
    write(folder.path());
    let at = |name: &str| folder.path().join(name).to_string_lossy().into_owned();
    let (atlas, map) = (at("atlas.nii.gz"), at("map.nii.gz"));
    for (args, words) in [
        (vec!["roi", &atlas, "--union", "V1,V9"], "there are V1, V2"),
        (vec!["roi", &atlas, "-o", "x.txt"], ".label.gii"),
        (
            vec!["roi", &atlas, "--keep", "V1", "-o", "lh.V1.annot"],
            "no vertices",
        ),
        (
            vec!["roi", "--from-map", &map, "--threshold", "99"],
            "lower --threshold",
        ),
        (
            vec![
                "roi",
                "--from-map",
                &map,
                "--threshold",
                "5",
                "--at",
                "-2,0,0",
            ],
            "outside the map",
        ),
        (vec!["roi", &atlas, "--name", "x"], "--name"),
        (
            vec!["roi", &atlas, "--intersection", "V1,V2", "-o", "x.nii.gz"],
            "no file was written",
        ),
    ] {
        let line = error(&fusiform(&args));
        assert!(line.contains(words), "{args:?}: {line}");
    }
    let both = ["roi", &atlas, "--union", "V1", "--difference", "V2"];
    assert_eq!(fusiform(&both).status.code(), Some(2));
}
