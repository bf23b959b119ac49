"""Small models with random weights, written by hand as folders."""

from __future__ import annotations

import json
import zlib
from pathlib import Path

import numpy as np

WORDS = """a the warm cold funny dull film plot is was not very , . and but story actor scene end
good bad long short old new best worst great poor fine sad""".split()
#: The models and pictures that the tests in Rust use.
FIXTURES = Path(__file__).parents[3] / "tests" / "fixtures"
SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]


def write_safetensors(path: Path, tensors: dict[str, np.ndarray]) -> None:
    header, start = {}, 0
    for name, tensor in tensors.items():
        end = start + tensor.nbytes
        header[name] = {"dtype": "F32", "shape": list(tensor.shape), "data_offsets": [start, end]}
        start = end
    text = json.dumps(header).encode()
    data = b"".join(tensor.tobytes() for tensor in tensors.values())
    path.write_bytes(len(text).to_bytes(8, "little") + text + data)


class Weights:
    """Random tensors by their names."""

    def __init__(self, seed: int) -> None:
        self.random = np.random.default_rng(seed)
        self.tensors: dict[str, np.ndarray] = {}

    def add(self, name: str, *shape: int, scale: float = 0.5) -> None:
        self.tensors[name] = self.random.normal(0.0, scale, shape).astype(np.float32)

    def linear(self, name: str, out: int, into: int) -> None:
        self.add(f"{name}.weight", out, into, scale=into**-0.5)
        self.add(f"{name}.bias", out, scale=0.1)

    def norm(self, name: str, size: int) -> None:
        self.add(f"{name}.weight", size, scale=0.1)
        self.tensors[f"{name}.weight"] += 1
        self.add(f"{name}.bias", size, scale=0.1)


def bert(folder: Path, kind: str = "SequenceClassification", labels: tuple[str, ...] = ("negative", "positive"), seed: int = 0, hidden: int = 32, layers: int = 2, positions: int = 64) -> Path:
    """A BERT: ``kind`` is SequenceClassification, TokenClassification, or Model, which makes vectors."""
    folder.mkdir(parents=True, exist_ok=True)
    vocabulary = SPECIAL + WORDS
    config = {
        "architectures": ["BertModel" if kind == "Model" else f"BertFor{kind}"],
        "model_type": "bert",
        "hidden_size": hidden,
        "num_hidden_layers": layers,
        "num_attention_heads": 4,
        "intermediate_size": 2 * hidden,
        "hidden_act": "gelu",
        "max_position_embeddings": positions,
        "type_vocab_size": 2,
        "vocab_size": len(vocabulary),
        "layer_norm_eps": 1e-12,
        "pad_token_id": 0,
    }
    if kind != "Model":
        config["id2label"] = {str(index): label for index, label in enumerate(labels)}
        config["label2id"] = {label: index for index, label in enumerate(labels)}
    (folder / "config.json").write_text(json.dumps(config))
    (folder / "vocab.txt").write_text("\n".join(vocabulary) + "\n")
    (folder / "tokenizer_config.json").write_text(json.dumps({"do_lower_case": True, "tokenizer_class": "BertTokenizer"}))
    weights = Weights(seed)
    at = "" if kind == "Model" else "bert."
    for name, rows in [("word", len(vocabulary)), ("position", positions), ("token_type", 2)]:
        weights.add(f"{at}embeddings.{name}_embeddings.weight", rows, hidden)
    weights.norm(f"{at}embeddings.LayerNorm", hidden)
    for layer in range(layers):
        block = f"{at}encoder.layer.{layer}"
        for part in ["query", "key", "value"]:
            weights.linear(f"{block}.attention.self.{part}", hidden, hidden)
        weights.linear(f"{block}.attention.output.dense", hidden, hidden)
        weights.norm(f"{block}.attention.output.LayerNorm", hidden)
        weights.linear(f"{block}.intermediate.dense", 2 * hidden, hidden)
        weights.linear(f"{block}.output.dense", hidden, 2 * hidden)
        weights.norm(f"{block}.output.LayerNorm", hidden)
    if kind in ("SequenceClassification", "Model"):
        weights.linear(f"{at}pooler.dense", hidden, hidden)
    if kind != "Model":
        weights.linear("classifier", len(labels), hidden)
    write_safetensors(folder / "model.safetensors", weights.tensors)
    if kind == "Model":
        modules = [
            {"idx": 0, "name": "0", "path": "", "type": "sentence_transformers.models.Transformer"},
            {"idx": 1, "name": "1", "path": "1_Pooling", "type": "sentence_transformers.models.Pooling"},
        ]
        (folder / "modules.json").write_text(json.dumps(modules))
        (folder / "1_Pooling").mkdir(exist_ok=True)
        pooling = {"word_embedding_dimension": hidden, "pooling_mode_mean_tokens": True}
        (folder / "1_Pooling" / "config.json").write_text(json.dumps(pooling))
    return folder


