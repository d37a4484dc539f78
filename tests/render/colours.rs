//! Colour maps, looks and colour bars.

use fusiform_render::colorbar::colorbar;
use fusiform_render::colormap::{Colormap, oklab_from_srgb, srgb_from_oklab};
use fusiform_render::scene::Look;

use crate::pixel;
use crate::shapes::look;

fn lightness(colour: [u8; 3]) -> f32 {
    oklab_from_srgb(colour.map(|c| f32::from(c) / 255.0))[0]
}

#[test]
fn magnitude_maps_grow_lighter_evenly() {
    for map in [
        Colormap::Grey,
        Colormap::Viridis,
        Colormap::Magma,
        Colormap::Inferno,
        Colormap::Cividis,
        Colormap::Hot,
    ] {
        let l: Vec<f32> = map.table().map(lightness).to_vec();
        assert!(
            l.windows(2).all(|w| w[1] >= w[0] - 1e-3),
            "{} never grows darker",
            map.name()
        );
        assert!(l[255] - l[0] > 0.5, "{}", map.name());
    }
}

#[test]
fn blue_red_is_symmetric_in_lightness() {
    let table = Colormap::BlueRed.table();
    for i in 0..128 {
        let (cold, hot) = (table[i], table[255 - i]);
        assert!(
            (lightness(cold) - lightness(hot)).abs() < 0.01,
            "{i}: {cold:?} {hot:?}"
        );
        assert!(
            i > 120 || (cold[2] > cold[0] && hot[0] > hot[2]),
            "{i}: blue and red"
        );
        if i > 0 {
            assert!(
                lightness(table[i]) > lightness(table[i - 1]),
                "lighter towards the middle"
            );
        }
    }
    assert!(lightness(table[0]) < 0.5 && lightness(table[127]) > 0.93);
}

#[test]
fn cold_hot_mirrors_red_and_blue() {
    let table = Colormap::ColdHot.table();
    for i in 0..128 {
        let [r, g, b] = table[255 - i];
        let mirrored = [b, g, r];
        assert!(
            table[i]
                .iter()
                .zip(mirrored)
                .all(|(a, b)| a.abs_diff(b) <= 1),
            "{i}: {:?} {mirrored:?}",
            table[i]
        );
    }
    assert!(lightness(table[127]) < 0.3, "dark in the middle");
}

/// matplotlib 3.11.2's `cm(0)`, `cm(64)`, `cm(128)`, `cm(203)`, `cm(255)` in bytes.
#[test]
fn named_maps_are_what_their_names_say() {
    let expected = [
        (
            Colormap::Viridis,
            [
                [68, 1, 84],
                [59, 82, 139],
                [33, 145, 140],
                [119, 209, 83],
                [253, 231, 37],
            ],
        ),
        (
            Colormap::Magma,
            [
                [0, 0, 4],
                [81, 18, 124],
                [183, 55, 121],
                [254, 157, 108],
                [252, 253, 191],
            ],
        ),
        (
            Colormap::Inferno,
            [
                [0, 0, 4],
                [87, 16, 110],
                [188, 55, 84],
                [252, 163, 9],
                [252, 255, 164],
            ],
        ),
        (
            Colormap::Cividis,
            [
                [0, 34, 78],
                [67, 78, 108],
                [125, 124, 120],
                [199, 183, 103],
                [254, 232, 56],
            ],
        ),
    ];
    for (map, colours) in expected {
        let table = map.table();
        for (i, colour) in [0, 64, 128, 203, 255].into_iter().zip(colours) {
            let worst = table[i]
                .iter()
                .zip(colour)
                .map(|(a, b)| a.abs_diff(b))
                .max();
            assert!(
                worst <= Some(2),
                "{} {i}: {:?}, expected {colour:?}",
                map.name(),
                table[i]
            );
        }
    }
}

/// An angle's map ends as it begins, without a jump on the way, and mirror images are as light as each other.
#[test]
fn twilight_goes_once_around() {
    let table = Colormap::Twilight.table();
    let lab = table.map(|c| oklab_from_srgb(c.map(|c| f32::from(c) / 255.0)));
    for i in 0..256 {
        let (here, next) = (lab[i], lab[(i + 1) % 256]);
        let step: f32 = (0..3).map(|c| (next[c] - here[c]).powi(2)).sum();
        assert!(step.sqrt() < 0.03, "{i}: {here:?} {next:?}");
        assert!((here[0] - lab[255 - i][0]).abs() < 0.02, "{i}");
    }
    assert!(lab[0][0] > 0.85 && lab[128][0] < 0.3);
    assert!(
        table[64][2] > table[64][0] && table[192][0] > table[192][2],
        "blue, then red"
    );
}

#[test]
fn classes_are_eight_even_blocks() {
    let table = Colormap::Classes.table();
    assert_eq!(Colormap::Classes.n_classes(), Some(8));
    assert_eq!(Colormap::Viridis.n_classes(), None);
    let colours: std::collections::BTreeSet<_> = table.iter().collect();
    assert_eq!(colours.len(), 8);
    for (i, colour) in table.iter().enumerate() {
        assert_eq!(*colour, table[i / 32 * 32], "{i}");
    }
    // Labels 1 to 8 in a range of 0.5 to 8.5 each have a colour of their own.
    let look = look(Colormap::Classes, (0.5, 8.5));
    for label in 1..=8u8 {
        let [r, g, b] = table[usize::from(label) * 32 - 16];
        assert_eq!(look.colour(f32::from(label)), Some([r, g, b, 255]));
    }
}

