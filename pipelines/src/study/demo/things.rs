//! What the pictures show: words, food, tools and vehicles. Each drawing returns its caption.

use glam::Vec3;

use super::canvas::Pose;
use super::pictures::Easel;
use super::scenes::{INK, LEAF, PAPER, WOOD, article};
use super::stream::Stream;

const STEEL: Vec3 = Vec3::new(0.68, 0.71, 0.76);

/// A short word on a card.
pub(super) fn word(e: &mut Easel, stream: &mut Stream) -> String {
    let text = stream.pick(e.kind([
        ["SUN", "TEA", "CAT"],
        ["HAT", "ONE", "NUT"],
        ["TEN", "ICE", "SEA"],
        ["HEN", "OIL", "TOE"],
    ]));
    let (p, c) = (e.pose, &mut e.canvas);
    c.paint(INK, p.slab((0.05, -0.06), (1.22, 0.62), 0.1));
    c.paint(PAPER, p.slab((0.0, 0.0), (1.22, 0.62), 0.1));
    let spacing = 2.0 / text.len() as f32;
    for (i, letter) in text.chars().enumerate() {
        let x = (i as f32 - 0.5 * (text.len() as f32 - 1.0)) * spacing;
        for line in strokes(letter) {
            let points = [line.0, line.1].map(|(u, v)| (x + u * 0.22, v * 0.36));
            c.paint(e.paint.colour * 0.75, p.stroke(points, 0.07));
        }
    }
    format!(
        "the word {text} in {} letters on a card {}",
        e.paint.name, e.setting
    )
}

type Line = ((f32, f32), (f32, f32));

/// The strokes of a capital letter in the square −1..1.
fn strokes(letter: char) -> &'static [Line] {
    const LEFT: Line = ((-1.0, -1.0), (-1.0, 1.0));
    const RIGHT: Line = ((1.0, -1.0), (1.0, 1.0));
    const TOP: Line = ((-1.0, 1.0), (1.0, 1.0));
    const MIDDLE: Line = ((-1.0, 0.0), (1.0, 0.0));
    const BOTTOM: Line = ((-1.0, -1.0), (1.0, -1.0));
    const STEM: Line = ((0.0, -1.0), (0.0, 1.0));
    match letter {
        'A' => &[
            ((-1.0, -1.0), (0.0, 1.0)),
            ((1.0, -1.0), (0.0, 1.0)),
            ((-0.5, -0.2), (0.5, -0.2)),
        ],
        'C' => &[LEFT, TOP, BOTTOM],
        'E' => &[LEFT, TOP, MIDDLE, BOTTOM],
        'H' => &[LEFT, RIGHT, MIDDLE],
        'I' => &[STEM],
        'L' => &[LEFT, BOTTOM],
        'N' => &[LEFT, RIGHT, ((-1.0, 1.0), (1.0, -1.0))],
        'O' => &[LEFT, RIGHT, TOP, BOTTOM],
        'S' => &[
            TOP,
            MIDDLE,
            BOTTOM,
            ((-1.0, 0.0), (-1.0, 1.0)),
            ((1.0, -1.0), (1.0, 0.0)),
        ],
        'T' => &[TOP, STEM],
        'U' => &[LEFT, RIGHT, BOTTOM],
        _ => &[],
    }
}

