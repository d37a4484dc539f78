//! What the Select panel asks for, and what follows from its settings.

use std::path::PathBuf;
use std::sync::Arc;

use fusiform_pipelines::select::cluster::cluster_of;
use fusiform_pipelines::select::history::{Attempt, Recipe};
use fusiform_pipelines::select::pick::pick;
use fusiform_pipelines::select::{
    Basket, Extraction, FeatureKind, FeatureRef, Search, Statistic, Table, TrialTable,
};
use fusiform_pipelines::study::select::Query;
use fusiform_pipelines::surface::{Hemisphere, Shape};
use glam::DVec3;

use super::work::project;
use super::{Change, Command, apply};
use crate::jobs::{Jobs, Kind};
use crate::layout::{Layout, SelectLook, View};
use crate::session::selected::{Extracted, Purpose, ScoredParts, history_file};
use crate::session::{Grade, HemisphereData, MapId, News, Session};
use crate::workbench::select as work;

/// The name of the work that looks for the best combination.
pub(crate) const FINDING: &str = "Finding the best combination";
/// The title of messages of the panel.
const TITLE: &str = "Selecting features";
/// A single feature this far from where somebody points (mm) is not meant.
const REACH_MM: f64 = 6.0;

/// Something the Select panel asks for.
#[derive(Clone, Debug, PartialEq)]
pub enum Select {
    /// What there is to choose from.
    Offer,
    /// Features and their map.
    Extract,
    /// What is at a world point (mm) into the basket; with `true` the cluster or region around it.
    Collect(DVec3, bool),
    /// A column into the basket; with `true` all of its cluster or region.
    CollectColumn(usize, bool),
    /// A feature of the basket out of it, by its place there.
    Remove(usize),
    /// The strongest features as the plan says, in place of the basket.
    AutoPick,
    /// Scores; with `true` although the same was tried before.
    Score(Purpose, bool),
    /// No attempt that was tried before.
    Leave,
    /// Kinds of features against each other.
    Compare(Vec<FeatureKind>),
    /// The state of an attempt, by its number.
    Restore(u64),
    /// The history as a file: CSV, TSV or JSON by its ending.
    Export(PathBuf),
}

/// Carries out what the panel asks for.
pub(super) fn select(session: &mut Session, layout: &mut Layout, jobs: &mut Jobs, what: Select) {
    match what {
        Select::Offer => offer(session, jobs),
        Select::Extract => extract(session, layout, jobs),
        Select::Collect(at, whole) => {
            let column = session.selected.extracted.as_ref().and_then(|e| {
                let column = column_at(session, e, at)?;
                Some(column)
            });
            match column {
                Some(column) => collect(session, layout, jobs, column, whole),
                None if session.selected.extracted.is_some() => session.say(
                    Grade::Note,
                    TITLE,
                    "No feature lies here: point at a voxel of the mask or a region of the map.",
                ),
                None => {}
            }
        }
        Select::CollectColumn(column, whole) => collect(session, layout, jobs, column, whole),
        Select::Remove(place) => {
            let mut look = layout.view.select.clone();
            if place < look.basket.features.len() {
                look.basket.features.remove(place);
                if look.basket.features.is_empty() {
                    look.basket = Basket::default();
                }
                change(session, layout, jobs, look);
            }
        }
        Select::AutoPick => auto_pick(session, layout, jobs),
        Select::Score(purpose, anyway) => score(session, layout, jobs, purpose, anyway),
        Select::Leave => session.selected.duplicate = None,
        Select::Compare(kinds) => compare(session, layout, jobs, kinds),
        Select::Restore(number) => restore(session, layout, jobs, number),
        Select::Export(path) => export(session, &path),
    }
}

fn change(session: &mut Session, layout: &mut Layout, jobs: &mut Jobs, look: SelectLook) {
    let change = Change::Select(Box::new(look));
    let merge = false;
    apply(session, layout, jobs, Command::Change { change, merge });
}

/// Makes what the settings lead to at once: the map of the ticked runs, the places of the basket's features. Starts the
/// work for what takes longer.
pub(super) fn follow(session: &mut Session, layout: &mut Layout, jobs: &mut Jobs) {
    let look = layout.view.select.clone();
    let changed = session.selected.follow_map(&look);
    session
        .selected
        .follow_basket(&look, &session.subject, changed);
    if changed {
        show(session, layout);
        exchange(session, layout, jobs);
    }
    let stale = session.selected.extracted.is_some() && !session.selected.is_current(&look);
    let wanted = (look.a.clone(), look.b.clone(), look.every, look.kind);
    let tried = session.selected.tried.as_ref() == Some(&wanted);
    if stale && !tried && is_quick(session, &look) && !jobs.is_running(Kind::Extract) {
        // What failed is not tried again by itself.
        session.selected.tried = Some(wanted);
        extract(session, layout, jobs);
    }
}

