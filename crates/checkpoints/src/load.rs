//! Reads models from files.

use std::path::Path;

use burn::module::Module;
use burn::tensor::Device;
use relprop_transformer::{InputConfig, PatchConfig, Transformer};
use serde_json::{Map, Value};

use crate::adapter::Adapter;
use crate::chat::Chat;
use crate::files::{
    ADDED_TOKENS, CONFIG, File, GENERATION, MERGES, OTHER_VOCABULARIES, PREPROCESSOR,
    SENTENCEPIECE, SPECIAL_TOKENS, TOKENIZER, TOKENIZER_CONFIG, VOCABULARY,
};
use crate::foreign;
use crate::gguf::Gguf;
use crate::json::from_json;
use crate::tokenizer::{Class, Settings};
use crate::vector::Modules;
use crate::weights::{self, Changes, WeightFiles};
use crate::{CheckpointError, Family, Files, Input, Model, Preprocessor, Tokenizer};

impl Model {
    /// Reads a model folder onto `device`, ready to predict and to be explained. A folder with a LoRA adapter
    /// is read with the model that the adapter changes; a GGUF file may stand in the place of a folder.
    ///
    /// # Errors
    ///
    /// A [`CheckpointError`] that names the file, and the tensor or key in it.
    pub fn load(folder: &Path, device: &Device) -> Result<Self, CheckpointError> {
        Self::load_with(folder, device, &[])
    }

