//! Golden pictures of each figure on the demo study, drawn by the reference renderer, in `tests/snapshots/app`;
//! `UPDATE_SNAPSHOTS=true` rewrites them.

use std::path::Path;

use fusiform::figure::Format;
use fusiform::figure_file::{FigureFile, Kind, LookPlan, Page, VERSION};
use fusiform::presets::Angle;
use fusiform::sources::Sources;
use fusiform_pipelines::run::quietly;
use fusiform_pipelines::surface::Shape;
use fusiform_render::renderer::Backend;

/// Of the pixels of a picture, at most this share may be off by more than [`OFF_BY`].
const SHARE: f64 = 0.004;
const OFF_BY: u8 = 20;

fn surface(shape: Shape, views: &[Angle]) -> Kind {
    Kind::Surface {
        shape,
        views: views.to_vec(),
        camera: None,
    }
}

#[test]
fn every_figure_looks_as_it_did() {
    let mut figure = FigureFile {
        version: VERSION,
        sources: Sources {
            study: Some("demo".into()),
            ..Sources::default()
        },
        look: LookPlan {
            label: Some("SNR".into()),
            ..LookPlan::default()
        },
        figure: Kind::Flat,
        page: Page {
            dpi: 60.0,
            width_mm: 150.0,
            ..Page::default()
        },
    };
    let (brain, map) = quietly(|run| figure.load(run)).expect("the demo");
    let at_mm = Some([-8.0, -72.0, 2.0]);
    let rows = "z:-20:20:20".to_owned();
    let sides = [Angle::Lateral, Angle::Medial];
    let below = [Angle::Ventral, Angle::Posterior];
    let plain = figure.page;
    let dark = Page {
        dark: true,
        names: true,
        ..plain
    };
    let figures = [
        ("surface", surface(Shape::Inflated, &sides), plain),
        ("ventral", surface(Shape::Pial, &below), dark),
        (
            "flat",
            Kind::Flat,
            Page {
                names: true,
                ..plain
            },
        ),
        ("slices", Kind::Slices { at_mm }, plain),
        ("mosaic", Kind::Mosaic { rows }, plain),
        ("glass", Kind::Glass, plain),
        ("cast", Kind::Cast { at_mm }, plain),
    ];
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/snapshots/app");
    let mut far = Vec::new();
    for (name, kind, page) in figures {
        (figure.figure, figure.page) = (kind, page);
        let sheet = figure.draw(&brain, map.as_ref(), &mut Backend::Cpu);
        let sheet = sheet.unwrap_or_else(|error| panic!("{name}: {error:#}"));
        let golden = folder.join(format!("figure-{name}.png"));
        if std::env::var("UPDATE_SNAPSHOTS").is_ok_and(|value| value == "true") {
            sheet.write(&golden).expect("written");
        }
        let drawn = sheet.bytes(Format::Png).expect("png");
        let drawn = image::load_from_memory(&drawn).expect("png").to_rgb8();
        let kept = image::open(&golden).expect(name).to_rgb8();
        assert_eq!(drawn.dimensions(), kept.dimensions(), "{name}");
        let off = drawn.pixels().zip(kept.pixels()).filter(|(a, b)| {
            let colours = a.0.iter().zip(b.0);
            colours.into_iter().any(|(a, b)| a.abs_diff(b) > OFF_BY)
        });
        let (width, height) = drawn.dimensions();
        let share = off.count() as f64 / f64::from(width * height);
        if share > SHARE {
            far.push(format!("{name}: {:.2} % of the pixels", share * 100.0));
        }
    }
    assert!(far.is_empty(), "off by more than {OFF_BY}: {far:?}");
}
