//! One place in every panel: a click anywhere moves all the others, to the voxel and the vertex.

use egui::{Event, Key, Modifiers, PointerButton, Pos2, vec2};
use egui_kittest::Harness;
use egui_kittest::kittest::Queryable;
use fusiform::command::Command;
use fusiform::jobs::Kind;
use fusiform::layout::Pane;
use fusiform::session::MapId;
use fusiform::workbench::Workbench;
use fusiform_pipelines::clusters::{ClusterPlan, by_region, clusters};
use glam::DVec3;

use crate::window::{driver, failures, named, send, wait, window};

type Window = Harness<'static, Workbench>;

fn click(harness: &mut Window, pos: Pos2) {
    let button = |pressed| Event::PointerButton {
        pos,
        button: PointerButton::Primary,
        pressed,
        modifiers: Modifiers::NONE,
    };
    harness.event(Event::PointerMoved(pos));
    harness.step();
    harness.event(button(true));
    harness.step();
    harness.event(button(false));
    harness.run_steps(3);
}

/// What is put on the clipboard in the next frames.
fn copied(harness: &mut Window) -> Option<String> {
    (0..4).find_map(|_| {
        harness.step();
        let commands = harness.output().platform_output.commands.iter();
        commands.into_iter().find_map(|command| match command {
            egui::OutputCommand::CopyText(text) => Some(text.clone()),
            _ => None,
        })
    })
}

fn crosshair(harness: &Window) -> DVec3 {
    harness
        .state()
        .layout()
        .view
        .crosshair()
        .expect("a crosshair")
}

/// What the panels say of the place: the world position and the voxel of the run whose time course is drawn.
fn says_where_it_is(harness: &Window) {
    let at = crosshair(harness);
    let tenth = |mm: f64| {
        let rounded = (mm * 10.0).round() / 10.0;
        format!("{:.1}", if rounded == 0.0 { 0.0 } else { rounded })
    };
    let words = format!("{}, {}, {} mm", tenth(at.x), tenth(at.y), tenth(at.z));
    assert!(
        named(harness, &words).is_some(),
        "{words} is below the slices"
    );
    let grid = harness.state().session().bold_grid().expect("a run");
    let words = match grid.voxel_at(at) {
        Some([i, j, k]) => format!("voxel {i}, {j}, {k}"),
        None => "outside".to_owned(),
    };
    assert!(
        named(harness, &words).is_some(),
        "{words} is below the slices"
    );
}

