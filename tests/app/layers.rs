//! Maps over each other: files added to what is open, order and looks, saved and drawn again; the mouse on slices.

use std::path::{Path, PathBuf};

use egui_kittest::Harness;
use egui_kittest::kittest::Queryable;
use fusiform::command::{Change, Command};
use fusiform::jobs::Kind;
use fusiform::layout::{Drag, Layer, Mouse, Pane, View, Wheel};
use fusiform::scene_file::{SceneFile, draw};
use fusiform::session::MapId;
use fusiform::workbench::Workbench;
use fusiform_pipelines::io::nifti;
use fusiform_pipelines::space::Grid;
use fusiform_pipelines::volume::Volume;
use fusiform_render::renderer::Backend;
use fusiform_render::scene::Picture;
use glam::{DAffine3, DVec3};

use crate::window::{driver, failures, named, send, wait, window};

const SHAPE: [usize; 3] = [24, 28, 20];

/// A volume of a function of the world, written where it is named.
fn write(path: &Path, value: impl Fn(DVec3) -> f32) -> PathBuf {
    let grid = Grid {
        shape: SHAPE,
        world_from_voxel: DAffine3::from_translation(DVec3::new(-12.0, -14.0, -10.0)),
    };
    let data = (0..grid.n_voxels()).map(|v| value(grid.world(grid.ijk(v))));
    let volume = Volume {
        data: data.collect(),
        grid,
        assumptions: Vec::new(),
    };
    nifti::write_volume(path, &volume).expect("a volume");
    path.to_path_buf()
}

fn anatomy(folder: &Path) -> PathBuf {
    write(&folder.join("ball_T1w.nii.gz"), |at| {
        if at.length() < 9.0 {
            100.0 - at.x as f32
        } else {
            0.0
        }
    })
}

/// Positive on the right, negative on the left.
fn statistic(folder: &Path) -> PathBuf {
    write(&folder.join("stat-t.nii.gz"), |at| {
        if at.length() < 6.0 { at.x as f32 } else { 0.0 }
    })
}

fn halves(folder: &Path) -> PathBuf {
    write(&folder.join("halves_dseg.nii.gz"), |at| {
        match (at.length() < 8.0, at.y > 0.0) {
            (true, true) => 3.0,
            (true, false) => 5.0,
            (false, _) => 0.0,
        }
    })
}

fn opened(paths: Vec<PathBuf>) -> Harness<'static, Workbench> {
    let mut harness = window(paths);
    wait(&mut harness, "the anatomy", |h| {
        let bench = h.state();
        bench.session().underlay().is_some() && !bench.is_busy(Kind::Subject)
    });
    harness
}

fn added(harness: &mut Harness<'static, Workbench>, paths: Vec<PathBuf>) {
    send(harness, Command::Add(paths));
    wait(harness, "what was added", |h| !h.state().is_busy(Kind::Add));
    harness.run_steps(2);
}

fn change(harness: &mut Harness<'static, Workbench>, change: Change) {
    let merge = false;
    send(harness, Command::Change { change, merge });
}

