//! `fusiform models` as a user meets it: the real program against a server on this machine.

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use fusiform_pipelines::models::digest::sha256;

use crate::cli::{error, json};
use server::{Server, weights};

#[allow(
    dead_code,
    reason = "the server of the pipelines' tests, of which less is needed here"
)]
#[path = "../pipelines/models/server.rs"]
mod server;

/// The smallest entry of the registry: two files.
const NAME: &str = "sd-vae-ft-mse";
const WEIGHTS: &str = "diffusion_pytorch_model.safetensors";

/// A server that has [`NAME`], and an empty cache.
struct Scene {
    server: Server,
    home: tempfile::TempDir,
    content: Vec<u8>,
}

impl Scene {
    fn new() -> Self {
        let content = weights(800_000);
        let config = br#"{"_class_name": "AutoencoderKL"}"#;
        let server = Server::start(&[("config.json", config.to_vec()), (WEIGHTS, content.clone())]);
        "stabilityai/sd-vae-ft-mse".clone_into(&mut server.state.lock().expect("state").repo);
        Self {
            server,
            home: tempfile::tempdir().expect("folder"),
            content,
        }
    }

    /// `program` with the environment of this scene and nothing of the machine's own.
    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        for name in [
            "HF_TOKEN",
            "HF_HUB_CACHE",
            "HF_HUB_OFFLINE",
            "TORCH_HOME",
            "HTTP_PROXY",
            "http_proxy",
            "ALL_PROXY",
        ] {
            command.env_remove(name);
        }
        command
            .env("HF_ENDPOINT", &self.server.url)
            .env("HF_HOME", self.home.path())
            .stdin(Stdio::null());
        command
    }

    fn run(&self, args: &[&str]) -> Output {
        let mut command = self.command(env!("CARGO_BIN_EXE_fusiform"));
        command
            .arg("models")
            .args(args)
            .output()
            .expect("the program starts")
    }

    fn blobs(&self) -> PathBuf {
        self.home
            .path()
            .join("hub/models--stabilityai--sd-vae-ft-mse/blobs")
    }

    fn partial(&self) -> PathBuf {
        self.blobs()
            .join(format!("{}.incomplete", sha256(&self.content)))
    }
}

#[test]
fn a_model_is_listed_pulled_checked_and_listed_again() {
    let scene = Scene::new();
    let state = |listed: &serde_json::Value| {
        let models = listed["models"].as_array().expect("models");
        let one = models
            .iter()
            .find(|m| m["name"] == NAME)
            .expect("the model");
        one["state"].as_str().expect("a state").to_owned()
    };
    assert_eq!(state(&json(&scene.run(&["list", "--json"]))), "not here");
    let line = error(&scene.run(&["check", NAME]));
    assert!(
        line.contains(&format!("fusiform models pull {NAME}")),
        "{line}"
    );

    let pulled = json(&scene.run(&["pull", NAME, "--json"]));
    let folder = PathBuf::from(pulled["folder"].as_str().expect("a folder"));
    assert!(std::fs::read(folder.join(WEIGHTS)).expect("weights") == scene.content);
    assert_eq!(state(&json(&scene.run(&["list", "--json"]))), "here");

    let checked = json(&scene.run(&["check", NAME, "--json"]));
    assert_eq!(checked["sound"], true);
    assert_eq!(checked["parts"][0]["architecture"], "AutoencoderKL");
    assert_eq!(checked["parts"][0]["values_by_dtype"]["F32"], 800_000);
    assert_eq!(checked["parts"][0]["tensors"][0]["name"], "w");
    let text = scene.run(&["check", &folder.to_string_lossy()]);
    let text = String::from_utf8_lossy(&text.stdout).into_owned();
    assert!(
        text.contains("AutoencoderKL, safetensors, 3.20 MB") || text.contains("3.2 MB"),
        "{text}"
    );
    assert!(text.contains("1 tensors: 800000 numbers in F32"), "{text}");

    let text = scene.run(&["list"]);
    let text = String::from_utf8_lossy(&text.stdout).into_owned();
    for needed in ["clip-vit-l-14", "1.71 GB", "licence: MIT", "kept in"] {
        assert!(text.contains(needed), "{needed}: {text}");
    }
}

