//! Regions in the window: made from the map, combined, hidden, drawn by hand, undone, written, and still there the next
//! time.

use std::collections::BTreeSet;
use std::sync::Arc;

use egui::accesskit::Role;
use egui::{Event, Modifiers, PointerButton, Pos2, Rect, vec2};
use egui_kittest::Harness;
use egui_kittest::kittest::Queryable;
use fusiform::command::Command;
use fusiform::jobs::Kind;
use fusiform::layout::{Layout, Pane};
use fusiform::session::MapId;
use fusiform::workbench::Workbench;
use fusiform_pipelines::roi::{Roi, files};
use fusiform_pipelines::run::quietly;
use fusiform_pipelines::volume::Atlas;

use crate::window::{driver, failures, named, send, wait, window_with};

type Window = Harness<'static, Workbench>;

/// The demo study, with the list of regions in front.
fn open(layout: Layout) -> Window {
    let mut harness = window_with(layout, Vec::new());
    wait(&mut harness, "the demo study", |h| {
        let bench = h.state();
        bench.session().run.is_some() && !bench.is_busy(Kind::Open) && !bench.is_busy(Kind::Subject)
    });
    send(&mut harness, Command::Reveal(Pane::Regions));
    harness.run_steps(3);
    harness
}

fn own(harness: &Window) -> Vec<Arc<Roi>> {
    harness.state().layout().view.regions.own.clone()
}

fn names(harness: &Window) -> Vec<String> {
    own(harness).iter().map(|roi| roi.name.clone()).collect()
}

fn press(harness: &mut Window, name: &str) {
    harness.get_by_role_and_label(Role::Button, name).click();
    harness.run_steps(3);
}

fn tick(harness: &mut Window, name: &str) {
    harness.get_by_label(&format!("Tick {name}")).click();
    harness.run_steps(3);
}

fn atlas(harness: &Window) -> Arc<Atlas> {
    let atlas = harness.state().session().subject.atlas.as_ref();
    Arc::clone(&atlas.expect("the demo has an atlas").atlas)
}

/// The voxels of an atlas that have one of some names.
fn of_names(atlas: &Atlas, names: &[&str]) -> Vec<u32> {
    let named = |key: i32| {
        let region = atlas.region(key);
        region.is_some_and(|r| names.contains(&r.name.as_str()))
    };
    let all = (0..).zip(atlas.keys.iter());
    all.filter(|(_, key)| named(**key))
        .map(|(v, _)| v)
        .collect()
}

/// Moves the pointer along corners with the button down.
fn drag(harness: &mut Window, corners: &[Pos2]) {
    let button = |pos: Pos2, pressed: bool| Event::PointerButton {
        pos,
        button: PointerButton::Primary,
        pressed,
        modifiers: Modifiers::NONE,
    };
    harness.event(Event::PointerMoved(corners[0]));
    harness.step();
    harness.event(button(corners[0], true));
    harness.step();
    for &corner in &corners[1..] {
        harness.event(Event::PointerMoved(corner));
        harness.step();
    }
    harness.event(button(corners[corners.len() - 1], false));
    harness.run_steps(3);
}

/// Corners round a point.
fn circle(rect: Rect, radius: f32) -> Vec<Pos2> {
    let corner = |n: u32| {
        let (sine, cosine) = (n as f32 / 24.0 * std::f32::consts::TAU).sin_cos();
        rect.center() + vec2(cosine, sine) * radius
    };
    (0..24).map(corner).collect()
}