/// Whether other features need no file: the responses are at hand.
fn is_quick(session: &Session, look: &SelectLook) -> bool {
    let (Some(extracted), Some(offer)) = (&session.selected.extracted, &session.selected.offer)
    else {
        return false;
    };
    let from_responses = matches!(
        look.kind,
        FeatureKind::Voxels | FeatureKind::RoiMeans | FeatureKind::RoiPatterns { .. }
    );
    let labels = look
        .contrast(&extracted.source.trials)
        .and_then(|contrast| contrast.label(&extracted.source.trials));
    from_responses && extracted.source.extraction == look.extraction(&offer.usual) && labels.is_ok()
}

/// Stops what belongs to another part of the study.
pub(super) fn stop(jobs: &mut Jobs) {
    for kind in [
        Kind::Offer,
        Kind::History,
        Kind::Extract,
        Kind::Null,
        Kind::Score,
        Kind::Compare,
    ] {
        jobs.stop(kind);
    }
}

/// Takes in what jobs of the panel bring.
pub(super) fn take(session: &mut Session, layout: &mut Layout, jobs: &mut Jobs, news: News) {
    let selected = &mut session.selected;
    match news {
        News::Offer(offer) => {
            selected.offer = Some(offer);
            // The settings came back with a saved view or an attempt: so does their map.
            let look = &layout.view.select;
            let named = look.every || !(look.a.is_empty() || look.b.is_empty());
            if named && !look.basket.features.is_empty() {
                extract(session, layout, jobs);
            }
        }
        News::Extracted(extracted) => {
            selected.extracted = Some(extracted);
            selected.tried = None;
            selected.null_of = None;
            selected.compared = None;
            if layout.view.select.statistic.needs_two()
                && selected
                    .extracted
                    .as_ref()
                    .is_some_and(|e| e.table.classes.len() != 2)
            {
                layout.view.select.statistic = Statistic::R2;
            }
            follow(session, layout, jobs);
            project(session, layout, jobs);
        }
        News::Null(null) => selected.null = Some(null),
        News::Scored(parts, history) => {
            selected.history = Some(history);
            let best = parts.purpose == Purpose::BestCombination;
            let basket = parts.look.basket.clone();
            selected.scored = Some(parts);
            if best {
                let mut look = layout.view.select.clone();
                look.basket = basket;
                change(session, layout, jobs, look);
            }
        }
        News::Compared(families) => selected.compared = Some(families),
        News::History(history) => selected.history = Some(history),
        News::Attempts(Some(path)) => select(session, layout, jobs, Select::Export(path)),
        News::Attempts(None) => session.say(
            Grade::Note,
            TITLE,
            "No file was chosen. Without a desktop dialog, “Copy” puts the table on the clipboard.",
        ),
        _ => {}
    }
}

fn offer(session: &mut Session, jobs: &mut Jobs) {
    let Some(study) = session
        .study
        .clone()
        .filter(|_| session.selected.wants_offer() && !session.partial)
    else {
        return;
    };
    session.selected.asked_offer = true;
    let query = session.resolved_query();
    jobs.start(Kind::Offer, "Reading events", move |run, _| {
        work::offer(&study, &query, run)
    });
    if session.selected.history.is_none() {
        let file = session
            .history_folder
            .as_deref()
            .map(|folder| history_file(folder, &study_name(session), &session.opened));
        jobs.start(Kind::History, "Reading earlier attempts", move |_, _| {
            work::history(file)
        });
    }
}

fn study_name(session: &Session) -> String {
    let name = session.study.as_ref().map(|s| s.name.clone());
    if session.is_demo {
        "demo".into()
    } else {
        name.unwrap_or_default()
    }
}

fn extract(session: &mut Session, layout: &Layout, jobs: &mut Jobs) {
    let look = &layout.view.select;
    let (Some(study), Some(offer)) = (session.study.clone(), session.selected.offer.clone()) else {
        return;
    };
    let contrast = match look.contrast(&offer.trials) {
        Ok(contrast) => contrast,
        Err(error) => {
            session.say(Grade::Failure, TITLE, error.to_string());
            return;
        }
    };
    let wanted = look.extraction(&offer.usual);
    let kind = look.kind;
    let at_hand = session.selected.extracted.as_ref();
    let at_hand = at_hand.map(|e| Arc::clone(&e.source));
    let name = format!("Making features: {}", kind.word());
    jobs.start(Kind::Extract, name, move |run, _| {
        work::extracted(&study, &wanted, contrast, &kind, at_hand, run)
    });
}

