//! A small anti-aliased canvas: shapes as distances, colours as linear mixes.

use glam::{Vec2, Vec3};
use image::{Rgb, RgbImage};

use super::stream::sin_cos;

/// Pixels along an edge of the tiles that are painted or passed over as a whole.
const TILE: usize = 8;

/// A square picture being drawn. Coordinates are −1..1, x to the right and y up; colours 0..1.
#[derive(Debug)]
pub(super) struct Canvas {
    side: usize,
    pixels: Vec<Vec3>,
}

impl Canvas {
    /// A picture of `side` pixels an edge, filled by `colour` of each point. On none at all,
    /// drawing costs nothing.
    pub(super) fn new(side: usize, colour: impl Fn(Vec2) -> Vec3) -> Self {
        let mut canvas = Self {
            side,
            pixels: Vec::new(),
        };
        canvas.pixels = (0..side * side)
            .map(|i| colour(canvas.point(i % side, i / side)))
            .collect();
        canvas
    }

    /// The centre of a pixel.
    fn point(&self, x: usize, y: usize) -> Vec2 {
        let step = 2.0 / self.side as f32;
        Vec2::new(
            x as f32 * step + 0.5 * step - 1.0,
            1.0 - 0.5 * step - y as f32 * step,
        )
    }

    /// Paints where `distance` is negative, with a soft edge of one pixel.
    pub(super) fn paint(&mut self, colour: Vec3, distance: impl Fn(Vec2) -> f32) {
        self.shade(|_| colour, distance);
    }

    /// Paints with a colour that varies from point to point.
    pub(super) fn shade(&mut self, colour: impl Fn(Vec2) -> Vec3, distance: impl Fn(Vec2) -> f32) {
        let step = 2.0 / self.side.max(1) as f32;
        // Half a tile's diagonal with room to spare, for a distance may be told too large.
        let reach = 1.5 * TILE as f32 * step;
        for top in (0..self.side).step_by(TILE) {
            for left in (0..self.side).step_by(TILE) {
                let corner = self.point(left, top);
                let middle = corner + Vec2::new(0.5, -0.5) * (TILE as f32 - 1.0) * step;
                if distance(middle) > reach {
                    continue;
                }
                for y in top..(top + TILE).min(self.side) {
                    for x in left..(left + TILE).min(self.side) {
                        let p = self.point(x, y);
                        let cover = (0.5 - distance(p) / step).clamp(0.0, 1.0);
                        if cover > 0.0 {
                            let pixel = &mut self.pixels[y * self.side + x];
                            *pixel = pixel.lerp(colour(p), cover);
                        }
                    }
                }
            }
        }
    }

    /// The finished picture.
    pub(super) fn finish(&self) -> RgbImage {
        RgbImage::from_fn(self.side as u32, self.side as u32, |x, y| {
            let c = self.pixels[y as usize * self.side + x as usize];
            Rgb([c.x, c.y, c.z].map(|c| (c.clamp(0.0, 1.0) * 255.0 + 0.5) as u8))
        })
    }
}

/// A place, a size and a turn for a drawing.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pose {
    /// Where its centre lies.
    pub(super) at: Vec2,
    /// Its half-width.
    pub(super) size: f32,
    /// The x axis of the drawing.
    pub(super) axis: Vec2,
}

impl Pose {
    /// A drawing at `at`, turned by `angle` radians.
    pub(super) fn new(at: Vec2, size: f32, angle: f32) -> Self {
        let (sine, cosine) = sin_cos(angle);
        Self {
            at,
            size,
            axis: Vec2::new(cosine, sine),
        }
    }

    /// A point of the picture in the drawing's own coordinates.
    fn local(&self, p: Vec2) -> Vec2 {
        let d = (p - self.at) / self.size;
        Vec2::new(d.dot(self.axis), d.dot(self.axis.perp()))
    }

