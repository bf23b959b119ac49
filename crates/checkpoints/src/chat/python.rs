//! What templates use of Python: methods of texts, `tojson`, the time, and exceptions.

use std::fmt::Write;

use minijinja::value::{Kwargs, Rest, ValueKind, from_args};
use minijinja::{Error, ErrorKind, State, Value as Jinja};
use minijinja_contrib::pycompat::unknown_method_callback;
use serde_json::Value;

/// What an exception of a template begins with, so that it is known by it.
const RAISED: &str = "raised by the template: ";

/// The deepest value that is written as JSON, and the most values in it.
const DEEPEST: usize = 128;
const MOST: usize = 1 << 20;

/// Fails with a message, as the template says.
pub(super) fn raise(message: &str) -> Result<Jinja, Error> {
    let message = format!("{RAISED}{message}");
    Err(Error::new(ErrorKind::InvalidOperation, message))
}

/// The message of an exception that a template raised; none of another error.
pub(super) fn raised(error: &Error) -> Option<String> {
    error.detail()?.strip_prefix(RAISED).map(str::to_owned)
}

/// The local time, as Python's `strftime` writes it.
pub(super) fn strftime_now(format: &str) -> Result<String, Error> {
    let mut text = String::new();
    // An unknown letter is an error of writing.
    match write!(text, "{}", chrono::Local::now().format(format)) {
        Ok(()) => Ok(text),
        Err(_) => Err(Error::new(
            ErrorKind::InvalidOperation,
            format!("`{format}` is no format of a time"),
        )),
    }
}

/// The methods of Python's texts, lists and dictionaries.
pub(super) fn method(
    state: &mut State,
    value: &Jinja,
    name: &str,
    arguments: &[Jinja],
) -> Result<Jinja, Error> {
    let Some(text) = value.as_str() else {
        return unknown_method_callback(state, value, name, arguments);
    };
    let place = |found: Option<usize>| match found {
        Some(at) => Ok(Jinja::from(text[..at].chars().count())),
        None => Err(Error::new(
            ErrorKind::InvalidOperation,
            "substring not found",
        )),
    };
    match name {
        "removeprefix" => {
            let (prefix,): (&str,) = from_args(arguments)?;
            Ok(text.strip_prefix(prefix).unwrap_or(text).into())
        }
        "removesuffix" => {
            let (suffix,): (&str,) = from_args(arguments)?;
            Ok(text.strip_suffix(suffix).unwrap_or(text).into())
        }
        "index" => {
            let (part,): (&str,) = from_args(arguments)?;
            place(text.find(part))
        }
        "rindex" => {
            let (part,): (&str,) = from_args(arguments)?;
            place(text.rfind(part))
        }
        "partition" | "rpartition" => {
            let (separator,): (&str,) = from_args(arguments)?;
            let last = name == "rpartition";
            let parts = match (
                last,
                text.split_once(separator),
                text.rsplit_once(separator),
            ) {
                (false, Some((before, after)), _) | (true, _, Some((before, after))) => {
                    [before, separator, after]
                }
                (false, ..) => [text, "", ""],
                (true, ..) => ["", "", text],
            };
            Ok(parts.into_iter().map(Jinja::from).collect())
        }
        _ => unknown_method_callback(state, value, name, arguments),
    }
}

