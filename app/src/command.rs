//! The only door to [`Session`] and [`Layout`]: panels send commands, [`apply`] carries them out.

use std::path::PathBuf;
use std::sync::Arc;

use egui_tiles::Tree;
use fusiform_pipelines::study::Study;
use fusiform_pipelines::study::select::{self, Query};
use fusiform_pipelines::surface::Shape;
use fusiform_pipelines::{Error, Stop};
use glam::DVec3;

use crate::jobs::{Arrival, Jobs, Kind};
use crate::layout::{self, CodeChoice, Layout, MapLook, Pane, Sort};
use crate::session::{Grade, MapId, News, Session};
use crate::workbench::load;

/// The title of messages about a part of the study that is not settled yet.
const CHOOSING: &str = "Which runs are meant";

/// Something a panel or a job asks for.
#[derive(Debug)]
pub enum Command {
    /// Open the demo study.
    OpenDemo,
    /// Open a study folder, a `study.toml`, or loose files.
    Open(Vec<PathBuf>),
    /// Ask the desktop for a folder to open.
    AskFolder,
    /// Ask the desktop for files to open.
    AskFiles,
    /// Show or hide the field where a path can be typed.
    TypePath(bool),
    /// Work on another part of the study.
    Query(Query),
    /// Show another run.
    ChooseRun(String),
    /// Show something else or otherwise. With `merge` it continues the change before it (a drag) and is undone
    /// together with it.
    Change {
        /// What.
        change: Change,
        /// Whether it continues the change before it.
        merge: bool,
    },
    /// Go one view back.
    Undo,
    /// Go one view forward.
    Redo,
    /// Decode the selected part of the study.
    Decode,
    /// Stop the work of a kind.
    Cancel(Kind),
    /// Take a message away.
    Dismiss(u64),
    /// The dark or the light look.
    Dark(bool),
    /// Panels were moved.
    Arrange(Box<Tree<Pane>>),
    /// Panels as they were at first.
    ResetArrangement,
    /// Bring a panel to the front.
    Reveal(Pane),
    /// Something came from a job.
    Arrived(Box<Arrival>),
}

/// A change of the view.
#[derive(Clone, Debug)]
pub enum Change {
    /// The crosshair moves to a world point, mm.
    Crosshair(DVec3),
    /// The slices are magnified about a point of the world, mm.
    Zoom {
        /// The magnification.
        zoom: f32,
        /// The new middle.
        centre_mm: DVec3,
    },
    /// The slices show the whole volume again.
    FitSlices,
    /// Right on the left, or not.
    Radiological(bool),
    /// Region borders on slices.
    SliceOutlines(bool),
    /// Region borders on surfaces.
    SurfaceOutlines(bool),
    /// The map over the anatomy.
    Map(Option<MapId>),
    /// How a map is coloured.
    Look(MapId, MapLook),
    /// The camera turns (x, y, z, w).
    Rotation([f32; 4]),
    /// The surfaces are magnified.
    SurfaceZoom(f32),
    /// Another shape.
    Shape(Shape),
    /// A decoded trial is selected, by its row of the betas.
    Trial(usize),
    /// A stimulus is selected, by its id.
    Stimulus(String),
    /// Another order of trials.
    Sort(Sort, bool),
    /// Another image code.
    Code(CodeChoice),
    /// Time courses in percent or raw.
    Percent(bool),
}

