//! The description inside a CIFTI-2 file: which rows and which columns its matrix has.

use std::collections::BTreeMap;
use std::path::Path;

use glam::{DAffine3, DMat3, DVec3};
use roxmltree::{Document, Node, ParsingOptions};

use super::{LabelMap, Maps, Places, SurfacePart, VoxelPart};
use crate::space::Grid;
use crate::volume::Region;
use crate::{Error, Result};

/// No surface in use has a tenth of these vertices.
const MOST_VERTICES: usize = 1 << 24;

/// The most voxels of a grid: 512³.
const MOST_VOXELS: usize = 1 << 27;

/// Rows and columns of the matrix.
pub(super) struct Table {
    pub(super) places: Places,
    pub(super) maps: Maps,
    /// Whether dimension 0, the fast one, is the places.
    pub(super) places_first: bool,
}

/// Reads the description of a matrix of `dims` and holds it against them.
pub(super) fn parse(path: &Path, xml: &str, dims: [usize; 2]) -> Result<Table> {
    let options = ParsingOptions {
        nodes_limit: 10_000_000,
        ..Default::default()
    };
    let document = Document::parse_with_options(xml, options).map_err(|e| {
        Error::file(
            path,
            format!(
                "has a description that is no well-formed XML ({e}): copy or download it again"
            ),
        )
    })?;
    let root = document.root_element();
    let version = root.attribute("Version").unwrap_or_default();
    if version.trim().split('.').next() == Some("1") {
        return Err(Error::file(
            path,
            "is a CIFTI-1 file: convert it with `wb_command -file-convert -cifti-version-convert OLD 2 NEW`",
        ));
    }
    let description = Description { path, root };
    let axes = [description.axis("0")?, description.axis("1")?];
    let is_brain = axes.map(|a| matches!(kind(a), "BRAIN_MODELS" | "PARCELS"));
    let places_first = match is_brain {
        [true, false] => true,
        [false, true] => false,
        [true, true] => {
            return Err(Error::file(
                path,
                "joins places with places (a connectivity matrix): average the rows of a region into a dscalar with wb_command -cifti-average-dense-roi",
            ));
        }
        [false, false] => {
            return Err(description.damaged("its matrix has no places in the brain"));
        }
    };
    let (places_at, maps_at) = if places_first { (0, 1) } else { (1, 0) };
    Ok(Table {
        places: description.places(axes[places_at], dims[places_at])?,
        maps: description.maps(axes[maps_at], dims[maps_at])?,
        places_first,
    })
}

/// The type of an axis without its prefix.
fn kind<'a>(axis: Node<'a, 'a>) -> &'a str {
    let kind = axis.attribute("IndicesMapToDataType").unwrap_or_default();
    kind.trim().trim_start_matches("CIFTI_INDEX_TYPE_")
}

fn child<'a>(node: Node<'a, 'a>, tag: &str) -> Option<Node<'a, 'a>> {
    node.children().find(|n| n.has_tag_name(tag))
}

fn children<'a>(node: Node<'a, 'a>, tag: &str) -> impl Iterator<Item = Node<'a, 'a>> {
    node.children().filter(move |n| n.has_tag_name(tag))
}

/// The text of a child, trimmed; empty when there is none.
fn text_of<'a>(node: Node<'a, 'a>, tag: &str) -> &'a str {
    child(node, tag)
        .and_then(|n| n.text())
        .unwrap_or_default()
        .trim()
}

fn structure(node: Node<'_, '_>) -> String {
    let name = node.attribute("BrainStructure").unwrap_or_default().trim();
    name.trim_start_matches("CIFTI_STRUCTURE_").to_owned()
}

struct Description<'a> {
    path: &'a Path,
    root: Node<'a, 'a>,
}

impl<'a> Description<'a> {
    fn damaged(&self, what: &str) -> Error {
        Error::file(
            self.path,
            format!("contradicts itself ({what}): write it again with wb_command or nibabel"),
        )
    }

    /// The description of dimension 0 or 1.
    fn axis(&self, dimension: &str) -> Result<Node<'a, 'a>> {
        self.root
            .descendants()
            .filter(|n| n.has_tag_name("MatrixIndicesMap"))
            .find(|n| {
                let applies = n.attribute("AppliesToMatrixDimension").unwrap_or_default();
                applies.split(',').any(|d| d.trim() == dimension)
            })
            .ok_or_else(|| self.damaged(&format!("dimension {dimension} is not described")))
    }

    fn number<T: std::str::FromStr>(&self, node: Node<'_, '_>, name: &str) -> Result<T> {
        let text = node.attribute(name).unwrap_or_default().trim();
        let tag = node.tag_name().name();
        text.parse()
            .map_err(|_no_number| self.damaged(&format!("{tag} has the {name} “{text}”")))
    }

