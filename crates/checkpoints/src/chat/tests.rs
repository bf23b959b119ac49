use std::fs;
use std::path::Path;

use serde_json::{Map, Value, json};

use super::*;
use crate::changes::again;
use crate::{Tokenizer, Truncation};

/// What `tests/fixtures/chat.py` had transformers write.
fn reference() -> Value {
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures");
    serde_json::from_str(&fs::read_to_string(fixtures.join("chat.json")).unwrap()).unwrap()
}

fn chat(template: &str, tokens: &Value) -> Chat {
    Chat {
        found: Found::Template {
            text: template.to_owned(),
            file: "chat_template.jinja".to_owned(),
        },
        tokens: tokens.as_object().unwrap().clone(),
    }
}

#[test]
fn a_chat_is_written_as_transformers_writes_it() {
    let reference = reference();
    let mut wrong = Vec::new();
    let mut tokens = json!({"unk_token": "<unk>", "pad_token": "<pad>"});
    let named = reference["tokens"].as_object().unwrap().clone();
    tokens.as_object_mut().unwrap().extend(named);
    for case in reference["cases"].as_array().unwrap() {
        let template = reference["templates"][case["template"].as_str().unwrap()].as_str();
        let messages = messages(&reference["chats"][case["chat"].as_str().unwrap()].to_string());
        let found = chat(template.unwrap(), &tokens).text(&messages);
        let right = match (&found, case["refused"].as_str()) {
            (Ok(text), None) => case["text"] == *text,
            (Err(ChatError::Refused(said)), Some("TemplateError")) => case["message"] == *said,
            (Err(ChatError::Template { .. }), Some(refused)) => refused != "TemplateError",
            _ => false,
        };
        if !right {
            wrong.push(format!("{case:#}\n{found:#?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

#[test]
fn a_chat_has_the_tokens_that_transformers_gives_it() {
    let reference = reference();
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures");
    for case in reference["ids"].as_array().unwrap() {
        let folder = fixtures.join(case["tokenizer"].as_str().unwrap());
        let tokenizer = fs::read_to_string(folder.join("tokenizer.json")).unwrap();
        let template = reference["templates"][case["template"].as_str().unwrap()].as_str();
        let tokenizer = Tokenizer::from_json(&tokenizer).unwrap();
        let tokenizer = tokenizer.with_chat(chat(template.unwrap(), &case["tokens"]));
        let text = tokenizer.chat("a warm film").unwrap();
        let found = tokenizer
            .encode_whole(&text, 1000, Truncation::Refuse)
            .unwrap();
        let ids: Vec<u32> = found.tokens.iter().map(|token| token.id).collect();
        assert_eq!(json!(ids), case["ids"], "{case}");
    }
}

#[test]
fn the_template_of_the_right_file_counts() {
    let read = |files: &[(&str, Value)]| {
        let files: Vec<_> = files
            .iter()
            .map(|(name, value)| {
                let bytes = match value.as_str() {
                    Some(text) => text.as_bytes().to_vec(),
                    None => value.to_string().into_bytes(),
                };
                (*name, bytes)
            })
            .collect();
        let keys = files.iter().find(|(name, _)| *name == TOKENIZER_CONFIG);
        let keys: Map<String, Value> = keys.map_or_else(Map::new, |(_, bytes)| {
            serde_json::from_slice(bytes).unwrap()
        });
        let template = keys.get("chat_template");
        let chat = Chat::read(&Files::at_hand(files.clone()), template, Map::new());
        let chat = chat.map_err(|error| error.to_string())?;
        chat.text(&messages("")).map_err(|error| error.to_string())
    };
    let config = |template: Value| (TOKENIZER_CONFIG, json!({"chat_template": template}));
    let named = |names: &[&str]| -> Value {
        let all = names.iter();
        all.map(|name| json!({"name": name, "template": format!("<{name}>")}))
            .collect()
    };
    let in_a_file = (CHAT_TEMPLATE, json!("file"));
    let of_processor = (
        CHAT_TEMPLATE_OF_PROCESSOR,
        json!({"chat_template": "processor"}),
    );
    for (files, expected) in [
        (vec![config(json!("one"))], Ok("one")),
        (
            vec![config(named(&["tool_use", "default"]))],
            Ok("<default>"),
        ),
        (vec![config(json!({"rag": "a", "default": "b"}))], Ok("b")),
        (vec![config(json!("one")), in_a_file.clone()], Ok("file")),
        (vec![(DEFAULT_CHAT_TEMPLATE, json!("more"))], Ok("more")),
        (vec![of_processor.clone()], Ok("processor")),
        (vec![of_processor, config(json!("one"))], Ok("one")),
        (vec![], Err("has no chat template")),
        (vec![config(Value::Null)], Err("has no chat template")),
        (
            vec![config(named(&["tool_use", "rag"]))],
            Err("it has tool_use, rag"),
        ),
        (
            vec![config(json!(7))],
            Err("tokenizer_config.json: `chat_template` must be"),
        ),
        (
            vec![config(json!([7]))],
            Err("tokenizer_config.json: `chat_template` must be"),
        ),
    ] {
        let found = read(&files);
        match (&found, expected) {
            (Ok(text), Ok(expected)) => assert_eq!(text, expected, "{files:?}"),
            (Err(said), Err(expected)) => assert!(said.contains(expected), "{said}"),
            _ => panic!("{files:?}: {found:?}"),
        }
    }
}

#[test]
fn a_template_has_limits() {
    let nested = |shown: &str| {
        format!(
            "{{% set ns = namespace(x=[]) %}}{{% for i in range(90000) %}}{{% set ns.x = [ns.x] %}}\
             {{% endfor %}}{{{{ ns.x{shown} }}}}"
        )
    };
    let deep = format!("{{{{ {}1{} }}}}", "(".repeat(50_000), ")".repeat(50_000));
    let brackets = format!("{{{{ {}{} }}}}", "[".repeat(50_000), "]".repeat(50_000));
    let ifs = "{% if true %}".repeat(20_000);
    let endless =
        "{% for i in range(10000) %}{% for j in range(10000) %}{{ j }}{% endfor %}{% endfor %}";
    let doubling = "{% set ns = namespace(x='aaaaaaaa') %}{% for i in range(64) %}{% set ns.x = ns.x ~ ns.x %}\
                    {% endfor %}{{ ns.x|length }}";
    let many = "{% set ns = namespace(x=[1]) %}{% for i in range(64) %}{% set ns.x = [ns.x, ns.x] %}\
                {% endfor %}{{ ns.x|tojson }}";
    let recursive = "{% macro f(x) %}{{ f(x) }}{% endmacro %}{{ f(1) }}";
    for template in [
        nested("|tojson"),
        many.to_owned(),
        format!("{{{{ {}1 }}}}", "not ".repeat(50_000)),
        format!("{{{{ 1{} }}}}", " + 1".repeat(50_000)),
        format!("{{% if a{} %}}", ".a".repeat(50_000)),
        deep,
        brackets,
        ifs,
        endless.to_owned(),
        doubling.to_owned(),
        recursive.to_owned(),
        "{% include 'chat' %}".to_owned(),
        "{% include '/etc/passwd' %}".to_owned(),
        "{% extends 'chat' %}".to_owned(),
        "{% import '/etc/passwd' as x %}".to_owned(),
        "{{ 'a' * 10000000000 }}".to_owned(),
        "{{ range(10000000000)|list }}".to_owned(),
        "{{ '%10000000000s'|format('a') }}".to_owned(),
        "{{ {'a': 1}|tojson(indent=-1) }}".to_owned(),
        "{{ strftime_now('%Q') }}".to_owned(),
        "x".repeat((1 << 20) + 1),
    ] {
        let found = chat(&template, &json!({})).text(&messages("a"));
        assert!(
            matches!(found, Err(ChatError::Template { .. })),
            "{found:.200?}"
        );
    }
    assert_eq!(chat("a", &json!({})).text(&[]), Err(ChatError::NoMessage));
}

/// Changes of all templates, and of the messages. No template runs for ever, or writes more than it may.
#[test]
fn changed_templates_are_written_or_refused() {
    let reference = reference();
    let texts = |key: &str| -> Vec<Vec<u8>> {
        let all = reference[key].as_object().unwrap().values();
        let text = |value: &Value| {
            value
                .as_str()
                .map_or_else(|| value.to_string(), str::to_owned)
        };
        all.map(|value| text(value).into_bytes()).collect()
    };
    let (templates, chats) = (texts("templates"), texts("chats"));
    let tokens = json!({"bos_token": "<s>", "eos_token": "</s>"});
    again(|changes| {
        let (template, other) = (changes.one(&templates), changes.one(&templates));
        let template = changes.of(template, 0, b"{}%-[]()|.,'\"=+~:0129 \nsetforin", other);
        let one = changes.one(&chats);
        let messages_of = match changes.below(2) {
            0 => one.clone(),
            _ => changes.of(one, 0, b"{}[]\":,ralecont", one),
        };
        let (Ok(template), Ok(said)) =
            (String::from_utf8(template), String::from_utf8(messages_of))
        else {
            return false;
        };
        let chat = chat(&template, &tokens);
        let _ = chat.check();
        chat.text(&messages(&said)).is_ok()
    });
}