/// Carries out a command.
pub fn apply(session: &mut Session, layout: &mut Layout, jobs: &mut Jobs, command: Command) {
    match command {
        Command::OpenDemo => open(session, layout, jobs, Vec::new()),
        Command::Open(paths) if paths.is_empty() => {}
        Command::Open(paths) => open(session, layout, jobs, paths),
        Command::AskFolder => jobs.start(Kind::Dialog, "Choosing a folder", |_, _| {
            Ok(load::ask_folder())
        }),
        Command::AskFiles => {
            jobs.start(Kind::Dialog, "Choosing files", |_, _| Ok(load::ask_files()));
        }
        Command::TypePath(wanted) => session.wants_path = wanted,
        Command::Query(query) => requery(session, layout, jobs, query),
        Command::ChooseRun(label) => read_run(session, jobs, &label),
        Command::Change { change, merge } => {
            layout.remember(merge, std::mem::discriminant(&change));
            let selects = matches!(change, Change::Trial(_) | Change::Stimulus(_));
            change_view(session, layout, change);
            if selects {
                follow_trial(session, layout, jobs);
            }
            project(session, layout, jobs);
        }
        Command::Undo => {
            layout.undo();
            project(session, layout, jobs);
        }
        Command::Redo => {
            layout.redo();
            project(session, layout, jobs);
        }
        Command::Decode => decode(session, layout, jobs),
        Command::Cancel(kind) => jobs.cancel(kind),
        Command::Dismiss(number) => session.messages.retain(|m| m.number != number),
        Command::Dark(dark) => layout.dark = dark,
        Command::Arrange(tree) => layout.tree = *tree,
        Command::ResetArrangement => layout.tree = layout::default_tree(),
        Command::Reveal(pane) => {
            layout
                .tree
                .make_active(|_, tile| matches!(tile, egui_tiles::Tile::Pane(p) if *p == pane));
        }
        Command::Arrived(arrival) => arrive(session, layout, jobs, *arrival),
    }
}

fn open(session: &mut Session, layout: &mut Layout, jobs: &mut Jobs, paths: Vec<PathBuf>) {
    if paths.is_empty() {
        jobs.start(Kind::Open, "Making the demo study", load::demo);
        return;
    }
    let title = match paths.as_slice() {
        [one] => format!(
            "Opening {}",
            one.file_name().unwrap_or(one.as_os_str()).display()
        ),
        many => format!("Opening {} files", many.len()),
    };
    if let [one] = paths.as_slice() {
        layout.opened(one.clone());
    }
    session.wants_path = false;
    jobs.start(Kind::Open, title, move |run, _| load::study(&paths, run));
}

fn choose_above(error: &Error) -> String {
    format!("{error}\nIn this window: choose in the bar at the top right.")
}

fn requery(session: &mut Session, layout: &mut Layout, jobs: &mut Jobs, query: Query) {
    let other_subject = query.subject != session.query.subject;
    session.query = query;
    if other_subject {
        layout.view.trial = None;
        read_subject(session, jobs);
    }
    read_first_run(session, jobs);
}

fn change_view(session: &Session, layout: &mut Layout, change: Change) {
    let view = &mut layout.view;
    match change {
        Change::Crosshair(at) => view.crosshair_mm = Some(inside(session, at).to_array()),
        Change::Zoom { zoom, centre_mm } => {
            view.zoom = zoom.clamp(1.0, 40.0);
            view.centre_mm = Some(inside(session, centre_mm).to_array());
        }
        Change::FitSlices => (view.zoom, view.centre_mm) = (1.0, None),
        Change::Radiological(on) => view.radiological = on,
        Change::SliceOutlines(on) => view.slice_outlines = on,
        Change::SurfaceOutlines(on) => view.surface_outlines = on,
        Change::Map(map) => view.map = map,
        Change::Look(id, look) => {
            view.looks.insert(id, look);
        }
        Change::Rotation(rotation) => view.rotation = rotation,
        Change::SurfaceZoom(zoom) => view.surface_zoom = zoom.clamp(0.5, 20.0),
        Change::Shape(shape) => view.shape = shape,
        Change::Trial(trial) => {
            view.trial = Some(trial);
            let decoded = session.decoded.as_ref().map(|d| &d.decoded.trials);
            let stimulus = decoded
                .and_then(|trials| trials.iter().find(|t| t.trial == trial))
                .and_then(|t| t.stimulus_id.clone());
            if stimulus.is_some() {
                view.stimulus = stimulus;
            }
        }
        Change::Stimulus(id) => {
            let decoded = session.decoded.as_ref().map(|d| &d.decoded.trials);
            view.trial = decoded
                .and_then(|trials| {
                    trials
                        .iter()
                        .find(|t| t.stimulus_id.as_deref() == Some(&id))
                })
                .map(|t| t.trial);
            view.stimulus = Some(id);
        }
        Change::Sort(sort, reversed) => (view.sort, view.reversed) = (sort, reversed),
        Change::Code(code) => view.code = code,
        Change::Percent(on) => view.percent = on,
    }
}

/// Keeps a point within what is shown.
fn inside(session: &Session, at: DVec3) -> DVec3 {
    session
        .world_bounds()
        .map_or(at, |(low, high)| at.clamp(low, high))
}

