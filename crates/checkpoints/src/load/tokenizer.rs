//! Finds the tokenizer among the files of a model.

use std::path::Path;

use serde_json::{Map, Value};

use crate::chat::Chat;
use crate::files::{
    ADDED_TOKENS, File, LANGUAGES, MERGES, OTHER_VOCABULARIES, SENTENCEPIECE, SPECIAL_TOKENS,
    TOKENIZER, TOKENIZER_CONFIG, VOCABULARY,
};
use crate::json::from_json;
use crate::tokenizer::{Class, Settings};
use crate::{CheckpointError, Family, Files, Tokenizer};

/// Reads the tokenizer, whose tokens the model's vocabulary must have.
pub(crate) fn tokenizer(
    files: &Files,
    family: &Family,
    class: Option<&str>,
    vocabulary: usize,
) -> Result<Tokenizer, CheckpointError> {
    let settings = settings(files)?.or_class(class);
    let template = settings.keys().get("chat_template");
    let chat = Chat::read(files, template, settings.named_tokens())?;
    if let Some(read) = languages(files, &settings.clone().for_model(family.name)) {
        let (file, tokenizer) = read?;
        return fitting(tokenizer, file.path(), vocabulary);
    }
    let (file, read) = match (files.get(TOKENIZER), files.get(VOCABULARY)) {
        (Some(file), _) => {
            let read = Tokenizer::parse(&file.text()?, &settings.for_model(family.name));
            (file, read)
        }
        (None, Some(file)) => {
            let read = match is_word_pieces(files, family, &settings) {
                Ok(()) => Tokenizer::parse_vocabulary(&file.read()?, &settings),
                Err(message) => Err(message),
            };
            (file, read)
        }
        (None, None) => merges(files, family, &settings)?,
    };
    let tokenizer = read.map_err(|message| no_tokenizer(&file, message))?;
    fitting(tokenizer.with_chat(chat), file.path(), vocabulary)
}

/// The tokenizer, if the model's vocabulary has all of its tokens.
pub(super) fn fitting(
    tokenizer: Tokenizer,
    path: &Path,
    vocabulary: usize,
) -> Result<Tokenizer, CheckpointError> {
    // A model may have no embeddings for added tokens that no text has, such as padding.
    let added = false;
    let tokens = tokenizer.embeddings(added);
    match tokens > vocabulary {
        false => Ok(tokenizer),
        true => Err(CheckpointError::Vocabulary {
            path: path.to_owned(),
            tokens,
            vocabulary,
        }),
    }
}

/// The settings beside the tokenizer's file.
fn settings(files: &Files) -> Result<Settings, CheckpointError> {
    let read = |name: &str| {
        let Some(file) = files.get(name) else {
            return Ok(None);
        };
        let keys: Result<Map<String, Value>, _> = from_json(&file.text()?);
        keys.map(Some)
            .map_err(|message| no_tokenizer(&file, message))
    };
    let keys = read(TOKENIZER_CONFIG)?.unwrap_or_default();
    Ok(Settings::new(keys).with(read(SPECIAL_TOKENS)?, read(ADDED_TOKENS)?))
}

const WAY_OUT: &str = "in Python, AutoTokenizer.from_pretrained(folder).save_pretrained(folder) writes \
                       tokenizer.json, if the tokenizer can be written so";

/// Whether a `vocab.txt` is one of BERT's kind: others have files of that name as well.
fn is_word_pieces(files: &Files, family: &Family, settings: &Settings) -> Result<(), String> {
    settings.known()?;
    if let Some(other) = SENTENCEPIECE
        .iter()
        .chain(&OTHER_VOCABULARIES)
        .find(|name| files.get(name).is_some())
    {
        return Err(format!(
            "it belongs to {other}, with which relprop does not read it; {WAY_OUT}"
        ));
    }
    let of_family = ["bert", "distilbert", "electra", "relprop"].contains(&family.name);
    match settings.class() {
        Some("EsmTokenizer") => Ok(()),
        Some(_) if settings.is_bert() => Ok(()),
        Some("PreTrainedTokenizer" | "TokenizersBackend") | None if of_family => Ok(()),
        Some(_) => Err(format!("{}; {WAY_OUT}", settings.unknown())),
        None => Err(format!(
            "there is no tokenizer.json, and no `tokenizer_class` says how a {} reads this \
             vocabulary; {WAY_OUT}",
            family.name
        )),
    }
}

