//! The colors of drawings. `html/style.css` has the same ones, and darker ones for dark pages.

/// Blue marks evidence for the target. The numbers are the red, green and blue parts, from 0 to
/// 255.
pub(crate) const FOR: [u8; 3] = [30, 100, 200];
/// Red marks evidence against it.
pub(crate) const AGAINST: [u8; 3] = [214, 66, 36];
/// How opaque the color of the strongest word or patch is, in `[0, 1]`.
pub(crate) const DEPTH: f32 = 0.68;

/// The color of a shade in `[-1, 1]`, and how opaque it is.
pub(crate) fn color(shade: f32) -> ([u8; 3], f32) {
    let color = if shade > 0.0 { FOR } else { AGAINST };
    (color, DEPTH * shade.abs())
}
