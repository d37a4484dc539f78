//! Colour maps: tables of 256 sRGB colours.

mod tables;

use std::sync::LazyLock;

/// A named table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Colormap {
    /// Black to white.
    Grey,
    /// Perceptually even, colour-blind safe; for magnitudes.
    Viridis,
    /// Blue through pale to red; two-sided, colour-blind safe.
    BlueRed,
    /// Black, red, yellow, white; the field's habit for statistics.
    Hot,
    /// Cyan–blue for negative, red–yellow for positive, dark in the middle; the field's habit for two-sided statistics.
    ColdHot,
    /// Perceptually even from black through magenta to pale yellow; for magnitudes.
    Magma,
    /// Perceptually even from black through red to pale yellow; for magnitudes.
    Inferno,
    /// Dark blue to yellow, evenly and alike for people who tell red from green and who do not; for magnitudes.
    Cividis,
    /// Ends as it begins: pale, blue, dark, red, pale; for angles.
    Twilight,
    /// Eight colours that are told apart, also by the colour-blind; for the numbers of classes.
    Classes,
}

/// Each map's table, in the order of [`Colormap::all`]. Constants, computed once.
static TABLES: LazyLock<[[[u8; 3]; 256]; 10]> =
    LazyLock::new(|| Colormap::ALL.map(Colormap::compute));

impl Colormap {
    const ALL: [Self; 10] = [
        Self::Grey,
        Self::Viridis,
        Self::BlueRed,
        Self::Hot,
        Self::ColdHot,
        Self::Magma,
        Self::Inferno,
        Self::Cividis,
        Self::Twilight,
        Self::Classes,
    ];

    /// Every map, in the order a menu shows them.
    pub fn all() -> &'static [Self] {
        &Self::ALL
    }

    /// What the user reads.
    pub fn name(self) -> &'static str {
        match self {
            Self::Grey => "grey",
            Self::Viridis => "viridis",
            Self::BlueRed => "blue-red",
            Self::Hot => "hot",
            Self::ColdHot => "cold-hot",
            Self::Magma => "magma",
            Self::Inferno => "inferno",
            Self::Cividis => "cividis",
            Self::Twilight => "twilight",
            Self::Classes => "classes",
        }
    }

    /// The number of colours of a map that has few, each as long as the others; nothing of one whose colours flow.
    pub fn n_classes(self) -> Option<usize> {
        (self == Self::Classes).then_some(CLASSES.len())
    }

    /// 256 sRGB colours from the map's low end to its high end.
    pub fn table(self) -> [[u8; 3]; 256] {
        TABLES[self.row()]
    }

    /// The sRGB colour at a position from 0 to 1, between table entries by linear interpolation (as the shaders do).
    pub fn colour_at(self, position: f32) -> [f32; 3] {
        let table = &TABLES[self.row()];
        let x = position.clamp(0.0, 1.0) * 255.0;
        let i = (x as usize).min(254);
        let f = x - i as f32;
        std::array::from_fn(|c| {
            let (a, b) = (f32::from(table[i][c]), f32::from(table[i + 1][c]));
            (a + (b - a) * f) / 255.0
        })
    }

    /// The map's row in the texture that holds all tables.
    pub(crate) fn row(self) -> usize {
        self as usize
    }

    fn compute(self) -> [[u8; 3]; 256] {
        let at: fn(f32) -> [f32; 3] = match self {
            Self::Grey => |t| [t; 3],
            Self::Viridis => |t| between(&tables::VIRIDIS, t),
            Self::Magma => |t| between(&tables::MAGMA, t),
            Self::Inferno => |t| between(&tables::INFERNO, t),
            Self::Cividis => |t| between(&tables::CIVIDIS, t),
            Self::Twilight => twilight,
            Self::Classes => |t| {
                let n = CLASSES.len();
                channels(CLASSES[((t * n as f32) as usize).min(n - 1)])
            },
            Self::BlueRed => blue_red,
            Self::Hot => {
                |t| [t / 0.375, (t - 0.375) / 0.375, (t - 0.75) / 0.25].map(|x| x.clamp(0.0, 1.0))
            }
            Self::ColdHot => cold_hot,
        };
        std::array::from_fn(|i| at(i as f32 / 255.0).map(byte))
    }
}

/// M. Okabe and K. Ito, 2008, “Color Universal Design”; grey stands in for their black, which canvases may have.
const CLASSES: [u32; 8] = [
    0xE6_9F_00, 0x56_B4_E9, 0x00_9E_73, 0xF0_E4_42, 0x00_72_B2, 0xD5_5E_00, 0xCC_79_A7, 0x99_99_99,
];

/// The channels of a colour in 0..1.
fn channels(hex: u32) -> [f32; 3] {
    [hex >> 16, hex >> 8, hex].map(|c| (c & 0xff) as f32 / 255.0)
}

/// Between evenly spaced anchor colours, in OKLab.
fn between(anchors: &[u32], t: f32) -> [f32; 3] {
    let x = t * (anchors.len() - 1) as f32;
    let i = (x as usize).min(anchors.len() - 2);
    let lab = |hex: u32| oklab_from_srgb(channels(hex));
    let (a, b) = (lab(anchors[i]), lab(anchors[i + 1]));
    let f = x - i as f32;
    srgb_from_oklab(std::array::from_fn(|c| a[c] + (b[c] - a[c]) * f))
}

