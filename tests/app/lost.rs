//! Trouble with the graphics device, in the window and off screen: nothing of the user's is lost, and somebody is told.

use egui_kittest::Harness;
use egui_kittest::wgpu::{WgpuTestRenderer, create_render_state, default_wgpu_setup};
use fusiform::command::{Change, Command};
use fusiform::gpu::Easel;
use fusiform::jobs::Kind;
use fusiform::layout::Layout;
use fusiform::workbench::Workbench;
use glam::DVec3;

use crate::cli::json;
use crate::window::{driver, failures, send, wait};

fn device() -> egui_wgpu::RenderState {
    create_render_state(
        default_wgpu_setup(),
        egui_wgpu::RendererOptions::PREDICTABLE,
    )
}

fn words(harness: &Harness<'static, Workbench>) -> Vec<String> {
    let messages = &harness.state().session().messages;
    messages
        .iter()
        .map(|m| format!("{}: {}", m.title, m.text))
        .collect()
}

/// The window goes on with pictures of the CPU, and then in another window with all that was loaded and shown.
#[test]
fn a_lost_device_costs_the_window_nothing() {
    if !driver() {
        return;
    }
    let log = fusiform::log::install();
    // The scenes' device is lost, that of the panels is not: so both can be looked at.
    let (scenes, panels) = (device(), device());
    let ctx = egui::Context::default();
    let easel = Easel::on(scenes.clone());
    let bench = Workbench::new(&ctx, easel, Layout::default(), log, Vec::new());
    let mut harness = Harness::builder()
        .with_size([1440.0, 900.0])
        .renderer(WgpuTestRenderer::from_render_state(panels))
        .build_ui_state(
            |ui, bench: &mut Workbench| {
                bench.logic(ui.ctx());
                bench.ui(ui);
            },
            bench,
        );
    wait(&mut harness, "the demo study", |h| {
        let bench = h.state();
        bench.session().run.is_some() && !bench.is_busy(Kind::Open) && !bench.is_busy(Kind::Subject)
    });
    assert_eq!(harness.state_mut().lost_device(), None);

    scenes.device.destroy();
    // What was under way comes to its end first.
    let _ = scenes.device.poll(wgpu::PollType::wait_indefinitely());
    let drawn = harness.state().n_draws();
    let place = DVec3::new(-30.0, -50.0, 10.0);
    send(
        &mut harness,
        Command::Change {
            change: Change::Crosshair(place),
            merge: false,
        },
    );
    harness.step();
    assert!(
        harness.state().n_draws() >= drawn + 3,
        "slices are drawn anew"
    );
    assert_eq!(failures(&harness), Vec::<String>::new());
    let said = words(&harness);
    let told = said.iter().filter(|m| m.contains("was lost")).count();
    assert!(
        told == 1 && said.iter().any(|m| m.contains("drawn by the CPU")),
        "{said:?}"
    );
    let how = harness.state_mut().lost_device().expect("it is lost");
    assert!(how.contains("was lost"), "{how}");
    // Slices and the cortex are there, by the reference renderer.
    let seen = harness.render().expect("the panels' own device is there");
    let bright = seen.pixels().filter(|p| p.0[..3].iter().all(|&c| c > 120));
    assert!(bright.count() > 20_000, "slices and cortex are drawn");

    let another = device();
    let layout = harness.state().layout().to_text();
    let study = harness.state().session().study.clone().expect("study");
    let ctx = harness.ctx.clone();
    harness.state_mut().move_to(&ctx, Easel::on(another));
    harness.run_steps(3);
    let bench = harness.state();
    assert_eq!(bench.layout().to_text(), layout);
    let still = bench.session().study.clone().expect("study");
    assert!(std::sync::Arc::ptr_eq(&still, &study) && bench.session().run.is_some());
    assert!(words(&harness).iter().any(|m| m.contains("opened anew")));
    assert_eq!(harness.state_mut().lost_device(), None);
    assert_eq!(failures(&harness), Vec::<String>::new());
}

