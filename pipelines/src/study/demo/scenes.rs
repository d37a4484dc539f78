//! What the pictures show: one drawing a category. Each returns its caption.

use glam::{Vec2, Vec3};

use super::canvas::Pose;
use super::pictures::Easel;
use super::stream::Stream;

const INK: Vec3 = Vec3::new(0.1, 0.09, 0.12);
const PAPER: Vec3 = Vec3::new(0.97, 0.95, 0.9);
const STEEL: Vec3 = Vec3::new(0.68, 0.71, 0.76);
const WOOD: Vec3 = Vec3::new(0.55, 0.36, 0.2);
const LEAF: Vec3 = Vec3::new(0.25, 0.52, 0.22);

fn skin(stream: &mut Stream) -> Vec3 {
    Vec3::new(0.98, 0.83, 0.7).lerp(Vec3::new(0.42, 0.26, 0.17), stream.uniform())
}

fn hair(stream: &mut Stream) -> (Vec3, &'static str) {
    stream.pick([
        (Vec3::new(0.13, 0.1, 0.09), "black"),
        (Vec3::new(0.4, 0.24, 0.13), "brown"),
        (Vec3::new(0.88, 0.71, 0.36), "blond"),
        (Vec3::new(0.72, 0.3, 0.14), "red"),
        (Vec3::new(0.8, 0.8, 0.82), "grey"),
    ])
}

/// A head and shoulders.
pub(super) fn face(e: &mut Easel, stream: &mut Stream) -> String {
    let (skin, (hair, hair_name)) = (skin(stream), hair(stream));
    let (p, c) = (e.pose, &mut e.canvas);
    let long = stream.uniform() < 0.5;
    let (mouth, mood) = stream.pick([(-0.13, "smiling"), (0.1, "sad"), (0.0, "serious")]);
    e.kind = mouth * 6.0;
    let shut = stream.uniform() < 0.15;
    c.paint(e.paint.colour, p.ellipse((0.0, -1.35), (0.95, 0.6)));
    if long {
        c.paint(hair, p.slab((0.0, -0.15), (0.72, 0.85), 0.4));
    }
    c.paint(skin * 0.85, p.slab((0.0, -0.75), (0.2, 0.3), 0.1));
    c.paint(hair, p.ellipse((0.0, 0.25), (0.68, 0.72)));
    c.paint(skin, p.ellipse((0.0, -0.05), (0.57, 0.72)));
    c.paint(hair, p.slab((0.0, 0.62), (0.5, 0.13), 0.12));
    for side in [-1.0, 1.0] {
        c.paint(skin, p.ellipse((0.58 * side, -0.05), (0.09, 0.15)));
        if shut {
            c.paint(INK, p.stroke([(0.12 * side, 0.06), (0.34 * side, 0.06)], 0.03));
        } else {
            c.paint(Vec3::ONE, p.ellipse((0.23 * side, 0.07), (0.14, 0.1)));
            c.paint(INK, p.ellipse((0.23 * side, 0.07), (0.075, 0.085)));
        }
        c.paint(hair * 0.8, p.stroke([(0.12 * side, 0.25), (0.36 * side, 0.27)], 0.035));
    }
    c.paint(skin * 0.8, p.stroke([(0.0, 0.0), (0.06, -0.2), (-0.04, -0.22)], 0.03));
    let lip = Vec3::new(0.72, 0.25, 0.27);
    c.paint(lip, p.stroke([(-0.23, -0.42), (-0.1, -0.42 + mouth), (0.1, -0.42 + mouth), (0.23, -0.42)], 0.045));
    format!("a {mood} face with {} {hair_name} hair {}", if long { "long" } else { "short" }, e.setting)
}

