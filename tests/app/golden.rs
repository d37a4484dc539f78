//! Golden pictures of the window on the demo study, dark and light, in `tests/snapshots/app`; `UPDATE_SNAPSHOTS=true`
//! rewrites them. The status bar is left out: it tells how long things took.

use std::path::PathBuf;

use egui_kittest::Harness;
use fusiform::command::{Change, Command};
use fusiform::jobs::Kind;
use fusiform::layout::Layer;
use fusiform::session::MapId;
use fusiform::workbench::Workbench;
use image::RgbaImage;

use crate::window::{driver, failures, send, wait, window};

/// Rows of the status bar, pixels.
const STATUS: u32 = 64;
/// Of the pixels of a picture, at most this share may be off by more than [`OFF_BY`].
const SHARE: f64 = 0.005;
const OFF_BY: u8 = 24;

fn check(harness: &mut Harness<'static, Workbench>, name: &str) {
    harness.run_steps(3);
    let drawn = harness.render().expect("the window is drawn");
    let (width, height) = drawn.dimensions();
    let drawn = image::imageops::crop_imm(&drawn, 0, 0, width, height - STATUS).to_image();
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join(format!("../tests/snapshots/app/{name}.png"));
    if std::env::var("UPDATE_SNAPSHOTS").is_ok_and(|value| value == "true") {
        image::DynamicImage::from(drawn.clone())
            .to_rgb8()
            .save(&path)
            .expect("written");
    }
    let kept: RgbaImage = image::open(&path)
        .unwrap_or_else(|error| panic!("{}: {error}", path.display()))
        .to_rgba8();
    assert_eq!(drawn.dimensions(), kept.dimensions());
    let off = drawn.pixels().zip(kept.pixels()).filter(|(a, b)| {
        let colours = a.0.iter().zip(b.0).take(3);
        colours.into_iter().any(|(a, b)| a.abs_diff(b) > OFF_BY)
    });
    let share = off.count() as f64 / f64::from(drawn.width() * drawn.height());
    if share > SHARE {
        panic!(
            "{name}: {:.2} % of the pixels are off by more than {OFF_BY}; UPDATE_SNAPSHOTS=true writes it anew, to be looked \
             at",
            share * 100.0
        );
    }
}

#[test]
fn the_window_looks_as_it_did() {
    if !driver() {
        return;
    }
    let mut harness = window(Vec::new());
    harness.step();
    let works = [
        Kind::Open,
        Kind::Subject,
        Kind::Run,
        Kind::Project,
        Kind::Pictures,
        Kind::Courses,
    ];
    let rests =
        move |h: &Harness<'static, Workbench>| works.iter().all(|kind| !h.state().is_busy(*kind));
    wait(&mut harness, "the demo study", |h| {
        h.state().session().run.is_some() && rests(h)
    });
    let layers = vec![
        Layer {
            map: MapId::Mean,
            visible: false,
        },
        Layer::shown(MapId::Tsnr),
    ];
    for change in [
        Change::Layers(layers, Some(MapId::Tsnr)),
        Change::Pinned(vec!["V1".into(), "FFA".into()]),
    ] {
        let merge = false;
        send(&mut harness, Command::Change { change, merge });
    }
    wait(&mut harness, "the regions' courses", |h| {
        h.state().session().courses.is_some() && rests(h)
    });
    assert_eq!(failures(&harness), Vec::<String>::new());
    let courses = harness.state().session().courses.as_ref().expect("courses");
    assert!(courses.of("V1").is_some_and(|v1| v1.n_voxels > 10));
    // The light one first: the harness has its own look until one is chosen.
    for (dark, name) in [(false, "window-light"), (true, "window-dark")] {
        send(&mut harness, Command::Dark(dark));
        check(&mut harness, name);
    }
}