/// Exchanges labels for the null of the map that is shown.
fn exchange(session: &mut Session, layout: &Layout, jobs: &mut Jobs) {
    let (Some(extracted), Some(now)) = (&session.selected.extracted, &session.selected.map) else {
        session.selected.null = None;
        session.selected.null_of = None;
        jobs.stop(Kind::Null);
        return;
    };
    let statistic = layout.view.select.statistic;
    let of = Some((statistic, now.map.runs.clone()));
    if session.selected.null_of == of {
        return;
    }
    session.selected.null = None;
    session.selected.null_of = of;
    let table = Arc::clone(&extracted.table);
    let ticked: Vec<bool> = extracted
        .maps
        .runs
        .iter()
        .map(|run| layout.view.select.is_ticked(run))
        .collect();
    let seed = layout.view.select.plan.seed;
    jobs.start(Kind::Null, "Exchanging labels", move |run, _| {
        work::exchanged(&table, statistic, &ticked, seed, run)
    });
}

/// Lays the map over the anatomy, in colours that suit the statistic, where it has a place there.
fn show(session: &mut Session, layout: &mut Layout) {
    let had = session.map(MapId::Select).is_some();
    session.put_select_map();
    let has = session.map(MapId::Select).is_some();
    if !has || had {
        return;
    }
    let layers = layout.view.layers();
    if layers.iter().all(|layer| layer.map != MapId::Select) {
        layout.view.choose(Some(MapId::Select));
    }
    // Slices that show nothing of the map would be of no help.
    let now = session.selected.map.as_ref();
    let extracted = session.selected.extracted.as_ref();
    if let (Some(now), Some(extracted), Some(at)) = (now, extracted, layout.view.crosshair()) {
        let map = session.map(MapId::Select).and_then(|map| map.volume());
        let shown = map.and_then(|volume| volume.at_world(at));
        let strongest = now.order.first().filter(|&&c| now.shown[c]);
        let place = strongest.and_then(|&c| extracted.table.columns.get(c)?.world_mm);
        if let Some(place) = place.filter(|_| shown.is_none_or(f32::is_nan)) {
            layout.view.crosshair_mm = Some(place.to_array());
        }
    }
}

/// The column of the feature at a world point.
fn column_at(session: &Session, extracted: &Extracted, at: DVec3) -> Option<usize> {
    let table = &extracted.table;
    match &table.kind {
        FeatureKind::Voxels => {
            if let Some(grid) = extracted.grid() {
                let ijk = grid.voxel_at(at)?;
                return table.column_of(&FeatureRef::Voxel { ijk });
            }
            nearest(table, at, REACH_MM)
        }
        FeatureKind::Vertices => nearest(table, at, REACH_MM),
        _ => {
            let region = &session.region_at(at)?.name;
            let place = table.regions.iter().position(|r| r == region)?;
            let order = &session.selected.map.as_ref()?.order;
            let of_region = |c: &&usize| table.columns[**c].region == Some(place);
            order.iter().find(of_region).copied()
        }
    }
}

fn nearest(table: &Table, at: DVec3, reach_mm: f64) -> Option<usize> {
    let far = |c: &usize| table.columns[*c].world_mm.map(|w| (w.distance(at), *c));
    let near = (0..table.n_features()).filter_map(|c| far(&c));
    near.filter(|(mm, _)| *mm <= reach_mm)
        .min_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, c)| c)
}

fn collect(
    session: &mut Session,
    layout: &mut Layout,
    jobs: &mut Jobs,
    column: usize,
    whole: bool,
) {
    let Some(extracted) = session.selected.extracted.clone() else {
        return;
    };
    let table = &extracted.table;
    let columns = if whole {
        around(session, &extracted, column)
    } else {
        vec![column]
    };
    let runs = session.selected.map.as_ref().map(|now| &now.map.runs);
    let seen = runs.cloned().unwrap_or_default();
    let mut look = layout.view.select.clone();
    let of_this_table = |f: &FeatureRef| table.column_of(f).is_some();
    if !look.basket.features.iter().all(of_this_table) {
        look.basket = Basket::default();
    }
    let before = look.basket.features.len();
    for column in columns {
        let Some(feature) = table.columns.get(column).map(|c| &c.feature) else {
            continue;
        };
        if !look.basket.features.contains(feature) {
            look.basket.features.push(feature.clone());
        }
    }
    for run in seen {
        if !look.basket.seen_runs.contains(&run) {
            look.basket.seen_runs.push(run);
        }
    }
    if look.basket.features.len() > before {
        change(session, layout, jobs, look);
    }
}

