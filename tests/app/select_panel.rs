//! The Select panel, from the first key to two scores and back to an earlier attempt.

use egui::Key;
use egui_kittest::Harness;
use fusiform::command::{Change, Command};
use fusiform::jobs::Kind;
use fusiform::layout::{SelectLook, Shown};
use fusiform::session::MapId;
use fusiform::workbench::Workbench;
use fusiform_pipelines::select::{FeatureKind, Statistic};

use super::window::{driver, failures, named, send, wait, window};

pub(super) type Window = Harness<'static, Workbench>;

/// Presses a key on nothing in particular.
pub(super) fn key(harness: &mut Window, key: Key) {
    harness.key_press(key);
    harness.run_steps(3);
}

pub(super) fn typed(harness: &mut Window, text: &str) {
    harness.event(egui::Event::Text(text.into()));
    harness.run_steps(2);
}

/// Clicks what is named so, wherever it is scrolled to.
pub(super) fn press(harness: &mut Window, words: &str) {
    assert!(named(harness, words).is_some(), "“{words}” is there");
    if let Some(node) = named(harness, words) {
        node.scroll_to_me();
    }
    harness.run_steps(12);
    if let Some(node) = named(harness, words) {
        node.click();
    }
    harness.run_steps(3);
}

pub(super) fn look(harness: &Window) -> SelectLook {
    harness.state().layout().view.select.clone()
}

pub(super) fn set(harness: &mut Window, look: SelectLook) {
    let (change, merge) = (Change::Select(Box::new(look)), false);
    send(harness, Command::Change { change, merge });
}

fn busy(harness: &Window, kind: Kind) -> bool {
    harness.state().is_busy(kind)
}

#[test]
fn two_conditions_are_told_apart_from_the_first_key_to_two_scores() {
    if !driver() {
        return;
    }
    let folder = tempfile::tempdir().expect("folder");
    let mut harness = window(Vec::new());
    let attempts = folder.path().join("attempts");
    harness.state_mut().keep_attempts(attempts.clone());
    wait(&mut harness, "the demo study", |h| {
        let bench = h.state();
        bench.session().run.is_some() && !bench.is_busy(Kind::Open) && !bench.is_busy(Kind::Subject)
    });

    // S, face, Enter, place, Enter: the map.
    key(&mut harness, Key::S);
    wait(&mut harness, "the fields", |h| {
        named(h, "Condition A").is_some()
    });
    harness.run_steps(3);
    typed(&mut harness, "face");
    key(&mut harness, Key::Enter);
    harness.run_steps(3);
    typed(&mut harness, "place");
    key(&mut harness, Key::Enter);
    assert_eq!(
        (look(&harness).a.as_str(), look(&harness).b.as_str()),
        ("face", "place")
    );
    wait(&mut harness, "the map", |h| {
        h.state().session().selected.map.is_some()
    });
    assert_eq!(failures(&harness), Vec::<String>::new());
    let bench = harness.state();
    let selected = &bench.session().selected;
    let now = selected.map.as_ref().expect("a map");
    assert!(now.n_shown > 20, "{} features at q ≤ 0.05", now.n_shown);
    assert_eq!(
        bench.layout().view.map,
        Some(MapId::Select),
        "it lies over the anatomy"
    );
    let map = bench.session().map(MapId::Select).expect("a map layer");
    let drawn = map.volume().expect("on a grid").data.iter();
    assert_eq!(drawn.filter(|v| v.is_finite()).count(), now.n_shown);
    // What the demo planted: the strongest voxels lie where faces or places are answered to.
    let table = &selected.extracted.as_ref().expect("features").table;
    let planted = ["FFA", "OFA", "PPA", "OPA", "RSC", "STS"];
    for &column in now.order.iter().take(5) {
        let region = table.columns[column]
            .region
            .map(|r| table.regions[r].as_str());
        assert!(region.is_some_and(|r| planted.contains(&r)), "{region:?}");
    }
    assert!(named(&harness, "Histogram of R²").is_some());

    // N: the basket, its features apart.
    key(&mut harness, Key::N);
    let basket = look(&harness).basket;
    assert_eq!(basket.features.len(), 20);
    assert_eq!(basket.seen_runs.len(), 10);
    let places: Vec<_> = harness.state().session().selected.members.iter().collect();
    for (n, a) in places.iter().enumerate() {
        assert!(a.on_cortex.is_some() || a.world_mm.is_some());
        for b in &places[..n] {
            let apart = a.world_mm.zip(b.world_mm).map(|(a, b)| a.distance(b));
            assert!(apart.is_some_and(|mm| mm >= 8.0), "{apart:?}");
        }
    }

    // Train: both scores, and the badge on the one that flatters.
    let mut few = look(&harness);
    few.plan.n_permutations = 99;
    set(&mut harness, few);
    press(&mut harness, "Train");
    wait(&mut harness, "scores", |h| {
        h.state().session().selected.scored.is_some()
    });
    assert_eq!(failures(&harness), Vec::<String>::new());
    let scored = harness
        .state()
        .session()
        .selected
        .scored
        .clone()
        .expect("scores");
    let outcome = &scored.outcome;
    assert!(outcome.optimistic.is_some());
    assert!(outcome.fixed.p.is_none() && outcome.repicked.p.is_some_and(|p| p <= 0.02));
    assert!(
        outcome.repicked.accuracy > 0.8,
        "{}",
        outcome.repicked.accuracy
    );
    assert!((outcome.chance - 0.5).abs() < 0.05);
    let fixed = named(&harness, "Fixed basket: accuracy").expect("the fixed score");
    let badge = "no p, optimistic: picked on the same runs";
    assert!(named(&harness, badge).is_some(), "the badge is read out");
    let (left, right) = (
        fixed.rect(),
        named(&harness, "Re-picked every fold: accuracy")
            .expect("the honest score")
            .rect(),
    );
    assert!(left.right() <= right.left() && (left.center().y - right.center().y).abs() < 1.0);
    assert!(named(&harness, "Scores of 10 folds").is_some());
    let first = look(&harness);

    // Without a run the map is another; training on it again is known as the same attempt, and brought back.
    let before = harness
        .state()
        .session()
        .selected
        .map
        .clone()
        .expect("a map")
        .map
        .values;
    press(&mut harness, "Run 10 in the map");
    let now = harness
        .state()
        .session()
        .selected
        .map
        .clone()
        .expect("a map");
    assert_eq!(now.map.runs.len(), 9);
    assert_ne!(now.map.values, before);
    press(&mut harness, "Train");
    assert!(named(&harness, "Tried before, as attempt 1").is_some());
    press(&mut harness, "Show attempt 1");
    assert_eq!(look(&harness), first);
    let back = harness
        .state()
        .session()
        .selected
        .map
        .clone()
        .expect("a map");
    assert_eq!(back.map.values, before);

    // Other features, another statistic, a second attempt; a click on the first brings all of it back.
    let mut other = look(&harness);
    other.kind = FeatureKind::RoiMeans;
    other.statistic = Statistic::T;
    other.shown = Shown::Strongest(5);
    set(&mut harness, other);
    wait(&mut harness, "means of regions", |h| {
        let extracted = h.state().session().selected.extracted.as_ref();
        extracted.is_some_and(|e| e.table.kind == FeatureKind::RoiMeans)
    });
    assert!(
        named(&harness, "Feature FFA: Welch's t").is_some(),
        "regions are listed"
    );
    key(&mut harness, Key::N);
    key_with_ctrl(&mut harness, Key::Enter);
    wait(&mut harness, "the second attempt", |h| {
        let scored = &h.state().session().selected.scored;
        scored.as_ref().is_some_and(|s| s.number == 2)
    });
    assert_eq!(failures(&harness), Vec::<String>::new());
    press(&mut harness, "Attempt 1: face / place");
    wait(&mut harness, "its features", |h| {
        let bench = h.state();
        bench
            .session()
            .selected
            .is_current(&bench.layout().view.select)
    });
    assert_eq!(look(&harness), first);
    let session = harness.state().session();
    assert_eq!(session.selected.scored.as_ref().map(|s| s.number), Some(1));
    assert_eq!(
        session.selected.map.as_ref().expect("a map").map.values,
        before
    );

    // The file keeps both, for the next window and for a spreadsheet.
    let files: Vec<_> = std::fs::read_dir(&attempts).expect("a folder").collect();
    assert_eq!(files.len(), 1);
    let table = folder.path().join("attempts.csv");
    let export = fusiform::command::Select::Export(table.clone());
    send(&mut harness, Command::Select(export));
    let text = std::fs::read_to_string(&table).expect("a table");
    assert_eq!(text.lines().count(), 3, "{text}");

    what_is_under_the_pointer_is_collected(&mut harness);
}