#[test]
fn files_added_to_a_study_lie_over_it_and_are_saved_with_the_view() {
    if !driver() {
        return;
    }
    let folder = tempfile::tempdir().expect("folder");
    let folder = folder.path();
    let table = folder.join("thickness.csv");
    std::fs::write(&table, "region,thickness\n3,2.5\n5,-1\n99,4\n").expect("a table");
    let mut harness = opened(vec![anatomy(folder)]);
    let name = harness
        .state()
        .session()
        .study
        .as_ref()
        .expect("study")
        .name
        .clone();

    // Many at once, in any order: the table is painted on regions that come after it.
    added(
        &mut harness,
        vec![table.clone(), statistic(folder), halves(folder)],
    );
    assert_eq!(failures(&harness), Vec::<String>::new());
    let session = harness.state().session();
    assert_eq!(
        session.study.as_ref().expect("study").name,
        name,
        "no new study"
    );
    assert_eq!(session.added.len(), 3);
    let atlas = &session.subject.atlas.as_ref().expect("regions").atlas;
    assert_eq!(atlas.regions.iter().filter(|r| r.key != 0).count(), 2);
    let [statistic, painted] = session.maps.as_slice() else {
        panic!("two maps, not {:?}", session.maps);
    };
    assert_eq!((statistic.id, painted.id), (MapId::File(0), MapId::File(1)));
    assert!(statistic.first_look.two_sided, "it has negative numbers");
    let front = DVec3::new(0.0, 4.0, 0.0);
    let on_grid = painted.volume().expect("painted on a grid");
    assert_eq!(on_grid.at_world(front), Some(2.5));
    assert_eq!(on_grid.at_world(-front), Some(-1.0));
    let warned = session.messages.iter().any(|m| m.text.contains("99"));
    assert!(
        warned,
        "the row that names no region is named: {:?}",
        session.messages
    );
    let view = &harness.state().layout().view;
    let both = vec![Layer::shown(MapId::File(0)), Layer::shown(MapId::File(1))];
    assert_eq!(
        (view.layers(), view.map),
        (both.clone(), Some(MapId::File(1)))
    );

    // The list has a row for each; the eye, the order and undo.
    harness.get_by_label("Show stat-t.nii.gz").click();
    harness.run_steps(3);
    let hidden = harness.state().layout().view.layers();
    assert_eq!(
        hidden,
        [
            Layer {
                visible: false,
                ..both[0]
            },
            both[1]
        ]
    );
    send(&mut harness, Command::Undo);
    let turned = vec![both[1], both[0]];
    change(
        &mut harness,
        Change::Layers(turned.clone(), Some(MapId::File(0))),
    );
    assert_eq!(harness.state().layout().view.layers(), turned);
    harness.key_press(egui::Key::OpenBracket);
    harness.run_steps(3);
    assert_eq!(harness.state().layout().view.map, Some(MapId::File(1)));
    harness.key_press(egui::Key::V);
    harness.run_steps(3);
    assert!(!harness.state().layout().view.layers()[0].visible);
    send(&mut harness, Command::Undo);

    // Saved, read and drawn without a window: as the layers lie, so they are drawn.
    let picture = |harness: &Harness<'static, Workbench>| -> Picture {
        let bench = harness.state();
        let scene = SceneFile::of(bench.session(), bench.layout(), Pane::Slices, [320, 160]);
        let path = folder.join("view.json");
        scene.write(&path).expect("write");
        let back = SceneFile::read(&path).expect("read");
        assert_eq!(back, scene);
        draw(&back, &mut Backend::Cpu).expect("draw")
    };
    let under = picture(&harness);
    change(&mut harness, Change::Layers(both, None));
    let over = picture(&harness);
    assert_ne!(under, over, "the order of layers is seen");
    change(&mut harness, Change::Layers(Vec::new(), None));
    let bare = picture(&harness);
    let coloured = |picture: &Picture| {
        let pixels = picture.rgba.chunks_exact(4);
        pixels.filter(|p| p[0].abs_diff(p[2]) > 60).count()
    };
    assert!(
        coloured(&over) > coloured(&bare) + 500,
        "{} coloured pixels with maps, {} without",
        coloured(&over),
        coloured(&bare)
    );

    // What does not fit is said, and what is open stays.
    let sheet = folder.join("lh.thickness.func.gii");
    let map = fusiform_pipelines::surface::VertexMap {
        name: "thickness".into(),
        values: vec![1.0f32; 642].into(),
    };
    fusiform_pipelines::io::gifti::write_map(&sheet, &map).expect("a vertex map");
    added(&mut harness, vec![sheet]);
    let said = failures(&harness).join("\n");
    for word in ["lh.thickness.func.gii", "642", "left", "fsaverage3"] {
        assert!(said.contains(word), "{word} is in: {said}");
    }
    assert!(harness.state().session().underlay().is_some());

    // An anatomy is another study, and the statistic beside it lies over that.
    let other = write(&folder.join("other_T1w.nii.gz"), |at| at.length() as f32);
    added(&mut harness, vec![other, folder.join("stat-t.nii.gz")]);
    wait(&mut harness, "the other study", |h| {
        let bench = h.state();
        let name = bench.session().study.as_ref().map(|s| s.name.clone());
        name.is_some_and(|n| n.contains("other")) && bench.session().maps.len() == 1
    });
}

#[test]
fn views_saved_before_there_were_layers_show_their_map() {
    let view = View {
        map: Some(MapId::Mean),
        ..View::default()
    };
    let mut saved = serde_json::to_value(&view).expect("json");
    let fields = saved.as_object_mut().expect("an object");
    for new in ["stack", "grey", "surface_shift_mm", "pinned"] {
        assert!(fields.remove(new).is_some(), "{new} is saved now");
    }
    let back: View = serde_json::from_value(saved).expect("an old view is read");
    assert_eq!(back.layers(), [Layer::shown(MapId::Mean)]);
    for id in [MapId::Drive, MapId::File(12)] {
        let word = serde_json::to_string(&id).expect("json");
        assert_eq!(serde_json::from_str::<MapId>(&word).expect("back"), id);
    }
    assert!(serde_json::from_str::<MapId>("\"File-x\"").is_err());
}