/// A whole figure.
pub(super) fn body(e: &mut Easel, stream: &mut Stream) -> String {
    let (skin, (hair, _)) = (skin(stream), hair(stream));
    let (p, c, shirt) = (e.pose, &mut e.canvas, e.paint.colour);
    let trousers = Vec3::new(0.2, 0.22, 0.36).lerp(WOOD, stream.uniform());
    let (arms, legs, doing, kind) = stream.pick([
        ([(0.78, 0.95), (-0.78, 0.95)], [(0.3, -1.15), (-0.3, -1.15)], "waving both arms", 1.0),
        ([(0.55, -0.25), (-0.55, -0.25)], [(0.2, -1.2), (-0.2, -1.2)], "standing still", -1.0),
        ([(0.8, 0.1), (-0.75, 0.15)], [(0.7, -0.95), (-0.55, -1.05)], "running", 0.3),
        ([(0.85, 0.45), (-0.5, -0.3)], [(0.25, -1.18), (-0.5, -1.1)], "pointing", -0.3),
    ]);
    e.kind = kind;
    for (side, foot) in [0.15, -0.15].into_iter().zip(legs) {
        let knee = (f32::midpoint(side, foot.0) + 0.05, -0.7);
        c.paint(trousers, p.stroke([(side, -0.25), knee, foot], 0.13));
        c.paint(INK, p.ellipse((foot.0 + 0.06, foot.1 - 0.06), (0.17, 0.08)));
    }
    for (side, hand) in [0.3, -0.3].into_iter().zip(arms) {
        let elbow = (side + (hand.0 - side) * 0.6, f32::midpoint(0.3, hand.1) - 0.08);
        c.paint(shirt * 0.85, p.stroke([(side, 0.38), elbow], 0.1));
        c.paint(skin, p.stroke([elbow, hand], 0.08));
    }
    c.paint(shirt, p.slab((0.0, 0.1), (0.34, 0.42), 0.16));
    c.paint(skin, p.ellipse((0.0, 0.78), (0.2, 0.24)));
    c.paint(hair, p.ellipse((0.0, 0.92), (0.21, 0.13)));
    format!("a person in {} {} shirt {doing} {}", article(e.paint.name), e.paint.name, e.setting)
}

/// A house, a tower, mountains or trees.
pub(super) fn place(e: &mut Easel, stream: &mut Stream) -> String {
    let p = Pose::new(e.pose.at * Vec2::new(1.0, 0.4) + Vec2::new(0.0, -0.05), e.pose.size, 0.0);
    let (c, wall) = (&mut e.canvas, e.paint.colour);
    let glass = stream.pick([Vec3::new(0.98, 0.9, 0.55), Vec3::new(0.6, 0.78, 0.9)]);
    let (what, kind) = stream.pick([("house", -1.0), ("tower", -0.3), ("castle", 0.3), ("mountain", 1.0)]);
    e.kind = kind;
    match what {
        "house" => {
            c.paint(wall, p.slab((0.0, -0.25), (0.85, 0.55), 0.02));
            c.paint(wall * 0.45, p.polygon([(-1.05, 0.25), (1.05, 0.25), (0.0, 1.0)]));
            c.paint(WOOD, p.slab((0.0, -0.5), (0.17, 0.3), 0.03));
            for x in [-0.5, 0.5] {
                c.paint(PAPER, p.slab((x, -0.12), (0.22, 0.22), 0.03));
                c.paint(glass, p.slab((x, -0.12), (0.17, 0.17), 0.01));
            }
        }
        "tower" => {
            c.paint(wall, p.slab((0.0, 0.1), (0.42, 0.98), 0.02));
            c.paint(wall * 0.55, p.slab((0.3, 0.1), (0.13, 0.98), 0.02));
            for row in 0..5 {
                for x in [-0.25, 0.0] {
                    c.paint(glass, p.slab((x, 0.85 - 0.36 * row as f32), (0.08, 0.11), 0.01));
                }
            }
        }
        "castle" => {
            c.paint(wall * 0.9, p.slab((0.0, -0.3), (0.8, 0.5), 0.0));
            for x in [-0.8, 0.8] {
                c.paint(wall, p.slab((x, 0.0), (0.26, 0.8), 0.0));
                c.paint(wall * 0.45, p.polygon([(x - 0.36, 0.75), (x + 0.36, 0.75), (x, 1.3)]));
                c.paint(glass, p.slab((x, 0.25), (0.07, 0.14), 0.06));
            }
            c.paint(INK, p.slab((0.0, -0.55), (0.2, 0.3), 0.18));
        }
        _ => {
            c.paint(wall * 0.65, p.polygon([(-0.2, -0.75), (1.5, -0.75), (0.6, 0.65)]));
            c.paint(wall, p.polygon([(-1.5, -0.75), (0.7, -0.75), (-0.35, 0.95)]));
            c.paint(PAPER, p.polygon([(-0.62, 0.52), (-0.35, 0.42), (-0.1, 0.55), (-0.35, 0.95)]));
            for x in [-1.0, 0.9] {
                c.paint(LEAF, p.polygon([(x - 0.22, -0.8), (x + 0.22, -0.8), (x, -0.1)]));
            }
        }
    }
    format!("{} {} {what} {}", article(e.paint.name), e.paint.name, e.setting)
}