    /// An ellipse.
    pub(super) fn ellipse(self, centre: (f32, f32), half: (f32, f32)) -> impl Fn(Vec2) -> f32 {
        let (centre, half) = (Vec2::from(centre), Vec2::from(half));
        move |p| {
            let q = (self.local(p) - centre) / half;
            let k = q.length();
            self.size * k * (k - 1.0) / (q / half).length().max(1e-5)
        }
    }

    /// A box with round corners.
    pub(super) fn slab(
        self,
        centre: (f32, f32),
        half: (f32, f32),
        round: f32,
    ) -> impl Fn(Vec2) -> f32 {
        let (centre, half) = (Vec2::from(centre), Vec2::from(half));
        move |p| {
            let q = (self.local(p) - centre).abs() - half + Vec2::splat(round);
            self.size * (q.max(Vec2::ZERO).length() + q.max_element().min(0.0) - round)
        }
    }

    /// A stroke with round ends through the given points.
    pub(super) fn stroke<const N: usize>(
        self,
        points: [(f32, f32); N],
        radius: f32,
    ) -> impl Fn(Vec2) -> f32 {
        move |p| {
            let q = self.local(p);
            let nearest = points
                .windows(2)
                .map(|ends| {
                    let (a, b) = (Vec2::from(ends[0]), Vec2::from(ends[1]));
                    let along = b - a;
                    let t = ((q - a).dot(along) / along.length_squared().max(1e-9)).clamp(0.0, 1.0);
                    q.distance(a + along * t)
                })
                .fold(f32::INFINITY, f32::min);
            self.size * (nearest - radius)
        }
    }

    /// A convex polygon, corners counter-clockwise.
    pub(super) fn polygon<const N: usize>(self, corners: [(f32, f32); N]) -> impl Fn(Vec2) -> f32 {
        move |p| {
            let q = self.local(p);
            let mut outside = f32::NEG_INFINITY;
            for i in 0..N {
                let (a, b) = (Vec2::from(corners[i]), Vec2::from(corners[(i + 1) % N]));
                let normal = -(b - a).perp().normalize_or_zero();
                outside = outside.max((q - a).dot(normal));
            }
            self.size * outside
        }
    }
}

/// A colour from hue (0..1 round the wheel), saturation and value.
pub(super) fn hsv(hue: f32, saturation: f32, value: f32) -> Vec3 {
    let channel = |shift: f32| {
        let t = (hue + shift) * 6.0;
        let t = t - (t / 6.0).floor() * 6.0;
        let ramp = ((t - 3.0).abs() - 1.0).clamp(0.0, 1.0);
        value * (1.0 - saturation + saturation * ramp)
    };
    Vec3::new(channel(0.0), channel(2.0 / 3.0), channel(1.0 / 3.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tiles_change_nothing_but_the_time() {
        let pose = Pose::new(Vec2::new(0.13, -0.21), 0.7, 0.4);
        let shapes: [Box<dyn Fn(Vec2) -> f32>; 4] = [
            Box::new(pose.ellipse((0.1, 0.2), (1.05, 0.12))),
            Box::new(pose.slab((-0.2, 0.0), (0.9, 0.03), 0.02)),
            Box::new(pose.stroke([(-1.0, -1.0), (0.2, 0.9), (1.0, 0.0)], 0.02)),
            Box::new(pose.polygon([(-1.0, -0.5), (1.2, -0.5), (0.1, 1.1)])),
        ];
        for (number, shape) in shapes.iter().enumerate() {
            let mut canvas = Canvas::new(96, |_| Vec3::ZERO);
            canvas.paint(Vec3::ONE, shape);
            for (i, pixel) in canvas.pixels.iter().enumerate() {
                let distance = shape(canvas.point(i % 96, i / 96));
                let cover = (0.5 - distance * 48.0).clamp(0.0, 1.0);
                assert!(
                    (pixel.x - cover).abs() < 1e-6,
                    "shape {number}, pixel {i}: {} for {cover}",
                    pixel.x
                );
            }
        }
    }
}
