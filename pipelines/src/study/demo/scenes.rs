//! What the pictures show: people, places and animals. Each drawing returns its caption.

use glam::{Vec2, Vec3};

use super::canvas::Pose;
use super::pictures::Easel;
use super::stream::Stream;

pub(super) const INK: Vec3 = Vec3::new(0.1, 0.09, 0.12);
pub(super) const PAPER: Vec3 = Vec3::new(0.97, 0.95, 0.9);
pub(super) const WOOD: Vec3 = Vec3::new(0.55, 0.36, 0.2);
pub(super) const LEAF: Vec3 = Vec3::new(0.25, 0.52, 0.22);

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
    let (mouth, mood) = e.kind([
        (-0.13, "smiling"),
        (0.1, "sad"),
        (0.0, "serious"),
        (-0.2, "laughing"),
    ]);
    let (p, c) = (e.pose, &mut e.canvas);
    let long = stream.uniform() < 0.5;
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
            c.paint(
                INK,
                p.stroke([(0.12 * side, 0.06), (0.34 * side, 0.06)], 0.03),
            );
        } else {
            c.paint(Vec3::ONE, p.ellipse((0.23 * side, 0.07), (0.14, 0.1)));
            c.paint(INK, p.ellipse((0.23 * side, 0.07), (0.075, 0.085)));
        }
        c.paint(
            hair * 0.8,
            p.stroke([(0.12 * side, 0.25), (0.36 * side, 0.27)], 0.035),
        );
    }
    c.paint(
        skin * 0.8,
        p.stroke([(0.0, 0.0), (0.06, -0.2), (-0.04, -0.22)], 0.03),
    );
    let lip = Vec3::new(0.72, 0.25, 0.27);
    c.paint(
        lip,
        p.stroke(
            [
                (-0.23, -0.42),
                (-0.1, -0.42 + mouth),
                (0.1, -0.42 + mouth),
                (0.23, -0.42),
            ],
            0.045,
        ),
    );
    format!(
        "a {mood} face with {} {hair_name} hair {}",
        if long { "long" } else { "short" },
        e.setting
    )
}

/// A whole figure.
pub(super) fn body(e: &mut Easel, stream: &mut Stream) -> String {
    let (skin, (hair, _)) = (skin(stream), hair(stream));
    let (arms, legs, doing) = e.kind([
        (
            [(0.78, 0.95), (-0.78, 0.95)],
            [(0.3, -1.15), (-0.3, -1.15)],
            "waving both arms",
        ),
        (
            [(0.55, -0.25), (-0.55, -0.25)],
            [(0.2, -1.2), (-0.2, -1.2)],
            "standing still",
        ),
        (
            [(0.8, 0.1), (-0.75, 0.15)],
            [(0.7, -0.95), (-0.55, -1.05)],
            "running",
        ),
        (
            [(0.85, 0.45), (-0.5, -0.3)],
            [(0.25, -1.18), (-0.5, -1.1)],
            "pointing",
        ),
    ]);
    let (p, c, shirt) = (e.pose, &mut e.canvas, e.paint.colour);
    let trousers = Vec3::new(0.2, 0.22, 0.36).lerp(WOOD, stream.uniform());
    for (side, foot) in [0.15, -0.15].into_iter().zip(legs) {
        let knee = (f32::midpoint(side, foot.0) + 0.05, -0.7);
        c.paint(trousers, p.stroke([(side, -0.25), knee, foot], 0.13));
        c.paint(INK, p.ellipse((foot.0 + 0.06, foot.1 - 0.06), (0.17, 0.08)));
    }
    for (side, hand) in [0.3, -0.3].into_iter().zip(arms) {
        let elbow = (
            side + (hand.0 - side) * 0.6,
            f32::midpoint(0.3, hand.1) - 0.08,
        );
        c.paint(shirt * 0.85, p.stroke([(side, 0.38), elbow], 0.1));
        c.paint(skin, p.stroke([elbow, hand], 0.08));
    }
    c.paint(shirt, p.slab((0.0, 0.1), (0.34, 0.42), 0.16));
    c.paint(skin, p.ellipse((0.0, 0.78), (0.2, 0.24)));
    c.paint(hair, p.ellipse((0.0, 0.92), (0.21, 0.13)));
    format!(
        "a person in {} {} shirt {doing} {}",
        article(e.paint.name),
        e.paint.name,
        e.setting
    )
}

