//! Pictures in and out: stimuli, reconstructions, sheets.

use std::fs::File;
use std::io::BufReader;
use std::path::Path;

use image::{DynamicImage, ImageDecoder, ImageFormat, ImageReader, Rgb, RgbImage};

use crate::io::array::times as hdf5_shape;
use crate::io::bytes::Bytes;
use crate::io::hdf5;
use crate::io::write;
use crate::run::{Run, Stop};
use crate::study::Load;
use crate::{Error, Result};

/// What shows through where a picture is transparent: mid-grey, the background that vision
/// experiments show between stimuli.
const BACKGROUND: f32 = 128.0;

/// No picture of this kind is smaller in its file, by a wide margin (deflate stops at 1032 : 1).
const MOST_EXPANSION: u64 = 4000;

impl Load for RgbImage {
    fn load(path: &Path, run: &Run<'_>) -> std::result::Result<Self, Stop> {
        run.check()?;
        Ok(read(path)?)
    }

    /// Reads one picture of an HDF5 array of pictures × rows × columns × 3, 8 bits each (NSD's
    /// `imgBrick`): the only array of four dimensions.
    fn load_entry(path: &Path, index: usize, run: &Run<'_>) -> std::result::Result<Self, Stop> {
        run.check()?;
        let file = hdf5::open(path)?;
        let pictures = file.list()?.into_iter().find(|info| info.shape.len() == 4);
        let array = match &pictures {
            Some(info) => file.array(&info.name)?,
            None => {
                let problem = "holds no pictures: give an array of pictures × rows × columns × 3";
                return Err(Error::file(path, problem).into());
            }
        };
        let refused = |problem: String| Stop::from(Error::file(path, problem));
        let &[n_pictures, height, width, 3] = array.dims() else {
            let shape = hdf5_shape(array.dims());
            return Err(refused(format!(
                "holds {shape} values: pictures have three colours, last"
            )));
        };
        if array.datatype() != "uint8" || index >= n_pictures {
            return Err(refused(format!(
                "has no picture {index} of 8 bits a colour: it holds {n_pictures} of {}",
                array.datatype()
            )));
        }
        let values = array.block(&[index..index + 1, 0..height, 0..width, 0..3])?;
        let bytes = values.into_iter().map(|v| v as u8).collect();
        Self::from_raw(width as u32, height as u32, bytes)
            .ok_or_else(|| refused(format!("holds pictures of {width} × {height}, too large")))
    }
}

/// Reads a PNG or JPEG as 8-bit sRGB, upright as its EXIF note says. Transparent parts are composed
/// on mid-grey (128).
///
/// # Errors
/// When the file is neither, is damaged, or has an implausible size.
pub fn read(path: &Path) -> Result<RgbImage> {
    // Opened once as bytes, for the errors about files that are not there.
    drop(Bytes::open(path)?);
    let file = File::open(path).map_err(|e| Error::io(path, e))?;
    let file_len = file.metadata().map_err(|e| Error::io(path, e))?.len();
    let reader = ImageReader::new(BufReader::new(file))
        .with_guessed_format()
        .map_err(|e| Error::io(path, e))?;
    if !matches!(reader.format(), Some(ImageFormat::Png | ImageFormat::Jpeg)) {
        return Err(Error::file(
            path,
            "is neither PNG nor JPEG: convert it to PNG",
        ));
    }
    let damaged = |e: image::ImageError| {
        Error::file(
            path,
            format!("cannot be read as a picture ({e}): save or copy it again"),
        )
    };
    let mut decoder = reader.into_decoder().map_err(damaged)?;
    if decoder.total_bytes()
        > file_len
            .saturating_mul(MOST_EXPANSION)
            .saturating_add(1 << 20)
    {
        let (width, height) = decoder.dimensions();
        return Err(Error::file(
            path,
            format!(
                "says it is {width} × {height} pixels, which its {file_len} bytes cannot hold: copy it again"
            ),
        ));
    }
    let orientation = decoder.orientation().map_err(damaged)?;
    let mut picture = DynamicImage::from_decoder(decoder).map_err(damaged)?;
    picture.apply_orientation(orientation);
    if !picture.color().has_alpha() {
        return Ok(picture.into_rgb8());
    }
    let rgba = picture.into_rgba8();
    Ok(RgbImage::from_fn(rgba.width(), rgba.height(), |x, y| {
        let [r, g, b, a] = rgba.get_pixel(x, y).0;
        let alpha = f32::from(a) / 255.0;
        Rgb([r, g, b].map(|c| (f32::from(c) * alpha + BACKGROUND * (1.0 - alpha)).round() as u8))
    }))
}

/// Writes a PNG.
///
/// # Errors
/// When the file cannot be written.
pub fn write_png(path: &Path, picture: &RgbImage) -> Result<()> {
    write::atomically(path, |file| {
        picture
            .write_to(file, ImageFormat::Png)
            .map_err(|e| match e {
                image::ImageError::IoError(e) => Error::io(path, e),
                other => Error::file(path, format!("cannot be written as PNG ({other})")),
            })
    })
}
