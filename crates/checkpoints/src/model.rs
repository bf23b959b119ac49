//! A model with all that is needed to use it.

use image::DynamicImage;

use crate::{Family, PictureError, Preprocessor, TextError, Tokenizer, Truncation, Writing};
use relprop_transformer::{
    Head, InputConfig, Outputs, TextEnd, Token, TokenizedText, Transformer, VectorPooling,
};

/// A model with everything that is needed to use it on texts, or on pictures.
#[derive(Clone, Debug)]
pub struct Model {
    /// The network.
    pub transformer: Transformer,
    /// The tokenizer or the preprocessor.
    pub input: Input,
    /// The tokens that end what a language model writes; none if its files do not say it.
    pub ends: Vec<u32>,
    /// How it writes an output, if it has a decoder.
    pub writing: Writing,
    /// The layout that it was read from, or will be written in.
    pub family: &'static Family,
    /// The SHA-256 of the weights that it was read from, in hexadecimal: of the file, or of several
    /// files one after another.
    pub sha256: Option<String>,
}

/// What a model reads, with the tokenizer or the preprocessor that prepares it.
#[derive(Clone, Debug)]
pub enum Input {
    /// Texts, which a tokenizer splits into tokens.
    Text(Tokenizer),
    /// Pictures, which a preprocessor resizes, cuts and scales.
    Pictures(Preprocessor),
}

impl From<Tokenizer> for Input {
    fn from(tokenizer: Tokenizer) -> Self {
        Self::Text(tokenizer)
    }
}

impl From<Preprocessor> for Input {
    fn from(preprocessor: Preprocessor) -> Self {
        Self::Pictures(preprocessor)
    }
}

impl Model {
    /// A model of a new network, in the first family that can express it. A network that reads
    /// texts needs a [`Tokenizer`], one that reads pictures a [`Preprocessor`].
    pub fn new(transformer: Transformer, input: impl Into<Input>) -> Self {
        let family = Family::of(transformer.config());
        Self {
            transformer,
            input: input.into(),
            ends: Vec::new(),
            writing: Writing::default(),
            family,
            sha256: None,
        }
    }

    /// Its tokenizer, if it reads texts.
    pub fn tokenizer(&self) -> Option<&Tokenizer> {
        match &self.input {
            Input::Text(tokenizer) => Some(tokenizer),
            Input::Pictures(_) => None,
        }
    }

    /// Its preprocessor, if it reads pictures.
    pub fn preprocessor(&self) -> Option<&Preprocessor> {
        match &self.input {
            Input::Text(_) => None,
            Input::Pictures(preprocessor) => Some(preprocessor),
        }
    }

    /// The output whose logit has this index: a label, or a token as it would stand in a text.
    ///
    /// # Panics
    ///
    /// If there is no such label.
    pub fn output(&self, index: usize) -> String {
        let config = self.transformer.config();
        match config.head.outputs() {
            Outputs::Labels | Outputs::TokenLabels => config.labels[index].clone(),
            Outputs::StartAndEnd => ["start", "end"][index].to_owned(),
            Outputs::Vector => format!("feature {index}"),
            Outputs::Vocabulary => {
                let id = u32::try_from(index).ok();
                let text = id.and_then(|id| self.tokenizer()?.readable(id));
                // A model may have more logits than the tokenizer has tokens.
                text.unwrap_or_else(|| format!("token {index}"))
            }
        }
    }

    /// From which end a text that is too long is cut: the start if the tokenizer's files say so, the end if it is a source,
    /// else the end that [`Head::cuts_from`](relprop_transformer::Head::cuts_from) gives.
    pub fn cuts_from(&self) -> TextEnd {
        match self.tokenizer().is_some_and(Tokenizer::cuts_at_start) {
            true => TextEnd::Start,
            false if self.transformer.config().decoder.is_some() => TextEnd::End,
            false => self.transformer.config().head.cuts_from(),
        }
    }

    /// Splits a text, or a pair of texts, into tokens as the model reads them: where it has a decoder, with the tokens that
    /// this reads, after those of the [source](TokenizedText::source). A text that is too long
    /// is cut from the end that [`Model::cuts_from`] names.
    ///
    /// # Errors
    ///
    /// As [`Tokenizer::encode`]; [`TextError::NoEmbedding`] for a token beyond the model's vocabulary,
    /// [`TextError::Segment`] for a segment that the model does not have, where it has several,
    /// [`TextError::Pictures`] if it reads no texts.
    pub fn tokenize(
        &self,
        text: &str,
        second: Option<&str>,
        truncation: Truncation,
    ) -> Result<TokenizedText, TextError> {
        let tokenizer = self.tokenizer().ok_or(TextError::Pictures)?;
        let positions = self.transformer.config().positions;
        let truncation = self.cut(truncation);
        let text = match second {
            None => tokenizer.encode(text, positions, truncation)?,
            Some(second) => {
                let pair = [text, second];
                tokenizer.encode_pair(pair, positions, truncation)?
            }
        };
        self.readable(text)
    }

    /// How many tokens a text may have: no more than the model has positions, and than its tokenizer's files say.
    pub fn longest(&self) -> usize {
        let positions = self.transformer.config().positions;
        let tokenizer = self.tokenizer();
        tokenizer.map_or(positions, |tokenizer| tokenizer.positions(positions))
    }

