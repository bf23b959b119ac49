//! The page and its files.

/// A file of the page.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Asset {
    /// Where it is asked for, from the root.
    pub(crate) path: &'static str,
    pub(crate) mime: &'static str,
    pub(crate) bytes: &'static [u8],
}

/// The page.
pub(crate) fn document() -> String {
    "<!DOCTYPE html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>relprop</title></head>\
     <body><main><h1>relprop</h1><p>The API is described at \
     <a href=\"/api/openapi.json\">/api/openapi.json</a>.</p></main></body></html>"
        .to_owned()
}

/// Its files.
pub(crate) fn assets() -> &'static [Asset] {
    &[]
}