fn key_with_ctrl(harness: &mut Window, key: Key) {
    harness.key_press_modifiers(egui::Modifiers::COMMAND, key);
    harness.run_steps(3);
}

/// Keys and clicks add a voxel, a cluster, a connection.
fn what_is_under_the_pointer_is_collected(harness: &mut Window) {
    press(harness, "Clear");
    assert!(look(harness).basket.features.is_empty());
    let selected = &harness.state().session().selected;
    let now = selected.map.as_ref().expect("a map");
    let table = &selected.extracted.as_ref().expect("features").table;
    let strongest = &table.columns[now.order[0]];
    let (feature, at) = (
        strongest.feature.clone(),
        strongest.world_mm.expect("a place"),
    );
    let (change, merge) = (Change::Crosshair(at), false);
    send(harness, Command::Change { change, merge });
    key(harness, Key::A);
    assert_eq!(look(harness).basket.features, [feature]);
    harness.key_press_modifiers(egui::Modifiers::SHIFT, Key::A);
    harness.run_steps(3);
    let cluster = look(harness).basket.features.len();
    assert!(cluster > 3, "{cluster} voxels of a cluster");
    press(harness, "Clear");

    // A click on a slice, when clicks add.
    press(harness, "clicks add");
    press(harness, "Axial slice");
    let messages = &harness.state().session().messages;
    let outside = messages
        .iter()
        .any(|m| m.text.contains("No feature lies here"));
    let added = look(harness).basket.features.len();
    assert!(
        added == 1 || outside,
        "the middle of the slice is a voxel of the mask, or that is said"
    );

    // Connections are a matrix; the pair under the pointer goes into the basket.
    let mut edges = look(harness);
    edges.kind = FeatureKind::FcEdges(fusiform_pipelines::select::Windows::Trials(6));
    edges.click_adds = false;
    set(harness, edges);
    key(harness, Key::E);
    wait(harness, "connections", |h| {
        let extracted = h.state().session().selected.extracted.as_ref();
        extracted.is_some_and(|e| matches!(e.table.kind, FeatureKind::FcEdges(_)))
            && !busy(h, Kind::Extract)
    });
    harness.run_steps(2);
    assert_eq!(failures(harness), Vec::<String>::new());
    press(harness, "Connections of regions");
    let features = look(harness).basket.features;
    assert!(
        matches!(
            features.as_slice(),
            [fusiform_pipelines::select::FeatureRef::FcEdge { .. }]
        ),
        "{features:?}"
    );
}
