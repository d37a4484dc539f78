//! Both towers in both namings, in all views that decoders use.

use burn::tensor::{DType, Device};
use fusiform_pipelines::device::{self, DeviceChoice};
use fusiform_pipelines::nets::clip::{
    ImageConfig, ImageSpace, ImageTower, TextConfig, TextSpace, TextTower, load_image_tower,
    load_text_tower,
};
use fusiform_pipelines::nets::weights::parameters;

use super::{Io, fixture};

const LIMIT: f64 = 1e-4;

fn transformers_naming(name: &str) {
    let device = Device::flex();
    let mut io = Io::open(name);
    let tower = load_image_tower(&fixture(name), DType::F32, &device).expect("a tower");
    let views = tower.forward(io.tensor("pixels", &device));
    for (space, key) in [
        (ImageSpace::Tokens, "tokens"),
        (ImageSpace::NormedTokens, "normed"),
        (ImageSpace::ProjectedTokens, "projected"),
        (ImageSpace::VersatileDiffusion, "versatile"),
    ] {
        io.demand(key, tower.view(&views, space), LIMIT);
    }
    io.demand("image_embeds", views.embedding, LIMIT);

    let tower = load_text_tower(&fixture(name), DType::F32, &device).expect("a tower");
    let views = tower.forward(&io.ids("ids")).expect("a tower");
    for (space, key) in [
        (TextSpace::NormedTokens, "text_normed"),
        (TextSpace::Penultimate, "text_penultimate"),
        (TextSpace::PenultimateNormed, "text_penultimate_normed"),
        (TextSpace::VersatileDiffusion, "text_versatile"),
    ] {
        io.demand(key, tower.view(&views, space), LIMIT);
    }
    io.demand("text_embeds", views.embedding, LIMIT);
}

#[test]
fn as_transformers() {
    transformers_naming("clip");
}

#[test]
fn as_transformers_in_half_precision_and_several_files() {
    transformers_naming("clip_shards");
}

#[test]
fn as_open_clip_from_a_pytorch_file_in_bf16() {
    let device = Device::flex();
    let mut io = Io::open("open_clip");
    let folder = fixture("open_clip");
    let tower = load_image_tower(&folder, DType::F32, &device).unwrap();
    let views = tower.forward(io.tensor("pixels", &device));
    io.demand(
        "patches",
        tower.view(&views, ImageSpace::NormedPatches),
        LIMIT,
    );
    io.demand("image_embeds", views.embedding, LIMIT);
    let tower = load_text_tower(&folder, DType::F32, &device).unwrap();
    let views = tower.forward(&io.ids("ids")).unwrap();
    io.demand("text_embeds", views.embedding, LIMIT);
}

#[test]
fn unit_embeddings_have_length_one() {
    let device = Device::flex();
    let mut io = Io::open("clip");
    let tower = load_image_tower(&fixture("clip"), DType::F32, &device).unwrap();
    let views = tower.forward(io.tensor("pixels", &device));
    let unit = tower.view(&views, ImageSpace::UnitEmbedding);
    for length in unit.square().sum_dim(2).into_data().iter::<f64>() {
        assert!((length - 1.0).abs() < 1e-5);
    }
}

/// Attention in stretches of queries is the same attention.
#[test]
fn short_of_memory_the_result_is_the_same() {
    let device = Device::flex();
    let mut io = Io::open("clip");
    let folder = tempfile::tempdir().unwrap();
    let mut json: serde_json::Value =
        serde_json::from_slice(&std::fs::read(fixture("clip").join("config.json")).unwrap())
            .unwrap();
    json["vision_config"]["attention_chunk"] = 3.into();
    std::fs::write(folder.path().join("config.json"), json.to_string()).unwrap();
    std::fs::copy(
        fixture("clip").join("model.safetensors"),
        folder.path().join("model.safetensors"),
    )
    .unwrap();
    let tower = load_image_tower(folder.path(), DType::F32, &device).unwrap();
    let views = tower.forward(io.tensor("pixels", &device));
    io.demand("tokens", views.tokens, LIMIT);
}

#[test]
fn texts_beyond_the_tower_are_refused() {
    let tower = load_text_tower(&fixture("clip"), DType::F32, &Device::flex()).unwrap();
    for texts in [
        vec![vec![0; 13]],
        vec![vec![]],
        vec![],
        vec![vec![1, 2], vec![1]],
        vec![vec![60]],
    ] {
        assert!(tower.forward(&texts).is_err());
    }
}

fn config(
    width: usize,
    layers: usize,
    heads: usize,
    patch: usize,
    projection: usize,
) -> ImageConfig {
    ImageConfig {
        hidden_size: width,
        intermediate_size: width * 4,
        num_hidden_layers: layers,
        num_attention_heads: heads,
        patch_size: patch,
        projection_dim: projection,
        ..ImageConfig::default()
    }
}

fn text(width: usize, layers: usize, heads: usize, projection: usize) -> TextConfig {
    TextConfig {
        hidden_size: width,
        intermediate_size: width * 4,
        num_hidden_layers: layers,
        num_attention_heads: heads,
        projection_dim: projection,
        ..TextConfig::default()
    }
}

/// The sizes that open_clip counts for its own models, less the one number of the temperature.
#[test]
fn sizes_are_those_of_the_published_models() {
    let device = Device::flex();
    let big = ImageConfig {
        intermediate_size: 8192,
        ..config(1664, 48, 16, 14, 1280)
    };
    for (image, text, published) in [
        (
            config(768, 12, 12, 32, 512),
            text(512, 12, 8, 512),
            151_277_313,
        ),
        (
            config(768, 12, 12, 16, 512),
            text(512, 12, 8, 512),
            149_620_737,
        ),
        (
            config(1024, 24, 16, 14, 768),
            text(768, 12, 12, 768),
            427_616_513,
        ),
        (
            config(1280, 32, 16, 14, 1024),
            text(1024, 24, 16, 1024),
            986_109_441,
        ),
        (big, text(1280, 32, 20, 1280), 2_539_567_105),
    ] {
        let ours = parameters(&ImageTower::new(&image, true, &device))
            + parameters(&TextTower::new(&text, true, &device));
        println!("{ours} of {published}");
        assert_eq!(ours + 1, published);
    }
}

/// The tiny tower on a graphics adapter, a software driver too. Kernels are compiled for each shape, for up to minutes
/// on a software driver: `cargo test -- --ignored the_image_tower_on_wgpu`.
#[test]
#[ignore = "compiles kernels for minutes on a software driver"]
fn the_image_tower_on_wgpu() {
    let compute = device::choose(DeviceChoice::Wgpu).unwrap();
    let mut io = Io::open("clip");
    let tower = load_image_tower(&fixture("clip"), DType::F32, &compute.device).unwrap();
    let views = tower.forward(io.tensor("pixels", &compute.device));
    io.demand("tokens", views.tokens, 1e-3);
    io.demand("image_embeds", views.embedding, 1e-3);
}
