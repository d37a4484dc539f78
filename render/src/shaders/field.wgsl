// A volume asked at voxel coordinates (centres at whole numbers). The twin is render/src/field.rs. Follows look.wgsl.

struct Field {
    voxel_from_world: mat4x4<f32>,
    modulation_from_world: mat4x4<f32>,
    shape: vec4<u32>,            // voxels along i, j, k
    modulation_shape: vec4<u32>, // the same of the modulating volume
    modulation_range: vec4<f32>, // the magnitude of opacity 0, 1 / (that of opacity 1 − that of opacity 0)
    look: Look,
}

@group(0) @binding(2) var volume: texture_3d<f32>;
@group(0) @binding(3) var modulating: texture_3d<f32>;
@group(0) @binding(5) var smoothly: sampler;

// Fixed when the shader is compiled: software drivers run both sides of every branch.
override sampling: u32 = 1u;  // 0 nearest, 1 trilinear, 2 trilinear by the device
override modulated: u32 = 0u; // 0 without a modulating volume, else one more than its sampling

// Positions on the border of two voxels go the same way whatever the rounding of the device.
const TIE: f32 = 1e-4;

struct Sample {
    value: f32,
    valid: bool,
}

fn nearest(v: vec3<f32>) -> vec3<i32> {
    return vec3<i32>(floor(v + (0.5 + TIE)));
}

fn inside(i: vec3<i32>, shape: vec3<u32>) -> bool {
    return all(i >= vec3<i32>(0)) && all(i < vec3<i32>(shape));
}

// Between the eight voxel centres around, the outermost voxels continued to their faces. NaN neighbours are left out;
// where they hold more than half of the weight the result is not valid.
fn trilinear(source: texture_3d<f32>, v: vec3<f32>, shape: vec3<u32>) -> Sample {
    let base = floor(v);
    let f = v - base;
    let last = vec3<i32>(shape) - 1;
    let low = clamp(vec3<i32>(base), vec3<i32>(0), last);
    let high = clamp(vec3<i32>(base) + 1, vec3<i32>(0), last);
    let x = vec4<f32>(
        textureLoad(source, low, 0).r,
        textureLoad(source, vec3<i32>(high.x, low.y, low.z), 0).r,
        textureLoad(source, vec3<i32>(low.x, high.y, low.z), 0).r,
        textureLoad(source, vec3<i32>(high.x, high.y, low.z), 0).r,
    );
    let y = vec4<f32>(
        textureLoad(source, vec3<i32>(low.x, low.y, high.z), 0).r,
        textureLoad(source, vec3<i32>(high.x, low.y, high.z), 0).r,
        textureLoad(source, vec3<i32>(low.x, high.y, high.z), 0).r,
        textureLoad(source, high, 0).r,
    );
    let across = vec4<f32>((1.0 - f.x) * (1.0 - f.y), f.x * (1.0 - f.y), (1.0 - f.x) * f.y, f.x * f.y);
    let bits_x = bitcast<vec4<u32>>(x) & vec4<u32>(0x7fffffffu);
    let bits_y = bitcast<vec4<u32>>(y) & vec4<u32>(0x7fffffffu);
    let none = vec4<u32>(0x7f800000u);
    let missing_x = bits_x > none;
    let missing_y = bits_y > none;
    let wx = select(across * (1.0 - f.z), vec4<f32>(0.0), missing_x);
    let wy = select(across * f.z, vec4<f32>(0.0), missing_y);
    let sum = dot(wx, select(x, vec4<f32>(0.0), missing_x)) + dot(wy, select(y, vec4<f32>(0.0), missing_y));
    let weight = dot(wx, vec4<f32>(1.0)) + dot(wy, vec4<f32>(1.0));
    return Sample(sum / max(weight, 0.25), weight >= 0.5);
}

fn sampled(source: texture_3d<f32>, v: vec3<f32>, shape: vec3<u32>, how: u32) -> Sample {
    let i = nearest(v);
    if !inside(i, shape) {
        return Sample(0.0, false);
    }
    if how == 2u {
        let at = (v + 0.5) / vec3<f32>(shape);
        return Sample(textureSampleLevel(source, smoothly, at, 0.0).r, true);
    }
    if how == 1u {
        return trilinear(source, v, shape);
    }
    let x = textureLoad(source, i, 0).r;
    return Sample(x, !is_nan(x));
}

// The opacity that the modulating volume gives a world point; 1 without one.
fn modulation(field: Field, world: vec3<f32>) -> f32 {
    if modulated == 0u {
        return 1.0;
    }
    let v = (field.modulation_from_world * vec4<f32>(world, 1.0)).xyz;
    let m = sampled(modulating, v, field.modulation_shape.xyz, modulated - 1u);
    if !m.valid {
        return 0.0;
    }
    return clamp((abs(m.value) - field.modulation_range.x) * field.modulation_range.y, 0.0, 1.0);
}
