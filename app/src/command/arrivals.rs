//! What jobs bring, taken into the session.

use std::sync::Arc;

use fusiform_pipelines::study::Study;
use fusiform_pipelines::{Error, Stop};

use super::work::{add, project, read_first_run, read_pictures, read_subject};
use super::{Command, apply, choose_above, follow_view, regions, select};
use crate::jobs::{Arrival, Jobs, Kind};
use crate::layout::{Layer, Layout};
use crate::session::{AddedParts, Grade, MapId, News, Session};
use crate::workbench::draw::Drawing;

pub(super) fn arrive(
    session: &mut Session,
    layout: &mut Layout,
    jobs: &mut Jobs,
    arrival: Arrival,
) {
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
    let ended = matches!(arrival, Arrival::Ended { .. });
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
            if kind == Kind::Open {
                // They were meant for what did not open.
                session.to_add.clear();
                session.awaited = None;
            }
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
    if ended {
        go_on(session, layout, jobs);
    }
}

/// When work is over: adds the files that waited for it, and brings a saved view once all that it shows is there.
fn go_on(session: &mut Session, layout: &mut Layout, jobs: &mut Jobs) {
    let reading = [Kind::Open, Kind::Subject, Kind::Run, Kind::Add];
    let reads = |kind: &Kind| jobs.is_running(*kind);
    if session.partial || reads(&Kind::Subject) || reads(&Kind::Open) {
        return;
    }
    if !session.to_add.is_empty() && session.study.is_some() {
        let waiting = std::mem::take(&mut session.to_add);
        add(session, layout, jobs, waiting);
        return;
    }
    if !reading.iter().any(reads)
        && let Some(mut view) = session.awaited.take()
    {
        view.regions.keep(&layout.view.regions);
        layout.view = view;
        follow_view(session, layout, jobs);
    }
}

