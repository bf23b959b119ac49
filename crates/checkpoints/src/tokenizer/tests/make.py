"""Writes settings.json: what transformers makes of texts, by the files of a tokenizer and what stands beside them.

    pip install transformers==5.24 && python make.py
"""

import json
import tempfile
from pathlib import Path

from tokenizers import pre_tokenizers
from transformers import AutoTokenizer

TEXTS = [
    "A Warm Film", "Éa café cafe\u0301", "映画 film映画", "@USER i like this HTTPURL", "@user [MASK] <mask> a",
    "<s> a </s> [CLS]", "👩\u200d👧 👍🏽", "हिन्दी", "ไม่", "می\u200cخواهم", "영화 \u110b\u1167", "a\u00adb\u200bc\u0000d",
    " a  b\n\nc\t", "<emo>a <emo> b", "a" * 120, "ＡＢ ﬁ", "don't, stop!", "<pad> [PAD] [UNK]", "x<|endoftext|>y",
]
NAMES = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
WORDS = NAMES + sorted({c for t in TEXTS for c in t if not c.isspace()}) + ["film", "warm", "cafe", "caf", "é"]
WORDS = list(dict.fromkeys(WORDS + ["##" + c for c in "abcdefilmrstwnéAEFLIMW"] + ["e", "ea"]))
LETTERS = [c for c in pre_tokenizers.ByteLevel.alphabet()]


def added(content, special=False, **more):
    return {"content": content, "special": special, "normalized": not special, "lstrip": False, "rstrip": False,
            "single_word": False, **more}


def bert(lower):
    flags = {"single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": True}
    single = [{"SpecialToken": {"id": "[CLS]", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}},
              {"SpecialToken": {"id": "[SEP]", "type_id": 0}}]
    pair = single + [{"Sequence": {"id": "B", "type_id": 1}}, {"SpecialToken": {"id": "[SEP]", "type_id": 1}}]
    return {
        "version": "1.0", "truncation": None, "padding": None,
        "added_tokens": [{"id": i, "content": n, **flags} for i, n in enumerate(NAMES)],
        "normalizer": {"type": "BertNormalizer", "clean_text": True, "handle_chinese_chars": True,
                       "strip_accents": None, "lowercase": lower},
        "pre_tokenizer": {"type": "BertPreTokenizer"},
        "post_processor": {"type": "TemplateProcessing", "single": single, "pair": pair, "special_tokens": {
            n: {"id": n, "ids": [NAMES.index(n)], "tokens": [n]} for n in ["[CLS]", "[SEP]"]}},
        "decoder": {"type": "WordPiece", "prefix": "##", "cleanup": True},
        "model": {"type": "WordPiece", "unk_token": "[UNK]", "continuing_subword_prefix": "##",
                  "max_input_chars_per_word": 100, "vocab": {w: i for i, w in enumerate(WORDS)}},
    }


def byte_level(names):
    tokens = names + sorted(LETTERS) + ["Ġa", "fi", "lm", "film"]
    return {"vocab.json": json.dumps({t: i for i, t in enumerate(tokens)}, ensure_ascii=False),
            "merges.txt": "#version: 0.2\nĠ a\nf i\nl m\nfi lm\n"}


BERT = {n.lower()[1:-1] + "_token": n for n in NAMES}
ROBERTA = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]


def whole(settings, lower=True, **files):
    return {"tokenizer.json": json.dumps(bert(lower), ensure_ascii=False),
            "tokenizer_config.json": json.dumps(settings), **{k.replace("_json", ".json"): v for k, v in files.items()}}


def cases():
    for name in ["BertTokenizer", "BertTokenizerFast", "DistilBertTokenizer", "ElectraTokenizer"]:
        yield whole({"tokenizer_class": name, "do_lower_case": False, **BERT})
    yield whole({"tokenizer_class": "BertTokenizer", **BERT}, lower=False)
    yield whole({"tokenizer_class": "BertTokenizer", "strip_accents": False, **BERT})
    yield whole({"tokenizer_class": "BertTokenizer", "strip_accents": True, "do_lower_case": False, **BERT})
    yield whole({"tokenizer_class": "BertTokenizer", "tokenize_chinese_chars": False, **BERT})
    yield whole({"tokenizer_class": "PreTrainedTokenizerFast", "do_lower_case": False, **BERT})
    yield whole({"tokenizer_class": "BertTokenizer", "split_special_tokens": True, **BERT})
    decoder = {"added_tokens_decoder": {str(len(WORDS)): added("@USER"), str(len(WORDS) + 1): added("HTTPURL", True),
                                        str(len(WORDS) + 2): added("<emo>", False, lstrip=True, rstrip=True)}}
    for name in ["BertTokenizer", "PreTrainedTokenizerFast"]:
        yield whole({"tokenizer_class": name, "additional_special_tokens": ["HTTPURL"], **decoder, **BERT})
    yield whole({"tokenizer_class": "BertTokenizer", "additional_special_tokens": ["<emo>"], **BERT})
    yield whole({"tokenizer_class": "BertTokenizer", **BERT},
                added_tokens_json=json.dumps({"@USER": len(WORDS), "<emo>": len(WORDS) + 1}),
                special_tokens_map_json=json.dumps({"additional_special_tokens": ["<emo>"]}))
    vocabulary = "".join(f"{w}\n" for w in WORDS)
    for settings in [{}, {"do_lower_case": False}, {"strip_accents": False}, {"tokenize_chinese_chars": False}]:
        yield {"vocab.txt": vocabulary,
               "tokenizer_config.json": json.dumps({"tokenizer_class": "BertTokenizer", **settings})}
    for settings in [{}, {"add_prefix_space": True}]:
        for name, names in [("GPT2Tokenizer", ["<|endoftext|>"]), ("RobertaTokenizer", ROBERTA)]:
            yield {**byte_level(names), "tokenizer_config.json": json.dumps({"tokenizer_class": name, **settings})}
    mask = {"mask_token": {"__type": "AddedToken", **added("<mask>", True, lstrip=True)}}
    yield {**byte_level(ROBERTA), "tokenizer_config.json": json.dumps({"tokenizer_class": "RobertaTokenizer", **mask})}


found = []
for files in cases():
    with tempfile.TemporaryDirectory() as folder:
        for name, text in files.items():
            (Path(folder) / name).write_text(text, encoding="utf-8")
        tokenizer = AutoTokenizer.from_pretrained(folder)
        found.append({"files": files, "ids": [tokenizer(text)["input_ids"] for text in TEXTS]})
where = Path(__file__).with_name("settings.json")
where.write_text(json.dumps({"texts": TEXTS, "cases": found}, ensure_ascii=False) + "\n", encoding="utf-8")
