//! What the fields of a header mean: number types, scaling, units, intent.

use super::fields::Fields;
use crate::io::dtype::Datatype;
use crate::{Error, Result};

/// The codes of `nifti1.h` for the types that are read.
const CODES: [(i32, Datatype); 14] = [
    (2, Datatype::U8),
    (4, Datatype::I16),
    (8, Datatype::I32),
    (16, Datatype::F32),
    (32, Datatype::C64),
    (64, Datatype::F64),
    (128, Datatype::Rgb),
    (256, Datatype::I8),
    (512, Datatype::U16),
    (768, Datatype::U32),
    (1024, Datatype::I64),
    (1280, Datatype::U64),
    (1792, Datatype::C128),
    (2304, Datatype::Rgba),
];

/// The code of a type.
pub(super) fn code_of(datatype: Datatype) -> i16 {
    CODES
        .iter()
        .find(|(_, known)| *known == datatype)
        .map_or(0, |(code, _)| *code as i16)
}

impl Fields {
    /// The dimensions, each at least 1.
    pub(super) fn shape(&self) -> Result<Vec<usize>> {
        let n_dims = self.dim[0] as usize;
        if self.version == 2 && (3000..=3099).contains(&self.intent_code) {
            return Err(Error::file(
                &self.path,
                "is a CIFTI file, which holds vertices and voxels together: give its parts as GIFTI and NIfTI (wb_command -cifti-separate)",
            ));
        }
        if self.version == 1 && self.dim[1] == -1 {
            return Err(Error::file(
                &self.path,
                "is a FreeSurfer surface map in a NIfTI file: convert it to GIFTI (mri_convert)",
            ));
        }
        self.dim[1..=n_dims]
            .iter()
            .map(|&d| usize::try_from(d).ok().filter(|&d| d > 0))
            .collect::<Option<_>>()
            .ok_or_else(|| {
                Error::file(
                    &self.path,
                    format!(
                        "says it has {:?} voxels along its axes: its header is damaged, so copy or download it again",
                        &self.dim[1..=n_dims]
                    ),
                )
            })
    }

    /// How values are stored.
    pub(in crate::io) fn datatype(&self) -> Result<Datatype> {
        let known = CODES.iter().find(|(code, _)| *code == self.datatype);
        if let Some(&(_, datatype)) = known {
            return Ok(datatype);
        }
        let refused = match self.datatype {
            1 => "single bits: save it as uint8".to_owned(),
            // Their 16 bytes are an IEEE quad on one machine and an x87 number on the next; nibabel
            // reads them where its own long double is a quad, and nowhere else.
            1536 => "128-bit floats, which differ from machine to machine: save it as float64 where it was written".to_owned(),
            2048 => "complex numbers of 128-bit floats: save their magnitude as float64".to_owned(),
            other => format!("values of an unknown type ({other}): save it as float32"),
        };
        Err(Error::file(&self.path, format!("holds {refused}")))
    }

    /// Slope and intercept; `None` when the standard says to leave the values alone (slope 0 or
    /// not finite, which fMRIPrep's masks have: the intercept is then ignored too) or when they
    /// change nothing.
    pub(in crate::io) fn scaling(&self) -> Option<(f64, f64)> {
        if self.slope == 0.0 || !self.slope.is_finite() || !self.inter.is_finite() {
            return None;
        }
        (self.slope != 1.0 || self.inter != 0.0).then_some((self.slope, self.inter))
    }

    /// The scaling of the one number that is read from a voxel: of the luminance of a colour,
    /// which the standard leaves as it is; of a magnitude, which an intercept of the complex number
    /// would not let follow.
    pub(super) fn scaling_of(
        &self,
        datatype: Datatype,
        assumptions: &mut Vec<String>,
    ) -> Result<Option<(f64, f64)>> {
        match (datatype, self.scaling()) {
            (Datatype::Rgb | Datatype::Rgba, _) => {
                assumptions.push("the values are colours: took their luminance".into());
                Ok(None)
            }
            (Datatype::C64 | Datatype::C128, Some((_, inter))) if inter != 0.0 => Err(Error::file(
                &self.path,
                "holds complex numbers and adds an intercept to them: save their magnitude as float32",
            )),
            (Datatype::C64 | Datatype::C128, scaling) => {
                assumptions.push("the values are complex: took their magnitude".into());
                Ok(scaling.map(|(slope, inter)| (slope.abs(), inter)))
            }
            (_, scaling) => Ok(scaling),
        }
    }

    /// Millimetres in the header's unit of length.
    pub(super) fn mm_per_unit(&self, assumptions: &mut Vec<String>) -> f64 {
        match self.xyzt_units & 0o7 {
            1 => {
                assumptions.push("the header is in metres: converted to mm".into());
                1e3
            }
            2 => 1.0,
            3 => {
                assumptions.push("the header is in micrometres: converted to mm".into());
                1e-3
            }
            _ => {
                assumptions.push("spatial unit unknown: assumed mm".into());
                1.0
            }
        }
    }

    /// Seconds from volume to volume.
    pub(super) fn tr_secs(&self, assumptions: &mut Vec<String>) -> Option<f64> {
        let step = self.pixdim[4];
        if !(step > 0.0 && step.is_finite()) {
            return None;
        }
        // No scanner waits 50 s for a volume, and none takes less than 50 ms.
        let implausible = step >= 50.0;
        match self.xyzt_units & 0o70 {
            8 if implausible => {
                assumptions.push(format!(
                    "the header gives a TR of {step} s, which must be milliseconds: took it as {} s",
                    step * 1e-3
                ));
                Some(step * 1e-3)
            }
            8 => Some(step),
            16 => Some(step * 1e-3),
            24 => Some(step * 1e-6),
            // Hertz, ppm, radians: the fourth axis is not time.
            32.. => None,
            _ => {
                let (unit, in_secs) = if implausible {
                    ("ms", 1e-3)
                } else {
                    ("s", 1.0)
                };
                assumptions.push(format!(
                    "unit of time unknown: took the TR as {step} {unit}"
                ));
                Some(step * in_secs)
            }
        }
    }

    /// What the values mean.
    pub(super) fn intent(&self) -> String {
        let meaning = match self.intent_code {
            2 => "correlation",
            3 => "t statistic",
            4 => "F statistic",
            5 => "z score",
            6 => "chi-squared statistic",
            22 => "p value",
            23 => "−ln p",
            24 => "−log10 p",
            1001 => "estimate",
            1002 => "labels",
            1003 => "names",
            1006 => "displacement",
            1007 => "vector",
            2001 => "time series",
            _ => "",
        };
        match (meaning, self.intent_name.as_str()) {
            ("", name) => name.to_owned(),
            (meaning, "") => meaning.to_owned(),
            (meaning, name) => format!("{meaning} ({name})"),
        }
    }

    /// Where the values begin in their file.
    pub(in crate::io) fn data_offset(&self) -> Result<u64> {
        // The header, then four bytes that tell of extensions.
        let least = match (self.single_file, self.version) {
            (false, _) => 0.0,
            (true, 1) => 352.0,
            (true, _) => 544.0,
        };
        if self.vox_offset == 0.0 {
            return Ok(least as u64);
        }
        if self.vox_offset.is_finite() && self.vox_offset >= least {
            return Ok(self.vox_offset as u64);
        }
        Err(Error::file(
            &self.path,
            format!(
                "says its data begin at byte {}, which is inside its header: it is damaged, so copy or download it again",
                self.vox_offset
            ),
        ))
    }
}
