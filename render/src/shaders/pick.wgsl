// Which triangle of which mesh is nearest under one pixel. The twin is render/src/cpu/pick.rs.

struct Pick {
    // The clip space of a one-pixel picture.
    clip_from_mesh: mat4x4<f32>,
    mesh: vec4<u32>,  // x: the mesh's index + 1
    shape: vec4<f32>, // x: the share of the other shape
}

@group(0) @binding(0) var<uniform> pick: Pick;
@group(0) @binding(1) var<storage, read> vertices: array<f32>; // position and normal, six numbers a vertex
@group(0) @binding(2) var<storage, read> triangles: array<u32>;
@group(0) @binding(3) var<storage, read> toward: array<f32>; // the other shape, as vertices

struct Hit {
    @builtin(position) clip: vec4<f32>,
    @location(0) @interpolate(flat, either) triangle: u32,
}

@vertex
fn vs_pick(@builtin(vertex_index) i: u32) -> Hit {
    let v = 6u * triangles[i];
    var out: Hit;
    let a = vec3<f32>(vertices[v], vertices[v + 1u], vertices[v + 2u]);
    let b = vec3<f32>(toward[v], toward[v + 1u], toward[v + 2u]);
    out.clip = pick.clip_from_mesh * vec4<f32>(a + (b - a) * pick.shape.x, 1.0);
    out.triangle = i / 3u;
    return out;
}

@fragment
fn fs_pick(hit: Hit) -> @location(0) vec2<u32> {
    return vec2<u32>(pick.mesh.x, hit.triangle);
}
