//! BERT's tokenizer, from the `vocab.txt` that older folders have instead of `tokenizer.json`.

use serde_json::{Map, Value};
use tokenizers::decoders::wordpiece::WordPiece as Decoder;
use tokenizers::models::wordpiece::WordPiece;
use tokenizers::normalizers::BertNormalizer;
use tokenizers::pre_tokenizers::bert::BertPreTokenizer;
use tokenizers::processors::bert::BertProcessing;
use tokenizers::{AddedToken, Tokenizer as Inner};

/// What is not set is as in `BertTokenizer`: lower case without accents, Chinese characters apart.
pub(super) fn parse(vocabulary: &[u8], settings: &Map<String, Value>) -> Result<Inner, String> {
    let failed = |error: tokenizers::Error| error.to_string();
    let flag = |key: &str| settings.get(key).and_then(Value::as_bool);
    let token = |key: &str, default: &str| {
        let value = settings.get(key);
        // A token is a string, or an object with settings of its own.
        let content = value.and_then(|value| value.get("content").unwrap_or(value).as_str());
        content.unwrap_or(default).to_owned()
    };
    let [unknown, cls, sep, pad, mask] = [
        token("unk_token", "[UNK]"),
        token("cls_token", "[CLS]"),
        token("sep_token", "[SEP]"),
        token("pad_token", "[PAD]"),
        token("mask_token", "[MASK]"),
    ];

    let vocabulary = WordPiece::read_bytes(vocabulary).map_err(failed)?;
    let id = |token: &str| {
        let id = vocabulary.get(token).copied();
        id.ok_or_else(|| format!("the vocabulary has no {token}"))
    };
    let [_, cls_id, sep_id] = [id(&unknown)?, id(&cls)?, id(&sep)?];
    let special = [&unknown, &cls, &sep, &pad, &mask];
    let special = special.into_iter().filter(|token| id(token).is_ok());
    let special: Vec<_> = special
        .map(|token| AddedToken::from(token.clone(), true))
        .collect();

    let model = WordPiece::builder()
        .vocab(vocabulary)
        .unk_token(unknown)
        .build();
    let mut inner = Inner::new(model.map_err(failed)?);
    inner
        .with_normalizer(Some(BertNormalizer::new(
            true,
            flag("tokenize_chinese_chars").unwrap_or(true),
            flag("strip_accents"),
            flag("do_lower_case").unwrap_or(true),
        )))
        .with_pre_tokenizer(Some(BertPreTokenizer))
        .with_post_processor(Some(BertProcessing::new((sep, sep_id), (cls, cls_id))))
        .with_decoder(Some(Decoder::default()));
    inner.add_special_tokens(&special);
    Ok(inner)
}