    fn numbers(&self, text: &str) -> Result<Vec<u32>> {
        text.split_ascii_whitespace()
            .map(str::parse)
            .collect::<std::result::Result<_, _>>()
            .map_err(|_no_number: std::num::ParseIntError| {
                self.damaged("a list of vertices or voxels holds other than whole numbers")
            })
    }

    fn places(&self, axis: Node<'a, 'a>, n_columns: usize) -> Result<Places> {
        let grid = child(axis, "Volume").map(|v| self.grid(v)).transpose()?;
        let mut places = Places {
            grid,
            ..Places::default()
        };
        if kind(axis) == "PARCELS" {
            self.parcels(axis, n_columns, &mut places)?;
        } else {
            self.models(axis, n_columns, &mut places)?;
        }
        for part in &places.surfaces {
            if let Some(v) = part
                .vertices
                .iter()
                .find(|&&v| v as usize >= part.n_vertices)
            {
                return Err(self.damaged(&format!(
                    "vertex {v} of {} with {} vertices",
                    part.structure, part.n_vertices
                )));
            }
        }
        let shape = places.grid.as_ref().map_or([0; 3], |g| g.shape);
        let outside = |v: &&[u32; 3]| (0..3).any(|i| v[i] as usize >= shape[i]);
        let mut voxels = places.voxels.iter().flat_map(|p| &p.voxels);
        if let Some(voxel) = voxels.find(outside) {
            return Err(self.damaged(&format!("voxel {voxel:?} of a grid of {shape:?}")));
        }
        Ok(places)
    }

    /// Each column a vertex or voxel.
    fn models(&self, axis: Node<'a, 'a>, n_columns: usize, places: &mut Places) -> Result<()> {
        let mut n_described = 0usize;
        for model in children(axis, "BrainModel") {
            let offset: usize = self.number(model, "IndexOffset")?;
            let count: usize = self.number(model, "IndexCount")?;
            if offset.checked_add(count).is_none_or(|end| end > n_columns) {
                return Err(
                    self.damaged(&format!("places {offset} and {count} more of {n_columns}"))
                );
            }
            n_described += count;
            let columns: Vec<u32> = (offset..offset + count).map(|c| c as u32).collect();
            let structure = structure(model);
            let n_listed;
            if model
                .attribute("ModelType")
                .is_some_and(|t| t.contains("SURFACE"))
            {
                let vertices = self.numbers(text_of(model, "VertexIndices"))?;
                n_listed = vertices.len();
                places.surfaces.push(SurfacePart {
                    structure,
                    n_vertices: self.n_vertices(model)?,
                    vertices,
                    columns,
                });
            } else {
                let voxels = self.voxels(text_of(model, "VoxelIndicesIJK"))?;
                n_listed = voxels.len();
                places.voxels.push(VoxelPart {
                    structure,
                    voxels,
                    columns,
                });
            }
            if n_listed != count {
                return Err(self.damaged(&format!(
                    "a structure of {count} places that lists {n_listed}"
                )));
            }
        }
        if n_described == n_columns {
            return Ok(());
        }
        Err(self.damaged(&format!("{n_described} places for {n_columns} columns")))
    }

    /// Each column a parcel.
    fn parcels(&self, axis: Node<'a, 'a>, n_columns: usize, places: &mut Places) -> Result<()> {
        let mut surfaces = BTreeMap::new();
        for surface in children(axis, "Surface") {
            let structure = structure(surface);
            surfaces.insert(
                structure.clone(),
                SurfacePart {
                    structure,
                    n_vertices: self.n_vertices(surface)?,
                    vertices: Vec::new(),
                    columns: Vec::new(),
                },
            );
        }
        let mut in_volume = VoxelPart {
            structure: String::new(),
            voxels: Vec::new(),
            columns: Vec::new(),
        };
        for (column, parcel) in children(axis, "Parcel").enumerate() {
            let name = parcel.attribute("Name").unwrap_or_default();
            places.parcels.push(name.trim().to_owned());
            for vertices in children(parcel, "Vertices") {
                let part = surfaces
                    .get_mut(&structure(vertices))
                    .ok_or_else(|| self.damaged("a parcel is on a surface that is not listed"))?;
                let listed = self.numbers(vertices.text().unwrap_or_default())?;
                part.columns
                    .extend(std::iter::repeat_n(column as u32, listed.len()));
                part.vertices.extend(listed);
            }
            let voxels = self.voxels(text_of(parcel, "VoxelIndicesIJK"))?;
            in_volume
                .columns
                .extend(std::iter::repeat_n(column as u32, voxels.len()));
            in_volume.voxels.extend(voxels);
        }
        if places.parcels.len() != n_columns {
            return Err(self.damaged(&format!(
                "{} parcels for {n_columns} columns",
                places.parcels.len()
            )));
        }
        places.surfaces = surfaces.into_values().collect();
        if !in_volume.voxels.is_empty() {
            places.voxels.push(in_volume);
        }
        Ok(())
    }

