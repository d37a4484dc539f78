//! How features are made.

use egui::Ui;
use fusiform_pipelines::glm::TrialModel;
use fusiform_pipelines::select::{Averaging, FeatureKind, Mix, Scale, Windows};

use super::{Edit, choose, grouped, heading, plural, row, under_way};
use crate::command::{Command, Select as Ask};
use crate::jobs::Kind;
use crate::panels::{Ctx, weak};

pub(super) fn ui(ui: &mut Ui, ctx: &Ctx<'_>, edit: &mut Edit) {
    heading(
        ui,
        "Features",
        "What is measured of each trial. Maps and scores belong to these settings.",
    );
    kind(ui, ctx, edit);
    trials(ui, ctx, edit);
    row(ui, ctx, "z-score", |ui| {
        let values = [
            (
                Scale::Run,
                "within runs".to_owned(),
                "Every voxel over the trials of a run: what differs from run to run is no difference of conditions.",
            ),
            (
                Scale::Session,
                "within sessions".to_owned(),
                "Every voxel over the trials of a session.",
            ),
            (
                Scale::None,
                "none".to_owned(),
                "As the trial model gives it.",
            ),
        ];
        let name = ("z-score", "Z-score");
        choose(ui, name, &mut edit.look.scale, &values, |_| None);
    });
    row(ui, ctx, "repeats", |ui| {
        let values = [
            (
                Averaging::None,
                "single trials".to_owned(),
                "Every trial is a row.",
            ),
            (
                Averaging::Stimuli,
                "mean of a stimulus in a run".to_owned(),
                "Repeats of one stimulus within a run are averaged. Never over runs.",
            ),
            (
                Averaging::Classes,
                "mean of a class in a run".to_owned(),
                "All trials of a class within a run are averaged: few rows, little noise.",
            ),
        ];
        let name = ("repeats", "Averaging of repeats");
        choose(ui, name, &mut edit.look.averaging, &values, |_| None);
    });
    row(ui, ctx, "smoothing", |ui| {
        let drag = egui::DragValue::new(&mut edit.look.smoothing_fwhm_mm)
            .range(0.0..=20.0)
            .speed(0.1)
            .max_decimals(1)
            .suffix(" mm FWHM");
        let drag = ui
            .add(drag)
            .accessible_name("Smoothing")
            .on_hover_text("A Gaussian within the mask; 0 for none.");
        edit.dragged(&drag);
    });
    make(ui, ctx, edit);
}

fn kind(ui: &mut Ui, ctx: &Ctx<'_>, edit: &mut Edit) {
    let now = edit.look.kind;
    let has_atlas = ctx.session.subject.atlas.is_some();
    let has_cortex = !ctx.session.subject.cortex.is_empty();
    let windows = match &now {
        FeatureKind::FcEdges(over) | FeatureKind::FcNodeStrengths(over) => *over,
        FeatureKind::Mixed(mix) => windows_in(mix),
        _ => Windows::Trials(6),
    };
    let mix = match &now {
        FeatureKind::Mixed(mix) => *mix,
        _ => Mix {
            voxels: true,
            roi_means: has_atlas,
            ..Mix::default()
        },
    };
    let n_components = match &now {
        FeatureKind::RoiPatterns { n_components } => *n_components,
        _ => 3,
    };
    row(ui, ctx, "kind", |ui| {
        let values = [
            (
                FeatureKind::Voxels,
                "Voxels",
                "One a voxel of the mask. The map lies on slices and the cortex.",
            ),
            (
                FeatureKind::Vertices,
                "Vertices of the cortex",
                "Voxels weighed by how much of them lies between white and pial around a vertex.",
            ),
            (
                FeatureKind::RoiMeans,
                "Means of regions",
                "The mean over the voxels of each region of the atlas.",
            ),
            (
                FeatureKind::RoiPatterns { n_components },
                "Patterns of regions",
                "Principal components of each region, fitted on the training rows of each fold alone.",
            ),
            (
                FeatureKind::FcEdges(windows),
                "Connections of regions",
                "Fisher z of the correlation of every two regions over a window. A row is a window, not a trial.",
            ),
            (
                FeatureKind::FcNodeStrengths(windows),
                "Node strengths",
                "The mean |Fisher z| of a region's connections. A row is a window, not a trial.",
            ),
            (
                FeatureKind::BandPower,
                "Band power of regions",
                "Log power of a region's time course in bands, over blocks that are long enough.",
            ),
            (
                FeatureKind::Mixed(mix),
                "Several kinds together",
                "Voxels, connections, means of regions … beside each other: a basket may hold all of them.",
            ),
        ]
        .map(|(kind, name, hint)| (kind, name.to_owned(), hint));
        choose(
            ui,
            ("kind", "Kind of features"),
            &mut edit.look.kind,
            &values,
            |kind| match kind {
                FeatureKind::Voxels => None,
                FeatureKind::Vertices => {
                    (!has_cortex).then(|| "This subject has no cortical surfaces.".to_owned())
                }
                _ => (!has_atlas)
                    .then(|| "This subject has no atlas, so there are no regions.".to_owned()),
            },
        );
    });
    match &mut edit.look.kind {
        FeatureKind::RoiPatterns { n_components } => {
            let drag = row(ui, ctx, "", |ui| {
                ui.add(
                    egui::DragValue::new(n_components)
                        .range(1..=50)
                        .suffix(" components a region"),
                )
                .accessible_name("Components a region")
            });
            edit.dragged(&drag);
        }
        FeatureKind::FcEdges(over) | FeatureKind::FcNodeStrengths(over) => {
            let dragged = windows_of(ui, ctx, over);
            edit.continues |= dragged;
        }
        FeatureKind::Mixed(mix) => {
            let dragged = parts_of(ui, ctx, mix, (has_atlas, has_cortex));
            edit.continues |= dragged;
        }
        _ => {}
    }
}

