//! A view saved as a file: what was open and what was shown, so that the same picture can be drawn again, by the window
//! or without one.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, bail};
use fusiform_pipelines::io::write::write_text;
use fusiform_pipelines::study::select::Query;
use fusiform_render::renderer::Backend;
use fusiform_render::scene::Picture;
use serde::{Deserialize, Serialize};

use crate::command::{Change, Command, apply};
use crate::figure::Sheet;
use crate::jobs::{Arrival, Jobs};
use crate::layout::{Layer, Layout, Pane, View};
use crate::scene_sheet;
use crate::session::{Grade, Session};

/// The version of the saved form; another version is refused.
pub const VERSION: u32 = 1;

/// What was open and what was shown.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SceneFile {
    version: u32,
    /// Paths as they were opened, relative to the file where they lie beside or below it; none is the demo study.
    pub open: Vec<PathBuf>,
    /// Files that were added to it, in their order; written as `open` is.
    #[serde(default)]
    pub added: Vec<PathBuf>,
    /// Which part of the study.
    pub query: SavedQuery,
    /// Which run, by its label.
    pub run: Option<String>,
    /// The panel that is drawn: slices or surface.
    pub pane: Pane,
    /// Pixels across and down.
    pub size: [u32; 2],
    /// Whether on dark ground.
    pub dark: bool,
    /// What is shown.
    pub view: View,
}

/// The parts of a [`Query`] that choose what is seen.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SavedQuery {
    /// Subject id.
    pub subject: Option<String>,
    /// Task.
    pub task: Option<String>,
    /// Space.
    pub space: Option<String>,
    /// Description.
    pub desc: Option<String>,
}

impl SceneFile {
    /// What the window shows now.
    pub fn of(session: &Session, layout: &Layout, pane: Pane, size: [u32; 2]) -> Self {
        let query = session.resolved_query();
        Self {
            version: VERSION,
            open: session.opened.clone(),
            added: session.added.clone(),
            query: SavedQuery {
                subject: query.subject,
                task: query.task,
                space: query.space,
                desc: query.desc,
            },
            run: session.run.as_ref().map(|run| run.label.clone()),
            pane,
            size,
            dark: layout.dark,
            view: layout.view.clone(),
        }
    }

    /// Writes it; paths below its folder become relative to it.
    pub fn write(&self, path: &Path) -> anyhow::Result<()> {
        let folder = std::path::absolute(path)?;
        let folder = folder.parent().unwrap_or(Path::new("/"));
        let mut saved = self.clone();
        for open in saved.open.iter_mut().chain(&mut saved.added) {
            let whole = std::path::absolute(&*open)?;
            *open = whole
                .strip_prefix(folder)
                .map_or_else(|_| whole.clone(), Path::to_path_buf);
        }
        let text = serde_json::to_string_pretty(&saved).context("the view as JSON")?;
        Ok(write_text(path, &(text + "\n"))?)
    }

    /// Reads it; relative paths are taken from its folder.
    pub fn read(path: &Path) -> anyhow::Result<Self> {
        let name = path.display();
        let text = std::fs::read_to_string(path)
            .with_context(|| format!("{name}: cannot be read: name a view saved by Fusiform"))?;
        let version = serde_json::from_str::<serde_json::Value>(&text)
            .ok()
            .and_then(|value| value.get("version")?.as_u64());
        if version != Some(u64::from(VERSION)) {
            bail!(
                "{name}: is not a view saved by this version of Fusiform (it has no \"version\": {VERSION})"
            );
        }
        let mut scene: Self = serde_json::from_str(&text)
            .with_context(|| format!("{name}: this saved view is damaged: save it again"))?;
        if !scene.view.is_sane() || scene.size.iter().any(|n| !(16..=16_384).contains(n)) {
            bail!("{name}: this saved view holds numbers that cannot be drawn: save it again");
        }
        let folder = path.parent().unwrap_or(Path::new(""));
        for open in scene.open.iter_mut().chain(&mut scene.added) {
            *open = folder.join(&*open);
        }
        Ok(scene)
    }

    fn asked(&self) -> Query {
        Query {
            subject: self.query.subject.clone(),
            task: self.query.task.clone(),
            space: self.query.space.clone(),
            desc: self.query.desc.clone(),
            ..Query::default()
        }
    }
}

/// As [`sheet`], in pixels.
pub fn draw(scene: &SceneFile, backend: &mut Backend) -> anyhow::Result<Picture> {
    sheet(scene, backend)?.raster()
}

/// Opens what a saved view opened and draws it. What had to be computed in the window by a press of a button, such as the
/// map of a decode, is not there: an error says so.
pub fn sheet(scene: &SceneFile, backend: &mut Backend) -> anyhow::Result<Sheet> {
    let session = load(scene)?;
    let layers = scene.view.layers();
    let lacks = |layer: &&Layer| layer.visible && session.map(layer.map).is_none();
    if let Some(lacking) = layers.iter().find(lacks) {
        bail!(
            "the view shows the map “{}”, which has to be computed in the window first",
            lacking.map.name()
        );
    }
    scene_sheet::draw(&session, scene, backend)
}

/// Runs the window's own jobs, without a window, until all is there.
fn load(scene: &SceneFile) -> anyhow::Result<Session> {
    const LOOK: Duration = Duration::from_millis(5);
    let (mut session, mut layout) = (Session::default(), Layout::default());
    let mut jobs = Jobs::new(&egui::Context::default());
    let open = if scene.open.is_empty() {
        Command::OpenDemo
    } else {
        Command::Open(scene.open.clone())
    };
    apply(&mut session, &mut layout, &mut jobs, open);
    settle(&mut session, &mut layout, &mut jobs, LOOK)?;
    let asked = scene.asked();
    if asked != session.query && asked != session.resolved_query() {
        apply(&mut session, &mut layout, &mut jobs, Command::Query(asked));
        settle(&mut session, &mut layout, &mut jobs, LOOK)?;
    }
    let here = session.run.as_ref().map(|run| run.label.clone());
    if let Some(run) = scene.run.clone().filter(|run| Some(run) != here.as_ref()) {
        apply(
            &mut session,
            &mut layout,
            &mut jobs,
            Command::ChooseRun(run),
        );
        settle(&mut session, &mut layout, &mut jobs, LOOK)?;
    }
    if !scene.added.is_empty() {
        let added = Command::Add(scene.added.clone());
        apply(&mut session, &mut layout, &mut jobs, added);
        settle(&mut session, &mut layout, &mut jobs, LOOK)?;
    }
    let change = Change::Whole(Box::new(scene.view.clone()));
    let merge = false;
    apply(
        &mut session,
        &mut layout,
        &mut jobs,
        Command::Change { change, merge },
    );
    settle(&mut session, &mut layout, &mut jobs, LOOK)?;
    Ok(session)
}

fn settle(
    session: &mut Session,
    layout: &mut Layout,
    jobs: &mut Jobs,
    look: Duration,
) -> anyhow::Result<()> {
    loop {
        for arrival in jobs.drain() {
            if let Arrival::Ended {
                result: Err(stop), ..
            } = arrival
            {
                return Err(stop.into());
            }
            apply(session, layout, jobs, Command::Arrived(Box::new(arrival)));
        }
        if jobs.running().len() == 0 {
            let failure = session.messages.iter().find(|m| m.grade == Grade::Failure);
            return match failure {
                Some(message) => bail!("{}: {}", message.title, message.text),
                None => Ok(()),
            };
        }
        std::thread::sleep(look);
    }
}
