//! Vocabularies, learned from texts: WordPiece, in a tokenizer that works as BERT's uncased one, and
//! byte pairs, in one that works as GPT-2's.

use std::collections::BTreeSet;

use tokenizers::decoders::wordpiece::WordPiece as WordPieceDecoder;
use tokenizers::models::bpe::{BPE, BpeTrainer};
use tokenizers::models::wordpiece::{WordPiece, WordPieceTrainer};
use tokenizers::normalizers::BertNormalizer;
use tokenizers::pre_tokenizers::bert::BertPreTokenizer;
use tokenizers::pre_tokenizers::byte_level::ByteLevel;
use tokenizers::processors::template::TemplateProcessing;
use tokenizers::{
    AddedToken, NormalizedString, Normalizer, OffsetReferential, OffsetType, PreTokenizedString,
    PreTokenizer, Tokenizer, Trainer,
};

use crate::TrainError;

/// The special tokens. The position is the token's number.
const SPECIAL: [&str; 5] = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"];

/// The mark of a piece that continues a word.
const CONTINUES: &str = "##";

/// A piece of two characters or more must be seen this often. A word that is seen once does not
/// become a piece, so a model also learns from pieces.
const MIN_FREQUENCY: u64 = 2;

/// Learns a vocabulary of at most `size` tokens and puts it into a tokenizer.
///
/// The tokenizer works as BERT's uncased one: it drops case and accents, splits at white space and
/// punctuation, and puts a text between `[CLS]` and `[SEP]`, a pair of texts as
/// `[CLS] a [SEP] b [SEP]` with types 0 and 1. `[PAD]`, `[UNK]`, `[CLS]`, `[SEP]` and `[MASK]` are
/// tokens 0 to 4. It neither pads nor truncates. Saved as `tokenizer.json` it is read by Python's
/// `transformers` too.
///
/// The same texts give the same vocabulary, in any order of the texts and on any machine.
///
/// # Errors
///
/// If the texts have no words, or if `size` does not even hold the special tokens and every
/// character at the start and inside of a word.
pub fn train_wordpiece<'a>(
    texts: impl Iterator<Item = &'a str>,
    size: usize,
) -> Result<Tokenizer, TrainError> {
    let texts = texts.map(words).collect::<Result<Vec<_>, _>>()?;

    let words = || texts.iter().flatten();
    let characters: BTreeSet<char> = words().flat_map(|word| word.chars()).collect();
    let inside: BTreeSet<char> = words().flat_map(|word| word.chars().skip(1)).collect();
    if characters.is_empty() {
        return Err(TrainError::NoWords);
    }
    let needed = SPECIAL.len() + characters.len() + inside.len();
    if size < needed {
        return Err(TrainError::SmallVocabulary { size, needed });
    }

    // The trainer numbers the single characters inside of words in the order of its hash map of
    // words, which differs from run to run, and breaks ties between merges by these numbers. Given
    // to the trainer as special tokens, they have fixed numbers from the start. The trainer only
    // puts special tokens first; it is `add_special_tokens` below that makes a token special.
    let first = SPECIAL.into_iter().map(str::to_owned);
    let first = first.chain(
        inside
            .iter()
            .map(|character| format!("{CONTINUES}{character}")),
    );
    let mut trainer = WordPieceTrainer::builder()
        .vocab_size(size)
        .min_frequency(MIN_FREQUENCY)
        .continuing_subword_prefix(CONTINUES.into())
        .special_tokens(first.map(|token| AddedToken::from(token, true)).collect())
        .show_progress(false)
        .build();
    // Words hold no white space, so they can be joined by spaces and split again.
    trainer.feed(texts.iter().map(|words| words.join(" ")), |text| {
        Ok(text
            .split(' ')
            .filter(|word| !word.is_empty())
            .map(str::to_owned)
            .collect())
    })?;
    let mut model = WordPiece::default();
    trainer.train(&mut model)?;

    let mut tokenizer = Tokenizer::new(model);
    tokenizer
        .with_normalizer(Some(normalizer()))
        .with_pre_tokenizer(Some(BertPreTokenizer))
        .with_post_processor(Some(post_processor()?))
        .with_decoder(Some(WordPieceDecoder::new(CONTINUES.into(), true)));
    tokenizer.add_special_tokens(&SPECIAL.map(|token| AddedToken::from(token, true)));
    Ok(tokenizer)
}

