//! Folders of models: what kept them from opening, or made them read other tokens than transformers does. Each
//! entry names its source: an issue on GitHub, or public configurations.

use std::collections::BTreeMap;
use std::fs;

use burn::tensor::{Device, Tensor};
use relprop_checkpoints::{Files, Model, Truncation};
use relprop_rules::Pass;
use relprop_testing::fixtures::folder;
use relprop_transformer::{Batch, Head, PaddingSide, Probabilities};
use rstest::rstest;
use serde_json::{Value, json};

/// A fixture, with its files by their names.
pub(super) struct Folder(BTreeMap<String, Vec<u8>>);

impl Folder {
    pub(super) fn of(fixture: &str) -> Self {
        let files = fs::read_dir(folder(fixture))
            .unwrap()
            .map(|file| file.unwrap());
        let files = files.map(|file| (file.file_name().into_string().unwrap(), file.path()));
        let files =
            files.filter(|(name, _)| name != "reference.json" && name != "pytorch_model.bin");
        Self(
            files
                .map(|(name, path)| (name, fs::read(path).unwrap()))
                .collect(),
        )
    }

    /// Sets keys of a file in JSON, which may be new.
    pub(super) fn with(mut self, file: &str, keys: Value) -> Self {
        let old = self
            .0
            .get(file)
            .map_or(json!({}), |old| serde_json::from_slice(old).unwrap());
        let mut all = old.as_object().unwrap().clone();
        all.extend(keys.as_object().unwrap().clone());
        self.0
            .insert(file.to_owned(), serde_json::to_vec(&all).unwrap());
        self
    }

    fn without(mut self, file: &str, key: &str) -> Self {
        let mut keys: Value = serde_json::from_slice(&self.0[file]).unwrap();
        keys.as_object_mut().unwrap().remove(key);
        self.0
            .insert(file.to_owned(), serde_json::to_vec(&keys).unwrap());
        self
    }

    pub(super) fn open(self) -> Result<Model, String> {
        let read = Model::from_files(&Files::at_hand(self.0), &Device::flex(), &[]);
        read.map_err(|error| error.to_string())
    }
}

const TEXT: &str = "a warm film";

fn logits(model: &Model) -> Vec<f32> {
    let text = match model.transformer.config().head {
        Head::MaskedToken { .. } => "a [MASK] film",
        _ => TEXT,
    };
    let text = model.tokenize(text, None, Truncation::Cut).unwrap();
    let batch = Batch::new([&text], 0, PaddingSide::Right, &Device::flex());
    let logits: Tensor<2> = model.transformer.forward(&batch, &mut Pass::plain());
    logits.into_data_as::<f32>().try_into_vec().unwrap()
}

/// Keys of `config.json` that change no number, and kept models from opening.
#[rstest]
#[case("transformers#7275", "bert", json!({"eos_token_ids": 0, "do_sample": false, "num_beams": 1, "output_past": true, "length_penalty": 1.0}))]
#[case("configs in public code: written by 4.46 and on", "bert", json!({"_attn_implementation_autoset": true}))]
#[case("sentence-transformers#3326", "bert", json!({"sentence_transformers": {"version": "4.1.0"}, "sbert_ce_default_activation_function": "torch.nn.modules.linear.Identity"}))]
#[case("configs in public code: distilgpt2", "gpt2", json!({"_num_labels": 1, "id2label": {"0": "LABEL_0"}, "label2id": {"LABEL_0": 0}, "n_ctx": 64}))]
#[case("configs in public code: SmolLM2", "llama", json!({"is_llama_config": true, "rope_interleaved": false, "transformers.js_config": {}}))]
#[case("configs in public code: conversions of Llama 1", "llama", json!({"max_sequence_length": 2048}))]
#[case("configs in public code: distilgpt2 in NeMo", "gpt2", json!({"is_decoder": true}))]
#[case("lo-fit#1", "gpt2", json!({"pad_token_id": -1}))]
#[case("german-gpt2#9", "gpt2", json!({"pad_token_id": 50_257}))]
#[case("no source: an older name of GELU", "bert", json!({"hidden_act": "gelu_python", "padding": "max_length"}))]
fn keys_that_change_nothing_do_not_keep_a_model_from_opening(
    #[case] source: &str,
    #[case] fixture: &str,
    #[case] keys: Value,
) {
    let before = logits(&Folder::of(fixture).open().unwrap());
    let opened = Folder::of(fixture).with("config.json", keys).open();
    assert_eq!(logits(&opened.unwrap()), before, "{source}");
}