/// All that one click means with Shift: the cluster of what is shown, else what is shown of the region, else the region.
fn around(session: &Session, extracted: &Extracted, column: usize) -> Vec<usize> {
    let table = &extracted.table;
    let Some(now) = &session.selected.map else {
        return vec![column];
    };
    let cortex = &session.subject.cortex;
    let triangles = |side: Hemisphere| {
        let hemisphere = cortex.iter().find(|h| h.hemisphere == side);
        let whole = |h: &&HemisphereData| {
            let shape = h.shapes.iter().find(|s| s.0 != Shape::Flat);
            shape.map(|(_, surface, _)| surface.triangles.to_vec())
        };
        hemisphere.as_ref().and_then(whole).unwrap_or_default()
    };
    let cluster = cluster_of(table, &now.shown, column, &triangles);
    if !cluster.is_empty() {
        return cluster;
    }
    let region = table.columns.get(column).and_then(|c| c.region);
    let of_region = |c: &usize| {
        region.is_some() && table.columns[*c].region == region && now.map.values[*c].is_finite()
    };
    let all: Vec<usize> = (0..table.n_features()).filter(of_region).collect();
    let shown: Vec<usize> = all.iter().copied().filter(|&c| now.shown[c]).collect();
    match (shown.is_empty(), all.is_empty()) {
        (false, _) => shown,
        (true, false) => all,
        (true, true) => vec![column],
    }
}

fn auto_pick(session: &mut Session, layout: &mut Layout, jobs: &mut Jobs) {
    let (Some(extracted), Some(now)) = (&session.selected.extracted, &session.selected.map) else {
        return;
    };
    let mut look = layout.view.select.clone();
    let columns = pick(&extracted.table, &now.map.values, &look.pick());
    if columns.is_empty() {
        session.say(
            Grade::Failure,
            TITLE,
            "No feature can be picked: all of them are constant or hold values that are not finite.",
        );
        return;
    }
    look.basket = Basket::of(&extracted.table, &columns, &now.map.runs);
    change(session, layout, jobs, look);
}

/// What an attempt is repeated from.
fn recipe(session: &Session, extracted: &Extracted, look: &SelectLook, purpose: Purpose) -> Recipe {
    let mut extraction: Extraction = extracted.source.extraction.clone();
    if look.unseen_only {
        extraction.query.runs.clone_from(&look.unticked);
    }
    let study = match session.opened.as_slice() {
        [] => study_name(session),
        paths => {
            let paths: Vec<String> = paths.iter().map(|p| p.display().to_string()).collect();
            paths.join(" ")
        }
    };
    Recipe {
        study,
        extractions: vec![extraction],
        contrast: extracted.contrast.clone(),
        kind: extracted.table.kind,
        plan: look.evaluation(search(look, purpose)),
        basket: (purpose == Purpose::Basket).then(|| look.basket.clone()),
        data: extracted.table.data.clone(),
    }
}

/// What the folds choose beside features.
fn search(look: &SelectLook, purpose: Purpose) -> Search {
    match (purpose, look.plan.search) {
        (Purpose::Basket, _) => Search::None,
        (Purpose::BestCombination, Search::None) => Search::Prefixes,
        (Purpose::BestCombination, chosen) => chosen,
    }
}

fn score(session: &mut Session, layout: &Layout, jobs: &mut Jobs, purpose: Purpose, anyway: bool) {
    let Some(extracted) = session.selected.extracted.clone() else {
        return;
    };
    let look = &layout.view.select;
    if !session.selected.is_current(look) {
        let words =
            "The contrast or the features have changed since the map was made: press E first.";
        session.say(Grade::Warning, TITLE, words);
        return;
    }
    let history = session.selected.history.clone().unwrap_or_default();
    let recipe = recipe(session, &extracted, look, purpose);
    let before = history.same_as(&recipe).ok().flatten().map(|a| a.id);
    if let Some(number) = before.filter(|_| !anyway) {
        session.selected.duplicate = Some((number, purpose));
        return;
    }
    session.selected.duplicate = None;
    let rows = look.unseen_only.then(|| {
        let rows = extracted.table.rows.iter().enumerate();
        let unseen = rows.filter(|(_, row)| !look.is_ticked(&row.run));
        unseen.map(|(at, _)| at).collect()
    });
    let scoring = work::Scoring {
        rows,
        basket: recipe.basket.clone(),
        plan: recipe.plan.clone(),
        purpose,
        recipe,
        view: layout.view.clone(),
        parent: session.selected.scored.as_ref().map(|s| s.number),
        history,
        extracted,
    };
    let name = match purpose {
        Purpose::Basket => "Training and testing",
        Purpose::BestCombination => FINDING,
    };
    jobs.start(Kind::Score, name, move |run, _| work::scored(scoring, run));
}

