//! The window, driven by the names a screen reader would read.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use egui_kittest::kittest::Queryable;
use egui_kittest::wgpu::{WgpuTestRenderer, create_render_state, default_wgpu_setup};
use egui_kittest::{Harness, Node};
use fusiform::command::{Change, Command};
use fusiform::gpu::Easel;
use fusiform::jobs::Kind;
use fusiform::layout::{Layout, Pane, Sort};
use fusiform::session::{Grade, MapId};
use fusiform::workbench::Workbench;
use fusiform_pipelines::mask::Mask;
use fusiform_pipelines::roi::Roi;
use fusiform_pipelines::space::Grid;
use fusiform_render::gpu::Gpu;
use glam::DVec3;
use log::LevelFilter;

/// Real work on the demo study, on a slow machine, with others at work.
const PATIENCE: Duration = Duration::from_secs(240);

/// Whether there is a driver; says so when not. With `FUSIFORM_REQUIRE_GPU=1` its absence fails the test.
pub(super) fn driver() -> bool {
    let there = Gpu::headless().is_ok();
    assert!(
        there || std::env::var_os("FUSIFORM_REQUIRE_GPU").is_none_or(|v| v != "1"),
        "FUSIFORM_REQUIRE_GPU=1, but no Vulkan driver answers"
    );
    if !there {
        println!("skipped: no Vulkan driver (install mesa-vulkan-drivers libvulkan1)");
    }
    there
}

/// A window of 1440 × 900 points that draws on the test renderer's own device.
pub(super) fn window(paths: Vec<PathBuf>) -> Harness<'static, Workbench> {
    window_with(Layout::default(), paths)
}

/// The same with a layout of its own.
pub(super) fn window_with(layout: Layout, paths: Vec<PathBuf>) -> Harness<'static, Workbench> {
    let log = fusiform::log::install();
    let state = create_render_state(
        default_wgpu_setup(),
        egui_wgpu::RendererOptions::PREDICTABLE,
    );
    let ctx = egui::Context::default();
    let bench = Workbench::new(&ctx, Easel::on(state.clone()), layout, log, paths);
    Harness::builder()
        .with_size([1440.0, 900.0])
        .renderer(WgpuTestRenderer::from_render_state(state))
        .build_ui_state(
            |ui, bench: &mut Workbench| {
                bench.logic(ui.ctx());
                bench.ui(ui);
            },
            bench,
        )
}

/// Steps until `done`, at most [`PATIENCE`].
pub(super) fn wait(
    harness: &mut Harness<'static, Workbench>,
    what: &str,
    done: impl Fn(&Harness<'static, Workbench>) -> bool,
) {
    let start = Instant::now();
    while !done(harness) {
        assert!(
            start.elapsed() < PATIENCE,
            "{what} did not happen within {PATIENCE:?}"
        );
        harness.step();
        std::thread::sleep(Duration::from_millis(20));
    }
    harness.step();
}

pub(super) fn send(harness: &mut Harness<'static, Workbench>, command: Command) {
    harness.state().send(command);
    harness.step();
    harness.step();
}

pub(super) fn failures(harness: &Harness<'static, Workbench>) -> Vec<String> {
    let messages = &harness.state().session().messages;
    messages
        .iter()
        .filter(|m| m.grade == Grade::Failure)
        .map(|m| format!("{}: {}", m.title, m.text))
        .collect()
}

pub(super) fn named<'t>(
    harness: &'t Harness<'static, Workbench>,
    words: &'t str,
) -> Option<Node<'t>> {
    harness.query_all_by_label_contains(words).next()
}

