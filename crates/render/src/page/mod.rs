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
//! | `form.js` | the fields and menus of a question |
//! | `question.js` | a question as fields of the page, as a part of an address, and as a request |
//! | `ask.js` | requests to the server |
//! | `alone.js` | in its place where there is no server: requests to a worker |
//! | `worker.js` | the worker, which runs relprop itself, compiled to WebAssembly |
//! | `open.js` | `relprop-open`: a folder that is chosen or dropped |
//! | `words.js` | the words of a heat map as buttons, and what can be done with one |
//! | `change.js` | `relprop-changes`: what a change promised, and what it did |
//! | `curve.js` | `relprop-curve`: words are removed one after another |
//! | `language.js` | `relprop-continuation`: which tokens drove which |
//! | `similar.js` | `relprop-pairs`: lines between the words of two texts |
//! | `towers.js` | `relprop-texts`: how well each text fits a picture |
//! | `earlier.js` | `relprop-earlier`: earlier questions |
//! | `save.js` | files to keep |
//! | `draw.js` | elements, numbers and colors |
//!
//! Everything that comes from a model or a person is put into the page as text. Only fragments are put in as HTML,
//! and the writers in [`html`](mod@crate::html) escape what is in them. The page needs no style or script but its
//! files, so a `content-security-policy: default-src 'self'; img-src 'self' data: blob:` holds. Without a server it
//! says so itself, with `script-src 'self' 'wasm-unsafe-eval'`, which WebAssembly needs.

use std::sync::LazyLock;

use maud::{DOCTYPE, html as markup};

use crate::html::STYLE;

/// What a page is made for.
#[derive(Clone, Debug, Default)]
pub struct PageOptions {
    /// The title of the browser's tab; `relprop` if it is empty.
    pub title: String,
    /// Whether there is no server: a worker of the page itself answers, about models whose files it is given.
    pub alone: bool,
}

/// A file of the page.
#[derive(Clone, Copy, Debug)]
pub struct Asset {
    /// Where the document asks for it, from its own place: `/page/page.js`.
    pub path: &'static str,
    /// What it is: the header `content-type`.
    pub mime: &'static str,
    /// What is in it.
    pub bytes: &'static [u8],
}

/// What a page without a server may load and run: the files that came with it.
const POLICY: &str = "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; img-src 'self' data: blob:; \
                      base-uri 'none'; form-action 'none'; object-src 'none'";

/// The document. It asks for its [`assets`], and then `GET /api/model` what can be asked; or, alone, its worker.
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
                @if options.alone { meta http-equiv="content-security-policy" content=(POLICY); }
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (title) }
                link rel="icon" href="page/icon.svg";
                link rel="stylesheet" href="page/report.css";
                link rel="stylesheet" href="page/page.css";
                script type="module" src="page/page.js" {}
                @if options.alone { script type="module" src="page/open.js" {} }
            }
            body.relprop {
                @if options.alone { relprop-open {} }
                relprop-page { noscript { "This page asks the model with a script." } }
            }
        }
    };
    page.into_string()
}

/// A file of this folder, under the name by which the document knows it.
macro_rules! file {
    ($name:literal, $mime:literal) => {
        file!($name, $name, $mime)
    };
    ($known:literal, $name:literal, $mime:literal) => {
        Asset {
            path: concat!("/page/", $known),
            mime: $mime,
            bytes: include_bytes!($name),
        }
    };
}

/// The files of every page, but for how it asks.
fn common() -> Vec<Asset> {
    vec![
        Asset {
            path: "/page/report.css",
            mime: "text/css; charset=utf-8",
            bytes: STYLE.as_bytes(),
        },
        file!("page.css", "text/css; charset=utf-8"),
        file!("icon.svg", "image/svg+xml"),
        file!("page.js", "text/javascript; charset=utf-8"),
        file!("form.js", "text/javascript; charset=utf-8"),
        file!("question.js", "text/javascript; charset=utf-8"),
        file!("words.js", "text/javascript; charset=utf-8"),
        file!("change.js", "text/javascript; charset=utf-8"),
        file!("curve.js", "text/javascript; charset=utf-8"),
        file!("language.js", "text/javascript; charset=utf-8"),
        file!("similar.js", "text/javascript; charset=utf-8"),
        file!("towers.js", "text/javascript; charset=utf-8"),
        file!("earlier.js", "text/javascript; charset=utf-8"),
        file!("save.js", "text/javascript; charset=utf-8"),
        file!("draw.js", "text/javascript; charset=utf-8"),
    ]
}

