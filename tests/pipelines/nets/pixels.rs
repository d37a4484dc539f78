//! Pictures before a network, equal to Pillow's to the bit.

use burn::tensor::Device;
use fusiform_pipelines::nets::pixels::{Filter, Pixels};
use image::RgbImage;

use super::Io;

fn picture(io: &mut Io, name: &str) -> RgbImage {
    let data = io.data(name);
    let (height, width) = (data.shape()[0] as u32, data.shape()[1] as u32);
    RgbImage::from_raw(width, height, data.iter::<u8>().collect()).expect("a picture")
}

#[test]
fn as_pillow_and_torchvision() {
    let mut io = Io::open("pixels");
    for at in 0..4 {
        let source = picture(&mut io, &format!("picture{at}"));
        for (filter, name) in [(Filter::Bicubic, "bicubic"), (Filter::Bilinear, "bilinear")] {
            let steps = Pixels {
                filter,
                ..Pixels::clip(24)
            };
            let ours = steps.square(&source).unwrap();
            let theirs = picture(&mut io, &format!("{name}{at}"));
            assert_eq!(ours.as_raw(), theirs.as_raw(), "{name} of picture {at}");
        }
    }
    let source = picture(&mut io, "picture0");
    let ours = Pixels::clip(24).tensor(&[source], &Device::flex()).unwrap();
    io.demand("normalised0", ours.reshape([3, 24, 24]), 1e-6);
}

#[test]
fn a_picture_without_pixels() {
    assert!(Pixels::clip(24).square(&RgbImage::new(0, 3)).is_err());
}
