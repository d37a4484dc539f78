//! Trials on the cortical sheet: voxels of the mask weighed as the projection between white and pial says.

use glam::DVec3;
use rayon::prelude::*;

use crate::betas::Columns;
use crate::mask::Mask;
use crate::matrix::Matrix;
use crate::project::{self, Interpolation, Way};
use crate::run::{Run, Stop};
use crate::select::extract::averaged;
use crate::select::extraction::Source;
use crate::select::feature::{Column, FeatureRef};
use crate::select::table::Table;
use crate::study::select::choose_subject;
use crate::study::{CorticalSurface, Study};
use crate::surface::{Hemisphere, Shape};
use crate::{Error, Result};

/// Samples from white to pial.
const DEPTHS: usize = 5;
/// A vertex is left out when less of its weight lies in the mask.
const LEAST_WEIGHT: f32 = 0.5;

/// A vertex: where it is and the columns of the betas it is made of.
struct Vertex {
    hemisphere: Hemisphere,
    index: usize,
    world_mm: DVec3,
    columns: Vec<(u32, f32)>,
}

/// Gives a table that has its rows its columns and values.
pub(super) fn fill(
    table: &mut Table,
    study: &Study,
    source: &Source,
    run: &Run<'_>,
) -> Result<(), Stop> {
    let Columns::Voxels(mask) = &source.betas.columns else {
        return Err(Error::Choice(
            "these responses lie on no voxel grid and cannot be put on the cortex: use voxels"
                .into(),
        )
        .into());
    };
    let subject = choose_subject(study, source.extraction.query.subject.as_deref())?;
    let mut vertices = Vec::new();
    for sheet in &subject.surfaces {
        vertices.extend(of_sheet(sheet, mask, run)?);
    }
    if vertices.is_empty() {
        return Err(Error::Choice(format!(
            "subject {} has no white or pial surface that passes through the mask: use voxels, or widen the mask",
            subject.id
        ))
        .into());
    }
    let of_rows = averaged(&source.betas.values, &table.rows);
    let mut values = Matrix::zeros(of_rows.n_rows, vertices.len());
    let n_cols = values.n_cols;
    values
        .values
        .par_chunks_mut(n_cols)
        .zip(of_rows.values.par_chunks(of_rows.n_cols.max(1)))
        .try_for_each(|(out, row)| {
            run.check()?;
            for (out, vertex) in out.iter_mut().zip(&vertices) {
                *out = vertex
                    .columns
                    .iter()
                    .map(|&(c, w)| w * row[c as usize])
                    .sum();
            }
            Ok::<(), Stop>(())
        })?;
    table.values = values;
    let mut region = vec![None; source.betas.n_voxels()];
    for (place, roi) in source.regions.iter().enumerate() {
        for &column in &roi.columns {
            region[column] = Some(place);
        }
    }
    table.columns = vertices
        .into_iter()
        .map(|vertex| {
            let most = |a: &&(u32, f32), b: &&(u32, f32)| a.1.total_cmp(&b.1);
            let heaviest = vertex.columns.iter().max_by(most);
            Column {
                feature: FeatureRef::Vertex {
                    hemisphere: vertex.hemisphere,
                    index: vertex.index,
                },
                world_mm: Some(vertex.world_mm),
                region: heaviest.and_then(|&(column, _)| region[column as usize]),
            }
        })
        .collect();
    Ok(())
}

fn of_sheet(sheet: &CorticalSurface, mask: &Mask, run: &Run<'_>) -> Result<Vec<Vertex>, Stop> {
    let shape = |wanted: Shape| sheet.shapes.iter().find(|(shape, _)| *shape == wanted);
    let load = |wanted: Shape| {
        shape(wanted)
            .map(|(_, source)| source.load(run))
            .transpose()
    };
    let (white, pial) = (load(Shape::White)?, load(Shape::Pial)?);
    let middle = match (&white, &pial) {
        (Some(_), Some(_)) => None,
        _ => load(Shape::Midthickness)?,
    };
    let (way, places): (Way<'_>, Vec<DVec3>) = match (&white, &pial, &middle) {
        (Some(inner), Some(outer), _) => (
            Way::Depth {
                inner,
                outer,
                n: DEPTHS,
            },
            inner
                .vertices
                .iter()
                .zip(outer.vertices.iter())
                .map(|(a, b)| 0.5 * (a.as_dvec3() + b.as_dvec3()))
                .collect(),
        ),
        (Some(surface), None, None) | (None, Some(surface), None) | (_, _, Some(surface)) => (
            Way::Line {
                surface,
                radius_mm: 1.5,
                n: DEPTHS,
            },
            surface.vertices.iter().map(glam::Vec3::as_dvec3).collect(),
        ),
        (None, None, None) => return Ok(Vec::new()),
    };
    let projection = project::sampled(mask.grid(), way, Interpolation::Linear)?;
    let mut column_of = vec![u32::MAX; mask.grid().n_voxels()];
    for (column, &voxel) in mask.voxels().iter().enumerate() {
        column_of[voxel as usize] = column as u32;
    }
    Ok(places
        .into_iter()
        .enumerate()
        .filter_map(|(index, world_mm)| {
            let inside = projection.row(index).filter_map(|(voxel, weight)| {
                let column = column_of[voxel];
                (column != u32::MAX).then_some((column, weight))
            });
            let mut columns: Vec<(u32, f32)> = inside.collect();
            let total: f32 = columns.iter().map(|c| c.1).sum();
            columns.iter_mut().for_each(|c| c.1 /= total);
            (total >= LEAST_WEIGHT).then_some(Vertex {
                hemisphere: sheet.hemisphere,
                index,
                world_mm,
                columns,
            })
        })
        .collect())
}
