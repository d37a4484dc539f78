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
// How far each brick of voxels is from the nearest that may show, in bricks along the longest axis.
@group(0) @binding(6) var distances: texture_3d<u32>;

// Fixed when the shader is compiled.
override maximum: bool = false;

const MOST_STEPS: f32 = 8192.0;
const OPAQUE: f32 = 0.98;
const FAINT: f32 = 1.0 / 512.0;
const REACH: f32 = 1.0;
const HALVINGS: i32 = 4;
const SIDE: f32 = 8.0; // voxels along a brick

@vertex
fn vs_full(@builtin(vertex_index) i: u32) -> @builtin(position) vec4<f32> {
    let corner = vec2<f32>(f32((i << 1u) & 2u), f32(i & 2u));
    // Behind pixels that are kept as they are, which are at 0.
    return vec4<f32>(corner * 2.0 - 1.0, 1e-6, 1.0);
}

fn unproject(ndc: vec2<f32>, depth: f32) -> vec3<f32> {
    let p = solid.world_from_clip * vec4<f32>(ndc, depth, 1.0);
    return p.xyz / p.w;
}

fn voxel(world: vec3<f32>) -> vec3<f32> {
    return (solid.field.voxel_from_world * vec4<f32>(world, 1.0)).xyz;
}

// A ray: a point of it after t mm, and the same as voxel coordinates.
struct Ray {
    start: vec3<f32>,
    along: vec3<f32>,
    origin: vec3<f32>,
    slope: vec3<f32>,
}

fn world_at(ray: Ray, t: f32) -> vec3<f32> {
    return ray.start + ray.along * t;
}

fn value_at(ray: Ray, t: f32) -> Sample {
    return sampled(volume, ray.origin + ray.slope * t, solid.field.shape.xyz, sampling);
}

// Steps to go before anything may show: 0 where it may here. `per_step` is a step in voxels.
fn leap(v: vec3<f32>, per_step: vec3<f32>) -> i32 {
    let brick = vec3<i32>((v + 0.5) / SIDE);
    let distance = f32(textureLoad(distances, brick, 0).r);
    let low = (vec3<f32>(brick) - (distance - 1.0)) * SIDE - 0.5;
    let high = (vec3<f32>(brick) + distance) * SIDE - 0.5;
    // A ray along an axis never leaves by the others.
    let safe = select(per_step, vec3<f32>(1e-12), abs(per_step) < vec3<f32>(1e-12));
    let steps = (select(low, high, safe > vec3<f32>(0.0)) - v) / safe;
    let first = min(min(steps.x, steps.y), min(steps.z, MOST_STEPS));
    return select(max(1, i32(ceil(first - 0.01))), 0, distance == 0.0);
}

// The number at a point and the opacity of a step there.
fn matter(ray: Ray, t: f32) -> vec2<f32> {
    let look = solid.field.look;
    let x = value_at(ray, t);
    let cover = look.opacity * coverage(look, x.value);
    if !x.valid || cover <= 0.0 {
        return vec2<f32>(0.0);
    }
    let there = cover * modulation(solid.field, world_at(ray, t));
    return vec2<f32>(x.value, 1.0 - pow(1.0 - there, solid.picture.z));
}

fn or_zero(v: vec3<f32>) -> f32 {
    if sampling == 2u {
        let at = (v + 0.5) / vec3<f32>(solid.field.shape.xyz);
        return textureSampleLevel(volume, smoothly, at, 0.0).r;
    }
    let x = trilinear(volume, v, solid.field.shape.xyz);
    return select(0.0, x.value, x.valid);
}

// A direction in camera space from a covector of the world, towards the viewer; `view` where there is none.
fn facing(out: vec3<f32>, view: vec3<f32>) -> vec3<f32> {
    let camera = (solid.camera_from_world * vec4<f32>(out, 0.0)).xyz;
    let size = length(camera);
    if size <= 1e-12 {
        return view;
    }
    return camera / size * select(1.0, -1.0, dot(camera, view) < 0.0);
}

// World from voxel directions, for what is perpendicular to planes.
fn outward(v: vec3<f32>) -> vec3<f32> {
    let m = solid.field.voxel_from_world;
    return transpose(mat3x3<f32>(m[0].xyz, m[1].xyz, m[2].xyz)) * v;
}

