//! The stimuli: small pictures drawn from a seed, each with a caption, a category and its traits.

use glam::{Vec2, Vec3};
use image::RgbImage;

use super::canvas::{Canvas, Pose, hsv};
use super::scenes;
use super::stream::{Stream, sin_cos};
use super::things;

/// What the pictures show, in the order they are drawn.
pub(super) const CATEGORIES: [&str; 8] = [
    "face", "body", "place", "word", "food", "tool", "animal", "vehicle",
];

/// How many numbers describe a picture beside its category.
pub(super) const N_TRAITS: usize = 10;

/// One picture and what is known of it.
#[derive(Clone, Debug)]
pub(super) struct Picture {
    /// The picture.
    pub(super) image: RgbImage,
    /// "a red apple on a blue table".
    pub(super) caption: String,
    /// The place in [`CATEGORIES`].
    pub(super) category: usize,
    /// Place, size, hue of thing and ground, kind within the category: about −1..1 each.
    pub(super) traits: [f32; N_TRAITS],
}

impl Picture {
    /// The category in words.
    pub(super) fn category_name(&self) -> &'static str {
        CATEGORIES[self.category % CATEGORIES.len()]
    }
}

/// A colour with its name.
#[derive(Clone, Copy, Debug)]
pub(super) struct Paint {
    /// As the caption calls it.
    pub(super) name: &'static str,
    /// Hue round the wheel, 0..1.
    pub(super) hue: f32,
    /// The colour.
    pub(super) colour: Vec3,
}

/// A named colour, a little different each time.
pub(super) fn paint(stream: &mut Stream) -> Paint {
    let (name, hue, saturation, value) = stream.pick([
        ("red", 0.0, 0.78, 0.85),
        ("orange", 0.075, 0.82, 0.95),
        ("yellow", 0.14, 0.75, 0.97),
        ("green", 0.36, 0.62, 0.66),
        ("teal", 0.49, 0.65, 0.68),
        ("blue", 0.6, 0.68, 0.82),
        ("purple", 0.76, 0.5, 0.72),
        ("pink", 0.93, 0.42, 0.95),
    ]);
    let mut near = |x: f32, off: f32| x + stream.between(-off, off);
    let colour = hsv(
        near(hue, 0.015),
        near(saturation, 0.08).clamp(0.0, 1.0),
        near(value, 0.06).clamp(0.0, 1.0),
    );
    Paint { name, hue, colour }
}

/// What a scene is drawn with.
#[derive(Debug)]
pub(super) struct Easel {
    /// Where it is drawn.
    pub(super) canvas: Canvas,
    /// The pose of the thing shown.
    pub(super) pose: Pose,
    /// The colour of the thing shown.
    pub(super) paint: Paint,
    /// Words for what it stands on: "on a blue table".
    pub(super) setting: String,
    /// Which kind within its category was drawn, −1..1.
    pub(super) kind: f32,
}

/// Draws picture `number` of the seed: the categories take turns.
pub(super) fn picture(seed: u64, number: usize) -> Picture {
    let mut stream = Stream::new(seed, &[3, number as u64]);
    let category = number % CATEGORIES.len();
    let ground = paint(&mut stream);
    let thing = loop {
        let other = paint(&mut stream);
        if other.name != ground.name {
            break other;
        }
    };
    let at = Vec2::new(stream.between(-0.3, 0.3), stream.between(-0.24, 0.16));
    // A card with a word is broad and must still fit in.
    let size = stream.between(0.5, 0.78) * if category == 3 { 0.78 } else { 1.0 };
    let pose = Pose::new(at, size, stream.between(-0.16, 0.16));
    let (canvas, setting) = background(&mut stream, category, ground);
    let mut easel = Easel {
        canvas,
        pose,
        paint: thing,
        setting,
        kind: 0.0,
    };
    let draw = [
        scenes::face,
        scenes::body,
        scenes::place,
        things::word,
        things::food,
        things::tool,
        scenes::animal,
        things::vehicle,
    ][category];
    let caption = draw(&mut easel, &mut stream);
    let round = |hue: f32| sin_cos(hue * std::f32::consts::TAU);
    let ((s, c), (gs, gc)) = (round(thing.hue), round(ground.hue));
    let traits = [
        at.x * 4.0,
        at.y * 4.0,
        (size - 0.64) * 7.0,
        s,
        c,
        gs,
        gc,
        easel.kind,
        (thing.colour.element_sum() - ground.colour.element_sum()),
        stream.normal(),
    ];
    Picture {
        image: easel.canvas.finish(),
        caption,
        category,
        traits,
    }
}

/// The ground of a picture and the words for it.
fn background(stream: &mut Stream, category: usize, ground: Paint) -> (Canvas, String) {
    let light = stream.between(0.0, 1.0);
    let pale = ground.colour.lerp(Vec3::ONE, 0.45);
    let name = ground.name;
    // Faces, words: a wall. Food, tools: a table. The rest: out of doors.
    match category {
        0 | 3 => {
            let from = Vec2::new(light * 2.0 - 1.0, 1.0);
            let canvas =
                Canvas::new(|p| pale.lerp(ground.colour * 0.8, (p.distance(from) * 0.42).min(1.0)));
            (
                canvas,
                format!("in front of {} {name} wall", scenes::article(name)),
            )
        }
        4 | 5 => {
            let edge = stream.between(-0.15, 0.35);
            let wall = Vec3::new(0.93, 0.91, 0.87) * (0.72 + 0.25 * light);
            let mut canvas = Canvas::new(|p| wall * (1.0 + 0.08 * p.y));
            canvas.shade(|p| ground.colour * (0.88 - 0.22 * p.y), |p| p.y - edge);
            (canvas, format!("on {} {name} table", scenes::article(name)))
        }
        _ => {
            let horizon = stream.between(-0.45, 0.0);
            let (sky, word) = stream.pick([
                (Vec3::new(0.52, 0.75, 0.95), "under a blue sky"),
                (Vec3::new(0.98, 0.72, 0.5), "at sunset"),
                (Vec3::new(0.16, 0.19, 0.4), "at night"),
                (Vec3::new(0.8, 0.83, 0.86), "on a grey day"),
            ]);
            let mut canvas = Canvas::new(|p| {
                sky.lerp(Vec3::ONE, (0.35 - 0.35 * (p.y - horizon)).clamp(0.0, 0.6))
            });
            let earth = ground.colour * 0.82;
            canvas.shade(
                |p| earth * (1.0 - 0.28 * (p.y - horizon)),
                |p| p.y - horizon,
            );
            (canvas, format!("on {name} ground {word}"))
        }
    }
}
