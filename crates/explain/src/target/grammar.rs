//! The language of targets: its one reader and its one writer.
//!
//! ```text
//! scalar = target [ "@" place ]
//!        | "entity(" range ")"            short for "predicted@entity(" range ")"
//! target = output
//!        | output "-" output              why the first rather than the second
//!        | output "-mean()"               against the mean of all outputs; also "answer()-mean()"
//!        | output "-mean(" K ")"          against the mean of the K largest; also "answer()-mean(" K ")"
//!        | "log-probability(" target ")"
//!        | "answer()"                     a given answer
//!        | "entropy()" | "norm()"         of all outputs; of the state that the head reads
//! output = "predicted" | name | '"' name '"' | index | "id:" index | "class(" output ")"
//! place  = '"' text '"' [ "#" N ]         a part of the text; the Nth of several, from 1
//!        | "word(" range ")" | "token(" range ")" | "entity(" range ")"
//! range  = N | N ".." END | "-" N         counted from 0, END is exclusive; "-1" is the last, "-2" the one before it
//! ```
//!
//! Names are read by a model; it is the shortest reading that counts, and of several none. What is written
//! has no names, but `id:` and an index, and is read the same by any model.

use std::fmt;
use std::num::NonZeroUsize;
use std::str::FromStr;

use relprop_checkpoints::Model;

use super::names::Names;
use super::place::{call, unquoted};
use super::{Chosen, Place, Scalar, Target, UnknownTarget};
use crate::Score;

/// What a text could mean, with words for it.
type Readings = Vec<(Scalar, String)>;

impl Scalar {
    /// Reads what to explain of `model`. With `against`, the difference of the two.
    ///
    /// # Errors
    ///
    /// [`UnknownTarget`], with the labels that there are, or the tokens that make up the text, or with
    /// all meanings of the text if it has several.
    pub fn read(model: &Model, text: &str, against: Option<&str>) -> Result<Self, UnknownTarget> {
        Self::named(&Names::of(model), text, against)
    }

    /// The same of outputs with these labels.
    ///
    /// # Errors
    ///
    /// As [`Scalar::read`].
    pub fn among(
        labels: &[String],
        text: &str,
        against: Option<&str>,
    ) -> Result<Self, UnknownTarget> {
        Self::named(&Names::Labels(labels), text, against)
    }

    fn named(names: &Names, text: &str, against: Option<&str>) -> Result<Self, UnknownTarget> {
        let scalar = read(text, names)?;
        let Some(other) = against else {
            return Ok(scalar);
        };
        let of = match (scalar.of, read(other, names)?) {
            (
                Target::Label(a),
                Self {
                    of: Target::Label(b),
                    score: Score::Logit,
                    place: None,
                },
            ) => Target::Contrast(a, b),
            (Target::Label(_), _) => return Err(names.unknown(other)),
            _ => return Err(names.unknown(text)),
        };
        Ok(Self { of, ..scalar })
    }

    /// Reads what to explain of a model whose outputs have these labels.
    ///
    /// # Errors
    ///
    /// [`UnknownTarget`], with the labels that there are, or with all meanings of the text if it has
    /// several.
    pub fn parse(text: &str, labels: &[String]) -> Result<Self, UnknownTarget> {
        read(text, &Names::Labels(labels))
    }
}

impl Target {
    /// Reads one of the outputs, or a difference of some: [`Scalar::parse`] without a unit and a place.
    ///
    /// ```
    /// use relprop_explain::Target;
    ///
    /// let labels = ["negative".to_string(), "positive".to_string()];
    /// assert_eq!(Target::parse("positive", &labels)?, Target::Label(1));
    /// assert_eq!(Target::parse("1-negative", &labels)?, Target::Contrast(1, 0));
    /// # Ok::<(), relprop_explain::UnknownTarget>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As [`Scalar::parse`].
    pub fn parse(text: &str, labels: &[String]) -> Result<Self, UnknownTarget> {
        let names = Names::Labels(labels);
        alone(read(text, &names)?).ok_or_else(|| names.unknown(text))
    }

    /// The same of `model`: [`Scalar::read`] without a unit and a place.
    ///
    /// # Errors
    ///
    /// As [`Scalar::read`].
    pub fn read(model: &Model, text: &str, against: Option<&str>) -> Result<Self, UnknownTarget> {
        let scalar = Scalar::read(model, text, against)?;
        alone(scalar).ok_or_else(|| Names::of(model).unknown(text))
    }
}

/// The target of a scalar that has neither a unit nor a place.
fn alone(scalar: Scalar) -> Option<Target> {
    let Scalar { of, score, place } = scalar;
    (score == Score::Logit && place.is_none()).then_some(of)
}

impl FromStr for Scalar {
    type Err = UnknownTarget;

    /// Reads what is written without names.
    fn from_str(text: &str) -> Result<Self, UnknownTarget> {
        read(text, &Names::None)
    }
}

/// The one meaning of a text.
fn read(text: &str, names: &Names) -> Result<Scalar, UnknownTarget> {
    // What needs no names has one meaning, whatever the names are.
    if let [(scalar, _)] = scalars(text, &Names::None)?.as_slice() {
        return Ok(scalar.clone());
    }
    let readings = scalars(text, names)?;
    match readings.as_slice() {
        [] => Err(names.unknown(text)),
        [(first, _), rest @ ..] if rest.iter().all(|(other, _)| other == first) => {
            Ok(first.clone())
        }
        _ => Err(UnknownTarget {
            readings: readings.into_iter().map(|(_, said)| said).collect(),
            ..names.unknown(text)
        }),
    }
}

