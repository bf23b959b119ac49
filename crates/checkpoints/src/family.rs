//! Families: how a kind of model is written in the Hugging Face layout.

use std::fmt;
use std::path::Path;

use serde_json::{Map, Value};

use super::CheckpointError;
use super::families::{FAMILIES, relprop::RELPROP};
use super::files::CONFIG;
use super::foreign;
use super::keys::read::{self, ALIASES};
use super::keys::{HARMLESS, Key, KeyError};
use super::quantized::{self, Quantized};
use relprop_transformer::{Head, TransformerConfig};

/// Keys of `config.json`, each with what it means.
pub type Keys = &'static [(&'static str, Key)];

/// Pairs of relprop's name and the family's name of a module; `{}` stands for the number of a
/// block. Names that are not listed are the same in both.
pub type Names = &'static [(&'static str, &'static str)];

/// Whether a configuration has something.
pub type Condition = fn(&TransformerConfig) -> bool;

/// A kind of model, as a table: how its `config.json` maps to a [`TransformerConfig`], and how its
/// tensors' names map to the model's.
pub struct Family {
    /// Its `model_type` in `config.json`, which is also its name in explanations: `bert`,
    /// `relprop`.
    pub name: &'static str,
    /// The class with which Python's `transformers` opens it; none if `transformers` cannot open
    /// it.
    pub architecture: Option<&'static str>,
    /// The configuration that a `config.json` without any optional key describes.
    pub start: fn() -> TransformerConfig,
    /// The keys that change what is computed, in the order in which they are read.
    pub keys: &'static [Keys],
    /// Keys of this family that change nothing; [`HARMLESS`] has those of every family.
    pub ignored_keys: &'static [&'static str],
    /// What `$` stands for in the names of tensors: the part of the model under the classifier. A
    /// file may leave it out.
    pub base: &'static str,
    /// The names of every module that holds tensors. Modules of one name are one tensor in the file,
    /// side by side in the order in which they stand here.
    pub tensors: &'static [Names],
    /// Names that go before those, of the models whose configuration the function says yes to.
    pub variants: &'static [(Condition, Names)],
    /// Our names of modules that are one tensor in the file not side by side, but head by head: what one
    /// head of keys has of each, then the next head.
    pub grouped: &'static [&'static str],
    /// Our names of modules of experts, each of whose tensors is one in the file for all experts: one expert's
    /// after another's. The numbers of several modules of one name take turns, one by one.
    pub stacked: &'static [&'static str],
    /// Our names of linear maps that stand in the file as they do here, `[input, output]`; PyTorch
    /// keeps all others the other way round.
    pub untransposed: &'static [&'static str],
    /// Tensors that the family's files may hold and that no computation needs; `*` at the end stands for
    /// everything in a module.
    pub ignored_tensors: &'static [&'static str],
}

