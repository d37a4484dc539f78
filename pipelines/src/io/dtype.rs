//! The number types of files, and the one loop that turns their bytes into values.

/// Which end of a number comes first in the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ByteOrder {
    /// The low byte first.
    Little,
    /// The high byte first.
    Big,
}

impl ByteOrder {
    /// `little-endian` or `big-endian`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Little => "little-endian",
            Self::Big => "big-endian",
        }
    }
}

/// How a number is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Datatype {
    /// Unsigned, 8 bits.
    U8,
    /// Signed, 8 bits.
    I8,
    /// Unsigned, 16 bits.
    U16,
    /// Signed, 16 bits.
    I16,
    /// Unsigned, 32 bits.
    U32,
    /// Signed, 32 bits.
    I32,
    /// Unsigned, 64 bits.
    U64,
    /// Signed, 64 bits.
    I64,
    /// IEEE float, 32 bits.
    F32,
    /// IEEE float, 64 bits.
    F64,
    /// Two `F32`, real and imaginary part; read as the magnitude.
    C64,
    /// Two `F64`, real and imaginary part; read as the magnitude.
    C128,
    /// Red, green, blue, a byte each; read as the luminance.
    Rgb,
    /// Red, green, blue, opacity, a byte each; read as the luminance.
    Rgba,
}

impl Datatype {
    /// Bytes a number.
    pub fn size(self) -> usize {
        match self {
            Self::U8 | Self::I8 => 1,
            Self::U16 | Self::I16 => 2,
            Self::Rgb => 3,
            Self::U32 | Self::I32 | Self::F32 | Self::Rgba => 4,
            Self::U64 | Self::I64 | Self::F64 | Self::C64 => 8,
            Self::C128 => 16,
        }
    }

    /// A short name, `int16` or `float32`, as NumPy has it.
    pub fn name(self) -> &'static str {
        match self {
            Self::U8 => "uint8",
            Self::I8 => "int8",
            Self::U16 => "uint16",
            Self::I16 => "int16",
            Self::U32 => "uint32",
            Self::I32 => "int32",
            Self::U64 => "uint64",
            Self::I64 => "int64",
            Self::F32 => "float32",
            Self::F64 => "float64",
            Self::C64 => "complex64",
            Self::C128 => "complex128",
            Self::Rgb => "RGB",
            Self::Rgba => "RGBA",
        }
    }
}

/// Turns stored numbers into `out`, as many as there are in both.
///
/// Every number passes through an `f64`. That is exact for all types but the 64-bit
/// integers beyond 2⁵³, which no reader here can give back whole anyway.
pub(crate) fn decode<T>(
    datatype: Datatype,
    order: ByteOrder,
    bytes: &[u8],
    out: &mut [T],
    mut convert: impl FnMut(f64) -> T,
) {
    macro_rules! each {
        ($number:ty) => {
            for (bytes, out) in bytes
                .as_chunks::<{ size_of::<$number>() }>()
                .0
                .iter()
                .zip(out)
            {
                let value = match order {
                    ByteOrder::Little => <$number>::from_le_bytes(*bytes),
                    ByteOrder::Big => <$number>::from_be_bytes(*bytes),
                };
                *out = convert(value as f64);
            }
        };
    }
    macro_rules! magnitudes {
        ($part:ty) => {
            for ([real, imaginary], out) in bytes
                .as_chunks::<{ size_of::<$part>() }>()
                .0
                .as_chunks::<2>()
                .0
                .iter()
                .zip(out)
            {
                let part = |bytes| match order {
                    ByteOrder::Little => <$part>::from_le_bytes(bytes),
                    ByteOrder::Big => <$part>::from_be_bytes(bytes),
                };
                *out = convert(f64::from(part(*real)).hypot(f64::from(part(*imaginary))));
            }
        };
    }
    macro_rules! luminances {
        ($n_bytes:literal) => {
            for ([red, green, blue, ..], out) in bytes.as_chunks::<$n_bytes>().0.iter().zip(out) {
                *out = convert(luminance(*red, *green, *blue));
            }
        };
    }
    match datatype {
        Datatype::U8 => each!(u8),
        Datatype::I8 => each!(i8),
        Datatype::U16 => each!(u16),
        Datatype::I16 => each!(i16),
        Datatype::U32 => each!(u32),
        Datatype::I32 => each!(i32),
        Datatype::U64 => each!(u64),
        Datatype::I64 => each!(i64),
        Datatype::F32 => each!(f32),
        Datatype::F64 => each!(f64),
        Datatype::C64 => magnitudes!(f32),
        Datatype::C128 => magnitudes!(f64),
        Datatype::Rgb => luminances!(3),
        Datatype::Rgba => luminances!(4),
    }
}

/// The luma of Rec. ITU-R BT.709, 0 to 255.
fn luminance(red: u8, green: u8, blue: u8) -> f64 {
    0.2126 * f64::from(red) + 0.7152 * f64::from(green) + 0.0722 * f64::from(blue)
}