#[test]
fn each_preset_keeps_the_habits_of_its_viewer() {
    use egui::{Modifiers, PointerButton};
    let (none, shift, ctrl) = (Modifiers::NONE, Modifiers::SHIFT, Modifiers::COMMAND);
    let (left, middle, right) = (
        PointerButton::Primary,
        PointerButton::Middle,
        PointerButton::Secondary,
    );
    for mouse in Mouse::ALL {
        assert_eq!(mouse.drag(left, none), Some(Drag::Crosshair), "{mouse:?}");
        assert_eq!(mouse.drag(middle, none), Some(Drag::Pan), "{mouse:?}");
        assert_eq!(mouse.wheel(ctrl), Some(Wheel::Zoom), "{mouse:?}");
        assert!(mouse.words().len() >= 5);
    }
    assert_eq!(Mouse::Fusiform.drag(right, none), Some(Drag::Contrast));
    assert_eq!(Mouse::Fusiform.wheel(none), Some(Wheel::Slice));
    assert_eq!(Mouse::Fsleyes.drag(right, none), Some(Drag::ZoomBox));
    assert_eq!(Mouse::Fsleyes.wheel(shift), Some(Wheel::Slice));
    let ctrl_shift = Modifiers::COMMAND | Modifiers::SHIFT;
    assert_eq!(Mouse::Fsleyes.drag(left, ctrl_shift), Some(Drag::Contrast));
    assert_eq!(Mouse::Freeview.wheel(none), Some(Wheel::Zoom));
    assert_eq!(Mouse::Freeview.drag(right, none), Some(Drag::Zoom));
    assert_eq!(Mouse::Freeview.drag(left, shift), Some(Drag::Contrast));
    assert_eq!(Mouse::Niivue.drag(right, none), Some(Drag::ContrastBox));
    assert_eq!(Mouse::Niivue.wheel(none), Some(Wheel::Slice));
}

/// Presses a button on the axial slice, moves and lets go.
fn drag(
    harness: &mut Harness<'static, Workbench>,
    button: egui::PointerButton,
    from: egui::Vec2,
    by: egui::Vec2,
) {
    let rect = named(harness, "Axial slice").expect("a slice").rect();
    let start = rect.center() + from;
    let press = |pressed, pos| egui::Event::PointerButton {
        pos,
        button,
        pressed,
        modifiers: egui::Modifiers::NONE,
    };
    harness.event(egui::Event::PointerMoved(start));
    harness.run_steps(1);
    harness.event(press(true, start));
    harness.run_steps(1);
    for part in [0.5, 1.0] {
        harness.event(egui::Event::PointerMoved(start + by * part));
        harness.run_steps(2);
    }
    harness.event(press(false, start + by));
    harness.run_steps(3);
}

#[test]
fn drags_on_a_slice_do_what_the_preset_says() {
    if !driver() {
        return;
    }
    let folder = tempfile::tempdir().expect("folder");
    let mut harness = opened(vec![anatomy(folder.path())]);
    let right = egui::PointerButton::Secondary;
    let shown = harness
        .state()
        .session()
        .underlay()
        .expect("underlay")
        .window;
    let grey = |h: &Harness<'static, Workbench>| h.state().layout().view.grey;
    let zoom = |h: &Harness<'static, Workbench>| h.state().layout().view.zoom;

    drag(
        &mut harness,
        right,
        egui::Vec2::ZERO,
        egui::vec2(0.0, -40.0),
    );
    let (low, high) = grey(&harness).expect("black and white moved");
    assert!(
        low < shown.0 && high < shown.1,
        "up is brighter: {low} {high}"
    );
    send(&mut harness, Command::Undo);
    assert_eq!(grey(&harness), None, "the drag is undone as one");

    // In a box within the ball every number is near 100.
    send(&mut harness, Command::Mouse(Mouse::Niivue));
    let corner = egui::vec2(-12.0, -12.0);
    drag(&mut harness, right, corner, egui::vec2(24.0, 24.0));
    let (low, high) = grey(&harness).expect("a box was drawn");
    assert!((90.0..=110.0).contains(&low) && (90.0..=110.0).contains(&high));

    send(&mut harness, Command::Mouse(Mouse::Fsleyes));
    assert_eq!(zoom(&harness), 1.0);
    drag(&mut harness, right, corner, egui::vec2(30.0, 30.0));
    assert!(zoom(&harness) > 2.0, "the box fills the picture");

    send(&mut harness, Command::Mouse(Mouse::Freeview));
    let before = zoom(&harness);
    drag(&mut harness, right, egui::Vec2::ZERO, egui::vec2(0.0, 30.0));
    assert!(zoom(&harness) < before, "down is smaller");

    let middle = egui::PointerButton::Middle;
    let centre = |h: &Harness<'static, Workbench>| h.state().layout().view.centre_mm;
    let before = centre(&harness).expect("magnified about a point");
    drag(
        &mut harness,
        middle,
        egui::Vec2::ZERO,
        egui::vec2(20.0, 0.0),
    );
    let after = centre(&harness).expect("still");
    assert!(after[0] < before[0], "the picture moves with the hand");
}

