// Looking into a volume, one full-screen triangle a volume. The twin is render/src/solid.rs.
// Follows look.wgsl, field.wgsl and light.wgsl.

struct Solid {
    world_from_clip: mat4x4<f32>,
    camera_from_world: mat4x4<f32>,
    eye: vec4<f32>,      // a point (w 1) or a direction (w 0), camera space
    light: Light,
    picture: vec4<f32>,  // pixels across and down, mm a step, the number of cuts
    clips: array<vec4<f32>, 6>, // normal, mm from the origin
    field: Field,
}

@group(0) @binding(0) var<uniform> solid: Solid;
@group(0) @binding(4) var depths: texture_depth_2d; // of the solid meshes

// Fixed when the shader is compiled.
override maximum: bool = false;

const MOST_STEPS: f32 = 8192.0;
const OPAQUE: f32 = 0.98;
const FAINT: f32 = 1.0 / 512.0;
const REACH: f32 = 1.0;
const HALVINGS: i32 = 4;

@vertex
fn vs_full(@builtin(vertex_index) i: u32) -> @builtin(position) vec4<f32> {
    let corner = vec2<f32>(f32((i << 1u) & 2u), f32(i & 2u));
    return vec4<f32>(corner * 2.0 - 1.0, 0.0, 1.0);
}

fn unproject(ndc: vec2<f32>, depth: f32) -> vec3<f32> {
    let p = solid.world_from_clip * vec4<f32>(ndc, depth, 1.0);
    return p.xyz / p.w;
}

fn voxel(world: vec3<f32>) -> vec3<f32> {
    return (solid.field.voxel_from_world * vec4<f32>(world, 1.0)).xyz;
}

fn value_at(world: vec3<f32>) -> Sample {
    return sampled(volume, voxel(world), solid.field.shape.xyz, sampling);
}

// The number at a point and the opacity of a step there.
fn matter(world: vec3<f32>) -> vec2<f32> {
    let look = solid.field.look;
    let x = value_at(world);
    let cover = look.opacity * coverage(look, x.value);
    if !x.valid || cover <= 0.0 {
        return vec2<f32>(0.0);
    }
    return vec2<f32>(x.value, 1.0 - pow(1.0 - cover * modulation(solid.field, world), solid.picture.z));
}

fn or_zero(v: vec3<f32>) -> f32 {
    if sampling == 2u {
        let at = (v + 0.5) / vec3<f32>(solid.field.shape.xyz);
        return textureSampleLevel(volume, smoothly, at, 0.0).r;
    }
    let x = trilinear(volume, v, solid.field.shape.xyz);
    return select(0.0, x.value, x.valid);
}

fn shaded(world: vec3<f32>, colour: vec3<f32>) -> vec3<f32> {
    let v = voxel(world);
    let gradient = vec3<f32>(
        or_zero(v + vec3<f32>(REACH, 0.0, 0.0)) - or_zero(v - vec3<f32>(REACH, 0.0, 0.0)),
        or_zero(v + vec3<f32>(0.0, REACH, 0.0)) - or_zero(v - vec3<f32>(0.0, REACH, 0.0)),
        or_zero(v + vec3<f32>(0.0, 0.0, REACH)) - or_zero(v - vec3<f32>(0.0, 0.0, REACH)),
    );
    let m = solid.field.voxel_from_world;
    let out = transpose(mat3x3<f32>(m[0].xyz, m[1].xyz, m[2].xyz)) * gradient;
    let camera = (solid.camera_from_world * vec4<f32>(out, 0.0)).xyz;
    let position = (solid.camera_from_world * vec4<f32>(world, 1.0)).xyz;
    let view = normalize(solid.eye.xyz - position * solid.eye.w);
    let size = length(camera);
    var normal = view;
    if size > 1e-12 {
        normal = camera / size;
        normal *= select(1.0, -1.0, dot(normal, view) < 0.0);
    }
    return lit(solid.light, colour, 0.0, normal, view);
}

@fragment
fn fs_solid(@builtin(position) at: vec4<f32>) -> @location(0) vec4<f32> {
    let ndc = vec2<f32>(at.x / solid.picture.x * 2.0 - 1.0, 1.0 - at.y / solid.picture.y * 2.0);
    let start = unproject(ndc, 0.0);
    let end = unproject(ndc, 1.0);
    let along = normalize(end - start);
    var first = 0.0;
    var last = length(end - start);
    let depth = textureLoad(depths, vec2<i32>(at.xy), 0);
    if depth < 1.0 {
        last = dot(unproject(ndc, depth) - start, along);
    }
    let origin = voxel(start);
    let slope = (solid.field.voxel_from_world * vec4<f32>(along, 0.0)).xyz;
    let high = vec3<f32>(solid.field.shape.xyz) - 0.5;
    for (var axis = 0; axis < 3; axis++) {
        if abs(slope[axis]) < 1e-12 {
            if origin[axis] < -0.5 || origin[axis] > high[axis] {
                return vec4<f32>(0.0);
            }
        } else {
            let a = (-0.5 - origin[axis]) / slope[axis];
            let b = (high[axis] - origin[axis]) / slope[axis];
            first = max(first, min(a, b));
            last = min(last, max(a, b));
        }
    }
    let n_clips = i32(solid.picture.w);
    for (var i = 0; i < n_clips; i++) {
        let clip = solid.clips[i];
        let towards = dot(clip.xyz, along);
        let room = clip.w - dot(clip.xyz, start);
        if abs(towards) < 1e-9 {
            if room < 0.0 {
                return vec4<f32>(0.0);
            }
        } else if towards > 0.0 {
            last = min(last, room / towards);
        } else {
            first = max(first, room / towards);
        }
    }
    if first >= last {
        return vec4<f32>(0.0);
    }
    let step = solid.picture.z;
    let n = i32(min(ceil((last - first) / step), MOST_STEPS));
    let look = solid.field.look;

    if maximum {
        var best = Sample(0.0, false);
        var place = start;
        for (var i = 0; i < n; i++) {
            let point = start + along * (first + (f32(i) + 0.5) * step);
            let x = value_at(point);
            if x.valid && (!best.valid || weight(look, x.value) > weight(look, best.value)) {
                best = x;
                place = point;
            }
        }
        if !best.valid {
            return vec4<f32>(0.0);
        }
        let alpha = look.opacity * coverage(look, best.value) * modulation(solid.field, place);
        return vec4<f32>(map_colour(look, best.value), 1.0) * alpha;
    }

    var sum = vec4<f32>(0.0);
    var clear = true;
    var clear_until = first;
    for (var i = 0; i < n; i++) {
        var t = first + (f32(i) + 0.5) * step;
        var found = matter(start + along * t);
        if found.y <= FAINT {
            clear = true;
            clear_until = t;
            continue;
        }
        if clear {
            // Where matter begins, by halving: else the steps would be seen as rings.
            clear = false;
            for (var h = 0; h < HALVINGS; h++) {
                let middle = 0.5 * (clear_until + t);
                let there = matter(start + along * middle);
                if there.y > FAINT {
                    t = middle;
                    found = there;
                } else {
                    clear_until = middle;
                }
            }
        }
        let part = found.y * (1.0 - sum.a);
        sum += vec4<f32>(shaded(start + along * t, map_colour(look, found.x)), 1.0) * part;
        if sum.a > OPAQUE {
            break;
        }
    }
    return sum;
}
