//! A model of sentencepiece: the few fields of its protobuf that decide tokens.

/// A piece of the vocabulary.
pub(super) struct Piece {
    pub(super) text: String,
    pub(super) score: f32,
    pub(super) kind: u64,
}

/// Kinds of pieces.
pub(super) const NORMAL: u64 = 1;
pub(super) const CONTROL: u64 = 3;
pub(super) const USER_DEFINED: u64 = 4;

/// A longer piece is a damaged one, and takes long to put together.
const LONGEST_PIECE: usize = 256;

/// What a `.model` file says.
pub(super) struct Model {
    pub(super) pieces: Vec<Piece>,
    /// Unigram is 1, BPE 2.
    pub(super) algorithm: u64,
    pub(super) byte_fallback: bool,
    pub(super) unknown: (i32, String),
    pub(super) start: (i32, String),
    pub(super) end: (i32, String),
    /// What characters become, compiled.
    pub(super) charsmap: Vec<u8>,
    pub(super) add_dummy_prefix: bool,
    pub(super) remove_extra_whitespaces: bool,
    pub(super) escape_whitespaces: bool,
}

impl Model {
    pub(super) fn read(bytes: &[u8]) -> Result<Self, String> {
        Self::parsed(bytes)
            .filter(|model| !model.pieces.is_empty())
            .ok_or_else(|| {
                "it is no model of sentencepiece, or not all of one; vocabularies of tiktoken have such \
                 names as well, and relprop does not read them"
                    .to_owned()
            })
    }

    /// A model of pieces that merge by their scores, where bytes stand for what is in no piece.
    pub(super) fn of_pieces(
        pieces: Vec<(String, f32, u64)>,
        unknown: usize,
        space: bool,
    ) -> Result<Self, String> {
        let piece = |(text, score, kind): (String, f32, u64)| {
            let fits = score.is_finite() && text.len() <= LONGEST_PIECE;
            fits.then_some(Piece { text, score, kind })
        };
        let pieces: Option<Vec<Piece>> = pieces.into_iter().map(piece).collect();
        let pieces = pieces.ok_or("a token is too long, or its score is no number")?;
        let of_unknown = pieces.get(unknown).ok_or("the unknown token is none")?;
        let of_unknown = (i32::try_from(unknown).unwrap_or(0), of_unknown.text.clone());
        Ok(Self {
            unknown: of_unknown,
            // The settings say which they are.
            start: (-1, String::new()),
            end: (-1, String::new()),
            algorithm: 2,
            byte_fallback: true,
            add_dummy_prefix: space,
            remove_extra_whitespaces: false,
            ..Self::of(pieces)
        })
    }

    fn of(pieces: Vec<Piece>) -> Self {
        Self {
            pieces,
            algorithm: 1,
            byte_fallback: false,
            unknown: (0, "<unk>".to_owned()),
            start: (1, "<s>".to_owned()),
            end: (2, "</s>".to_owned()),
            charsmap: Vec::new(),
            add_dummy_prefix: true,
            remove_extra_whitespaces: true,
            escape_whitespaces: true,
        }
    }

    fn parsed(bytes: &[u8]) -> Option<Self> {
        let mut model = Self::of(Vec::new());
        for field in Fields(bytes) {
            match field? {
                (1, Field::Bytes(piece)) => model.pieces.push(piece_of(piece)?),
                (2, Field::Bytes(trainer)) => model.trained(trainer)?,
                (3, Field::Bytes(normalizer)) => model.normalized(normalizer)?,
                _ => {}
            }
        }
        Some(model)
    }

    fn trained(&mut self, bytes: &[u8]) -> Option<()> {
        for field in Fields(bytes) {
            match field? {
                (3, Field::Number(algorithm)) => self.algorithm = algorithm,
                (35, Field::Number(fallback)) => self.byte_fallback = fallback != 0,
                (40, Field::Number(id)) => self.unknown.0 = id as i32,
                (41, Field::Number(id)) => self.start.0 = id as i32,
                (42, Field::Number(id)) => self.end.0 = id as i32,
                (45, Field::Bytes(piece)) => self.unknown.1 = text(piece)?,
                (46, Field::Bytes(piece)) => self.start.1 = text(piece)?,
                (47, Field::Bytes(piece)) => self.end.1 = text(piece)?,
                _ => {}
            }
        }
        Some(())
    }

    fn normalized(&mut self, bytes: &[u8]) -> Option<()> {
        for field in Fields(bytes) {
            match field? {
                (2, Field::Bytes(charsmap)) => self.charsmap = charsmap.to_vec(),
                (3, Field::Number(flag)) => self.add_dummy_prefix = flag != 0,
                (4, Field::Number(flag)) => self.remove_extra_whitespaces = flag != 0,
                (5, Field::Number(flag)) => self.escape_whitespaces = flag != 0,
                _ => {}
            }
        }
        Some(())
    }
}

fn piece_of(bytes: &[u8]) -> Option<Piece> {
    let mut piece = Piece {
        text: String::new(),
        score: 0.0,
        kind: NORMAL,
    };
    for field in Fields(bytes) {
        match field? {
            (1, Field::Bytes(bytes)) if bytes.len() <= LONGEST_PIECE => piece.text = text(bytes)?,
            (1, _) => return None,
            (2, Field::Four(bytes)) => piece.score = f32::from_le_bytes(bytes),
            (3, Field::Number(kind)) => piece.kind = kind,
            _ => {}
        }
    }
    piece.score.is_finite().then_some(piece)
}

fn text(bytes: &[u8]) -> Option<String> {
    String::from_utf8(bytes.to_vec()).ok()
}

/// What a field holds.
enum Field<'a> {
    Number(u64),
    Four([u8; 4]),
    Eight,
    Bytes(&'a [u8]),
}

/// The fields of a message, with their numbers; none where it is damaged.
struct Fields<'a>(&'a [u8]);

impl<'a> Fields<'a> {
    /// A number of seven bits a byte, the lowest first.
    fn number(&mut self) -> Option<u64> {
        let mut number = 0;
        for shift in (0..64).step_by(7) {
            let (byte, rest) = self.0.split_first()?;
            self.0 = rest;
            number |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Some(number);
            }
        }
        None
    }

    fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(taken)
    }

    fn field(&mut self) -> Option<(u64, Field<'a>)> {
        let key = self.number()?;
        let field = match key & 7 {
            0 => Field::Number(self.number()?),
            1 => {
                self.take(8)?;
                Field::Eight
            }
            2 => {
                let length = self.number()?;
                Field::Bytes(self.take(usize::try_from(length).ok()?)?)
            }
            5 => Field::Four(self.take(4)?.try_into().ok()?),
            _ => return None,
        };
        Some((key >> 3, field))
    }
}

impl<'a> Iterator for Fields<'a> {
    type Item = Option<(u64, Field<'a>)>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.0.is_empty() {
            return None;
        }
        let field = self.field();
        if field.is_none() {
            // What comes behind a damaged field cannot be told.
            self.0 = &[];
        }
        Some(field)
    }
}
