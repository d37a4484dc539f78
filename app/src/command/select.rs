//! What the Select panel asks for, and what follows from its settings.

use std::path::PathBuf;
use std::sync::Arc;

use fusiform_pipelines::select::{Basket, FeatureKind, Statistic};
use glam::DVec3;

use super::work::project;
use super::{Change, Command, apply};
use crate::jobs::{Jobs, Kind};
use crate::layout::{Layout, SelectLook};
use crate::session::selected::{Purpose, Then, history_file};
use crate::session::{Grade, MapId, News, Session};
use crate::workbench::select as work;

mod attempts;
mod collect;

use attempts::{compare, export, restore, score};
use collect::{auto_pick, collect, column_at};

/// The name of the work that looks for the best combination.
pub(crate) const FINDING: &str = "Finding the best combination";
/// The title of messages of the panel.
const TITLE: &str = "Selecting features";

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
        Select::Extract => {
            session.selected.then = Then::default();
            extract(session, layout, jobs);
        }
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
        Select::AutoPick if is_coming(session, jobs) => session.selected.then.pick = true,
        Select::AutoPick => auto_pick(session, layout, jobs),
        Select::Score(purpose, anyway) if is_coming(session, jobs) => {
            session.selected.then.score = Some((purpose, anyway));
        }
        Select::Score(purpose, anyway) => score(session, layout, jobs, purpose, anyway),
        Select::Leave => session.selected.duplicate = None,
        Select::Compare(kinds) => compare(session, layout, jobs, kinds),
        Select::Restore(number) => restore(session, layout, jobs, number),
        Select::Export(path) => export(session, &path),
    }
}

/// Whether a map is being made, or will be as soon as events are read.
fn is_coming(session: &Session, jobs: &Jobs) -> bool {
    jobs.is_running(Kind::Extract) || session.selected.awaits_map()
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
            let wanted = std::mem::take(&mut selected.wants_map);
            if named && (wanted || !look.basket.features.is_empty()) {
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
            let then = std::mem::take(&mut session.selected.then);
            if then.pick {
                auto_pick(session, layout, jobs);
            }
            if let Some((purpose, anyway)) = then.score {
                score(session, layout, jobs, purpose, anyway);
            }
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
        session.selected.wants_map = true;
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
