//! The heat map of a picture, as a drawing of its patches.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use image::DynamicImage;
use maud::{Markup, html as markup};
use relprop_explain::{Explanation, PictureInfo};

use super::{minus, shaded};
use crate::numbers::Scale;
use crate::png::png;

/// Pictures with shorter sides are shown in visible pixels, not blurred.
const SMALL: u32 = 200;

/// The style of an element whose [pictures](picture) and [maps](map) show `picture`. It holds the
/// picture itself, as a PNG, once for all of them.
pub(super) fn style(picture: &DynamicImage) -> String {
    format!("--picture:url({})", address(picture))
}

/// The picture itself in an address, as a PNG.
fn address(picture: &DynamicImage) -> String {
    let data = STANDARD.encode(png(DynamicImage::ImageRgb8(picture.to_rgb8())));
    format!("data:image/png;base64,{data}")
}

/// The picture itself.
pub(super) fn picture(info: &PictureInfo) -> Markup {
    frame(&shown(info, false), &drawing(info, &markup! {}))
}

/// The patches in their colors, over the picture in gray if `over` says that there is one.
pub(super) fn map(explanation: &Explanation, info: &PictureInfo, over: bool) -> Markup {
    let scale = Scale::of(explanation);
    let numbers = scale.numbers();
    let under = match over {
        true => shown(info, true),
        false => markup! {},
    };
    let patches = markup! {
            @for patch in explanation.patches() {
                @let [x, y, width, height] = patch.area.unwrap_or_default();
                @let shade = scale.shade(patch.relevance);
                rect class={ "p " (shaded(shade)) }
                    x=(x) y=(y) width=(width) height=(height) {
                    title { (patch.text) " " (minus(&numbers.signed(patch.relevance))) }
                }
            }
    };
    frame(&under, &drawing(info, &patches))
}

/// A line between a patch of one picture and one of another.
pub(super) struct Linked {
    /// The places of both patches.
    pub(super) places: [usize; 2],
    pub(super) shade: f32,
    /// What it stands for.
    pub(super) title: String,
}

/// How high two pictures are drawn that stand side by side, and how far apart.
const HEIGHT: f32 = 100.0;
const GAP: f32 = 25.0;

/// Two pictures side by side, in gray if they are given, and lines between their patches.
pub(super) fn linked(
    both: &[Explanation; 2],
    pictures: Option<[&DynamicImage; 2]>,
    lines: &[Linked],
) -> Markup {
    // Of each picture, how large it is drawn.
    let drawn = both.each_ref().map(|one| {
        let info = one.subject.picture();
        let [width, height] = info.map_or([1, 1], |info| [info.width, info.height]);
        let scale = HEIGHT / height.max(1) as f32;
        (width as f32 * scale, scale, width.max(height) < SMALL)
    });
    let left = [0.0, drawn[0].0 + GAP];
    let centers = [0, 1].map(|index| {
        let patches = both[index].patches().map(|patch| {
            let [x, y, width, height] = patch.area.unwrap_or_default();
            let scale = drawn[index].1;
            let [x, y] = [x + width / 2.0, y + height / 2.0].map(|place| place * scale);
            [x + left[index], y]
        });
        patches.collect::<Vec<_>>()
    });
    let width = left[1] + drawn[1].0;
    markup! {
        div.linked {
            svg viewBox={ "0 0 " (width) " " (HEIGHT) } role="img" aria-label="pairs of patches" {
                @for index in [0, 1] {
                    @let (width, _, small) = drawn[index];
                    @if let Some(pictures) = pictures {
                        image.gray.pixelated[small] href=(address(pictures[index])) x=(left[index]) width=(width)
                            height=(HEIGHT) preserveAspectRatio="none" {}
                    } @else {
                        rect.frame x=(left[index]) width=(width) height=(HEIGHT) {}
                    }
                }
                // The strongest is drawn last, over the others.
                @for line in lines.iter().rev() {
                    @let [x1, y1] = centers[0][line.places[0]];
                    @let [x2, y2] = centers[1][line.places[1]];
                    line class={ "link " (shaded(line.shade)) } x1=(x1) y1=(y1) x2=(x2) y2=(y2) {
                        title { (minus(&line.title)) }
                    }
                }
            }
        }
    }
}

/// The pixels, in color or in gray.
fn shown(info: &PictureInfo, gray: bool) -> Markup {
    let small = info.width.max(info.height) < SMALL;
    markup! { i.pixels.gray[gray].pixelated[small] {} }
}

/// A drawing of the picture's shape.
fn drawing(info: &PictureInfo, inside: &Markup) -> Markup {
    markup! { svg viewBox={ "0 0 " (info.width) " " (info.height) } role="img" aria-label="patches" { (inside) } }
}

/// A box of the shape of the drawing in it.
fn frame(under: &Markup, over: &Markup) -> Markup {
    markup! { div.picture { (under) (over) } }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures;
    use crate::html::{Item, Report, html};

    #[test]
    fn patches_lie_over_their_picture_once() {
        let explanations = [fixtures::picture(), fixtures::picture()];
        let drawn = DynamicImage::new_rgb8(6, 4);
        let page = |picture: Option<&DynamicImage>| {
            let items = [Item {
                explanations: &explanations,
                note: None,
                evidence: &[],
                picture,
            }];
            let report = Report {
                title: "T",
                facts: &[],
                items: &items,
            };
            html(&report).fragment()
        };
        let with = page(Some(&drawn));
        let data = "style=\"--picture:url(data:image/png;base64,iVBORw0KGgo";
        assert_eq!(with.matches(data).count(), 1);
        assert_eq!(with.matches("<i class=\"pixels pixelated\">").count(), 1);
        assert_eq!(
            with.matches("<i class=\"pixels gray pixelated\">").count(),
            2
        );
        let strong = "<rect class=\"p for s50\" x=\"0\" y=\"0\" width=\"2\" \
                      height=\"2\"><title>0,0 +2.00</title></rect>";
        assert!(with.contains(strong), "{with}");
        assert!(with.contains("<rect class=\"p against s25\" x=\"2\""));
        assert!(with.contains("<h2>Picture 1</h2>"));
        for sign in ["http", "src=", "url(h", "@import"] {
            assert!(!with.contains(sign), "{sign} is in the page");
        }
        let without = page(None);
        assert!(without.contains("<rect") && !without.contains("<i class=\"pixels"));
    }
}
