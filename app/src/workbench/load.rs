//! What job threads do: reading, and calling the pipelines.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use fusiform_pipelines::betas::Columns;
use fusiform_pipelines::decode::{self, Code, DecodePlan, Decoded};
use fusiform_pipelines::device::{self, DeviceChoice};
use fusiform_pipelines::encode::features::{self, Features, Shown};
use fusiform_pipelines::encode::{self, EncodePlan};
use fusiform_pipelines::glm;
use fusiform_pipelines::io::{detect, nifti};
use fusiform_pipelines::project;
use fusiform_pipelines::selectivity::{self, Responses};
use fusiform_pipelines::study::demo::{self, DemoPlan};
use fusiform_pipelines::study::select::{self, Query};
use fusiform_pipelines::study::{BoldRun, Source, Study, files};
use fusiform_pipelines::surface::{Shape, Surface};
use fusiform_pipelines::volume::{Series, Volume};
use fusiform_pipelines::{Error, Run, Stop};

use super::add::{map_parts, pairs_joined};
use super::grey::{AIR, grey, robust_range};
use super::sort::split;
use crate::brain::HemisphereShapes;
use crate::gpu;
use crate::layout::CodeChoice;
use crate::scene_file::{self, SceneFile};
use crate::session::{
    self, DecodedParts, EncodedParts, HemisphereData, HemisphereParts, MapId, News, ProjectedParts,
    RunParts, SubjectParts,
};

/// Points from white to pial at which a map is sampled.
const SHEET_DEPTHS: usize = 5;
/// Pictures published at a time.
const PICTURES_A_TIME: usize = 32;

/// Makes the demo study; publishes it without its runs first.
pub(crate) fn demo(run: &Run<'_>, publish: &dyn Fn(News)) -> Result<News, Stop> {
    let made = demo::generate_with(&DemoPlan::default(), run, &|study| {
        publish(News::Study {
            study: Arc::new(study),
            partial: true,
            opened: Vec::new(),
            add: Vec::new(),
        });
    })?;
    Ok(News::Study {
        study: Arc::new(made.study),
        partial: false,
        opened: Vec::new(),
        add: Vec::new(),
    })
}

/// Opens a folder, a `study.toml`, or loose files.
pub(crate) fn study(paths: &[PathBuf], run: &Run<'_>) -> Result<News, Stop> {
    if let [one] = paths
        && one
            .extension()
            .is_some_and(|e| e.eq_ignore_ascii_case("json"))
    {
        let scene = SceneFile::read(one).map_err(|e| Error::data(format!("{e:#}")))?;
        return Ok(News::Scene(Box::new(scene)));
    }
    let (study, opened, add) = match paths {
        [one] => (Study::open(one, run)?, paths.to_vec(), Vec::new()),
        loose => {
            let (body, over) = split(loose, run)?;
            let study = match body.as_slice() {
                [one] => Study::open(one, run)?,
                several => files::from_files(several, run)?,
            };
            (study, body, over)
        }
    };
    Ok(News::Study {
        study: Arc::new(study),
        partial: false,
        opened,
        add,
    })
}

/// Reads a subject's anatomy, atlas and surfaces, publishing each as it comes.
pub(crate) fn subject(
    study: &Study,
    id: &str,
    query: &Query,
    run: &Run<'_>,
    publish: &dyn Fn(News),
) -> Result<News, Stop> {
    let subject = study
        .subject(id)
        .ok_or_else(|| Error::data(format!("the study has no subject {id}")))?;
    let mut parts = SubjectParts {
        id: id.into(),
        ..SubjectParts::default()
    };
    if let Some(source) = &subject.anatomy {
        run.stage("reading the anatomy");
        parts.anatomy = Some(grey(source.load(run)?));
        publish(News::Subject(parts.clone()));
    }
    let query = Query {
        subject: Some(id.into()),
        ..query.clone()
    };
    let chosen = select::select(study, &query).ok().and_then(|s| s.atlas);
    if let Some(atlas) = chosen.or_else(|| subject.atlases.first().cloned()) {
        run.stage("reading the atlas");
        parts.atlas = Some((atlas.source.load(run)?, atlas.name));
        parts.regions = session::listed(&parts).into();
        publish(News::Subject(parts.clone()));
    }
    run.stage("reading the surfaces");
    let (mut cortex, mut maps) = (Vec::new(), Vec::new());
    for (n, hemisphere) in subject.surfaces.iter().enumerate() {
        run.progress(n, subject.surfaces.len());
        let HemisphereShapes {
            side,
            shapes,
            sulcal,
            labels,
            file,
        } = HemisphereShapes::load(hemisphere, run)?;
        for named in &hemisphere.maps {
            run.check()?;
            let values = Arc::clone(&named.source.load(run)?.values);
            maps.push(map_parts(
                &named.name,
                "",
                None,
                vec![(side, values)],
                false,
            ));
        }
        cortex.push(HemisphereParts {
            hemisphere: side,
            shapes,
            sulcal,
            labels,
            file,
        });
    }
    parts.maps = pairs_joined(maps);
    parts.cortex = cortex;
    parts.regions = session::listed(&parts).into();
    Ok(News::Subject(parts))
}