def gpt2(folder: Path, seed: int = 0, hidden: int = 32, layers: int = 2, positions: int = 64) -> Path:
    """A GPT-2 whose vocabulary has single letters."""
    folder.mkdir(parents=True, exist_ok=True)
    letters = [chr(code) for code in range(33, 127)] + ["Ġ"]
    merges = ["Ġ a", "Ġ f", "i l", "Ġf il", "Ġfil m"]
    joined = [merge.replace(" ", "") for merge in merges]
    vocabulary = {piece: index for index, piece in enumerate([*letters, *joined, "<|endoftext|>"])}
    config = {
        "architectures": ["GPT2LMHeadModel"],
        "model_type": "gpt2",
        "n_embd": hidden,
        "n_layer": layers,
        "n_head": 4,
        "n_positions": positions,
        "vocab_size": len(vocabulary),
        "activation_function": "gelu_new",
        "layer_norm_epsilon": 1e-5,
        "bos_token_id": vocabulary["<|endoftext|>"],
        "eos_token_id": vocabulary["<|endoftext|>"],
    }
    (folder / "config.json").write_text(json.dumps(config))
    (folder / "vocab.json").write_text(json.dumps(vocabulary, ensure_ascii=False))
    (folder / "merges.txt").write_text("#version: 0.2\n" + "\n".join(merges) + "\n")
    weights = Weights(seed)
    weights.add("transformer.wte.weight", len(vocabulary), hidden)
    weights.add("transformer.wpe.weight", positions, hidden)
    for layer in range(layers):
        block = f"transformer.h.{layer}"
        weights.norm(f"{block}.ln_1", hidden)
        weights.norm(f"{block}.ln_2", hidden)
        for name, into, out in [
            ("attn.c_attn", hidden, 3 * hidden),
            ("attn.c_proj", hidden, hidden),
            ("mlp.c_fc", hidden, 4 * hidden),
            ("mlp.c_proj", 4 * hidden, hidden),
        ]:
            weights.add(f"{block}.{name}.weight", into, out, scale=into**-0.5)
            weights.add(f"{block}.{name}.bias", out, scale=0.1)
    weights.norm("transformer.ln_f", hidden)
    write_safetensors(folder / "model.safetensors", weights.tensors)
    return folder


def vit(folder: Path, seed: int = 0, hidden: int = 32, layers: int = 2, size: int = 16, patch: int = 4) -> Path:
    """A ViT for square pictures of ``size`` pixels a side."""
    folder.mkdir(parents=True, exist_ok=True)
    config = {
        "architectures": ["ViTForImageClassification"],
        "model_type": "vit",
        "hidden_size": hidden,
        "num_hidden_layers": layers,
        "num_attention_heads": 4,
        "intermediate_size": 2 * hidden,
        "hidden_act": "gelu",
        "layer_norm_eps": 1e-12,
        "image_size": size,
        "patch_size": patch,
        "num_channels": 3,
        "qkv_bias": True,
        "id2label": {"0": "cat", "1": "dog"},
        "label2id": {"cat": 0, "dog": 1},
    }
    preprocessor = {
        "image_processor_type": "ViTImageProcessor",
        "do_resize": True,
        "size": {"height": size, "width": size},
        "resample": 2,
        "do_rescale": True,
        "rescale_factor": 1 / 255,
        "do_normalize": True,
        "image_mean": [0.5, 0.5, 0.5],
        "image_std": [0.5, 0.5, 0.5],
    }
    (folder / "config.json").write_text(json.dumps(config))
    (folder / "preprocessor_config.json").write_text(json.dumps(preprocessor))
    weights = Weights(seed)
    weights.add("vit.embeddings.cls_token", 1, 1, hidden)
    weights.add("vit.embeddings.position_embeddings", 1, (size // patch) ** 2 + 1, hidden)
    weights.add("vit.embeddings.patch_embeddings.projection.weight", hidden, 3, patch, patch, scale=0.2)
    weights.add("vit.embeddings.patch_embeddings.projection.bias", hidden, scale=0.1)
    for layer in range(layers):
        block = f"vit.encoder.layer.{layer}"
        weights.norm(f"{block}.layernorm_before", hidden)
        weights.norm(f"{block}.layernorm_after", hidden)
        for part in ["query", "key", "value"]:
            weights.linear(f"{block}.attention.attention.{part}", hidden, hidden)
        weights.linear(f"{block}.attention.output.dense", hidden, hidden)
        weights.linear(f"{block}.intermediate.dense", 2 * hidden, hidden)
        weights.linear(f"{block}.output.dense", hidden, 2 * hidden)
    weights.norm("vit.layernorm", hidden)
    weights.linear("classifier", 2, hidden)
    write_safetensors(folder / "model.safetensors", weights.tensors)
    return folder


def write_png(path: Path, pixels: np.ndarray) -> Path:
    """A picture of ``[row, column, color]`` bytes."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return len(data).to_bytes(4, "big") + kind + data + zlib.crc32(kind + data).to_bytes(4, "big")

    height, width, _ = pixels.shape
    header = width.to_bytes(4, "big") + height.to_bytes(4, "big") + bytes([8, 2, 0, 0, 0])
    rows = b"".join(b"\0" + row.tobytes() for row in pixels.astype(np.uint8))
    data = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + data)
    return path


def sentences(count: int, seed: int = 0) -> list[str]:
    """Sentences of 2 to 25 words."""
    random = np.random.default_rng(seed)
    return [" ".join(random.choice(WORDS, random.integers(2, 26))) for _ in range(count)]