#[test]
fn the_demo_is_opened_and_decoded_by_its_buttons() {
    if !driver() {
        return;
    }
    let mut harness = window(Vec::new());
    harness.step();
    assert!(
        named(&harness, "Making the demo study").is_some(),
        "the window shows that work is under way"
    );

    wait(&mut harness, "the demo study", |h| {
        let bench = h.state();
        bench.session().run.is_some() && !bench.is_busy(Kind::Open) && !bench.is_busy(Kind::Subject)
    });
    assert_eq!(failures(&harness), Vec::<String>::new());
    for slice in [
        "Axial slice",
        "Coronal slice",
        "Sagittal slice",
        "Cortical surface",
    ] {
        assert!(named(&harness, slice).is_some(), "{slice} is shown");
    }

    harness
        .get_by_role_and_label(egui::accesskit::Role::Button, "Stimuli")
        .click();
    harness.run_steps(3);
    let first = harness
        .state()
        .session()
        .study
        .as_ref()
        .expect("study")
        .stimuli[0]
        .id
        .clone();
    harness.get_by_label(&format!("Stimulus {first}")).click();
    harness.run_steps(3);
    assert_eq!(harness.state().layout().view.stimulus, Some(first));

    harness
        .get_by_role_and_label(egui::accesskit::Role::Button, "Reconstructions")
        .click();
    harness.run_steps(3);
    harness
        .get_by_role_and_label(egui::accesskit::Role::Button, "Decode")
        .click();
    harness.run_steps(2);
    wait(&mut harness, "a reconstruction", |h| {
        named(h, "Reconstruction of trial").is_some()
    });
    wait(&mut harness, "the end of decoding", |h| {
        !h.state().is_busy(Kind::Decode)
    });
    assert_eq!(failures(&harness), Vec::<String>::new());

    // Beside its stimulus: same trial, same height, to the right of it.
    let stimulus = named(&harness, "Stimulus of trial 1:")
        .expect("stimulus of trial 1")
        .rect();
    let reconstruction = named(&harness, "Reconstruction of trial 1:")
        .expect("reconstruction of trial 1")
        .rect();
    assert!(
        reconstruction.left() >= stimulus.right(),
        "{stimulus} {reconstruction}"
    );
    assert!(
        (reconstruction.center().y - stimulus.center().y).abs() < 1.0,
        "{stimulus} {reconstruction}"
    );

    harness.get_by_label("Trial 2").click();
    harness.run_steps(3);
    let bench = harness.state();
    let decoded = bench.session().decoded.as_ref().expect("decoded");
    assert!(decoded.complete);
    assert_eq!(
        bench.layout().view.trial,
        Some(decoded.decoded.trials[1].trial)
    );
    assert_eq!(
        bench.layout().view.stimulus,
        decoded.decoded.trials[1].stimulus_id
    );
    assert!(
        named(&harness, "Selected reconstruction").is_some(),
        "the pair is shown large"
    );
    let two_way = decoded.decoded.scores.two_way.expect("two-way score");
    assert!(
        two_way.value > two_way.chance + 0.1,
        "the demo is decodable: {two_way:?}"
    );

    harness.get_by_label("Sort by Pixcorr").click();
    harness.run_steps(3);
    assert_eq!(harness.state().layout().view.sort, Sort::Pixcorr);

    // A trial of another run brings that run's time course.
    let decoded = &harness
        .state()
        .session()
        .decoded
        .as_ref()
        .expect("decoded")
        .decoded;
    let last = decoded.trials.last().expect("trials");
    let (trial, run) = (last.trial, last.fold.clone());
    assert_ne!(
        harness
            .state()
            .session()
            .run
            .as_ref()
            .map(|r| r.label.clone()),
        Some(run.clone())
    );
    send(
        &mut harness,
        Command::Change {
            change: Change::Trial(trial),
            merge: false,
        },
    );
    wait(&mut harness, "the run of the selected trial", |h| {
        h.state()
            .session()
            .run
            .as_ref()
            .is_some_and(|r| r.label == run)
    });

    // Nothing moves: nothing is drawn again.
    wait(&mut harness, "rest", |h| !h.state().is_busy(Kind::Project));
    harness.run_steps(2);
    let drawn = harness.state().n_draws();
    harness.run_steps(5);
    assert_eq!(
        harness.state().n_draws(),
        drawn,
        "scenes are drawn only when they change"
    );

    // Another volume of the run becomes the map of one volume; undo brings the first back.
    let shown = |harness: &Harness<'static, Workbench>| {
        let session = harness.state().session();
        let map = session.map(MapId::Frame).expect("a run has volumes");
        let run = session.run.as_ref().expect("a run");
        (0..run.series.n_times).find(|&t| {
            let volume = map.volume().expect("on a grid");
            run.series.values_at(t) == &volume.data[..]
        })
    };
    assert_eq!(shown(&harness), Some(0));
    let (change, merge) = (Change::Frame(5), false);
    send(&mut harness, Command::Change { change, merge });
    assert_eq!(shown(&harness), Some(5));
    send(&mut harness, Command::Undo);
    assert_eq!(shown(&harness), Some(0));

    the_inspector_knows_what_was_planted(&mut harness);
}