/// What a text could mean: a target, or else a target at a place.
fn scalars(text: &str, names: &Names) -> Result<Readings, UnknownTarget> {
    let mut found = targets(text, names)?;
    if let (true, Some(place @ Place::Entities(_))) = (found.is_empty(), Place::parse(text)) {
        let place = Some(place);
        return Ok(vec![(
            Scalar {
                place,
                ..Scalar::default()
            },
            format!("`{text}`"),
        )]);
    }
    if found.is_empty() {
        for (at, _) in text.match_indices('@') {
            let Some(place) = Place::parse(&text[at + 1..]) else {
                continue;
            };
            for (scalar, said) in targets(&text[..at], names)? {
                let said = format!("{said} at `{place}`");
                let place = Some(place.clone());
                found.push((Scalar { place, ..scalar }, said));
            }
        }
    }
    Ok(found)
}

/// What a text without a place could mean: an output, or else what is made of outputs.
fn targets(text: &str, names: &Names) -> Result<Readings, UnknownTarget> {
    if let Some(of) = output(text, names)? {
        return Ok(vec![(of.into(), format!("`{text}`"))]);
    }
    let of_all = |score| Scalar {
        score,
        ..Scalar::default()
    };
    let whole = match text {
        "answer()" => Some(Target::Given.into()),
        "entropy()" => Some(of_all(Score::Entropy)),
        "norm()" => Some(of_all(Score::Norm)),
        _ => None,
    };
    if let Some(scalar) = whole {
        return Ok(vec![(scalar, format!("`{text}`"))]);
    }
    if let Some(inside) = call(text, "log-probability") {
        let mut found = targets(inside, names)?;
        found.retain(|(scalar, _)| scalar.score == Score::Logit);
        for (scalar, said) in &mut found {
            scalar.score = Score::LogProbability;
            *said = format!("the log-probability of {said}");
        }
        if !found.is_empty() {
            return Ok(found);
        }
    }
    // Names may hold hyphens themselves, so every hyphen could be the minus.
    let mut found = Vec::new();
    for (at, _) in text.match_indices('-') {
        let (first, second) = (&text[..at], &text[at + 1..]);
        let first_output = output(first, names)?;
        let of = match (first_output, mean(second)) {
            (Some(Target::Label(index)), Some(top)) => Target::AboveMean {
                of: Chosen::Label(index),
                top,
            },
            (Some(Target::Predicted), Some(top)) => Target::AboveMean {
                of: Chosen::Predicted,
                top,
            },
            (None, Some(top)) if first == "answer()" => Target::AboveMean {
                of: Chosen::Given,
                top,
            },
            (Some(Target::Label(a)), None) => match output(second, names)? {
                Some(Target::Label(b)) => Target::Contrast(a, b),
                _ => continue,
            },
            _ => continue,
        };
        found.push((of.into(), format!("`{first}` against `{second}`")));
    }
    Ok(found)
}

/// Over how many of the largest outputs a mean is, if it is one; over all if it says no number.
fn mean(text: &str) -> Option<Option<NonZeroUsize>> {
    match call(text, "mean")? {
        "" => Some(None),
        count => Some(Some(count.parse().ok()?)),
    }
}

/// The output that a text names.
fn output(text: &str, names: &Names) -> Result<Option<Target>, UnknownTarget> {
    if text == "predicted" {
        return Ok(Some(Target::Predicted));
    }
    if let Some(index) = text.strip_prefix("id:").and_then(|id| id.parse().ok()) {
        return Ok(Some(Target::Label(index)));
    }
    if let Some(name) = unquoted(text) {
        return match names.quoted(&name)? {
            Some(found) => Ok(Some(found)),
            // A name may have quotes of its own.
            None => names.find(text),
        };
    }
    if let Some(found) = names.find(text)? {
        return Ok(Some(found));
    }
    let class = match call(text, "class") {
        Some(inside) => output(inside, names)?,
        None => None,
    };
    Ok(class.and_then(|target| match target {
        Target::Label(index) | Target::Class(index) => Some(Target::Class(index)),
        _ => None,
    }))
}

impl fmt::Display for Scalar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.score {
            Score::Logit => write!(f, "{}", self.of),
            Score::LogProbability => write!(f, "log-probability({})", self.of),
            Score::Entropy => f.write_str("entropy()"),
            Score::Norm => f.write_str("norm()"),
        }?;
        match &self.place {
            Some(place) => write!(f, "@{place}"),
            None => Ok(()),
        }
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.write(f, &|index| format!("id:{index}"))
    }
}

impl Target {
    /// Writes it with names of the outputs.
    pub(crate) fn named(self, name: &dyn Fn(usize) -> String) -> String {
        let mut written = String::new();
        // Writing to a text never fails.
        let _ = self.write(&mut written, name);
        written
    }

    fn write(self, f: &mut dyn fmt::Write, name: &dyn Fn(usize) -> String) -> fmt::Result {
        match self {
            Self::Predicted => f.write_str("predicted"),
            Self::Given => f.write_str("answer()"),
            Self::Label(index) => write!(f, "{}", name(index)),
            Self::Class(index) => write!(f, "class({})", name(index)),
            Self::Contrast(a, b) => write!(f, "{}-{}", name(a), name(b)),
            Self::AboveMean { of, top } => {
                let of = match of {
                    Chosen::Predicted => "predicted".to_owned(),
                    Chosen::Given => "answer()".to_owned(),
                    Chosen::Label(index) => name(index),
                };
                match top {
                    Some(count) => write!(f, "{of}-mean({count})"),
                    None => write!(f, "{of}-mean()"),
                }
            }
        }
    }
}