/// A short word on a card.
pub(super) fn word(e: &mut Easel, stream: &mut Stream) -> String {
    const WORDS: [&str; 11] = [
        "SUN", "TEA", "CAT", "HAT", "ONE", "NUT", "TEN", "ICE", "SEA", "HEN", "OIL",
    ];
    let index = stream.below(WORDS.len());
    let text = WORDS[index];
    e.kind = index as f32 / 5.0 - 1.0;
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
    format!("the word {text} in {} letters on a card {}", e.paint.name, e.setting)
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
        'A' => &[((-1.0, -1.0), (0.0, 1.0)), ((1.0, -1.0), (0.0, 1.0)), ((-0.5, -0.2), (0.5, -0.2))],
        'C' => &[LEFT, TOP, BOTTOM],
        'E' => &[LEFT, TOP, MIDDLE, BOTTOM],
        'H' => &[LEFT, RIGHT, MIDDLE],
        'I' => &[STEM],
        'L' => &[LEFT, BOTTOM],
        'N' => &[LEFT, RIGHT, ((-1.0, 1.0), (1.0, -1.0))],
        'O' => &[LEFT, RIGHT, TOP, BOTTOM],
        'S' => &[TOP, MIDDLE, BOTTOM, ((-1.0, 0.0), (-1.0, 1.0)), ((1.0, -1.0), (1.0, 0.0))],
        'T' => &[TOP, STEM],
        'U' => &[LEFT, RIGHT, BOTTOM],
        _ => &[],
    }
}

/// Fruit, a pizza, a cake or an egg.
pub(super) fn food(e: &mut Easel, stream: &mut Stream) -> String {
    let (p, c, flesh) = (e.pose, &mut e.canvas, e.paint.colour);
    let (what, kind) = stream.pick([("apple", -1.0), ("cake", -0.3), ("pizza", 0.3), ("ice cream", 1.0)]);
    e.kind = kind;
    c.paint(INK.lerp(flesh, 0.3) * 0.8, p.ellipse((0.0, -0.82), (0.95, 0.12)));
    match what {
        "apple" => {
            c.paint(flesh, p.ellipse((-0.25, -0.1), (0.56, 0.7)));
            c.paint(flesh, p.ellipse((0.25, -0.1), (0.56, 0.7)));
            c.paint(flesh.lerp(Vec3::ONE, 0.55), p.ellipse((-0.38, 0.15), (0.14, 0.22)));
            c.paint(WOOD, p.stroke([(0.0, 0.45), (0.08, 0.85)], 0.05));
            c.paint(LEAF, p.ellipse((0.3, 0.75), (0.24, 0.11)));
        }
        "cake" => {
            c.paint(PAPER, p.ellipse((0.0, -0.72), (1.05, 0.2)));
            c.paint(Vec3::new(0.86, 0.66, 0.42), p.slab((0.0, -0.3), (0.75, 0.42), 0.08));
            c.paint(flesh, p.slab((0.0, 0.08), (0.78, 0.16), 0.12));
            c.paint(flesh, p.slab((-0.4, -0.1), (0.13, 0.2), 0.12));
            c.paint(flesh, p.slab((0.3, -0.06), (0.13, 0.2), 0.12));
            c.paint(Vec3::new(0.8, 0.1, 0.15), p.ellipse((0.0, 0.36), (0.16, 0.16)));
        }
        "pizza" => {
            c.paint(Vec3::new(0.8, 0.56, 0.28), p.ellipse((0.0, -0.1), (0.92, 0.82)));
            c.paint(Vec3::new(0.96, 0.8, 0.4), p.ellipse((0.0, -0.1), (0.78, 0.68)));
            for (x, y) in [(-0.35, 0.2), (0.3, 0.28), (0.05, -0.2), (-0.4, -0.4), (0.42, -0.35)] {
                c.paint(flesh * 0.9, p.ellipse((x, y), (0.17, 0.15)));
            }
            c.paint(LEAF, p.ellipse((0.0, 0.12), (0.14, 0.07)));
        }
        _ => {
            c.paint(Vec3::new(0.85, 0.6, 0.32), p.polygon([(0.0, -0.95), (0.45, 0.1), (-0.45, 0.1)]));
            c.paint(flesh, p.ellipse((0.0, 0.28), (0.54, 0.44)));
            c.paint(flesh.lerp(Vec3::ONE, 0.5), p.ellipse((0.0, 0.72), (0.36, 0.3)));
            c.paint(Vec3::new(0.8, 0.1, 0.15), p.ellipse((0.05, 1.0), (0.12, 0.12)));
        }
    }
    format!("{} {} {what} {}", article(e.paint.name), e.paint.name, e.setting)
}