    fn n_vertices(&self, node: Node<'_, '_>) -> Result<usize> {
        let n: usize = self.number(node, "SurfaceNumberOfVertices")?;
        if n <= MOST_VERTICES {
            return Ok(n);
        }
        Err(self.damaged(&format!("a surface of {n} vertices")))
    }

    fn voxels(&self, text: &str) -> Result<Vec<[u32; 3]>> {
        let numbers = self.numbers(text)?;
        match numbers.as_chunks::<3>() {
            (voxels, []) => Ok(voxels.to_vec()),
            _ => Err(self.damaged("a list of voxels that does not go up in threes")),
        }
    }

    fn grid(&self, volume: Node<'a, 'a>) -> Result<Grid> {
        let dims = volume.attribute("VolumeDimensions").unwrap_or_default();
        let sizes: Option<Vec<usize>> = dims
            .split([',', ' '])
            .filter(|s| !s.is_empty())
            .map(|s| s.parse().ok().filter(|&n| n > 0))
            .collect();
        let shape = sizes
            .and_then(|s| <[usize; 3]>::try_from(s).ok())
            .filter(|s| {
                let n = s.iter().try_fold(1usize, |n, &d| n.checked_mul(d));
                n.is_some_and(|n| n <= MOST_VOXELS)
            })
            .ok_or_else(|| self.damaged(&format!("a grid of “{dims}” voxels")))?;
        let unreadable = || self.damaged("a transformation of voxels that cannot be read");
        let tag = "TransformationMatrixVoxelIndicesIJKtoXYZ";
        let matrix = child(volume, tag).ok_or_else(unreadable)?;
        let exponent: i32 = self.number(matrix, "MeterExponent")?;
        let rows: Option<Vec<f64>> = matrix
            .text()
            .unwrap_or_default()
            .split_ascii_whitespace()
            .map(|w| w.parse().ok())
            .collect();
        let rows = rows.filter(|r| r.len() == 16).ok_or_else(unreadable)?;
        let column = |c: usize| DVec3::new(rows[c], rows[4 + c], rows[8 + c]);
        let mm = 10f64.powi(exponent.saturating_add(3));
        let world_from_voxel = DAffine3 {
            matrix3: DMat3::from_cols(column(0), column(1), column(2)) * mm,
            translation: column(3) * mm,
        };
        let volume = world_from_voxel.matrix3.determinant();
        if !world_from_voxel.is_finite() || !volume.is_normal() {
            return Err(unreadable());
        }
        Ok(Grid {
            shape,
            world_from_voxel,
        })
    }

    fn maps(&self, axis: Node<'a, 'a>, n_maps: usize) -> Result<Maps> {
        let name = |map: Node<'a, 'a>| text_of(map, "MapName").to_owned();
        let (maps, n_described) = match kind(axis) {
            "SCALARS" => {
                let names: Vec<String> = children(axis, "NamedMap").map(name).collect();
                let n = names.len();
                (Maps::Scalars(names), n)
            }
            "LABELS" => {
                let label_map = |map| {
                    Ok(LabelMap {
                        name: name(map),
                        regions: self.regions(map)?,
                    })
                };
                let maps: Vec<LabelMap> = children(axis, "NamedMap")
                    .map(label_map)
                    .collect::<Result<_>>()?;
                let n = maps.len();
                (Maps::Labels(maps), n)
            }
            "SERIES" => {
                let exponent: i32 = self.number(axis, "SeriesExponent")?;
                let scale = 10f64.powi(exponent);
                let series = Maps::Series {
                    start: self.number::<f64>(axis, "SeriesStart")? * scale,
                    step: self.number::<f64>(axis, "SeriesStep")? * scale,
                    unit: axis
                        .attribute("SeriesUnit")
                        .unwrap_or("SECOND")
                        .trim()
                        .to_owned(),
                };
                (series, self.number(axis, "NumberOfSeriesPoints")?)
            }
            other => {
                return Err(self.damaged(&format!("an axis of the unknown type “{other}”")));
            }
        };
        if n_described == n_maps {
            return Ok(maps);
        }
        Err(self.damaged(&format!("{n_described} maps described, {n_maps} stored")))
    }

    fn regions(&self, map: Node<'a, 'a>) -> Result<Vec<Region>> {
        let Some(table) = child(map, "LabelTable") else {
            return Ok(Vec::new());
        };
        children(table, "Label")
            .map(|label| {
                let part = |name: &str| {
                    let part: f32 = self.number(label, name)?;
                    Ok((part.clamp(0.0, 1.0) * 255.0).round() as u8)
                };
                Ok(Region {
                    key: self.number(label, "Key")?,
                    name: label.text().unwrap_or_default().trim().to_owned(),
                    colour: [part("Red")?, part("Green")?, part("Blue")?],
                })
            })
            .collect()
    }
}