#[test]
fn each_map_has_its_own_name_and_row() {
    let names: std::collections::BTreeSet<_> =
        Colormap::all().iter().map(|map| map.name()).collect();
    let tables: std::collections::BTreeSet<_> =
        Colormap::all().iter().map(|map| map.table()).collect();
    let n = Colormap::all().len();
    assert_eq!((names.len(), tables.len()), (n, n));
    for map in Colormap::all() {
        let end = map.colour_at(1.0).map(|c| (c * 255.0).round() as u8);
        assert_eq!(end, map.table()[255], "{}", map.name());
    }
}

#[test]
fn oklab_there_and_back() {
    // B. Ottosson's own example: linear red is L 0.628, a 0.225, b 0.126.
    let red = oklab_from_srgb([1.0, 0.0, 0.0]);
    for (a, b) in red.iter().zip([0.627_96, 0.224_86, 0.125_85]) {
        assert!((a - b).abs() < 1e-4, "{red:?}");
    }
    for colour in [
        [0.1, 0.5, 0.9],
        [1.0, 1.0, 1.0],
        [0.0, 0.0, 0.0],
        [0.7, 0.3, 0.2],
    ] {
        let back = srgb_from_oklab(oklab_from_srgb(colour));
        assert!(
            back.iter().zip(colour).all(|(a, b)| (a - b).abs() < 1e-3),
            "{back:?}"
        );
    }
}

#[test]
fn a_look_maps_numbers_to_colours() {
    let table = Colormap::BlueRed.table();
    let opaque = |[r, g, b]: [u8; 3]| Some([r, g, b, 255]);
    let one_sided = look(Colormap::BlueRed, (2.0, 6.0));
    for (value, row) in [
        (2.0, 0),
        (6.0, 255),
        (-50.0, 0),
        (1e9, 255),
        (f32::INFINITY, 255),
        (f32::NEG_INFINITY, 0),
    ] {
        assert_eq!(one_sided.colour(value), opaque(table[row]), "{value}");
    }
    assert_eq!(one_sided.colour(f32::NAN), None);
    assert_eq!(one_sided.position(3.0), Some(0.25));

    // Magnitudes from 2 to 6: the lower end of each side is the middle of the map.
    let two_sided = Look {
        two_sided: true,
        threshold: 1.0,
        ..one_sided.clone()
    };
    let positions = [
        (6.0, 1.0),
        (-6.0, 0.0),
        (4.0, 0.75),
        (-4.0, 0.25),
        (2.0, 0.5),
        (-1.5, 0.5),
        (99.0, 1.0),
    ];
    for (value, position) in positions {
        assert_eq!(two_sided.position(value), Some(position), "{value}");
    }
    assert_eq!(
        (two_sided.position(0.99), two_sided.position(-0.99)),
        (None, None)
    );
    assert_eq!(
        two_sided.position(-1.0),
        Some(0.5),
        "the threshold itself is shown"
    );

    // An empty range is a step, a reversed one a reversed map.
    let step = look(Colormap::Grey, (1.0, 1.0));
    assert_eq!(
        (step.position(1.0), step.position(1.1)),
        (Some(0.0), Some(1.0))
    );
    assert_eq!(look(Colormap::Grey, (4.0, 0.0)).position(1.0), Some(0.75));
    let faint = Look {
        opacity: 0.2,
        ..look(Colormap::Grey, (0.0, 1.0))
    };
    assert_eq!(faint.colour(1.0), Some([255, 255, 255, 51]));
}

#[test]
fn a_colour_bar_shows_the_range() {
    let bar = colorbar(&look(Colormap::Grey, (10.0, 20.0)), 256, 8);
    for x in [0, 100, 255] {
        assert!(pixel(&bar, x, 3)[0].abs_diff(x as u8) <= 1);
    }
    let standing = colorbar(&look(Colormap::Grey, (10.0, 20.0)), 8, 256);
    assert!(
        pixel(&standing, 3, 0)[0] >= 254 && pixel(&standing, 3, 255)[0] <= 1,
        "high is up"
    );
    // −6 … 6 with |x| < 3 cut out: the middle half is transparent.
    let two = Look {
        two_sided: true,
        threshold: 3.0,
        opacity: 0.1,
        ..look(Colormap::BlueRed, (0.0, 6.0))
    };
    let bar = colorbar(&two, 400, 1);
    let clear: Vec<u32> = (0..400).filter(|&x| pixel(&bar, x, 0)[3] == 0).collect();
    assert_eq!(
        (clear.first(), clear.last(), clear.len()),
        (Some(&100), Some(&299), 200)
    );
    assert_eq!(pixel(&bar, 399, 0)[3], 255, "opaque, to be read");
    assert!(
        pixel(&bar, 0, 0)[2] > pixel(&bar, 0, 0)[0],
        "negative is blue, on the left"
    );
    assert_eq!(colorbar(&two, 0, 5).rgba.len(), 0);
}