/// A house, a tower, mountains or trees.
pub(super) fn place(e: &mut Easel, stream: &mut Stream) -> String {
    let p = Pose::new(
        e.pose.at * Vec2::new(1.0, 0.4) + Vec2::new(0.0, -0.05),
        e.pose.size,
        0.0,
    );
    let what = e.kind(["house", "tower", "castle", "mountain"]);
    let (c, wall) = (&mut e.canvas, e.paint.colour);
    let glass = stream.pick([Vec3::new(0.98, 0.9, 0.55), Vec3::new(0.6, 0.78, 0.9)]);
    match what {
        "house" => {
            c.paint(wall, p.slab((0.0, -0.25), (0.85, 0.55), 0.02));
            c.paint(
                wall * 0.45,
                p.polygon([(-1.05, 0.25), (1.05, 0.25), (0.0, 1.0)]),
            );
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
                    c.paint(
                        glass,
                        p.slab((x, 0.85 - 0.36 * row as f32), (0.08, 0.11), 0.01),
                    );
                }
            }
        }
        "castle" => {
            c.paint(wall * 0.9, p.slab((0.0, -0.3), (0.8, 0.5), 0.0));
            for x in [-0.8, 0.8] {
                c.paint(wall, p.slab((x, 0.0), (0.26, 0.8), 0.0));
                c.paint(
                    wall * 0.45,
                    p.polygon([(x - 0.36, 0.75), (x + 0.36, 0.75), (x, 1.3)]),
                );
                c.paint(glass, p.slab((x, 0.25), (0.07, 0.14), 0.06));
            }
            c.paint(INK, p.slab((0.0, -0.55), (0.2, 0.3), 0.18));
        }
        _ => {
            c.paint(
                wall * 0.65,
                p.polygon([(-0.2, -0.75), (1.5, -0.75), (0.6, 0.65)]),
            );
            c.paint(
                wall,
                p.polygon([(-1.5, -0.75), (0.7, -0.75), (-0.35, 0.95)]),
            );
            c.paint(
                PAPER,
                p.polygon([(-0.62, 0.52), (-0.35, 0.42), (-0.1, 0.55), (-0.35, 0.95)]),
            );
            for x in [-1.0, 0.9] {
                c.paint(
                    LEAF,
                    p.polygon([(x - 0.22, -0.8), (x + 0.22, -0.8), (x, -0.1)]),
                );
            }
        }
    }
    format!(
        "{} {} {what} {}",
        article(e.paint.name),
        e.paint.name,
        e.setting
    )
}

/// A cat, a bird, a fish or a rabbit.
pub(super) fn animal(e: &mut Easel, _stream: &mut Stream) -> String {
    let what = e.kind(["cat", "bird", "fish", "rabbit"]);
    let (p, c, fur) = (e.pose, &mut e.canvas, e.paint.colour);
    let shade = fur * 0.72;
    match what {
        "cat" => {
            c.paint(
                shade,
                p.stroke([(0.6, -0.6), (0.95, -0.3), (0.85, 0.15)], 0.1),
            );
            c.paint(fur, p.ellipse((0.1, -0.5), (0.62, 0.5)));
            for x in [-0.5, 0.02] {
                c.paint(fur, p.polygon([(x - 0.2, 0.5), (x + 0.2, 0.5), (x, 0.98)]));
            }
            c.paint(fur, p.ellipse((-0.24, 0.3), (0.48, 0.4)));
            c.paint(PAPER, p.ellipse((-0.24, 0.14), (0.2, 0.14)));
        }
        "bird" => {
            c.paint(
                shade,
                p.polygon([(0.4, -0.2), (1.1, -0.3), (1.05, 0.1), (0.5, 0.15)]),
            );
            c.paint(fur, p.ellipse((0.1, -0.1), (0.65, 0.45)));
            c.paint(fur, p.ellipse((-0.42, 0.32), (0.34, 0.32)));
            c.paint(shade, p.ellipse((0.2, -0.05), (0.42, 0.22)));
            c.paint(
                Vec3::new(0.96, 0.62, 0.12),
                p.polygon([(-1.0, 0.26), (-0.72, 0.18), (-0.72, 0.42)]),
            );
            for x in [-0.02, 0.22] {
                c.paint(INK, p.stroke([(x, -0.5), (x, -0.85)], 0.035));
            }
        }
        "fish" => {
            c.paint(
                shade,
                p.polygon([(0.5, 0.0), (1.1, -0.45), (0.95, 0.0), (1.1, 0.45)]),
            );
            c.paint(shade, p.polygon([(-0.3, 0.25), (0.45, 0.2), (0.1, 0.72)]));
            c.paint(fur, p.ellipse((-0.1, 0.0), (0.78, 0.42)));
            for x in [-0.1, 0.2] {
                c.paint(PAPER, p.slab((x, 0.0), (0.06, 0.3), 0.05));
            }
        }
        _ => {
            for (x, lean) in [(-0.4, -0.08), (-0.08, 0.1)] {
                c.paint(fur, p.stroke([(x, 0.4), (x + lean, 1.05)], 0.14));
                c.paint(
                    Vec3::new(0.95, 0.7, 0.7),
                    p.stroke([(x, 0.45), (x + lean, 1.0)], 0.06),
                );
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
    format!(
        "{} {} {what} {}",
        article(e.paint.name),
        e.paint.name,
        e.setting
    )
}

/// "a" or "an".
pub(super) fn article(word: &str) -> &'static str {
    if word.starts_with(['a', 'e', 'i', 'o', 'u']) {
        "an"
    } else {
        "a"
    }
}
