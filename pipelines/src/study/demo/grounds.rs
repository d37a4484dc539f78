//! The ground a picture is drawn on: roads, meadows, seas, tables, rooms and skies.

use glam::{Vec2, Vec3};

use super::canvas::{Canvas, Pose};
use super::scenes::{INK, LEAF, PAPER, WOOD};
use super::setting::{Hour, Place, Setting};
use super::stream::{Stream, sin_cos};

/// Coordinates of the picture itself.
fn whole() -> Pose {
    Pose::new(Vec2::ZERO, 1.0, 0.0)
}

/// Draws a setting, ready for something to be drawn upon it.
pub(super) fn draw(setting: &Setting, side: usize, stream: &mut Stream) -> Canvas {
    if setting.indoors() {
        indoors(setting, side, stream)
    } else {
        outdoors(setting, side, stream)
    }
}

fn indoors(setting: &Setting, side: usize, stream: &mut Stream) -> Canvas {
    let (light, colour) = (setting.light(), setting.paint.colour);
    let from = Vec2::new(stream.between(-1.0, 1.0), 1.0);
    let pale = colour.lerp(Vec3::ONE, 0.42);
    let falloff = |p: Vec2| 1.05 - 0.22 * p.distance(from);
    if setting.place == Place::Wall {
        let striped = stream.uniform() < 0.4;
        return Canvas::new(side, |p| {
            let stripe = striped && sin_cos(p.x * 14.0).0 > 0.3;
            pale.lerp(colour * 0.8, (p.distance(from) * 0.42).min(1.0))
                * light
                * if stripe { 0.92 } else { 1.0 }
        });
    }
    let wall = match setting.place {
        Place::Room => pale,
        _ => Vec3::new(0.93, 0.91, 0.87),
    };
    let mut canvas = Canvas::new(side, |p| wall * light * falloff(p));
    let edge = match setting.place {
        Place::Room => stream.between(-0.7, -0.4),
        _ => stream.between(-0.15, 0.3),
    };
    window(&mut canvas, setting, stream);
    let turn = stream.between(0.1, 0.4);
    let cloth = setting.place == Place::Cloth;
    canvas.shade(
        |p| {
            // The floor and the table in perspective: rows grow towards the viewer.
            let depth = 1.0 / (edge + 0.45 - p.y).max(0.1);
            let (u, v) = (p.x * depth + turn, depth);
            let even = ((u * 4.0).floor() + (v * 5.0).floor()) as i32 & 1 == 0;
            let base = match setting.place {
                Place::Room => WOOD * if even { 1.15 } else { 1.3 },
                _ if cloth && even => colour.lerp(PAPER, 0.75),
                _ => colour,
            };
            base * light * (0.9 - 0.2 * p.y)
        },
        |p| p.y - edge,
    );
    canvas
}

/// A window or a framed picture on the wall.
fn window(canvas: &mut Canvas, setting: &Setting, stream: &mut Stream) {
    let at = Vec2::new(stream.pick([-0.62, 0.62]), stream.between(0.52, 0.68));
    let pose = Pose::new(at, 0.3, 0.0);
    let (high, low) = setting.sky();
    canvas.paint(
        PAPER * setting.light(),
        pose.slab((0.0, 0.0), (1.0, 1.0), 0.05),
    );
    canvas.shade(
        |p| low.lerp(high, ((p.y - at.y) * 2.0 + 0.5).clamp(0.0, 1.0)),
        pose.slab((0.0, 0.0), (0.85, 0.85), 0.0),
    );
    let bar = PAPER * setting.light();
    canvas.paint(bar, pose.slab((0.0, 0.0), (0.06, 0.9), 0.0));
    canvas.paint(bar, pose.slab((0.0, 0.0), (0.9, 0.06), 0.0));
}

fn outdoors(setting: &Setting, side: usize, stream: &mut Stream) -> Canvas {
    let (high, low) = setting.sky();
    let horizon = stream.between(-0.35, 0.05);
    let mut canvas = Canvas::new(side, |p| {
        low.lerp(high, ((p.y - horizon) * 0.85).clamp(0.0, 1.0))
    });
    heavens(&mut canvas, setting, horizon, stream);
    let light = setting.light();
    match setting.place {
        Place::Sea => sea(&mut canvas, light, high, horizon, -1.2),
        Place::Beach => beach(&mut canvas, setting, horizon, stream),
        Place::Snow => snow(&mut canvas, light, horizon, stream),
        Place::Hills => hills(&mut canvas, setting, horizon, stream),
        Place::Road | Place::Street => road(&mut canvas, setting, horizon, stream),
        _ => meadow(&mut canvas, setting, horizon, stream),
    }
    canvas
}

