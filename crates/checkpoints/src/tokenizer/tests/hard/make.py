"""Writes hard.json: what transformers makes of hard texts, by the tokenizer of every fixture and by models of
sentencepiece that are trained here.

    pip install transformers==5.24 sentencepiece==0.2.3 protobuf && python make.py

The ids of a text are one number, their FNV-1a hash, for a list of all would be a megabyte. `python make.py TEXT` prints
them instead.
"""

import base64
import io
import json
import sys
import tempfile
from pathlib import Path

import sentencepiece
from transformers import AutoTokenizer

HERE = Path(__file__).parent
FIXTURES = HERE.parents[5] / "tests/fixtures"

PARTS = {
    "emoji": ["👩\u200d👧\u200d👦", "👍🏽", "🏳\ufe0f\u200d🌈", "🇫🇷🇩🇪", "❤\ufe0f", "1\ufe0f\u20e3", "😀😀😀"],
    "marks": ["cafe\u0301", "e\u0301\u0323", "a\u0308\u0304", "\u0301a", "Å", "A\u030a", "n\u0303o", "ï", "Ẹ̀kọ́", "z̸a̷l̵g̶o̸"],
    "Hangul": ["영화", "\u110b\u1167\u11bc\u1112\u116a", "한국어 좋다", "\u1112\u1161\u11ab", "ㅋㅋㅋ"],
    "Thai": ["ไม่", "ภาพยนตร์ดี", "น้ำ", "เก่ง มาก"],
    "Hindi": ["हिन्दी", "फ़िल्म", "क्ष", "अच्छी फिल्म है", "ज़्यादा"],
    "Persian": ["می\u200cخواهم", "کتاب\u200cها", "نمی\u200cدانم خوب"],
    "Arabic": ["مُحَمَّد", "السلام عليكم", "فيلم جيد\u061f", "ﷺ", "لا"],
    "Chinese": ["映画", "电影很好看", "映画とても良い", "カﾞ", "ｶﾀｶﾅ", "𠮷野家", "〇一二", "、。"],
    "controls": ["a\u0000b", "a\u0007b", "a\u200bb", "a\u00adb", "a\ufeffb", "a\u2028b", "a\u0085b", "a\u001fb", "\ufffd", "\u202eabc"],
    "white space": [" a", "  a  b ", "a\tb", "a\nb", "a\r\nb", "a\u00a0b", "a\u3000b", "\u2003a", "a ", "\n\na", "a   b    c", " ", "\t"],
    "specials": ["<s>", "</s>", "<unk>", "<pad>", "<mask>", "[CLS]", "[SEP]", "[MASK]", "[UNK]", "[PAD]", "<|endoftext|>",
                 "<|begin_of_text|>", "<bos>", "<eos>", "<start_of_turn>", "<0x41>", "<own>", "[own]", "<s>NOTUSED"],
    "signs": ["don't", "it's", "U.S.A.", "3.14", "1,000", "…", "—", "“a”", "a/b\\c", "@user #tag", "http://a.b/c?d=e", "a_b", "▁a", "▁", "Ġa", "##a"],
    "forms": ["ﬁlm", "ＡＢＣ", "①", "½", "™", "ß", "ẞ", "İ", "ı", "ǅ", "Σίσυφος", "ΟΔΟΣ", "Ŀ", "ſ", "²", "Привет", "ґ", "שלום", "გამარჯობა"],
    "words": ["film", "Film", "FILM", "a warm , funny film", "The film is good.", "unaffable", "x" * 40],
}
TEXTS = [part for parts in PARTS.values() for part in parts]
TEXTS += [f"a {part} film" for parts in PARTS.values() for part in parts]
TEXTS += [f"film{part}film" for parts in PARTS.values() for part in parts[:8]]
TEXTS += [f"{part} {part}" for part in PARTS["specials"]]
TEXTS += [f" {part}  a {part}b" for part in PARTS["specials"]]
# Written out where they are needed: ten thousand letters without a space, alike and not.
LONG = {"a": 10000, "abcdefghij": 1000, "映": 10000}
LONG = [part * count for part, count in LONG.items()]
PAIR = ("a warm film", "<mask> a  e\u0301")


def digest(ids):
    """FNV-1a over the four bytes of each id."""
    found = 0xCBF29CE484222325
    for id in ids:
        for byte in id.to_bytes(4, "little"):
            found = (found ^ byte) * 0x100000001B3 % 2**64
    return f"{found:016x}"