impl Family {
    /// Every family of this crate.
    pub fn all() -> impl Iterator<Item = &'static Self> {
        FAMILIES.iter().copied()
    }

    /// The first family of that name.
    pub fn named(name: &str) -> Option<&'static Self> {
        Self::all().find(|family| family.name == name)
    }

    /// The first family that can express `config`: its `config.json`, written and read back, gives
    /// the same configuration.
    ///
    /// relprop's own family, the last one, expresses everything.
    pub fn of(config: &TransformerConfig) -> &'static Self {
        let mut families = Self::all().filter(|family| family.expresses(config));
        families.next().unwrap_or(&RELPROP)
    }

    fn expresses(&self, config: &TransformerConfig) -> bool {
        let read = self.read(&self.write(config), &[]);
        read.is_ok_and(|read| read == *config)
    }

    /// Reads a `config.json`: its family, and the model that it describes.
    ///
    /// # Errors
    ///
    /// A [`CheckpointError::Config`] that names what is not supported, or the key that is not
    /// understood.
    pub fn read_config(text: &str) -> Result<(&'static Self, TransformerConfig), CheckpointError> {
        Self::read_config_among(&[], text, Path::new(CONFIG), &[], false)
    }

    /// The same, where a family may be one of `others`, which go first. The file is at `path`. The names
    /// of the `stored` tensors show the architecture where the file does not say it; it is one that makes
    /// a vector of a text, whatever the file says, if other files say so.
    pub(super) fn read_config_among(
        others: &[&'static Self],
        text: &str,
        path: &Path,
        stored: &[&str],
        is_vector: bool,
    ) -> Result<(&'static Self, TransformerConfig), CheckpointError> {
        let known: Vec<&'static Self> = others.iter().copied().chain(Self::all()).collect();
        Self::find(&known, text, stored, is_vector).map_err(|message| CheckpointError::Config {
            path: path.to_owned(),
            message,
        })
    }

    fn find(
        known: &[&'static Self],
        text: &str,
        stored: &[&str],
        is_vector: bool,
    ) -> Result<(&'static Self, TransformerConfig), String> {
        let json = serde_json::from_str(text).map_err(|error| error.to_string())?;
        let Value::Object(mut json) = json else {
            return Err("it is not a JSON object".to_owned());
        };
        let name = match json.get("model_type") {
            None | Some(Value::Null) => {
                let named =
                    |family: &&&Self| family.architecture.is_some() && family.is_named(&json);
                known.iter().find(named).map(|family| family.name)
            }
            Some(Value::String(name)) => Some(name.as_str()),
            Some(other) => return Err(format!("`model_type` is {other}; it must be a name")),
        };
        let Some(name) = name else {
            let names = architectures(&json).join(", ");
            return Err(format!(
                "it has no `model_type`, and `architectures` is [{names}], which does not show it"
            ));
        };
        let of_type = known.iter().copied().filter(|family| family.name == name);
        let of_type: Vec<&'static Self> = of_type.collect();
        let Some(first) = of_type.first() else {
            if let Some(reason) = foreign::model_type(name) {
                return Err(format!(
                    "models of type `{name}` are not supported: {reason}"
                ));
            }
            let mut known: Vec<_> = known.iter().map(|f| format!("`{}`", f.name)).collect();
            known.dedup();
            return Err(format!(
                "models of type `{name}` are not supported; the supported types are {}",
                known.join(", ")
            ));
        };
        Quantized::of(&json)?;
        // A type can have several architectures.
        let family = match architectures(&json).is_empty() {
            _ if is_vector => {
                let vector = of_type.iter().find(|family| family.makes_vectors());
                Some(vector.ok_or_else(|| {
                    format!("relprop makes no vectors of texts with models of the type `{name}`")
                })?)
            }
            false => of_type.iter().find(|family| family.is_named(&json)),
            true => of_type.iter().find(|family| family.has_head_in(stored)),
        };
        let family = family.unwrap_or(first);
        if is_vector {
            // It names the class that the model was before.
            json.remove("architectures");
        }
        // What it says was read just now.
        json.remove(quantized::KEY);
        family.rename_aliases(&mut json)?;
        Ok((family, family.read(&json, &of_type)?))
    }

    /// Reads a configuration; `siblings` are the families of the same type.
    fn read(
        &self,
        json: &Map<String, Value>,
        siblings: &[&Self],
    ) -> Result<TransformerConfig, String> {
        if !self.is_named(json) && !architectures(json).is_empty() {
            let supported: Vec<_> = siblings.iter().filter_map(|f| f.architecture).collect();
            let (last, others) = supported.split_last().unwrap_or((&"none", &[]));
            let supported = match others {
                [] => format!("{last} is"),
                others => format!("{} and {last} are", others.join(", ")),
            };
            return Err(format!(
                "`architectures` is [{}]; of the type `{}`, only {supported} supported",
                architectures(json).join(", "),
                self.name,
            ));
        }
        let mut config = (self.start)();
        self.read_keys(&mut config, json)?;
        Ok(config)
    }

    /// Reads a part of a `config.json` that describes a model of this family inside of another.
    pub(crate) fn read_part(
        &self,
        config: &mut TransformerConfig,
        part: &Value,
    ) -> Result<(), KeyError> {
        let keys = part.as_object();
        let keys = keys.ok_or_else(|| KeyError::must_be(part, "an object"))?;
        let read = self.read_keys(config, keys);
        read.map_err(|error| KeyError::new(format!("is not understood: {error}")))
    }

    fn read_keys(
        &self,
        config: &mut TransformerConfig,
        json: &Map<String, Value>,
    ) -> Result<(), String> {
        for (name, key) in self.keys() {
            let read = match json.get(*name) {
                None | Some(Value::Null) if key.is_required() => {
                    return Err(format!("it has no `{name}`"));
                }
                absent @ (None | Some(Value::Null)) => key.without(config, absent),
                Some(value) => key.read(config, value),
            };
            read.map_err(|error| format!("`{name}` {error}"))?;
        }
        let unknown = json
            .iter()
            .find(|(name, value)| !value.is_null() && !self.knows(name));
        match unknown {
            None => Ok(()),
            Some((name, value)) if self.is_searched() => Err(format!(
                "`{name}` is {value}; transformers reads this key of a `{}`, and relprop does not \
                 support it",
                self.name
            )),
            Some((name, value)) => Err(format!(
                "`{name}` is {value}; relprop does not know this key of a `{}` and so cannot tell \
                 what it changes; if it changes no logit, remove it",
                self.name
            )),
        }
    }

    /// Whether the file names this architecture, in large or small letters: MPT's own code calls it otherwise than
    /// transformers.
    fn is_named(&self, json: &Map<String, Value>) -> bool {
        let names = architectures(json);
        self.architecture
            .is_none_or(|name| names.iter().any(|other| other.eq_ignore_ascii_case(name)))
    }

    fn makes_vectors(&self) -> bool {
        matches!((self.start)().head, Head::Vector { .. })
    }

    /// Whether the head of this architecture is among these tensors.
    fn has_head_in(&self, stored: &[&str]) -> bool {
        let base = self.base_in(stored.iter().copied());
        let head = self.tensor_name("classifier.weight", base);
        stored.contains(&head.as_str())
    }

    /// Whether the list of keys that transformers reads for this family is known.
    fn is_searched(&self) -> bool {
        read::of_type(self.name).is_some()
    }

    /// Renames the keys for which transformers has two names to the name that is read here.
    fn rename_aliases(&self, json: &mut Map<String, Value>) -> Result<(), String> {
        let of_type = ALIASES.iter().find(|(known, _)| *known == self.name);
        for (alias, name) in of_type.map_or(&[][..], |(_, names)| names) {
            // A family from outside relprop may read it under this name.
            if self.keys().any(|(known, _)| known == alias) {
                continue;
            }
            let Some(value) = json.remove(*alias).filter(|value| !value.is_null()) else {
                continue;
            };
            let said = json.entry(*name).or_insert_with(|| value.clone());
            if *said != value {
                return Err(format!(
                    "`{alias}` is {value}, but `{name}`, which is the same, is {said}"
                ));
            }
        }
        Ok(())
    }

    fn keys(&self) -> impl Iterator<Item = &'static (&'static str, Key)> {
        self.keys.iter().copied().flatten()
    }

    fn knows(&self, name: &str) -> bool {
        matches!(name, "model_type" | "architectures")
            || self.keys().any(|(known, _)| *known == name)
            || self.ignored_keys.contains(&name)
            || HARMLESS.contains(&name)
            || read::ignores(self.name, name)
    }

    /// Writes a `config.json`.
    pub(super) fn write(&self, config: &TransformerConfig) -> Map<String, Value> {
        let mut json = Map::new();
        if let Some(architecture) = self.architecture {
            json.insert("architectures".to_owned(), vec![architecture].into());
        }
        json.insert("model_type".to_owned(), self.name.into());
        for (name, key) in self.keys() {
            let value = key.write(config);
            // A key whose null has a meaning must be written.
            if !value.is_null() || matches!(key, Key::Derived { .. }) {
                json.insert((*name).to_owned(), value);
            }
        }
        json
    }
}

/// The classes that a `config.json` names.
fn architectures(json: &Map<String, Value>) -> Vec<&str> {
    let names = json.get("architectures").and_then(Value::as_array);
    let names = names.map_or(&[][..], Vec::as_slice);
    names.iter().filter_map(Value::as_str).collect()
}

impl fmt::Debug for Family {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Family").field(&self.name).finish()
    }
}

/// Two families are the same if they have the same name and architecture.
impl PartialEq for Family {
    fn eq(&self, other: &Self) -> bool {
        (self.name, self.architecture) == (other.name, other.architecture)
    }
}

impl Eq for Family {}
