//! GGUF files, written here from the fixtures as llama.cpp's converter does.

use rstest::rstest;

use super::{assert_close, config, load, logits, model, tensors, text};

/// What a key has.
enum Has<'a> {
    Whole(u32),
    Number(f32),
    Text(&'a str),
    Texts(Vec<String>),
    Wholes(Vec<i32>),
    Numbers(Vec<f32>),
}

fn said(text: &str) -> Vec<u8> {
    [&(text.len() as u64).to_le_bytes()[..], text.as_bytes()].concat()
}

impl Has<'_> {
    fn bytes(&self) -> Vec<u8> {
        let kind = |kind: u32| kind.to_le_bytes().to_vec();
        let list = |of: u32, count: usize, rest: Vec<u8>| {
            [
                kind(9),
                kind(of),
                (count as u64).to_le_bytes().to_vec(),
                rest,
            ]
            .concat()
        };
        match self {
            Self::Whole(number) => [kind(4), number.to_le_bytes().to_vec()].concat(),
            Self::Number(number) => [kind(6), number.to_le_bytes().to_vec()].concat(),
            Self::Text(text) => [kind(8), said(text)].concat(),
            Self::Texts(all) => list(
                8,
                all.len(),
                all.iter().flat_map(|text| said(text)).collect(),
            ),
            Self::Wholes(all) => list(
                5,
                all.len(),
                all.iter().flat_map(|n| n.to_le_bytes()).collect(),
            ),
            Self::Numbers(all) => list(
                6,
                all.len(),
                all.iter().flat_map(|n| n.to_le_bytes()).collect(),
            ),
        }
    }
}

/// A file with these keys and tensors, whose numbers stay 32-bit floats.
fn written(keys: &[(&str, Has)], tensors: &[(String, Vec<usize>, Vec<f32>)]) -> Vec<u8> {
    let mut file = b"GGUF".to_vec();
    file.extend(3_u32.to_le_bytes());
    file.extend((tensors.len() as u64).to_le_bytes());
    file.extend((keys.len() as u64).to_le_bytes());
    for (key, has) in keys {
        file.extend(said(key));
        file.extend(has.bytes());
    }
    let mut data = Vec::new();
    for (name, shape, numbers) in tensors {
        file.extend(said(name));
        file.extend((shape.len() as u32).to_le_bytes());
        shape
            .iter()
            .rev()
            .for_each(|size| file.extend((*size as u64).to_le_bytes()));
        file.extend(0_u32.to_le_bytes());
        file.extend((data.len() as u64).to_le_bytes());
        numbers
            .iter()
            .for_each(|number| data.extend(number.to_le_bytes()));
        data.resize(data.len().next_multiple_of(32), 0);
    }
    file.resize(file.len().next_multiple_of(32), 0);
    file.extend(data);
    file
}

/// The name in llama.cpp.
fn renamed(name: &str) -> String {
    [
        ("model.embed_tokens", "token_embd"),
        ("model.norm", "output_norm"),
        ("lm_head", "output"),
        ("model.layers", "blk"),
        ("input_layernorm", "attn_norm"),
        ("post_attention_layernorm", "ffn_norm"),
        ("self_attn.q_norm", "attn_q_norm"),
        ("self_attn.k_norm", "attn_k_norm"),
        ("self_attn.q_proj", "attn_q"),
        ("self_attn.k_proj", "attn_k"),
        ("self_attn.v_proj", "attn_v"),
        ("self_attn.o_proj", "attn_output"),
        ("mlp.gate_proj", "ffn_gate"),
        ("mlp.up_proj", "ffn_up"),
        ("mlp.down_proj", "ffn_down"),
    ]
    .iter()
    .fold(name.to_owned(), |name, (from, to)| name.replace(from, to))
}

