//! The class that a tokenizer has in `transformers`: which one counts, and the special tokens that it brings.

/// The class that builds nothing by itself: `tokenizer.json` counts as it stands.
pub(super) const GENERIC: &str = "TokenizersBackend";

/// The class that `transformers` 5.24 has for the models of a type, where it has one (`TOKENIZER_MAPPING_NAMES` in
/// `models/auto/tokenization_auto.py`).
fn of_model(model: &str) -> Option<&'static str> {
    match model {
        "albert" => Some("AlbertTokenizer"),
        "bart" => Some("RobertaTokenizer"),
        "bert" | "distilbert" | "electra" | "ernie" | "megatron-bert" => Some("BertTokenizer"),
        "clip" | "clip_text_model" => Some("CLIPTokenizer"),
        "camembert" => Some("CamembertTokenizer"),
        "deberta" => Some("DebertaTokenizer"),
        "deberta-v2" => Some("DebertaV2Tokenizer"),
        "gemma" | "gemma2" | "gemma3" | "gemma3_text" => Some("GemmaTokenizer"),
        "gpt2" | "gpt_neo" | "gptj" | "opt" | "phi" | "starcoder2" => Some("GPT2Tokenizer"),
        "gpt_neox" | "mpt" | "olmo" | "olmoe" => Some("GPTNeoXTokenizer"),
        "marian" => Some("MarianTokenizer"),
        "mbart" => Some("MBartTokenizer"),
        "m2m_100" => Some("M2M100Tokenizer"),
        "mpnet" => Some("MPNetTokenizer"),
        "mt5" | "t5" => Some("T5Tokenizer"),
        "pegasus" => Some("PegasusTokenizer"),
        "qwen2" | "qwen2_moe" | "qwen3" | "qwen3_moe" => Some("Qwen2Tokenizer"),
        "siglip" | "siglip_text_model" => Some("SiglipTokenizer"),
        "data2vec-text" | "roberta" | "roberta-prelayernorm" => Some("RobertaTokenizer"),
        "jina_embeddings_v3" | "xlm-roberta" => Some("XLMRobertaTokenizer"),
        "ernie4_5" | "glm" | "glm4" | "gpt_bigcode" | "granite" | "ministral" | "mistral"
        | "mixtral" | "modernbert" | "olmo2" | "olmo3" | "phi3" | "stablelm" | "umt5"
        | "xlm-roberta-xl" => Some(GENERIC),
        _ => None,
    }
}

/// The class that counts for a model of this type whose files name the class `named`, or none.
pub(super) fn counted<'n>(model: &str, named: Option<&'n str>) -> Option<&'n str> {
    match (of_model(model), named) {
        (Some(GENERIC), _) => Some(GENERIC),
        // Many of its files name another class, which `transformers` does not believe.
        (Some(own), _) if model == "qwen2" => Some(own),
        (own, None) => own,
        (_, named) => named,
    }
}

/// Classes that normalize a text as BERT's does.
const BERT: [&str; 8] = [
    "BertTokenizer",
    "ConvBertTokenizer",
    "DistilBertTokenizer",
    "ElectraTokenizer",
    "FunnelTokenizer",
    "LayoutLMTokenizer",
    "MPNetTokenizer",
    "MobileBertTokenizer",
];

/// Classes that spell bytes as GPT-2's does.
const BYTE_LEVEL: [&str; 7] = [
    "BartTokenizer",
    "CodeGenTokenizer",
    "DebertaTokenizer",
    "GPT2Tokenizer",
    "GPTNeoXTokenizer",
    "LongformerTokenizer",
    "RobertaTokenizer",
];

/// Classes that `transformers` wrote in Python, which no `tokenizer.json` describes.
const PYTHON: [&str; 16] = [
    "BertJapaneseTokenizer",
    "BertweetTokenizer",
    "BioGptTokenizer",
    "BlenderbotSmallTokenizer",
    "ByT5Tokenizer",
    "CTRLTokenizer",
    "CanineTokenizer",
    "CpmAntTokenizer",
    "CpmTokenizer",
    "FlaubertTokenizer",
    "GPTNeoXJapaneseTokenizer",
    "PhobertTokenizer",
    "ProphetNetTokenizer",
    "RoCBertTokenizer",
    "TapasTokenizer",
    "XLMTokenizer",
];

/// Whether the class normalizes a text as BERT's does.
pub(super) fn is_bert(class: &str) -> bool {
    BERT.contains(&class)
}