#[test]
fn regions_are_made_combined_hidden_undone_and_written() {
    if !driver() {
        return;
    }
    let mut harness = open(Layout::default());
    assert!(named(&harness, "Tick V1").is_some() && named(&harness, "Tick FFA").is_some());

    // A click on a name goes to a voxel of it.
    harness.get_by_label("FFA").click();
    harness.run_steps(3);
    let bench = harness.state();
    let at = bench.layout().view.crosshair().expect("a crosshair");
    let region = bench.session().region_at(at).map(|r| r.name.clone());
    assert_eq!(region.as_deref(), Some("FFA"));

    // From the map: the voxels above its threshold, neither more nor fewer.
    press(&mut harness, "From map");
    wait(&mut harness, "a region of the map", |h| own(h).len() == 1);
    let bench = harness.state();
    let id = bench.layout().view.map.expect("a map is shown");
    let map = bench.session().map(id).expect("the map");
    let look = bench.layout().view.look(map);
    let above: Vec<u32> = (0..)
        .zip(map.volume().expect("numbers").data.iter())
        .filter(|(_, value)| **value > look.threshold)
        .map(|(v, _)| v)
        .collect();
    let made = own(&harness);
    let voxels = made[0].voxels.as_ref().expect("voxels");
    assert!(above.len() > 100);
    assert_eq!(voxels.voxels(), above);
    assert!(made[0].n_vertices() > 100, "and it has its vertices");

    // Two united.
    let atlas = atlas(&harness);
    tick(&mut harness, "V1");
    tick(&mut harness, "V2");
    press(&mut harness, "Union");
    wait(&mut harness, "the union", |h| own(h).len() == 2);
    let both = own(&harness)[1].clone();
    assert_eq!(both.name, "V1 or V2");
    assert_eq!(
        both.voxels.as_ref().expect("voxels").voxels(),
        of_names(&atlas, &["V1", "V2"])
    );
    assert!(
        named(&harness, "Tick V1 or V2").is_some(),
        "it is in the list"
    );

    // One hidden: its border is gone from what is drawn, the others' are not.
    let drawn = |h: &Window| -> BTreeSet<i32> {
        let bench = h.state();
        let layers = bench.session().region_volumes(&bench.layout().view.regions);
        layers[0].0.colours.iter().map(|(key, _)| *key).collect()
    };
    let before = drawn(&harness);
    harness.get_by_label("Show V1").click();
    harness.run_steps(3);
    let key = atlas
        .regions
        .iter()
        .find(|r| r.name == "V1")
        .expect("V1")
        .key;
    assert_eq!(&before - &drawn(&harness), BTreeSet::from([key]));
    harness.get_by_label("Only V2").click();
    harness.run_steps(3);
    assert_eq!(drawn(&harness).len(), 1);

    // Back step by step, and forward again.
    for _ in 0..2 {
        press(&mut harness, "Undo");
    }
    assert_eq!(drawn(&harness), before);
    press(&mut harness, "Undo");
    assert_eq!(names(&harness).len(), 1, "the union is undone");
    press(&mut harness, "Redo");
    assert_eq!(names(&harness)[1], "V1 or V2");

    // Renamed, larger, and what is found by its name.
    tick(&mut harness, "V1");
    tick(&mut harness, "V2");
    tick(&mut harness, "V1 or V2");
    harness.get_by_label("New name").focus();
    harness.get_by_label("New name").type_text("early");
    harness.run_steps(3);
    press(&mut harness, "Rename");
    assert_eq!(names(&harness)[1], "early");
    tick(&mut harness, "early");
    press(&mut harness, "Larger");
    wait(&mut harness, "a larger region", |h| {
        own(h)[1].n_voxels() > both.n_voxels()
    });
    press(&mut harness, "Undo");
    assert_eq!(own(&harness)[1].n_voxels(), both.n_voxels());
    harness.get_by_label("Find a region").focus();
    harness.get_by_label("Find a region").type_text("EARL");
    harness.run_steps(3);
    assert!(named(&harness, "Tick early").is_some() && named(&harness, "Tick V1").is_none());

    // What is not in it: all of the head but its voxels.
    press(&mut harness, "Complement");
    wait(&mut harness, "the complement", |h| own(h).len() == 3);
    let rest = own(&harness)[2].clone();
    assert_eq!(rest.name, "not early");
    let bench = harness.state();
    let tsnr = bench.session().map(MapId::Tsnr).expect("a run is read");
    let head = tsnr.volume().expect("numbers").data.iter();
    let head: BTreeSet<u32> = (0..)
        .zip(head)
        .filter(|(_, v)| v.is_finite())
        .map(|(v, _)| v)
        .collect();
    let mine: BTreeSet<u32> = both
        .voxels
        .as_ref()
        .expect("voxels")
        .voxels()
        .iter()
        .copied()
        .collect();
    let rest = rest.voxels.as_ref().expect("voxels");
    let rest: BTreeSet<u32> = rest.voxels().iter().copied().collect();
    assert!(head.len() > 1000 && rest.is_disjoint(&mine));
    let lacking = head
        .iter()
        .filter(|v| !rest.contains(v) && !mine.contains(v));
    assert_eq!(
        lacking.count(),
        0,
        "every voxel of the head is in one of both"
    );
    press(&mut harness, "Undo");
    assert_eq!(own(&harness).len(), 2);

    // Written and read again.
    let folder = tempfile::tempdir().expect("folder");
    let path = folder.path().join("early.nii.gz");
    harness.get_by_label("Export to").focus();
    harness
        .get_by_label("Export to")
        .type_text(&path.to_string_lossy());
    harness.run_steps(3);
    press(&mut harness, "Write");
    wait(&mut harness, "the file", |h| {
        path.exists() && !h.state().is_busy(Kind::Export)
    });
    assert!(
        named(&harness, "early.tsv").is_some(),
        "what was written is said"
    );
    let read = quietly(|run| files::read(&path, None, run)).expect("regions");
    assert_eq!(read.len(), 1);
    assert_eq!(read[0].name, "early");
    assert_eq!(read[0].voxels, both.voxels);
    assert_eq!(failures(&harness), Vec::<String>::new());

    // What was drawn is there the next time, and belongs to its subject.
    let drawn = own(&harness);
    let saved = harness.state().layout().to_text();
    drop(harness);
    let (layout, left_out) = Layout::from_text(&saved);
    assert_eq!(left_out, Vec::<String>::new());
    assert!(layout.view.regions.own.is_empty(), "no study is open yet");
    let harness = open(layout);
    assert_eq!(own(&harness), drawn);
    assert!(named(&harness, "Tick early").is_some());
}

