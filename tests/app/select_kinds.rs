//! The Select panel with every kind of features: all conditions at once, the best combination, kinds against each other,
//! several kinds in one basket.

use egui::Key;
use fusiform::command::{Command, Select as Ask};
use fusiform::jobs::Kind;
use fusiform::layout::SelectLook;
use fusiform::session::MapId;
use fusiform::session::selected::Purpose;
use fusiform_pipelines::select::{FeatureKind, FeatureRef, Mix, Search, Windows};

use super::select_panel::{Window, key, look, press, set, typed};
use super::window::{driver, failures, named, send, wait, window};

/// Makes the map of other settings.
fn mapped(harness: &mut Window, look: SelectLook) {
    let kind = look.kind;
    let classes = if look.every { 3 } else { 2 };
    set(harness, look);
    send(harness, Command::Select(Ask::Extract));
    wait(harness, "features", |h| {
        let selected = &h.state().session().selected;
        let made = selected.extracted.as_ref();
        made.is_some_and(|e| e.table.kind == kind && e.table.classes.len() >= classes)
            && selected.map.is_some()
            && !h.state().is_busy(Kind::Extract)
    });
    assert_eq!(failures(harness), Vec::<String>::new(), "{kind:?}");
}

#[test]
fn every_kind_is_mapped_searched_compared_and_mixed() {
    if !driver() {
        return;
    }
    let folder = tempfile::tempdir().expect("folder");
    let mut harness = window(Vec::new());
    harness
        .state_mut()
        .keep_attempts(folder.path().join("attempts"));
    wait(&mut harness, "the demo study", |h| {
        let bench = h.state();
        bench.session().run.is_some() && !bench.is_busy(Kind::Open) && !bench.is_busy(Kind::Subject)
    });
    // Typed at once, while events are read still: nothing of it is lost.
    key(&mut harness, Key::S);
    typed(&mut harness, "body");
    key(&mut harness, Key::Enter);
    typed(&mut harness, "tool");
    key(&mut harness, Key::Enter);
    key(&mut harness, Key::N);
    wait(
        &mut harness,
        "the map of what was typed, and its picks",
        |h| {
            let look = &h.state().layout().view.select;
            (look.a.as_str(), look.b.as_str()) == ("body", "tool")
                && look.basket.features.len() == 20
        },
    );
    assert_eq!(failures(&harness), Vec::<String>::new());

    // Every condition a class, and the best number of the strongest five.
    let mut every = look(&harness);
    every.every = true;
    every.plan.n_permutations = 19;
    every.plan.pick.n = 5;
    // With nothing in the basket nothing is trained; keys pressed while the map is made are not lost.
    set(&mut harness, every);
    send(&mut harness, Command::Select(Ask::Extract));
    key(&mut harness, Key::N);
    wait(&mut harness, "the map and its strongest features", |h| {
        h.state().layout().view.select.basket.features.len() == 5
    });
    assert_eq!(failures(&harness), Vec::<String>::new());
    let emptied = look(&harness).emptied();
    set(&mut harness, emptied);
    send(
        &mut harness,
        Command::Select(Ask::Score(Purpose::Basket, false)),
    );
    let messages = &harness.state().session().messages;
    assert!(
        messages
            .iter()
            .any(|m| m.text.contains("The basket is empty"))
    );
    press(&mut harness, "Find best combination");
    wait(&mut harness, "the best combination", |h| {
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
    assert!(
        outcome.repicked.accuracy > 2.0 * outcome.chance,
        "{:?}",
        outcome.repicked
    );
    assert!(outcome.optimistic.is_some() && outcome.repicked.p == Some(0.05));
    let chosen = &outcome.repicked.folds[0].choice;
    assert!(
        chosen.as_ref().is_some_and(|c| c.starts_with("the first")),
        "{chosen:?}"
    );
    let basket = look(&harness).basket.features;
    assert!(
        (1..=5).contains(&basket.len()),
        "what did best is in the basket"
    );
    assert!(named(&harness, "Fixed basket: accuracy").is_some());

    // Region by region: the list ranks what was made to like faces or places first.
    let mut two = look(&harness).emptied();
    (two.a, two.b, two.every) = ("face".into(), "place".into(), false);
    two.plan.search = Search::Regions;
    two.kind = FeatureKind::RoiMeans;
    mapped(&mut harness, two.clone());
    let selected = &harness.state().session().selected;
    let table = &selected.extracted.as_ref().expect("features").table;
    for &column in &selected.map.as_ref().expect("a map").order[..3] {
        let region = &table.regions[table.columns[column].region.expect("a region")];
        assert!(
            ["FFA", "OFA", "PPA", "OPA", "RSC"].contains(&region.as_str()),
            "{region}"
        );
    }

    // Vertices lie on the sheet.
    let vertices = SelectLook {
        kind: FeatureKind::Vertices,
        ..two.clone()
    };
    mapped(&mut harness, vertices);
    let session = harness.state().session();
    let n_shown = session.selected.map.as_ref().expect("a map").n_shown;
    let sheets = session
        .map(MapId::Select)
        .expect("a layer")
        .on_sheet
        .iter()
        .flatten();
    let drawn = sheets
        .flat_map(|s| s.values.iter())
        .filter(|v| v.is_finite());
    assert!(n_shown > 20);
    assert_eq!(drawn.count(), n_shown);

    // Voxels, means and connections of series of trials: one list, one basket, one score.
    let kinds = [
        FeatureKind::Voxels,
        FeatureKind::RoiMeans,
        FeatureKind::FcEdges(Windows::Trials(6)),
    ];
    let mix = FeatureKind::Mixed(Mix::of(&kinds).expect("a mix"));
    let mut mixed = SelectLook { kind: mix, ..two };
    mixed.plan.search = Search::None;
    mapped(&mut harness, mixed);
    let selected = &harness.state().session().selected;
    let table = selected.extracted.as_ref().expect("features").table.clone();
    let edge = table
        .columns
        .iter()
        .position(|c| matches!(c.feature, FeatureRef::FcEdge { .. }));
    let mean = table
        .columns
        .iter()
        .position(|c| matches!(c.feature, FeatureRef::RoiMean { .. }));
    for column in [edge.expect("an edge"), mean.expect("a mean"), 0] {
        send(
            &mut harness,
            Command::Select(Ask::CollectColumn(column, false)),
        );
    }
    assert_eq!(look(&harness).basket.features.len(), 3);
    assert!(
        harness.state().session().map(MapId::Select).is_some(),
        "its voxels are drawn"
    );
    press(&mut harness, "Train");
    wait(&mut harness, "the second attempt", |h| {
        let scored = &h.state().session().selected.scored;
        scored.as_ref().is_some_and(|s| s.number == 2)
    });
    assert_eq!(failures(&harness), Vec::<String>::new());

    // Kinds against each other, the mix among them; then back to the first attempt, and out as JSON.
    let compared = vec![
        FeatureKind::RoiMeans,
        FeatureKind::FcEdges(Windows::Trials(6)),
        mix,
    ];
    send(&mut harness, Command::Select(Ask::Compare(compared)));
    wait(&mut harness, "the comparison", |h| {
        let found = &h.state().session().selected.compared;
        found.as_ref().is_some_and(|f| f.len() == 3) && !h.state().is_busy(Kind::Compare)
    });
    let families = harness
        .state()
        .session()
        .selected
        .compared
        .clone()
        .expect("families");
    assert!(
        families.iter().all(|f| f.evaluation.is_ok()),
        "{families:?}"
    );
    assert!(families[2].difference.is_some());
    press(&mut harness, "Attempt 1:");
    wait(&mut harness, "its features", |h| {
        let bench = h.state();
        bench
            .session()
            .selected
            .is_current(&bench.layout().view.select)
    });
    assert_eq!(look(&harness).basket.features, basket);
    assert!(look(&harness).every);
    let file = folder.path().join("attempts.json");
    send(&mut harness, Command::Select(Ask::Export(file.clone())));
    let text = std::fs::read_to_string(file).expect("a file");
    let attempts: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    assert_eq!(attempts.as_array().map(Vec::len), Some(2));
    assert_eq!(attempts[1]["recipe"]["kind"]["mixed"]["voxels"], true);
}