/// What a language model reads before each text.
const BEGINNING: &str = "<|begin|>";
/// The token for padding.
const PADDING: &str = "<|pad|>";

/// Learns a vocabulary of at most `size` byte pairs, and puts it into a tokenizer for language models.
///
/// The tokenizer works as GPT-2's: a token is a piece of a word with the space before it, in bytes, so
/// any text can be written and nothing is unknown. Before each text stands `<|begin|>`, so that its
/// first word is predicted too. `<|pad|>` and `<|begin|>` are tokens 0 and 1, and the 256 bytes follow.
///
/// # Errors
///
/// If the texts have no words, or if `size` does not even hold the special tokens and the bytes.
pub fn train_byte_pairs<'a>(
    texts: impl Iterator<Item = &'a str>,
    size: usize,
) -> Result<Tokenizer, TrainError> {
    let split = ByteLevel::new(false, true, true);
    let texts: Vec<&str> = texts.filter(|text| !text.trim().is_empty()).collect();
    if texts.is_empty() {
        return Err(TrainError::NoWords);
    }
    let alphabet = ByteLevel::alphabet();
    let needed = 2 + alphabet.len();
    if size < needed {
        return Err(TrainError::SmallVocabulary { size, needed });
    }
    let special = [PADDING, BEGINNING].map(|token| AddedToken::from(token, true));
    let mut trainer = BpeTrainer::builder()
        .vocab_size(size)
        .min_frequency(MIN_FREQUENCY)
        .initial_alphabet(alphabet.into_iter().collect())
        .special_tokens(special.to_vec())
        .show_progress(false)
        .build();
    trainer.feed(texts.into_iter(), |text| {
        let mut text = PreTokenizedString::from(text);
        split.pre_tokenize(&mut text)?;
        let splits = text.get_splits(OffsetReferential::Normalized, OffsetType::Byte);
        Ok(splits
            .into_iter()
            .map(|(word, _, _)| word.to_owned())
            .collect())
    })?;
    let mut model = BPE::default();
    trainer.train(&mut model)?;

    let around = TemplateProcessing::builder()
        .try_single(format!("{BEGINNING} $A"))
        .and_then(|builder| builder.try_pair(format!("{BEGINNING} $A $B")))
        .map_err(tokenizers::Error::from)?
        .special_tokens(vec![(BEGINNING, 1)])
        .build()
        .map_err(tokenizers::Error::from)?;
    let mut tokenizer = Tokenizer::new(model);
    tokenizer
        .with_pre_tokenizer(Some(split))
        .with_post_processor(Some(around))
        .with_decoder(Some(split));
    tokenizer.add_special_tokens(&special);
    Ok(tokenizer)
}

/// The words of a text as the tokenizer splits it.
fn words(text: &str) -> Result<Vec<String>, TrainError> {
    let mut text = NormalizedString::from(text);
    normalizer().normalize(&mut text)?;
    let mut text = PreTokenizedString::from(text);
    BertPreTokenizer.pre_tokenize(&mut text)?;
    let splits = text.get_splits(OffsetReferential::Normalized, OffsetType::Byte);
    Ok(splits
        .into_iter()
        .map(|(word, _, _)| word.to_owned())
        .collect())
}

/// BERT's uncased normalizer: no control characters, Chinese characters set apart, lower case, and
/// with it no accents.
fn normalizer() -> BertNormalizer {
    BertNormalizer::new(true, true, None, true)
}