/// The tokenizer of a `vocab.json` and a `merges.txt`, with the first of the two files.
fn merges(
    files: &Files,
    family: &Family,
    settings: &Settings,
) -> Result<(File, Result<Tokenizer, String>), CheckpointError> {
    let [vocabulary, merges] = MERGES.map(|name| files.get(name));
    if let (Some(vocabulary), Some(merges)) = (vocabulary, merges) {
        let settings = &settings.clone().for_model(family.name);
        // Our own family may have any tokenizer.
        let others = ["Qwen2Tokenizer", "CLIPTokenizer"];
        let other = settings
            .class()
            .is_some_and(|class| others.contains(&class));
        let known = settings.is_byte_level() || other;
        let known = known || (family.name == "relprop" && settings.class().is_none());
        let read = match known {
            false => Err(not_of(family, settings)),
            true => Tokenizer::parse_merges(&vocabulary.text()?, &merges.text()?, settings),
        };
        return Ok((vocabulary, read));
    }
    if let Some(read) = sentencepiece(files, family, settings) {
        return read;
    }
    let mut others = SENTENCEPIECE.iter().chain(&OTHER_VOCABULARIES);
    let others = others.find_map(|name| files.get(name));
    if let Some(other) = others {
        let message = format!(
            "it is the only file of the tokenizer, and relprop does not read it; {WAY_OUT}"
        );
        return Ok((other, Err(message)));
    }
    let purpose = "it says how text becomes tokens; in Python, \
                   AutoTokenizer.from_pretrained(folder).save_pretrained(folder) writes it";
    Err(files.missing(TOKENIZER, purpose))
}

/// Marian's tokenizer, with its vocabulary's file, if its files are there.
fn languages(
    files: &Files,
    settings: &Settings,
) -> Option<Result<(File, Tokenizer), CheckpointError>> {
    if settings.class() != Some("MarianTokenizer") {
        return None;
    }
    let vocabulary = files.get(MERGES[0])?;
    let [source, target] = [files.get(LANGUAGES[0])?, files.get(LANGUAGES[1])?];
    let read = || {
        let (text, pieces) = (vocabulary.text()?, [source.read()?, target.read()?]);
        let read = Tokenizer::parse_languages(&text, [&pieces[0], &pieces[1]], settings);
        read.map_err(|message| no_tokenizer(&vocabulary, message))
    };
    Some(read().map(|tokenizer| (vocabulary.clone(), tokenizer)))
}

/// The tokenizer of a model of sentencepiece, with its file, if there is one.
#[expect(clippy::type_complexity, reason = "as `merges` gives it")]
fn sentencepiece(
    files: &Files,
    family: &Family,
    settings: &Settings,
) -> Option<Result<(File, Result<Tokenizer, String>), CheckpointError>> {
    let settings = &settings.clone().for_model(family.name);
    let class = Class::of(settings.class());
    let names = class.map_or(&SENTENCEPIECE[..], Class::files);
    let file = names.iter().find_map(|name| files.get(name))?;
    let Some(class) = class else {
        return Some(Ok((
            file,
            Err(format!("{}; {WAY_OUT}", settings.unknown())),
        )));
    };
    Some(file.read().map(|bytes| {
        let read = Tokenizer::parse_sentencepiece(&bytes, class, settings);
        (file, read)
    }))
}

/// What to say of a vocabulary that the class does not go with.
fn not_of(family: &Family, settings: &Settings) -> String {
    let said = match settings.class() {
        Some(_) => settings.unknown(),
        None => format!(
            "no `tokenizer_class` says how a {} reads this vocabulary",
            family.name
        ),
    };
    format!("{said}; {WAY_OUT}")
}

fn no_tokenizer(file: &File, message: String) -> CheckpointError {
    CheckpointError::Tokenizer {
        path: file.path().to_owned(),
        message,
    }
}