/// The files that the document asks for: modules, style sheets, and the sign in the browser's tab. Alone, it also needs
/// `/page/relprop.js` and `/page/relprop_bg.wasm`, which the crate `relprop-wasm` is built to.
pub fn assets(options: &PageOptions) -> &'static [Asset] {
    static SERVED: LazyLock<Vec<Asset>> = LazyLock::new(|| {
        let mut assets = common();
        assets.push(file!("ask.js", "text/javascript; charset=utf-8"));
        assets
    });
    static ALONE: LazyLock<Vec<Asset>> = LazyLock::new(|| {
        let mut assets = common();
        assets.extend([
            file!("ask.js", "alone.js", "text/javascript; charset=utf-8"),
            file!("open.js", "text/javascript; charset=utf-8"),
            file!("worker.js", "text/javascript; charset=utf-8"),
        ]);
        assets
    });
    match options.alone {
        true => &ALONE,
        false => &SERVED,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    /// The page of a server, and the page alone.
    const PAGES: [bool; 2] = [false, true];

    fn of(alone: bool) -> PageOptions {
        PageOptions {
            alone,
            ..PageOptions::default()
        }
    }

    fn scripts(options: &PageOptions) -> impl Iterator<Item = (&'static str, &'static str)> {
        let scripts = assets(options).iter();
        let scripts = scripts.filter(|asset| asset.mime.contains("script"));
        scripts.map(|asset| (asset.path, str::from_utf8(asset.bytes).unwrap()))
    }

    /// Every file that is asked for is there, and nothing is asked for elsewhere.
    #[test]
    fn files_ask_for_files_that_are_there() {
        for options in PAGES.map(of) {
            let built = ["/page/relprop.js"];
            let known = |path: &str| {
                let mut assets = assets(&options).iter();
                assets.any(|asset| asset.path == path) || options.alone && built.contains(&path)
            };
            let page = document(&options);
            let linked = page.split('"').filter(|part| part.starts_with("page/"));
            let linked: Vec<String> = linked.map(|path| format!("/{path}")).collect();
            assert_eq!(
                linked.len(),
                if options.alone { 5 } else { 4 },
                "{linked:?}"
            );
            assert!(linked.iter().all(|path| known(path)), "{linked:?}");
            let mut imports = 0;
            for (_, text) in scripts(&options) {
                for line in text.lines().filter(|line| line.starts_with("import ")) {
                    let (_, name) = line.split_once("\"./").expect("a file beside it");
                    let path = format!("/page/{}", name.trim_end_matches("\";"));
                    assert!(known(&path), "{path}");
                    imports += 1;
                }
            }
            assert!(imports > 8, "{imports}");
        }
    }

    /// Texts are set as texts: one function alone takes HTML, and it takes fragments.
    #[test]
    fn nothing_but_fragments_is_html() {
        for options in PAGES.map(of) {
            let mut parsed = 0;
            for (path, text) in scripts(&options) {
                for sign in [
                    "innerHTML",
                    "outerHTML",
                    "insertAdjacentHTML",
                    "document.write",
                    "eval(",
                    "http:",
                ] {
                    let name = text.replace("http://www.w3.org/", "");
                    assert!(!name.contains(sign), "{sign} is in {path}");
                }
                parsed += text.matches("DOMParser").count();
            }
            assert_eq!(parsed, 1);
        }
    }

    /// What replaces the requests to a server has all that the page asks for.
    #[test]
    fn both_ways_to_ask_have_the_same_functions() {
        let [served, alone] = PAGES.map(|alone| {
            let (_, text) = scripts(&of(alone))
                .find(|(path, _)| *path == "/page/ask.js")
                .unwrap();
            let exported = text.lines().filter_map(|line| line.strip_prefix("export "));
            let names = exported.filter_map(|line| line.split([' ', '(']).nth(1));
            names.collect::<BTreeSet<_>>()
        });
        assert!(
            served.len() > 4 && served.is_subset(&alone),
            "{served:?} {alone:?}"
        );
    }

    #[test]
    fn a_title_is_escaped() {
        let options = PageOptions {
            title: "<i>".to_owned(),
            ..PageOptions::default()
        };
        let page = document(&options);
        assert!(page.contains("<title>&lt;i&gt;</title>"), "{page}");
        for sign in [" style=", "<style", "onclick"] {
            assert!(!page.contains(sign), "{sign}");
        }
    }
}