fn run_with(env: &[(&str, &str)], args: &[&str]) -> std::process::Output {
    std::process::Command::new(env!("CARGO_BIN_EXE_fusiform"))
        .args(args)
        .envs(env.iter().copied())
        .output()
        .expect("run")
}

/// Off screen, each device is lost in its second drawing: another takes over, then the CPU.
#[test]
fn a_figure_survives_lost_devices() {
    if !driver() {
        return;
    }
    let folder = tempfile::tempdir().expect("folder");
    let [whole, survived] = ["whole.png", "survived.png"].map(|name| folder.path().join(name));
    let args = |out: &std::path::Path| {
        let out = out.to_str().expect("name").to_owned();
        ["--json", "render", "demo", "--dpi", "60", "-o"]
            .map(str::to_owned)
            .into_iter()
            .chain([out])
            .collect::<Vec<_>>()
    };
    let run = |env: &[(&str, &str)], out: &std::path::Path| {
        let args = args(out);
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        run_with(env, &args)
    };
    let plain = run(&[], &whole);
    assert!(plain.status.success(), "{plain:?}");
    assert_eq!(json(&plain)["renderer"], "gpu");
    let lost = run(&[("FUSIFORM_LOSE_GPU", "2")], &survived);
    let said = String::from_utf8_lossy(&lost.stderr);
    assert!(lost.status.success(), "{said}");
    assert_eq!(json(&lost)["renderer"], "cpu");
    assert!(
        said.contains("with a new one") && said.contains("on the CPU") && !said.contains("panic"),
        "{said}"
    );
    let [a, b] = [&whole, &survived].map(|path| image::open(path).expect("picture").to_rgb8());
    assert_eq!(a.dimensions(), b.dimensions());
    let off = a.pixels().zip(b.pixels());
    let off = off.filter(|(a, b)| a.0.iter().zip(b.0).any(|(x, y)| x.abs_diff(y) > 24));
    let share = off.count() as f64 / f64::from(a.width() * a.height());
    assert!(share < 0.02, "the same figure: {share}");
}

/// A volume that a device cannot hold whole is thinned, and the user hears of it.
#[test]
fn a_figure_says_what_it_thinned() {
    if !driver() {
        return;
    }
    let folder = tempfile::tempdir().expect("folder");
    let out = folder.path().join("thinned.png");
    let out = out.to_str().expect("name");
    let args = [
        "render", "demo", "--view", "slices", "--dpi", "60", "-o", out,
    ];
    let thinned = run_with(&[("FUSIFORM_GPU_LONGEST", "16")], &args);
    let said = String::from_utf8_lossy(&thinned.stderr);
    assert!(thinned.status.success(), "{said}");
    assert!(
        said.contains("is larger than") && said.contains("(16 a side)"),
        "{said}"
    );
    let whole = run_with(&[], &args);
    assert!(!String::from_utf8_lossy(&whole.stderr).contains("larger"));
}

/// Without any driver, a figure is drawn by the CPU and the window says in one sentence what to install.
#[test]
#[cfg(target_os = "linux")]
fn without_a_driver_the_remedy_is_named() {
    let folder = tempfile::tempdir().expect("folder");
    let out = folder.path().join("drawn.png");
    let out = out.to_str().expect("name");
    // A computer without Vulkan (OpenGL alone will not do), and one without anything.
    for none in [
        [("VK_ICD_FILENAMES", "/dev/null")],
        [("WGPU_BACKEND", "dx12")],
    ] {
        let drawn = run_with(
            &none,
            &["--json", "render", "demo", "--dpi", "40", "-o", out],
        );
        let said = String::from_utf8_lossy(&drawn.stderr);
        assert!(
            drawn.status.success() && said.contains("mesa-vulkan-drivers"),
            "{said}"
        );
        assert_eq!(json(&drawn)["renderer"], "cpu");
    }
}
