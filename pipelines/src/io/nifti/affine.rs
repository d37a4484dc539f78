//! Where the voxels are: sform, qform, or neither.

use glam::{DAffine3, DMat3, DQuat, DVec3};

use super::Form;
use super::fields::Fields;

/// Sform and qform may differ by rounding; beyond this a user should know.
const SAME_MM: f64 = 0.05;

/// The affine to use, and the two it was chosen from.
pub(super) struct Forms {
    pub(super) world_from_voxel: DAffine3,
    pub(super) sform: Option<Form>,
    pub(super) qform: Option<Form>,
}

/// Takes the sform if it is set, else the qform, else a grid about the origin, as nibabel does.
/// An affine that cannot be inverted is passed over.
pub(super) fn choose(
    fields: &Fields,
    shape: &[usize],
    mm: f64,
    assumptions: &mut Vec<String>,
) -> Forms {
    let sizes = voxel_sizes(fields);
    let scale = DAffine3::from_scale(DVec3::splat(mm));
    // Codes beyond the five of the standard count as unset.
    let form = |code, affine: DAffine3| {
        (1..=5).contains(&code).then_some(Form {
            code,
            world_from_voxel: scale * affine,
        })
    };
    let sform = form(fields.sform_code, from_rows(&fields.srow));
    let qform = form(fields.qform_code, from_quaternion(fields, sizes));
    let usable = |form: Option<Form>, name: &str, assumptions: &mut Vec<String>| {
        let affine = form?.world_from_voxel;
        if is_invertible(&affine) {
            return Some(affine);
        }
        assumptions.push(format!("the {name} is not invertible: passed over it"));
        None
    };
    let by_sform = usable(sform, "sform", assumptions);
    let by_qform = usable(qform, "qform", assumptions);
    if let (Some(s), Some(q)) = (by_sform, by_qform) {
        let apart = largest_distance(&s, &q, shape);
        if apart > SAME_MM {
            assumptions.push(format!(
                "sform and qform differ by up to {apart:.1} mm: used the sform"
            ));
        }
    }
    let world_from_voxel = by_sform.or(by_qform).unwrap_or_else(|| {
        assumptions.push(
            "no orientation in the header: assumed that i runs to the left, j to the front, k up, \
             and that the grid is centred on the origin"
                .into(),
        );
        scale * about_origin(shape, sizes)
    });
    Forms {
        world_from_voxel,
        sform,
        qform,
    }
}

/// |pixdim|, with 1 for what is no size in any unit.
fn voxel_sizes(fields: &Fields) -> DVec3 {
    let size = |d: f64| {
        if (1e-9..1e9).contains(&d.abs()) {
            d.abs()
        } else {
            1.0
        }
    };
    DVec3::new(
        size(fields.pixdim[1]),
        size(fields.pixdim[2]),
        size(fields.pixdim[3]),
    )
}

fn from_rows(rows: &[[f64; 4]; 3]) -> DAffine3 {
    let column = |c: usize| DVec3::new(rows[0][c], rows[1][c], rows[2][c]);
    DAffine3 {
        matrix3: DMat3::from_cols(column(0), column(1), column(2)),
        translation: column(3),
    }
}

/// `nifti1.h`, method 2. The scalar part follows from the vector part; a vector part that
/// rounding has made a little too long is a half turn.
fn from_quaternion(fields: &Fields, sizes: DVec3) -> DAffine3 {
    let [b, c, d] = fields.quatern;
    let left = 1.0 - (b * b + c * c + d * d);
    let a = if left < 3.0 * f64::from(f32::EPSILON) {
        0.0
    } else {
        left.sqrt()
    };
    let rotation = DMat3::from_quat(DQuat::from_xyzw(b, c, d, a).normalize());
    // Anything but ±1 (0, most often) counts as 1.
    let qfac = if fields.pixdim[0] == -1.0 { -1.0 } else { 1.0 };
    DAffine3 {
        matrix3: rotation * DMat3::from_diagonal(DVec3::new(sizes.x, sizes.y, sizes.z * qfac)),
        translation: DVec3::from_array(fields.qoffset),
    }
}

/// The grid about the origin with i to the left: `nibabel.volumeutils.shape_zoom_affine`.
fn about_origin(shape: &[usize], sizes: DVec3) -> DAffine3 {
    let steps = sizes * DVec3::new(-1.0, 1.0, 1.0);
    let middle = DVec3::from_array(std::array::from_fn(|axis| {
        (shape.get(axis).copied().unwrap_or(1) as f64 - 1.0) / 2.0
    }));
    DAffine3 {
        matrix3: DMat3::from_diagonal(steps),
        translation: -middle * steps,
    }
}

fn is_invertible(affine: &DAffine3) -> bool {
    let m = affine.matrix3;
    let volume = m.x_axis.length() * m.y_axis.length() * m.z_axis.length();
    affine.is_finite() && volume > 0.0 && (m.determinant() / volume).abs() > 1e-6
}

/// The largest distance between the two images of a corner of the grid, in mm.
fn largest_distance(a: &DAffine3, b: &DAffine3, shape: &[usize]) -> f64 {
    (0..8)
        .map(|corner| {
            let p = DVec3::from_array(std::array::from_fn(|axis| {
                let last = shape.get(axis).copied().unwrap_or(1) as f64 - 1.0;
                if corner >> axis & 1 == 1 { last } else { 0.0 }
            }));
            a.transform_point3(p).distance(b.transform_point3(p))
        })
        .fold(0.0, f64::max)
}
