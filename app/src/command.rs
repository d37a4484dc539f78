//! The only door to [`Session`] and [`Layout`]: panels send commands, [`apply`] carries them out.

mod arrivals;
mod regions;
mod select;
mod work;

use std::path::PathBuf;

use egui_tiles::Tree;
use fusiform_pipelines::Error;
use fusiform_pipelines::encode::features::Features;
use fusiform_pipelines::study::select::Query;
use glam::DVec3;

use crate::jobs::{Arrival, Jobs, Kind};
use crate::layout::{
    self, CodeChoice, CortexLook, InsideLook, Layer, Layout, MapLook, Mouse, Pane, RegionChange,
    SelectLook, SliceMode, Sort, View,
};
use crate::session::{MapId, Saved, Session};
use crate::workbench::draw::Drawing;
use crate::workbench::{ask, load};
use arrivals::arrive;
pub(crate) use select::FINDING;
pub use select::Select;
use work::{
    add, decode, encode, follow_trial, project, read_courses, read_first_run, read_responses,
    read_run, read_subject, save, save_table,
};

/// The title of messages about a part of the study that is not settled yet.
const CHOOSING: &str = "Which runs are meant";

/// Something a panel or a job asks for.
#[derive(Debug)]
pub enum Command {
    /// Open the demo study.
    OpenDemo,
    /// Open a study folder, a `study.toml`, or loose files.
    Open(Vec<PathBuf>),
    /// Add maps, regions or surfaces to what is open; a study among them is opened instead.
    Add(Vec<PathBuf>),
    /// Ask the desktop for a folder to open.
    AskFolder,
    /// Ask the desktop for files to open.
    AskFiles,
    /// Ask the desktop for files to add.
    AskMore,
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
    /// Ask the desktop where to save the view of a panel, or a picture of it.
    AskSave(Saved),
    /// Write it there.
    Save(Saved, PathBuf),
    /// Make a region.
    Draw(Drawing),
    /// Ask the desktop where to write regions, by their names.
    AskExport(Vec<String>),
    /// Write regions, by their names, in the format that the name of the file asks for.
    Export(Vec<String>, PathBuf),
    /// Make the single-trial responses of the selected part of the study.
    ReadResponses,
    /// Something for the Select panel.
    Select(Select),
    /// Ask the desktop where to write the history of attempts.
    AskAttempts,
    /// Fit an encoding model with these features to the responses.
    Encode(Vec<Features>),
    /// Ask the desktop where to write a table, which is given as text.
    AskTable(String),
    /// Write it there.
    SaveTable(String, PathBuf),
    /// Decode the selected part of the study.
    Decode,
    /// Stop the work of a kind.
    Cancel(Kind),
    /// Take a message away.
    Dismiss(u64),
    /// The dark or the light look.
    Dark(bool),
    /// What the mouse does on slices.
    Mouse(Mouse),
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
    /// Another map in the place of the one that is worked on, or none.
    Map(Option<MapId>),
    /// Other maps over each other, from bottom to top, and which is worked on.
    Layers(Vec<Layer>, Option<MapId>),
    /// The numbers of the anatomy that are shown black and white; none is as it comes.
    Grey(Option<(f32, f32)>),
    /// How a map is coloured.
    Look(MapId, MapLook),
    /// The camera turns (x, y, z, w).
    Rotation([f32; 4]),
    /// The surfaces are magnified.
    SurfaceZoom(f32),
    /// The surfaces are moved right and up in the picture, mm.
    SurfaceShift([f32; 2]),
    /// The cortical sheet is laid out or painted otherwise.
    Cortex(CortexLook),
    /// Volumes are looked into otherwise.
    Inside(InsideLook),
    /// Slices are arranged otherwise.
    Slices(SliceMode),
    /// Anterior on the right of sagittal slices, or not.
    NoseRight(bool),
    /// The map even from voxel to voxel, or in blocks.
    SmoothMap(bool),
    /// Another view altogether, such as a saved one.
    Whole(Box<View>),
    /// A decoded trial is selected, by its row of the betas.
    Trial(usize),
    /// A stimulus is selected, by its id.
    Stimulus(String),
    /// Another order of trials.
    Sort(Sort, bool),
    /// Another image code.
    Code(CodeChoice),
    /// Another volume of the run is marked, from 0.
    Frame(usize),
    /// Time courses in percent or raw.
    Percent(bool),
    /// Regions whose time courses are drawn, by name.
    Pinned(Vec<String>),
    /// The Select panel is set otherwise.
    Select(Box<SelectLook>),
    /// Regions are edited, or shown otherwise.
    Regions(RegionChange),
}