fn arrive(session: &mut Session, layout: &mut Layout, jobs: &mut Jobs, arrival: Arrival) {
    if matches!(
        arrival,
        Arrival::Ended {
            kind: Kind::Open,
            ..
        }
    ) {
        // Whole or cut short: no more of it will come.
        session.partial = false;
    }
    match arrival {
        Arrival::News(news) => take(session, layout, jobs, news),
        Arrival::Warning { job, text } => session.say(Grade::Warning, job, text),
        Arrival::Ended {
            job,
            result: Ok(()),
            took,
            ..
        } => {
            log::info!("{job}: done in {:.1} s", took.as_secs_f64());
        }
        Arrival::Ended {
            job,
            result: Err(Stop::Cancelled),
            ..
        } => log::info!("{job}: cancelled"),
        Arrival::Ended {
            kind,
            job,
            result: Err(Stop::Failed(error)),
            ..
        } => {
            let words = match (&error, kind) {
                (Error::Choice(_), _) => choose_above(&error),
                (_, Kind::Open) if session.study.is_some() => {
                    format!("{error}\nWhat was open stays open.")
                }
                _ => error.to_string(),
            };
            session.say(Grade::Failure, job, words);
        }
    }
}

fn take(session: &mut Session, layout: &mut Layout, jobs: &mut Jobs, news: News) {
    match news {
        News::Study { study, partial } => take_study(session, layout, jobs, study, partial),
        News::Subject(parts) => {
            let first = session.underlay().is_none();
            session.take_subject(parts);
            aim(session, layout, first);
            project(session, layout, jobs);
        }
        News::Run(parts) => {
            let first = session.underlay().is_none();
            session.take_run(parts);
            aim(session, layout, first);
            if layout.view.map.is_none_or(|id| session.map(id).is_none()) {
                layout.view.map = Some(MapId::Tsnr);
            }
            project(session, layout, jobs);
        }
        News::Projected(parts) => session.take_projected(&parts),
        News::Pictures(pictures) => session.pictures.extend(pictures),
        News::Decoded(parts) => {
            let complete = parts.complete;
            let first = parts.decoded.trials.first().map(|t| t.trial);
            let has_drive = parts.drive.is_some();
            session.take_decoded(parts);
            if layout.view.trial.is_none() {
                layout.view.trial = first;
            }
            if complete && has_drive {
                layout.view.map = Some(MapId::Drive);
            }
            project(session, layout, jobs);
        }
        News::Paths { paths, unseen } => {
            if paths.is_empty() && unseen {
                session.wants_path = true;
            }
            apply(session, layout, jobs, Command::Open(paths));
        }
    }
}

fn take_study(
    session: &mut Session,
    layout: &mut Layout,
    jobs: &mut Jobs,
    study: Arc<Study>,
    partial: bool,
) {
    let grows = session.partial && session.study.as_ref().is_some_and(|s| s.name == study.name);
    session.partial = partial;
    if grows {
        session.study = Some(study);
    } else {
        for kind in [
            Kind::Subject,
            Kind::Run,
            Kind::Project,
            Kind::Pictures,
            Kind::Decode,
        ] {
            jobs.stop(kind);
        }
        session.clear_study();
        session.partial = partial;
        session.is_demo = study.root.is_none() && study.name.to_lowercase().contains("demo");
        session.study = Some(study);
        layout.view = layout.view.for_another_study();
        layout.forget();
        read_subject(session, jobs);
        read_pictures(session, jobs);
    }
    if !partial {
        read_first_run(session, jobs);
    }
}

/// Puts the crosshair where there is something to see, when a study shows its first volume, and
/// again when its atlas arrives, unless somebody has moved it meanwhile.
fn aim(session: &mut Session, layout: &mut Layout, first: bool) {
    let moved = layout.view.crosshair_mm.is_some() && layout.view.crosshair_mm != session.aimed_mm;
    if moved && !first {
        return;
    }
    let Some((low, high)) = session.world_bounds() else {
        return;
    };
    let middle = (low + high) / 2.0;
    let region = session
        .subject
        .atlas
        .as_ref()
        .and_then(|a| load::heart_of_first_region(&a.atlas));
    session.aimed_mm = Some(region.unwrap_or(middle).to_array());
    layout.view.crosshair_mm = session.aimed_mm;
}

