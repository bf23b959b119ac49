//! Heat maps for the terminal, one below the other.

use relprop_engine::{Found, Group};
use relprop_render as render;

use super::{Format, Look, Sink, Writes};

pub(super) const FORMAT: Format = Format {
    name: "ansi",
    about: "A heat map for the terminal",
    endings: &["txt", "ansi"],
    pictures: true,
    continuations: true,
    labellings: true,
    compares: false,
    writes: Writes::AsItComes {
        table: false,
        only_to_file: false,
        sink: |look| Box::new(HeatMaps(look)),
    },
};

struct HeatMaps(Look);

impl Sink for HeatMaps {
    fn file(&self, group: &Group) -> anyhow::Result<Vec<u8>> {
        let Look { width, colour, .. } = self.0;
        let maps = group.found.iter().map(|found| match found {
            Found::Explanations(explanations) => {
                let map = render::ansi(&explanations[0], width, colour);
                format!("{map}\n")
            }
            Found::Continuation(continuation) => {
                render::continuation_ansi(continuation, width, colour)
            }
            Found::Labelling(labelling) => render::labelling_ansi(labelling, width, colour),
            Found::ZeroShot(found) => render::zero_shot_ansi(found, width, colour),
        });
        Ok(maps.collect::<String>().into_bytes())
    }
}