#[test]
fn a_click_anywhere_moves_every_panel() {
    if !driver() {
        return;
    }
    let mut harness = window(Vec::new());
    wait(&mut harness, "the demo study", |h| {
        let bench = h.state();
        let busy = [Kind::Open, Kind::Subject, Kind::Project].map(|kind| bench.is_busy(kind));
        bench.session().run.is_some() && !busy.contains(&true)
    });

    // On a slice: in its plane, and twice as far for twice the way.
    let slice = named(&harness, "Axial slice").expect("a slice").rect();
    let before = crosshair(&harness);
    let mut places = Vec::new();
    for step in [0.0, 1.0, 2.0] {
        click(&mut harness, slice.center() + vec2(8.0, -6.0) * step);
        places.push(crosshair(&harness));
        says_where_it_is(&harness);
    }
    assert!(
        places.iter().all(|at| (at.z - before.z).abs() < 1e-6),
        "{places:?}"
    );
    let (one, two) = (places[1] - places[0], places[2] - places[0]);
    assert!(
        one.x > 1.0 && one.y > 1.0,
        "right and up are right and anterior: {one}"
    );
    // The picture's pixels are whole; a click is no finer than the points of the screen.
    assert!(
        (two - 2.0 * one).length() < 0.2 * one.length(),
        "{one} {two}"
    );

    // On the cortex and the flat map: exactly half way through the cortex at some vertex, that of the pixel.
    for key in [Key::I, Key::F] {
        harness.key_press(key);
        harness.run_steps(3);
        let surface = named(&harness, "Cortical surface").expect("surface").rect();
        let before = crosshair(&harness);
        click(&mut harness, surface.center() + vec2(-60.0, 20.0));
        let at = crosshair(&harness);
        assert_ne!(at, before, "{key:?}: the click hit the cortex");
        let session = harness.state().session();
        let nearest = session.subject.cortex.iter().flat_map(|h| {
            let n = h.shapes[0].1.vertices.len();
            (0..n).filter_map(|v| Some(h.anatomical_mm(v)?.as_dvec3().distance(at)))
        });
        let nearest = nearest.fold(f64::INFINITY, f64::min);
        assert!(nearest < 1e-4, "{key:?}: {nearest} mm from a vertex");
        says_where_it_is(&harness);
    }

    // In the tables: the first cluster by its peak, the last by its size, and a region.
    send(&mut harness, Command::Reveal(Pane::Tables));
    harness.run_steps(3);
    let bench = harness.state();
    let map = bench.session().map(MapId::Tsnr).expect("a map");
    let look = bench.layout().view.look(map);
    let volume = map.volume().expect("numbers").clone();
    let atlas = bench
        .session()
        .subject
        .atlas
        .as_ref()
        .expect("an atlas")
        .atlas
        .clone();
    let plan = ClusterPlan {
        threshold: look.threshold,
        two_sided: look.two_sided,
        ..ClusterPlan::default()
    };
    let found = clusters(&volume, &plan).expect("clusters");
    let largest = found.iter().max_by_key(|c| c.voxels.len()).expect("one");
    harness.get_by_label("Order by voxels").click();
    harness.run_steps(3);
    // Copied and saved as it is ordered, with its numbers in full.
    harness.get_by_label("Copy").click();
    let table = copied(&mut harness).expect("a table on the clipboard");
    let rows: Vec<Vec<&str>> = table
        .lines()
        .map(|line| line.split('\t').collect())
        .collect();
    assert_eq!(
        rows[0],
        ["peak", "x", "y", "z", "voxels", "volume_mm3", "regions"]
    );
    assert_eq!(rows.len(), found.len().min(200) + 1);
    let sizes: Vec<usize> = rows[1..]
        .iter()
        .map(|row| row[4].parse().expect("a size"))
        .collect();
    assert!(sizes.is_sorted_by(|a, b| a >= b), "{sizes:?}");
    assert_eq!(rows[1][0].parse::<f32>(), Ok(largest.peak.value));
    let folder = tempfile::tempdir().expect("folder");
    let path = folder.path().join("clusters.tsv");
    send(
        &mut harness,
        Command::SaveTable(table.clone(), path.clone()),
    );
    assert_eq!(std::fs::read_to_string(&path).expect("written"), table);
    assert!(
        named(&harness, "clusters.tsv").is_some(),
        "what was written is said"
    );
    harness.get_by_label("Dismiss").click();
    harness.run_steps(3);
    send(
        &mut harness,
        Command::SaveTable(table, folder.path().join("no/such/folder.tsv")),
    );
    assert!(failures(&harness)[0].contains("there is no folder"));
    harness.get_by_label("Dismiss").click();
    harness.run_steps(3);
    let size = largest.voxels.len().to_string();
    let first = harness
        .query_all_by_label(&size)
        .next()
        .expect("its size")
        .rect();
    click(&mut harness, first.center());
    assert_eq!(crosshair(&harness), largest.peak.world_mm);
    says_where_it_is(&harness);
    harness
        .query_all_by_label("Regions")
        .max_by(|a, b| a.rect().top().total_cmp(&b.rect().top()))
        .expect("a switch")
        .click();
    harness.run_steps(3);
    let ffa = by_region(&volume, &atlas)
        .into_iter()
        .find(|r| r.name == "FFA");
    let ffa = ffa.expect("the demo has an FFA");
    let row = harness
        .query_all_by_label("FFA")
        .next()
        .expect("its row")
        .rect();
    click(&mut harness, row.center());
    assert_eq!(crosshair(&harness), ffa.peak_mm);

    // In the time course: the volume under the click is the one that is marked, and played on.
    send(&mut harness, Command::Reveal(Pane::TimeCourse));
    harness.run_steps(3);
    let surface = named(&harness, "Cortical surface").expect("surface").rect();
    let axis = named(&harness, "volume 1 of")
        .expect("the marked volume")
        .rect();
    let plot = Pos2::new(surface.center().x + 60.0, (axis.bottom() + 836.0) / 2.0);
    click(&mut harness, plot);
    let frame = harness.state().layout().view.frame;
    assert!(frame > 10, "a volume in the middle of the run: {frame}");
    assert!(named(&harness, &format!("volume {} of", frame + 1)).is_some());
    // Which, by the events: what was shown at that time is selected.
    let bench = harness.state();
    let run = bench.session().run.as_ref().expect("a run");
    let secs = frame as f64 * run.tr_secs.expect("a TR");
    if let Some(id) = &bench.layout().view.stimulus {
        let events = run.events.as_ref().expect("events");
        let near = events.rows.iter().any(|e| {
            e.stim_file.as_ref() == Some(id) && (e.onset_secs - secs).abs() < e.duration_secs + 4.0
        });
        assert!(near, "{id} was shown at {secs} s");
    }

    let n_draws = harness.state().n_draws();
    harness.key_press(Key::Space);
    harness.run_steps(3);
    assert!(named(&harness, "Pause").is_some(), "Space plays");
    wait(&mut harness, "three volumes more", |h| {
        h.state().layout().view.frame >= frame + 3
    });
    harness.key_press(Key::Space);
    harness.run_steps(3);
    let bench = harness.state();
    assert_eq!(bench.layout().view.map, Some(MapId::Frame));
    let shown = bench
        .session()
        .map(MapId::Frame)
        .expect("a map")
        .volume()
        .expect("numbers");
    let run = bench.session().run.as_ref().expect("a run");
    let now = bench.layout().view.frame;
    assert_eq!(
        run.series.values_at(now),
        &shown.data[..],
        "the volume that is marked"
    );
    // Three slices and the surface, for each volume.
    assert!(
        bench.n_draws() >= n_draws + 3 * 4,
        "drawn on slices and surface"
    );
    assert_eq!(failures(&harness), Vec::<String>::new());
}