/// Whether the class spells bytes as GPT-2's does.
pub(super) fn is_byte_level(class: &str) -> bool {
    BYTE_LEVEL.contains(&class)
}

/// Whether no `tokenizer.json` describes the class.
pub(super) fn is_python(class: &str) -> bool {
    PYTHON.contains(&class)
}

/// The special tokens that a class has where the settings do not name them.
pub(super) fn special(class: &str) -> &'static [(&'static str, &'static str)] {
    match class {
        "XLMRobertaTokenizer"
        | "CamembertTokenizer"
        | "RobertaTokenizer"
        | "BartTokenizer"
        | "LongformerTokenizer"
        | "MBartTokenizer"
        | "MBart50Tokenizer"
        | "NllbTokenizer" => &[
            ("bos_token", "<s>"),
            ("eos_token", "</s>"),
            ("unk_token", "<unk>"),
            ("sep_token", "</s>"),
            ("pad_token", "<pad>"),
            ("cls_token", "<s>"),
            ("mask_token", "<mask>"),
        ],
        "MPNetTokenizer" => &[
            ("bos_token", "<s>"),
            ("eos_token", "</s>"),
            ("unk_token", "[UNK]"),
            ("sep_token", "</s>"),
            ("pad_token", "<pad>"),
            ("cls_token", "<s>"),
            ("mask_token", "<mask>"),
        ],
        "CLIPTokenizer" => &[
            ("bos_token", "<|startoftext|>"),
            ("eos_token", "<|endoftext|>"),
            ("unk_token", "<|endoftext|>"),
            ("pad_token", "<|endoftext|>"),
        ],
        "SiglipTokenizer" => &[
            ("eos_token", "</s>"),
            ("unk_token", "<unk>"),
            ("pad_token", "</s>"),
        ],
        "T5Tokenizer" | "MarianTokenizer" => &[
            ("eos_token", "</s>"),
            ("unk_token", "<unk>"),
            ("pad_token", "<pad>"),
        ],
        "PegasusTokenizer" => &[
            ("eos_token", "</s>"),
            ("unk_token", "<unk>"),
            ("pad_token", "<pad>"),
            ("mask_token", "<mask_2>"),
        ],
        "AlbertTokenizer" => &[
            ("bos_token", "[CLS]"),
            ("eos_token", "[SEP]"),
            ("unk_token", "<unk>"),
            ("sep_token", "[SEP]"),
            ("pad_token", "<pad>"),
            ("cls_token", "[CLS]"),
            ("mask_token", "[MASK]"),
        ],
        "DebertaTokenizer" | "DebertaV2Tokenizer" => &[
            ("bos_token", "[CLS]"),
            ("eos_token", "[SEP]"),
            ("unk_token", "[UNK]"),
            ("sep_token", "[SEP]"),
            ("pad_token", "[PAD]"),
            ("cls_token", "[CLS]"),
            ("mask_token", "[MASK]"),
        ],
        "BertTokenizer"
        | "ConvBertTokenizer"
        | "DistilBertTokenizer"
        | "ElectraTokenizer"
        | "LayoutLMTokenizer"
        | "MobileBertTokenizer" => &[
            ("unk_token", "[UNK]"),
            ("sep_token", "[SEP]"),
            ("pad_token", "[PAD]"),
            ("cls_token", "[CLS]"),
            ("mask_token", "[MASK]"),
        ],
        "LlamaTokenizer" | "CodeLlamaTokenizer" => &[
            ("bos_token", "<s>"),
            ("eos_token", "</s>"),
            ("unk_token", "<unk>"),
        ],
        "GemmaTokenizer" => &[
            ("bos_token", "<bos>"),
            ("eos_token", "<eos>"),
            ("unk_token", "<unk>"),
            ("pad_token", "<pad>"),
            ("mask_token", "<mask>"),
        ],
        "GPT2Tokenizer" | "CodeGenTokenizer" => &[
            ("bos_token", "<|endoftext|>"),
            ("eos_token", "<|endoftext|>"),
            ("unk_token", "<|endoftext|>"),
        ],
        "GPTNeoXTokenizer" => &[
            ("bos_token", "<|endoftext|>"),
            ("eos_token", "<|endoftext|>"),
            ("unk_token", "<|endoftext|>"),
            ("pad_token", "<|padding|>"),
        ],
        "Qwen2Tokenizer" => &[
            ("eos_token", "<|endoftext|>"),
            ("unk_token", "<|endoftext|>"),
            ("pad_token", "<|endoftext|>"),
        ],
        _ => &[],
    }
}
