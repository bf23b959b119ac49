//! Texts of different lengths, or pictures, as one tensor.

use burn::tensor::{Bool, Device, Int, Tensor, TensorData};

use crate::{HIDDEN, TokenizedText};

/// On which side shorter texts are filled up. Explanations do not depend on it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PaddingSide {
    /// After the text.
    #[default]
    Right,
    /// Before the text.
    Left,
}

/// A batch of tokenised texts, or of pictures, padded to the length of the longest.
#[derive(Clone, Debug)]
pub struct Batch {
    /// Token ids, `[batch, position]`.
    pub ids: Tensor<2, Int>,
    /// Segment ids, `[batch, position]`.
    pub types: Tensor<2, Int>,
    /// Where in its text each token stands, counted from 0, `[batch, position]`. Padding stands
    /// at 0, where it is never looked at.
    pub positions: Tensor<2, Int>,
    /// True where there is padding, `[batch, position]`.
    pub padding: Tensor<2, Bool>,
    /// 1 at the first token of each text and 0 elsewhere, `[batch, 1, position]`.
    pub first: Tensor<3>,
    /// 1 at the token of each text that a language model continues from, and 0 elsewhere,
    /// `[batch, 1, position]`.
    pub read: Tensor<3>,
    /// The numbers of each patch, `[batch, patch, number]`, zero where it is hidden; none for texts. A
    /// patch stands at the position of its token, less the tokens before all patches.
    pub pixels: Option<Tensor<3>>,
    /// Where each text begins and ends along `position`.
    pub spans: Vec<std::ops::Range<usize>>,
}

impl Batch {
    /// Puts `texts` side by side on `device`, filled up with the token `padding_token`.
    pub fn new<'a>(
        texts: impl IntoIterator<Item = &'a TokenizedText>,
        padding_token: u32,
        side: PaddingSide,
        device: &Device,
    ) -> Self {
        let texts: Vec<_> = texts.into_iter().collect();
        let width = texts
            .iter()
            .map(|text| text.tokens.len())
            .max()
            .unwrap_or(0);
        let shape = [texts.len(), width];
        let spans: Vec<_> = texts
            .iter()
            .map(|text| match side {
                PaddingSide::Right => 0..text.tokens.len(),
                PaddingSide::Left => width - text.tokens.len()..width,
            })
            .collect();

        // Lays out one number a token, with `fill` around each text.
        let layout = |fill: i64, number: &dyn Fn(&TokenizedText, usize) -> i64| {
            let mut values = vec![fill; shape[0] * shape[1]];
            for (row, (text, span)) in texts.iter().zip(&spans).enumerate() {
                for (index, position) in span.clone().enumerate() {
                    values[row * width + position] = number(text, index);
                }
            }
            values
        };
        let tensor =
            |values: Vec<i64>| Tensor::<2, Int>::from_data(TensorData::new(values, shape), device);

        let first = layout(0, &|_, index| i64::from(index == 0));
        let read = layout(0, &|text, index| i64::from(index == text.read()));
        // A patch keeps its place when others are gone.
        let place = |text: &TokenizedText, index: usize| match &text.picture {
            Some(picture) => picture.place(&text.tokens[index]).unwrap_or(index) as i64,
            None => index as i64,
        };
        Self {
            ids: tensor(layout(padding_token.into(), &|text, i| {
                text.tokens[i].id.into()
            })),
            types: tensor(layout(0, &|text, i| text.types[i].into())),
            positions: tensor(layout(0, &place)),
            padding: tensor(layout(1, &|_, _| 0)).bool(),
            first: tensor(first).float().unsqueeze_dim(1),
            read: tensor(read).float().unsqueeze_dim(1),
            pixels: pixels(&texts, width, device),
            spans,
        }
    }
}

/// The numbers of all patches, if these are pictures.
fn pixels(texts: &[&TokenizedText], width: usize, device: &Device) -> Option<Tensor<3>> {
    let first = texts.first()?.picture.as_ref()?;
    let special = texts[0].tokens.iter().filter(|token| token.special).count();
    let (patches, numbers) = (width - special, first.numbers());
    let mut values = vec![0.0; texts.len() * patches * numbers];
    for (text, row) in texts
        .iter()
        .zip(values.chunks_mut((patches * numbers).max(1)))
    {
        let tokens = text.tokens.iter().filter(|token| !token.special);
        for (token, values) in tokens.zip(row.chunks_mut(numbers)) {
            let picture = text.picture.as_ref().filter(|_| token.id != HIDDEN);
            if let Some(patch) = picture
                .zip(token.word)
                .map(|(p, word)| p.patch(word as usize))
            {
                values.copy_from_slice(patch);
            }
        }
    }
    let data = TensorData::new(values, [texts.len(), patches, numbers]);
    Some(Tensor::from_data(data, device))
}
