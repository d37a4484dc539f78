//! The stimuli: small pictures drawn from a seed, each with a caption, a category and its traits.

use glam::{Vec2, Vec3};
use image::RgbImage;

use super::canvas::{Canvas, Pose, hsv};
use super::grounds;
use super::scenes;
use super::setting;
use super::stream::{Stream, sin_cos};
use super::things;

/// What the pictures show, in the order they are drawn.
pub(super) const CATEGORIES: [&str; 8] = [
    "face", "body", "place", "word", "food", "tool", "animal", "vehicle",
];

/// Pixels along an edge of a picture.
pub(super) const SIDE: usize = 96;

/// How many numbers describe a picture beside its category and kind.
pub(super) const N_TRAITS: usize = 7;

/// One picture and what is known of it.
#[derive(Clone, Debug)]
pub(super) struct Picture {
    /// The picture.
    pub(super) image: RgbImage,
    /// "a red car on a road at night".
    pub(super) caption: String,
    /// The place in [`CATEGORIES`].
    pub(super) category: usize,
    /// Which kind within its category, 0..[`N_KINDS`].
    pub(super) kind: usize,
    /// What late areas see of it: place and size of the thing, its hues and those of the ground, light, openness
    /// of the scene. About −1..1 each.
    pub(super) traits: [f32; N_TRAITS],
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
    /// Words for where it is and when: "on a road at night".
    pub(super) setting: String,
    /// Which kind within its category is drawn, 0..[`N_KINDS`].
    pub(super) which: usize,
}

/// Kinds within a category ("cat", "bird", …).
pub(super) const N_KINDS: usize = 4;

impl Easel {
    /// The one of `kinds` that is to be drawn.
    pub(super) fn kind<T: Copy>(&self, kinds: [T; N_KINDS]) -> T {
        kinds[self.which % N_KINDS]
    }
}

/// The category of a picture in words: the categories take turns.
pub(super) fn category_name(number: usize) -> &'static str {
    CATEGORIES[number % CATEGORIES.len()]
}

/// Draws picture `number` of the seed, `side` pixels an edge.
pub(super) fn picture(seed: u64, number: usize, side: usize) -> Picture {
    let mut stream = Stream::new(seed, &[3, number as u64]);
    let category = number % CATEGORIES.len();
    let ground = paint(&mut stream);
    let thing = loop {
        let other = paint(&mut stream);
        if other.name != ground.name {
            break other;
        }
    };
    let which = stream.below(N_KINDS);
    let at = Vec2::new(stream.between(-0.3, 0.3), stream.between(-0.24, 0.16));
    // A card with a word is broad and must still fit in.
    let size = stream.between(0.5, 0.78) * if category == 3 { 0.78 } else { 1.0 };
    let pose = Pose::new(at, size, stream.between(-0.14, 0.14));
    let setting = setting::setting(&mut stream, category, which, ground);
    let mut easel = Easel {
        canvas: grounds::draw(&setting, side, &mut stream),
        pose,
        paint: thing,
        setting: setting.words(),
        which,
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
    // Hues of what is painted, round the wheel: red against teal, yellow-green against purple.
    let round = |paint: Paint| Vec2::from(sin_cos(paint.hue * std::f32::consts::TAU));
    let ground = if setting.shows_its_paint() {
        round(setting.paint)
    } else {
        Vec2::ZERO
    };
    let hues = round(thing) + ground;
    let traits = [
        at.x * 4.0,
        at.y * 4.0,
        (size - 0.64) * 7.0,
        hues.x,
        hues.y,
        setting.brightness(),
        setting.openness(),
    ];
    Picture {
        image: easel.canvas.finish(),
        caption,
        category,
        kind: which,
        traits,
    }
}