/// Which kinds stand beside each other; whether a drag goes on.
fn parts_of(
    ui: &mut Ui,
    ctx: &Ctx<'_>,
    mix: &mut Mix,
    (has_atlas, has_cortex): (bool, bool),
) -> bool {
    let mut over = windows_in(mix);
    row(ui, ctx, "", |ui| {
        ui.horizontal_wrapped(|ui| {
            ui.spacing_mut().item_spacing.x = 6.0;
            let mut tick = |on: &mut bool, can: bool, kind: FeatureKind| {
                ui.add_enabled(can || *on, egui::Checkbox::new(on, plural(&kind)))
                    .on_disabled_hover_text("This subject has not what they are made of.");
            };
            tick(&mut mix.voxels, true, FeatureKind::Voxels);
            tick(&mut mix.vertices, has_cortex, FeatureKind::Vertices);
            tick(&mut mix.roi_means, has_atlas, FeatureKind::RoiMeans);
            for (of, kind) in [
                (&mut mix.fc_edges, FeatureKind::FcEdges(over)),
                (&mut mix.node_strengths, FeatureKind::FcNodeStrengths(over)),
            ] {
                let mut on = of.is_some();
                tick(&mut on, has_atlas, kind);
                *of = on.then_some(over);
            }
            tick(&mut mix.band_power, has_atlas, FeatureKind::BandPower);
        });
    });
    if mix.fc_edges.is_none() && mix.node_strengths.is_none() {
        return false;
    }
    let dragged = windows_of(ui, ctx, &mut over);
    mix.fc_edges = mix.fc_edges.map(|_| over);
    mix.node_strengths = mix.node_strengths.map(|_| over);
    dragged
}

/// Over what the connections of a mix are taken.
fn windows_in(mix: &Mix) -> Windows {
    let over = mix.fc_edges.or(mix.node_strengths);
    over.unwrap_or(Windows::Trials(6))
}

/// Over what correlations are taken; whether a drag goes on.
fn windows_of(ui: &mut Ui, ctx: &Ctx<'_>, over: &mut Windows) -> bool {
    let n = match over {
        Windows::Trials(n) => *n,
        Windows::Blocks | Windows::Runs => 6,
    };
    row(ui, ctx, "windows", |ui| {
        let values = [
            (
                Windows::Trials(n),
                format!("{n} trials of a class"),
                "So many trials of one class that follow each other in a run (a beta series).",
            ),
            (
                Windows::Runs,
                "a class in a run".to_owned(),
                "All trials of a class in a run: one row a run and class.",
            ),
            (
                Windows::Blocks,
                "blocks".to_owned(),
                "The volumes of a block, after the lag of the response: for block designs.",
            ),
        ];
        choose(ui, ("windows", "Windows"), over, &values, |_| None);
    });
    let Windows::Trials(n) = over else {
        return false;
    };
    let drag = row(ui, ctx, "", |ui| {
        ui.add(egui::DragValue::new(n).range(3..=200).suffix(" trials"))
            .accessible_name("Trials a window")
    });
    drag.dragged() && !drag.drag_started()
}

