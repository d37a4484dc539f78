//! Where a picture may play, at what hour, and the words for it.

use glam::Vec3;

use super::pictures::Paint;
use super::scenes::article;
use super::stream::Stream;

/// Where.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    Wall,
    Table,
    Cloth,
    Room,
    Meadow,
    Road,
    Street,
    Sea,
    Beach,
    Snow,
    Hills,
}

/// When.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Hour {
    Morning,
    Noon,
    Sunset,
    Night,
    Rain,
}

/// A place at an hour, with one colour of its own.
#[derive(Clone, Copy, Debug)]
pub(super) struct Setting {
    /// Where.
    pub(super) place: Place,
    /// When.
    pub(super) hour: Hour,
    /// The colour.
    pub(super) paint: Paint,
    /// How the thing shown is about the sea.
    afloat: &'static str,
}

/// A setting where such a thing may be found.
pub(super) fn setting(stream: &mut Stream, category: usize, which: usize, paint: Paint) -> Setting {
    use Place::{Beach, Cloth, Hills, Meadow, Road, Room, Sea, Snow, Street, Table, Wall};
    let place = match (category, which) {
        (0, _) => stream.pick([Wall, Wall, Room, Meadow, Beach, Street]),
        (1, _) => stream.pick([Room, Meadow, Beach, Street, Snow, Road]),
        (2, 1) => stream.pick([Street, Road, Beach]),
        (2, 3) => stream.pick([Hills, Snow, Meadow, Sea]),
        (2, _) => stream.pick([Meadow, Hills, Snow, Beach, Road]),
        (3, _) => stream.pick([Wall, Wall, Room, Road, Street]),
        (4, _) => stream.pick([Table, Cloth, Cloth, Room]),
        (5, _) => stream.pick([Table, Cloth, Table, Meadow]),
        // A fish, a boat and a balloon keep to their elements.
        (6, 2) | (7, 1) => Sea,
        (7, 3) => stream.pick([Hills, Sea, Street]),
        (6, _) => stream.pick([Meadow, Meadow, Snow, Beach, Room, Road]),
        _ => stream.pick([Road, Road, Street, Beach, Snow]),
    };
    let hour = stream.pick([
        Hour::Morning,
        Hour::Noon,
        Hour::Noon,
        Hour::Sunset,
        Hour::Night,
        Hour::Rain,
    ]);
    let afloat = match (category, which) {
        (6, _) => "in the sea",
        (7, 3) => "over the sea",
        (2, _) => "by the sea",
        _ => "on the sea",
    };
    Setting {
        place,
        hour,
        paint,
        afloat,
    }
}

impl Setting {
    /// Whether there is a roof.
    pub(super) fn indoors(self) -> bool {
        matches!(
            self.place,
            Place::Wall | Place::Table | Place::Cloth | Place::Room
        )
    }

    /// Whether its colour is to be seen.
    pub(super) fn shows_its_paint(self) -> bool {
        !matches!(self.place, Place::Road | Place::Sea | Place::Snow)
    }

    /// The words for it: "on a road at night".
    pub(super) fn words(self) -> String {
        let name = self.paint.name;
        let a = article(name);
        let place = match self.place {
            Place::Wall => format!("in front of {a} {name} wall"),
            Place::Table => format!("on {a} {name} table"),
            Place::Cloth => format!("on a table with {a} {name} cloth"),
            Place::Room => format!("in a room with {name} walls"),
            Place::Meadow => format!("in a meadow with {name} flowers"),
            Place::Road => "on a road".to_owned(),
            Place::Street => format!("in a street with {a} {name} house"),
            Place::Sea => self.afloat.to_owned(),
            Place::Beach => format!("on a beach with {a} {name} parasol"),
            Place::Snow => "in the snow".to_owned(),
            Place::Hills => format!("among {name} hills"),
        };
        let hour = match (self.indoors(), self.hour) {
            (true, Hour::Night) => " by lamplight",
            (true, _) => "",
            (_, Hour::Morning) => " in the morning",
            (_, Hour::Noon) => " at noon",
            (_, Hour::Sunset) => " at sunset",
            (_, Hour::Night) => " at night",
            (_, Hour::Rain) if self.place == Place::Snow => " under grey clouds",
            (_, Hour::Rain) => " in the rain",
        };
        place + hour
    }

    /// From dark, −1, to bright, 1. Under a roof all hours but the night look the same.
    pub(super) fn brightness(self) -> f32 {
        match self.hour {
            hour if self.indoors() && hour != Hour::Night => 0.5,
            Hour::Night => -1.3,
            Hour::Rain => -0.3,
            Hour::Sunset => 0.1,
            Hour::Morning => 0.5,
            Hour::Noon => 0.8,
        }
    }

    /// From a wall close by, −1, to the open sea, 1.
    pub(super) fn openness(self) -> f32 {
        match self.place {
            Place::Wall | Place::Table | Place::Cloth => -1.2,
            Place::Room => -0.8,
            Place::Street => 0.1,
            Place::Road | Place::Meadow => 0.7,
            Place::Sea | Place::Beach | Place::Snow | Place::Hills => 1.1,
        }
    }

    /// The colour of the light.
    pub(super) fn light(self) -> Vec3 {
        match (self.indoors(), self.hour) {
            (true, Hour::Night) => Vec3::new(0.8, 0.66, 0.46),
            (true, Hour::Rain) => Vec3::splat(0.86),
            (true, _) => Vec3::ONE,
            (_, Hour::Morning) => Vec3::new(1.0, 0.96, 0.88),
            (_, Hour::Noon) => Vec3::ONE,
            (_, Hour::Sunset) => Vec3::new(0.92, 0.72, 0.64),
            (_, Hour::Night) => Vec3::new(0.3, 0.35, 0.55),
            (_, Hour::Rain) => Vec3::new(0.7, 0.74, 0.78),
        }
    }

    /// The sky overhead and at the horizon.
    pub(super) fn sky(self) -> (Vec3, Vec3) {
        match self.hour {
            Hour::Morning => (Vec3::new(0.55, 0.76, 0.94), Vec3::new(1.0, 0.9, 0.76)),
            Hour::Noon => (Vec3::new(0.3, 0.6, 0.95), Vec3::new(0.8, 0.92, 1.0)),
            Hour::Sunset => (Vec3::new(0.42, 0.32, 0.58), Vec3::new(1.0, 0.58, 0.32)),
            Hour::Night => (Vec3::new(0.03, 0.05, 0.16), Vec3::new(0.16, 0.2, 0.4)),
            Hour::Rain => (Vec3::new(0.52, 0.56, 0.62), Vec3::new(0.76, 0.79, 0.82)),
        }
    }
}
