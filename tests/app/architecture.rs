//! The rules of the house that a machine can hold (docs/ARCHITECTURE.md).

use std::path::{Path, PathBuf};
use std::process::Command;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// The names of a workspace member's direct dependencies (development ones left out).
fn dependencies(of: &str) -> Vec<String> {
    let output = Command::new(env!("CARGO"))
        .args([
            "metadata",
            "--format-version",
            "1",
            "--no-deps",
            "--offline",
        ])
        .current_dir(root())
        .output()
        .expect("cargo metadata");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let metadata: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let packages = metadata["packages"].as_array().expect("packages");
    let package = packages
        .iter()
        .find(|p| p["name"] == of)
        .unwrap_or_else(|| panic!("no package {of}"));
    package["dependencies"]
        .as_array()
        .expect("dependencies")
        .iter()
        .filter(|d| d["kind"].is_null())
        .map(|d| d["name"].as_str().expect("name").to_owned())
        .collect()
}

fn forbid(of: &str, forbidden: &[&str]) {
    let found = dependencies(of);
    assert!(
        found.len() > 3,
        "{of}: implausibly few dependencies: {found:?}"
    );
    for name in &found {
        let wrong = forbidden
            .iter()
            .any(|f| name == f || name.starts_with(&format!("{f}-")));
        assert!(!wrong, "{of} → {name} points the wrong way");
    }
}

#[test]
fn render_knows_neither_egui_nor_burn_nor_pipelines() {
    forbid(
        "fusiform-render",
        &["egui", "eframe", "burn", "fusiform", "fusiform-pipelines"],
    );
}

#[test]
fn pipelines_knows_neither_window_nor_graphics() {
    forbid(
        "fusiform-pipelines",
        &[
            "egui",
            "eframe",
            "wgpu",
            "rfd",
            "fusiform",
            "fusiform-render",
        ],
    );
}

#[test]
fn app_knows_both() {
    let found = dependencies("fusiform");
    for name in ["fusiform-render", "fusiform-pipelines"] {
        assert!(found.iter().any(|f| f == name), "app → {name} is missing");
    }
}

#[test]
fn the_lock_holds_one_wgpu_and_one_egui() {
    let lock = std::fs::read_to_string(root().join("Cargo.lock")).expect("Cargo.lock");
    for name in ["wgpu", "egui", "burn"] {
        let n = lock.matches(&format!("name = \"{name}\"\n")).count();
        assert_eq!(n, 1, "{n} versions of {name} in Cargo.lock");
    }
}

/// Every Rust file of the workspace, with its text.
fn sources() -> Vec<(PathBuf, String)> {
    let mut folders: Vec<PathBuf> = ["app/src", "render/src", "pipelines/src", "tests"]
        .iter()
        .map(|f| root().join(f))
        .collect();
    let mut files = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).expect("folder") {
            let path = entry.expect("entry").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|e| e == "rs") {
                let text = std::fs::read_to_string(&path).expect("text");
                files.push((path, text));
            }
        }
    }
    assert!(files.len() > 30, "only {} sources found", files.len());
    files.sort();
    files
}

fn inside(path: &Path, folder: &str) -> Option<String> {
    let relative = path.strip_prefix(root().join(folder)).ok()?;
    Some(relative.to_string_lossy().into_owned())
}

#[test]
fn every_file_says_why_it_exists() {
    for (path, text) in sources() {
        assert!(
            text.starts_with("//! "),
            "{} does not begin with a //! line",
            path.display()
        );
    }
}

#[test]
fn threads_are_made_in_jobs_only() {
    for (path, text) in sources() {
        let Some(name) = ["app/src", "render/src", "pipelines/src"]
            .iter()
            .find_map(|f| inside(&path, f))
        else {
            continue;
        };
        if name != "jobs.rs" {
            assert!(
                !text.contains("thread::Builder") && !text.contains("thread::spawn"),
                "{name} makes a thread"
            );
        }
    }
}

#[test]
fn only_the_device_file_of_the_app_names_wgpu() {
    for (path, text) in sources() {
        let Some(name) = inside(&path, "app/src") else {
            continue;
        };
        if name != "gpu.rs" {
            let text = text
                .replace("egui_wgpu::", "")
                .replace("fusiform_wgpu::", "");
            assert!(!text.contains("wgpu::"), "app/src/{name} names wgpu");
        }
    }
}

#[test]
fn the_two_siblings_meet_in_few_files() {
    for (path, text) in sources() {
        let Some(name) = inside(&path, "render/src") else {
            continue;
        };
        assert!(
            !text.contains("fusiform_pipelines"),
            "render/src/{name} knows pipelines"
        );
    }
}

#[test]
fn one_file_speaks_to_the_network() {
    for (path, text) in sources() {
        let ours = ["app/src", "render/src", "pipelines/src"];
        let Some(name) = ours.iter().find_map(|folder| inside(&path, folder)) else {
            continue;
        };
        let asks = text.contains("ureq::") || text.contains("TcpStream");
        assert!(
            !asks || name == "models/http.rs",
            "{name} speaks to the network"
        );
    }
}
