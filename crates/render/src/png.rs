//! A picture with its heat map over it, as a PNG.

use std::io::Cursor;

use image::imageops::{FilterType, resize};
use image::{DynamicImage, ImageFormat, Rgb, RgbImage};
use relprop_explain::Explanation;

use crate::colors::color;
use crate::numbers::Scale;

/// The smallest longer side, in pixels. A smaller picture is shown in larger pixels.
const SMALLEST: u32 = 448;

/// `picture` in gray with the colors of relevance over its patches, as a PNG. Small pictures are
/// enlarged by a whole number.
///
/// The explanation must be of this picture. With the explanation of a text, the picture stays gray.
pub fn overlay(explanation: &Explanation, picture: &DynamicImage) -> Vec<u8> {
    let gray = DynamicImage::ImageLuma8(picture.to_luma8()).to_rgb8();
    let (width, height) = gray.dimensions();
    let factor = SMALLEST.div_ceil(width.max(height).max(1));
    let mut drawn = resize(&gray, width * factor, height * factor, FilterType::Nearest);
    let scale = Scale::of(explanation);
    for patch in explanation.patches() {
        let area = patch.area.unwrap_or_default();
        let area = area.map(|length| length * factor as f32);
        tint(&mut drawn, area, scale.shade(patch.relevance));
    }
    png(DynamicImage::ImageRgb8(drawn))
}

/// Mixes color into an area.
fn tint(picture: &mut RgbImage, [x, y, width, height]: [f32; 4], shade: f32) {
    let (color, depth) = color(shade);
    let (columns, rows) = picture.dimensions();
    let range = |start: f32, length: f32, end: u32| {
        let first = start.round().max(0.0) as u32;
        let last = (start + length).round().max(0.0) as u32;
        first.min(end)..last.min(end)
    };
    for row in range(y, height, rows) {
        for column in range(x, width, columns) {
            let Rgb(pixel) = picture.get_pixel_mut(column, row);
            for (number, color) in pixel.iter_mut().zip(color) {
                *number =
                    (f32::from(*number) * (1.0 - depth) + f32::from(color) * depth).round() as u8;
            }
        }
    }
}

/// A picture as a PNG.
pub(crate) fn png(picture: DynamicImage) -> Vec<u8> {
    let mut bytes = Vec::new();
    let written = picture.write_to(&mut Cursor::new(&mut bytes), ImageFormat::Png);
    written.expect("a picture of bytes in memory");
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::picture;

    #[test]
    fn patches_are_tinted_where_they_lie() {
        let white = RgbImage::from_pixel(6, 4, Rgb([255; 3]));
        let bytes = overlay(&picture(), &DynamicImage::ImageRgb8(white));
        let drawn = image::load_from_memory(&bytes).unwrap().to_rgb8();
        assert_eq!(drawn.dimensions(), (450, 300));
        // 75 times as large; patches of 2 x 2 pixels, the last column of 2 is not read.
        let at = |column: u32, row: u32| drawn.get_pixel(column * 75 + 1, row * 75 + 1).0;
        assert_eq!(at(0, 0), [102, 150, 218]); // 255 * 0.32 + color * 0.68
        assert_eq!(at(1, 1), at(0, 0));
        assert_eq!(at(2, 0), [241, 191, 181]); // half as strong, against
        assert_eq!(at(4, 0), [255; 3]);
        assert_eq!(at(0, 2), [255; 3]); // nothing relevant
    }
}
