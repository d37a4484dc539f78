// Surfaces: lit greys with data over them. The twin is render/src/surface.rs.
// Follows look.wgsl, field.wgsl and light.wgsl.

struct Surface {
    clip_from_world: mat4x4<f32>,
    camera_from_world: mat4x4<f32>,
    eye: vec4<f32>,      // a point (w 1) or a direction (w 0), camera space
    light: Light,
    place: vec4<f32>,    // world = vertex · w + xyz
    tint: vec4<f32>,     // a plain colour where w is 1
    greys: vec4<f32>,    // gyri, sulci, without sulcal map, half the width of the passage
    paint: vec4<f32>,    // opacity, has sulcal map, has overlay, half the line width in pixels
    look: Look,
    shape: vec4<f32>,    // share of the other shape, relief
    depth: vec4<f32>,    // part of the way through the cortex, samples on it
    field: Field,        // what is sampled there
}

// Whether a volume is sampled between two ends; fixed when the shader is compiled.
override through: bool = false;

@group(0) @binding(0) var<uniform> surface: Surface;

struct Vertex {
    @location(0) position: vec3<f32>,
    @location(1) normal: vec3<f32>,
    @location(2) sulcal: f32,
    @location(3) map: vec2<f32>, // (value, 1), or (0, 0) for NaN
    @location(4) toward: vec3<f32>,
    @location(5) toward_normal: vec3<f32>,
    @location(6) inner: vec3<f32>, // the ends of the way through the cortex
    @location(7) outer: vec3<f32>,
}

struct Varying {
    @builtin(position) @invariant clip: vec4<f32>,
    @location(0) normal: vec3<f32>,
    @location(1) position: vec3<f32>,
    @location(2) sulcal: f32,
    @location(3) map: vec2<f32>,
    @location(4) inner: vec3<f32>,
    @location(5) outer: vec3<f32>,
}

fn between(a: vec3<f32>, b: vec3<f32>) -> vec3<f32> {
    return a + (b - a) * surface.shape.x;
}

fn world(vertex: vec3<f32>) -> vec4<f32> {
    return vec4<f32>(vertex * surface.place.w + surface.place.xyz, 1.0);
}

@vertex
fn vs_surface(vertex: Vertex) -> Varying {
    let at = world(between(vertex.position, vertex.toward));
    var out: Varying;
    out.clip = surface.clip_from_world * at;
    let normal = between(vertex.normal, vertex.toward_normal);
    out.normal = (surface.camera_from_world * vec4<f32>(normal * inverseSqrt(max(dot(normal, normal), 1e-30)), 0.0)).xyz;
    out.position = (surface.camera_from_world * at).xyz;
    out.sulcal = vertex.sulcal;
    out.map = vertex.map;
    out.inner = vertex.inner;
    out.outer = vertex.outer;
    return out;
}

// The front of a see-through mesh: depth only.
@vertex
fn vs_depth(
    @location(0) position: vec3<f32>,
    @location(4) toward: vec3<f32>,
) -> @invariant @builtin(position) vec4<f32> {
    return surface.clip_from_world * world(between(position, toward));
}

// Softened over a pixel: 1 where the distance is positive.
fn edge(distance: f32, width: f32) -> f32 {
    return clamp(distance / max(width, 1e-12) + 0.5, 0.0, 1.0);
}

// The mean of what is sampled between two ends; the second number is the mean opacity of the modulating volume.
struct Through {
    value: f32,
    modulation: f32,
    valid: bool,
}

fn through_cortex(inner: vec3<f32>, outer: vec3<f32>) -> Through {
    let n = i32(surface.depth.z);
    var sum = vec3<f32>(0.0);
    for (var i = 0; i < n; i++) {
        let share = select(f32(i) / f32(max(n - 1, 1)), 0.5, n == 1);
        let point = inner + (outer - inner) * (surface.depth.x + (surface.depth.y - surface.depth.x) * share);
        let v = (surface.field.voxel_from_world * vec4<f32>(point, 1.0)).xyz;
        let x = sampled(volume, v, surface.field.shape.xyz, sampling);
        if x.valid {
            sum += vec3<f32>(x.value, modulation(surface.field, point), 1.0);
        }
    }
    let m = max(sum.z, 1.0);
    return Through(sum.x / m, sum.y / m, sum.z > 0.0);
}