/// mistral.rs#615 (a null), xberg#1215 and kalosm#338 (a key with a default): GPT-2 as `save_pretrained` wrote
/// it for years, and configurations without what transformers knows by itself.
#[rstest]
#[case("bert", "hidden_act")]
#[case("bert", "pad_token_id")]
#[case("bert", "type_vocab_size")]
#[case("bert", "architectures")]
#[case("bert", "model_type")]
#[case("gpt2", "activation_function")]
#[case("llama", "hidden_act")]
fn a_key_that_is_null_or_left_out_has_its_default(#[case] fixture: &str, #[case] key: &str) {
    let before = logits(&Folder::of(fixture).open().unwrap());
    let null = Folder::of(fixture)
        .with("config.json", json!({key: null}))
        .open();
    let absent = Folder::of(fixture).without("config.json", key).open();
    for opened in [null, absent] {
        assert_eq!(logits(&opened.unwrap()), before, "{key}");
    }
}

/// A model as it comes out of its training fills masks: the other head is passed over.
#[rstest]
#[case("heads/bert-masks", "BertForPreTraining")]
#[case("more/albert-masks", "AlbertForPreTraining")]
fn a_model_out_of_its_training_fills_masks(#[case] fixture: &str, #[case] class: &str) {
    let before = logits(&Folder::of(fixture).open().unwrap());
    let opened = Folder::of(fixture).with("config.json", json!({"architectures": [class]}));
    assert_eq!(logits(&opened.open().unwrap()), before);
}

/// optimum#278: names of labels that are no strings.
#[test]
fn labels_may_be_numbers() {
    let labels = json!({"id2label": {"0": 1, "1": false, "2": "c"}, "label2id": null});
    let opened = Folder::of("bert")
        .with("config.json", labels)
        .open()
        .unwrap();
    assert_eq!(opened.transformer.config().labels.len(), 3);
}

/// What cannot be computed is refused in a sentence that names the cause. Sources: popular checkpoints' own
/// files, ores#177 (NaN), transformers#1317 and bert-japanese#32 (MeCab).
#[rstest]
#[case("config.json", json!({"quantization_config": {"quant_method": "hqq"}}), &["quantization_config", "in a way of its own"])]
#[case("config.json", json!({"quantization_config": {"quant_method": "awq"}}), &["quantization_config", "quantized"])]
#[case("config.json", json!({"quantization_config": {"quant_method": "awq"}, "hidden_act": "mish2"}), &["hidden_act"])]
#[case("config.json", json!({"architecture": "vit_tiny", "pretrained_cfg": {}}), &["timm"])]
#[case("tokenizer_config.json", json!({"tokenizer_class": "BertJapaneseTokenizer"}), &["tokenizer_class", "BertJapaneseTokenizer"])]
#[case("tokenizer_config.json", json!({"tokenizer_class": "BertweetTokenizer"}), &["BertweetTokenizer"])]
fn a_refusal_names_its_cause(#[case] file: &str, #[case] keys: Value, #[case] words: &[&str]) {
    let refused = Folder::of("bert").with(file, keys).open().unwrap_err();
    for word in words {
        assert!(refused.contains(word), "{refused}");
    }
    assert!(!refused.contains("remove it"), "{refused}");
}

/// The ids that a BERT gets with these settings beside its tokenizer, and those with others.
#[rstest]
// transformers#10650, delft#144.
#[case(json!({"tokenizer_class": "BertTokenizer", "do_lower_case": false}), "WARM", false)]
#[case(json!({"tokenizer_class": "BertTokenizer"}), "WARM", true)]
fn a_cased_bert_reads_capitals_as_they_stand(
    #[case] settings: Value,
    #[case] text: &str,
    #[case] alike: bool,
) {
    let mut folder = Folder::of("bert");
    folder.0.remove("tokenizer_config.json");
    let model = folder
        .with("tokenizer_config.json", settings)
        .open()
        .unwrap();
    let ids = |text: &str| -> Vec<u32> {
        let text = model.tokenize(text, None, Truncation::Cut).unwrap();
        text.tokens.iter().map(|token| token.id).collect()
    };
    assert_eq!(ids(text) == ids(&text.to_lowercase()), alike);
}