/// Reads a BOLD run and computes its mean and temporal SNR.
pub(crate) fn run(bold: &BoldRun, run: &Run<'_>, publish: &dyn Fn(News)) -> Result<News, Stop> {
    if let Source::File(path) = &bold.bold
        && matches!(detect::kind(path), Ok(detect::Kind::Nifti))
    {
        run.stage("reading the first volume");
        let first = nifti::read_first_volume(path, run)?;
        publish(News::FirstVolume(grey(Arc::new(first))));
    }
    run.stage("reading the volumes");
    let series = bold.bold.load(run)?;
    run.stage("mean and temporal SNR");
    let events = bold.events.as_ref().map(|e| e.load(run)).transpose()?;
    let mean = series.mean();
    let mean = grey(Arc::new(mean));
    let tsnr = temporal_snr(&series, &mean.volume, AIR * mean.window.1, run)?;
    let tsnr_range = robust_range(&tsnr.data, 0.02, 0.98);
    Ok(News::Run(RunParts {
        label: bold.label.clone(),
        tr_secs: bold.tr_secs.or(series.tr_secs),
        series,
        events,
        mean,
        tsnr: (Arc::new(tsnr), tsnr_range),
    }))
}

/// Reads the stimulus pictures, a batch at a time.
pub(crate) fn pictures(study: &Study, run: &Run<'_>, publish: &dyn Fn(News)) -> Result<News, Stop> {
    run.stage("reading pictures");
    let mut read = Vec::new();
    for (n, stimulus) in study.stimuli.iter().enumerate() {
        run.check()?;
        run.progress(n, study.stimuli.len());
        let Some(source) = &stimulus.image else {
            continue;
        };
        match source.load(run) {
            Ok(picture) => read.push((stimulus.id.clone(), picture)),
            Err(Stop::Failed(error)) => run.warn(error.to_string()),
            Err(stop) => return Err(stop),
        }
        if read.len() % PICTURES_A_TIME == 0 {
            // The slot keeps the newest value only, so each batch holds all that were read.
            publish(News::Pictures(read.clone()));
        }
    }
    Ok(News::Pictures(read))
}

/// The white and pial surfaces of a hemisphere, or the one shape it has.
pub(crate) fn sheet(hemisphere: &HemisphereData) -> Option<(Arc<Surface>, Arc<Surface>)> {
    let shape = |s| hemisphere.shape(s).map(|(surface, _)| Arc::clone(surface));
    match (shape(Shape::White), shape(Shape::Pial)) {
        (Some(white), Some(pial)) => Some((white, pial)),
        (white, pial) => {
            let one = shape(Shape::Midthickness).or(white).or(pial)?;
            Some((Arc::clone(&one), one))
        }
    }
}

/// Samples a map on the cortical sheet.
pub(crate) fn projected(
    map: MapId,
    revision: u64,
    volume: &Volume,
    cortex: &[Option<(Arc<Surface>, Arc<Surface>)>],
    run: &Run<'_>,
) -> Result<News, Stop> {
    let mut hemispheres = Vec::new();
    for (n, sheet) in cortex.iter().enumerate() {
        run.check()?;
        run.progress(n, cortex.len());
        let (white, pial) = sheet.as_ref().ok_or_else(|| {
            Error::data("the subject has no white, pial or midthickness surface to sample a map on")
        })?;
        hemispheres.push(project::between(volume, white, pial, SHEET_DEPTHS)?);
    }
    Ok(News::Projected(ProjectedParts {
        map,
        revision,
        hemispheres,
    }))
}

/// Selects, makes betas, and lays them out voxel by voxel.
pub(crate) fn responses(study: &Study, query: &Query, run: &Run<'_>) -> Result<News, Stop> {
    let selection = select::select(study, query)?;
    let plan = glm::plan_for(&selection, run)?;
    let betas = glm::betas(&selection, &plan, run)?;
    let responses = selectivity::prepare(betas, &study.stimuli, run)?;
    Ok(News::Responses(Arc::new(responses)))
}

