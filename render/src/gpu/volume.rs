//! Volumes on the device: one 3-D texture of scalars each, shared by slices, surfaces and rays.

use std::borrow::Cow;
use std::sync::Arc;

use super::cache::Cache;
use super::{Gpu, RenderError, layout_entry};
use crate::field::{Kept, Variant};
use crate::leap::Bricks;
use crate::scene::{VolumeData, VolumeLayer};

/// A volume on the device.
#[derive(Clone, Debug)]
pub(super) struct Stored {
    pub(super) view: wgpu::TextureView,
    pub(super) kept: Kept,
    /// Voxels along i, j, k on the device.
    n_kept: [u32; 3],
}

impl Stored {
    /// Voxels along i, j, k on the device, and a fourth number for the shader.
    pub(super) fn shape(&self, fourth: u32) -> [u32; 4] {
        let [i, j, k] = self.n_kept;
        [i, j, k, fourth]
    }
}

#[derive(Debug)]
pub(super) struct Volumes {
    cache: Cache<Stored>,
    bricks: Cache<Arc<Bricks>>,
    none: wgpu::TextureView,
    /// Between voxels where the device can, else the nearest.
    pub(super) sampler: wgpu::Sampler,
    /// The longest side that is uploaded whole, voxels.
    pub(super) longest_side: u32,
    /// Uploads so far.
    pub(super) n_uploads: u64,
    /// What the user should know of volumes that did not fit.
    pub(super) notes: Vec<String>,
}

impl Volumes {
    pub(super) fn new(gpu: &Gpu) -> Self {
        Self {
            cache: Cache::new(),
            bricks: Cache::new(),
            none: texture(gpu, [1; 3], wgpu::TextureFormat::R32Float).1,
            sampler: gpu.device.create_sampler(&wgpu::SamplerDescriptor {
                label: Some("between voxels"),
                mag_filter: filter(gpu),
                min_filter: filter(gpu),
                ..Default::default()
            }),
            longest_side: gpu.device.limits().max_texture_dimension_3d,
            n_uploads: 0,
            notes: Vec::new(),
        }
    }

    /// Bound where a pipeline reads no volume.
    pub(super) fn none(&self) -> wgpu::TextureView {
        self.none.clone()
    }

    /// The texture of a volume. One that is longer than the device holds is thinned, and a note says so.
    pub(super) fn get(
        &mut self,
        gpu: &Gpu,
        volume: &VolumeData,
        now: u64,
    ) -> Result<Stored, RenderError> {
        let longest = self.longest_side;
        let (notes, n_uploads) = (&mut self.notes, &mut self.n_uploads);
        self.cache.get(volume.key, now, || {
            *n_uploads += 1;
            let thin = thinned(volume, longest);
            if thin.stride != [1; 3] {
                let [[ni, nj, nk], [si, sj, sk]] = [volume.shape, thin.stride];
                notes.push(format!(
                    "a volume of {ni} × {nj} × {nk} voxels is larger than {} can hold ({longest} a side): of every \
                     {si} × {sj} × {sk} voxels one is shown",
                    gpu.adapter_name
                ));
            }
            let kept = thin.shape.map(|n| n as u32);
            let (texture, view) = texture(gpu, kept, wgpu::TextureFormat::R32Float);
            gpu.queue.write_texture(
                texture.as_image_copy(),
                bytemuck::cast_slice(&thin.data),
                wgpu::TexelCopyBufferLayout {
                    offset: 0,
                    bytes_per_row: Some(kept[0] * 4),
                    rows_per_image: Some(kept[1]),
                },
                texture.size(),
            );
            Ok(Stored {
                view,
                kept: Kept {
                    stride: thin.stride.map(|s| s as u32),
                    smooth: filters(gpu) && thin.data.iter().all(|x| x.is_finite()),
                },
                n_kept: kept,
            })
        })
    }

    /// The bricks of a volume as it is on the device.
    pub(super) fn bricks(
        &mut self,
        volume: &VolumeData,
        now: u64,
    ) -> Result<Arc<Bricks>, RenderError> {
        let longest = self.longest_side;
        self.bricks.get(volume.key, now, || {
            let thin = thinned(volume, longest);
            Ok(Arc::new(Bricks::new(&thin.data, thin.shape)))
        })
    }