/// In the middle of the area that was made to answer to faces, the voxel with the highest ceiling says “face”.
fn the_inspector_knows_what_was_planted(harness: &mut Harness<'static, Workbench>) {
    harness
        .get_by_role_and_label(egui::accesskit::Role::Button, "Voxel")
        .click();
    wait(harness, "single-trial responses", |h| {
        h.state().session().responses.is_some()
    });
    let session = harness.state().session();
    let responses = session.responses.as_ref().expect("responses");
    let ceiling = responses
        .ceiling
        .as_ref()
        .expect("pictures are shown again");
    let (_, at) = (0..responses.n_voxels())
        .filter_map(|column| {
            let at = responses.world_of(column)?;
            let in_ffa = session.region_at(at)?.name == "FFA";
            in_ffa.then_some((ceiling[column], at))
        })
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .expect("voxels of the FFA");
    let (change, merge) = (Change::Crosshair(at), false);
    send(harness, Command::Change { change, merge });
    harness.run_steps(2);
    let bars: Vec<_> = [
        "animal", "body", "face", "food", "place", "tool", "vehicle", "word",
    ]
    .map(|category| {
        let words = format!("{category}: mean");
        let bar = named(harness, &words).expect("a bar for each category");
        (bar.rect().top(), category)
    })
    .into();
    let top = bars.iter().min_by(|a, b| a.0.total_cmp(&b.0));
    assert_eq!(top.map(|bar| bar.1), Some("face"));
    assert!(named(harness, "Response").is_some(), "stimuli are shown");
    assert_eq!(failures(harness), Vec::<String>::new());
    an_encoding_model_is_fitted_and_shown(harness);
}

/// The model's scores of the same voxel stand beside its ceiling, and as a map.
fn an_encoding_model_is_fitted_and_shown(harness: &mut Harness<'static, Workbench>) {
    use fusiform_pipelines::encode::features::Features;
    let by_hand = harness
        .query_all_by_label("Fit encoding model")
        .next()
        .is_some();
    assert!(by_hand, "a button fits it");
    send(
        harness,
        Command::Encode(vec![Features::Category, Features::Words]),
    );
    wait(harness, "an encoding model", |h| {
        h.state().session().encoded.is_some()
    });
    harness.run_steps(3);
    let session = harness.state().session();
    let encoded = &session.encoded.as_ref().expect("a model").encoded;
    let counted = encoded.counted();
    let r = encoded.r_over(&counted);
    assert!(r.value > 0.1 && r.shuffled.abs() < 0.05, "{r:?}");
    for id in [MapId::Encoded, MapId::OfCeiling] {
        assert!(session.map(id).is_some(), "{id:?}");
    }
    assert!(named(harness, "Encoding model: R²").is_some(), "the bar");
    assert_eq!(failures(harness), Vec::<String>::new());
}

#[test]
fn a_bad_file_is_reported_and_the_session_goes_on() {
    if !driver() {
        return;
    }
    let folder = tempfile::tempdir().expect("folder");
    let bad = folder.path().join("broken.nii.gz");
    std::fs::write(&bad, b"\x1f\x8bthis is no volume").expect("write");
    let mut harness = window(vec![bad.clone()]);
    wait(&mut harness, "the message", |h| !failures(h).is_empty());
    assert!(
        failures(&harness)[0].contains("broken.nii.gz"),
        "{:?}",
        failures(&harness)
    );
    let lines = fusiform::log::install().lines(LevelFilter::Error);
    assert!(
        lines.iter().any(|l| l.text.contains("broken.nii.gz")),
        "the log has it too"
    );

    assert!(
        named(&harness, "broken.nii.gz").is_some(),
        "the message is on the screen"
    );
    harness.get_by_label("Dismiss").click();
    harness.run_steps(3);
    assert_eq!(failures(&harness), Vec::<String>::new());

    // The session goes on: the same window opens something else, and menus answer.
    let missing = folder.path().join("nowhere");
    send(&mut harness, Command::Open(vec![missing]));
    wait(&mut harness, "the second message", |h| {
        !failures(h).is_empty()
    });
    assert!(failures(&harness)[0].contains("nowhere"));
    harness
        .get_by_role_and_label(egui::accesskit::Role::Button, "Log")
        .click();
    harness.run_steps(3);
    assert!(
        named(&harness, "Copy").is_some(),
        "the log panel came to the front"
    );
}