/// An apple, a cake, a pizza or an ice cream.
pub(super) fn food(e: &mut Easel, _stream: &mut Stream) -> String {
    let what = e.kind(["apple", "cake", "pizza", "ice cream"]);
    let (p, c, flesh) = (e.pose, &mut e.canvas, e.paint.colour);
    c.paint(
        INK.lerp(flesh, 0.3) * 0.8,
        p.ellipse((0.0, -0.82), (0.95, 0.12)),
    );
    match what {
        "apple" => {
            c.paint(flesh, p.ellipse((-0.25, -0.1), (0.56, 0.7)));
            c.paint(flesh, p.ellipse((0.25, -0.1), (0.56, 0.7)));
            c.paint(
                flesh.lerp(Vec3::ONE, 0.55),
                p.ellipse((-0.38, 0.15), (0.14, 0.22)),
            );
            c.paint(WOOD, p.stroke([(0.0, 0.45), (0.08, 0.85)], 0.05));
            c.paint(LEAF, p.ellipse((0.3, 0.75), (0.24, 0.11)));
        }
        "cake" => {
            c.paint(PAPER, p.ellipse((0.0, -0.72), (1.05, 0.2)));
            c.paint(
                Vec3::new(0.86, 0.66, 0.42),
                p.slab((0.0, -0.3), (0.75, 0.42), 0.08),
            );
            c.paint(flesh, p.slab((0.0, 0.08), (0.78, 0.16), 0.12));
            c.paint(flesh, p.slab((-0.4, -0.1), (0.13, 0.2), 0.12));
            c.paint(flesh, p.slab((0.3, -0.06), (0.13, 0.2), 0.12));
            c.paint(
                Vec3::new(0.8, 0.1, 0.15),
                p.ellipse((0.0, 0.36), (0.16, 0.16)),
            );
        }
        "pizza" => {
            c.paint(
                Vec3::new(0.8, 0.56, 0.28),
                p.ellipse((0.0, -0.1), (0.92, 0.82)),
            );
            c.paint(
                Vec3::new(0.96, 0.8, 0.4),
                p.ellipse((0.0, -0.1), (0.78, 0.68)),
            );
            for (x, y) in [
                (-0.35, 0.2),
                (0.3, 0.28),
                (0.05, -0.2),
                (-0.4, -0.4),
                (0.42, -0.35),
            ] {
                c.paint(flesh * 0.9, p.ellipse((x, y), (0.17, 0.15)));
            }
            c.paint(LEAF, p.ellipse((0.0, 0.12), (0.14, 0.07)));
        }
        _ => {
            c.paint(
                Vec3::new(0.85, 0.6, 0.32),
                p.polygon([(0.0, -0.95), (0.45, 0.1), (-0.45, 0.1)]),
            );
            c.paint(flesh, p.ellipse((0.0, 0.28), (0.54, 0.44)));
            c.paint(
                flesh.lerp(Vec3::ONE, 0.5),
                p.ellipse((0.0, 0.72), (0.36, 0.3)),
            );
            c.paint(
                Vec3::new(0.8, 0.1, 0.15),
                p.ellipse((0.05, 1.0), (0.12, 0.12)),
            );
        }
    }
    format!(
        "{} {} {what} {}",
        article(e.paint.name),
        e.paint.name,
        e.setting
    )
}

/// A hammer, a screwdriver, a mug or a key.
pub(super) fn tool(e: &mut Easel, stream: &mut Stream) -> String {
    let turn = stream.between(-0.6, 0.6);
    let p = Pose::new(e.pose.at, e.pose.size, turn);
    let what = e.kind(["hammer", "screwdriver", "mug", "key"]);
    let (c, colour) = (&mut e.canvas, e.paint.colour);
    match what {
        "hammer" => {
            c.paint(colour, p.slab((0.0, -0.3), (0.12, 0.8), 0.1));
            c.paint(STEEL * 0.8, p.slab((0.0, 0.6), (0.55, 0.2), 0.06));
            c.paint(STEEL * 1.15, p.slab((-0.5, 0.6), (0.13, 0.25), 0.04));
        }
        "screwdriver" => {
            c.paint(STEEL, p.slab((0.0, 0.45), (0.08, 0.6), 0.04));
            c.paint(
                STEEL * 0.7,
                p.polygon([(-0.13, 0.95), (0.13, 0.95), (0.07, 1.15), (-0.07, 1.15)]),
            );
            c.paint(colour, p.slab((0.0, -0.5), (0.24, 0.55), 0.18));
            c.paint(colour * 0.7, p.slab((0.0, -0.5), (0.05, 0.45), 0.04));
        }
        "mug" => {
            c.paint(colour * 0.75, p.ellipse((0.55, -0.1), (0.38, 0.4)));
            c.paint(PAPER * 0.85, p.ellipse((0.55, -0.1), (0.22, 0.24)));
            c.paint(colour, p.slab((-0.1, -0.1), (0.58, 0.68), 0.1));
            c.paint(colour * 0.5, p.ellipse((-0.1, 0.56), (0.56, 0.15)));
            c.paint(
                colour.lerp(Vec3::ONE, 0.5),
                p.slab((-0.48, -0.1), (0.06, 0.4), 0.05),
            );
        }
        _ => {
            c.paint(colour, p.ellipse((0.0, 0.55), (0.45, 0.45)));
            c.paint(INK, p.ellipse((0.0, 0.6), (0.19, 0.19)));
            c.paint(colour, p.slab((0.0, -0.4), (0.11, 0.68), 0.04));
            c.paint(colour, p.slab((0.22, -0.9), (0.2, 0.09), 0.02));
            c.paint(colour, p.slab((0.18, -0.58), (0.16, 0.09), 0.02));
        }
    }
    format!(
        "{} {} {what} {}",
        article(e.paint.name),
        e.paint.name,
        e.setting
    )
}