/// Sun, moon, stars, clouds and rain.
fn heavens(canvas: &mut Canvas, setting: &Setting, horizon: f32, stream: &mut Stream) {
    let pose = whole();
    let x = stream.between(-0.8, 0.8);
    match setting.hour {
        Hour::Night => {
            for _ in 0..16 {
                let star = (stream.between(-1.0, 1.0), stream.between(horizon, 1.0));
                canvas.paint(
                    PAPER * stream.between(0.5, 1.0),
                    pose.ellipse(star, (0.014, 0.014)),
                );
            }
            canvas.paint(
                Vec3::new(0.97, 0.95, 0.8),
                pose.ellipse((x, 0.72), (0.13, 0.13)),
            );
            let (high, _) = setting.sky();
            canvas.paint(high, pose.ellipse((x + 0.07, 0.75), (0.11, 0.11)));
        }
        Hour::Sunset => {
            let sun = (x, horizon + 0.16);
            canvas.paint(Vec3::new(1.0, 0.72, 0.4), pose.ellipse(sun, (0.25, 0.25)));
            canvas.paint(Vec3::new(1.0, 0.9, 0.6), pose.ellipse(sun, (0.18, 0.18)));
        }
        Hour::Morning => {
            canvas.paint(
                Vec3::new(1.0, 0.96, 0.7),
                pose.ellipse((x, 0.6), (0.15, 0.15)),
            );
        }
        Hour::Noon | Hour::Rain => {
            let tone = if setting.hour == Hour::Rain {
                0.68
            } else {
                1.0
            };
            for _ in 0..3 {
                let (u, v) = (stream.between(-1.0, 1.0), stream.between(0.45, 0.85));
                for (du, dv, half) in [(-0.16, -0.02, 0.15), (0.0, 0.04, 0.2), (0.18, -0.02, 0.14)]
                {
                    canvas.paint(
                        Vec3::splat(tone),
                        pose.ellipse((u + du, v + dv), (half, 0.09)),
                    );
                }
            }
        }
    }
    if setting.hour == Hour::Rain && setting.place != Place::Snow {
        for _ in 0..18 {
            let (u, v) = (stream.between(-1.0, 1.0), stream.between(-0.2, 0.9));
            let drop = pose.stroke([(u, v), (u - 0.04, v - 0.14)], 0.007);
            canvas.paint(Vec3::new(0.86, 0.9, 0.95), drop);
        }
    }
}

fn sea(canvas: &mut Canvas, light: Vec3, sky: Vec3, horizon: f32, shore: f32) {
    let water = Vec3::new(0.1, 0.42, 0.58).lerp(sky, 0.25) * (light * 0.6 + 0.4 * light.y);
    canvas.shade(
        |p| {
            let below = horizon - p.y;
            let wave = sin_cos(40.0 / (below + 0.35) + 3.0 * sin_cos(5.0 * p.x).0).0;
            water * (1.12 - 0.3 * below + 0.07 * wave)
        },
        |p| (p.y - horizon).max(shore - p.y),
    );
}

fn beach(canvas: &mut Canvas, setting: &Setting, horizon: f32, stream: &mut Stream) {
    let light = setting.light();
    let shore = horizon - 0.2;
    let (high, _) = setting.sky();
    sea(canvas, light, high, horizon, shore - 0.1);
    let sand = Vec3::new(0.93, 0.82, 0.6) * light;
    let line = move |p: Vec2| p.y - shore - 0.04 * sin_cos(4.0 * p.x).0;
    canvas.paint(PAPER * light, move |p| line(p) - 0.03);
    canvas.shade(|p| sand * (1.0 - 0.12 * (shore - p.y)), line);
    let pose = Pose::new(
        Vec2::new(stream.pick([-0.72, 0.72]), shore + 0.06),
        0.34,
        stream.between(-0.2, 0.2),
    );
    canvas.paint(WOOD * light, pose.stroke([(0.0, -0.5), (0.0, 1.0)], 0.05));
    let cap = pose.ellipse((0.0, 0.72), (1.0, 0.55));
    let rim = pose.slab((0.0, 0.22), (1.2, 0.5), 0.0);
    canvas.paint(setting.paint.colour * light, move |p| cap(p).max(-rim(p)));
}

fn snow(canvas: &mut Canvas, light: Vec3, horizon: f32, stream: &mut Stream) {
    let ground = Vec3::new(0.95, 0.97, 1.0) * (light * 0.8 + Vec3::splat(0.15));
    let pose = whole();
    for _ in 0..5 {
        let (x, tall) = (stream.between(-1.0, 1.0), stream.between(0.2, 0.42));
        for step in 0..3 {
            let low = horizon - 0.06 + tall * 0.28 * step as f32;
            let wide = tall * (0.34 - 0.08 * step as f32);
            let fir = [(x - wide, low), (x + wide, low), (x, low + tall * 0.5)];
            canvas.paint(LEAF * light * 0.8, pose.polygon(fir));
        }
    }
    let roll = stream.between(2.0, 4.0);
    canvas.shade(
        |p| ground * (1.0 - 0.1 * (horizon - p.y)),
        move |p| p.y - horizon - 0.05 * sin_cos(roll * p.x).0,
    );
    for _ in 0..12 {
        let flake = (stream.between(-1.0, 1.0), stream.between(-0.9, 0.95));
        canvas.paint(Vec3::splat(0.97), pose.ellipse(flake, (0.02, 0.02)));
    }
}

