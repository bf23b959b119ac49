//! The shades of a heat map in a terminal.
//!
//! 256 colors, not 24 bit: every terminal of the last twenty years has the same 6 x 6 x 6 cube,
//! and those that lack true color show garbage instead. The first 16 colors are left alone,
//! because every user's theme has its own.

use anstyle::{Ansi256Color, Style};

/// From weak to strong, for the target.
const FOR: [u8; STEPS] = [153, 75, 33, 26, 25];
/// From weak to strong, against the target.
const AGAINST: [u8; STEPS] = [224, 217, 210, 203, 160];
/// How many shades a direction has.
pub(super) const STEPS: usize = 5;
/// A word below this fraction of the strongest has no color.
const NEUTRAL: f32 = 0.05;

const BLACK: u8 = 16;
const WHITE: u8 = 231;

/// How strong a shade in `[-1, 1]` is, in steps: 0 is neutral, [`STEPS`] the strongest.
pub(super) fn step(shade: f32) -> usize {
    let strength = shade.abs();
    if strength < NEUTRAL {
        0
    } else {
        ((strength * STEPS as f32).ceil() as usize).min(STEPS)
    }
}

/// The style of a word with a shade in `[-1, 1]`: blue is for the target, red against it.
pub(super) fn style(shade: f32) -> Style {
    let Some(step) = step(shade).checked_sub(1) else {
        return Style::new();
    };
    let back = if shade > 0.0 {
        FOR[step]
    } else {
        AGAINST[step]
    };
    let front = if contrast(back, BLACK) > contrast(back, WHITE) {
        BLACK
    } else {
        WHITE
    };
    Style::new()
        .bg_color(Some(Ansi256Color(back).into()))
        .fg_color(Some(Ansi256Color(front).into()))
}

/// The contrast of two colors of the cube by WCAG 2, between 1 and 21.
fn contrast(a: u8, b: u8) -> f32 {
    let (a, b) = (luminance(a), luminance(b));
    (a.max(b) + 0.05) / (a.min(b) + 0.05)
}

/// The relative luminance, in `[0, 1]`, of a color of the cube, which starts at 16.
fn luminance(color: u8) -> f32 {
    let index = color.saturating_sub(16);
    let linear = |digit: u8| {
        let level = if digit == 0 {
            0.0
        } else {
            f32::from(55 + 40 * digit) / 255.0
        };
        if level <= 0.04045 {
            level / 12.92
        } else {
            ((level + 0.055) / 1.055).powf(2.4)
        }
    };
    0.2126 * linear(index / 36) + 0.7152 * linear(index / 6 % 6) + 0.0722 * linear(index % 6)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_shade_is_legible() {
        for back in FOR.into_iter().chain(AGAINST) {
            let best = contrast(back, BLACK).max(contrast(back, WHITE));
            assert!(best >= 4.5, "color {back} has a contrast of {best}");
        }
        assert!((contrast(BLACK, WHITE) - 21.0).abs() < 1e-3);
    }

    #[test]
    fn stronger_is_darker() {
        for ramp in [FOR, AGAINST] {
            assert!(
                ramp.windows(2)
                    .all(|pair| luminance(pair[0]) > luminance(pair[1]))
            );
        }
    }

    #[test]
    fn steps_run_from_neutral_to_strongest() {
        assert_eq!(
            [0.0, 0.04, 0.05, -0.2, 0.5, -1.0].map(step),
            [0, 0, 1, 1, 3, 5]
        );
        assert_eq!(style(0.01), Style::new());
        assert_ne!(style(0.5), style(-0.5));
    }
}
