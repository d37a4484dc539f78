//! The jobs that commands start.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use fusiform_pipelines::encode::features::Features;
use fusiform_pipelines::io::write;
use fusiform_pipelines::parcels;
use fusiform_pipelines::study::select;

use super::{CHOOSING, Command, apply, choose_above};
use crate::brain::Brain;
use crate::compose;
use crate::jobs::{Jobs, Kind};
use crate::layout::Layout;
use crate::map_files::file_name;
use crate::scene_file::SceneFile;
use crate::session::{CoursesParts, Grade, MapId, News, Saved, Session};
use crate::workbench::{add, load};

/// Pixels of a saved picture.
const PICTURE: [u32; 2] = [2400, 1500];

pub(super) fn read_subject(session: &mut Session, jobs: &mut Jobs) {
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

pub(super) fn read_pictures(session: &Session, jobs: &mut Jobs) {
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
pub(super) fn read_first_run(session: &mut Session, jobs: &mut Jobs) {
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

pub(super) fn read_run(session: &mut Session, jobs: &mut Jobs, label: &str) {
    let Some(run) = session
        .runs()
        .into_iter()
        .find(|r| r.label == label)
        .cloned()
    else {
        return;
    };
    // The run before stays in sight until this one is here.
    jobs.start(
        Kind::Run,
        format!("Reading run {label}"),
        move |job, publish| load::run(&run, job, publish),
    );
}

/// Reads the run of the selected trial, so that its time course can be seen.
pub(super) fn follow_trial(session: &mut Session, layout: &Layout, jobs: &mut Jobs) {
    let onsets = session.decoded.as_ref().map(|d| Arc::clone(&d.onsets));
    let Some((label, _)) = layout.view.trial.and_then(|t| onsets?.get(t).cloned()) else {
        return;
    };
    if session.run.as_ref().is_some_and(|run| run.label != label) {
        read_run(session, jobs, &label);
    }
}

/// Samples the topmost map on the cortical sheet, when there is a sheet and it was not done yet.
pub(super) fn project(session: &mut Session, layout: &Layout, jobs: &mut Jobs) {
    let Some((map, _)) = compose::topmost_on_grid(session, &layout.view) else {
        return;
    };
    let Some(volume) = map.volume().cloned() else {
        return;
    };
    let (id, revision, name) = (map.id, map.revision(), map.name.clone());
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
        format!("Painting the surface: {name}"),
        move |run, _| load::projected(id, revision, &volume, &cortex, run),
    );
}

/// Adds files to what is open. Before a subject is read they wait for it.
pub(super) fn add(
    session: &mut Session,
    layout: &mut Layout,
    jobs: &mut Jobs,
    paths: Vec<PathBuf>,
) {
    if paths.is_empty() {
        return;
    }
    session.wants_path = false;
    if session.study.is_none() {
        apply(session, layout, jobs, Command::Open(paths));
        return;
    }
    let reading = jobs.is_running(Kind::Subject);
    if reading || jobs.is_running(Kind::Add) {
        session.to_add.extend(paths);
        return;
    }
    if let [one] = paths.as_slice() {
        layout.opened(one.clone());
    }
    let title = match paths.as_slice() {
        [one] => format!("Adding {}", file_name(one)),
        many => format!("Adding {} files", many.len()),
    };
    let (open, is_demo) = (Brain::open_in(session), session.is_demo);
    let waiting = std::mem::take(&mut session.waiting);
    jobs.start(Kind::Add, title, move |run, _| {
        add::files(&paths, &waiting, &open, is_demo, run)
    });
}

/// Averages the run over every region, once some region is pinned.
pub(super) fn read_courses(session: &Session, layout: &Layout, jobs: &mut Jobs) {
    let (Some(run), Some(atlas)) = (&session.run, &session.subject.atlas) else {
        return;
    };
    let done = session
        .courses
        .as_ref()
        .is_some_and(|c| c.are_of(run, &atlas.atlas));
    if layout.view.pinned.is_empty() || done || jobs.is_running(Kind::Courses) {
        return;
    }
    let (series, atlas) = (Arc::clone(&run.series), Arc::clone(&atlas.atlas));
    jobs.start(
        Kind::Courses,
        "Time courses of the regions",
        move |run, _| {
            let courses = parcels::region_courses(&series, &atlas, run)?;
            Ok(News::Courses(CoursesParts {
                series,
                atlas,
                courses,
            }))
        },
    );
}

/// Makes single-trial responses, unless that was tried already.
pub(super) fn read_responses(session: &mut Session, jobs: &mut Jobs) {
    let Some(study) = session.study.clone().filter(|_| !session.asked_responses) else {
        return;
    };
    session.asked_responses = true;
    let query = session.resolved_query();
    jobs.start(Kind::Responses, "Reading responses", move |run, _| {
        load::responses(&study, &query, run)
    });
}

/// Fits an encoding model to the responses that were made.
pub(super) fn encode(session: &Session, jobs: &mut Jobs, features: Vec<Features>) {
    let (Some(study), Some(responses)) = (session.study.clone(), session.responses.clone()) else {
        return;
    };
    jobs.start(Kind::Encode, "Fitting an encoding model", move |run, _| {
        load::encoded(&study, &responses, &features, run)
    });
}

pub(super) fn decode(session: &mut Session, layout: &mut Layout, jobs: &mut Jobs) {
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

/// Writes the view of a panel, or a picture of it, beside the work that goes on.
pub(super) fn save(
    session: &mut Session,
    layout: &Layout,
    jobs: &mut Jobs,
    what: Saved,
    path: PathBuf,
) {
    let (Saved::View(pane) | Saved::Picture(pane)) = what;
    let scene = SceneFile::of(session, layout, pane, PICTURE);
    match what {
        Saved::View(_) => match scene.write(&path) {
            Ok(()) => session.say(
                Grade::Note,
                "The view is saved",
                format!(
                    "Open it again, or draw it with: fusiform render --scene {} -o picture.png",
                    path.display()
                ),
            ),
            Err(error) => session.say(Grade::Failure, "Saving the view", format!("{error:#}")),
        },
        Saved::Picture(_) => {
            let title = format!("Drawing {}", path.display());
            jobs.start(Kind::Picture, title, move |run, _| {
                load::write_picture(&scene, &path, run)
            });
        }
    }
}

/// Writes a table that is there as text.
pub(super) fn save_table(session: &mut Session, text: &str, path: &Path) {
    match write::write_text(path, text) {
        Ok(()) => session.say(
            Grade::Note,
            "The table is saved",
            path.display().to_string(),
        ),
        Err(error) => session.say(Grade::Failure, "Saving the table", error.to_string()),
    }
}
