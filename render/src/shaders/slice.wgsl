// A plane through a volume, one full-screen triangle a layer. The twin is render/src/cpu/slice.rs.
// Follows look.wgsl.

struct Slice {
    // Voxel coordinates (centres at whole numbers) at the middle of the picture, and per pixel.
    centre: vec4<f32>,
    right: vec4<f32>,
    down: vec4<f32>,
    // Voxels along i, j, k; w: 1 for trilinear (layers), the number of regions (outlines).
    shape: vec4<u32>,
    // The middle of the picture in pixels, the tie breaker of rounding, the width of outlines in pixels.
    picture: vec4<f32>,
    // The crosshair: x, y in pixels, half its width, half its gap.
    cross: vec4<f32>,
    // Straight sRGB.
    cross_colour: vec4<f32>,
    look: Look,
}

struct Region {
    key: i32,
    colour: u32,     // straight sRGB bytes, red lowest
}

@group(0) @binding(0) var<uniform> slice: Slice;
@group(0) @binding(2) var volume: texture_3d<f32>;
@group(0) @binding(3) var<storage, read> regions: array<Region>; // ordered by key

@vertex
fn vs_full(@builtin(vertex_index) i: u32) -> @builtin(position) vec4<f32> {
    let corner = vec2<f32>(f32((i << 1u) & 2u), f32(i & 2u));
    return vec4<f32>(corner * 2.0 - 1.0, 0.0, 1.0);
}

fn voxel_at(pixel: vec2<f32>) -> vec3<f32> {
    let p = pixel - slice.picture.xy;
    return slice.centre.xyz + slice.right.xyz * p.x + slice.down.xyz * p.y;
}

fn nearest(v: vec3<f32>) -> vec3<i32> {
    return vec3<i32>(floor(v + (0.5 + slice.picture.z)));
}

fn inside(i: vec3<i32>) -> bool {
    return all(i >= vec3<i32>(0)) && all(i < vec3<i32>(slice.shape.xyz));
}

// Between the eight voxel centres around, the outermost voxels continued to their faces. NaN neighbours are left out;
// where they hold more than half of the weight the result is NaN (and `valid` is false).
struct Sample {
    value: f32,
    valid: bool,
}

fn trilinear(v: vec3<f32>) -> Sample {
    let base = floor(v);
    let f = v - base;
    let low = vec3<i32>(base);
    let last = vec3<i32>(slice.shape.xyz) - 1;
    var sum = 0.0;
    var weight = 0.0;
    for (var corner = 0; corner < 8; corner++) {
        let o = vec3<i32>(corner & 1, (corner >> 1u) & 1, (corner >> 2u) & 1);
        let x = textureLoad(volume, clamp(low + o, vec3<i32>(0), last), 0).r;
        let w3 = select(1.0 - f, f, o == vec3<i32>(1));
        let w = w3.x * w3.y * w3.z;
        if !is_nan(x) {
            sum += w * x;
            weight += w;
        }
    }
    return Sample(sum / max(weight, 0.25), weight >= 0.5);
}

@fragment
fn fs_layer(@builtin(position) at: vec4<f32>) -> @location(0) vec4<f32> {
    let v = voxel_at(at.xy);
    let i = nearest(v);
    if !inside(i) {
        return vec4<f32>(0.0);
    }
    var sample: Sample;
    if slice.shape.w == 1u {
        sample = trilinear(v);
    } else {
        let x = textureLoad(volume, i, 0).r;
        sample = Sample(x, !is_nan(x));
    }
    if !sample.valid || abs(sample.value) < slice.look.threshold {
        return vec4<f32>(0.0);
    }
    return vec4<f32>(map_colour(slice.look, sample.value), 1.0) * slice.look.opacity;
}

fn label_at(pixel: vec2<f32>) -> i32 {
    let i = nearest(voxel_at(pixel));
    if !inside(i) {
        return 0;
    }
    let x = textureLoad(volume, i, 0).r;
    if is_nan(x) {
        return 0;
    }
    // floor(x + 0.5), as round() would send halves to even numbers.
    return i32(floor(x + 0.5));
}

// The colour of a region key, transparent if it is not outlined.
fn region_colour(key: i32) -> vec4<f32> {
    var low = 0u;
    var high = slice.shape.w;
    while low < high {
        let middle = (low + high) / 2u;
        if regions[middle].key < key {
            low = middle + 1u;
        } else {
            high = middle;
        }
    }
    if key == 0 || low >= slice.shape.w || regions[low].key != key {
        return vec4<f32>(0.0);
    }
    return unpack4x8unorm(regions[low].colour);
}

const RING = array<vec2<f32>, 8>(
    vec2<f32>(1.0, 0.0), vec2<f32>(0.7071068, 0.7071068), vec2<f32>(0.0, 1.0), vec2<f32>(-0.7071068, 0.7071068),
    vec2<f32>(-1.0, 0.0), vec2<f32>(-0.7071068, -0.7071068), vec2<f32>(0.0, -1.0), vec2<f32>(0.7071068, -0.7071068),
);

// The premultiplied colour of the line at a point: where the label differs within half a line's width. The line takes
// the colour of the region it lies in, or of the neighbour when it lies outside all regions.
fn line_at(pixel: vec2<f32>) -> vec4<f32> {
    var ring = RING;
    let here = label_at(pixel);
    let own = region_colour(here);
    for (var i = 0; i < 8; i++) {
        let there = label_at(pixel + ring[i] * (slice.picture.w * 0.5));
        if there != here {
            var colour = own;
            if colour.a == 0.0 {
                colour = region_colour(there);
            }
            if colour.a > 0.0 {
                return vec4<f32>(colour.rgb * colour.a, colour.a);
            }
        }
    }
    return vec4<f32>(0.0);
}

@fragment
fn fs_outline(@builtin(position) at: vec4<f32>) -> @location(0) vec4<f32> {
    // Most pixels are far from any border: one ring around the pixel tells.
    var ring = RING;
    let here = label_at(at.xy);
    var near = false;
    for (var i = 0; i < 8; i++) {
        near = near || label_at(at.xy + ring[i] * (slice.picture.w * 0.5 + 0.5)) != here;
    }
    if !near {
        return vec4<f32>(0.0);
    }
    var sum = vec4<f32>(0.0);
    for (var i = 0; i < 4; i++) {
        let part = vec2<f32>(f32(i & 1), f32(i >> 1u)) * 0.5 - 0.25;
        sum += line_at(at.xy + part);
    }
    return sum * 0.25;
}

@fragment
fn fs_cross(@builtin(position) at: vec4<f32>) -> @location(0) vec4<f32> {
    let d = abs(at.xy - slice.cross.xy);
    let line = clamp(slice.cross.z + 0.5 - d, vec2<f32>(0.0), vec2<f32>(1.0));
    let beyond = clamp(d - slice.cross.w + 0.5, vec2<f32>(0.0), vec2<f32>(1.0));
    let a = slice.cross_colour.a * max(line.x * beyond.y, line.y * beyond.x);
    return vec4<f32>(slice.cross_colour.rgb * a, a);
}
