//! Texts of different lengths, or pictures, as one tensor.

use std::ops::Range;

use burn::tensor::{Bool, Device, Int, Tensor, TensorData};

use crate::{AnswersAt, PATCH_HIDDEN, Picture, TokenizedText};

/// On which side shorter texts are padded. Explanations do not depend on it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PaddingSide {
    /// After the text.
    #[default]
    Right,
    /// Before the text.
    Left,
}

/// A batch of tokenized texts, or of pictures, padded to the length of the longest.
#[derive(Clone, Debug)]
pub struct Batch {
    /// What the model reads.
    pub input: BatchInput,
    /// The position of each token in its text, counted from 0, `[batch, position]`. Padding has
    /// position 0, which has no effect because no token attends to it.
    pub positions: Tensor<2, Int>,
    /// True where there is padding, `[batch, position]`.
    pub padding: Tensor<2, Bool>,
    /// Where each text begins and ends along `position`.
    pub spans: Vec<Range<usize>>,
    /// How many tokens of each stand before its patches; 0 for a text.
    special: Vec<usize>,
    /// The tokens that each text [asks](TokenizedText::asked), at least one, in the order of the text.
    asked: Vec<Vec<usize>>,
    /// How many positions are those of a source.
    source: usize,
}

/// What a model reads of a batch.
#[derive(Clone, Debug)]
#[allow(clippy::large_enum_variant, reason = "a batch has one of them")]
pub enum BatchInput {
    /// The tokens of texts.
    Tokens {
        /// Token ids, `[batch, position]`.
        ids: Tensor<2, Int>,
        /// Segment ids, `[batch, position]`.
        types: Tensor<2, Int>,
    },
    /// The patches of pictures: the numbers of each patch, `[batch, patch, number]`, zero where it
    /// is hidden. The index of a patch is the position of its token, minus the number of tokens
    /// before all patches.
    Patches(Tensor<3>),
}

