//! The heat map of a picture in a report.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use image::DynamicImage;
use maud::{Markup, html as markup};

use super::minus;
use crate::numbers::{Numbers, Scale};
use crate::overlay::png;
use relprop_explain::{Explanation, PictureInfo};

/// Pictures with shorter sides are shown in visible pixels, not blurred.
const SMALL: u32 = 200;

/// The picture itself, which [`map`] refers to by its number. It is in the page, as a PNG.
pub(super) fn picture(info: &PictureInfo, picture: &DynamicImage, number: usize) -> Markup {
    let small = info.width.max(info.height) < SMALL;
    let data = STANDARD.encode(png(DynamicImage::ImageRgb8(picture.to_rgb8())));
    markup! {
        svg.picture viewBox={ "0 0 " (info.width) " " (info.height) } role="img" {
            image.pixelated[small] id={ "picture-" (number) } width=(info.width) height=(info.height)
                href={ "data:image/png;base64," (data) } {}
        }
    }
}

/// The patches in their colours, over picture `number` if it is in the page.
pub(super) fn map(explanation: &Explanation, info: &PictureInfo, number: Option<usize>) -> Markup {
    let scale = Scale::of(explanation);
    let numbers = Numbers::up_to(scale.largest());
    markup! {
        svg.picture viewBox={ "0 0 " (info.width) " " (info.height) } role="img" {
            @if let Some(number) = number {
                use.under href={ "#picture-" (number) } {}
            }
            @for patch in explanation.patches() {
                @let [x, y, width, height] = patch.area.unwrap_or_default();
                @let shade = scale.shade(patch.relevance);
                rect.p.against[shade < 0.0].for[shade >= 0.0] style={ (format!("--s:{:.3}", shade.abs())) }
                    x=(x) y=(y) width=(width) height=(height) {
                    title { (patch.text) " " (minus(&numbers.signed(patch.relevance))) }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::html::{Item, Report, html};
    use crate::sample;

    #[test]
    fn patches_lie_over_their_picture_once() {
        let explanations = [sample::picture(), sample::picture()];
        let drawn = DynamicImage::new_rgb8(6, 4);
        let page = |picture: Option<&DynamicImage>| {
            let items = [Item {
                explanations: &explanations,
                note: None,
                evidence: &[],
                picture,
            }];
            html(&Report {
                title: "T",
                facts: &[],
                items: &items,
            })
        };
        let with = page(Some(&drawn));
        assert_eq!(with.matches("data:image/png;base64,iVBORw0KGgo").count(), 1);
        assert_eq!(with.matches("href=\"#picture-1\"").count(), 2);
        let strong = "<rect class=\"p for\" style=\"--s:1.000\" x=\"0\" y=\"0\" width=\"2\" \
                      height=\"2\"><title>0,0 +2.00</title></rect>";
        assert!(with.contains(strong), "{with}");
        assert!(with.contains("<rect class=\"p against\" style=\"--s:0.500\" x=\"2\""));
        assert!(with.contains("<h2>Picture 1</h2>"));
        for sign in ["http", "src=", "url(", "@import"] {
            assert!(!with.contains(sign), "{sign} is in the page");
        }
        let without = page(None);
        assert!(without.contains("<rect") && !without.contains("href"));
    }
}
