// The light that surfaces and volumes are seen in. The twin is render/src/light.rs.

struct Light {
    key: vec4<f32>,      // direction in camera space, strength
    fill: vec4<f32>,
    ambient: vec4<f32>,  // from above, from below, rim strength, rim exponent
    gloss: vec4<f32>,    // specular strength, exponent, wrap, evening out of overlays
    facing: vec4<f32>,   // x: the light of a plain surface that faces the viewer
}

fn linear_from_srgb(c: vec3<f32>) -> vec3<f32> {
    return select(pow((c + 0.055) / 1.055, vec3<f32>(2.4)), c / 12.92, c <= vec3<f32>(0.04045));
}

fn srgb_from_linear(c: vec3<f32>) -> vec3<f32> {
    let x = clamp(c, vec3<f32>(0.0), vec3<f32>(1.0));
    return select(1.055 * pow(x, vec3<f32>(1.0 / 2.4)) - 0.055, x * 12.92, x <= vec3<f32>(0.0031308));
}

fn lamp(light: Light, n: vec3<f32>, lamp: vec4<f32>) -> f32 {
    let wrap = light.gloss.z;
    return lamp.w * max((dot(n, lamp.xyz) + wrap) / (1.0 + wrap), 0.0);
}

// The sRGB colour of a base (sRGB) of which a share is data: evened out and without gloss.
fn lit(light: Light, base: vec3<f32>, data: f32, n: vec3<f32>, v: vec3<f32>) -> vec3<f32> {
    let sky = mix(light.ambient.y, light.ambient.x, 0.5 + 0.5 * n.y);
    let rim = light.ambient.z * pow(1.0 - max(dot(n, v), 0.0), light.ambient.w);
    let diffuse = (sky + lamp(light, n, light.key) + lamp(light, n, light.fill) + rim) / light.facing.x;
    let half = normalize(light.key.xyz + v);
    let specular = light.gloss.x * pow(max(dot(n, half), 0.0), light.gloss.y);
    let even = light.gloss.w * data;
    return srgb_from_linear(linear_from_srgb(base) * mix(diffuse, 1.0, even) + specular * (1.0 - data));
}