/// A hammer, a screwdriver, a mug or a pair of glasses.
pub(super) fn tool(e: &mut Easel, stream: &mut Stream) -> String {
    let turn = stream.between(-0.6, 0.6);
    let p = Pose::new(e.pose.at, e.pose.size, turn);
    let (c, colour) = (&mut e.canvas, e.paint.colour);
    let (what, kind) = stream.pick([("hammer", -1.0), ("screwdriver", -0.3), ("mug", 0.3), ("key", 1.0)]);
    e.kind = kind;
    match what {
        "hammer" => {
            c.paint(colour, p.slab((0.0, -0.3), (0.12, 0.8), 0.1));
            c.paint(STEEL * 0.8, p.slab((0.0, 0.6), (0.55, 0.2), 0.06));
            c.paint(STEEL * 1.15, p.slab((-0.5, 0.6), (0.13, 0.25), 0.04));
        }
        "screwdriver" => {
            c.paint(STEEL, p.slab((0.0, 0.45), (0.08, 0.6), 0.04));
            c.paint(STEEL * 0.7, p.polygon([(-0.13, 0.95), (0.13, 0.95), (0.07, 1.15), (-0.07, 1.15)]));
            c.paint(colour, p.slab((0.0, -0.5), (0.24, 0.55), 0.18));
            c.paint(colour * 0.7, p.slab((0.0, -0.5), (0.05, 0.45), 0.04));
        }
        "mug" => {
            c.paint(colour * 0.75, p.ellipse((0.55, -0.1), (0.38, 0.4)));
            c.paint(PAPER * 0.85, p.ellipse((0.55, -0.1), (0.22, 0.24)));
            c.paint(colour, p.slab((-0.1, -0.1), (0.58, 0.68), 0.1));
            c.paint(colour * 0.5, p.ellipse((-0.1, 0.56), (0.56, 0.15)));
            c.paint(colour.lerp(Vec3::ONE, 0.5), p.slab((-0.48, -0.1), (0.06, 0.4), 0.05));
        }
        _ => {
            c.paint(colour, p.ellipse((0.0, 0.55), (0.45, 0.45)));
            c.paint(INK, p.ellipse((0.0, 0.6), (0.19, 0.19)));
            c.paint(colour, p.slab((0.0, -0.4), (0.11, 0.68), 0.04));
            c.paint(colour, p.slab((0.22, -0.9), (0.2, 0.09), 0.02));
            c.paint(colour, p.slab((0.18, -0.58), (0.16, 0.09), 0.02));
        }
    }
    format!("{} {} {what} {}", article(e.paint.name), e.paint.name, e.setting)
}

