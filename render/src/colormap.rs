//! Colour maps: tables of 256 sRGB colours.

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
}
