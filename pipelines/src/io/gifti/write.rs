//! GIFTI out: zlib in base64, little-endian, as most programs write it.

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use flate2::Compression;
use flate2::write::ZlibEncoder;
use glam::Vec3;

use crate::io::write::write_text;
use crate::surface::{Hemisphere, Surface, VertexLabels, VertexMap};
use crate::{Error, Result};

/// Writes a surface, its points in scanner space.
///
/// # Errors
/// When the file cannot be written.
pub fn write_surface(path: &Path, surface: &Surface) -> Result<()> {
    let structure = structure(surface.hemisphere);
    let points: Vec<u8> = surface
        .vertices
        .iter()
        .flat_map(Vec3::to_array)
        .flat_map(f32::to_le_bytes)
        .collect();
    let corners: Vec<u8> = surface
        .triangles
        .iter()
        .flatten()
        .flat_map(|v| v.to_le_bytes())
        .collect();
    let mut body = String::new();
    let size = [surface.vertices.len(), 3];
    body += &data_array(path, "POINTSET", "FLOAT32", &size, &structure, &points)?;
    let size = [surface.triangles.len(), 3];
    body += &data_array(path, "TRIANGLE", "INT32", &size, &[], &corners)?;
    write_text(path, &file(2, "<LabelTable/>\n", &body))
}

/// Writes one map (curvature, a statistic).
///
/// # Errors
/// When the file cannot be written.
pub fn write_map(path: &Path, map: &VertexMap) -> Result<()> {
    let bytes: Vec<u8> = map.values.iter().flat_map(|v| v.to_le_bytes()).collect();
    let name = [("Name", map.name.as_str())];
    let body = data_array(path, "NONE", "FLOAT32", &[map.values.len()], &name, &bytes)?;
    write_text(path, &file(1, "<LabelTable/>\n", &body))
}

/// Writes region keys and their table; where the hemisphere is known, the file says it as Connectome Workbench asks.
///
/// # Errors
/// When the file cannot be written.
pub fn write_labels(
    path: &Path,
    labels: &VertexLabels,
    hemisphere: Option<Hemisphere>,
) -> Result<()> {
    let bytes: Vec<u8> = labels.keys.iter().flat_map(|v| v.to_le_bytes()).collect();
    let body = data_array(path, "LABEL", "INT32", &[labels.keys.len()], &[], &bytes)?;
    let mut table = String::from("<LabelTable>\n");
    for region in &labels.regions {
        let [r, g, b] = region.colour.map(|c| f64::from(c) / 255.0);
        let name = cdata(&region.name);
        let key = region.key;
        table += &format!(
            "<Label Key=\"{key}\" Red=\"{r:.6}\" Green=\"{g:.6}\" Blue=\"{b:.6}\" Alpha=\"1\">{name}</Label>\n"
        );
    }
    table += "</LabelTable>\n";
    let whole = file(1, &table, &body);
    let said = meta(&structure(hemisphere));
    write_text(path, &whole.replacen("<MetaData/>\n", &said, 1))
}

fn structure(hemisphere: Option<Hemisphere>) -> Vec<(&'static str, &'static str)> {
    match hemisphere {
        Some(Hemisphere::Left) => vec![("AnatomicalStructurePrimary", "CortexLeft")],
        Some(Hemisphere::Right) => vec![("AnatomicalStructurePrimary", "CortexRight")],
        None => vec![],
    }
}

fn meta(pairs: &[(&str, &str)]) -> String {
    let mut text = String::from("<MetaData>\n");
    for (name, value) in pairs {
        text += &format!(
            "<MD><Name>{}</Name><Value>{}</Value></MD>\n",
            cdata(name),
            cdata(value)
        );
    }
    text + "</MetaData>\n"
}

fn file(n_arrays: usize, table: &str, body: &str) -> String {
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
         <!DOCTYPE GIFTI SYSTEM \"http://www.nitrc.org/frs/download.php/115/gifti.dtd\">\n\
         <GIFTI Version=\"1.0\" NumberOfDataArrays=\"{n_arrays}\">\n<MetaData/>\n{table}{body}</GIFTI>\n"
    )
}

fn data_array(
    path: &Path,
    intent: &str,
    datatype: &str,
    dims: &[usize],
    said: &[(&str, &str)],
    bytes: &[u8],
) -> Result<String> {
    let mut zlib = ZlibEncoder::new(Vec::new(), Compression::default());
    let packed = zlib
        .write_all(bytes)
        .and_then(|()| zlib.finish())
        .map_err(|e| Error::io(path, e))?;
    let mut text = format!(
        "<DataArray Intent=\"NIFTI_INTENT_{intent}\" DataType=\"NIFTI_TYPE_{datatype}\" \
         ArrayIndexingOrder=\"RowMajorOrder\" Dimensionality=\"{}\"",
        dims.len()
    );
    for (d, n) in dims.iter().enumerate() {
        let _ = write!(text, " Dim{d}=\"{n}\"");
    }
    text += " Encoding=\"GZipBase64Binary\" Endian=\"LittleEndian\" ExternalFileName=\"\" ExternalFileOffset=\"\">\n";
    text += &meta(said);
    if intent == "POINTSET" {
        text += "<CoordinateSystemTransformMatrix>\n\
                 <DataSpace><![CDATA[NIFTI_XFORM_SCANNER_ANAT]]></DataSpace>\n\
                 <TransformedSpace><![CDATA[NIFTI_XFORM_SCANNER_ANAT]]></TransformedSpace>\n\
                 <MatrixData>1 0 0 0 0 1 0 0 0 0 1 0 0 0 0 1</MatrixData>\n\
                 </CoordinateSystemTransformMatrix>\n";
    }
    text += "<Data>";
    STANDARD.encode_string(packed, &mut text);
    text += "</Data>\n</DataArray>\n";
    Ok(text)
}

/// Text that may hold anything; the end mark of CDATA is split over two sections, and characters
/// that XML has no way to hold become spaces.
fn cdata(text: &str) -> String {
    let allowed = |c: char| {
        if c < ' ' && !matches!(c, '\t' | '\n' | '\r') {
            ' '
        } else {
            c
        }
    };
    let text: String = text.chars().map(allowed).collect();
    format!("<![CDATA[{}]]>", text.replace("]]>", "]]]]><![CDATA[>"))
}
