//! The light that surfaces are seen in: soft key and fill from the viewer's side, sky and ground, a gentle rim.
//!
//! The constants travel to the shader in the uniform, so there is one copy of them.

use bytemuck::{Pod, Zeroable};
use glam::{Vec3, Vec4};

/// Directions are in camera space (x right, y up, z towards the viewer): the lamps are fixed to the camera, so every
/// view is lit alike.
#[repr(C)]
#[derive(Clone, Copy, Debug, Pod, Zeroable)]
pub(crate) struct Light {
    /// Unit direction towards the lamp and its strength.
    key: Vec4,
    /// As `key`.
    fill: Vec4,
    /// Ambient light from above and from below, rim strength, rim exponent.
    ambient: Vec4,
    /// Specular strength, specular exponent, how far light wraps around, how much an overlay is evened out.
    gloss: Vec4,
    /// x: what a plain surface facing the viewer gets, so that it can be normalised to 1 and overlays keep their colours.
    facing: Vec4,
}

impl Light {
    /// Matte, as cortex is usually shown; chosen by eye.
    pub(crate) fn studio() -> Self {
        let lamp = |direction: Vec3, strength: f32| direction.normalize_or_zero().extend(strength);
        let mut light = Self {
            key: lamp(Vec3::new(-0.45, 0.60, 0.75), 0.62),
            fill: lamp(Vec3::new(0.75, -0.10, 0.55), 0.22),
            ambient: Vec4::new(0.34, 0.20, 0.08, 3.0),
            gloss: Vec4::new(0.05, 20.0, 0.25, 0.45),
            facing: Vec4::ONE,
        };
        light.facing.x = light.shade(Vec3::Z, Vec3::Z).0;
        light
    }

    /// Diffuse and specular light on a point with unit normal `n` seen from unit direction `v` (camera space).
    pub(crate) fn shade(&self, n: Vec3, v: Vec3) -> (f32, f32) {
        let lamp = |lamp: Vec4| {
            lamp.w * ((n.dot(lamp.truncate()) + self.gloss.z) / (1.0 + self.gloss.z)).max(0.0)
        };
        let sky = self.ambient.y + (self.ambient.x - self.ambient.y) * (0.5 + 0.5 * n.y);
        let rim = self.ambient.z * (1.0 - n.dot(v).max(0.0)).powf(self.ambient.w);
        let diffuse = (sky + lamp(self.key) + lamp(self.fill) + rim) / self.facing.x;
        let half = (self.key.truncate() + v).normalize_or_zero();
        let specular = self.gloss.x * n.dot(half).max(0.0).powf(self.gloss.y);
        (diffuse, specular)
    }

    /// The light of a pixel: `albedo` linear, `overlay` how much of it is data (0 to 1), whose shading is evened out
    /// and has no gloss, so that its colours can be compared with the colour bar.
    pub(crate) fn lit(&self, albedo: Vec3, overlay: f32, n: Vec3, v: Vec3) -> Vec3 {
        let (diffuse, specular) = self.shade(n, v);
        let even = self.gloss.w * overlay;
        albedo * (diffuse + (1.0 - diffuse) * even) + Vec3::splat(specular * (1.0 - overlay))
    }
}
