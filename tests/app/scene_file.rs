//! A saved view: written, read, drawn again alike; damaged ones refused in words.

use std::path::Path;
use std::sync::Arc;

use fusiform::figure::{Format, text_width};
use fusiform::layout::{Inside, InsideLook, Layer, MapLook, Pane, Regions, SliceMode, View};
use fusiform::scene_file::{SceneFile, draw, sheet};
use fusiform::session::MapId;
use fusiform_pipelines::io::{gifti, nifti};
use fusiform_pipelines::roi::{Patch, Roi};
use fusiform_pipelines::space::Grid;
use fusiform_pipelines::surface::{Hemisphere, VertexMap};
use fusiform_pipelines::volume::Volume;
use fusiform_render::camera::StandardView;
use fusiform_render::colormap::Colormap;
use fusiform_render::renderer::Backend;
use glam::{DAffine3, DVec3, Vec3};

use crate::figures;

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

/// Beside the ball: a cortex of the left half in four shapes with a region, a signed map on the grid and one on the
/// vertices, and an atlas.
#[allow(clippy::unwrap_used, reason = "a test helper fails by panicking")]
fn with_cortex(folder: &Path) {
    ball(folder);
    let path = |name: &str| folder.join(name);
    for (name, radius_mm) in [("white", 7.0), ("pial", 9.0), ("inflated", 20.0)] {
        gifti::write_surface(
            &path(&format!("lh.{name}.surf.gii")),
            &figures::ball(radius_mm),
        )
        .unwrap();
    }
    let mut flat = figures::ball(20.0);
    flat.vertices = flat
        .vertices
        .iter()
        .map(|v| Vec3::new(v.y, v.z, 0.0))
        .collect();
    gifti::write_surface(&path("lh.flat.surf.gii"), &flat).unwrap();
    gifti::write_labels(&path("lh.cap.label.gii"), &figures::cap(), None).unwrap();
    let n = flat.vertices.len();
    let map = VertexMap {
        name: "stat".into(),
        values: (0..n).map(|v| v as f32 / n as f32 * 6.0 - 3.0).collect(),
    };
    gifti::write_map(&path("lh.stat.func.gii"), &map).unwrap();
    let grid = Grid {
        shape: [12, 14, 10],
        world_from_voxel: DAffine3::from_translation(DVec3::new(-11.0, -13.0, -9.0))
            * DAffine3::from_scale(DVec3::splat(2.0)),
    };
    let write = |name: &str, value: &dyn Fn(DVec3) -> f32| {
        let data = (0..grid.n_voxels()).map(|v| value(grid.world(grid.ijk(v))));
        let volume = Volume {
            data: data.collect(),
            grid: grid.clone(),
            assumptions: Vec::new(),
        };
        nifti::write_volume(&path(name), &volume).unwrap();
    };
    write("first_tmap.nii.gz", &|at| (at.x - at.y) as f32 / 3.0);
    write("second_zmap.nii.gz", &|at| (at.z * at.x) as f32 / 9.0);
}

fn layered() -> View {
    let both = [MapId::File(0), MapId::File(1)].map(Layer::shown);
    let look = |colormap, threshold| MapLook {
        colormap,
        threshold,
        soft: true,
        low: 0.0,
        high: 4.0,
        opacity: 0.7,
        two_sided: true,
        modulation: None,
    };
    let patch = Patch {
        hemisphere: Hemisphere::Left,
        n_vertices: 512,
        vertices: (140..260).collect(),
    };
    let drawn = Roi {
        name: "drawn by hand".into(),
        colour: [240, 60, 200],
        voxels: None,
        patches: vec![patch],
    };
    View {
        crosshair_mm: Some([1.0, 2.0, -1.0]),
        stack: both.to_vec(),
        map: Some(MapId::File(1)),
        looks: [
            (MapId::File(0), look(Colormap::ColdHot, 1.0)),
            (MapId::File(1), look(Colormap::BlueRed, 0.5)),
        ]
        .into(),
        regions: Regions {
            own: vec![Arc::new(drawn)],
            colours: [("cap".to_owned(), [20, 220, 90])].into(),
            ..Regions::default()
        },
        ..View::default()
    }
}