pub(super) fn take(session: &mut Session, layout: &mut Layout, jobs: &mut Jobs, news: News) {
    match news {
        News::Study {
            study,
            partial,
            opened,
            add,
        } => {
            session.opened = opened;
            session.to_add.extend(add);
            take_study(session, layout, jobs, study, partial);
        }
        News::Save { what, path } => apply(session, layout, jobs, Command::Save(what, path)),
        News::Scene(scene) => {
            // The view comes once what it shows is there.
            session.awaited = Some(scene.view.clone());
            session.to_add.clone_from(&scene.added);
            let open = if scene.open.is_empty() {
                Command::OpenDemo
            } else {
                Command::Open(scene.open.clone())
            };
            layout.dark = scene.dark;
            apply(session, layout, jobs, open);
        }
        News::Subject(parts) => {
            let first = session.underlay().is_none();
            session.take_subject(parts);
            aim(session, layout, first);
            if layout.view.layers().is_empty()
                && let Some(map) = session.maps.first()
            {
                layout.view.put_on_top(map.id);
            }
            follow_view(session, layout, jobs);
        }
        News::FirstVolume(parts) => {
            let first = session.underlay().is_none();
            session.take_first_volume(&parts);
            aim(session, layout, first);
        }
        News::Run(parts) => {
            let first = session.underlay().is_none();
            session.take_run(parts);
            layout.view.frame = 0;
            aim(session, layout, first);
            let shown = layout.view.layers();
            if shown.iter().all(|layer| session.map(layer.map).is_none()) {
                layout
                    .view
                    .set_layers(vec![Layer::shown(MapId::Tsnr)], None);
            }
            follow_view(session, layout, jobs);
        }
        News::Courses(parts) => session.courses = Some(parts),
        News::Added(parts) => take_added(session, layout, jobs, parts),
        News::Instead { open, add } => {
            if open.is_empty() {
                apply(session, layout, jobs, Command::Add(add));
            } else {
                session.to_add = add;
                apply(session, layout, jobs, Command::Open(open));
            }
        }
        News::Projected(parts) => session.take_projected(&parts),
        News::Drawn(parts) => regions::take(session, layout, jobs, parts),
        News::Export {
            names,
            path,
            unseen,
        } => match path {
            Some(path) => apply(session, layout, jobs, Command::Export(names, path)),
            None if unseen => session.say(
                Grade::Warning,
                "No dialog could be shown",
                "Type a path in the field below the list of regions.",
            ),
            None => {}
        },
        News::Table { text, path, unseen } => match path {
            Some(path) => apply(session, layout, jobs, Command::SaveTable(text, path)),
            None if unseen => session.say(
                Grade::Warning,
                "No dialog could be shown",
                "Copy puts the table on the clipboard.",
            ),
            None => {}
        },
        News::Exported(written) => regions::exported(session, &written),
        News::Pictures(pictures) => session.pictures.extend(pictures),
        News::Responses(responses) => session.responses = Some(responses),
        News::Offer(_)
        | News::Extracted(_)
        | News::Null(_)
        | News::Scored(..)
        | News::Compared(_)
        | News::History(_)
        | News::Attempts(_) => select::take(session, layout, jobs, news),
        News::Encoded(parts) => {
            let of_these = session.responses.as_ref();
            if of_these.is_some_and(|r| Arc::ptr_eq(r, &parts.of)) {
                session.take_encoded(parts);
                layout.view.choose(Some(MapId::Encoded));
                project(session, layout, jobs);
            }
        }
        News::Decoded(parts) => {
            let complete = parts.complete;
            let first = parts.decoded.trials.first().map(|t| t.trial);
            let has_drive = parts.drive.is_some();
            session.take_decoded(parts);
            if layout.view.trial.is_none() {
                layout.view.trial = first;
            }
            if complete && has_drive {
                layout.view.choose(Some(MapId::Drive));
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

/// Takes added files in: their maps lie over the others, and a map that nobody chose makes room.
fn take_added(session: &mut Session, layout: &mut Layout, jobs: &mut Jobs, parts: AddedParts) {
    for line in &parts.taken_as {
        log::info!("added {line}");
    }
    for refusal in &parts.refused {
        session.say(Grade::Failure, "Adding files", refusal);
    }
    let first = session.underlay().is_none() && session.subject.cortex.is_empty();
    session.waiting.clone_from(&parts.waiting);
    let rois = parts.rois.clone();
    let maps = session.take_added(parts);
    for roi in rois {
        let given = Drawing::Given(Box::new(roi));
        apply(session, layout, jobs, Command::Draw(given));
    }
    let before = layout.view.layers();
    if let [only] = before.as_slice()
        && !maps.is_empty()
        && only.map == MapId::Tsnr
        && !layout.view.looks.contains_key(&only.map)
    {
        let layers = layout.view.with_visible(only.map, false);
        layout.view.set_layers(layers, None);
    }
    for map in maps {
        layout.view.put_on_top(map);
    }
    aim(session, layout, first);
    session.projected = None;
    follow_view(session, layout, jobs);
}

pub(super) fn take_study(
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
            Kind::Add,
            Kind::Courses,
            Kind::Pictures,
            Kind::Responses,
            Kind::Encode,
            Kind::Decode,
        ] {
            jobs.stop(kind);
        }
        select::stop(jobs);
        let (opened, awaited) = (std::mem::take(&mut session.opened), session.awaited.take());
        let to_add = std::mem::take(&mut session.to_add);
        session.clear_study();
        (session.opened, session.awaited, session.to_add) = (opened, awaited, to_add);
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
pub(super) fn aim(session: &mut Session, layout: &mut Layout, first: bool) {
    let moved = layout.view.crosshair_mm.is_some() && layout.view.crosshair_mm != session.aimed_mm;
    if moved && !first {
        return;
    }
    let Some((low, high)) = session.world_bounds() else {
        return;
    };
    let middle = (low + high) / 2.0;
    let region = session.subject.regions.first().and_then(|r| r.heart_mm);
    session.aimed_mm = Some(region.unwrap_or(middle).to_array());
    layout.view.crosshair_mm = session.aimed_mm;
}
