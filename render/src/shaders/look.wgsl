// From number to colour. The twin is render/src/look.rs.

struct Look {
    low: f32,
    scale: f32,      // 1 / (high − low)
    threshold: f32,
    opacity: f32,
    two_sided: u32,
    colormap_row: u32,
    soft: u32,
    padding: u32,
}

// One row of 256 sRGB colours a colour map.
@group(0) @binding(1) var colormaps: texture_2d<f32>;

// By its bits: drivers may assume that no NaN exists and drop x != x.
fn is_nan(x: f32) -> bool {
    return (bitcast<u32>(x) & 0x7fffffffu) > 0x7f800000u;
}

fn position_on_map(look: Look, value: f32) -> f32 {
    if look.two_sided != 0u {
        let along = clamp((abs(value) - look.low) * look.scale, 0.0, 1.0);
        return 0.5 + 0.5 * sign(value) * along;
    }
    return clamp((value - look.low) * look.scale, 0.0, 1.0);
}

fn map_colour(look: Look, value: f32) -> vec3<f32> {
    let x = position_on_map(look, value) * 255.0;
    let i = min(u32(x), 254u);
    let a = textureLoad(colormaps, vec2<u32>(i, look.colormap_row), 0).rgb;
    let b = textureLoad(colormaps, vec2<u32>(i + 1u, look.colormap_row), 0).rgb;
    return a + (b - a) * (x - f32(i));
}

// What the threshold is held against, and what a look through several numbers shows the most of: the magnitude, or of a
// one-sided map the number itself.
fn weight(look: Look, value: f32) -> f32 {
    return select(value, abs(value), look.two_sided != 0u);
}

// How much of a number the threshold lets through.
fn coverage(look: Look, value: f32) -> f32 {
    let size = weight(look, value);
    if look.threshold > 0.0 && size < look.threshold {
        let part = max(size, 0.0) / look.threshold;
        return select(0.0, part * part, look.soft != 0u);
    }
    return 1.0;
}
