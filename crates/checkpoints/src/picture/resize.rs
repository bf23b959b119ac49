//! Pictures in another size.

use fast_image_resize::images::Image;
use fast_image_resize::{FilterType, PixelType, ResizeAlg, ResizeOptions, Resizer};

/// The size that a picture is resized to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Resize {
    /// This height and width, whatever the picture's shape.
    To([usize; 2]),
    /// The shorter side to this size, and the longer one in proportion, rounded down.
    Shorter(usize),
}

impl Resize {
    /// The height and width that a picture of these `sides` gets.
    pub(super) fn of(self, sides: [usize; 2]) -> [usize; 2] {
        match self {
            Self::To(size) => size,
            Self::Shorter(size) => {
                let shorter = sides[0].min(sides[1]).max(1);
                sides.map(|side| size * side / shorter)
            }
        }
    }

    /// The height and width that every picture has at least.
    pub(super) fn least(self) -> [usize; 2] {
        match self {
            Self::To(size) => size,
            Self::Shorter(size) => [size; 2],
        }
    }
}

/// How new pixels are interpolated from old ones. All but `Nearest` use all old pixels under a new
/// one, as Pillow does, and differ from Pillow by at most one of 255 levels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "these are their names")]
pub enum Filter {
    Nearest,
    Lanczos,
    Bilinear,
    Bicubic,
    Box,
    Hamming,
}

impl Filter {
    /// In the order of Pillow's numbers for them.
    pub(super) const ALL: [Self; 6] = [
        Self::Nearest,
        Self::Lanczos,
        Self::Bilinear,
        Self::Bicubic,
        Self::Box,
        Self::Hamming,
    ];

    fn algorithm(self) -> ResizeAlg {
        match self {
            Self::Nearest => ResizeAlg::Nearest,
            Self::Lanczos => ResizeAlg::Convolution(FilterType::Lanczos3),
            Self::Bilinear => ResizeAlg::Convolution(FilterType::Bilinear),
            // Pillow's bicubic is that of Catmull and Rom: a = -0.5.
            Self::Bicubic => ResizeAlg::Convolution(FilterType::CatmullRom),
            Self::Box => ResizeAlg::Convolution(FilterType::Box),
            Self::Hamming => ResizeAlg::Convolution(FilterType::Hamming),
        }
    }
}

/// `bytes`, `[y, x, channel]`, in another size.
pub(super) fn resize(
    bytes: Vec<u8>,
    from: [usize; 2],
    to: [usize; 2],
    filter: Filter,
    channels: usize,
) -> Vec<u8> {
    if from == to {
        return bytes;
    }
    let kind = match channels {
        1 => PixelType::U8,
        _ => PixelType::U8x3,
    };
    let [from, to] = [from, to].map(|sides| sides.map(|side| side as u32));
    let old = Image::from_vec_u8(from[1], from[0], bytes, kind).expect("as many bytes as pixels");
    let mut new = Image::new(to[1], to[0], kind);
    let options = ResizeOptions::new().resize_alg(filter.algorithm());
    let done = Resizer::new().resize(&old, &mut new, &options);
    done.expect("both pictures have the same kind of pixels");
    new.into_vec()
}