// By the gradient; a cut face, of which `face` is perpendicular to the world, by that: behind it there is only noise.
fn shaded(ray: Ray, t: f32, colour: vec3<f32>, face: vec3<f32>, on_face: bool) -> vec3<f32> {
    let v = ray.origin + ray.slope * t;
    let gradient = vec3<f32>(
        or_zero(v + vec3<f32>(REACH, 0.0, 0.0)) - or_zero(v - vec3<f32>(REACH, 0.0, 0.0)),
        or_zero(v + vec3<f32>(0.0, REACH, 0.0)) - or_zero(v - vec3<f32>(0.0, REACH, 0.0)),
        or_zero(v + vec3<f32>(0.0, 0.0, REACH)) - or_zero(v - vec3<f32>(0.0, 0.0, REACH)),
    );
    let position = (solid.camera_from_world * vec4<f32>(world_at(ray, t), 1.0)).xyz;
    let view = normalize(solid.eye.xyz - position * solid.eye.w);
    let normal = facing(select(outward(gradient), face, on_face), view);
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
    // What the ray enters by.
    var face = -along;
    let ray = Ray(start, along, voxel(start), (solid.field.voxel_from_world * vec4<f32>(along, 0.0)).xyz);
    let high = vec3<f32>(solid.field.shape.xyz) - 0.5;
    for (var axis = 0; axis < 3; axis++) {
        let origin = ray.origin[axis];
        let slope = ray.slope[axis];
        if abs(slope) < 1e-12 {
            if origin < -0.5 || origin > high[axis] {
                return vec4<f32>(0.0);
            }
        } else {
            let a = (-0.5 - origin) / slope;
            let b = (high[axis] - origin) / slope;
            if min(a, b) > first {
                first = min(a, b);
                var side = vec3<f32>(0.0);
                side[axis] = 1.0;
                face = outward(side);
            }
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
        } else if room / towards > first {
            first = room / towards;
            face = clip.xyz;
        }
    }
    if first >= last {
        return vec4<f32>(0.0);
    }
    let step = solid.picture.z;
    let n = i32(min(ceil((last - first) / step), MOST_STEPS));
    let look = solid.field.look;
    let v0 = ray.origin + ray.slope * (first + 0.5 * step);
    let per_step = ray.slope * step;

    // Loops are nested so that what costs much is outside of what runs often: software drivers run the whole of a loop for
    // as long as one of its pixels does.
    var i = 0;
    if maximum {
        var best = Sample(0.0, false);
        var best_t = first;
        while i < n {
            loop {
                let clear = leap(v0 + per_step * f32(i), per_step);
                i += clear;
                if clear == 0 || i >= n {
                    break;
                }
            }
            let t = first + (f32(i) + 0.5) * step;
            let x = value_at(ray, t);
            if i < n && x.valid && (!best.valid || weight(look, x.value) > weight(look, best.value)) {
                best = x;
                best_t = t;
            }
            i++;
        }
        if !best.valid {
            return vec4<f32>(0.0);
        }
        let alpha = look.opacity * coverage(look, best.value) * modulation(solid.field, world_at(ray, best_t));
        return vec4<f32>(map_colour(look, best.value), 1.0) * alpha;
    }

    var sum = vec4<f32>(0.0);
    // Whether the step before was clear, and whether all before were matter.
    var clear = true;
    var on_face = true;
    while i < n && sum.a <= OPAQUE {
        var t = first;
        var found = vec2<f32>(0.0);
        loop {
            loop {
                let steps = leap(v0 + per_step * f32(i), per_step);
                i += steps;
                clear = clear || steps > 0;
                on_face = on_face && steps == 0;
                if steps == 0 || i >= n {
                    break;
                }
            }
            t = first + (f32(i) + 0.5) * step;
            found = matter(ray, t);
            if found.y > FAINT || i >= n {
                break;
            }
            clear = true;
            on_face = false;
            i++;
        }
        if i >= n {
            break;
        }
        // Where matter begins, by halving: else the steps would be seen as rings.
        var clear_until = max(t - step, first);
        let halvings = select(0, HALVINGS, clear);
        for (var h = 0; h < halvings; h++) {
            let middle = 0.5 * (clear_until + t);
            let there = matter(ray, middle);
            if there.y > FAINT {
                t = middle;
                found = there;
            } else {
                clear_until = middle;
            }
        }
        clear = false;
        let part = found.y * (1.0 - sum.a);
        sum += vec4<f32>(shaded(ray, t, map_colour(look, found.x), face, on_face), 1.0) * part;
        i++;
    }
    return sum;
}
