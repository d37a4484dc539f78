//! Results under the names and with the sidecars that BIDS asks of derivatives, so that other programs find them.

use std::path::{Path, PathBuf};

use serde_json::{Map, Value, json};

use super::Entities;
use super::names::entity_text;
use crate::io::table::{self, Table};
use crate::io::{gifti, nifti, write};
use crate::space::Grid;
use crate::surface::{Hemisphere, VertexLabels, VertexMap};
use crate::volume::{Atlas, Region, Volume};
use crate::{Error, Result};

/// What a sidecar says of a file.
#[derive(Clone, Debug, Default)]
pub struct About {
    /// What the numbers are, in a sentence.
    pub description: String,
    /// Their unit.
    pub units: String,
    /// The files they were made from.
    pub sources: Vec<String>,
    /// Anything else, by BIDS key.
    pub more: Map<String, Value>,
}

/// Writes `dataset_description.json`, which makes a folder a BIDS dataset; `kind` is `raw` or `derivative`.
pub fn describe(root: &Path, name: &str, kind: &str) -> Result<()> {
    write_json(
        &root.join("dataset_description.json"),
        &json!({
            "Name": name,
            "BIDSVersion": "1.10.0",
            "DatasetType": kind,
            "License": "CC0",
            "GeneratedBy": [{ "Name": "Fusiform", "Version": env!("CARGO_PKG_VERSION") }],
        }),
    )
}

/// The name of a file: the entities in the order of BIDS, `suffix` and `extension`. Values lose what BIDS allows in
/// none: all but letters and digits.
pub fn file_name(entities: &Entities, suffix: &str, extension: &str) -> String {
    let plain: Entities = entities
        .iter()
        .map(|(key, value)| {
            let value = value.chars().filter(char::is_ascii_alphanumeric).collect();
            (key.clone(), value)
        })
        .collect();
    let entities = entity_text(&plain, |_| true);
    if entities.is_empty() {
        format!("{suffix}.{extension}")
    } else {
        format!("{entities}_{suffix}.{extension}")
    }
}

/// A map of numbers as `…_SUFFIX.nii.gz` (32-bit floats) with its sidecar; gives the path of the map.
pub fn write_map(
    folder: &Path,
    entities: &Entities,
    suffix: &str,
    map: &Volume,
    about: &About,
) -> Result<PathBuf> {
    write::make_folder(folder)?;
    let path = folder.join(file_name(entities, suffix, "nii.gz"));
    nifti::write_volume(&path, map)?;
    sidecar(folder, entities, suffix, about)?;
    Ok(path)
}

/// A mask as `…_mask.nii.gz` (8-bit; 1 inside) with its sidecar.
pub fn write_mask(
    folder: &Path,
    entities: &Entities,
    (grid, inside): (&Grid, &[bool]),
    about: &About,
) -> Result<PathBuf> {
    write::make_folder(folder)?;
    let path = folder.join(file_name(entities, "mask", "nii.gz"));
    let keys: Vec<i32> = inside.iter().map(|&inside| i32::from(inside)).collect();
    nifti::write_labels(&path, grid, &keys)?;
    let mut about = about.clone();
    about.more.insert("Type".to_owned(), json!("ROI"));
    sidecar(folder, entities, "mask", &about)?;
    Ok(path)
}

/// Regions as `…_dseg.nii.gz` with their look-up table `…_dseg.tsv`.
pub fn write_atlas(folder: &Path, entities: &Entities, atlas: &Atlas) -> Result<PathBuf> {
    write::make_folder(folder)?;
    let path = folder.join(file_name(entities, "dseg", "nii.gz"));
    nifti::write_labels(&path, &atlas.grid, &atlas.keys)?;
    let table_path = folder.join(file_name(entities, "dseg", "tsv"));
    write_regions(&table_path, &atlas.regions)?;
    Ok(path)
}

/// One number a vertex as `…_hemi-L_SUFFIX.func.gii` with its sidecar.
pub fn write_vertex_map(
    folder: &Path,
    entities: &Entities,
    suffix: &str,
    (hemisphere, map): (Hemisphere, &VertexMap),
    about: &About,
) -> Result<PathBuf> {
    write::make_folder(folder)?;
    let entities = on(entities, hemisphere);
    let path = folder.join(file_name(&entities, suffix, "func.gii"));
    gifti::write_map(&path, map)?;
    sidecar(folder, &entities, suffix, about)?;
    Ok(path)
}

/// A region for each vertex as `…_hemi-L_dseg.label.gii`, which holds names and colours itself.
pub fn write_vertex_labels(
    folder: &Path,
    entities: &Entities,
    (hemisphere, labels): (Hemisphere, &VertexLabels),
) -> Result<PathBuf> {
    write::make_folder(folder)?;
    let path = folder.join(file_name(&on(entities, hemisphere), "dseg", "label.gii"));
    gifti::write_labels(&path, labels, Some(hemisphere))?;
    Ok(path)
}

/// A table as `…_SUFFIX.tsv`, with what each column means (name, meaning) in its sidecar.
pub fn write_table(
    folder: &Path,
    entities: &Entities,
    suffix: &str,
    table: &Table,
    columns: &[(&str, &str)],
) -> Result<PathBuf> {
    write::make_folder(folder)?;
    let path = folder.join(file_name(entities, suffix, "tsv"));
    table::write(&path, table)?;
    let meanings: Map<String, Value> = columns
        .iter()
        .map(|(name, meaning)| ((*name).to_owned(), json!({ "Description": meaning })))
        .collect();
    write_json(
        &folder.join(file_name(entities, suffix, "json")),
        &Value::Object(meanings),
    )?;
    Ok(path)
}

/// A look-up table of regions as BIDS has it: index, name, color.
pub fn write_regions(path: &Path, regions: &[Region]) -> Result<()> {
    let columns = ["index", "name", "color"].map(str::to_owned).to_vec();
    let row = |region: &Region| {
        let [r, g, b] = region.colour;
        let colour = format!("#{r:02x}{g:02x}{b:02x}");
        vec![region.key.to_string(), region.name.clone(), colour]
    };
    let rows = regions.iter().map(row).collect();
    table::write(path, &Table { columns, rows })
}

fn on(entities: &Entities, hemisphere: Hemisphere) -> Entities {
    let side = match hemisphere {
        Hemisphere::Left => "L",
        Hemisphere::Right => "R",
    };
    let mut entities = entities.clone();
    entities.insert("hemi".to_owned(), side.to_owned());
    entities
}

fn sidecar(folder: &Path, entities: &Entities, suffix: &str, about: &About) -> Result<()> {
    let mut value = about.more.clone();
    value.insert("Description".to_owned(), json!(about.description));
    if !about.units.is_empty() {
        value.insert("Units".to_owned(), json!(about.units));
    }
    value.insert("Sources".to_owned(), json!(about.sources));
    write_json(
        &folder.join(file_name(entities, suffix, "json")),
        &Value::Object(value),
    )
}

pub(super) fn write_json(path: &Path, value: &Value) -> Result<()> {
    let text = serde_json::to_string_pretty(value)
        .map_err(|e| Error::data(format!("{} cannot be written as JSON: {e}", path.display())))?;
    write::write_text(path, &(text + "\n"))
}