@fragment
fn fs_surface(in: Varying, @builtin(front_facing) front: bool) -> @location(0) vec4<f32> {
    // Derivatives first: they need every pixel of a quad.
    let value = in.map.x / max(in.map.y, 0.25);
    let valid = edge(in.map.y - 0.5, fwidth(in.map.y));
    let above = weight(surface.look, value) - surface.look.threshold;
    let hard = select(1.0, edge(above, fwidth(above)), surface.look.threshold > 0.0);
    let strong = select(hard, coverage(surface.look, value), surface.look.soft != 0u);

    var base = vec3<f32>(surface.greys.z);
    if surface.paint.y > 0.0 {
        let t = smoothstep(-surface.greys.w, surface.greys.w, in.sulcal);
        base = vec3<f32>(mix(surface.greys.x, surface.greys.y, t));
    }
    base = mix(base, surface.tint.rgb, surface.tint.w);
    var overlay = 0.0;
    if surface.paint.z > 0.0 {
        overlay = surface.look.opacity * valid * strong;
        if overlay > 0.0 {
            base = mix(base, map_colour(surface.look, value), overlay);
        }
    }

    if through {
        let x = through_cortex(in.inner, in.outer);
        if x.valid {
            let look = surface.field.look;
            let alpha = look.opacity * coverage(look, x.value) * x.modulation;
            base = mix(base, map_colour(look, x.value), alpha);
            overlay = 1.0 - (1.0 - overlay) * (1.0 - alpha);
        }
    }

    let length2 = dot(in.normal, in.normal);
    let n = in.normal * select(-1.0, 1.0, front) * inverseSqrt(max(length2, 1e-30));
    let v = normalize(surface.eye.xyz - in.position * surface.eye.w);
    let colour = mix(base, lit(surface.light, base, overlay, n, v), surface.shape.y);
    // A see-through mesh is glass: denser where it is seen edge-on, so that its shape shows.
    let opacity = surface.paint.x;
    let grazing = 1.0 - max(dot(n, v), 0.0);
    let alpha = opacity + opacity * (1.0 - opacity) * grazing * grazing;
    return vec4<f32>(colour, 1.0) * alpha;
}

// Region borders: only the triangles whose corners lie in different regions.
struct Corner {
    @location(0) position: vec3<f32>,
    @location(1) corner: u32,
    @location(2) labels: vec3<i32>,
    @location(3) colour0: vec4<f32>,
    @location(4) colour1: vec4<f32>,
    @location(5) colour2: vec4<f32>,
    @location(6) toward: vec3<f32>,
}

struct Border {
    @builtin(position) @invariant clip: vec4<f32>,
    @location(0) weights: vec3<f32>, // barycentric
    @location(1) @interpolate(flat, either) labels: vec3<i32>,
    @location(2) @interpolate(flat, either) colour0: vec4<f32>,
    @location(3) @interpolate(flat, either) colour1: vec4<f32>,
    @location(4) @interpolate(flat, either) colour2: vec4<f32>,
}

@vertex
fn vs_border(vertex: Corner) -> Border {
    var out: Border;
    out.clip = surface.clip_from_world * world(between(vertex.position, vertex.toward));
    out.weights = vec3<f32>(f32(vertex.corner == 0u), f32(vertex.corner == 1u), f32(vertex.corner == 2u));
    out.labels = vertex.labels;
    out.colour0 = vertex.colour0;
    out.colour1 = vertex.colour1;
    out.colour2 = vertex.colour2;
    return out;
}

// Row k: which corners share corner k's region. Times the barycentric weights: the weight of each corner's region.
fn by_region(labels: vec3<i32>, weights: vec3<f32>) -> vec3<f32> {
    let same01 = f32(labels.x == labels.y);
    let same12 = f32(labels.y == labels.z);
    let same02 = f32(labels.x == labels.z);
    return vec3<f32>(
        weights.x + same01 * weights.y + same02 * weights.z,
        same01 * weights.x + weights.y + same12 * weights.z,
        same02 * weights.x + same12 * weights.y + weights.z,
    );
}

@fragment
fn fs_border(in: Border) -> @location(0) vec4<f32> {
    let weights = by_region(in.labels, in.weights);
    let right = by_region(in.labels, dpdx(in.weights));
    let down = by_region(in.labels, dpdy(in.weights));
    var colours = array<vec4<f32>, 3>(in.colour0, in.colour1, in.colour2);
    var labels = array<i32, 3>(in.labels.x, in.labels.y, in.labels.z);
    var w = array<f32, 3>(weights.x, weights.y, weights.z);
    var dx = array<f32, 3>(right.x, right.y, right.z);
    var dy = array<f32, 3>(down.x, down.y, down.z);
    var first = 0u;
    for (var k = 1u; k < 3u; k++) {
        if w[k] > w[first] {
            first = k;
        }
    }
    var second = 3u;
    for (var k = 0u; k < 3u; k++) {
        if labels[k] != labels[first] && (second == 3u || w[k] > w[min(second, 2u)]) {
            second = k;
        }
    }
    second = min(second, 2u);
    // The border is where the two heaviest regions weigh alike; its distance in pixels, to first order.
    let slope = length(vec2<f32>(dx[first] - dx[second], dy[first] - dy[second]));
    let distance = (w[first] - w[second]) / max(slope, 1e-12);
    var colour = colours[first];
    if colour.a == 0.0 {
        colour = colours[second];
    }
    let a = colour.a * clamp(surface.paint.w + 0.5 - distance, 0.0, 1.0) * surface.paint.x;
    return vec4<f32>(colour.rgb * a, a);
}

// Of the depth-only pass; its colour is not written.
@fragment
fn fs_nothing() -> @location(0) vec4<f32> {
    return vec4<f32>(0.0);
}
