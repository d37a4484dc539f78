// A plane through a volume, one full-screen triangle a layer. The twin is render/src/cpu/slice.rs.
// Follows look.wgsl and field.wgsl.

// Voxel coordinates (centres at whole numbers) at the middle of the picture, per pixel, and per step through a slab.
struct Place {
    centre: vec4<f32>,
    right: vec4<f32>,
    down: vec4<f32>,
    through: vec4<f32>,
}

struct Slice {
    place: Place,
    modulation_place: Place,
    // Voxels along i, j, k; w: the number of regions (outlines).
    shape: vec4<u32>,
    // The same of the modulating volume.
    modulation_shape: vec4<u32>,
    // The magnitude of opacity 0, 1 / (that of opacity 1 − that of opacity 0).
    modulation_range: vec4<f32>,
    // The middle of the picture in pixels, the number of steps through the slab, the width of outlines in pixels.
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

// Whether numbers are looked for through a slab; fixed when the shader is compiled.
override thick: bool = false;

@group(0) @binding(0) var<uniform> slice: Slice;
@group(0) @binding(4) var<storage, read> regions: array<Region>; // ordered by key

@vertex
fn vs_full(@builtin(vertex_index) i: u32) -> @builtin(position) vec4<f32> {
    let corner = vec2<f32>(f32((i << 1u) & 2u), f32(i & 2u));
    return vec4<f32>(corner * 2.0 - 1.0, 0.0, 1.0);
}

fn voxel_at(place: Place, pixel: vec2<f32>, step: f32) -> vec3<f32> {
    let p = pixel - slice.picture.xy;
    return place.centre.xyz + place.right.xyz * p.x + place.down.xyz * p.y + place.through.xyz * step;
}

@fragment
fn fs_layer(@builtin(position) at: vec4<f32>) -> @location(0) vec4<f32> {
    // Of the numbers on the way through the slab, the weightiest.
    var best = sampled(volume, voxel_at(slice.place, at.xy, 0.0), slice.shape.xyz, sampling);
    var best_step = 0.0;
    if thick {
        let n = i32(slice.picture.z);
        for (var i = 1; i < n; i++) {
            let x = sampled(volume, voxel_at(slice.place, at.xy, f32(i)), slice.shape.xyz, sampling);
            if x.valid && (!best.valid || weight(slice.look, x.value) > weight(slice.look, best.value)) {
                best = x;
                best_step = f32(i);
            }
        }
    }
    if !best.valid {
        return vec4<f32>(0.0);
    }
    var alpha = slice.look.opacity * coverage(slice.look, best.value);
    if modulated != 0u {
        let v = voxel_at(slice.modulation_place, at.xy, best_step);
        let m = sampled(modulating, v, slice.modulation_shape.xyz, modulated - 1u);
        let part = clamp((abs(m.value) - slice.modulation_range.x) * slice.modulation_range.y, 0.0, 1.0);
        alpha *= select(0.0, part, m.valid);
    }
    return vec4<f32>(map_colour(slice.look, best.value), 1.0) * alpha;
}

fn label_at(pixel: vec2<f32>) -> i32 {
    let i = nearest(voxel_at(slice.place, pixel, 0.0));
    if !inside(i, slice.shape.xyz) {
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
