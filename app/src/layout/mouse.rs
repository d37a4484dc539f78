//! What the mouse does on slices, by the habits of other viewers. One table serves the panels and the help.

use egui::{Modifiers, PointerButton};
use serde::{Deserialize, Serialize};

/// Whose habits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Mouse {
    /// What most viewers share.
    #[default]
    Fusiform,
    /// FSLeyes.
    Fsleyes,
    /// FreeSurfer's freeview.
    Freeview,
    /// niivue.
    Niivue,
}

/// What a drag does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Drag {
    /// Moves the crosshair.
    Crosshair,
    /// Moves the picture.
    Pan,
    /// Makes the anatomy brighter and of more contrast.
    Contrast,
    /// Fits black and white to what is in a box.
    ContrastBox,
    /// Magnifies.
    Zoom,
    /// Magnifies a box.
    ZoomBox,
}

/// What the wheel does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wheel {
    /// Goes through the slices.
    Slice,
    /// Magnifies about the pointer.
    Zoom,
}

/// Keys held meanwhile.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hold {
    /// None.
    Nothing,
    /// Shift.
    Shift,
    /// Ctrl, or Cmd.
    Ctrl,
    /// Ctrl and Shift.
    CtrlShift,
    /// Alt.
    Alt,
}

impl Hold {
    /// Of the keys held now.
    pub fn of(keys: Modifiers) -> Self {
        match (keys.command || keys.ctrl, keys.shift, keys.alt) {
            (true, true, _) => Self::CtrlShift,
            (true, false, _) => Self::Ctrl,
            (false, true, _) => Self::Shift,
            (false, false, true) => Self::Alt,
            (false, false, false) => Self::Nothing,
        }
    }

    const fn words(self) -> &'static str {
        match self {
            Self::Nothing => "",
            Self::Shift => "Shift + ",
            Self::Ctrl => "Ctrl + ",
            Self::CtrlShift => "Ctrl + Shift + ",
            Self::Alt => "Alt + ",
        }
    }
}

type DragRule = (Hold, PointerButton, Drag);

impl Mouse {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Fusiform, Self::Fsleyes, Self::Freeview, Self::Niivue];

    /// The name for the user.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Fusiform => "Fusiform",
            Self::Fsleyes => "FSLeyes",
            Self::Freeview => "freeview",
            Self::Niivue => "niivue",
        }
    }

    const fn drags(self) -> &'static [DragRule] {
        use PointerButton::{Middle, Primary, Secondary};
        match self {
            Self::Fusiform => &[
                (Hold::Nothing, Primary, Drag::Crosshair),
                (Hold::Nothing, Middle, Drag::Pan),
                (Hold::Shift, Primary, Drag::Pan),
                (Hold::Alt, Primary, Drag::Pan),
                (Hold::Nothing, Secondary, Drag::Contrast),
            ],
            Self::Fsleyes => &[
                (Hold::Nothing, Primary, Drag::Crosshair),
                (Hold::Nothing, Middle, Drag::Pan),
                (Hold::Alt, Primary, Drag::Pan),
                (Hold::Nothing, Secondary, Drag::ZoomBox),
                (Hold::CtrlShift, Primary, Drag::Contrast),
            ],
            Self::Freeview => &[
                (Hold::Nothing, Primary, Drag::Crosshair),
                (Hold::Nothing, Middle, Drag::Pan),
                (Hold::Nothing, Secondary, Drag::Zoom),
                (Hold::Shift, Primary, Drag::Contrast),
                (Hold::Shift, Secondary, Drag::Contrast),
            ],
            Self::Niivue => &[
                (Hold::Nothing, Primary, Drag::Crosshair),
                (Hold::Nothing, Middle, Drag::Pan),
                (Hold::Shift, Primary, Drag::Pan),
                (Hold::Nothing, Secondary, Drag::ContrastBox),
            ],
        }
    }

    const fn wheels(self) -> &'static [(Hold, Wheel)] {
        match self {
            Self::Fusiform | Self::Niivue => {
                &[(Hold::Nothing, Wheel::Slice), (Hold::Ctrl, Wheel::Zoom)]
            }
            Self::Fsleyes => &[
                (Hold::Nothing, Wheel::Slice),
                (Hold::Shift, Wheel::Slice),
                (Hold::Ctrl, Wheel::Zoom),
            ],
            Self::Freeview => &[
                (Hold::Nothing, Wheel::Zoom),
                (Hold::Ctrl, Wheel::Zoom),
                (Hold::Shift, Wheel::Slice),
            ],
        }
    }

    /// What a drag does; keys that mean nothing here count as none.
    pub fn drag(self, button: PointerButton, keys: Modifiers) -> Option<Drag> {
        let of = |hold| {
            let rule = self
                .drags()
                .iter()
                .find(|(h, b, _)| *h == hold && *b == button);
            rule.map(|(.., does)| *does)
        };
        of(Hold::of(keys)).or_else(|| of(Hold::Nothing))
    }

    /// What the wheel does; keys that mean nothing here count as none.
    pub fn wheel(self, keys: Modifiers) -> Option<Wheel> {
        let of = |hold| {
            let rule = self.wheels().iter().find(|(h, _)| *h == hold);
            rule.map(|(_, does)| *does)
        };
        of(Hold::of(keys)).or_else(|| of(Hold::Nothing))
    }

    /// Gestures and what they do, for the help.
    pub fn words(self) -> Vec<(String, &'static str)> {
        let button = |button| match button {
            PointerButton::Primary => "left drag",
            PointerButton::Middle => "middle drag",
            _ => "right drag",
        };
        let does = |drag| match drag {
            Drag::Crosshair => "move the crosshair; a click does it too",
            Drag::Pan => "move the picture",
            Drag::Contrast => "anatomy: up brighter, right more contrast",
            Drag::ContrastBox => "anatomy: black and white from a box",
            Drag::Zoom => "magnify",
            Drag::ZoomBox => "magnify a box",
        };
        let drags = self
            .drags()
            .iter()
            .map(|(hold, b, drag)| (format!("{}{}", hold.words(), button(*b)), does(*drag)));
        let wheels = self.wheels().iter().map(|(hold, wheel)| {
            let does = match wheel {
                Wheel::Slice => "one slice on or back",
                Wheel::Zoom => "magnify about the pointer",
            };
            (format!("{}wheel", hold.words()), does)
        });
        drags.chain(wheels).collect()
    }
}