fn compare(session: &mut Session, layout: &Layout, jobs: &mut Jobs, kinds: Vec<FeatureKind>) {
    let (Some(study), Some(extracted)) =
        (session.study.clone(), session.selected.extracted.clone())
    else {
        return;
    };
    session.selected.compared = None;
    let plan = layout.view.select.evaluation(Search::None);
    jobs.start(
        Kind::Compare,
        "Comparing kinds of features",
        move |run, publish| work::compared(&study, &extracted, &kinds, &plan, run, publish),
    );
}

/// Brings back what an attempt was made with, and its scores.
fn restore(session: &mut Session, layout: &mut Layout, jobs: &mut Jobs, number: u64) {
    let found = session
        .selected
        .history
        .as_ref()
        .and_then(|h| h.attempt(number).ok().cloned());
    let Some(attempt) = found else {
        return;
    };
    let trials = session.selected.offer.as_ref().map(|o| &o.trials);
    let view = view_of(&attempt, &layout.view, trials);
    let asked = attempt.recipe.extractions.first().map(|e| Query {
        runs: session.query.runs.clone(),
        ..e.query.clone()
    });
    if let Some(query) = asked.filter(|query| *query != session.resolved_query()) {
        // Of another subject or task: that is read first, and then the features by what the settings say.
        apply(session, layout, jobs, Command::Query(query));
        offer(session, jobs);
    }
    session.selected.duplicate = None;
    let change = Change::Whole(Box::new(view));
    let merge = false;
    apply(session, layout, jobs, Command::Change { change, merge });
    session.selected.scored = Some(Arc::new(ScoredParts {
        look: layout.view.select.clone(),
        purpose: match attempt.recipe.basket {
            Some(_) => Purpose::Basket,
            None => Purpose::BestCombination,
        },
        outcome: attempt.outcome,
        evaluation: None,
        n_features: 0,
        number,
    }));
    if session.selected.offer.is_some() && !session.selected.is_current(&layout.view.select) {
        extract(session, layout, jobs);
    }
}

/// The view an attempt was made in; of one that was made without a window, the present one with its settings.
fn view_of(attempt: &Attempt, now: &View, trials: Option<&TrialTable>) -> View {
    let kept = attempt.view.clone();
    let whole = kept.and_then(|view| serde_json::from_value::<View>(view).ok());
    if let Some(view) = whole.filter(View::is_sane) {
        return view;
    }
    let recipe = &attempt.recipe;
    let mut look = now.select.clone();
    let all = |trials: &TrialTable| fusiform_pipelines::select::Contrast::all(trials).ok();
    look.every = trials.and_then(all).as_ref() == Some(&recipe.contrast);
    if let [a, b] = recipe.contrast.classes.as_slice() {
        (look.a, look.b) = (a.to_string(), b.to_string());
        look.every = false;
    }
    if let Some(extraction) = recipe.extractions.first() {
        look.model = Some(extraction.betas.model.clone());
        look.scale = extraction.scale;
        look.averaging = extraction.averaging;
        look.smoothing_fwhm_mm = extraction.smoothing_fwhm_mm;
    }
    look.kind = recipe.kind;
    look.statistic = recipe.plan.pick.statistic;
    look.plan.clone_from(&recipe.plan);
    look.basket.clone_from(&attempt.outcome.basket);
    look.unticked.clear();
    look.unseen_only = false;
    View {
        select: look,
        ..now.clone()
    }
}

fn export(session: &mut Session, path: &std::path::Path) {
    let Some(history) = &session.selected.history else {
        return;
    };
    let is_json = path
        .extension()
        .is_some_and(|e| e.eq_ignore_ascii_case("json"));
    let written = if is_json {
        history.export_json(path)
    } else {
        history.export_table(path)
    };
    let n = history.attempts.len();
    match written {
        Ok(()) => session.say(
            Grade::Note,
            "The history is saved",
            format!("{n} attempts in {}", path.display()),
        ),
        Err(error) => session.say(Grade::Failure, "Saving the history", error.to_string()),
    }
}
