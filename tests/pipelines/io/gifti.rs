//! GIFTI against nibabel.

use fusiform_pipelines::io::gifti;
use fusiform_pipelines::study::Load;
use fusiform_pipelines::surface::{Hemisphere, Surface, VertexLabels, VertexMap};
use glam::Vec3;

use super::{expected, fixture, numbers, read, refusal};

#[test]
fn what_a_file_says_of_itself() {
    let said = gifti::read_intents(&fixture("maps.func.gii")).unwrap();
    assert_eq!(said.iter().filter(|s| *s == "TTEST").count(), 1, "{said:?}");
    let side = |name: &str| gifti::read_hemisphere(&fixture(name)).unwrap();
    assert_eq!(side("base64.surf.gii"), Some(Hemisphere::Right));
    // Its name says left, and nothing inside does.
    assert_eq!(side("lh.packed.surf.gii"), None);
    let other = fixture("f4.npy");
    refusal(&other, gifti::read_intents(&other));
}

#[test]
fn every_encoding_reads_as_nibabel_reads_it() {
    let mut n_surfaces = 0;
    for (name, truth) in expected("gifti") {
        if !name.contains(".surf.gii") {
            continue;
        }
        n_surfaces += 1;
        let surface = gifti::read_surface(&fixture(&name)).unwrap_or_else(|e| panic!("{e}"));
        // FreeSurfer's own space is left (make.py put its centre at this place).
        let centre = if name.starts_with("freesurfer") {
            [-1.5, 20.0, 7.25]
        } else {
            [0.0; 3]
        };
        let points = numbers(&truth[0]);
        for (v, point) in surface.vertices.iter().enumerate() {
            let theirs = Vec3::from_slice(&[0, 1, 2].map(|c| points[3 * v + c] as f32));
            assert_eq!(*point, theirs + Vec3::from_array(centre), "{name}");
        }
        let corners: Vec<f64> = surface
            .triangles
            .iter()
            .flatten()
            .map(|&v| f64::from(v))
            .collect();
        assert_eq!(corners, numbers(&truth[1]), "{name}");
    }
    assert_eq!(n_surfaces, 8);
}

#[test]
fn the_hemisphere_comes_from_the_file_or_its_name() {
    let hemisphere = |name: &str| gifti::read_surface(&fixture(name)).unwrap().hemisphere;
    assert_eq!(hemisphere("base64.surf.gii"), Some(Hemisphere::Right));
    assert_eq!(hemisphere("lh.packed.surf.gii"), Some(Hemisphere::Left));
    assert_eq!(hemisphere("ascii.surf.gii"), None);
    for (name, side) in [
        ("sub-01_hemi-L_pial.surf.gii", Some(Hemisphere::Left)),
        ("S1200.R.sphere.32k_fs_LR.surf.gii", Some(Hemisphere::Right)),
        ("pial_left.gii.gz", Some(Hemisphere::Left)),
        ("rh.inflated.gii", Some(Hemisphere::Right)),
        ("leftover.gii", None),
    ] {
        assert_eq!(gifti::hemisphere_in_name(name), side, "{name}");
    }
}

#[test]
fn what_was_moved_is_said() {
    let surface = read(&fixture("freesurfer.surf.gii"), Surface::load);
    assert!(
        surface
            .assumptions
            .iter()
            .any(|a| a.contains("-1.5, 20.0, 7.2")),
        "{surface:?}"
    );
    assert!(
        read(&fixture("ascii.surf.gii"), Surface::load)
            .assumptions
            .is_empty()
    );
}