def folder(files):
    place = Path(tempfile.mkdtemp())
    for name, content in files.items():
        if content[:1] == "@":
            content = (FIXTURES / content[1:] / name).read_bytes()
        (place / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    return place


def ids(place):
    tokenizer = AutoTokenizer.from_pretrained(place)
    if len(sys.argv) > 1:
        print(place, type(tokenizer).__name__, tokenizer(sys.argv[1]).input_ids, tokenizer.tokenize(sys.argv[1]))
    found = []
    for text in TEXTS + LONG:
        empty = not tokenizer(text, add_special_tokens=False).input_ids
        found.append("" if empty else digest(tokenizer(text).input_ids))
    return found + [digest(tokenizer(*PAIR).input_ids)]


def case(files):
    """Files, and what transformers makes of the texts by them."""
    files, changes = dict(files), files.get("changes")
    if changes is not None:
        # A tokenizer.json of a fixture, with other steps.
        del files["changes"]
        whole = json.loads((FIXTURES / files["tokenizer.json"][1:] / "tokenizer.json").read_text())
        found = ids(folder({**files, "tokenizer.json": json.dumps({**whole, **changes})}))
        return {"files": files, "changes": changes, "ids": found}
    kept = {name: MODELS[content] if isinstance(content, bytes) else content for name, content in files.items()}
    return {"files": kept, "ids": ids(folder(files))}


# The models that were trained, with their names.
MODELS = {}


def train(kind, vocabulary=420, **settings):
    """A model of sentencepiece that knows the letters of the texts, or most of them."""
    sentences = ["the film is good", "a warm , funny film", "it is not a good film at all", "le film est beau et drôle"]
    sentences = sentences * 20 + [text for text in TEXTS if "<" not in text and "\u0000" not in text]
    rules = tempfile.NamedTemporaryFile("w", suffix=".tsv", delete=False)
    for found, become in {"ﬁ": "fi", "Ａ": "A", "Ｂ": "B", "Ｃ": "C", "e\u0301": "é", "\t": " ", "\n": " ", "\r\n": " ",
                          "\u3000": " ", "\u00a0": " ", "\u200b": "", "\u00ad": "", "½": "1⁄2",
                          "\u1112\u1161\u11ab": "한"}.items():
        codes = lambda text: " ".join(f"{ord(letter):X}" for letter in text)
        rules.write(f"{codes(found)}\t{codes(become)}\n")
    rules.close()
    if settings.pop("rules", False):
        settings["normalization_rule_tsv"] = rules.name
    else:
        settings["normalization_rule_name"] = "identity"
    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(sentences), model_writer=model, model_type=kind, vocab_size=vocabulary,
        character_coverage=0.98, hard_vocab_limit=False, minloglevel=2, num_threads=1, **settings,
    )
    MODELS[model.getvalue()] = f"model {len(MODELS)}"
    return model.getvalue()


def config(model_type, **keys):
    return json.dumps({"model_type": model_type, **keys})