/// A cat, a bird, a fish or a rabbit.
pub(super) fn animal(e: &mut Easel, stream: &mut Stream) -> String {
    let (p, c, fur) = (e.pose, &mut e.canvas, e.paint.colour);
    let (what, kind) = stream.pick([("cat", -1.0), ("bird", -0.3), ("fish", 0.3), ("rabbit", 1.0)]);
    e.kind = kind;
    let shade = fur * 0.72;
    match what {
        "cat" => {
            c.paint(shade, p.stroke([(0.6, -0.6), (0.95, -0.3), (0.85, 0.15)], 0.1));
            c.paint(fur, p.ellipse((0.1, -0.5), (0.62, 0.5)));
            for x in [-0.5, 0.02] {
                c.paint(fur, p.polygon([(x - 0.2, 0.5), (x + 0.2, 0.5), (x, 0.98)]));
            }
            c.paint(fur, p.ellipse((-0.24, 0.3), (0.48, 0.4)));
            c.paint(PAPER, p.ellipse((-0.24, 0.14), (0.2, 0.14)));
        }
        "bird" => {
            c.paint(shade, p.polygon([(0.4, -0.2), (1.1, -0.3), (1.05, 0.1), (0.5, 0.15)]));
            c.paint(fur, p.ellipse((0.1, -0.1), (0.65, 0.45)));
            c.paint(fur, p.ellipse((-0.42, 0.32), (0.34, 0.32)));
            c.paint(shade, p.ellipse((0.2, -0.05), (0.42, 0.22)));
            c.paint(Vec3::new(0.96, 0.62, 0.12), p.polygon([(-1.0, 0.26), (-0.72, 0.18), (-0.72, 0.42)]));
            for x in [-0.02, 0.22] {
                c.paint(INK, p.stroke([(x, -0.5), (x, -0.85)], 0.035));
            }
        }
        "fish" => {
            c.paint(shade, p.polygon([(0.5, 0.0), (1.1, -0.45), (0.95, 0.0), (1.1, 0.45)]));
            c.paint(shade, p.polygon([(-0.3, 0.25), (0.45, 0.2), (0.1, 0.72)]));
            c.paint(fur, p.ellipse((-0.1, 0.0), (0.78, 0.42)));
            for x in [-0.1, 0.2] {
                c.paint(PAPER, p.slab((x, 0.0), (0.06, 0.3), 0.05));
            }
        }
        _ => {
            for (x, lean) in [(-0.4, -0.08), (-0.08, 0.1)] {
                c.paint(fur, p.stroke([(x, 0.4), (x + lean, 1.05)], 0.14));
                c.paint(Vec3::new(0.95, 0.7, 0.7), p.stroke([(x, 0.45), (x + lean, 1.0)], 0.06));
            }
            c.paint(fur, p.ellipse((0.15, -0.42), (0.68, 0.52)));
            c.paint(fur, p.ellipse((-0.25, 0.22), (0.42, 0.38)));
            c.paint(PAPER, p.ellipse((0.85, -0.45), (0.2, 0.2)));
        }
    }
    let eyes: &[(f32, f32)] = match what {
        "cat" => &[(-0.4, 0.36), (-0.08, 0.36)],
        "bird" => &[(-0.48, 0.4)],
        "fish" => &[(-0.52, 0.1)],
        _ => &[(-0.4, 0.3), (-0.1, 0.3)],
    };
    for &eye in eyes {
        c.paint(PAPER, p.ellipse(eye, (0.11, 0.11)));
        c.paint(INK, p.ellipse(eye, (0.065, 0.075)));
    }
    format!("{} {} {what} {}", article(e.paint.name), e.paint.name, e.setting)
}

/// A car, a boat, a bus or a balloon.
pub(super) fn vehicle(e: &mut Easel, stream: &mut Stream) -> String {
    let (p, c, colour) = (e.pose, &mut e.canvas, e.paint.colour);
    let glass = Vec3::new(0.72, 0.88, 0.95);
    let (what, kind) = stream.pick([("car", -1.0), ("boat", -0.3), ("bus", 0.3), ("balloon", 1.0)]);
    e.kind = kind;
    match what {
        "car" => {
            c.paint(colour, p.slab((0.0, 0.15), (0.55, 0.36), 0.22));
            c.paint(glass, p.slab((-0.25, 0.2), (0.2, 0.17), 0.06));
            c.paint(glass, p.slab((0.25, 0.2), (0.2, 0.17), 0.06));
            c.paint(colour, p.slab((0.0, -0.22), (1.05, 0.28), 0.16));
            c.paint(Vec3::new(1.0, 0.93, 0.6), p.ellipse((0.95, -0.15), (0.1, 0.08)));
        }
        "boat" => {
            c.paint(WOOD, p.stroke([(0.0, -0.3), (0.0, 1.0)], 0.05));
            c.paint(PAPER, p.polygon([(0.1, -0.1), (0.85, -0.1), (0.1, 0.95)]));
            c.paint(PAPER * 0.85, p.polygon([(-0.6, -0.1), (-0.1, -0.1), (-0.1, 0.75)]));
            c.paint(colour, p.polygon([(-0.65, -0.7), (0.65, -0.7), (1.0, -0.22), (-1.0, -0.22)]));
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
    format!("{} {} {what} {}", article(e.paint.name), e.paint.name, e.setting)
}

/// "a" or "an".
pub(super) fn article(word: &str) -> &'static str {
    if word.starts_with(['a', 'e', 'i', 'o', 'u']) { "an" } else { "a" }
}
