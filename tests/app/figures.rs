//! Figures: the three forms of a sheet, what they hold, and that a scene draws the same again.

use std::path::{Path, PathBuf};

use fusiform::figure::{Align, Bar, Format, Ink, Sheet, short, swatches, ticks};
use fusiform_pipelines::io::{gifti, nifti};
use fusiform_pipelines::space::Grid;
use fusiform_pipelines::surface::{Hemisphere, Surface, VertexLabels, VertexMap};
use fusiform_pipelines::volume::{Region, Volume};
use fusiform_render::colormap::Colormap;
use fusiform_render::scene::Look;
use glam::{DAffine3, DVec3, Vec3};

use crate::cli::{error, fusiform, json};

/// A ball of 40 mm as the left hemisphere, with a cap for a region, and a volume around it.
struct Files {
    folder: tempfile::TempDir,
}

const N_RINGS: u32 = 16;
const N_AROUND: u32 = 32;

/// A ball of that radius, mm.
pub(crate) fn ball(radius_mm: f32) -> Surface {
    let place = |ring: u32, step: u32| {
        let polar = std::f32::consts::PI * (ring as f32 + 0.5) / N_RINGS as f32;
        let turn = std::f32::consts::TAU * step as f32 / N_AROUND as f32;
        radius_mm
            * Vec3::new(
                polar.sin() * turn.cos(),
                polar.sin() * turn.sin(),
                polar.cos(),
            )
    };
    let vertices = (0..N_RINGS).flat_map(|r| (0..N_AROUND).map(move |s| place(r, s)));
    let at = |ring: u32, step: u32| ring * N_AROUND + step % N_AROUND;
    let squares = (0..N_RINGS - 1).flat_map(|r| (0..N_AROUND).map(move |s| (r, s)));
    let triangles: Vec<[u32; 3]> = squares
        .flat_map(|(r, s)| {
            let [a, b, c, d] = [at(r, s), at(r + 1, s), at(r + 1, s + 1), at(r, s + 1)];
            [[a, b, c], [a, c, d]]
        })
        .collect();
    Surface {
        vertices: vertices.collect(),
        triangles: triangles.into(),
        hemisphere: Some(Hemisphere::Left),
        assumptions: Vec::new(),
    }
}

/// The lower third of a ball as a region.
pub(crate) fn cap() -> VertexLabels {
    let key = |v: u32| (v / N_AROUND > 9) as i32;
    VertexLabels {
        keys: (0..N_RINGS * N_AROUND).map(key).collect(),
        regions: vec![Region {
            key: 1,
            name: "cap".into(),
            colour: [10, 160, 90],
        }],
    }
}

fn text(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}