/// Fits an encoding model, with fewer shuffles than the command line takes: somebody waits for it.
pub(crate) fn encoded(
    study: &Study,
    responses: &Arc<Responses>,
    of: &[Features],
    run: &Run<'_>,
) -> Result<News, Stop> {
    let betas = responses.betas();
    let shown = Shown::new(&betas, &study.stimuli);
    let mut spaces = Vec::new();
    for features in of {
        spaces.push(features::space(features, &shown, &study.stimuli, run)?);
    }
    let plan = EncodePlan {
        n_shuffles: 5,
        n_control: 1000,
        ..EncodePlan::default()
    };
    let compute = device::choose(DeviceChoice::Auto)?;
    let encoded = encode::encode(&betas, &features::design(&spaces)?, &plan, &compute, run)?;
    for warning in &encoded.warnings {
        run.warn(warning.clone());
    }
    let mut maps = Vec::new();
    if let Columns::Voxels(mask) = &betas.columns {
        let mut add = |id: MapId, values: &[f32]| -> Result<(), Stop> {
            let volume = mask.scatter(values, f32::NAN)?;
            let (_, high) = robust_range(&volume.data, 0.0, 0.995);
            maps.push((id, Arc::new(volume), (0.0, high.max(0.01))));
            Ok(())
        };
        add(MapId::Encoded, &encoded.r2)?;
        if let Some(normalised) = &encoded.normalised {
            add(MapId::OfCeiling, normalised)?;
        }
    }
    Ok(News::Encoded(EncodedParts {
        luck: encoded.luck(),
        encoded: Arc::new(encoded),
        of: Arc::clone(responses),
        maps,
    }))
}

/// Selects, makes betas and decodes; publishes after each fold.
pub(crate) fn decoded(
    study: &Study,
    query: &Query,
    code: CodeChoice,
    run: &Run<'_>,
    publish: &dyn Fn(News),
) -> Result<News, Stop> {
    let selection = select::select(study, query)?;
    let plan = glm::plan_for(&selection, run)?;
    let betas = glm::betas(&selection, &plan, run)?;
    let side = picture_side(study, run)?;
    let plan = DecodePlan {
        code: match code {
            CodeChoice::Components => Code::Components { n: 64, side },
            CodeChoice::Pixels => Code::Pixels { side },
        },
        ..DecodePlan::default()
    };
    let onsets: Arc<[(String, f64)]> = betas
        .trials
        .iter()
        .map(|t| (t.run.clone(), t.onset_secs))
        .collect();
    let parts = |decoded: Decoded, complete: bool| DecodedParts {
        drive: drive(&decoded, &betas.columns),
        decoded: Arc::new(decoded),
        onsets: Arc::clone(&onsets),
        method: betas.method.clone(),
        assumptions: selection.assumptions.clone(),
        complete,
    };
    let whole = decode::decode(
        &betas,
        &study.stimuli,
        &plan,
        &device::choose(DeviceChoice::Auto)?,
        run,
        &|so_far| {
            publish(News::Decoded(parts(so_far, false)));
        },
    )?;
    Ok(News::Decoded(parts(whole, true)))
}

fn drive(decoded: &Decoded, columns: &Columns) -> Option<(Arc<Volume>, (f32, f32))> {
    let map = decoded.drive_map(columns)?;
    let range = robust_range(&map.data, 0.0, 0.995);
    Some((Arc::new(map), range))
}

/// Pixels a side at which pictures are decoded: the stimuli's own when they are small, else 32.
fn picture_side(study: &Study, run: &Run<'_>) -> Result<usize, Stop> {
    let Some(source) = study.stimuli.iter().find_map(|s| s.image.as_ref()) else {
        return Ok(32);
    };
    let picture = source.load(run)?;
    Ok((picture.width().min(picture.height()) as usize).clamp(1, 32))
}

/// Draws a saved view and writes it as PNG.
pub(crate) fn write_picture(scene: &SceneFile, path: &Path, run: &Run<'_>) -> Result<News, Stop> {
    let failed = |error: anyhow::Error| Error::data(format!("{error:#}"));
    let (mut backend, why_not_gpu) = gpu::off_screen();
    let sheet = scene_file::sheet(scene, &mut backend).map_err(failed)?;
    for note in why_not_gpu.into_iter().chain(backend.take_notes()) {
        run.warn(note);
    }
    sheet.write(path).map_err(failed)?;
    Ok(News::Paths {
        paths: Vec::new(),
        unseen: false,
    })
}

/// Mean over time divided by standard deviation over time (n − 1 in the denominator); NaN where the mean is
/// below `air` or nothing moves.
fn temporal_snr(series: &Series, mean: &Volume, air: f32, run: &Run<'_>) -> Result<Volume, Stop> {
    let mut squares = vec![0.0f64; mean.data.len()];
    for time in 0..series.n_times {
        run.check()?;
        run.progress(time, series.n_times);
        for ((sum, &value), &middle) in squares
            .iter_mut()
            .zip(series.values_at(time))
            .zip(mean.data.iter())
        {
            let off = f64::from(value) - f64::from(middle);
            *sum += off * off;
        }
    }
    let freedom = series.n_times.saturating_sub(1).max(1) as f64;
    let data = squares
        .iter()
        .zip(mean.data.iter())
        .map(|(&sum, &middle)| {
            let sd = (sum / freedom).sqrt();
            if middle >= air && sd > 0.0 {
                (f64::from(middle) / sd) as f32
            } else {
                f32::NAN
            }
        })
        .collect();
    Ok(Volume {
        grid: mean.grid.clone(),
        data,
        assumptions: Vec::new(),
    })
}