/// JSON as Python's `json.dumps` writes it.
pub(super) fn to_json(value: &Jinja, more: Rest<Jinja>, options: Kwargs) -> Result<Jinja, Error> {
    let wrong = |message: &str| Error::new(ErrorKind::InvalidOperation, message.to_owned());
    let given: Option<Jinja> = options.get("indent")?;
    // The second argument without a name is the indent: the first is `ensure_ascii`.
    let given = given
        .or_else(|| more.get(1).cloned())
        .filter(|given| !given.is_none());
    let indent = match given {
        None => None,
        Some(given) => Some(match given.as_str() {
            Some(text) => text.to_owned(),
            None => " ".repeat(usize::try_from(given)?.min(64)),
        }),
    };
    let ascii: Option<bool> = options.get("ensure_ascii")?;
    let ascii = ascii
        .or_else(|| more.first().map(Jinja::is_true))
        .unwrap_or(false);
    let sorted = options.get::<Option<bool>>("sort_keys")?.unwrap_or(false);
    let separators: Option<Jinja> = options.get("separators")?;
    options.assert_all_used()?;
    let separators = match separators.filter(|given| given.kind() != ValueKind::None) {
        None => match indent {
            None => [", ", ": "].map(str::to_owned),
            Some(_) => [",", ": "].map(str::to_owned),
        },
        Some(given) => {
            let given: Vec<_> = given.try_iter()?.map(|part| part.to_string()).collect();
            <[String; 2]>::try_from(given).map_err(|_| wrong("`separators` must be two texts"))?
        }
    };
    check_size(value, 0, &mut MOST.clone())?;
    let value = serde_json::to_value(value).map_err(|error| wrong(&error.to_string()))?;
    let mut text = String::new();
    let style = Style {
        indent,
        separators,
        ascii,
        sorted,
    };
    style.write(&mut text, &value, 0);
    Ok(text.into())
}

/// Refuses what is nested too deep, or is too much: a value can hold another many times.
fn check_size(value: &Jinja, depth: usize, left: &mut usize) -> Result<(), Error> {
    if depth > DEEPEST || *left == 0 {
        let message = "a value is too large for JSON";
        return Err(Error::new(ErrorKind::InvalidOperation, message));
    }
    *left -= 1;
    if matches!(
        value.kind(),
        ValueKind::Seq | ValueKind::Map | ValueKind::Iterable
    ) {
        for key in value.try_iter()? {
            check_size(&key, depth + 1, left)?;
            if value.kind() == ValueKind::Map {
                check_size(&value.get_item(&key)?, depth + 1, left)?;
            }
        }
    }
    Ok(())
}

/// How JSON is written.
struct Style {
    indent: Option<String>,
    separators: [String; 2],
    ascii: bool,
    sorted: bool,
}

impl Style {
    fn write(&self, text: &mut String, value: &Value, depth: usize) {
        match value {
            Value::String(string) => self.write_text(text, string),
            Value::Array(values) if values.is_empty() => text.push_str("[]"),
            Value::Object(fields) if fields.is_empty() => text.push_str("{}"),
            Value::Array(values) => {
                text.push('[');
                for (at, value) in values.iter().enumerate() {
                    self.begin(text, at, depth);
                    self.write(text, value, depth + 1);
                }
                self.line(text, depth);
                text.push(']');
            }
            Value::Object(fields) => {
                text.push('{');
                let mut fields: Vec<_> = fields.iter().collect();
                if self.sorted {
                    fields.sort_by_key(|(name, _)| *name);
                }
                for (at, (name, value)) in fields.into_iter().enumerate() {
                    self.begin(text, at, depth);
                    self.write_text(text, name);
                    text.push_str(&self.separators[1]);
                    self.write(text, value, depth + 1);
                }
                self.line(text, depth);
                text.push('}');
            }
            other => text.push_str(&other.to_string()),
        }
    }

    fn begin(&self, text: &mut String, at: usize, depth: usize) {
        if at > 0 {
            text.push_str(&self.separators[0]);
        }
        self.line(text, depth + 1);
    }

    fn line(&self, text: &mut String, depth: usize) {
        if let Some(indent) = &self.indent {
            text.push('\n');
            (0..depth).for_each(|_| text.push_str(indent));
        }
    }

    fn write_text(&self, text: &mut String, string: &str) {
        let written = Value::from(string).to_string();
        if !self.ascii {
            return text.push_str(&written);
        }
        for character in written.chars() {
            match character.is_ascii() {
                true => text.push(character),
                false => {
                    for unit in character.encode_utf16(&mut [0; 2]) {
                        text.push_str(&format!("\\u{unit:04x}"));
                    }
                }
            }
        }
    }
}