def cases():
    unigram = train("unigram", rules=True)
    plain = train("unigram", user_defined_symbols=["<own>", "[own]"], remove_extra_whitespaces=False)
    llama = train("bpe", 700, byte_fallback=True, split_digits=True, allow_whitespace_only_pieces=True,
                  remove_extra_whitespaces=False, unk_id=0, bos_id=1, eos_id=2)
    gemma = train("bpe", 700, byte_fallback=True, allow_whitespace_only_pieces=True, remove_extra_whitespaces=False,
                  add_dummy_prefix=False, pad_id=0, eos_id=1, bos_id=2, unk_id=3, bos_piece="<bos>", eos_piece="<eos>",
                  user_defined_symbols=["<mask>", "<start_of_turn>", "\n\n", "▁▁", "▁▁▁"])
    mapped = train("bpe", 700, rules=True, byte_fallback=True, user_defined_symbols=["<own>", "[own]", "a.b"])
    small = train("bpe", 300)
    settings = lambda **keys: {"tokenizer_config.json": json.dumps(keys)}
    ends = {"add_bos_token": True, "add_eos_token": False, "bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>"}
    token = lambda content, **more: {"__type": "AddedToken", "content": content, "lstrip": False, "normalized": True,
                                     "rstrip": False, "single_word": False, **more}
    decoder = {str(id): token(name, special=True) for id, name in enumerate(["<unk>", "<s>", "</s>"])}
    bpe = "sentencepiece.bpe.model"
    found = [
        {bpe: unigram, "config.json": config("xlm-roberta")},
        {bpe: plain, "config.json": config("xlm-roberta")},
        {bpe: unigram, "config.json": config("xlm-roberta"), **settings(tokenizer_class="XLMRobertaTokenizer",
            mask_token=token("<mask>", lstrip=True), add_prefix_space=False)},
        {bpe: unigram, "config.json": config("xlm-roberta"), **settings(tokenizer_class="XLMRobertaTokenizerFast"),
         "special_tokens_map.json": json.dumps({"mask_token": token("<mask>", lstrip=True), "pad_token": "<pad>"})},
        {bpe: unigram, "config.json": config("xlm-roberta"), **settings(tokenizer_class="CamembertTokenizer")},
        {bpe: plain, "config.json": config("xlm-roberta"), **settings(tokenizer_class="CamembertTokenizer",
            additional_special_tokens=["<s>NOTUSED", "</s>NOTUSED"])},
        {"tokenizer.model": llama, "config.json": config("llama")},
        {"tokenizer.model": llama, "config.json": config("llama"), **settings(tokenizer_class="LlamaTokenizer", **ends)},
        {"tokenizer.model": llama, "config.json": config("llama"), **settings(tokenizer_class="LlamaTokenizerFast",
            legacy=True, **ends)},
        {"tokenizer.model": llama, "config.json": config("llama"), **settings(tokenizer_class="LlamaTokenizer",
            legacy=None, add_eos_token=True, add_bos_token=True, added_tokens_decoder=decoder)},
        {"tokenizer.model": llama, "config.json": config("llama"), **settings(tokenizer_class="LlamaTokenizer",
            add_prefix_space=False, pad_token="<pad>", **ends)},
        {"tokenizer.model": llama, "config.json": config("llama", tokenizer_class="LlamaTokenizer"),
         "added_tokens.json": json.dumps({"[PAD]": 700})},
        {"tokenizer.model": gemma, "config.json": config("gemma")},
        {"tokenizer.model": gemma, "config.json": config("gemma"), **settings(tokenizer_class="GemmaTokenizer",
            add_bos_token=True, add_eos_token=False)},
        {"tokenizer.model": llama, "config.json": config("mistral")},
        {"tokenizer.model": llama, "config.json": config("mistral"), **settings(tokenizer_class="LlamaTokenizer", **ends)},
        {"tokenizer.model": llama, "config.json": config("mistral"), **settings(tokenizer_class="LlamaTokenizer",
            legacy=False, added_tokens_decoder=decoder, **ends)},
        {"tokenizer.model": mapped, "config.json": config("mistral"), **settings(**ends)},
        {"tokenizer.model": small, "config.json": config("mistral"), **settings(legacy=True)},
        {"tokenizer.model": unigram, "config.json": config("mistral")},
        {"tokenizer.model": plain, "config.json": config("llama"), **settings(tokenizer_class="PreTrainedTokenizerFast")},
    ]
    # The two files of byte-level vocabularies.
    for name in ["qwen2", "gpt2", "roberta"]:
        model = json.loads((FIXTURES / name / "tokenizer.json").read_text())["model"]
        merges = "".join(f"{' '.join(merge)}\n" for merge in model["merges"])
        files = {"vocab.json": json.dumps(model["vocab"]), "merges.txt": f"#version: 0.2\n{merges}"}
        found.append({**files, "config.json": config(name)})
    # A tokenizer.json of a fixture, under the name of its class, another one or none.
    for name, model_type, keys in [
        ("bert", "bert", None), ("bert", "electra", {"tokenizer_class": "PreTrainedTokenizerFast"}),
        ("roberta", "roberta", None), ("roberta", "roberta", {"add_prefix_space": True}),
        ("gpt2", "gpt2", None), ("gpt2", "gpt2", {"add_prefix_space": True}),
        ("xlm-roberta", "xlm-roberta", None),
        ("xlm-roberta", "xlm-roberta", {"tokenizer_class": "XLMRobertaTokenizerFast", "add_prefix_space": False}),
        ("llama", "llama", None), ("llama", "llama", {"tokenizer_class": "LlamaTokenizer"}),
        ("llama", "llama", {"tokenizer_class": "LlamaTokenizerFast", "legacy": True}),
        ("llama", "llama", {"tokenizer_class": "LlamaTokenizerFast", "legacy": None, "add_prefix_space": False}),
        ("llama", "mistral", {"tokenizer_class": "LlamaTokenizer"}),
        ("llama-3", "llama", {"tokenizer_class": "LlamaTokenizer"}),
        ("llama-3", "llama", {"tokenizer_class": "GPT2Tokenizer"}),
        ("llama-3", "llama", {"tokenizer_class": "PreTrainedTokenizerFast"}),
        ("gemma", "gemma", None), ("gemma", "llama", {"tokenizer_class": "GemmaTokenizerFast"}),
        ("llama", "gemma", None), ("qwen3", "qwen3", None), ("qwen3", "qwen2", {"tokenizer_class": "GPT2Tokenizer"}),
        ("qwen2", "llama", {"tokenizer_class": "Qwen2TokenizerFast"}),
    ]:
        files = {"tokenizer.json": f"@{name}", "config.json": config(model_type)}
        found.append(files if keys is None else {**files, **settings(**keys)})
    # What a class builds by itself does not depend on what the file says of it.
    for name, model_type, keys in [
        # Not BERT's and MPNet's where no file names them: relprop reads a file of another kind as it stands then.
        ("bert", "bert", {"tokenizer_class": "BertTokenizerFast", "do_lower_case": False}),
        ("distilbert", "distilbert", {"tokenizer_class": "DistilBertTokenizer", "strip_accents": False}),
        ("electra", "electra", {"tokenizer_class": "ElectraTokenizerFast"}),
        ("more/mpnet-masks", "mpnet", {"tokenizer_class": "MPNetTokenizer"}),
        ("bert", "bert", {"tokenizer_class": "PreTrainedTokenizerFast"}),
        ("roberta", "roberta", {"tokenizer_class": "RobertaTokenizer"}),
        ("roberta", "roberta", {"tokenizer_class": "RobertaTokenizerFast", "add_prefix_space": True}),
        ("xlm-roberta", "xlm-roberta", {"tokenizer_class": "XLMRobertaTokenizer"}),
        ("more/camembert-tokens", "camembert", {"tokenizer_class": "CamembertTokenizer"}),
        ("more/albert-masks", "albert", {}), ("more/albert-masks", "albert", {"tokenizer_class": "AlbertTokenizerFast"}),
        ("more/albert-masks", "albert", {"tokenizer_class": "AlbertTokenizer", "keep_accents": True, "do_lower_case": False}),
        ("more/albert-masks", "albert", {"tokenizer_class": "PreTrainedTokenizerFast"}),
        ("more/deberta-v2-tokens", "deberta-v2", {}),
        ("more/deberta-v2-tokens", "deberta-v2", {"tokenizer_class": "DebertaV2Tokenizer", "split_by_punct": True}),
        ("more/deberta-v2-tokens", "deberta-v2", {"tokenizer_class": "DebertaV2TokenizerFast", "do_lower_case": True}),
        ("more/deberta-v2-tokens", "deberta-v2", {"tokenizer_class": "DebertaV2Tokenizer", "add_prefix_space": False}),
        ("gpt2", "gpt2", {"tokenizer_class": "GPT2Tokenizer"}), ("gpt2", "gpt_neo", {}), ("gpt2", "gptj", {}),
        ("gpt2", "opt", {"tokenizer_class": "GPT2Tokenizer"}), ("gpt2", "phi", {"tokenizer_class": "CodeGenTokenizer"}),
        ("gpt2", "phi", {}), ("gpt2", "starcoder2", {}), ("gpt2", "gpt_neox", {}),
        ("gpt2", "gpt_neox", {"tokenizer_class": "GPTNeoXTokenizer"}),
        ("gpt2", "gpt_neox", {"tokenizer_class": "GPTNeoXTokenizerFast", "add_bos_token": True}),
        ("gpt2", "gpt_neox", {"tokenizer_class": "PreTrainedTokenizerFast"}),
        ("gpt2", "stablelm", {"tokenizer_class": "GPTNeoXTokenizer"}), ("gpt2", "olmo2", {"tokenizer_class": "GPT2Tokenizer"}),
        ("gpt2", "granite", {"tokenizer_class": "GPT2Tokenizer"}), ("gpt2", "smollm3", {"tokenizer_class": "GPT2Tokenizer"}),
        ("gpt2", "bloom", {"tokenizer_class": "BloomTokenizerFast"}), ("gpt2", "falcon", {"tokenizer_class": "PreTrainedTokenizerFast"}),
        ("llama", "phi3", {"tokenizer_class": "LlamaTokenizer"}), ("llama", "ministral", {"tokenizer_class": "LlamaTokenizerFast"}),
        ("gemma", "gemma2", {}), ("gemma", "gemma3_text", {"tokenizer_class": "GemmaTokenizer"}),
        ("qwen2", "qwen2", {}), ("qwen2", "qwen3", {}), ("qwen2", "qwen2", {"tokenizer_class": "PreTrainedTokenizerFast"}),
    ]:
        first = json.loads((FIXTURES / name / "tokenizer.json").read_text())["model"]["vocab"]
        last = first[-1][0] if isinstance(first, list) else list(first)[-1]
        place = len(first) - 1 if isinstance(first, list) else first[last]
        around = {"type": "TemplateProcessing", "single": [{"Sequence": {"id": "A", "type_id": 0}}, {"SpecialToken": {"id": last, "type_id": 0}}],
                  "pair": [{"Sequence": {"id": "B", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 1}}],
                  "special_tokens": {last: {"id": last, "ids": [place], "tokens": [last]}}}
        changes = {"normalizer": {"type": "Lowercase"}, "post_processor": around,
                   "pre_tokenizer": {"type": "Split", "pattern": {"String": "i"}, "behavior": "Isolated", "invert": False}}
        found.append({"tokenizer.json": f"@{name}", "config.json": config(model_type), **settings(**keys), "changes": changes})
    # The models of sentencepiece that ALBERT and DeBERTa have.
    albert = train("unigram", rules=True, pad_id=0, unk_id=1, bos_id=-1, eos_id=-1, control_symbols=["[CLS]", "[SEP]"],
                   user_defined_symbols=["[MASK]", "(", ")"])
    deberta = train("unigram", rules=True, pad_id=0, bos_id=1, eos_id=2, unk_id=3, pad_piece="[PAD]", bos_piece="[CLS]",
                    eos_piece="[SEP]", unk_piece="[UNK]")
    found += [
        {"spiece.model": albert, "config.json": config("albert")},
        {"spiece.model": albert, "config.json": config("albert"), **settings(tokenizer_class="AlbertTokenizer")},
        {"spiece.model": albert, "config.json": config("albert"), **settings(tokenizer_class="AlbertTokenizerFast",
            do_lower_case=False, keep_accents=True, mask_token=token("[MASK]", lstrip=True))},
        {"spm.model": deberta, "config.json": config("deberta-v2")},
        {"spm.model": deberta, "config.json": config("deberta-v2"), **settings(do_lower_case=False, vocab_type="spm")},
        {"spm.model": deberta, "config.json": config("deberta-v2"), **settings(tokenizer_class="DebertaV2Tokenizer",
            do_lower_case=True, split_by_punct=True), "added_tokens.json": json.dumps({"[MASK]": 420})},
    ]
    return [case(files) for files in found]


def fixtures():
    folders = [path.parent for path in sorted(FIXTURES.glob("**/config.json"))]
    # One of each tokenizer.
    alike = {}
    for place in folders:
        if (place / "tokenizer.json").exists():
            model_type = json.loads((place / "config.json").read_text())["model_type"]
            files = [place / name for name in ["tokenizer.json", "tokenizer_config.json"]]
            alike.setdefault((model_type, *[file.exists() and file.read_text() for file in files]), place)
    return {str(place.relative_to(FIXTURES)): ids(place) for place in alike.values()}


if __name__ == "__main__":
    whole = {"texts": TEXTS, "pair": PAIR, "fixtures": fixtures(), "cases": cases()}
    whole["models"] = {name: base64.b64encode(model).decode() for model, name in MODELS.items()}
    if len(sys.argv) == 1:
        (HERE / "hard.json").write_text(json.dumps(whole, ensure_ascii=False, indent=0).replace("\u2028", "\\u2028"))
        print(len(TEXTS), "texts", len(whole["cases"]), "cases")