    /// The same for a folder that may be of one of these `families`, which go before those that are
    /// known here.
    ///
    /// # Errors
    ///
    /// As [`Model::load`].
    pub fn load_with(
        folder: &Path,
        device: &Device,
        families: &[&'static Family],
    ) -> Result<Self, CheckpointError> {
        Self::from_files(&Files::in_folder(folder)?, device, families)
    }

    /// Reads a model from its files, wherever they are, onto `device`: as
    /// [`load_with`](Model::load_with) does from a folder.
    ///
    /// # Errors
    ///
    /// As [`Model::load`]. A file in memory is named by its name.
    pub fn from_files(
        files: &Files,
        device: &Device,
        families: &[&'static Family],
    ) -> Result<Self, CheckpointError> {
        if let Some(gguf) = Gguf::among(files)? {
            return Self::from_gguf(&gguf, device, families);
        }
        let Some(adapter) = Adapter::among(files)? else {
            return Self::put_together(files, files, None, device, families);
        };
        let base = adapter.base(files)?;
        let texts = match Adapter::has_tokenizer(files) {
            true => files,
            false => &base,
        };
        Self::put_together(&base, texts, Some(&adapter), device, families)
    }

    /// Reads a model from a GGUF file.
    fn from_gguf(
        gguf: &Gguf,
        device: &Device,
        families: &[&'static Family],
    ) -> Result<Self, CheckpointError> {
        let path = gguf.file().path();
        let (config, stored) = (gguf.config()?, gguf.tensors()?);
        let names: Vec<&str> = stored.keys().map(String::as_str).collect();
        let (family, mut config) =
            Family::read_config_among(families, &config, path, &names, false)?;
        let invalid = |source| CheckpointError::InvalidConfig {
            path: path.to_owned(),
            source,
        };
        config.check().map_err(invalid)?;
        let weight_files = gguf.weight_files();
        weights::untie(&mut config, family, &stored, &weight_files)?;
        let tokenizer = fitting(gguf.tokenizer()?, path, config.vocabulary())?;
        let mut transformer = Transformer::new(&config, device).map_err(invalid)?;
        let changes = Changes::default();
        weights::read(&mut transformer, family, &weight_files, stored, changes)?;
        Ok(Self {
            transformer: transformer.valid(),
            input: Input::Text(tokenizer),
            // Any special token ends what it writes.
            ends: Vec::new(),
            family,
            sha256: Some(weight_files.sha256()?),
        })
    }

    /// Reads a model from its `files`, and its tokenizer from `texts`.
    fn put_together(
        files: &Files,
        texts: &Files,
        adapter: Option<&Adapter>,
        device: &Device,
        families: &[&'static Family],
    ) -> Result<Self, CheckpointError> {
        let instead = |missing| foreign::instead(files, missing);
        let config_file = files.required(CONFIG, "it says which parts the model is made of");
        let config_file = config_file.map_err(instead)?;
        let mut text = config_file.text()?;
        if let Some(message) = foreign::of_timm(&text) {
            let path = config_file.path().to_owned();
            return Err(CheckpointError::Foreign { path, message });
        }
        let weight_files = WeightFiles::find(files).map_err(instead)?;
        // What is wrong in the configuration is said first.
        let mut stored = weights::open(&weight_files);
        let mut changes = Changes::default();
        if let (Some(adapter), Ok(stored)) = (adapter, &mut stored) {
            changes = adapter.changes(stored)?;
            text = adapter.config(&text, families, stored)?;
        }
        let names = stored.iter().flat_map(|stored| stored.keys());
        let names: Vec<&str> = names.map(String::as_str).collect();
        let modules = Modules::read(files)?;
        let is_vector = modules.is_some();
        let (family, mut config) =
            Family::read_config_among(families, &text, config_file.path(), &names, is_vector)?;
        if let Some(modules) = &modules {
            modules.set(&mut config);
        }
        let invalid = |source| CheckpointError::InvalidConfig {
            path: config_file.path().to_owned(),
            source,
        };
        config.check().map_err(invalid)?;
        let mut stored = stored?;
        if let Some(modules) = &modules {
            modules.add_tensors(files, &mut stored)?;
        }
        weights::untie(&mut config, family, &stored, &weight_files)?;
        if let Some(adapter) = adapter.filter(|_| config.head.is_tied()) {
            let base = family.base_in(stored.keys().map(String::as_str));
            let words = family.tensor_name("embeddings.word.weight", base);
            adapter.keeps_tied(&words, &changes)?;
        }

        let input = match &config.input {
            InputConfig::Tokens { vocabulary } => {
                let said: Option<Value> = serde_json::from_str(&text).ok();
                let class = said
                    .as_ref()
                    .and_then(|keys| keys["tokenizer_class"].as_str());
                let tokenizer = tokenizer(texts, family, class, *vocabulary)?;
                let longest = modules.as_ref().and_then(|modules| modules.longest);
                Ok(Input::Text(tokenizer.at_most(longest)))
            }
            InputConfig::Patches(patches) => preprocessor(files, patches).map(Input::Pictures),
        }?;
        let ends = ends(files, &text, config_file.path())?;
        let mut transformer = Transformer::new(&config, device).map_err(invalid)?;
        weights::read(&mut transformer, family, &weight_files, stored, changes)?;
        Ok(Self {
            transformer: transformer.valid(),
            input,
            ends,
            family,
            sha256: Some(match adapter {
                None => weight_files.sha256()?,
                Some(adapter) => adapter.sha256(&weight_files)?,
            }),
        })
    }
}

/// The tokens that end what a language model writes. As in `transformers`, `generation_config.json` says it
/// before the `config` does.
fn ends(files: &Files, config: &str, path: &Path) -> Result<Vec<u32>, CheckpointError> {
    let of = |text: &str, path: &Path| {
        let wrong = |message| CheckpointError::Config {
            path: path.to_owned(),
            message,
        };
        let keys: Map<String, Value> = from_json(text).map_err(wrong)?;
        ids(keys.get("eos_token_id")).map_err(wrong)
    };
    if let Some(file) = files.get(GENERATION)
        && let Some(ends) = of(&file.text()?, file.path())?
    {
        return Ok(ends);
    }
    Ok(of(config, path)?.unwrap_or_default())
}

/// The ids that `eos_token_id` gives; none if it says nothing. Some files have a negative number for that.
fn ids(value: Option<&Value>) -> Result<Option<Vec<u32>>, String> {
    let one = |value: &Value| match value.as_i64() {
        Some(..0) => Ok(None),
        Some(id) => u32::try_from(id).map(Some).map_err(|_| ()),
        None => Err(()),
    };
    let found = match value {
        None | Some(Value::Null) => return Ok(None),
        Some(Value::Array(values)) => values.iter().map(one).collect(),
        Some(value) => one(value).map(|id| vec![id]),
    };
    let found: Vec<Option<u32>> = found.map_err(|()| {
        let value = value.unwrap_or(&Value::Null);
        format!(
            "`eos_token_id` is {value}; it must be the number of a token, or a list of such numbers"
        )
    })?;
    Ok(Some(found.into_iter().flatten().collect()))
}

/// Reads the preprocessor, and checks that it makes pictures that the model reads.
fn preprocessor(files: &Files, patches: &PatchConfig) -> Result<Preprocessor, CheckpointError> {
    let file = files.required(PREPROCESSOR, "it says how pictures are read")?;
    let read = Preprocessor::parse(&file.text()?);
    let fits = read.and_then(|found| found.fits(patches).map(|()| found));
    fits.map_err(|message| CheckpointError::Preprocessor {
        path: file.path().to_owned(),
        message,
    })
}

/// Reads the tokenizer, whose tokens the model's vocabulary must have.
pub(crate) fn tokenizer(
    files: &Files,
    family: &Family,
    class: Option<&str>,
    vocabulary: usize,
) -> Result<Tokenizer, CheckpointError> {
    let settings = settings(files)?.or_class(class);
    let chat = Chat::read(files, &settings)?;
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
fn fitting(
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
        let known = settings.is_byte_level() || settings.class() == Some("Qwen2Tokenizer");
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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// The ends that these two files say; an error is its message.
    fn read(config: &Value, generation: Option<&Value>) -> Result<Vec<u32>, String> {
        let generation = generation.map(|keys| (GENERATION, keys.to_string().into_bytes()));
        let files = Files::at_hand(generation);
        let found = ends(&files, &config.to_string(), Path::new(CONFIG));
        found.map_err(|error| error.to_string())
    }

    #[test]
    fn the_end_of_a_text_is_one_token_or_several() {
        for (config, generation, ends) in [
            (json!({}), None, &[][..]),
            (json!({"eos_token_id": null}), None, &[]),
            (json!({"eos_token_id": 2}), None, &[2]),
            (json!({"eos_token_id": [2, 7]}), None, &[2, 7]),
            (json!({"eos_token_id": -1}), None, &[]),
            (
                json!({"eos_token_id": 2}),
                Some(json!({"eos_token_id": [7, 8]})),
                &[7, 8],
            ),
            (
                json!({"eos_token_id": 2}),
                Some(json!({"eos_token_id": 7})),
                &[7],
            ),
            (
                json!({"eos_token_id": 2}),
                Some(json!({"eos_token_id": null})),
                &[2],
            ),
            (json!({"eos_token_id": 2}), Some(json!({})), &[2]),
        ] {
            let found = read(&config, generation.as_ref());
            assert_eq!(found.as_deref(), Ok(ends), "{config} {generation:?}");
        }
        for wrong in [
            json!("</s>"),
            json!(2.5),
            json!([2, "x"]),
            json!(1u64 << 40),
        ] {
            let said = read(&json!({"eos_token_id": wrong}), None).unwrap_err();
            assert!(
                said.starts_with("config.json: `eos_token_id` is "),
                "{said}"
            );
            let said = read(&json!({}), Some(&json!({"eos_token_id": wrong}))).unwrap_err();
            assert!(
                said.starts_with("generation_config.json: `eos_token_id`"),
                "{said}"
            );
        }
    }
}
