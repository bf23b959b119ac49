//! Adapters of PEFT: a folder with the changes that LoRA learned for a model, which is elsewhere.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::files::{CONFIG, File, Files, TOKENIZER_FILES};
use crate::json::from_json;
use crate::weights::{self, Changes, Product, Stored, WeightFiles};
use crate::{CheckpointError, Family};

/// What says that a folder holds an adapter.
pub(crate) const ADAPTER: &str = "adapter_config.json";

/// What decides nothing once the adapter was trained, or is read here.
const KNOWN: [&str; 23] = [
    "alpha_pattern",
    "auto_mapping",
    "base_model_name_or_path",
    "ensure_weight_tying",
    "exclude_modules",
    "fan_in_fan_out",
    "inference_mode",
    "layers_pattern",
    "layers_to_transform",
    "lora_alpha",
    "lora_dropout",
    "megatron_core",
    "modules_to_save",
    "peft_type",
    "peft_version",
    "qalora_group_size",
    "r",
    "rank_pattern",
    "revision",
    "runtime_config",
    "target_modules",
    "task_type",
    "use_rslora",
];

/// How the two parts were drawn before training: these left the base as it was.
const DRAWN: [&str; 3] = ["gaussian", "eva", "orthogonal"];

/// The classes of transformers for the tasks that PEFT names.
const TASKS: [(&str, &str); 3] = [
    ("SEQ_CLS", "ForSequenceClassification"),
    ("TOKEN_CLS", "ForTokenClassification"),
    ("QUESTION_ANS", "ForQuestionAnswering"),
];

const WAY_OUT: &str = "in Python, peft's AutoPeftModel class for the task merges the two: \
                       .from_pretrained(folder).merge_and_unload().save_pretrained(merged)";

/// A LoRA adapter.
pub(crate) struct Adapter {
    file: File,
    keys: Map<String, Value>,
    files: WeightFiles,
}

impl Adapter {
    /// The adapter among these files; none if they hold none, or a whole model beside it.
    pub(crate) fn among(files: &Files) -> Result<Option<Self>, CheckpointError> {
        let Some(file) = files.get(ADAPTER) else {
            return Ok(None);
        };
        if files.get(CONFIG).is_some() && WeightFiles::find(files).is_ok() {
            return Ok(None);
        }
        let wrong = |message| wrong(&file, message);
        let keys: Map<String, Value> = from_json(&file.text()?).map_err(wrong)?;
        check(&keys).map_err(wrong)?;
        Ok(Some(Self {
            files: WeightFiles::of_adapter(files)?,
            file,
            keys,
        }))
    }

    /// The files of the model that it changes.
    pub(crate) fn base(&self, files: &Files) -> Result<Files, CheckpointError> {
        if let Some(base) = files.base() {
            return Ok(base.clone());
        }
        let said = self.keys.get("base_model_name_or_path");
        let Some(name) = said.and_then(Value::as_str) else {
            let message = "it names no `base_model_name_or_path`; give the folder of the model that it \
                           changes with --base";
            return Err(wrong(&self.file, message.to_owned()));
        };
        files.beside(name).ok_or_else(|| {
            let message = format!(
                "it changes the model `{name}`, and there is no such folder; give the folder of that model \
                 with --base"
            );
            wrong(&self.file, message)
        })
    }

    /// Whether a tokenizer is among the adapter's files.
    pub(crate) fn has_tokenizer(files: &Files) -> bool {
        let mut kinds = TOKENIZER_FILES.iter();
        kinds.any(|(names, _)| names.iter().all(|name| files.get(name).is_some()))
    }

