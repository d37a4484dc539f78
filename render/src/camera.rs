//! From where surfaces are seen.

use glam::{Mat4, Quat, Vec3, Vec4};

/// A camera that turns around a point.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Camera {
    /// The point it looks at, world mm.
    pub target_mm: Vec3,
    /// Turns the world's axes into the camera's (x right, y up, z towards the viewer).
    pub rotation: Quat,
    /// Half of the picture's height at the target, mm: the zoom.
    pub half_height_mm: f32,
    /// Vertical field of view in degrees; 0 is orthographic.
    pub fov_degrees: f32,
}

/// The standard views.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StandardView {
    /// From the subject's left.
    Left,
    /// From the subject's right.
    Right,
    /// From above, anterior up.
    Superior,
    /// From below, anterior up.
    Inferior,
    /// From the front.
    Anterior,
    /// From behind.
    Posterior,
}

impl StandardView {
    /// The rotation of [`Camera`].
    pub fn rotation(self) -> Quat {
        // Rows are the camera's right, up and backward directions in the world.
        let (right, up) = match self {
            Self::Left => (Vec3::NEG_Y, Vec3::Z),
            Self::Right => (Vec3::Y, Vec3::Z),
            Self::Superior => (Vec3::X, Vec3::Y),
            Self::Inferior => (Vec3::NEG_X, Vec3::Y),
            Self::Anterior => (Vec3::NEG_X, Vec3::Z),
            Self::Posterior => (Vec3::X, Vec3::Z),
        };
        let back = right.cross(up);
        Quat::from_mat3(&glam::Mat3::from_cols(right, up, back).transpose())
    }
}

impl Camera {
    /// An orthographic camera that shows a box (lowest and highest corner, world mm) from a side, with a little room
    /// around it, in a picture of that aspect (width / height).
    pub fn fit(bounds_mm: (Vec3, Vec3), view: StandardView, aspect: f32) -> Self {
        const ROOM: f32 = 1.06;
        let rotation = view.rotation();
        let half = (bounds_mm.1 - bounds_mm.0) / 2.0;
        // The box is aligned with the world and so are the standard views: turning the half diagonal is exact.
        let seen = (rotation * half).abs();
        let half_height_mm = ROOM * seen.y.max(seen.x / aspect.max(1e-3));
        Self {
            target_mm: (bounds_mm.0 + bounds_mm.1) / 2.0,
            rotation,
            half_height_mm: half_height_mm.max(1e-3),
            fov_degrees: 0.0,
        }
    }

    /// Camera space (mm; x right, y up, z towards the viewer, the target at the origin) from world mm.
    pub(crate) fn camera_from_world(&self) -> Mat4 {
        Mat4::from_quat(self.rotation) * Mat4::from_translation(-self.target_mm)
    }

    /// Where the viewer is in camera space: a point (w 1), or a direction when orthographic (w 0).
    pub(crate) fn eye(&self) -> Vec4 {
        if self.fov_degrees <= 0.0 {
            Vec4::Z
        } else {
            Vec4::new(0.0, 0.0, self.distance_mm(), 1.0)
        }
    }

    /// From the viewer to the target in perspective.
    fn distance_mm(&self) -> f32 {
        self.half_height_mm.max(1e-3) / (self.fov_degrees.min(170.0).to_radians() / 2.0).tan()
    }

    /// Clip space (wgpu: x, y in −1..1, depth 0 near to 1 far) from world mm, for a picture of that aspect (width / height).
    pub fn clip_from_world(&self, aspect: f32) -> Mat4 {
        let half_h = self.half_height_mm.max(1e-3);
        let reach = 1000.0_f32.max(half_h * 8.0);
        let turn = self.camera_from_world();
        if self.fov_degrees <= 0.0 {
            let projection = Mat4::orthographic_rh(
                -half_h * aspect,
                half_h * aspect,
                -half_h,
                half_h,
                -reach,
                reach,
            );
            projection * turn
        } else {
            let fov = self.fov_degrees.min(170.0).to_radians();
            let distance = self.distance_mm();
            let near = (distance - reach).max(distance * 0.02);
            let projection = Mat4::perspective_rh(fov, aspect, near, distance + reach);
            projection * Mat4::from_translation(Vec3::new(0.0, 0.0, -distance)) * turn
        }
    }

    /// The camera turned by a drag: yaw about the picture's vertical, pitch about its horizontal, radians.
    #[must_use]
    pub fn turned(mut self, yaw: f32, pitch: f32) -> Self {
        let turn = Quat::from_rotation_x(pitch) * Quat::from_rotation_y(yaw);
        self.rotation = (turn * self.rotation).normalize();
        self
    }
}