#[test]
fn a_table_paints_a_parcellation_from_the_command_line() {
    let folder = tempfile::tempdir().expect("folder");
    let folder = folder.path();
    let (anatomy, atlas) = (anatomy(folder), halves(folder));
    let table = folder.join("values.tsv");
    let out = folder.join("painted.png");
    let render = |rows: &str| {
        std::fs::write(&table, format!("region\tthickness\n{rows}")).expect("a table");
        let [anatomy, atlas, table, out] =
            [&anatomy, &atlas, &table, &out].map(|p| p.to_string_lossy().into_owned());
        crate::cli::fusiform(&[
            "render",
            "--anatomy",
            &anatomy,
            "--atlas",
            &atlas,
            "--table",
            &table,
            "--view",
            "slices",
            "--at",
            "-1,0,0",
            "--cpu",
            "--json",
            "-o",
            &out,
        ])
    };
    let said = render("3\t1\n5\t8\n");
    assert_eq!(crate::cli::json(&said)["renderer"], "cpu");
    let picture = image::open(&out).expect("a picture").to_rgb8();
    let coloured = picture.pixels().filter(|p| p.0[0].abs_diff(p.0[2]) > 60);
    assert!(coloured.count() > 2000, "the regions are painted");
    let wrong = crate::cli::error(&render("3\t1\nhippocampus\t8\n"));
    for word in ["values.tsv", "hippocampus", "region 3", "region 5"] {
        assert!(wrong.contains(word), "{word} is in: {wrong}");
    }
}

#[test]
fn a_saved_view_is_written_with_text_and_lines_as_vectors() {
    let folder = tempfile::tempdir().expect("folder");
    let folder = folder.path();
    anatomy(folder);
    statistic(folder);
    halves(folder);
    let mut view = View {
        crosshair_mm: Some([1.0, 2.0, -3.0]),
        map: Some(MapId::File(0)),
        ..View::default()
    };
    let write = |view: &View| {
        let scene = serde_json::json!({
            "version": 1, "open": ["ball_T1w.nii.gz"], "added": ["stat-t.nii.gz", "halves_dseg.nii.gz"],
            "query": { "subject": null, "task": null, "space": null, "desc": null },
            "run": null, "pane": "Slices", "size": [1200, 500], "dark": true, "view": view,
        });
        std::fs::write(folder.join("view.json"), scene.to_string()).expect("a view");
    };
    let drawn = |name: &str| {
        let [view, out] =
            ["view.json", name].map(|n| folder.join(n).to_string_lossy().into_owned());
        let said =
            crate::cli::fusiform(&["render", "--scene", &view, "--cpu", "--json", "-o", &out]);
        assert_eq!(crate::cli::json(&said)["width"], 1200);
        std::fs::read(folder.join(name)).expect("written")
    };
    write(&view);
    let svg = String::from_utf8(drawn("view.svg")).expect("text");
    let document = roxmltree::Document::parse(&svg).expect("XML");
    let tagged = |name: &'static str| {
        let all = document.descendants();
        all.filter(move |node| node.tag_name().name() == name)
    };
    let texts: Vec<&str> = tagged("text").filter_map(|n| n.text()).collect();
    for wanted in [
        "L",
        "R",
        "A",
        "S",
        "z = −3.0 mm",
        "x = 1.0 mm",
        "stat-t.nii.gz (units of the file)",
    ] {
        assert!(texts.contains(&wanted), "{wanted}: {texts:?}");
    }
    assert_eq!(tagged("image").count(), 3, "three slices in pixels");
    // Borders of two regions and a crosshair on each slice.
    assert!(tagged("path").count() >= 9, "{}", tagged("path").count());
    assert!(drawn("view.pdf").starts_with(b"%PDF"));

    view.slices = fusiform::layout::SliceMode::Mosaic;
    write(&view);
    let svg = String::from_utf8(drawn("mosaic.svg")).expect("text");
    assert!(svg.matches("<image").count() >= 12, "a dozen slices");
}