/// Carries out a command.
pub fn apply(session: &mut Session, layout: &mut Layout, jobs: &mut Jobs, command: Command) {
    carry_out(session, layout, jobs, command);
    regions::settle(session, layout);
}

fn carry_out(session: &mut Session, layout: &mut Layout, jobs: &mut Jobs, command: Command) {
    match command {
        Command::OpenDemo => open(session, layout, jobs, Vec::new()),
        Command::Open(paths) if paths.is_empty() => {}
        Command::Open(paths) => open(session, layout, jobs, paths),
        Command::Add(paths) => add(session, layout, jobs, paths),
        Command::AskFolder => {
            jobs.start(Kind::Dialog, "Choosing a folder", |_, _| Ok(ask::folder()));
        }
        Command::AskFiles => {
            jobs.start(Kind::Dialog, "Choosing files", |_, _| Ok(ask::files()));
        }
        Command::AskMore => {
            jobs.start(Kind::Dialog, "Choosing files", |_, _| Ok(ask::more()));
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
            follow_view(session, layout, jobs);
        }
        Command::Undo => {
            layout.undo();
            follow_view(session, layout, jobs);
        }
        Command::Redo => {
            layout.redo();
            follow_view(session, layout, jobs);
        }
        Command::AskSave(what) => {
            jobs.start(Kind::Dialog, "Choosing where to save", move |_, _| {
                Ok(ask::save(what))
            });
        }
        Command::Save(what, path) => save(session, layout, jobs, what, path),
        Command::Draw(drawing) => regions::draw(session, layout, jobs, drawing),
        Command::AskExport(names) => regions::ask(jobs, names),
        Command::Export(names, path) => regions::export(session, layout, jobs, names, path),
        Command::ReadResponses => read_responses(session, jobs),
        Command::Select(what) => select::select(session, layout, jobs, what),
        Command::AskAttempts => jobs.start(Kind::Dialog, "Choosing where to save", |_, _| {
            Ok(ask::attempts())
        }),
        Command::Encode(features) => encode(session, jobs, features),
        Command::AskTable(text) => {
            jobs.start(Kind::Dialog, "Choosing where to save", |_, _| {
                Ok(ask::table(text))
            });
        }
        Command::SaveTable(text, path) => save_table(session, &text, &path),
        Command::Decode => decode(session, layout, jobs),
        Command::Cancel(kind) => jobs.cancel(kind),
        Command::Dismiss(number) => session.messages.retain(|m| m.number != number),
        Command::Dark(dark) => layout.dark = dark,
        Command::Mouse(mouse) => layout.mouse = mouse,
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

/// Makes what the view shows and the session does not hold yet.
fn follow_view(session: &mut Session, layout: &mut Layout, jobs: &mut Jobs) {
    select::follow(session, layout, jobs);
    session.show_frame(layout.view.frame);
    project(session, layout, jobs);
    read_courses(session, layout, jobs);
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
    session.clear_responses();
    jobs.stop(Kind::Responses);
    select::stop(jobs);
    jobs.stop(Kind::Encode);
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
        Change::Map(map) => view.choose(map),
        Change::Layers(layers, map) => view.set_layers(layers, map),
        Change::Grey(range) => view.grey = range.filter(|(low, high)| low < high),
        Change::Look(id, look) => {
            view.looks.insert(id, look);
        }
        Change::Rotation(rotation) => view.rotation = rotation,
        Change::SurfaceZoom(zoom) => view.surface_zoom = zoom.clamp(0.5, 20.0),
        Change::SurfaceShift(mm) => view.surface_shift_mm = mm.map(|mm| mm.clamp(-500.0, 500.0)),
        Change::Cortex(look) => view.cortex = look,
        Change::Inside(look) => view.inside = look,
        Change::Slices(mode) => view.slices = mode,
        Change::NoseRight(on) => view.nose_right = on,
        Change::SmoothMap(on) => view.smooth_map = on,
        Change::Whole(whole) => *view = *whole,
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
        Change::Frame(frame) => view.frame = frame,
        Change::Percent(on) => view.percent = on,
        Change::Pinned(regions) => view.pinned = regions,
        Change::Select(look) => view.select = *look,
        Change::Regions(change) => regions::change(session, layout, change),
    }
}

/// Keeps a point within what is shown.
fn inside(session: &Session, at: DVec3) -> DVec3 {
    session
        .world_bounds()
        .map_or(at, |(low, high)| at.clamp(low, high))
}
