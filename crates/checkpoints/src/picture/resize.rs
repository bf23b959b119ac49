//! Pictures in another size.

use fast_image_resize::images::{TypedImage, TypedImageRef};
use fast_image_resize::pixels::{U8, U8x3};
use fast_image_resize::{FilterType, PixelTrait, ResizeAlg, ResizeOptions, Resizer};

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
    let mut resized = vec![0; to[0] * to[1] * channels];
    match channels {
        1 => resize_pixels::<U8>(&bytes, from, &mut resized, to, filter),
        _ => resize_pixels::<U8x3>(&bytes, from, &mut resized, to, filter),
    }
    resized
}

/// Resizes pixels of one kind. The kind is a type, because the library's function that finds it out
/// while it runs contains the code for all fourteen: 3 MB of the program.
fn resize_pixels<Pixel: PixelTrait>(
    old: &[u8],
    from: [usize; 2],
    new: &mut [u8],
    to: [usize; 2],
    filter: Filter,
) {
    let [from, to] = [from, to].map(|sides| sides.map(|side| side as u32));
    let enough = "as many bytes as pixels";
    let old = TypedImageRef::<Pixel>::from_buffer(from[1], from[0], old).expect(enough);
    let mut new = TypedImage::<Pixel>::from_buffer(to[1], to[0], new).expect(enough);
    let options = ResizeOptions::new().resize_alg(filter.algorithm());
    let done = Resizer::new().resize_typed(&old, &mut new, &options);
    done.expect("both pictures have the same kind of pixels");
}
