//! A chat template, which is written for Python's Jinja2, run by `minijinja`.

use minijinja::syntax::SyntaxConfig;
use minijinja::value::Serde;
use minijinja::{AutoEscape, Environment, Error, ErrorKind, Value as Jinja};
use serde_json::{Map, Value, json};

use super::python;

/// How much a template may do, beside what it may do for each byte of the messages: about a tenth of a
/// second of work, and 60 MB of texts.
const FUEL: u64 = 1_000_000;
/// The stack of a template, in bytes: an engine calls itself for each level of a value, and a template can
/// make as many levels as it has fuel. Only what is used of it is taken.
#[cfg(not(target_family = "wasm"))]
const STACK: usize = 512 << 20;
/// The longest block, in bytes: a parser calls itself for each operator.
const LONGEST_BLOCK: usize = 1 << 15;
/// The longest template, in bytes. Popular ones have up to 30 kB.
const LONGEST: usize = 1 << 20;
/// The name that the engine calls the template by.
const NAME: &str = "chat";

/// Why there is no text.
pub(super) enum Fault {
    /// The template says what is wrong with the messages.
    Refused(String),
    /// The template is wrong, or too much work.
    Failed(String),
}

/// Whether the template can be read.
pub(super) fn check(template: &str) -> Result<(), String> {
    let template = understood(template)?;
    let environment = environment();
    let read = environment.template_from_named_str(NAME, &template);
    read.map(drop).map_err(|error| said(&error))
}

/// The messages as one text.
pub(super) fn render(
    template: &str,
    tokens: &Map<String, Value>,
    messages: &[Map<String, Value>],
) -> Result<String, Fault> {
    let template = understood(template).map_err(Fault::Failed)?;
    let mut variables = tokens.clone();
    for (name, value) in [
        ("messages", json!(messages)),
        ("tools", Value::Null),
        ("documents", Value::Null),
        ("add_generation_prompt", Value::Bool(true)),
    ] {
        variables.insert(name.to_owned(), value);
    }
    let bytes: usize = messages
        .iter()
        .map(|message| json!(message).to_string().len())
        .sum();
    apart(move || {
        let mut environment = environment();
        environment.set_fuel(Some(FUEL + 100 * bytes as u64));
        let read = environment.template_from_named_str(NAME, &template);
        let rendered = read.and_then(|read| read.render(Jinja::from(Serde(variables))));
        rendered.map_err(|error| match python::raised(&error) {
            Some(message) => Fault::Refused(message),
            None => Fault::Failed(said(&error)),
        })
    })
}

/// Runs on a stack that is large enough for whatever a template makes, where there are threads.
#[cfg(not(target_family = "wasm"))]
fn apart(render: impl FnOnce() -> Result<String, Fault> + Send) -> Result<String, Fault> {
    let failed = || Fault::Failed("it cannot be run".to_owned());
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().stack_size(STACK);
        let running = thread.spawn_scoped(scope, render).map_err(|_| failed())?;
        running.join().map_err(|_| failed())?
    })
}

#[cfg(target_family = "wasm")]
fn apart(render: impl FnOnce() -> Result<String, Fault>) -> Result<String, Fault> {
    render()
}

/// An engine like the one that `transformers` makes.
fn environment() -> Environment<'static> {
    let mut environment = Environment::new();
    // Only two switches, which go together.
    if let Ok(syntax) = SyntaxConfig::builder()
        .trim_blocks(true)
        .lstrip_blocks(true)
        .build()
    {
        environment.set_syntax(syntax);
    }
    environment.set_auto_escape_callback(|_| AutoEscape::None);
    environment.set_unknown_method_callback(python::method);
    environment.add_filter("tojson", python::to_json);
    environment.add_function("raise_exception", python::raise);
    environment.add_function("strftime_now", python::strftime_now);
    environment.remove_global("debug");
    environment
}

/// The template in words that the engine knows: the block `generation` marks what the model said, for
/// training, and changes no text.
fn understood(template: &str) -> Result<String, String> {
    if template.len() > LONGEST {
        let length = template.len();
        return Err(format!(
            "it has {length} bytes, and {LONGEST} are read at most"
        ));
    }
    let mut text = String::with_capacity(template.len());
    let mut rest = template;
    while let Some(start) = rest.find("{%") {
        let (before, block) = rest.split_at(start);
        text.push_str(before);
        let end = block.find("%}").map_or(block.len(), |end| end + 2);
        let (block, after) = block.split_at(end);
        short(block)?;
        let words = block.trim_start_matches(['{', '%', '-', '+']);
        let words = words.trim_end_matches(['%', '}', '-', '+']).trim();
        match words {
            "generation" => text.push_str(&block.replace("generation", "if true")),
            "endgeneration" => text.push_str(&block.replace("endgeneration", "endif")),
            _ => text.push_str(block),
        }
        rest = after;
    }
    text.push_str(rest);
    for block in text.split("{{").skip(1) {
        short(block.split("}}").next().unwrap_or_default())?;
    }
    Ok(text)
}

fn short(block: &str) -> Result<(), String> {
    match block.len() {
        ..=LONGEST_BLOCK => Ok(()),
        length => Err(format!(
            "a block has {length} bytes, and {LONGEST_BLOCK} are read at most"
        )),
    }
}

/// What the engine says, with the line.
fn said(error: &Error) -> String {
    match (error.kind(), error.line()) {
        (ErrorKind::OutOfFuel, _) => {
            "it does too much for a chat template, and was stopped".to_owned()
        }
        (kind, line) => {
            let what = match error.detail() {
                Some(detail) => format!("{kind}: {detail}"),
                None => kind.to_string(),
            };
            line.map_or(what.clone(), |line| format!("line {line}: {what}"))
        }
    }
}
