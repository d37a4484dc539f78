//! A saved view: written, read, drawn again alike; damaged ones refused in words.

use std::path::Path;

use fusiform::layout::{Inside, Pane, SliceMode, View};
use fusiform::scene_file::{SceneFile, draw};
use fusiform_pipelines::io::nifti;
use fusiform_pipelines::space::Grid;
use fusiform_pipelines::volume::Volume;
use fusiform_render::renderer::Backend;
use glam::DAffine3;

/// A bright ball in the dark, written as a volume.
#[allow(clippy::unwrap_used, reason = "a test helper fails by panicking")]
fn ball(folder: &Path) {
    let shape = [24, 28, 20];
    let grid = Grid {
        shape,
        world_from_voxel: DAffine3::from_translation(glam::DVec3::new(-12.0, -14.0, -10.0)),
    };
    let data = (0..grid.n_voxels()).map(|v| {
        let at = grid.world(grid.ijk(v));
        if at.length() < 8.0 {
            100.0 - at.x as f32
        } else {
            0.0
        }
    });
    let volume = Volume {
        data: data.collect(),
        grid,
        assumptions: Vec::new(),
    };
    nifti::write_volume(&folder.join("ball_T1w.nii.gz"), &volume).unwrap();
}

fn saved(view: &View, pane: &str) -> serde_json::Value {
    serde_json::json!({
        "version": 1, "open": ["ball_T1w.nii.gz"],
        "query": { "subject": null, "task": null, "space": null, "desc": null },
        "run": null, "pane": pane, "size": [320, 200], "dark": true, "view": view,
    })
}

#[test]
fn a_saved_view_is_drawn_alike_every_time() {
    let folder = tempfile::tempdir().unwrap();
    ball(folder.path());
    let mut view = View {
        crosshair_mm: Some([1.0, 2.0, -1.0]),
        ..View::default()
    };
    let path = folder.path().join("view.json");
    std::fs::write(&path, saved(&view, "Slices").to_string()).unwrap();
    let scene = SceneFile::read(&path).unwrap();
    assert_eq!(scene.open, [folder.path().join("ball_T1w.nii.gz")]);
    let mut backend = Backend::Cpu;
    let first = draw(&scene, &mut backend).unwrap();
    assert_eq!((first.width, first.height), (320, 200));
    let bright = first.rgba.chunks_exact(4).filter(|p| p[0] > 150).count();
    assert!(
        bright > 1500,
        "{bright} bright pixels of three slices through a ball"
    );
    assert_eq!(first, draw(&scene, &mut backend).unwrap());

    // Written elsewhere in the same folder, it names the file relative to itself.
    let copy = folder.path().join("copy.json");
    scene.write(&copy).unwrap();
    assert!(
        std::fs::read_to_string(&copy)
            .unwrap()
            .contains("\"ball_T1w.nii.gz\"")
    );
    let again = SceneFile::read(&copy).unwrap();
    assert_eq!(again, scene);
    assert_eq!(first, draw(&again, &mut backend).unwrap());

    // The command line draws the same bytes as the window's own function, twice.
    let sheet = fusiform::scene_file::sheet(&scene, &mut backend).unwrap();
    let bytes = sheet.bytes(fusiform::figure::Format::Png).unwrap();
    for name in ["one.png", "two.png"] {
        let out = folder.path().join(name);
        let [path, out] = [&path, &out].map(|p| p.to_string_lossy().into_owned());
        let said =
            crate::cli::fusiform(&["render", "--scene", &path, "--cpu", "--json", "-o", &out]);
        assert_eq!(crate::cli::json(&said)["width"], 320);
        assert_eq!(std::fs::read(&out).unwrap(), bytes);
    }

    // The volume looked into, in the place of the surfaces that are not there.
    view.inside.what = Inside::Anatomy;
    std::fs::write(&path, saved(&view, "Surface").to_string()).unwrap();
    let into = draw(&SceneFile::read(&path).unwrap(), &mut backend).unwrap();
    let lit = into.rgba.chunks_exact(4).filter(|p| p[0] > 60).count();
    assert!(lit > 3000, "{lit} lit pixels of a ball");
}

#[test]
fn saved_views_that_do_not_fit_are_refused_in_words() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("view.json");
    let words = |text: &str| {
        std::fs::write(&path, text).unwrap();
        format!("{:#}", SceneFile::read(&path).unwrap_err())
    };
    for text in ["", "{}", "[1, 2]", "{\"version\": 99}"] {
        let said = words(text);
        assert!(
            said.contains("view.json") && said.contains("version"),
            "{said}"
        );
    }
    let mut broken = saved(&View::default(), "Slices");
    broken["view"]["zoom"] = serde_json::json!("large");
    assert!(words(&broken.to_string()).contains("damaged"));
    let mut wild = saved(&View::default(), "Slices");
    wild["view"]["zoom"] = serde_json::json!(-3.0);
    assert!(words(&wild.to_string()).contains("cannot be drawn"));
    let missing = saved(
        &View {
            slices: SliceMode::Glass,
            ..View::default()
        },
        "Slices",
    );
    std::fs::write(&path, missing.to_string()).unwrap();
    let said = draw(&SceneFile::read(&path).unwrap(), &mut Backend::Cpu).unwrap_err();
    assert!(format!("{said:#}").contains("ball_T1w.nii.gz"), "{said:#}");
    assert_eq!(SceneFile::read(&path).unwrap().pane, Pane::Slices);
}