impl Files {
    fn new() -> Self {
        let files = Self {
            folder: tempfile::tempdir().expect("folder"),
        };
        gifti::write_surface(&files.path("lh.pial.surf.gii"), &ball(40.0)).expect("surface");
        let n = N_RINGS * N_AROUND;
        let labels = cap();
        gifti::write_labels(&files.path("lh.cap.label.gii"), &labels, None).expect("labels");
        let map = |name: &str, n: u32| VertexMap {
            name: name.into(),
            values: (0..n).map(|v| v as f32 / n as f32 * 6.0 - 3.0).collect(),
        };
        gifti::write_map(&files.path("lh.stat.func.gii"), &map("stat", n)).expect("map");
        gifti::write_map(&files.path("lh.short.func.gii"), &map("short", n - 7)).expect("map");
        let grid = Grid {
            shape: [20, 20, 20],
            world_from_voxel: DAffine3::from_scale_rotation_translation(
                DVec3::splat(5.0),
                glam::DQuat::IDENTITY,
                DVec3::splat(-47.5),
            ),
        };
        let value = |index: usize| {
            let world = grid.world(grid.ijk(index));
            (world.x / 10.0 * (-world.length_squared() / 1000.0).exp()) as f32
        };
        let volume = Volume {
            data: (0..grid.n_voxels()).map(value).collect(),
            grid: grid.clone(),
            assumptions: Vec::new(),
        };
        nifti::write_volume(&files.path("tmap.nii.gz"), &volume).expect("volume");
        files
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// `fusiform render` on the reference renderer, small, with file names made whole.
    fn render(&self, args: &[&str], out: &str) -> std::process::Output {
        let known = |arg: &&str| self.path(arg).exists();
        let args = args.iter().map(|arg| {
            if known(arg) {
                text(&self.path(arg))
            } else {
                (*arg).to_owned()
            }
        });
        let mut all: Vec<String> = vec!["render".into()];
        all.extend(args);
        all.extend(["--cpu", "--json", "-o"].map(String::from));
        all.push(text(&self.path(out)));
        let all: Vec<&str> = all.iter().map(String::as_str).collect();
        fusiform(&all)
    }
}

const SURFACE: [&str; 12] = [
    "--surfaces",
    "lh.pial.surf.gii",
    "--map",
    "tmap.nii.gz",
    "--parcellation",
    "lh.cap.label.gii",
    "--label",
    "t & co < 3",
    "--threshold",
    "0.5",
    "--dpi",
    "60",
];

#[test]
fn svg_keeps_text_and_lines() {
    let files = Files::new();
    json(&files.render(&SURFACE, "a.svg"));
    let svg = std::fs::read_to_string(files.path("a.svg")).expect("svg");
    let document = roxmltree::Document::parse(&svg).expect("XML");
    let named = |name: &str| {
        let name = name.to_owned();
        document
            .descendants()
            .filter(move |n| n.has_tag_name(("http://www.w3.org/2000/svg", name.as_str())))
            .collect::<Vec<_>>()
    };
    let texts: Vec<&str> = named("text")
        .iter()
        .filter_map(roxmltree::Node::text)
        .collect();
    for wanted in [
        "left lateral",
        "left medial",
        "t & co < 3 (|value| ≥ 0.5)",
        "−0.5",
        "0.5",
        "0",
    ] {
        assert!(texts.contains(&wanted), "{wanted}: {texts:?}");
    }
    for text in named("text") {
        let size: f32 = text
            .attribute("font-size")
            .expect("size")
            .parse()
            .expect("number");
        assert!(size >= 7.0, "{size} pt is too small for print");
    }
    assert_eq!(named("image").len(), 2);
    let outlines: Vec<_> = named("path")
        .into_iter()
        .filter(|p| p.attribute("stroke") == Some("#0aa05a"))
        .collect();
    assert_eq!(outlines.len(), 2, "the cap is seen from both sides");
    let strips = named("path")
        .into_iter()
        .filter(|p| p.attribute("fill-rule").is_some());
    assert!(strips.count() > 50, "the colour bar is made of strips");
}

fn attribute(node: &roxmltree::Node<'_, '_>, name: &str) -> f32 {
    let text = node.attribute(name).expect("attribute");
    text.parse().expect("number")
}

/// The boxes of the pictures of an SVG: left, top, right, bottom in points.
fn picture_boxes(document: &roxmltree::Document<'_>) -> Vec<[f32; 4]> {
    let pictures = document
        .descendants()
        .filter(|n| n.has_tag_name(("http://www.w3.org/2000/svg", "image")));
    let boxed = pictures.map(|n| {
        let [x, y, w, h] = ["x", "y", "width", "height"].map(|name| attribute(&n, name));
        [x, y, x + w, y + h]
    });
    boxed.collect()
}

#[test]
fn names_and_borders_lie_on_their_picture_as_vectors() {
    let files = Files::new();
    let mut args = SURFACE.to_vec();
    args.extend(["--names", "--shape", "pial"]);
    json(&files.render(&args, "n.svg"));
    let svg = std::fs::read_to_string(files.path("n.svg")).expect("svg");
    assert!(svg.contains("xlink:href=\"data:image/png;base64,"));
    let document = roxmltree::Document::parse(&svg).expect("XML");
    let svg_ns = |name: &'static str| ("http://www.w3.org/2000/svg", name);
    let pictures = picture_boxes(&document);
    let [left, right] = pictures.as_slice() else {
        panic!("two pictures, not {pictures:?}");
    };
    assert!(left[2] < right[0], "they lie side by side: {pictures:?}");
    let holds = |[x, y]: [f32; 2]| {
        let within = |b: &&[f32; 4]| b[0] <= x && x <= b[2] && b[1] <= y && y <= b[3];
        pictures.iter().position(|b| within(&b))
    };
    // The cap's heart is at the foot of the ball, seen from one side or the other or from both.
    let names: Vec<_> = document
        .descendants()
        .filter(|n| n.has_tag_name(svg_ns("text")) && n.text() == Some("cap"))
        .collect();
    assert!((1..=2).contains(&names.len()), "{}", names.len());
    for name in &names {
        assert_eq!(
            name.attribute("paint-order"),
            Some("stroke"),
            "it has a rim"
        );
        let at = ["x", "y"].map(|a| attribute(name, a));
        assert!(holds(at).is_some(), "{at:?} of {pictures:?}");
    }
    // Every point of a border is on a picture, and below its middle as the cap is.
    let borders = document
        .descendants()
        .filter(|n| n.has_tag_name(svg_ns("path")) && n.attribute("stroke") == Some("#0aa05a"));
    let mut n_points = 0;
    for border in borders {
        let d = border.attribute("d").expect("d").replace(['M', 'L'], " ");
        let numbers: Vec<f32> = d
            .split_whitespace()
            .filter_map(|w| w.parse().ok())
            .collect();
        for point in numbers.chunks_exact(2) {
            let at = [point[0], point[1]];
            let on = holds(at).unwrap_or_else(|| panic!("{at:?} of {pictures:?}"));
            let [_, top, _, bottom] = pictures[on];
            assert!(at[1] > (top + bottom) / 2.0, "{at:?} of {:?}", pictures[on]);
            n_points += 1;
        }
    }
    assert!(n_points > 3, "{n_points} points");

    // The PDF puts its pictures where the SVG does, and writes the rims beside the text that is copied.
    json(&files.render(&args, "n.pdf"));
    let content = drawing(&std::fs::read(files.path("n.pdf")).expect("pdf"));
    let lines: Vec<&str> = content.lines().collect();
    let placed: Vec<Vec<f32>> = lines
        .windows(2)
        .filter(|pair| pair[1].ends_with(" Do"))
        .map(|pair| {
            let numbers = pair[0].split_whitespace();
            numbers.filter_map(|word| word.parse().ok()).collect()
        })
        .collect();
    assert_eq!(placed.len(), 2, "{content}");
    for (at, [x0, y0, x1, y1]) in placed.iter().zip(&pictures) {
        let wanted = [x1 - x0, 0.0, 0.0, y0 - y1, *x0, *y1];
        for (have, want) in at.iter().zip(wanted) {
            assert!((have - want).abs() < 0.01, "{at:?} is not {wanted:?}");
        }
    }
    let count = |word: &str| lines.iter().filter(|line| line.ends_with(word)).count();
    assert_eq!(count(" BMC"), names.len());
    assert_eq!(count("1 Tr"), names.len());
}

/// The drawing of a PDF: the longest of its packed streams that is text.
fn drawing(pdf: &[u8]) -> String {
    let mut longest = String::new();
    let marks: Vec<usize> = (0..pdf.len() - 8)
        .filter(|&i| pdf[i..].starts_with(b"stream\n"))
        .collect();
    for start in marks {
        let mut unpacked = Vec::new();
        let mut reader = flate2::read::ZlibDecoder::new(&pdf[start + 7..]);
        // What is no packed stream ends with an error, and what follows a stream is passed over.
        let _ = std::io::Read::read_to_end(&mut reader, &mut unpacked);
        if let Ok(text) = String::from_utf8(unpacked)
            && text.contains(" re\n")
            && text.len() > longest.len()
        {
            longest = text;
        }
    }
    longest
}

#[test]
fn pdf_is_whole() {
    let files = Files::new();
    json(&files.render(&SURFACE, "a.pdf"));
    let pdf = std::fs::read(files.path("a.pdf")).expect("pdf");
    assert!(pdf.starts_with(b"%PDF-"));
    let lossy = String::from_utf8_lossy(&pdf);
    for part in [
        "/FontFile2",
        "/ToUnicode",
        "/Identity-H",
        "/MediaBox",
        "/FlateDecode",
    ] {
        assert!(lossy.contains(part), "{part}");
    }
    assert_eq!(lossy.matches("/Subtype /Image").count(), 2);
    // The table of objects is where the end of the file says, and each object where the table says.
    let tail = lossy.rsplit("startxref").next().expect("tail");
    let start: usize = tail
        .split_whitespace()
        .next()
        .expect("number")
        .parse()
        .expect("number");
    assert!(pdf[start..].starts_with(b"xref"));
    let table = String::from_utf8_lossy(&pdf[start..]).into_owned();
    let entries = table.lines().filter(|line| line.trim_end().ends_with(" n"));
    let mut n = 0;
    for entry in entries {
        let at: usize = entry[..10].parse().expect("offset");
        let object = String::from_utf8_lossy(&pdf[at..at + 16]).into_owned();
        assert!(object.contains(" 0 obj"), "{object}");
        n += 1;
    }
    assert!(n >= 12, "{n} objects");
}

#[test]
fn a_scene_draws_the_same_again() {
    let files = Files::new();
    let mut args = SURFACE.to_vec();
    let scene = text(&files.path("scene.json"));
    args.extend(["--save-scene", &scene]);
    json(&files.render(&args, "a.png"));
    json(&files.render(&SURFACE, "b.png"));
    json(&files.render(&["--scene", &scene], "c.png"));
    let bytes =
        ["a.png", "b.png", "c.png"].map(|name| std::fs::read(files.path(name)).expect(name));
    assert!(bytes[0] == bytes[1], "two runs differ");
    assert!(bytes[0] == bytes[2], "the saved scene differs");
    // 60 pixels an inch are 2362 a metre, in the chunk after the header.
    assert_eq!(&bytes[0][37..41], b"pHYs");
    assert_eq!(bytes[0][41..45], 2362u32.to_be_bytes());
    let saved = std::fs::read_to_string(&scene).expect("scene");
    assert!(
        saved.contains("\"tmap.nii.gz\""),
        "paths are relative: {saved}"
    );
    let moved = saved.replace("\"version\": 1", "\"version\": 2");
    std::fs::write(&scene, moved).expect("written");
    let line = error(&files.render(&["--scene", &scene], "d.png"));
    assert!(
        line.contains("scene.json") && line.contains("version 1"),
        "{line}"
    );
}

#[test]
fn every_view_is_drawn() {
    let files = Files::new();
    let volume = ["--map", "tmap.nii.gz", "--dpi", "40", "--view"];
    for (view, pictures) in [("slices", 3), ("mosaic", 12), ("glass", 3), ("cast", 3)] {
        let mut args = volume.to_vec();
        args.push(view);
        if view == "cast" {
            args.extend(["--anatomy", "tmap.nii.gz"]);
        }
        json(&files.render(&args, "v.svg"));
        let svg = std::fs::read_to_string(files.path("v.svg")).expect("svg");
        assert_eq!(svg.matches("<image").count(), pictures, "{view}");
    }
    let views = [
        "--surfaces",
        "lh.pial.surf.gii",
        "--map",
        "lh.stat.func.gii",
        "--dpi",
        "40",
    ];
    let mut args = views.to_vec();
    args.extend(["--views", "dorsal,ventral,posterior"]);
    json(&files.render(&args, "v.svg"));
    let svg = std::fs::read_to_string(files.path("v.svg")).expect("svg");
    assert_eq!(svg.matches("<image").count(), 3);
    assert_eq!(svg.matches(">L</text>").count(), 3, "sides are marked");
}

#[test]
fn what_does_not_fit_is_named() {
    let files = Files::new();
    let surfaces = ["--surfaces", "lh.pial.surf.gii", "--map"];
    let with = |map: &'static str| [&surfaces[..], &[map]].concat();
    let line = error(&files.render(&with("lh.short.func.gii"), "x.png"));
    for part in ["lh.short.func.gii", "505", "lh.pial.surf.gii", "512"] {
        assert!(line.contains(part), "{part}: {line}");
    }
    let line = error(&files.render(&["--map", "lh.stat.func.gii"], "x.png"));
    assert!(
        line.contains("512") && line.contains("--surfaces"),
        "{line}"
    );
    let line = error(&files.render(&with("tmap.nii.gz"), "x.tiff"));
    assert!(line.contains("x.tiff") && line.contains(".svg"), "{line}");
    let mosaic = [
        "--map",
        "tmap.nii.gz",
        "--view",
        "mosaic",
        "--slices",
        "z:10:-10:2",
    ];
    let line = error(&files.render(&mosaic, "x.png"));
    assert!(
        line.contains("z:10:-10:2") && line.contains("z:-40:60:10"),
        "{line}"
    );
    let flat = ["--surfaces", "lh.pial.surf.gii", "--view", "flat"];
    let line = error(&files.render(&flat, "x.png"));
    assert!(line.contains("flat"), "{line}");
    let mut colours = with("tmap.nii.gz");
    colours.extend(["--colormap", "jet"]);
    let line = error(&files.render(&colours, "x.png"));
    assert!(line.contains("jet") && line.contains("viridis"), "{line}");
    let mut large = with("tmap.nii.gz");
    large.extend(["--dpi", "2400", "--width-mm", "1000"]);
    let line = error(&files.render(&large, "x.png"));
    assert!(line.contains("--dpi"), "{line}");
    assert_eq!(
        fusiform(&["render", "demo", "--view", "upside-down", "-o", "x.png"])
            .status
            .code(),
        Some(2)
    );
    assert!(!files.path("x.png").exists());
}

fn look(two_sided: bool, range: (f32, f32), threshold: f32) -> Look {
    Look {
        colormap: Colormap::ColdHot,
        range,
        threshold,
        soft: false,
        two_sided,
        opacity: 1.0,
    }
}

#[test]
fn numbers_under_a_bar_never_touch() {
    let numbers = |look: &Look, width| -> Vec<String> {
        let ticks = ticks(look, width).expect("ticks");
        ticks.into_iter().map(|(_, number)| number).collect()
    };
    let both = look(true, (0.0, 8.0), 3.0);
    assert_eq!(numbers(&both, 190.0), ["−8", "−3", "0", "3", "8"]);
    assert_eq!(numbers(&both, 30.0), ["−8", "0", "8"]);
    // The label states a threshold that has no room.
    assert_eq!(
        numbers(&look(true, (0.0, 8.0), 0.4), 190.0),
        ["−8", "0", "8"]
    );
    assert_eq!(
        numbers(&look(false, (1.0, 3.0), 0.0), 190.0),
        ["1", "1.5", "2", "2.5", "3"]
    );
    let tenth = look(false, (0.0, 1.0), 0.1);
    assert_eq!(
        numbers(&tenth, 190.0),
        ["0", "0.1", "0.25", "0.5", "0.75", "1"]
    );
    assert_eq!(
        numbers(&look(true, (0.0, 0.4), 0.0), 190.0),
        ["−0.4", "−0.2", "0", "0.2", "0.4"]
    );
    assert_eq!(short(-0.04), "−0.04");
    assert_eq!(short(0.000_025), "2.5e−5");
}

#[test]
fn classes_have_a_box_each() {
    let of = |range, threshold| {
        let look = Look {
            colormap: Colormap::Classes,
            ..look(false, range, threshold)
        };
        swatches(&look, &[]).expect("classes")
    };
    let words = |boxes: &[([u8; 3], String)]| -> Vec<String> {
        boxes.iter().map(|(_, words)| words.clone()).collect()
    };
    let eight = of((0.5, 8.5), 0.5);
    assert_eq!(words(&eight), ["1", "2", "3", "4", "5", "6", "7", "8"]);
    let colours: std::collections::BTreeSet<_> = eight.iter().map(|(colour, _)| *colour).collect();
    assert_eq!(colours.len(), 8, "each its own");
    // The box of a number has the colour that the map gives it.
    for (number, (colour, _)) in (1..).zip(&eight) {
        let map = Look {
            colormap: Colormap::Classes,
            ..look(false, (0.5, 8.5), 0.5)
        };
        let [r, g, b, _] = map.colour(number as f32).expect("shown");
        assert_eq!([r, g, b], *colour, "{number}");
    }
    // More numbers than colours share them, and hidden ones have no box.
    assert_eq!(
        words(&of((-0.5, 15.5), 0.0)),
        ["0–1", "2–3", "4–5", "6–7", "8–9", "10–11", "12–13", "14–15"]
    );
    assert_eq!(words(&of((-0.5, 7.5), 5.5)), ["6", "7"]);
    let named = [(2, "Visual".to_owned()), (7, "Default".to_owned())];
    let all = Look {
        colormap: Colormap::Classes,
        ..look(false, (0.5, 8.5), 0.5)
    };
    let boxes = swatches(&all, &named).expect("classes");
    assert_eq!(words(&boxes), ["Visual", "Default"]);
    assert!(swatches(&look(false, (0.0, 8.0), 0.0), &[]).is_none());

    // On a sheet: a box and a number for each class that the file can have, and no ramp.
    let files = Files::new();
    let n = N_RINGS * N_AROUND;
    let classes = VertexMap {
        name: "networks".into(),
        values: (0..n).map(|v| (1 + v / N_AROUND / 3) as f32).collect(),
    };
    gifti::write_map(&files.path("lh.net.func.gii"), &classes).expect("map");
    let args = ["--surfaces", "lh.pial.surf.gii", "--map", "lh.net.func.gii"];
    let args = [&args[..], &["--colormap", "classes", "--dpi", "40"]].concat();
    json(&files.render(&args, "c.svg"));
    let svg = std::fs::read_to_string(files.path("c.svg")).expect("svg");
    for number in 1..=6 {
        assert!(svg.contains(&format!(">{number}</text>")), "{number}");
    }
    // The map has the classes 1 to 6, and none of 7 and 8 is shown.
    assert_eq!(svg.matches("fill-rule").count(), 6);
    assert!(!svg.contains("≥"), "classes have no threshold");
    let flowing = [
        &args[..2],
        &["--map", "tmap.nii.gz", "--colormap", "classes"],
    ]
    .concat();
    let line = error(&files.render(&flowing, "x.png"));
    assert!(
        line.contains("whole numbers") && line.contains("--colormap"),
        "{line}"
    );
}

/// The sheet of the golden picture: text in three alignments, a bar, a ring, and a hatch with a name on it.
fn sheet() -> Sheet {
    let mut sheet = Sheet {
        size_pt: [200.0, 90.0],
        dpi: 144.0,
        paper: [255; 3],
        items: Vec::new(),
    };
    let ink = [30, 30, 36];
    sheet.text("left", [10.0, 15.0], 8.0, Align::Left, ink);
    sheet.text("middle µ ≥ −2", [100.0, 15.0], 10.0, Align::Centre, ink);
    sheet.text("right", [190.0, 15.0], 8.0, Align::Right, ink);
    let ring = |radius: f32| -> Vec<[f32; 2]> {
        let at = |i: i32| (i as f32 / 24.0 * std::f32::consts::TAU).sin_cos();
        (0..24)
            .map(at)
            .map(|(s, c)| [30.0 + radius * c, 40.0 + radius * s])
            .collect()
    };
    sheet.stroke(vec![ring(14.0), ring(8.0)], true, [200, 40, 40], 1.2);
    let hatch = (0..6).map(|i| {
        vec![
            [150.0 + 6.0 * i as f32, 28.0],
            [156.0 + 6.0 * i as f32, 50.0],
        ]
    });
    sheet.stroke(hatch.collect(), false, [40, 90, 200], 0.3);
    let look = look(true, (0.0, 8.0), 3.0);
    let bar = Bar {
        look: &look,
        label: "t",
        classes: &[],
        ink,
    };
    sheet.colour_bar(&bar, 100.0, 55.0, 120.0).expect("bar");
    let name = Ink {
        letters: ink,
        halo: [255; 3],
    };
    sheet.name("V1", [165.0, 39.0], 7.0, name);
    sheet
}

#[test]
fn a_sheet_looks_as_it_did() {
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/snapshots/app/sheet.png");
    if std::env::var("UPDATE_SNAPSHOTS").is_ok_and(|value| value == "true") {
        sheet().write(&golden).expect("written");
    }
    let drawn = sheet().bytes(Format::Png).expect("png");
    let drawn = image::load_from_memory(&drawn).expect("png").to_rgb8();
    let golden = image::open(&golden).expect("the golden picture").to_rgb8();
    assert_eq!(drawn.dimensions(), golden.dimensions());
    let far = drawn
        .as_raw()
        .iter()
        .zip(golden.as_raw())
        .filter(|(a, b)| a.abs_diff(**b) > 3);
    let far = far.count();
    assert!(far < 20, "{far} numbers differ");
}
