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
    let data = STANDARD.encode(png(DynamicImage::ImageRgb8(picture.to_rgb8())));
    format!("--picture:url(data:image/png;base64,{data})")
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
