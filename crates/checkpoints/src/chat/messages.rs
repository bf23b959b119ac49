//! What a user writes, as messages.

use serde_json::{Map, Value};

/// The names that what a model thinks has had, the one of today first.
const REASONING: [&str; 3] = ["reasoning_content", "thinking", "reasoning"];

/// The messages that `text` gives: a list of JSON objects with roles, or else itself as a user's message.
///
/// As in `transformers`, what is null is left out, and what a model thought has all of its names.
pub fn messages(text: &str) -> Vec<Map<String, Value>> {
    let listed = text.trim_start().starts_with('[');
    let listed = listed.then(|| serde_json::from_str::<Vec<Map<String, Value>>>(text).ok());
    let are_messages =
        |list: &Vec<Map<String, Value>>| list.iter().all(|message| message.contains_key("role"));
    match listed.flatten().filter(are_messages) {
        Some(list) => list.into_iter().map(normal).collect(),
        None => {
            let message = [("role", "user"), ("content", text)];
            let message = message.map(|(key, value)| (key.to_owned(), value.into()));
            vec![message.into_iter().collect()]
        }
    }
}

fn normal(mut message: Map<String, Value>) -> Map<String, Value> {
    message.retain(|_, value| !value.is_null());
    let thought = REASONING
        .iter()
        .find_map(|name| message.get(*name))
        .cloned();
    if let Some(thought) = thought {
        if !message.contains_key("thinking") {
            let first = [("thinking".to_owned(), thought.clone())].into_iter();
            message = first.chain(message).collect();
        }
        message.insert(REASONING[0].to_owned(), thought);
    }
    message
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_text_is_a_message_or_a_list_of_them() {
        let user = |text: &str| json!([{"role": "user", "content": text}]);
        for (text, expected) in [
            ("a film", user("a film")),
            ("[laughs] a film", user("[laughs] a film")),
            ("[1, 2]", user("[1, 2]")),
            ("[{\"text\": 1}]", user("[{\"text\": 1}]")),
            ("{\"role\": \"user\"}", user("{\"role\": \"user\"}")),
            ("[]", json!([])),
            (
                " [{\"role\": \"user\", \"content\": \"a\", \"name\": null}]",
                user("a"),
            ),
            (
                "[{\"role\": \"assistant\", \"reasoning\": \"so\"}]",
                json!([{
                    "role": "assistant", "reasoning": "so", "thinking": "so", "reasoning_content": "so"
                }]),
            ),
        ] {
            assert_eq!(json!(messages(text)), expected, "{text}");
        }
    }
}
