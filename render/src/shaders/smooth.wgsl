// Where a picture of one sample a pixel needs more of them. See render/src/gpu/smooth.rs.

@group(0) @binding(0) var once: texture_2d<f32>; // the picture of one sample a pixel
@group(0) @binding(1) var rough: texture_2d<f32>;
@group(0) @binding(2) var fine: texture_2d<f32>; // the picture at twice the side

// Bends of a channel that are seen, along a row or a column. What changes evenly from pixel to pixel is as smooth as four
// samples would make it.
const SEEN: f32 = 3.5 / 255.0;

@vertex
fn vs_full(@builtin(vertex_index) i: u32) -> @builtin(position) vec4<f32> {
    let corner = vec2<f32>(f32((i << 1u) & 2u), f32(i & 2u));
    return vec4<f32>(corner * 2.0 - 1.0, 1.0, 1.0);
}

fn beside(at: vec2<i32>) -> vec4<f32> {
    return textureLoad(once, clamp(at, vec2<i32>(0), vec2<i32>(textureDimensions(once)) - 1), 0);
}

// 1 where the picture bends between the neighbours.
@fragment
fn fs_rough(@builtin(position) position: vec4<f32>) -> @location(0) vec4<f32> {
    let at = vec2<i32>(position.xy);
    let twice = 2.0 * textureLoad(once, at, 0);
    let across = abs(beside(at + vec2<i32>(1, 0)) + beside(at - vec2<i32>(1, 0)) - twice);
    let down = abs(beside(at + vec2<i32>(0, 1)) + beside(at - vec2<i32>(0, 1)) - twice);
    let most = max(across, down);
    return vec4<f32>(select(0.0, 1.0, max(max(most.x, most.y), max(most.z, most.w)) > SEEN));
}

// At twice the side, the farthest depth where the picture is rough; everywhere else lies the nearest, over which nothing is
// drawn.
@fragment
fn fs_open(@builtin(position) position: vec4<f32>) -> @location(0) vec4<f32> {
    if textureLoad(rough, vec2<i32>(position.xy) / 2, 0).r < 0.5 {
        discard;
    }
    return vec4<f32>(0.0);
}

// The mean of the finer pixels where the picture is rough.
@fragment
fn fs_mean(@builtin(position) position: vec4<f32>) -> @location(0) vec4<f32> {
    let at = vec2<i32>(position.xy);
    let sum = textureLoad(fine, at * 2, 0) + textureLoad(fine, at * 2 + vec2<i32>(1, 0), 0)
        + textureLoad(fine, at * 2 + vec2<i32>(0, 1), 0) + textureLoad(fine, at * 2 + vec2<i32>(1, 1), 0);
    return select(textureLoad(once, at, 0), 0.25 * sum, textureLoad(rough, at, 0).r > 0.5);
}