fn post_processor() -> Result<TemplateProcessing, TrainError> {
    TemplateProcessing::builder()
        .try_single("[CLS]:0 $A:0 [SEP]:0")
        .and_then(|builder| builder.try_pair("[CLS]:0 $A:0 [SEP]:0 $B:1 [SEP]:1"))
        .map_err(tokenizers::Error::from)?
        .special_tokens(vec![("[CLS]", 2), ("[SEP]", 3)])
        .build()
        .map_err(|error| tokenizers::Error::from(error).into())
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;
    use relprop_data::corpus::reviews;

    /// Set for a process that only prints what it learned.
    const CHILD: &str = "RELPROP_VOCABULARY_CHILD";

    fn learn(texts: &[&str], size: usize) -> Tokenizer {
        train_wordpiece(texts.iter().copied(), size).unwrap()
    }

    fn of_reviews(size: usize) -> String {
        let corpus = reviews(2000, 0);
        let texts = corpus.train.iter().map(|example| example.text.as_str());
        train_wordpiece(texts, size)
            .unwrap()
            .to_string(false)
            .unwrap()
    }

    #[test]
    fn special_tokens_have_the_numbers_of_bert_scripts() {
        let tokenizer = learn(&["a warm film", "a cold film"], 200);
        for (id, token) in (0..).zip(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]) {
            assert_eq!(tokenizer.token_to_id(token), Some(id));
            assert!(tokenizer.get_added_vocabulary().is_special_token(token));
        }
        assert_eq!(tokenizer.get_added_vocabulary().len(), 5);
    }

    #[test]
    fn a_text_and_a_pair_are_framed_as_bert_frames_them() {
        let tokenizer = learn(&["a warm film", "a warm day", "one film", "one day"], 200);
        let encoding = tokenizer.encode("A  WARM film", true).unwrap();
        assert_eq!(
            encoding.get_tokens(),
            ["[CLS]", "a", "warm", "film", "[SEP]"]
        );
        assert_eq!(encoding.get_special_tokens_mask(), [1, 0, 0, 0, 1]);
        let pair = tokenizer.encode(("one day", "a film"), true).unwrap();
        assert_eq!(
            pair.get_tokens(),
            ["[CLS]", "one", "day", "[SEP]", "a", "film", "[SEP]"]
        );
        assert_eq!(pair.get_type_ids(), [0, 0, 0, 0, 1, 1, 1]);
        assert_eq!(
            tokenizer.decode(encoding.get_ids(), true).unwrap(),
            "a warm film"
        );
    }

    #[test]
    fn offsets_count_characters_of_the_original_text() {
        let text = "Ein schöner Film — 素晴らしい映画!";
        let tokenizer = learn(&[text, text], 200);
        let encoding = tokenizer.encode_char_offsets(text, true).unwrap();
        let slice = |(start, end): (usize, usize)| -> String {
            text.chars().skip(start).take(end - start).collect()
        };
        let tokens: Vec<(&str, String)> = encoding
            .get_tokens()
            .iter()
            .map(String::as_str)
            .zip(encoding.get_offsets().iter().copied().map(slice))
            .collect();
        assert_eq!(
            tokens,
            [
                ("[CLS]", ""),
                ("ein", "Ein"),
                ("schoner", "schöner"),
                ("film", "Film"),
                ("—", "—"),
                ("素", "素"),
                ("晴", "晴"),
                ("らしい", "らしい"),
                ("映", "映"),
                ("画", "画"),
                ("!", "!"),
                ("[SEP]", ""),
            ]
            .map(|(token, text)| (token, text.to_owned()))
        );
    }

    #[test]
    fn what_was_never_seen_is_unknown() {
        let tokenizer = learn(&["warm film", "warm film"], 200);
        let encoding = tokenizer.encode("warm ☃ xylophone", false).unwrap();
        assert_eq!(encoding.get_tokens(), ["warm", "[UNK]", "[UNK]"]);
    }

    #[test]
    fn the_size_is_kept() {
        let texts: Vec<String> = reviews(1000, 0).train.into_iter().map(|e| e.text).collect();
        let sized = |size| train_wordpiece(texts.iter().map(String::as_str), size).unwrap();
        assert_eq!(sized(150).get_vocab_size(true), 150);
        assert_eq!(sized(300).get_vocab_size(true), 300);
        assert!(sized(100_000).get_vocab_size(true) < 2000);
    }

    #[test]
    fn the_order_of_the_texts_does_not_matter() {
        let corpus = reviews(500, 0);
        let mut texts: Vec<&str> = corpus.train.iter().map(|e| e.text.as_str()).collect();
        let forwards = learn(&texts, 250).to_string(false).unwrap();
        texts.reverse();
        assert_eq!(learn(&texts, 250).to_string(false).unwrap(), forwards);
    }

    /// Hash maps differ from process to process, so the test runs other processes too. With small
    /// sizes, learning ends among pairs that are equally frequent.
    #[test]
    fn every_process_learns_the_same() {
        let sizes = [100, 137, 200, 350, 10_000];
        let learned = sizes.map(of_reviews);
        if let Ok(path) = std::env::var(CHILD) {
            return std::fs::write(path, learned.join("\n")).unwrap();
        }
        assert_eq!(sizes.map(of_reviews), learned);
        let (_, module) = module_path!().split_once("::").unwrap();
        let folder = tempfile::tempdir().unwrap();
        for child in 0..4 {
            let path = folder.path().join(child.to_string());
            let output = Command::new(std::env::current_exe().unwrap())
                .args([
                    &format!("{module}::every_process_learns_the_same"),
                    "--exact",
                ])
                .env(CHILD, &path)
                .output()
                .unwrap();
            assert!(output.status.success(), "{output:?}");
            assert_eq!(std::fs::read_to_string(&path).unwrap(), learned.join("\n"));
        }
    }

    #[test]
    fn byte_pairs_spell_any_text_and_know_frequent_words() {
        let corpus = reviews(500, 0);
        let texts: Vec<&str> = corpus.train.iter().map(|e| e.text.as_str()).collect();
        let tokenizer = train_byte_pairs(texts.iter().copied(), 600).unwrap();
        assert!(tokenizer.get_vocab_size(true) <= 600);
        for text in ["it is a film", "Зебра 😀\n\tCafé"] {
            let encoding = tokenizer.encode(text, true).unwrap();
            assert_eq!(encoding.get_ids()[0], 1);
            assert_eq!(tokenizer.decode(encoding.get_ids(), true).unwrap(), text);
        }
        let encoding = tokenizer.encode("it is a film", true).unwrap();
        assert_eq!(encoding.get_tokens()[2..], ["Ġis", "Ġa", "Ġfilm"]);

        let again = train_byte_pairs(texts.into_iter(), 600).unwrap();
        assert_eq!(
            again.to_string(false).unwrap(),
            tokenizer.to_string(false).unwrap()
        );
    }

    #[test]
    fn errors_say_what_to_do() {
        let small = train_byte_pairs(["ab"].into_iter(), 257).unwrap_err();
        assert!(small.to_string().contains("258"), "{small}");
        assert!(train_byte_pairs([" "].into_iter(), 300).is_err());
        let none = train_wordpiece([" ", ""].into_iter(), 100).unwrap_err();
        assert_eq!(
            none.to_string(),
            "the texts have no words to learn a vocabulary from; give texts with words in them"
        );
        // a, b and ##b beside the five special tokens.
        let small = train_wordpiece(["ab"].into_iter(), 7).unwrap_err();
        assert_eq!(
            small.to_string(),
            "a vocabulary of 7 tokens is too small: the characters of the texts alone need 8; ask \
             for more"
        );
        assert!(train_wordpiece(["ab"].into_iter(), 8).is_ok());
    }
}