#[test]
fn lines_drawn_by_hand_become_regions() {
    if !driver() {
        return;
    }
    let mut harness = open(Layout::default());
    let lassos: Vec<Rect> = harness
        .query_all_by_label("Lasso")
        .map(|l| l.rect())
        .collect();
    assert_eq!(lassos.len(), 2, "one on slices, one on the surface");
    for n in 0..2 {
        harness
            .query_all_by_label("Lasso")
            .nth(n)
            .expect("a lasso")
            .click();
        harness.run_steps(3);
    }
    let before = harness.state().layout().view.clone();
    let slice = named(&harness, "Axial slice").expect("slice").rect();
    drag(&mut harness, &circle(slice, 40.0));
    wait(&mut harness, "the drawn region", |h| own(h).len() == 1);
    let roi = own(&harness)[0].clone();
    let mask = roi.voxels.as_ref().expect("voxels");
    let grid = mask.grid();
    let z = before.crosshair().expect("a crosshair").z;
    let places: Vec<_> = mask
        .voxels()
        .iter()
        .map(|&v| grid.world(grid.ijk(v as usize)))
        .collect();
    let half = grid.voxel_size_mm().z / 2.0 + 1e-6;
    assert!(
        places.iter().all(|at| (at.z - z).abs() <= half),
        "one layer of voxels"
    );
    // As large as the circle: its area in voxels, to a tenth.
    let (low, high) = places.iter().fold(
        (glam::DVec3::INFINITY, glam::DVec3::NEG_INFINITY),
        |(a, b), p| (a.min(*p), b.max(*p)),
    );
    let size = grid.voxel_size_mm();
    let across = (high.x - low.x + size.x).max(high.y - low.y + size.y);
    let expected = std::f64::consts::FRAC_PI_4 * across * across / (size.x * size.y);
    let n = places.len() as f64;
    assert!(
        n > 10.0 && (n / expected - 1.0).abs() < 0.25,
        "{n} voxels, {expected} expected"
    );
    assert_eq!(
        harness.state().layout().view.crosshair_mm,
        before.crosshair_mm,
        "drawing does not move the crosshair"
    );

    let rotation = harness.state().layout().view.rotation;
    let surface = named(&harness, "Cortical surface").expect("surface").rect();
    let centre = surface.center() - vec2(70.0, 0.0);
    drag(
        &mut harness,
        &circle(Rect::from_center_size(centre, vec2(1.0, 1.0)), 40.0),
    );
    wait(&mut harness, "the region on the cortex", |h| {
        own(h).len() == 2
    });
    let roi = own(&harness)[1].clone();
    assert_eq!(roi.name, "drawn 2");
    assert!(roi.n_vertices() > 20, "{}", roi.n_vertices());
    assert!(
        roi.n_voxels() > 5,
        "and it has its voxels: {}",
        roi.n_voxels()
    );
    assert_eq!(
        harness.state().layout().view.rotation,
        rotation,
        "drawing does not turn the brain"
    );

    // Under the pointer the drawn region is named, on the surface and on the slice.
    for (rect, name) in [
        (Rect::from_center_size(centre, vec2(2.0, 2.0)), "drawn 2"),
        (slice, "drawn"),
    ] {
        harness.event(Event::PointerMoved(rect.center()));
        harness.run_steps(3);
        let words = format!("Under the pointer: {name}");
        assert!(named(&harness, &words).is_some(), "{words}");
    }
    assert_eq!(failures(&harness), Vec::<String>::new());
}