#[test]
fn an_oblique_freesurfer_surface_is_turned_about_its_centre() {
    // A volume turned by 90° about the vertical axis (x → y, y → −x): its voxels ran to the left,
    // down and to the front, (−1,0,0), (0,0,−1), (0,1,0), and now run to:
    let axes = [("X", [0, -1, 0]), ("Y", [0, 0, -1]), ("Z", [-1, 0, 0])];
    let mut more = String::new();
    for (axis, direction) in axes {
        for (way, value) in ["R", "A", "S"].iter().zip(direction) {
            more += &format!("<MD><Name>VolGeom{axis}_{way}</Name><Value>{value}</Value></MD>");
        }
    }
    let text = std::fs::read_to_string(fixture("freesurfer.surf.gii")).unwrap();
    let known = "<MD><Name>VolGeomC_R";
    assert!(text.contains(known));
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("oblique.surf.gii");
    std::fs::write(&path, text.replace(known, &format!("{more}{known}"))).unwrap();
    let turned = gifti::read_surface(&path).unwrap();
    let plain = gifti::read_surface(&fixture("ascii.surf.gii")).unwrap();
    for (turned, p) in turned.vertices.iter().zip(plain.vertices.iter()) {
        let truth = Vec3::new(-p.y - 1.5, p.x + 20.0, p.z + 7.25);
        assert!(turned.distance(truth) < 1e-5, "{turned} and {truth}");
    }
    assert!(
        turned.assumptions[0].contains("turned and moved"),
        "{:?}",
        turned.assumptions
    );
}

#[test]
fn maps_come_in_order_whatever_their_type() {
    let truth = expected("gifti");
    let maps = gifti::read_map(&fixture("maps.func.gii")).unwrap();
    assert_eq!(maps.len(), 3);
    assert_eq!(maps[0].name, "faces");
    for (map, truth) in maps.iter().zip(truth["maps.func.gii"].as_array().unwrap()) {
        let values: Vec<f32> = numbers(truth).iter().map(|&v| v as f32).collect();
        assert_eq!(*map.values, values);
    }
    // One array of vertices × times is a map for each time.
    let times = gifti::read_map(&fixture("times.func.gii")).unwrap();
    let all = numbers(&truth["times.func.gii"]);
    assert_eq!(times.len(), 3);
    for (t, map) in times.iter().enumerate() {
        let values: Vec<f32> = (0..4).map(|v| all[3 * v + t] as f32).collect();
        assert_eq!(*map.values, values);
    }
}

#[test]
fn labels_have_names_and_colours() {
    let labels = read(&fixture("areas.label.gii"), VertexLabels::load);
    assert_eq!(*labels.keys, [7, 0, -3, 9]);
    let region = |key| labels.regions.iter().find(|r| r.key == key).unwrap();
    assert_eq!(
        (region(7).name.as_str(), region(7).colour),
        ("V1 <left>", [255, 128, 51])
    );
    assert_eq!(
        region(-3).colour,
        [0, 0, 255],
        "an alpha of 0 is no reason to be black"
    );
    assert_eq!(
        region(9).name,
        "region 9",
        "a key that the table leaves out"
    );
}

#[test]
fn what_is_written_is_read_back() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.gii");
    let mut surface = gifti::read_surface(&fixture("ascii.surf.gii")).unwrap();
    surface.hemisphere = Some(Hemisphere::Right);
    gifti::write_surface(&path, &surface).unwrap();
    let back = gifti::read_surface(&path).unwrap();
    assert_eq!(
        (&back.vertices, &back.triangles),
        (&surface.vertices, &surface.triangles)
    );
    assert_eq!(
        (back.hemisphere, back.assumptions.len()),
        (Some(Hemisphere::Right), 0)
    );

    let map = VertexMap {
        name: "t & <z> ]]> é".into(),
        values: [1.5, f32::NAN, -3.0].into(),
    };
    gifti::write_map(&path, &map).unwrap();
    let back = read(&path, VertexMap::load);
    assert_eq!(back.name, map.name);
    assert_eq!(
        (back.values[0], back.values[1].is_nan(), back.values[2]),
        (1.5, true, -3.0)
    );

    let labels = gifti::read_labels(&fixture("areas.label.gii")).unwrap();
    gifti::write_labels(&path, &labels, None).unwrap();
    let back = gifti::read_labels(&path).unwrap();
    assert_eq!((back.keys, back.regions), (labels.keys, labels.regions));
}

#[test]
fn the_wrong_kind_of_file_is_named() {
    let path = fixture("areas.label.gii");
    let text = refusal(&path, gifti::read_surface(&path));
    assert!(text.contains("holds LABEL"), "{text}");
    let path = fixture("ascii.surf.gii");
    let text = refusal(&path, gifti::read_map(&path));
    assert!(text.contains("POINTSET, TRIANGLE"), "{text}");
    refusal(&path, gifti::read_labels(&path));
}