    /// Writes a chat by the model's [template](Tokenizer::chat) and splits it into tokens, without special
    /// tokens beside those that it has. One that is too long is cut like a [text](Model::tokenize).
    ///
    /// # Errors
    ///
    /// [`TextError::Chat`] if there is no template, or it fails, and as [`Model::tokenize`].
    pub fn tokenize_chat(
        &self,
        text: &str,
        truncation: Truncation,
    ) -> Result<TokenizedText, TextError> {
        let tokenizer = self.tokenizer().ok_or(TextError::Pictures)?;
        let chat = tokenizer.chat(text)?;
        let positions = self.transformer.config().positions;
        let truncation = self.cut(truncation);
        self.readable(tokenizer.encode_whole(&chat, positions, truncation)?)
    }

    /// What becomes of a text that is too long, with the end that it is cut from.
    fn cut(&self, truncation: Truncation) -> Truncation {
        match (truncation, self.cuts_from()) {
            (Truncation::Cut, TextEnd::Start) => Truncation::CutStart,
            (other, _) => other,
        }
    }

    /// A text of which the model knows every token, with those that answer, and what its decoder reads if it has one.
    fn readable(&self, text: TokenizedText) -> Result<TokenizedText, TextError> {
        let text = self.filled(text);
        self.known(text).map(|text| self.with_output(text))
    }

    /// The same text, filled with padding tokens to the most that a text has, if the model reads it so.
    fn filled(&self, mut text: TokenizedText) -> TokenizedText {
        let config = self.transformer.config();
        let Some(tokenizer) = self.tokenizer().filter(|_| config.filled) else {
            return text;
        };
        let missing = tokenizer
            .positions(config.positions)
            .saturating_sub(text.tokens.len());
        let at_start = tokenizer.padding().is_some_and(|(_, at_start)| at_start);
        let id = config.padding_token;
        let place = match at_start {
            true => 0,
            false => text.text.chars().count(),
        };
        let token = Token {
            text: tokenizer.token(id).unwrap_or_default(),
            id,
            start: place,
            end: place,
            word: None,
            special: true,
        };
        let at = if at_start { 0 } else { text.tokens.len() };
        text.tokens.splice(at..at, vec![token; missing]);
        text.types.splice(at..at, vec![0; missing]);
        text
    }

    /// A text of which the model knows every token, with those that answer.
    pub(crate) fn known(&self, mut text: TokenizedText) -> Result<TokenizedText, TextError> {
        let config = self.transformer.config();
        if let InputConfig::Tokens { vocabulary } = config.input {
            let beyond = |token: &&Token| token.id as usize >= vocabulary;
            if let Some(Token { text, id, .. }) = text.tokens.iter().find(beyond) {
                let (token, id) = (text.clone(), *id);
                return Err(TextError::NoEmbedding {
                    token,
                    id,
                    vocabulary,
                });
            }
        }
        text.asked = self.asked(&text);
        let segments = config.token_types;
        if segments == 1 {
            // Whatever the tokenizer says: RoBERTa's kind has one segment, also under BERT's tokenizer.
            text.types.fill(0);
        }
        match text.types.iter().copied().max() {
            Some(segment) if segments > 0 && segment as usize >= segments => {
                Err(TextError::Segment { segment, segments })
            }
            _ => Ok(text),
        }
    }

    /// The tokens that answer, where the text decides: its masks, or its last token that is no padding.
    fn asked(&self, text: &TokenizedText) -> Vec<usize> {
        let config = self.transformer.config();
        let mut tokens = text.tokens.iter();
        match config.head {
            Head::MaskedToken { .. } => {
                let mask = self.tokenizer().and_then(Tokenizer::mask);
                let tokens = tokens.enumerate();
                let masks = tokens.filter(|(_, token)| Some(token.id) == mask);
                masks.map(|(index, _)| index).collect()
            }
            Head::LabelsAtEnd {
                skips_padding: true,
            } => {
                let last = tokens.rposition(|token| token.id != config.padding_token);
                last.into_iter().collect()
            }
            Head::Vector {
                pooling: VectorPooling::FirstOf(token),
                ..
            } => {
                let largest = || text.tokens.iter().map(|token| token.id).max();
                let wanted = token.or_else(largest);
                let first = tokens.position(|token| Some(token.id) == wanted);
                vec![first.unwrap_or(0)]
            }
            Head::LabelsAtEnd {
                skips_padding: false,
            }
            | Head::Labels
            | Head::LabelsOfMean
            | Head::LabelsOfPatches
            | Head::LabelsOfBoth
            | Head::TokenLabels
            | Head::Span
            | Head::NextToken { .. }
            | Head::Vector { .. } => Vec::new(),
        }
    }

    /// Cuts a picture into patches as the model reads them.
    ///
    /// # Errors
    ///
    /// [`PictureError::Texts`] if the model reads no pictures, [`PictureError::Size`] if the picture
    /// must not be resized and has another size.
    pub fn picture(
        &self,
        picture: &DynamicImage,
        name: &str,
    ) -> Result<TokenizedText, PictureError> {
        match (&self.input, &self.transformer.config().input) {
            (Input::Pictures(preprocessor), InputConfig::Patches(patches)) => {
                preprocessor.tokens(picture, patches, name)
            }
            _ => Err(PictureError::Texts),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_model_can_be_shared_by_threads_and_copied() {
        fn shared<T: Send + Sync + Clone + 'static>() {}
        shared::<Model>();
    }
}
