//! Regions: made by jobs, edited at once, kept with the subject they were drawn on.

use std::path::PathBuf;

use super::{Change, Command, apply};
use crate::jobs::{Jobs, Kind};
use crate::layout::{Layout, RegionChange};
use crate::session::{Grade, News, Session};
use crate::workbench::ask;
use crate::workbench::draw::{Drawing, DrawnParts, Ground};

/// Makes a region beside the work that goes on.
pub(super) fn draw(session: &mut Session, layout: &Layout, jobs: &mut Jobs, drawing: Drawing) {
    let ground = Ground::of(session, &layout.view);
    session.n_drawings += 1;
    let kind = Kind::Region(session.n_drawings);
    jobs.start(kind, drawing.title(), move |run, _| {
        Ok(News::Drawn(ground.draw(&drawing, run)?))
    });
}

/// Takes a region that was made in, as a change that can be undone.
pub(super) fn take(session: &mut Session, layout: &mut Layout, jobs: &mut Jobs, parts: DrawnParts) {
    if session.regions_kept_as().as_ref() != Some(&parts.subject) {
        return;
    }
    let change = Change::Regions(match parts.replaces {
        Some(name) => RegionChange::Replace(name, parts.roi),
        None => RegionChange::Add(parts.roi),
    });
    let merge = false;
    apply(session, layout, jobs, Command::Change { change, merge });
}

/// Edits regions of the view.
pub(super) fn change(session: &Session, layout: &mut Layout, change: RegionChange) {
    let taken = |name: &str| session.subject.regions.iter().any(|r| r.name == name);
    layout.view.regions.change(change, &taken);
}

/// Writes regions beside the work that goes on.
pub(super) fn export(
    session: &Session,
    layout: &Layout,
    jobs: &mut Jobs,
    names: Vec<String>,
    path: PathBuf,
) {
    let ground = Ground::of(session, &layout.view);
    let title = format!("Writing {}", path.display());
    jobs.start(Kind::Export, title, move |run, _| {
        Ok(News::Exported(ground.export(&names, &path, run)?))
    });
}

/// Asks the desktop where to write regions.
pub(super) fn ask(jobs: &mut Jobs, names: Vec<String>) {
    jobs.start(Kind::Dialog, "Choosing where to export", |_, _| {
        Ok(ask::export(names))
    });
}

/// Says what was written.
pub(super) fn exported(session: &mut Session, written: &fusiform_pipelines::roi::files::Written) {
    let paths: Vec<String> = written
        .paths
        .iter()
        .map(|p| p.display().to_string())
        .collect();
    let mut words = vec![paths.join("\n")];
    words.extend(written.notes.iter().cloned());
    session.say(Grade::Note, "Regions are written", words.join("\n"));
}

/// Brings the regions of the view in line with the subject that is open, and what is drawn in line with the view.
pub(super) fn settle(session: &mut Session, layout: &mut Layout) {
    layout.regions_of(session.regions_kept_as());
    session.follow_regions(&layout.view.regions);
}
