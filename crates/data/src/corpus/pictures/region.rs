//! The part of a picture that decides its label.

use image::DynamicImage;

/// A part of a picture, pixel by pixel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Region {
    width: usize,
    height: usize,
    /// Whether a pixel is in it, `[y, x]`.
    inside: Vec<bool>,
}

impl Region {
    /// All that lies in one of these boxes of a picture of `[width, height]` pixels. A box `[x0, y0, x1, y1]` goes from the pixel in
    /// column x0 and row y0, counted from 0, up to column x1 and row y1, which are no longer in it.
    ///
    /// # Errors
    ///
    /// What is wrong with a box, as the end of a sentence.
    pub fn of_boxes([width, height]: [usize; 2], boxes: &[[usize; 4]]) -> Result<Self, String> {
        let mut inside = vec![false; width * height];
        for [x0, y0, x1, y1] in boxes.iter().copied() {
            let name = format!("has the box {x0},{y0},{x1},{y1}");
            if x0 >= x1 || y0 >= y1 {
                return Err(format!("{name}, which is empty"));
            }
            if x1 > width || y1 > height {
                return Err(format!(
                    "{name}, which reaches out of the picture of {width} x {height} pixels"
                ));
            }
            for y in y0..y1 {
                inside[y * width + x0..y * width + x1].fill(true);
            }
        }
        Ok(Self {
            width,
            height,
            inside,
        })
    }

    /// All that is not black in a `mask` of a picture of `[width, height]` pixels.
    ///
    /// # Errors
    ///
    /// What is wrong with the mask, as the end of a sentence.
    pub fn of_mask([width, height]: [usize; 2], mask: &DynamicImage) -> Result<Self, String> {
        let size = [mask.width() as usize, mask.height() as usize];
        if size != [width, height] {
            let [other_width, other_height] = size;
            return Err(format!(
                "has a mask of {other_width} x {other_height} pixels, and the picture has {width} x {height}"
            ));
        }
        let pixels = mask.to_rgb8().into_raw();
        let pixels = pixels.chunks_exact(3);
        let inside: Vec<bool> = pixels.map(|pixel| pixel != [0; 3]).collect();
        if !inside.contains(&true) {
            return Err("has a mask that is black everywhere".to_owned());
        }
        Ok(Self {
            width,
            height,
            inside,
        })
    }

    /// How much of an area of the picture is in it, from 0 to 1. The area is x and y of its upper left corner, its width, and
    /// its height, in pixels.
    pub fn share(&self, [x, y, width, height]: [f32; 4]) -> f64 {
        let [x, y, width, height] = [x, y, width, height].map(f64::from);
        // How much of a row or column of pixels lies between two places.
        let overlap = |index: usize, from: f64, size: f64| {
            let index = index as f64;
            ((index + 1.0).min(from + size) - index.max(from)).max(0.0)
        };
        let reach = |from: f64, size: f64, most: usize| {
            let from = from.max(0.0) as usize;
            from.min(most)..((from as f64 + size).ceil() as usize + 1).min(most)
        };
        let mut held = 0.0;
        for row in reach(y, height, self.height) {
            for column in reach(x, width, self.width) {
                if self.inside[row * self.width + column] {
                    held += overlap(row, y, height) * overlap(column, x, width);
                }
            }
        }
        held / (width * height)
    }

    pub(super) fn pixels(&self) -> impl Iterator<Item = u8> + '_ {
        self.inside.iter().map(|inside| u8::from(*inside))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A share is the number of points of a fine grid over the area that lie in a box.
    #[test]
    fn a_share_is_the_part_of_an_area_in_the_boxes() {
        let boxes = [[2, 1, 5, 4], [4, 3, 9, 6], [0, 0, 1, 1]];
        let region = Region::of_boxes([10, 7], &boxes).unwrap();
        for area in [
            [0.0, 0.0, 10.0, 7.0],
            [2.0, 1.0, 3.0, 3.0],
            [1.5, 0.25, 2.75, 2.5],
            [8.5, 5.5, 1.5, 1.5],
            [5.0, 0.0, 2.0, 2.0],
            [0.25, 0.25, 0.5, 0.5],
        ] {
            let [x, y, width, height] = area.map(f64::from);
            let steps = 200;
            let mut held = 0;
            for i in 0..steps {
                for j in 0..steps {
                    let at = |from: f64, size: f64, k: usize| {
                        from + size * (k as f64 + 0.5) / f64::from(steps as u32)
                    };
                    let (px, py) = (at(x, width, i), at(y, height, j));
                    let within = |[x0, y0, x1, y1]: &[usize; 4]| {
                        (*x0 as f64..*x1 as f64).contains(&px)
                            && (*y0 as f64..*y1 as f64).contains(&py)
                    };
                    held += usize::from(boxes.iter().any(within));
                }
            }
            let expected = held as f64 / (steps * steps) as f64;
            let found = region.share(area);
            assert!(
                (found - expected).abs() < 0.01,
                "{area:?}: {found} {expected}"
            );
        }
    }
}