fn trials(ui: &mut Ui, ctx: &Ctx<'_>, edit: &mut Edit) {
    let Some(offer) = &ctx.session.selected.offer else {
        return;
    };
    let lag = match &edit.look.model {
        Some(TrialModel::BlockMean { lag_volumes }) => *lag_volumes,
        _ => 2,
    };
    row(ui, ctx, "trials", |ui| {
        let mut values = vec![(
            None,
            format!("as events suggest: {}", words(&offer.usual.betas.model)),
            "What suits the events of this study.",
        )];
        for (model, hint) in [
            (
                TrialModel::BlockMean { lag_volumes: lag },
                "The mean of the volumes acquired during the event, shifted by a lag.",
            ),
            (
                TrialModel::LeastSquares,
                "One regressor a trial, all at once, with the canonical response.",
            ),
            (
                TrialModel::LeastSquaresSeparate,
                "Each trial against all others together, with the canonical response: steadier where trials follow closely.",
            ),
        ] {
            values.push((Some(model.clone()), words(&model), hint));
        }
        if edit.look.model.is_some() && values.iter().all(|v| v.0 != edit.look.model) {
            let model = edit.look.model.clone();
            let name = model.as_ref().map_or_else(String::new, words);
            values.push((model, name, "As it was chosen elsewhere."));
        }
        let name = ("trials", "Trial model");
        choose(ui, name, &mut edit.look.model, &values, |_| None);
    });
    if let Some(TrialModel::BlockMean { lag_volumes }) = &mut edit.look.model {
        let drag = row(ui, ctx, "", |ui| {
            ui.add(
                egui::DragValue::new(lag_volumes)
                    .range(0..=10)
                    .prefix("lag ")
                    .suffix(" volumes"),
            )
            .accessible_name("Lag")
            .on_hover_text("Volumes to wait for the haemodynamic response.")
        });
        edit.dragged(&drag);
    }
}

fn words(model: &TrialModel) -> String {
    match model {
        TrialModel::BlockMean { lag_volumes } => format!("block mean, lag {lag_volumes}"),
        TrialModel::LeastSquares => "least squares, all at once".into(),
        TrialModel::LeastSquaresSeparate => "least squares, one at a time".into(),
        TrialModel::Ridge => "ridge-regularised".into(),
    }
}

/// The button, what is under way, and what was made.
fn make(ui: &mut Ui, ctx: &Ctx<'_>, edit: &Edit) {
    ui.add_space(2.0);
    if under_way(ui, ctx, Kind::Extract).is_break() {
        return;
    }
    let selected = &ctx.session.selected;
    let named = edit.look.every || !(edit.look.a.is_empty() || edit.look.b.is_empty());
    let current = selected.is_current(&edit.look);
    let button = egui::Button::new("Make map").shortcut_text("E");
    let button = if current || !named {
        button
    } else {
        button.fill(ctx.theme.selected)
    };
    let made = ui
        .add_enabled(named, button)
        .on_hover_text("Makes the features and their map. Enter in field B does it too. Key E")
        .on_disabled_hover_text("Name two conditions first.");
    if made.clicked() {
        ctx.send(Command::Select(Ask::Extract));
    }
    let Some(extracted) = &selected.extracted else {
        return;
    };
    let table = &extracted.table;
    let size = format!(
        "{} {}s × {} {}",
        grouped(table.n_rows()),
        table.kind.row_is(),
        grouped(table.n_features()),
        plural(&table.kind)
    );
    ui.label(weak(ctx, size))
        .on_hover_text(&extracted.source.betas.method);
    if !current {
        ui.label(weak(
            ctx,
            "The settings have changed since: make the map again.",
        ));
    }
    for note in &table.notes {
        ui.add(egui::Label::new(weak(ctx, note)).wrap());
    }
}