#[test]
fn a_crosshair_drag_is_undone_as_one_and_redone() {
    if !driver() {
        return;
    }
    // No study is needed for the crosshair to move.
    let mut harness = window(vec![PathBuf::from("/nowhere/at/all")]);
    let at = |x: f64| Change::Crosshair(DVec3::new(x, 0.0, 0.0));
    let crosshair =
        |h: &Harness<'static, Workbench>| h.state().layout().view.crosshair().map(|c| c.x);
    send(
        &mut harness,
        Command::Change {
            change: at(1.0),
            merge: false,
        },
    );
    send(
        &mut harness,
        Command::Change {
            change: at(2.0),
            merge: false,
        },
    );
    for x in [3.0, 4.0, 5.0] {
        send(
            &mut harness,
            Command::Change {
                change: at(x),
                merge: true,
            },
        );
    }
    assert_eq!(crosshair(&harness), Some(5.0));
    harness.get_by_label("Undo").click();
    harness.run_steps(3);
    assert_eq!(crosshair(&harness), Some(1.0), "the drag is one step");
    harness.get_by_label("Redo").click();
    harness.run_steps(3);
    assert_eq!(crosshair(&harness), Some(5.0));
    harness.key_press_modifiers(egui::Modifiers::COMMAND, egui::Key::Z);
    harness.run_steps(3);
    harness.key_press_modifiers(egui::Modifiers::COMMAND, egui::Key::Z);
    harness.run_steps(3);
    assert_eq!(crosshair(&harness), None, "back to where nothing was set");

    assert!(named(&harness, "Help: mouse and keys").is_none());
    harness.event(egui::Event::Text("?".into()));
    harness.run_steps(3);
    assert!(
        named(&harness, "Help: mouse and keys").is_some(),
        "? shows the help"
    );
    harness.key_press(egui::Key::Escape);
    harness.run_steps(3);
    assert!(
        named(&harness, "Help: mouse and keys").is_none(),
        "Escape hides it"
    );
}

#[test]
fn a_saved_layout_comes_back_and_only_what_is_damaged_is_as_at_first() {
    let mut layout = Layout::default();
    layout.dark = false;
    layout.view.radiological = true;
    layout.view.crosshair_mm = Some([1.5, -2.25, 3.0]);
    layout.view.sort = Sort::Ssim;
    let region = |name: &str, first: u32| {
        let grid = Grid {
            shape: [4, 4, 4],
            world_from_voxel: glam::DAffine3::IDENTITY,
        };
        let voxels = Mask::of(grid, (first..first + 5).collect());
        Arc::new(Roi::of_voxels(name, [1, 2, 3], voxels))
    };
    layout.view.regions.own = vec![region("good", 3), region("bad", 7), region("last", 11)];
    layout.view.regions.hidden.insert("last".into());
    let text = layout.to_text();
    // Regions are kept with their subject, of which none is open here.
    let view_text = serde_json::to_string(&layout.view).expect("json");
    let (back, left_out) = Layout::from_text(&text);
    assert_eq!(left_out, Vec::<String>::new());
    assert!(!back.dark);
    assert_eq!(back.tree, layout.tree);
    let with_view = |view: &str| {
        let mut saved: serde_json::Value = serde_json::from_str(&text).expect("json");
        saved["view"] = serde_json::from_str(view).expect("json");
        Layout::from_text(&saved.to_string())
    };
    let (back, left_out) = with_view(&view_text);
    assert_eq!((back.view, left_out.len()), (layout.view.clone(), 0));

    // One damaged region is left out and named; nothing else is lost.
    let damaged = view_text.replace("[7,5]", "[7,500]");
    assert_ne!(damaged, view_text);
    let (back, left_out) = with_view(&damaged);
    let names: Vec<&str> = back.view.regions.own.iter().map(|r| &*r.name).collect();
    assert_eq!(names, ["good", "last"]);
    assert!(!back.view.regions.shows("last") && back.view.radiological);
    assert!(
        left_out.len() == 1 && left_out[0].contains("bad"),
        "{left_out:?}"
    );

    // One damaged field is as at first; the others stay.
    let fresh = Layout::default();
    for (from, to, word) in [
        ("[1.5,-2.25,3.0]", "[1e999,0.0,0.0]", "all of it"),
        ("[1.5,-2.25,3.0]", "[1.5,\"two\",3.0]", "crosshair mm"),
        ("\"zoom\":1.0", "\"zoom\":-7.0", "zoom"),
        ("\"grey\":null", "\"grey\":[5.0,2.0]", "grey"),
        ("\"dark\":false", "\"dark\":3", "dark"),
    ] {
        let damaged = text.replace(from, to);
        assert_ne!(damaged, text, "the damage did something");
        let (back, left_out) = Layout::from_text(&damaged);
        assert!(
            left_out.len() == 1 && left_out[0].contains(word),
            "{word}: {left_out:?}"
        );
        if word != "all of it" {
            assert!(
                back.view.radiological && back.view.sort == Sort::Ssim,
                "{word}"
            );
            assert_eq!(back.tree, layout.tree);
        }
    }
    let twice = text.replace(
        &format!("\"{:?}\"", Pane::Surface),
        &format!("\"{:?}\"", Pane::Slices),
    );
    let (back, left_out) = Layout::from_text(&twice);
    assert_eq!(back.tree, fresh.tree);
    assert!(
        back.view.radiological && left_out.len() == 1,
        "{left_out:?}"
    );
    for nothing in ["", "not even JSON", "[1]", &text[..text.len() / 2]] {
        let (back, left_out) = Layout::from_text(nothing);
        assert_eq!((back.view, left_out.len()), (fresh.view.clone(), 1));
    }

    // What earlier versions saved, without fields that came later, is read whole.
    let mut old: serde_json::Value = serde_json::from_str(&text).expect("json");
    old["version"] = 1.into();
    let view = old["view"].as_object_mut().expect("fields");
    for new in [
        "stack",
        "grey",
        "pinned",
        "select",
        "regions",
        "surface_shift_mm",
    ] {
        view.remove(new);
    }
    view.insert("gone".into(), 7.into());
    for new in ["mouse", "kept"] {
        old.as_object_mut().expect("fields").remove(new);
    }
    let (back, left_out) = Layout::from_text(&old.to_string());
    assert_eq!(left_out, Vec::<String>::new());
    assert!(back.view.radiological && back.view.crosshair_mm == layout.view.crosshair_mm);
}

