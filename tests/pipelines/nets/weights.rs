//! Bad files give one clear sentence, before anything is read into a network.

use std::fs;
use std::path::Path;

use burn::tensor::{DType, Device};
use fusiform_pipelines::nets::clip::{load_image_tower, load_text_tower};
use fusiform_pipelines::nets::weights::Checkpoint;

use super::fixture;

/// A copy of the tiny CLIP model that a test may spoil.
fn copy(name: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a copy");
    for entry in fs::read_dir(fixture(name)).expect("a copy") {
        let path = entry.expect("a copy").path();
        fs::copy(&path, folder.path().join(path.file_name().expect("a copy"))).expect("a copy");
    }
    folder
}

fn problem(folder: &Path) -> String {
    let error = load_image_tower(folder, DType::F32, &Device::flex()).expect_err("a refusal");
    let text = error.to_string();
    println!("{text}");
    assert!(!text.contains('\n'), "one sentence: {text}");
    text
}

#[test]
fn a_truncated_file() {
    let folder = copy("clip");
    let path = folder.path().join("model.safetensors");
    let whole = fs::read(&path).unwrap();
    for keep in [whole.len() - 1, whole.len() / 2, 200, 12] {
        fs::write(&path, &whole[..keep]).unwrap();
        assert!(problem(folder.path()).contains("cut short"), "{keep} bytes");
    }
    fs::write(&path, &whole[..5]).unwrap();
    assert!(problem(folder.path()).contains("download it again"));
    fs::write(&path, b"").unwrap();
    assert!(problem(folder.path()).contains("empty"));
}

#[test]
fn a_truncated_pytorch_file() {
    let folder = copy("open_clip");
    let path = folder.path().join("open_clip_pytorch_model.bin");
    let whole = fs::read(&path).unwrap();
    for keep in [whole.len() - 30, whole.len() / 2, 100] {
        fs::write(&path, &whole[..keep]).unwrap();
        assert!(
            problem(folder.path()).contains("can't be read"),
            "{keep} bytes"
        );
    }
}

#[test]
fn a_web_page_and_a_pointer() {
    let folder = copy("clip");
    let path = folder.path().join("model.safetensors");
    fs::write(&path, "\n<!DOCTYPE html><html><body>Sign in</body></html>").unwrap();
    assert!(problem(folder.path()).contains("web page"));
    fs::write(
        &path,
        "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n",
    )
    .unwrap();
    assert!(problem(folder.path()).contains("Git LFS"));
    fs::write(&path, "nothing of the kind, just text").unwrap();
    assert!(problem(folder.path()).contains("neither"));
}

#[test]
fn another_network() {
    let folder = copy("clip");
    fs::copy(
        fixture("pixels").join("io.safetensors"),
        folder.path().join("model.safetensors"),
    )
    .unwrap();
    let text = problem(folder.path());
    assert!(
        text.contains("another network") && text.contains("class_embedding"),
        "{text}"
    );
}

#[test]
fn names_and_shapes_that_do_not_fit() {
    let folder = copy("clip");
    let path = folder.path().join("config.json");
    let mut config: serde_json::Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    config["vision_config"]["num_hidden_layers"] = 3.into();
    fs::write(&path, config.to_string()).unwrap();
    let text = problem(folder.path());
    assert!(text.contains("16 missing: layers.2.attn.k.bias"), "{text}");
    config["vision_config"]["num_hidden_layers"] = 1.into();
    fs::write(&path, config.to_string()).unwrap();
    let text = problem(folder.path());
    assert!(text.contains("16 extra: layers.1.attn.k.bias"), "{text}");
    config["vision_config"]["num_hidden_layers"] = 2.into();
    config["vision_config"]["intermediate_size"] = 50.into();
    fs::write(&path, config.to_string()).unwrap();
    let text = problem(folder.path());
    assert!(
        text.contains("layers.0.mlp.fc1.weight [48, 24] instead of [50, 24]"),
        "{text}"
    );
}

#[test]
fn configurations_that_are_none() {
    let folder = copy("clip");
    let path = folder.path().join("config.json");
    fs::write(&path, r#"{"model_type": "bert"}"#).unwrap();
    assert!(problem(folder.path()).contains("“bert”"));
    fs::write(&path, "{").unwrap();
    assert!(problem(folder.path()).contains("config.json"));
    fs::write(
        &path,
        r#"{"model_type": "clip", "vision_config": {"hidden_size": 10, "num_attention_heads": 3}}"#,
    )
    .unwrap();
    assert!(problem(folder.path()).contains("can't be built"));
    fs::write(&path, r#"{"model_type": "clip_vision_model"}"#).unwrap();
    let error = load_text_tower(folder.path(), DType::F32, &Device::flex()).unwrap_err();
    assert!(error.to_string().contains("no text tower"));
    fs::remove_file(&path).unwrap();
    assert!(problem(folder.path()).contains("there is no config.json"));
}

#[test]
fn files_that_are_absent() {
    let folder = copy("clip_shards");
    fs::remove_file(folder.path().join("model-00002-of-00003.safetensors")).unwrap();
    assert!(problem(folder.path()).contains("model-00002-of-00003.safetensors"));
    let empty = tempfile::tempdir().unwrap();
    assert!(
        Checkpoint::open(empty.path())
            .unwrap_err()
            .to_string()
            .contains("no weights")
    );
    for name in ["one.safetensors", "two.safetensors"] {
        fs::write(empty.path().join(name), "x").unwrap();
    }
    assert!(
        Checkpoint::open(empty.path())
            .unwrap_err()
            .to_string()
            .contains("name one of one.safetensors, two.safetensors")
    );
}