    /// Puts what replaces tensors among those of the base, and gives back what is added to them.
    pub(crate) fn changes(
        &self,
        stored: &mut BTreeMap<String, Stored>,
    ) -> Result<Changes, CheckpointError> {
        let wrong = |message| wrong(&self.file, message);
        let mut changes = Changes {
            files: self.files.parts().to_vec(),
            ..Changes::default()
        };
        let mut parts: BTreeMap<String, [Option<Stored>; 2]> = BTreeMap::new();
        for (name, tensor) in weights::open(&self.files)? {
            let name = name.strip_prefix("base_model.model.").unwrap_or(&name);
            let name = name.replace(".default", "").replace(".base_layer", "");
            let part = PARTS
                .iter()
                .find_map(|(end, part)| Some((name.strip_suffix(end)?, *part)));
            match part {
                Some((module, part)) => {
                    self.targets(module).map_err(wrong)?;
                    parts.entry(module.to_owned()).or_default()[part] = Some(tensor);
                }
                None if name.contains("lora_") => {
                    let message = format!("{name} is no part of a plain LoRA; {WAY_OUT}");
                    return Err(wrong(message));
                }
                None => {
                    let name = name.replace(".modules_to_save", "");
                    let name = as_in_base(&name, stored);
                    stored.insert(name.clone(), tensor);
                    changes.replaced.insert(name);
                }
            }
        }
        for (module, parts) in parts {
            let [Some(a), Some(b)] = parts else {
                return Err(wrong(format!("{module} has one of its two parts alone")));
            };
            let scale = self.scale(&module, a.rows()).map_err(wrong)?;
            let name = as_in_base(&format!("{module}.weight"), stored);
            changes.added.insert(name, Product { a, b, scale });
        }
        Ok(changes)
    }

    /// Whether `target_modules`, if it is a list, has the module.
    fn targets(&self, module: &str) -> Result<(), String> {
        let Some(targets) = self.keys.get("target_modules").and_then(Value::as_array) else {
            return Ok(());
        };
        let mut targets = targets.iter().filter_map(Value::as_str);
        match targets.any(|target| is_end(module, target)) {
            true => Ok(()),
            false => Err(format!(
                "`target_modules` has no {module}, which its tensors change"
            )),
        }
    }

    /// What the product is multiplied by: alpha by the rank, or by the rank's root.
    fn scale(&self, module: &str, rank: usize) -> Result<f64, String> {
        let number = |pattern: &str, key: &str, default: f64| {
            let patterns = self.keys.get(pattern).and_then(Value::as_object);
            let mut patterns = patterns.into_iter().flatten();
            let of_module = patterns.find(|(name, _)| is_end(module, name.trim_start_matches('^')));
            let (key, value) = match of_module {
                Some((_, value)) => (pattern, Some(value)),
                None => (key, self.keys.get(key)),
            };
            match value {
                None => Ok(default),
                Some(value) => value
                    .as_f64()
                    .ok_or_else(|| format!("`{key}` is {value}; it must be a number")),
            }
        };
        let said = number("rank_pattern", "r", 8.0)?;
        if said != rank as f64 || rank == 0 {
            return Err(format!(
                "{module} has the rank {rank}, and the file says {said}"
            ));
        }
        let alpha = number("alpha_pattern", "lora_alpha", 8.0)?;
        let rooted = self.keys.get("use_rslora") == Some(&Value::Bool(true));
        Ok(alpha / if rooted { said.sqrt() } else { said })
    }