#[test]
fn what_cannot_be_read_of_a_saved_layout_is_said_in_the_window() {
    if !driver() {
        return;
    }
    let mut harness = window(vec![PathBuf::from("/nowhere/at/all")]);
    let left_out = ["the region bad of the view (damaged)".to_owned()];
    harness.state_mut().say_left_out(&left_out);
    harness.run_steps(3);
    assert!(named(&harness, "the region bad").is_some());
}

/// Everything a screen reader finds of a text, with where it is.
fn rects(harness: &Harness<'static, Workbench>, words: &str) -> Vec<egui::Rect> {
    let all = harness.query_all_by_label_contains(words);
    all.map(|node| node.rect()).collect()
}

#[test]
fn nothing_runs_out_of_a_small_window() {
    if !driver() {
        return;
    }
    let mut harness = window(Vec::new());
    wait(&mut harness, "the demo study", |h| {
        let bench = h.state();
        bench.session().run.is_some() && !bench.is_busy(Kind::Open) && !bench.is_busy(Kind::Subject)
    });
    let pinned = ["V1", "V2", "FFA", "PPA", "EBA", "LO"].map(str::to_owned);
    let (change, merge) = (Change::Pinned(pinned.into()), false);
    send(&mut harness, Command::Change { change, merge });
    wait(&mut harness, "the regions' courses", |h| {
        h.state().session().courses.is_some()
    });
    for size in [[1024.0, 700.0], [1440.0, 900.0], [1920.0, 1080.0]] {
        let screen = egui::Rect::from_min_size(egui::Pos2::ZERO, size.into());
        harness.set_size(size.into());
        harness.run_steps(4);
        // The legend of the time course, its plot, and what stands above the pictures.
        for words in [
            "voxel at the crosshair",
            "animal",
            "word",
            "Play",
            "Fit",
            "Lasso",
            "Mosaic",
            "Back",
            "Cortical surface",
            "Sagittal slice",
        ] {
            let found = rects(&harness, words);
            assert!(!found.is_empty(), "{words} is there at {size:?}");
            for rect in found {
                assert!(
                    screen.contains_rect(rect),
                    "{words} at {rect} runs out of {size:?}"
                );
            }
        }
        let surface = rects(&harness, "Cortical surface")[0];
        assert!(
            surface.height() > 0.18 * size[1],
            "the cortex has room: {surface} at {size:?}"
        );
        harness.event(egui::Event::Text("?".into()));
        harness.run_steps(4);
        for words in [
            "Help: mouse and keys",
            "Slices: left drag",
            "undo a change",
            "auto-pick",
        ] {
            let words = if words == "Slices: left drag" {
                "left drag"
            } else {
                words
            };
            for rect in rects(&harness, words) {
                assert!(
                    rect.left() >= 0.0 && rect.right() <= size[0],
                    "{words} at {rect} runs out of {size:?}"
                );
            }
        }
        harness.key_press(egui::Key::Escape);
        harness.run_steps(3);
    }
}
