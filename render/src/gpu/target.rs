//! Textures that are drawn into, and reading them back.

use super::{Gpu, RenderError};
use crate::scene::Picture;

/// Bytes are sRGB already: windows that blend in gamma space show them as they are.
pub(super) const COLOUR_FORMAT: wgpu::TextureFormat = wgpu::TextureFormat::Rgba8Unorm;

/// A picture on the device.
#[derive(Debug)]
pub(super) struct Target {
    pub(super) size: [u32; 2],
    texture: wgpu::Texture,
    pub(super) view: wgpu::TextureView,
}

impl Target {
    pub(super) fn new(gpu: &Gpu, size: [u32; 2]) -> Self {
        let usage = wgpu::TextureUsages::RENDER_ATTACHMENT
            | wgpu::TextureUsages::TEXTURE_BINDING
            | wgpu::TextureUsages::COPY_SRC;
        let texture = attachment(gpu, "picture", size, 1, COLOUR_FORMAT, usage);
        let view = texture.create_view(&wgpu::TextureViewDescriptor::default());
        Self {
            size,
            texture,
            view,
        }
    }

    /// Reads back as straight RGBA, each `scale` × `scale` block averaged.
    pub(super) fn read(&self, gpu: &Gpu, scale: u32) -> Result<Picture, RenderError> {
        let mut bytes = read_texture(gpu, &self.texture, self.size, 4)?;
        let [width, height] = self.size.map(|side| side / scale);
        if scale == 1 {
            for pixel in bytes.as_chunks_mut().0 {
                *pixel = straight(*pixel);
            }
            return Ok(Picture {
                width,
                height,
                rgba: bytes,
            });
        }
        let stride = self.size[0] as usize * 4;
        let mut rgba = Vec::with_capacity(width as usize * height as usize * 4);
        let block = scale as usize;
        for y in 0..height as usize {
            for x in 0..width as usize {
                let mut sum = [0_u32; 4];
                for row in 0..block {
                    let start = (y * block + row) * stride + x * block * 4;
                    for pixel in bytes[start..start + block * 4].chunks_exact(4) {
                        for (total, &byte) in sum.iter_mut().zip(pixel) {
                            *total += u32::from(byte);
                        }
                    }
                }
                let n = scale * scale;
                rgba.extend(straight(sum.map(|total| ((total + n / 2) / n) as u8)));
            }
        }
        Ok(Picture {
            width,
            height,
            rgba,
        })
    }
}

/// Straight from premultiplied alpha.
pub(crate) fn straight([r, g, b, a]: [u8; 4]) -> [u8; 4] {
    match u32::from(a) {
        255 => [r, g, b, a],
        0 => [0; 4],
        alpha => {
            let divide = |c: u8| ((u32::from(c) * 255 + alpha / 2) / alpha).min(255) as u8;
            [divide(r), divide(g), divide(b), a]
        }
    }
}

/// A texture to draw into.
pub(super) fn attachment(
    gpu: &Gpu,
    label: &str,
    size: [u32; 2],
    samples: u32,
    format: wgpu::TextureFormat,
    usage: wgpu::TextureUsages,
) -> wgpu::Texture {
    gpu.device.create_texture(&wgpu::TextureDescriptor {
        label: Some(label),
        size: wgpu::Extent3d {
            width: size[0],
            height: size[1],
            depth_or_array_layers: 1,
        },
        mip_level_count: 1,
        sample_count: samples,
        dimension: wgpu::TextureDimension::D2,
        format,
        usage,
        view_formats: &[],
    })
}

/// The bytes of a texture, rows without the padding that copies need.
pub(super) fn read_texture(
    gpu: &Gpu,
    texture: &wgpu::Texture,
    size: [u32; 2],
    bytes_per_pixel: u32,
) -> Result<Vec<u8>, RenderError> {
    let row = size[0] * bytes_per_pixel;
    let padded = row.next_multiple_of(wgpu::COPY_BYTES_PER_ROW_ALIGNMENT);
    let buffer = gpu.device.create_buffer(&wgpu::BufferDescriptor {
        label: Some("read back"),
        size: u64::from(padded) * u64::from(size[1]),
        usage: wgpu::BufferUsages::COPY_DST | wgpu::BufferUsages::MAP_READ,
        mapped_at_creation: false,
    });
    let mut encoder = gpu
        .device
        .create_command_encoder(&wgpu::CommandEncoderDescriptor::default());
    encoder.copy_texture_to_buffer(
        texture.as_image_copy(),
        wgpu::TexelCopyBufferInfo {
            buffer: &buffer,
            layout: wgpu::TexelCopyBufferLayout {
                offset: 0,
                bytes_per_row: Some(padded),
                rows_per_image: None,
            },
        },
        wgpu::Extent3d {
            width: size[0],
            height: size[1],
            depth_or_array_layers: 1,
        },
    );
    gpu.queue.submit([encoder.finish()]);
    let (sender, receiver) = std::sync::mpsc::channel();
    buffer.map_async(wgpu::MapMode::Read, .., move |mapped| {
        // The receiver waits below; if it is gone, nobody needs the answer.
        let _ = sender.send(mapped);
    });
    gpu.wait()?;
    receiver
        .recv()
        .map_err(|error| gpu.lost(error))?
        .map_err(|error| gpu.lost(error))?;
    let mapped = buffer
        .get_mapped_range(..)
        .map_err(|error| gpu.lost(error))?;
    let mut bytes = Vec::with_capacity(row as usize * size[1] as usize);
    for line in mapped.chunks_exact(padded as usize) {
        bytes.extend_from_slice(&line[..row as usize]);
    }
    Ok(bytes)
}