    /// The base's `config.json` as it is for the adapter's task: with the class for it, and as many labels as
    /// its head has.
    pub(crate) fn config(
        &self,
        text: &str,
        families: &[&'static Family],
        stored: &BTreeMap<String, Stored>,
    ) -> Result<String, CheckpointError> {
        let task = self.keys.get("task_type").and_then(Value::as_str);
        let end = TASKS.iter().find(|(name, _)| Some(*name) == task);
        let (Some((task, end)), Ok(mut json)) = (end, from_json::<Map<String, Value>>(text)) else {
            return Ok(text.to_owned());
        };
        let of_type = |family: &&&Family| json.get("model_type").is_some_and(|n| n == family.name);
        let of_task =
            |family: &&&Family| family.architecture.is_some_and(|name| name.ends_with(end));
        let all: Vec<&'static Family> = families.iter().copied().chain(Family::all()).collect();
        // A type that is not known is refused later, by its name.
        if !all.iter().any(|family| of_type(&family)) {
            return Ok(text.to_owned());
        }
        let family = all.iter().filter(of_type).find(of_task);
        let Some(family) = family else {
            let message = format!(
                "`task_type` is {task}, and relprop has no such head for a {}",
                json["model_type"]
            );
            return Err(wrong(&self.file, message));
        };
        json.insert(
            "architectures".to_owned(),
            vec![family.architecture.unwrap_or_default()].into(),
        );
        let base = family.base_in(stored.keys().map(String::as_str));
        let head = stored.get(&family.tensor_name("classifier.weight", base));
        let named = json
            .get("id2label")
            .and_then(Value::as_object)
            .map(Map::len);
        if let Some(head) =
            head.filter(|head| *task != "QUESTION_ANS" && named != Some(head.rows()))
        {
            json.remove("id2label");
            json.remove("label2id");
            json.insert("num_labels".to_owned(), head.rows().into());
        }
        Ok(Value::Object(json).to_string())
    }

    /// Refuses a change of word embeddings that are the head as well: once it is merged, the two differ or do
    /// not, and PEFT itself does not say which.
    pub(crate) fn keeps_tied(&self, words: &str, changes: &Changes) -> Result<(), CheckpointError> {
        let changed = changes.added.contains_key(words) || changes.replaced.contains(words);
        match changed {
            false => Ok(()),
            true => Err(wrong(
                &self.file,
                format!("it changes {words}, which is the model's head as well; {WAY_OUT}"),
            )),
        }
    }
}

/// How the names of a product's two factors end, and which of the two it is.
const PARTS: [(&str, usize); 4] = [
    (".lora_A.weight", 0),
    (".lora_B.weight", 1),
    (".lora_embedding_A", 0),
    (".lora_embedding_B", 1),
];

/// Whether `name` is the last parts of the module's name.
fn is_end(module: &str, name: &str) -> bool {
    module
        .strip_suffix(name)
        .is_some_and(|start| start.is_empty() || start.ends_with('.'))
}

/// The name that a tensor has in the base's file, which may lack the first part of it, or have one more.
fn as_in_base(name: &str, stored: &BTreeMap<String, Stored>) -> String {
    if stored.contains_key(name) {
        return name.to_owned();
    }
    if let Some((_, rest)) = name.split_once('.')
        && stored.contains_key(rest)
    {
        return rest.to_owned();
    }
    let behind = |known: &&String| known.split_once('.').is_some_and(|(_, rest)| rest == name);
    stored
        .keys()
        .find(behind)
        .map_or_else(|| name.to_owned(), Clone::clone)
}

/// Refuses what is no plain LoRA.
fn check(keys: &Map<String, Value>) -> Result<(), String> {
    if keys.get("peft_type").is_none_or(|kind| kind != "LORA") {
        let kind = keys.get("peft_type").unwrap_or(&Value::Null);
        return Err(format!(
            "`peft_type` is {kind}; of PEFT's adapters, relprop reads LORA alone; {WAY_OUT}"
        ));
    }
    for (key, value) in keys {
        let nothing = match value {
            Value::Null => true,
            Value::Bool(flag) => !flag,
            Value::Object(keys) => keys.is_empty(),
            Value::Array(values) => values.is_empty(),
            _ => false,
        };
        let known = match key.as_str() {
            "bias" => value == "none",
            "init_lora_weights" => {
                value == true || value.as_str().is_some_and(|how| DRAWN.contains(&how))
            }
            key => KNOWN.contains(&key),
        };
        if !known && !nothing {
            return Err(format!(
                "`{key}` is {value}, which relprop does not compute; {WAY_OUT}"
            ));
        }
    }
    // A name of these is a pattern, and a plain name is the one that is understood here.
    let plain = |sign: char| sign.is_alphanumeric() || "._-^".contains(sign);
    for key in ["rank_pattern", "alpha_pattern"] {
        let names = keys.get(key).and_then(Value::as_object);
        let mut names = names.into_iter().flat_map(Map::keys);
        if let Some(name) = names.find(|name| !name.chars().all(plain)) {
            return Err(format!(
                "`{key}` has the pattern `{name}`, which relprop does not read; {WAY_OUT}"
            ));
        }
    }
    Ok(())
}

fn wrong(file: &File, message: String) -> CheckpointError {
    CheckpointError::Adapter {
        path: file.path().to_owned(),
        message,
    }
}