/// A fixture as a file, with a vocabulary of its own of this kind.
fn file(name: &str, vocabulary: &str, change: impl Fn(&mut Vec<(&str, Has)>)) -> Vec<u8> {
    let json = config(name);
    let size = |key: &str| json[key].as_u64().unwrap() as usize;
    let (heads, key_heads) = (size("num_attention_heads"), size("num_key_value_heads"));
    let mut all = Vec::new();
    for (tensor, (shape, mut numbers)) in tensors(name) {
        let own = renamed(&tensor);
        let turned = match own.split('.').nth(2) {
            Some("attn_q") if name.starts_with("llama") => Some(heads),
            Some("attn_k") if name.starts_with("llama") => Some(key_heads),
            _ => None,
        };
        if let Some(heads) = turned {
            // Each head's two halves, row by row in turns.
            let (rows, width) = (shape[0], numbers.len() / shape[0]);
            let half = rows / heads / 2;
            let row = |row: usize| &numbers[row * width..(row + 1) * width];
            let order = (0..heads).flat_map(|head| {
                let start = head * 2 * half;
                (0..half).flat_map(move |pair| [start + pair, start + half + pair])
            });
            numbers = order.flat_map(|at| row(at).to_vec()).collect();
        }
        if name == "gemma" && own.contains("norm") {
            numbers.iter_mut().for_each(|number| *number += 1.0);
        }
        all.push((own, shape, numbers));
    }
    if name == "llama-3" {
        let factors = [1.0, 8.0].map(|factor: f32| factor);
        all.push(("rope_freqs.weight".to_owned(), vec![2], factors.to_vec()));
    }
    let count = size("vocab_size");
    let mut tokens: Vec<String> = (0..count).map(|id| format!("<{id}>")).collect();
    for (id, letter) in ('a'..='z').enumerate() {
        tokens[id + 4] = letter.to_string();
    }
    tokens[40] = if vocabulary == "llama" { "▁" } else { "Ġ" }.to_owned();
    let mut kinds = vec![1; count];
    kinds[..4].fill(3);
    let arch = name.trim_end_matches("-3");
    let whole = |key: &str| Has::Whole(json[key].as_u64().unwrap() as u32);
    let named: Vec<(String, Has)> = [
        ("block_count", whole("num_hidden_layers")),
        ("context_length", whole("max_position_embeddings")),
        ("embedding_length", whole("hidden_size")),
        ("feed_forward_length", whole("intermediate_size")),
        ("attention.head_count", whole("num_attention_heads")),
        ("attention.head_count_kv", whole("num_key_value_heads")),
        ("attention.layer_norm_rms_epsilon", Has::Number(1e-6)),
        (
            "attention.key_length",
            Has::Whole(json["head_dim"].as_u64().unwrap_or(4) as u32),
        ),
        (
            "attention.value_length",
            Has::Whole(json["head_dim"].as_u64().unwrap_or(4) as u32),
        ),
        (
            "rope.freq_base",
            Has::Number(json["rope_parameters"]["rope_theta"].as_f64().unwrap() as f32),
        ),
    ]
    .into_iter()
    .map(|(key, has)| (format!("{arch}.{key}"), has))
    .collect();
    let mut keys = vec![("general.architecture", Has::Text(arch))];
    let mut named: Vec<(&str, Has)> = named
        .into_iter()
        .map(|(key, has)| (&*key.leak(), has))
        .collect();
    keys.append(&mut named);
    keys.push(("tokenizer.ggml.model", Has::Text(vocabulary)));
    keys.push(("tokenizer.ggml.pre", Has::Text("gpt-2")));
    keys.push((
        "tokenizer.ggml.scores",
        Has::Numbers((0..count).map(|id| -(id as f32)).collect()),
    ));
    keys.push(("tokenizer.ggml.tokens", Has::Texts(tokens)));
    keys.push(("tokenizer.ggml.token_type", Has::Wholes(kinds)));
    keys.push(("tokenizer.ggml.merges", Has::Texts(vec![])));
    keys.push(("tokenizer.ggml.bos_token_id", Has::Whole(1)));
    change(&mut keys);
    written(&keys, &all)
}

fn opened(bytes: Vec<u8>) -> Result<relprop_checkpoints::Model, String> {
    load(vec![("tiny.gguf".to_owned(), bytes)])
}

