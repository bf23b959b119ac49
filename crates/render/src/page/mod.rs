//! The page: a text is typed, and the answer of the model stands beside why it is so.
//!
//! What a report has of a text, the page shows as it stands: the same elements, under the same style sheet. It
//! gets them as fragments from whoever answers its questions. Its own files add what a report lacks: questions, and
//! words that can be taken away. They are plain ES modules and custom elements; a browser needs nothing else, and
//! nothing is built.
//!
//! | file | what is in it |
//! | --- | --- |
//! | `page.js` | `relprop-page`: what is asked, by menus and by the address, and what is shown |
//! | `question.js` | a question as fields of the page, as a part of an address, and as a request |
//! | `ask.js` | requests to the server |
//! | `words.js` | the words of a heat map as buttons, and what can be done with one |
//! | `change.js` | `relprop-changes`: what a change promised, and what it did |
//! | `curve.js` | `relprop-curve`: words are removed one after another |
//! | `language.js` | `relprop-continuation`: which tokens drove which |
//! | `similar.js` | `relprop-pairs`: lines between the words of two texts |
//! | `save.js` | files to keep |
//! | `draw.js` | elements, numbers and colors |
//!
//! Everything that comes from a model or a person is put into the page as text. Only fragments are put in as HTML,
//! and the writers in [`html`](mod@crate::html) escape what is in them. The page needs no style or script but its
//! files, so a `content-security-policy: default-src 'self'; img-src 'self' data: blob:` holds.

use std::sync::LazyLock;

use maud::{DOCTYPE, html as markup};

use crate::html::STYLE;

/// What a page is made for.
#[derive(Clone, Debug, Default)]
pub struct PageOptions {
    /// The title of the browser's tab; `relprop` if it is empty.
    pub title: String,
}

/// A file of the page.
#[derive(Clone, Copy, Debug)]
pub struct Asset {
    /// Where the document asks for it, from the root: `/page/page.js`.
    pub path: &'static str,
    /// What it is: the header `content-type`.
    pub mime: &'static str,
    /// What is in it.
    pub bytes: &'static [u8],
}

/// The document. It asks for its [`assets`], and then `GET /api/model` what can be asked.
pub fn document(options: &PageOptions) -> String {
    let title = match options.title.as_str() {
        "" => "relprop",
        title => title,
    };
    let page = markup! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (title) }
                link rel="icon" href="/page/icon.svg";
                link rel="stylesheet" href="/page/report.css";
                link rel="stylesheet" href="/page/page.css";
                script type="module" src="/page/page.js" {}
            }
            body.relprop {
                relprop-page { noscript { "This page asks the model with a script." } }
            }
        }
    };
    page.into_string()
}

/// A file of this folder.
macro_rules! file {
    ($name:literal, $mime:literal) => {
        Asset {
            path: concat!("/page/", $name),
            mime: $mime,
            bytes: include_bytes!($name),
        }
    };
}

/// The files that the document asks for: modules, style sheets, and the sign in the browser's tab.
pub fn assets() -> &'static [Asset] {
    static ASSETS: LazyLock<Vec<Asset>> = LazyLock::new(|| {
        vec![
            Asset {
                path: "/page/report.css",
                mime: "text/css; charset=utf-8",
                bytes: STYLE.as_bytes(),
            },
            file!("page.css", "text/css; charset=utf-8"),
            file!("icon.svg", "image/svg+xml"),
            file!("page.js", "text/javascript; charset=utf-8"),
            file!("question.js", "text/javascript; charset=utf-8"),
            file!("ask.js", "text/javascript; charset=utf-8"),
            file!("words.js", "text/javascript; charset=utf-8"),
            file!("change.js", "text/javascript; charset=utf-8"),
            file!("curve.js", "text/javascript; charset=utf-8"),
            file!("language.js", "text/javascript; charset=utf-8"),
            file!("similar.js", "text/javascript; charset=utf-8"),
            file!("save.js", "text/javascript; charset=utf-8"),
            file!("draw.js", "text/javascript; charset=utf-8"),
        ]
    });
    &ASSETS
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every file that is asked for is there, and nothing is asked for elsewhere.
    #[test]
    fn files_ask_for_files_that_are_there() {
        let known = |path: &str| assets().iter().any(|asset| asset.path == path);
        let page = document(&PageOptions::default());
        let linked = page.split(['"', '\'']).filter(|part| part.starts_with('/'));
        let linked: Vec<&str> = linked.collect();
        assert_eq!(linked.len(), 4, "{linked:?}");
        assert!(linked.iter().all(|path| known(path)), "{linked:?}");
        let modules = assets()
            .iter()
            .filter(|asset| asset.mime.contains("script"));
        let mut imports = 0;
        for module in modules {
            let text = str::from_utf8(module.bytes).unwrap();
            for line in text.lines().filter(|line| line.starts_with("import ")) {
                let (_, name) = line.split_once("\"./").expect("a file beside it");
                let path = format!("/page/{}", name.trim_end_matches("\";"));
                assert!(known(&path), "{path}");
                imports += 1;
            }
        }
        assert!(imports > 8, "{imports}");
    }

    /// Texts are set as texts: one function alone takes HTML, and it takes fragments.
    #[test]
    fn nothing_but_fragments_is_html() {
        let mut parsed = 0;
        for asset in assets()
            .iter()
            .filter(|asset| asset.mime.contains("script"))
        {
            let text = str::from_utf8(asset.bytes).unwrap();
            for sign in [
                "innerHTML",
                "outerHTML",
                "insertAdjacentHTML",
                "document.write",
                "eval(",
                "http:",
            ] {
                let name = text.replace("http://www.w3.org/", "");
                assert!(!name.contains(sign), "{sign} is in {}", asset.path);
            }
            parsed += text.matches("DOMParser").count();
        }
        assert_eq!(parsed, 1);
    }

    #[test]
    fn a_title_is_escaped() {
        let options = PageOptions {
            title: "<i>".to_owned(),
        };
        let page = document(&options);
        assert!(page.contains("<title>&lt;i&gt;</title>"), "{page}");
        for sign in [" style=", "<style", "onclick"] {
            assert!(!page.contains(sign), "{sign}");
        }
    }
}
