//! Results under BIDS-derivative names, read again by this program and, where it is there, by nibabel.

use fusiform_pipelines::io::{gifti, nifti, table};
use fusiform_pipelines::run::quietly;
use fusiform_pipelines::space::Grid;
use fusiform_pipelines::study::derivative::{
    About, describe, file_name, write_atlas, write_map, write_mask, write_table,
    write_vertex_labels, write_vertex_map,
};
use fusiform_pipelines::study::{Entities, Study};
use fusiform_pipelines::surface::{Hemisphere, VertexLabels, VertexMap};
use fusiform_pipelines::volume::{Atlas, Region, Volume};
use glam::{DAffine3, DVec3};

fn entities(pairs: &[(&str, &str)]) -> Entities {
    pairs
        .iter()
        .map(|&(k, v)| (k.to_owned(), v.to_owned()))
        .collect()
}

fn region(key: i32, name: &str, colour: [u8; 3]) -> Region {
    Region {
        key,
        name: name.to_owned(),
        colour,
    }
}

#[test]
fn names_are_in_the_order_of_bids_and_hold_nothing_else() {
    let named = entities(&[
        ("desc", "t map"),
        ("sub", "01"),
        ("hemi", "L"),
        ("task", "see-it"),
        ("space", "T1w"),
    ]);
    assert_eq!(
        file_name(&named, "statmap", "func.gii"),
        "sub-01_task-seeit_hemi-L_space-T1w_desc-tmap_statmap.func.gii"
    );
    assert_eq!(file_name(&Entities::new(), "mask", "nii.gz"), "mask.nii.gz");
}

#[test]
fn what_is_written_is_found_and_read_again() {
    let root = tempfile::tempdir().unwrap();
    let folder = root.path().join("sub-01/func");
    describe(root.path(), "Made up", "derivative").unwrap();
    let grid = Grid {
        shape: [4, 3, 2],
        world_from_voxel: DAffine3::from_scale_rotation_translation(
            DVec3::splat(2.0),
            glam::DQuat::from_rotation_z(0.3),
            DVec3::new(-3.0, 5.0, 7.0),
        ),
    };
    let map = Volume {
        grid: grid.clone(),
        data: (0..24)
            .map(|v| {
                if v == 5 {
                    f32::NAN
                } else {
                    v as f32 * 0.37 - 2.0
                }
            })
            .collect(),
        assumptions: Vec::new(),
    };
    let about = About {
        description: "A made-up statistic.".into(),
        units: "t".into(),
        sources: vec!["bids::sub-01/func/sub-01_bold.nii.gz".into()],
        ..About::default()
    };
    let of = entities(&[
        ("sub", "01"),
        ("task", "see"),
        ("space", "T1w"),
        ("desc", "t"),
    ]);
    let path = write_map(&folder, &of, "statmap", &map, &about).unwrap();
    assert!(path.ends_with("sub-01_task-see_space-T1w_desc-t_statmap.nii.gz"));
    let again = quietly(|run| nifti::read_volume(&path, run)).unwrap();
    assert!(
        again
            .data
            .iter()
            .zip(map.data.iter())
            .all(|(a, b)| a == b || (a.is_nan() && b.is_nan()))
    );
    let json =
        std::fs::read_to_string(folder.join("sub-01_task-see_space-T1w_desc-t_statmap.json"))
            .unwrap();
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json["Units"], "t");
    assert_eq!(json["Sources"][0], "bids::sub-01/func/sub-01_bold.nii.gz");

    let inside: Vec<bool> = (0..24).map(|v| v % 3 == 0).collect();
    let mask = write_mask(
        &folder,
        &entities(&[("sub", "01"), ("desc", "few")]),
        (&grid, &inside),
        &about,
    )
    .unwrap();
    let read = quietly(|run| nifti::read_volume(&mask, run)).unwrap();
    assert!(
        read.data
            .iter()
            .zip(&inside)
            .all(|(v, i)| (*v == 1.0) == *i)
    );

    let atlas = Atlas {
        grid,
        keys: (0..24).map(|v| v / 8).collect(),
        regions: vec![
            region(1, "V1", [255, 0, 0]),
            region(2, "left V2", [0, 128, 255]),
        ],
    };
    write_atlas(
        &folder,
        &entities(&[("sub", "01"), ("desc", "areas")]),
        &atlas,
    )
    .unwrap();
    let rows = table::read(&folder.join("sub-01_desc-areas_dseg.tsv")).unwrap();
    assert_eq!(rows.columns, ["index", "name", "color"]);
    assert_eq!(rows.rows[1], ["2", "left V2", "#0080ff"]);

    let sheet = VertexMap {
        name: "t".into(),
        values: vec![0.5, -1.5, f32::NAN].into(),
    };
    let path =
        write_vertex_map(&folder, &of, "statmap", (Hemisphere::Right, &sheet), &about).unwrap();
    assert!(
        path.ends_with("sub-01_task-see_hemi-R_space-T1w_desc-t_statmap.func.gii"),
        "{path:?}"
    );
    assert_eq!(
        gifti::read_map(&path).unwrap()[0].values[..2],
        sheet.values[..2]
    );
    let labels = VertexLabels {
        keys: vec![1, 2, 1].into(),
        regions: atlas.regions.clone(),
    };
    let path = write_vertex_labels(&folder, &of, (Hemisphere::Left, &labels)).unwrap();
    assert_eq!(gifti::read_labels(&path).unwrap().keys, labels.keys);

    let scores = table::Table {
        columns: vec!["voxel".into(), "t".into()],
        rows: vec![vec!["3".into(), "2.5".into()]],
    };
    write_table(
        &folder,
        &of,
        "scores",
        &scores,
        &[("voxel", "its number"), ("t", "its statistic")],
    )
    .unwrap();
    assert!(
        folder
            .join("sub-01_task-see_space-T1w_desc-t_scores.json")
            .is_file()
    );

    let study = quietly(|run| Study::open(root.path(), run)).unwrap();
    assert_eq!(study.subjects.len(), 1);
    assert_eq!(study.subjects[0].masks.len(), 1);
    assert_eq!(study.subjects[0].atlases.len(), 1);
}