/// Two arms of equal lightness at equal distance from the pale middle: hue 257° (blue) and 27° (red) in OKLab.
/// Deuteranopes and protanopes tell blue from red by hue alone, and both read the distance from lightness.
fn blue_red(t: f32) -> [f32; 3] {
    let signed = 2.0 * t - 1.0;
    let s = signed.abs();
    let lightness = 0.965 - 0.545 * s;
    let chroma = 0.165 * (1.0 - (1.0 - s) * (1.0 - s));
    let hue = if signed < 0.0 { 257.0_f32 } else { 27.0 }.to_radians();
    srgb_from_oklab([lightness, chroma * hue.cos(), chroma * hue.sin()])
}

/// Once around, from pale through blue to dark and back through red, after B. Bechtold's twilight: both halves are as
/// light, so that an angle and its mirror image differ by hue alone.
fn twilight(t: f32) -> [f32; 3] {
    let turn = t * std::f32::consts::TAU;
    let lightness = 0.56 + 0.34 * turn.cos();
    let chroma = 0.125 * turn.sin().abs().powf(0.8);
    let hue = if t < 0.5 { 257.0_f32 } else { 27.0 }.to_radians();
    srgb_from_oklab([lightness, chroma * hue.cos(), chroma * hue.sin()])
}

/// Dark middle, then red to yellow; the cold side mirrors red and blue.
fn cold_hot(t: f32) -> [f32; 3] {
    const HOT: [(f32, [f32; 3]); 5] = [
        (0.0, [0.10, 0.08, 0.10]),
        (0.15, [0.48, 0.03, 0.03]),
        (0.40, [0.93, 0.12, 0.02]),
        (0.80, [1.0, 0.76, 0.05]),
        (1.0, [1.0, 0.98, 0.62]),
    ];
    let signed = 2.0 * t - 1.0;
    let s = signed.abs();
    let mut colour = HOT[4].1;
    for pair in HOT.windows(2) {
        let ((s0, a), (s1, b)) = (pair[0], pair[1]);
        if s <= s1 {
            let f = (s - s0) / (s1 - s0);
            colour = std::array::from_fn(|c| a[c] + (b[c] - a[c]) * f);
            break;
        }
    }
    if signed < 0.0 {
        [colour[2], colour[1], colour[0]]
    } else {
        colour
    }
}

/// A colour channel from 0..1 to a byte.
pub(crate) fn byte(x: f32) -> u8 {
    (x.clamp(0.0, 1.0) * 255.0).round() as u8
}

/// The sRGB transfer function (IEC 61966-2-1), encoded from linear light.
pub(crate) fn srgb_from_linear(x: f32) -> f32 {
    if x <= 0.003_130_8 {
        x.max(0.0) * 12.92
    } else {
        1.055 * x.powf(1.0 / 2.4) - 0.055
    }
}

/// The inverse of [`srgb_from_linear`].
pub(crate) fn linear_from_srgb(x: f32) -> f32 {
    if x <= 0.040_45 {
        x / 12.92
    } else {
        ((x + 0.055) / 1.055).powf(2.4)
    }
}

/// OKLab (B. Ottosson, 2020, "A perceptual color space for image processing") of an sRGB colour in 0..1.
pub fn oklab_from_srgb(rgb: [f32; 3]) -> [f32; 3] {
    let [r, g, b] = rgb.map(linear_from_srgb);
    let l = (0.412_221_47 * r + 0.536_332_55 * g + 0.051_445_995 * b).cbrt();
    let m = (0.211_903_5 * r + 0.680_699_5 * g + 0.107_396_96 * b).cbrt();
    let s = (0.088_302_46 * r + 0.281_718_85 * g + 0.629_978_7 * b).cbrt();
    [
        0.210_454_26 * l + 0.793_617_8 * m - 0.004_072_047 * s,
        1.977_998_5 * l - 2.428_592_2 * m + 0.450_593_7 * s,
        0.025_904_037 * l + 0.782_771_77 * m - 0.808_675_77 * s,
    ]
}

/// The inverse of [`oklab_from_srgb`], clipped to the sRGB gamut.
pub fn srgb_from_oklab(lab: [f32; 3]) -> [f32; 3] {
    let [lightness, a, b] = lab;
    let l = (lightness + 0.396_337_78 * a + 0.215_803_76 * b).powi(3);
    let m = (lightness - 0.105_561_346 * a - 0.063_854_17 * b).powi(3);
    let s = (lightness - 0.089_484_18 * a - 1.291_485_5 * b).powi(3);
    [
        4.076_741_7 * l - 3.307_711_6 * m + 0.230_969_94 * s,
        -1.268_438 * l + 2.609_757_4 * m - 0.341_319_4 * s,
        -0.004_196_086_3 * l - 0.703_418_6 * m + 1.707_614_7 * s,
    ]
    .map(|x| srgb_from_linear(x).clamp(0.0, 1.0))
}
