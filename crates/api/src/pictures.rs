//! The pictures of a request.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::ask::take;
use crate::question::Item;
use crate::refusal::Refusal;

/// A picture: its bytes in base64, with a name if it has one.
#[derive(Deserialize)]
#[serde(
    untagged,
    expecting = "it is neither base64 nor an object with `name` and `data`"
)]
enum Picture {
    Bytes(String),
    Named { name: String, data: String },
}

impl Picture {
    fn item(self) -> Result<Item, Refusal> {
        let (name, data) = match self {
            Self::Bytes(data) => ("picture".to_owned(), data),
            Self::Named { name, data } => (name, data),
        };
        let bytes = STANDARD.decode(data.as_bytes());
        let bytes =
            bytes.map_err(|error| Refusal::bad(format!("`{name}` is not base64: {error}")))?;
        Ok(Item {
            text: name,
            second: None,
            picture: Some(bytes),
        })
    }
}

/// Takes the picture, or the pictures, out of a body; none if it has neither.
pub(crate) fn pictures(body: &mut Map<String, Value>) -> Result<Option<Vec<Item>>, Refusal> {
    let picture: Option<Picture> = take(body, "picture")?;
    let pictures: Option<Vec<Picture>> = take(body, "pictures")?;
    match (picture, pictures) {
        (None, None) => Ok(None),
        (Some(picture), None) => Ok(Some(vec![picture.item()?])),
        (None, Some(pictures)) => {
            let items = pictures.into_iter().map(Picture::item);
            items.collect::<Result<_, _>>().map(Some)
        }
        (Some(_), Some(_)) => Err(Refusal::bad("give one of `picture` and `pictures`")),
    }
}