#[test]
fn every_kind_of_view_comes_back_as_it_was() {
    let folder = tempfile::tempdir().unwrap();
    with_cortex(folder.path());
    let path = folder.path().join("view.json");
    let mut backend = Backend::Cpu;
    let mut scene_of = |view: &View, pane: &str| {
        let mut value = saved(view, pane);
        let surfaces = ["white", "pial", "inflated", "flat"].map(|s| format!("lh.{s}.surf.gii"));
        let mut open = vec!["ball_T1w.nii.gz".to_owned()];
        open.extend(surfaces);
        value["open"] = serde_json::json!(open);
        value["added"] = serde_json::json!([
            "lh.cap.label.gii",
            "first_tmap.nii.gz",
            "second_zmap.nii.gz"
        ]);
        std::fs::write(&path, value.to_string()).unwrap();
        let scene = SceneFile::read(&path).unwrap();
        let first = sheet(&scene, &mut backend).unwrap();
        // Written and read again, it is the same to the pixel.
        let copy = folder.path().join("copy.json");
        scene.write(&copy).unwrap();
        let again = SceneFile::read(&copy).unwrap();
        assert_eq!(&again.view, view);
        let picture = first.raster().unwrap();
        assert_eq!(picture, draw(&again, &mut backend).unwrap());
        (picture, first.bytes(Format::Svg).unwrap())
    };
    let base = layered();
    let from_left = StandardView::Left.rotation().to_array();
    let surface = View {
        rotation: from_left,
        ..base.clone()
    };
    let cortex = |change: &dyn Fn(&mut View)| {
        let mut view = surface.clone();
        change(&mut view);
        view
    };
    let slices = |change: &dyn Fn(&mut View)| {
        let mut view = base.clone();
        change(&mut view);
        view
    };
    let without = |view: &View, n: usize| {
        let mut view = view.clone();
        view.stack[n].visible = false;
        view
    };
    // Each view, and the same with one thing of it changed: what is saved must be seen.
    let pairs = [
        ("Slices", "the lower layer", base.clone(), without(&base, 0)),
        ("Slices", "the upper layer", base.clone(), without(&base, 1)),
        ("Slices", "zoom", slices(&|v| v.zoom = 2.0), base.clone()),
        (
            "Slices",
            "the mosaic",
            slices(&|v| v.slices = SliceMode::Mosaic),
            base.clone(),
        ),
        (
            "Slices",
            "glass",
            slices(&|v| v.slices = SliceMode::Glass),
            base.clone(),
        ),
        (
            "Slices",
            "the side",
            slices(&|v| v.radiological = true),
            base.clone(),
        ),
        (
            "Surface",
            "the morph",
            cortex(&|v| v.cortex.morph = 1.4),
            surface.clone(),
        ),
        (
            "Surface",
            "the flat map",
            cortex(&|v| v.cortex.morph = 4.0),
            cortex(&|v| v.cortex.morph = 3.4),
        ),
        (
            "Surface",
            "names",
            surface.clone(),
            cortex(&|v| v.regions.names = false),
        ),
        (
            "Surface",
            "a drawn region",
            surface.clone(),
            cortex(&|v| v.regions.own.clear()),
        ),
        (
            "Surface",
            "a hidden region",
            surface.clone(),
            cortex(&|v| {
                v.regions.hidden.insert("cap".into());
            }),
        ),
        (
            "Surface",
            "a chosen colour",
            surface.clone(),
            cortex(&|v| v.regions.colours.clear()),
        ),
        (
            "Surface",
            "cuts",
            cortex(&|v| {
                v.inside = InsideLook {
                    what: Inside::Both,
                    maximum: false,
                    cuts: [0.3, 0.0, -0.4],
                };
                v.cortex.morph = 1.0;
                v.cortex.opacity = 0.3;
            }),
            cortex(&|v| {
                v.inside.what = Inside::Both;
                v.cortex.morph = 1.0;
                v.cortex.opacity = 0.3;
            }),
        ),
    ];
    for (pane, what, view, other) in pairs {
        let (picture, _) = scene_of(&view, pane);
        let (changed, _) = scene_of(&other, pane);
        let differ = picture
            .rgba
            .chunks_exact(4)
            .zip(changed.rgba.chunks_exact(4));
        let n = differ.filter(|(a, b)| a != b).count();
        assert!(n > 25, "{what}: {n} pixels differ");
    }

    // Names are text with a rim, within the picture and apart from each other; bars are vectors.
    let (_, svg) = scene_of(&surface, "Surface");
    let svg = String::from_utf8(svg).unwrap();
    let document = roxmltree::Document::parse(&svg).unwrap();
    let names: Vec<_> = document
        .descendants()
        .filter(|n| n.attribute("paint-order").is_some())
        .collect();
    let words: Vec<&str> = names.iter().filter_map(roxmltree::Node::text).collect();
    assert!(words.contains(&"drawn by hand"), "{words:?}");
    let size = |name: &str| -> f32 {
        let root = document.root_element().attribute(name).unwrap();
        root.trim_end_matches("pt").parse().unwrap()
    };
    let boxed = |n: &roxmltree::Node<'_, '_>| {
        let [x, y] = ["x", "y"].map(|a| n.attribute(a).unwrap().parse::<f32>().unwrap());
        let wide = text_width(n.text().unwrap(), 7.0).unwrap();
        [x - wide / 2.0, y - 5.0, x + wide / 2.0, y + 2.0]
    };
    let boxes: Vec<[f32; 4]> = names.iter().map(boxed).collect();
    for (n, a) in boxes.iter().enumerate() {
        assert!(a[0] >= 0.0 && a[1] >= 0.0 && a[2] <= size("width") && a[3] <= size("height"));
        for b in &boxes[n + 1..] {
            let apart = a[2] < b[0] || b[2] < a[0] || a[3] < b[1] || b[3] < a[1];
            assert!(apart, "{words:?}: {a:?} meets {b:?}");
        }
    }
    assert_eq!(svg.matches("<image").count(), 1);
    assert!(
        svg.matches("fill-rule").count() > 100,
        "two ramps of strips"
    );
    assert!(svg.contains("second_zmap"), "the bar has its map's name");
}