fn hills(canvas: &mut Canvas, setting: &Setting, horizon: f32, stream: &mut Stream) {
    let light = setting.light();
    let colour = setting.paint.colour;
    for layer in 0..3 {
        let near = layer as f32 / 2.0;
        let (phase, roll) = (stream.between(0.0, 6.0), stream.between(2.0, 3.5));
        let crest = horizon + 0.12 - 0.34 * near;
        let shade = colour.lerp(Vec3::new(0.62, 0.7, 0.8), 0.5 - 0.45 * near);
        canvas.shade(
            |p| shade * light * (0.95 - 0.15 * (crest - p.y)),
            move |p| p.y - crest - 0.12 * sin_cos(roll * p.x + phase).0,
        );
    }
}

fn meadow(canvas: &mut Canvas, setting: &Setting, horizon: f32, stream: &mut Stream) {
    let light = setting.light();
    let pose = whole();
    let phase = stream.between(0.0, 6.0);
    let far = LEAF.lerp(Vec3::new(0.5, 0.66, 0.6), 0.5) * light;
    canvas.paint(far, move |p| {
        p.y - horizon - 0.1 - 0.07 * sin_cos(2.6 * p.x + phase).0
    });
    let grass = Vec3::new(0.42, 0.68, 0.28) * light;
    canvas.shade(|p| grass * (1.0 - 0.3 * (horizon - p.y)), |p| p.y - horizon);
    for _ in 0..14 {
        let (u, v) = (
            stream.between(-1.0, 1.0),
            stream.between(-1.0, horizon - 0.08),
        );
        let size = 0.03 + 0.035 * (horizon - v);
        canvas.paint(
            setting.paint.colour * light,
            pose.ellipse((u, v), (size, size)),
        );
        let heart = Vec3::new(1.0, 0.86, 0.3) * light;
        canvas.paint(heart, pose.ellipse((u, v), (0.4 * size, 0.4 * size)));
    }
}

fn road(canvas: &mut Canvas, setting: &Setting, horizon: f32, stream: &mut Stream) {
    let light = setting.light();
    let pose = whole();
    let street = setting.place == Place::Street;
    if street {
        let chosen = stream.below(5);
        for house in 0..5 {
            let x = -0.84 + 0.42 * house as f32;
            let tall = stream.between(0.3, 0.75);
            let grey = Vec3::splat(stream.between(0.5, 0.72));
            let wall = if house == chosen {
                setting.paint.colour
            } else {
                grey
            } * light;
            canvas.paint(
                wall,
                pose.slab(
                    (x, horizon + 0.5 * tall - 0.1),
                    (0.2, 0.5 * tall + 0.1),
                    0.0,
                ),
            );
            let glass = match setting.hour {
                Hour::Night | Hour::Sunset => Vec3::new(1.0, 0.86, 0.5),
                _ => Vec3::new(0.68, 0.8, 0.88) * light,
            };
            for row in 0..(tall / 0.17) as usize {
                for column in [-0.09, 0.09] {
                    let at = (x + column, horizon + tall - 0.1 - 0.16 * row as f32);
                    canvas.paint(glass, pose.slab(at, (0.045, 0.045), 0.01));
                }
            }
        }
    } else {
        let far = LEAF.lerp(Vec3::new(0.5, 0.62, 0.66), 0.4) * light;
        canvas.paint(far, move |p| {
            p.y - horizon - 0.08 - 0.06 * sin_cos(3.1 * p.x).0
        });
    }
    let verge = if street {
        Vec3::splat(0.74)
    } else {
        Vec3::new(0.5, 0.64, 0.3)
    };
    canvas.paint(verge * light, |p| p.y - horizon);
    let top = horizon - 0.22;
    let asphalt = Vec3::splat(0.36) * (light * 0.75 + Vec3::splat(0.2));
    canvas.shade(|p| asphalt * (1.0 - 0.15 * (top - p.y)), |p| p.y - top);
    let line = PAPER * (light * 0.8 + Vec3::splat(0.15));
    canvas.paint(line, pose.slab((0.0, top - 0.03), (2.0, 0.015), 0.0));
    let shift = stream.between(-0.2, 0.2);
    for dash in 0..4 {
        let at = (-0.95 + 0.6 * dash as f32 + shift, top - 0.62);
        canvas.paint(line, pose.slab(at, (0.17, 0.03), 0.02));
    }
    if street {
        let lamp = stream.pick([-0.9, 0.9]);
        canvas.paint(
            INK,
            pose.stroke([(lamp, top), (lamp, horizon + 0.6)], 0.018),
        );
        canvas.paint(
            Vec3::new(1.0, 0.94, 0.7),
            pose.ellipse((lamp, horizon + 0.64), (0.06, 0.06)),
        );
    }
}