#[test]
fn an_interrupted_program_goes_on_where_it_was() {
    for signal in ["-INT", "-KILL"] {
        let scene = Scene::new();
        scene.server.misbehave(|asked, mut answer| {
            if asked.is_content() {
                answer.stall_after = Some(1_000_000);
            }
            answer
        });
        let mut command = scene.command(env!("CARGO_BIN_EXE_fusiform"));
        command.args(["models", "pull", NAME]).stderr(Stdio::null());
        let mut child = command.spawn().expect("the program starts");
        let came = || scene.partial().metadata().map_or(0, |meta| meta.len());
        let start = Instant::now();
        while came() < 1_000_000 && start.elapsed() < Duration::from_secs(60) {
            std::thread::sleep(Duration::from_millis(20));
        }
        let kill = Command::new("kill")
            .args([signal, &child.id().to_string()])
            .status();
        assert!(kill.expect("kill").success());
        assert!(!child.wait().expect("an end").success());
        assert_eq!(came(), 1_000_000);
        // Half a file is no model.
        let listed = json(&scene.run(&["list", "--json"]));
        let models = listed["models"].as_array().expect("models");
        let one = models
            .iter()
            .find(|m| m["name"] == NAME)
            .expect("the model");
        assert_eq!(one["here"]["incomplete_bytes"], 1_000_000);
        error(&scene.run(&["check", NAME]));

        scene.server.behave();
        scene.server.asked();
        json(&scene.run(&["pull", NAME, "--json"]));
        let contents = scene.server.contents();
        assert_eq!(contents[0].headers["range"], "bytes=1000000-", "{signal}");
        assert!(scene.blobs().join(sha256(&scene.content)).is_file());
        assert!(!scene.partial().exists());
    }
}

#[test]
fn a_full_disk_is_one_sentence() {
    let on_a_small_disk = |scene: &Scene| {
        let script = r#"mount -t tmpfs -o size=1m tmpfs "$HF_HOME" || exit 77
            "$0" models pull sd-vae-ft-mse; code=$?; find "$HF_HOME"; exit $code"#;
        let mut command = scene.command("unshare");
        command.args(["-m", "sh", "-c", script, env!("CARGO_BIN_EXE_fusiform")]);
        command
            .output()
            .ok()
            .filter(|output| output.status.code() == Some(1))
    };
    // Told before the first byte, where the server says how much it will be.
    let scene = Scene::new();
    let Some(output) = on_a_small_disk(&scene) else {
        println!("skipped: no small disk can be mounted here");
        return;
    };
    let line = error(&output);
    assert!(
        line.contains("3.2 MB are to come and the disk has"),
        "{line}"
    );
    assert!(scene.server.contents().is_empty());
    // Found out on the way, where it does not.
    let scene = Scene::new();
    scene.server.misbehave(|asked, mut answer| {
        answer.headers.retain(|(name, _)| name != "X-Linked-Size");
        if asked.path.starts_with("/store/") {
            answer.announced = None;
        }
        answer
    });
    let output = on_a_small_disk(&scene).expect("a small disk");
    let line = error(&output);
    assert!(
        line.contains("the disk is full after") && line.contains("HF_HOME"),
        "{line}"
    );
    let left = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(
        left.contains(".incomplete") && !left.contains("refs"),
        "{left}"
    );
}

#[test]
fn what_was_saved_in_place_of_weights_is_told() {
    let scene = Scene::new();
    let path = scene.home.path().join("model.safetensors");
    let text = path.to_string_lossy().into_owned();
    for (bytes, said) in [
        (
            b"<!doctype html><title>Sign in</title>".to_vec(),
            "is a web page",
        ),
        (weights(100)[..200].to_vec(), "ends after 200 of"),
        (
            b"version https://git-lfs.github.com/spec/v1\n".to_vec(),
            "git-lfs",
        ),
    ] {
        std::fs::write(&path, bytes).expect("file");
        let line = error(&scene.run(&["check", &text]));
        assert!(
            line.contains(said) && line.contains("model.safetensors"),
            "{line}"
        );
    }
    let line = error(&scene.run(&["check", "nowhere"]));
    assert!(line.contains("no such file or folder"), "{line}");
    let line = error(&scene.run(&["pull", "clip-vit-x"]));
    assert!(
        line.contains("choose among") && line.contains("clip-vit-l-14"),
        "{line}"
    );
    let line = error(&scene.run(&["pull", "alexnet", "--revision", "v1"]));
    assert!(line.contains("no revisions"), "{line}");
    for wrong in [&["pull"][..], &["check"], &["fetch"], &[]] {
        assert_eq!(scene.run(wrong).status.code(), Some(2), "{wrong:?}");
    }
}

#[test]
fn offline_fetches_nothing() {
    let scene = Scene::new();
    let mut command = scene.command(env!("CARGO_BIN_EXE_fusiform"));
    command
        .args(["models", "pull", NAME])
        .env("HF_HUB_OFFLINE", "1");
    let line = error(&command.output().expect("the program starts"));
    assert!(
        line.contains("HF_HUB_OFFLINE") && line.contains(WEIGHTS),
        "{line}"
    );
    assert!(scene.server.asked().is_empty());
    assert!(!Path::new(&scene.blobs()).exists());
}
