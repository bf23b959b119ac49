//! Heat maps, one under the other.

use relprop_render as render;

use super::Sink;
use crate::bulk::Group;

pub(super) struct HeatMaps {
    pub(super) width: usize,
    pub(super) colour: bool,
}

impl Sink for HeatMaps {
    fn file(&self, group: &Group) -> anyhow::Result<Vec<u8>> {
        let pictures = group.asked().map(|explanation| {
            let picture = render::ansi(explanation, self.width, self.colour);
            format!("{picture}\n")
        });
        Ok(pictures.collect::<String>().into_bytes())
    }
}