/// transformers-interpret#87, transformers#2506 (segments); transformers#4501, flair#1804 (the most tokens, and
/// the side at which a text is cut).
#[test]
fn lengths_sides_and_segments_are_those_of_the_tokenizer() {
    let read = |settings: Value, second: Option<&str>| {
        let folder = Folder::of("bert").with("tokenizer_config.json", settings);
        let model = folder.open().unwrap();
        let text = model.tokenize("a warm , funny film", second, Truncation::Cut);
        let text = text.unwrap();
        let last = text.tokens.iter().map(|token| token.id).collect::<Vec<_>>();
        (last, text.types, text.dropped)
    };
    let names = json!({"model_input_names": ["input_ids", "attention_mask"]});
    let (_, types, _) = read(names, Some("dull"));
    assert!(types.iter().all(|kind| *kind == 0));
    let (right, _, dropped) = read(
        json!({"model_max_length": 5, "truncation_side": "right"}),
        None,
    );
    let (left, ..) = read(
        json!({"model_max_length": 5, "truncation_side": "left"}),
        None,
    );
    assert_eq!((right.len(), left.len()), (5, 5));
    assert!(dropped > 0 && right != left);
}

/// FastBertTokenizer#100 (`added_tokens_decoder`).
#[test]
fn an_added_token_is_one_token() {
    let token = json!({"content": "@USER", "special": false, "normalized": false});
    let settings = json!({"added_tokens_decoder": {"9999": token}});
    let model = Folder::of("bert")
        .with("tokenizer_config.json", settings)
        .open()
        .unwrap();
    let tokenizer = match &model.input {
        relprop_checkpoints::Input::Text(tokenizer) => tokenizer,
        relprop_checkpoints::Input::Pictures(_) => panic!("it reads texts"),
    };
    let read = tokenizer
        .encode("a @USER film", 64, Truncation::Cut)
        .unwrap();
    assert_eq!(read.tokens.len(), 5);
}

/// A pickle was refused, or read by a build of five minutes more: the weights of half of the older models.
#[test]
fn a_pickle_opens_in_every_build() {
    let mut pickled = Folder::of("bert");
    pickled.0.remove("model.safetensors");
    let pickle = fs::read(folder("bert").join("pytorch_model.bin")).unwrap();
    pickled.0.insert("pytorch_model.bin".to_owned(), pickle);
    let before = logits(&Folder::of("bert").open().unwrap());
    assert_eq!(logits(&pickled.open().unwrap()), before);
}

/// zennit#189, captum#1532 (one output), transformers-interpret#107, lime#374 (several labels at once),
/// sentence-transformers#3326 (an activation): every head was read as a choice of one label.
#[rstest]
#[case(json!({"problem_type": "regression"}), Probabilities::None)]
#[case(json!({"problem_type": "multi_label_classification"}), Probabilities::Sigmoid)]
#[case(json!({"sentence_transformers": {"activation_fn": "torch.nn.modules.linear.Identity"}}), Probabilities::None)]
#[case(json!({}), Probabilities::Softmax)]
fn logits_mean_what_the_files_say(#[case] keys: Value, #[case] probabilities: Probabilities) {
    let model = Folder::of("bert").with("config.json", keys).open().unwrap();
    assert_eq!(model.transformer.config().probabilities, probabilities);
}

/// RoBERTa's kind has one segment; KLUE's models of it come with BERT's tokenizer, which numbers two. Such a model
/// refused pairs.
#[test]
fn a_model_of_one_segment_reads_pairs() {
    let mut folder = Folder::of("roberta");
    let of_bert = fs::read(crate::folder("bert").join("tokenizer.json")).unwrap();
    folder.0.insert("tokenizer.json".to_owned(), of_bert);
    let class = json!({"tokenizer_class": "BertTokenizer", "pad_token": "[PAD]"});
    let model = folder.with("tokenizer_config.json", class).open().unwrap();
    let text = model.tokenize("a warm film", Some("it is dull"), Truncation::Cut);
    assert!(text.unwrap().types.iter().all(|kind| *kind == 0));
}

/// A class of transformers builds its tokenizer from the vocabulary alone, whatever `tokenizer.json` says of the
/// rest: DeBERTa's lower-cased or took apart what the file of an older version said. More of this kind stand in
/// `crates/checkpoints/src/tokenizer/tests/hard`.
#[test]
fn a_class_reads_as_it_does_and_not_as_its_file_says() {
    let lower = json!({"normalizer": {"type": "Lowercase"}});
    let ids = |folder: Folder| -> Vec<u32> {
        let text = folder
            .open()
            .unwrap()
            .tokenize("A  FILM", None, Truncation::Cut);
        text.unwrap().tokens.iter().map(|token| token.id).collect()
    };
    let before = ids(Folder::of("more/deberta-v2-classes"));
    let changed = Folder::of("more/deberta-v2-classes").with("tokenizer.json", lower);
    assert_eq!(ids(changed), before);
}