/// A car, a boat, a bus or a balloon.
pub(super) fn vehicle(e: &mut Easel, _stream: &mut Stream) -> String {
    let what = e.kind(["car", "boat", "bus", "balloon"]);
    let (p, c, colour) = (e.pose, &mut e.canvas, e.paint.colour);
    let glass = Vec3::new(0.72, 0.88, 0.95);
    match what {
        "car" => {
            c.paint(colour, p.slab((0.0, 0.15), (0.55, 0.36), 0.22));
            c.paint(glass, p.slab((-0.25, 0.2), (0.2, 0.17), 0.06));
            c.paint(glass, p.slab((0.25, 0.2), (0.2, 0.17), 0.06));
            c.paint(colour, p.slab((0.0, -0.22), (1.05, 0.28), 0.16));
            c.paint(
                Vec3::new(1.0, 0.93, 0.6),
                p.ellipse((0.95, -0.15), (0.1, 0.08)),
            );
        }
        "boat" => {
            c.paint(WOOD, p.stroke([(0.0, -0.3), (0.0, 1.0)], 0.05));
            c.paint(PAPER, p.polygon([(0.1, -0.1), (0.85, -0.1), (0.1, 0.95)]));
            c.paint(
                PAPER * 0.85,
                p.polygon([(-0.6, -0.1), (-0.1, -0.1), (-0.1, 0.75)]),
            );
            c.paint(
                colour,
                p.polygon([(-0.65, -0.7), (0.65, -0.7), (1.0, -0.22), (-1.0, -0.22)]),
            );
        }
        "bus" => {
            c.paint(colour, p.slab((0.0, 0.0), (1.08, 0.52), 0.14));
            for x in [-0.72, -0.24, 0.24, 0.74] {
                c.paint(glass, p.slab((x, 0.16), (0.19, 0.19), 0.05));
            }
            c.paint(PAPER, p.slab((0.0, -0.2), (1.08, 0.06), 0.0));
        }
        _ => {
            c.paint(colour, p.ellipse((0.0, 0.35), (0.68, 0.7)));
            c.paint(PAPER, p.ellipse((0.0, 0.35), (0.34, 0.7)));
            c.paint(colour, p.ellipse((0.0, 0.35), (0.13, 0.7)));
            for x in [-0.2, 0.2] {
                c.paint(INK, p.stroke([(x * 1.6, -0.25), (x, -0.72)], 0.025));
            }
            c.paint(WOOD, p.slab((0.0, -0.85), (0.26, 0.2), 0.05));
        }
    }
    if matches!(what, "car" | "bus") {
        for x in [-0.55, 0.55] {
            c.paint(INK, p.ellipse((x, -0.5), (0.24, 0.24)));
            c.paint(STEEL, p.ellipse((x, -0.5), (0.1, 0.1)));
        }
    }
    format!(
        "{} {} {what} {}",
        article(e.paint.name),
        e.paint.name,
        e.setting
    )
}