    /// The textures of a layer and of what modulates it, what of them is there, and which shader that asks for.
    pub(super) fn of_layer(
        &mut self,
        gpu: &Gpu,
        layer: &VolumeLayer,
        now: u64,
    ) -> Result<([wgpu::TextureView; 2], [Kept; 2], Variant), RenderError> {
        let stored = self.get(gpu, &layer.volume, now)?;
        let mut textures = [stored.view, self.none()];
        let mut kept = [stored.kept, Kept::WHOLE];
        if let Some(modulation) = &layer.modulation {
            let modulating = self.get(gpu, &modulation.volume, now)?;
            (textures[1], kept[1]) = (modulating.view, modulating.kept);
        }
        Ok((textures, kept, Variant::of(layer, kept)))
    }

    pub(super) fn evict(&mut self, now: u64) {
        self.cache.evict(now);
        self.bricks.evict(now);
    }
}

/// A volume of which no side is longer than a device holds.
struct Thinned<'a> {
    /// Of how many voxels one was kept, along each axis.
    stride: [usize; 3],
    shape: [usize; 3],
    data: Cow<'a, [f32]>,
}

fn thinned(volume: &VolumeData, longest_side: u32) -> Thinned<'_> {
    let stride = volume
        .shape
        .map(|n| n.div_ceil(longest_side as usize).max(1));
    let [ni, nj, nk] = volume.shape;
    let [si, sj, sk] = stride;
    let data = if stride == [1; 3] {
        Cow::Borrowed(&volume.data[..])
    } else {
        let rows = (0..nk)
            .step_by(sk)
            .flat_map(|k| (0..nj).step_by(sj).map(move |j| (k * nj + j) * ni));
        let voxels = rows.flat_map(|row| volume.data[row..row + ni].iter().copied().step_by(si));
        Cow::Owned(voxels.collect())
    };
    Thinned {
        stride,
        shape: [ni.div_ceil(si), nj.div_ceil(sj), nk.div_ceil(sk)],
        data,
    }
}

/// Whether the device interpolates between 32-bit floats.
fn filters(gpu: &Gpu) -> bool {
    let features = gpu.device.features();
    features.contains(wgpu::Features::FLOAT32_FILTERABLE)
}

fn filter(gpu: &Gpu) -> wgpu::FilterMode {
    if filters(gpu) {
        wgpu::FilterMode::Linear
    } else {
        wgpu::FilterMode::Nearest
    }
}

/// A volume in a bind group.
pub(super) fn volume_entry(gpu: &Gpu, binding: u32) -> wgpu::BindGroupLayoutEntry {
    let ty = wgpu::BindingType::Texture {
        sample_type: wgpu::TextureSampleType::Float {
            filterable: filters(gpu),
        },
        view_dimension: wgpu::TextureViewDimension::D3,
        multisampled: false,
    };
    layout_entry(binding, wgpu::ShaderStages::FRAGMENT, ty)
}

/// The sampler of volumes in a bind group.
pub(super) fn sampler_entry(gpu: &Gpu, binding: u32) -> wgpu::BindGroupLayoutEntry {
    let kind = if filters(gpu) {
        wgpu::SamplerBindingType::Filtering
    } else {
        wgpu::SamplerBindingType::NonFiltering
    };
    let ty = wgpu::BindingType::Sampler(kind);
    layout_entry(binding, wgpu::ShaderStages::FRAGMENT, ty)
}

/// A texture of one number a cell.
pub(super) fn texture(
    gpu: &Gpu,
    shape: [u32; 3],
    format: wgpu::TextureFormat,
) -> (wgpu::Texture, wgpu::TextureView) {
    let texture = gpu.device.create_texture(&wgpu::TextureDescriptor {
        label: Some("volume"),
        size: wgpu::Extent3d {
            width: shape[0],
            height: shape[1],
            depth_or_array_layers: shape[2],
        },
        mip_level_count: 1,
        sample_count: 1,
        dimension: wgpu::TextureDimension::D3,
        format,
        usage: wgpu::TextureUsages::TEXTURE_BINDING | wgpu::TextureUsages::COPY_DST,
        view_formats: &[],
    });
    let view = texture.create_view(&wgpu::TextureViewDescriptor::default());
    (texture, view)
}