#[rstest]
fn a_file_is_the_model_that_it_was_made_from(
    #[values("llama", "qwen2", "qwen3", "gemma")] name: &str,
    #[values("gpt2", "llama")] vocabulary: &str,
) {
    let expected = load(model("", name, &config(name), &tensors(name))).unwrap();
    let found = opened(file(name, vocabulary, |_| ())).unwrap();
    assert_eq!(
        found.transformer.config().positions,
        expected.transformer.config().positions
    );
    let of_text = text(&expected);
    assert_close(&logits(&found, &of_text), &logits(&expected, &of_text));
    let ids: Vec<u32> = text(&found).tokens.iter().map(|token| token.id).collect();
    let letter = |letter: char| letter as u32 - 'a' as u32 + 4;
    let spelled = "good film"
        .chars()
        .map(|sign| if sign == ' ' { 40 } else { letter(sign) });
    // Sentencepiece puts a start and a space before a text.
    let start: &[u32] = if vocabulary == "llama" { &[1, 40] } else { &[] };
    assert_eq!(
        ids,
        start.iter().copied().chain(spelled).collect::<Vec<_>>()
    );
}

#[rstest]
#[case(
    "general.architecture",
    Has::Text("mamba"),
    "`general.architecture` is `mamba`; of GGUF files, relprop reads `llama`"
)]
#[case(
    "tokenizer.ggml.model",
    Has::Text("bert"),
    "`tokenizer.ggml.model` is `bert`; relprop reads `gpt2` and `llama`"
)]
#[case(
    "tokenizer.ggml.pre",
    Has::Text("tekken"),
    "`tokenizer.ggml.pre` is `tekken`"
)]
#[case("llama.expert_count", Has::Whole(8), "`llama.expert_count` is set")]
#[case("llama.attention.head_count", Has::Wholes(vec![1, 2]), "`llama.attention.head_count` has a number for each block")]
#[case("llama.attention.head_count", Has::Whole(3), "tiny.gguf: ")]
#[case("llama.rope.scaling.type", Has::Text("yet-another"), "yet-another")]
#[case(
    "llama.rope.dimension_count",
    Has::Whole(2),
    "`llama.rope.dimension_count` is 2, and a head has 4 features"
)]
#[case("llama.some_new_thing", Has::Whole(1), "`llama.some_new_thing` is set")]
#[case("llama.block_count", Has::Whole(3), "model.layers.2")]
#[case(
    "split.count",
    Has::Whole(2),
    "`split.count` says that it is one of several files"
)]
#[case("tokenizer.ggml.bos_token_id", Has::Whole(1 << 20), "`tokenizer.ggml.bos_token_id` is 1048576, which is no token")]
fn what_is_not_read_is_refused(
    #[case] key: &str,
    #[case] has: Has<'static>,
    #[case] expected: &str,
) {
    let has = std::cell::Cell::new(Some(has));
    let bytes = file("llama", "gpt2", |keys| {
        keys.retain(|(known, _)| *known != key);
        keys.push((key.to_owned().leak(), has.take().unwrap()));
    });
    let message = opened(bytes).unwrap_err();
    assert!(message.contains(expected), "{message}");
}

/// Opens a file with some bytes changed, or cut short: it opens, or it says why not.
fn mutate(rounds: u64, seed: u64) {
    let whole = file("llama", "gpt2", |_| ());
    let header = whole.len() / 3;
    let mut state = 0x9e37_79b9_7f4a_7c15 ^ seed;
    let mut draw = |below: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state % below as u64) as usize
    };
    let mut refused = 0;
    for _ in 0..rounds {
        let mut bytes = whole.clone();
        for _ in 0..=draw(4) {
            let at = draw(header);
            bytes[at] = match draw(4) {
                0 => 0xff,
                1 => 0,
                2 => bytes[at] ^ (1 << draw(8)),
                _ => draw(256) as u8,
            };
        }
        if draw(8) == 0 {
            bytes.truncate(draw(whole.len()));
        }
        refused += u64::from(opened(bytes).is_err());
    }
    assert!(refused > rounds / 4);
}

#[test]
fn a_damaged_file_is_refused() {
    mutate(200, 0);
}

#[test]
#[ignore = "ten minutes"]
fn many_damaged_files_are_refused() {
    let start = std::time::Instant::now();
    let in_time = |_: &u64| start.elapsed().as_secs() < 600;
    (1..)
        .take_while(in_time)
        .for_each(|seed| mutate(1000, seed));
}
