//! Published weights: what is listed, what comes over a real socket, and what is refused.

#![allow(
    clippy::unwrap_used,
    reason = "helpers of tests stop where a test would"
)]

pub(crate) mod checked;
mod pulled;
pub(crate) mod server;

use std::ffi::OsString;
use std::path::Path;
use std::time::Duration;

use fusiform_pipelines::models::digest::{git_blob, sha256};
use fusiform_pipelines::models::registry::parse;
use fusiform_pipelines::models::{Hub, Model, find, registry};

use server::REPO;

/// A hub on this machine whose files are kept under `folder`.
fn hub(endpoint: &str, folder: &Path) -> Hub {
    Hub {
        endpoint: endpoint.to_owned(),
        cache: folder.join("hub"),
        checkpoints: folder.join("checkpoints"),
        token: None,
        offline: false,
        certificates: None,
        patience: Duration::from_millis(1),
    }
}

/// A model of [`REPO`] with these files.
fn model(files: &[&str]) -> Model {
    Model {
        name: "net".to_owned(),
        title: "A net".to_owned(),
        repo: Some(REPO.to_owned()),
        dataset: false,
        revision: "main".to_owned(),
        files: files.iter().map(|file| (*file).to_owned()).collect(),
        urls: Vec::new(),
        sha256: std::collections::BTreeMap::new(),
        licence: "MIT".to_owned(),
        gated: false,
        gigabytes: None,
        used_by: Vec::new(),
        good_for: String::new(),
    }
}

#[test]
fn fingerprints_are_those_of_sha256sum_and_git() {
    assert_eq!(
        sha256(b"abc"),
        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    );
    // `printf 'hello\n' | git hash-object --stdin`
    assert_eq!(
        git_blob(b"hello\n"),
        "ce013625030ba8dba906f756967f9e9ca394464a"
    );
}

#[test]
fn the_registry_names_what_the_decoders_use() {
    let models = registry().unwrap();
    for name in [
        "clip-vit-l-14",
        "openclip-vit-bigg-14",
        "stable-diffusion-1.5",
        "versatile-diffusion",
        "mindeye2-unclip",
        "gpt2",
        "git-large-coco",
        "alexnet",
    ] {
        assert_eq!(find(&models, name).unwrap().name, name);
    }
    let by_repository = find(&models, "openai/clip-vit-base-patch32").unwrap();
    assert_eq!(by_repository.name, "clip-vit-b-32");
    for model in &models {
        assert!(
            !model.good_for.is_empty() && !model.used_by.is_empty(),
            "{}",
            model.name
        );
        assert!(
            model.gigabytes.is_none_or(|gb| (0.01..100.0).contains(&gb)),
            "{}",
            model.name
        );
    }
    let refused = find(&models, "clip-vit").unwrap_err().to_string();
    assert!(
        refused.contains("clip-vit-b-32") && !refused.contains("alexnet"),
        "{refused}"
    );
}

#[test]
fn a_registry_that_leaves_its_folder_is_refused() {
    let entry = |repo: &str, file: &str| {
        format!(
            "[[model]]\nname = \"a\"\ntitle = \"a\"\nrepo = \"{repo}\"\nfiles = [\"{file}\"]\n\
             licence = \"MIT\"\nused_by = []\ngood_for = \"b\"\n"
        )
    };
    let sound = entry("a/b", "c/d.json | e.json");
    assert_eq!(parse(&sound).unwrap().len(), 1);
    for text in [
        entry("a/b", "../c"),
        entry("a/b", "c.json | /etc/passwd"),
        entry("a/../b", "c"),
        entry("a/b/c", "d"),
        format!("{sound}{sound}"),
        sound.replace("good_for", "god_for"),
        sound.replace("repo = \"a/b\"\n", ""),
    ] {
        let refused = parse(&text).unwrap_err().to_string();
        assert!(refused.starts_with("models.toml: "), "{refused}");
    }
}

#[test]
fn the_environment_means_what_it_means_to_python() {
    let with = |pairs: &[(&str, &str)]| {
        let pairs: Vec<(String, OsString)> = pairs
            .iter()
            .map(|(name, value)| ((*name).to_owned(), value.into()))
            .collect();
        Hub::from_env(&move |name| {
            pairs
                .iter()
                .find(|(known, _)| known == name)
                .map(|(_, value)| value.clone())
        })
    };
    let plain = with(&[("HOME", "/home/me")]);
    assert_eq!(plain.endpoint, "https://huggingface.co");
    assert_eq!(plain.cache, Path::new("/home/me/.cache/huggingface/hub"));
    assert_eq!(
        plain.checkpoints,
        Path::new("/home/me/.cache/torch/hub/checkpoints")
    );
    assert!(!plain.offline && plain.token.is_none());
    let other = with(&[
        ("HOME", "/home/me"),
        ("HF_ENDPOINT", "http://mirror/"),
        ("HF_HOME", "~/big"),
        ("HF_HUB_OFFLINE", "Yes"),
        ("HF_TOKEN", " hf_secret\n"),
    ]);
    assert_eq!(other.endpoint, "http://mirror");
    assert_eq!(other.cache, Path::new("/home/me/big/hub"));
    assert!(other.offline);
    assert_eq!(other.token.as_deref(), Some("hf_secret"));
    assert!(!format!("{other:?}").contains("secret"), "a token in a log");
    let cache = with(&[("XDG_CACHE_HOME", "/c"), ("HF_HUB_CACHE", "/d/hub")]);
    assert_eq!(cache.cache, Path::new("/d/hub"));
    assert_eq!(cache.checkpoints, Path::new("/c/torch/hub/checkpoints"));
    assert!(!with(&[("HF_HUB_OFFLINE", "0")]).offline);
}