impl Batch {
    /// Makes one batch of `texts` on `device`, padded with the token `padding_token`. They must be
    /// all texts, or all pictures of one size. Where texts have a [source](TokenizedText::source), padding of it stands
    /// before it, and padding of the output after that, whatever `side` is: a text's tokens stand next to one another.
    pub fn new<'a>(
        texts: impl IntoIterator<Item = &'a TokenizedText>,
        padding_token: u32,
        side: PaddingSide,
        device: &Device,
    ) -> Self {
        let texts: Vec<_> = texts.into_iter().collect();
        let longest = |length: &dyn Fn(&TokenizedText) -> usize| {
            texts.iter().map(|text| length(text)).max().unwrap_or(0)
        };
        let source = longest(&|text| text.source);
        let width = source + longest(&|text| text.tokens.len() - text.source);
        let shape = [texts.len(), width];
        let spans: Vec<_> = texts
            .iter()
            .map(|text| {
                let length = text.tokens.len();
                let start = match side {
                    _ if source > 0 => source - text.source,
                    PaddingSide::Right => 0,
                    PaddingSide::Left => width - length,
                };
                start..start + length
            })
            .collect();

        // Lays out one number for each token, with `fill` around each text.
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

        // A patch keeps its place when others are gone.
        let place = |text: &TokenizedText, index: usize| {
            let patch = text.picture().zip(text.tokens[index].word);
            let place = patch.map(|(picture, patch)| picture.special() + patch as usize);
            // An output is counted from its own first token.
            let output = index.checked_sub(text.source);
            place.or(output).unwrap_or(index) as i64
        };
        let id = |text: &TokenizedText, index: usize| text.tokens[index].id.into();
        Self {
            input: match texts.first().and_then(|text| text.picture()) {
                None => BatchInput::Tokens {
                    ids: tensor(layout(padding_token.into(), &id)),
                    types: tensor(layout(0, &|text, i| text.types[i].into())),
                },
                Some(first) => BatchInput::Patches(pixels(first, &texts, width, device)),
            },
            positions: tensor(layout(0, &place)),
            padding: tensor(layout(1, &|_, _| 0)).bool(),
            spans,
            special: texts.iter().map(|text| special(text)).collect(),
            asked: texts.iter().map(|text| asked(text)).collect(),
            source,
        }
    }

    /// How many positions are those of a [source](TokenizedText::source), padding included. They stand first.
    pub fn source(&self) -> usize {
        self.source
    }

    /// The sources and the outputs, each as a batch of its own.
    pub(crate) fn parts(&self) -> [Self; 2] {
        let [_, width] = self.padding.dims();
        [0..self.source, self.source..width].map(|columns| {
            let cut =
                |numbers: &Tensor<2, Int>| numbers.clone().narrow(1, columns.start, columns.len());
            let spans = self.spans.iter().map(|span| {
                let place = |at: usize| at.clamp(columns.start, columns.end) - columns.start;
                place(span.start)..place(span.end)
            });
            Self {
                input: match &self.input {
                    BatchInput::Tokens { ids, types } => BatchInput::Tokens {
                        ids: cut(ids),
                        types: cut(types),
                    },
                    BatchInput::Patches(pixels) => BatchInput::Patches(pixels.clone()),
                },
                positions: cut(&self.positions),
                padding: self.padding.clone().narrow(1, columns.start, columns.len()),
                spans: spans.collect(),
                special: self.special.clone(),
                asked: Vec::new(),
                source: 0,
            }
        })
    }

    /// How much of each token's hidden state goes into each answer, `[batch, answer, position]`. A text
    /// that asks fewer tokens than another gets answers of nothing after its own. None where each token
    /// answers for itself.
    pub fn answers(&self, at: AnswersAt) -> Option<Tensor<3>> {
        let [texts, width] = self.padding.dims();
        let most = match at {
            AnswersAt::Each => return None,
            AnswersAt::First | AnswersAt::Mean | AnswersAt::Attended | AnswersAt::Patches => 1,
            AnswersAt::FirstAndPatches => 2,
            AnswersAt::Last => self.asked.iter().map(Vec::len).max().unwrap_or(1),
        };
        let mut shares = vec![0.0_f32; texts * most * width];
        let mean = |row: &mut [f32], span: Range<usize>| {
            row[span.clone()].fill((span.len() as f32).recip());
        };
        for (index, rows) in shares.chunks_mut((most * width).max(1)).enumerate() {
            let (span, asked) = (self.spans[index].clone(), &self.asked[index]);
            let patches = span.start + self.special[index]..span.end;
            match at {
                AnswersAt::Mean => mean(rows, span),
                AnswersAt::Attended => rows[span].fill(1.0),
                AnswersAt::Patches => mean(rows, patches),
                AnswersAt::FirstAndPatches => {
                    rows[span.start] = 1.0;
                    mean(&mut rows[width..], patches);
                }
                AnswersAt::Last => {
                    let rows = rows.chunks_mut(width);
                    rows.zip(asked)
                        .for_each(|(row, token)| row[span.start + token] = 1.0);
                }
                AnswersAt::First | AnswersAt::Each => rows[span.start] = 1.0,
            }
        }
        let shares = TensorData::new(shares, [texts, most, width]);
        Some(Tensor::from_data(shares, &self.padding.device()))
    }
}

/// How many tokens stand before the patches of a picture.
fn special(text: &TokenizedText) -> usize {
    let mut tokens = text.tokens.iter();
    let picture = text
        .picture()
        .map(|_| tokens.position(|token| !token.special));
    picture.map_or(0, |first| first.unwrap_or(text.tokens.len()))
}

/// The tokens that a text asks: those that it names, or its last one.
fn asked(text: &TokenizedText) -> Vec<usize> {
    let last = text.tokens.len().saturating_sub(1);
    match text.asked.as_slice() {
        [] => vec![last],
        asked => asked.iter().map(|&token| token.min(last)).collect(),
    }
}

/// The numbers of all patches of pictures like the `first`, `[batch, patch, number]`.
fn pixels(first: &Picture, texts: &[&TokenizedText], width: usize, device: &Device) -> Tensor<3> {
    let special = special(texts[0]);
    let (patches, numbers) = (width - special, first.numbers());
    let mut values = vec![0.0; texts.len() * patches * numbers];
    for (text, row) in texts
        .iter()
        .zip(values.chunks_mut((patches * numbers).max(1)))
    {
        let tokens = text.tokens.iter().filter(|token| !token.special);
        for (token, values) in tokens.zip(row.chunks_mut(numbers)) {
            let patch = text.picture().zip(token.word);
            let patch = patch.and_then(|(picture, word)| match token.id {
                PATCH_HIDDEN => picture.hidden_patch(word as usize),
                _ => Some(picture.patch(word as usize)),
            });
            if let Some(patch) = patch {
                values.copy_from_slice(patch);
            }
        }
    }
    let data = TensorData::new(values, [texts.len(), patches, numbers]);
    Tensor::from_data(data, device)
}