fn read_subject(session: &mut Session, jobs: &mut Jobs) {
    let Some(study) = session.study.clone() else {
        return;
    };
    session.clear_subject();
    let wanted = session.query.subject.clone();
    let subject = study
        .subjects
        .iter()
        .find(|s| {
            wanted
                .as_ref()
                .map_or(!s.runs.is_empty() || s.betas.is_some(), |id| s.id == *id)
        })
        .or_else(|| study.subjects.first());
    let Some(subject) = subject else {
        session.subject_id = None;
        return;
    };
    session.subject_id = Some(subject.id.clone());
    let (id, query) = (subject.id.clone(), session.query.clone());
    jobs.start(
        Kind::Subject,
        format!("Reading subject {id}"),
        move |run, publish| load::subject(&study, &id, &query, run, publish),
    );
}

fn read_pictures(session: &Session, jobs: &mut Jobs) {
    let Some(study) = session.study.clone() else {
        return;
    };
    if study.stimuli.iter().any(|s| s.image.is_some()) {
        jobs.start(
            Kind::Pictures,
            "Reading stimulus pictures",
            move |run, publish| load::pictures(&study, run, publish),
        );
    }
}

/// Reads the first run that the query means, and says so when it is not settled what is meant.
fn read_first_run(session: &mut Session, jobs: &mut Jobs) {
    session.clear_run();
    let Some(study) = session.study.clone() else {
        return;
    };
    let query = session.resolved_query();
    let choice = match select::select(&study, &query) {
        Ok(selection) => {
            session.messages.retain(|m| m.title != CHOOSING);
            selection.runs.first().map(|r| r.label.clone())
        }
        Err(error) => {
            session.say(Grade::Warning, CHOOSING, choose_above(&error));
            None
        }
    };
    let first = choice.or_else(|| session.runs().first().map(|r| r.label.clone()));
    if let Some(label) = first {
        read_run(session, jobs, &label);
    }
}

fn read_run(session: &mut Session, jobs: &mut Jobs, label: &str) {
    let Some(run) = session
        .runs()
        .into_iter()
        .find(|r| r.label == label)
        .cloned()
    else {
        return;
    };
    // The run before stays in sight until this one is here.
    jobs.start(Kind::Run, format!("Reading run {label}"), move |job, _| {
        load::run(&run, job)
    });
}

/// Reads the run of the selected trial, so that its time course can be seen.
fn follow_trial(session: &mut Session, layout: &Layout, jobs: &mut Jobs) {
    let onsets = session.decoded.as_ref().map(|d| Arc::clone(&d.onsets));
    let Some((label, _)) = layout.view.trial.and_then(|t| onsets?.get(t).cloned()) else {
        return;
    };
    if session.run.as_ref().is_some_and(|run| run.label != label) {
        read_run(session, jobs, &label);
    }
}

/// Samples the map that is shown on the cortical sheet, when there is a sheet and it was not done yet.
fn project(session: &mut Session, layout: &Layout, jobs: &mut Jobs) {
    let Some(map) = layout.view.map.and_then(|id| session.map(id)) else {
        return;
    };
    let (id, revision, volume) = (map.id, map.data.key.id, Arc::clone(&map.volume));
    let done = session
        .projected
        .as_ref()
        .is_some_and(|p| p.map == id && p.revision == revision);
    if done || session.subject.cortex.is_empty() {
        return;
    }
    if session.projecting == Some((id, revision)) && jobs.is_running(Kind::Project) {
        return;
    }
    session.projecting = Some((id, revision));
    let cortex: Vec<_> = session.subject.cortex.iter().map(load::sheet).collect();
    jobs.start(
        Kind::Project,
        format!("Painting the surface: {}", id.name()),
        move |run, _| load::projected(id, revision, &volume, &cortex, run),
    );
}

fn decode(session: &mut Session, layout: &mut Layout, jobs: &mut Jobs) {
    let Some(study) = session.study.clone() else {
        return;
    };
    let query = session.resolved_query();
    if let Err(error) = select::select(&study, &query) {
        session.say(Grade::Failure, CHOOSING, choose_above(&error));
        return;
    }
    session.decoded = None;
    session.maps.retain(|m| m.id != MapId::Drive);
    layout.view.trial = None;
    let code = layout.view.code;
    jobs.start(Kind::Decode, "Decoding", move |run, publish| {
        load::decoded(&study, &query, code, run, publish)
    });
}
