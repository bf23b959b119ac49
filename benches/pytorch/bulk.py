"""The work of `relprop explain --input IN --out OUT.jsonl` under `ah-ln`, in PyTorch.

From a table of texts to JSON lines with the relevance of every token and word: a BERT classifier in
float32, texts in the order of the file in padded batches of 32, one forward and one backward pass a
batch. Attention weights are computed without a graph (AH-rule), the scale of each norm is detached
(LN-rule), and no gradients are computed for parameters.

    python bulk.py MODEL IN.tsv OUT.jsonl [--batch 32]
"""

import argparse
import csv
import json
import resource
import sys
import time

import torch
from torch import nn
from transformers import AutoModelForSequenceClassification, AutoTokenizer
from transformers.modeling_utils import ALL_ATTENTION_FUNCTIONS


def attention(module, query, key, value, attention_mask, scaling=None, **_):
    """Attention with constant weights."""
    scaling = query.shape[-1] ** -0.5 if scaling is None else scaling
    with torch.no_grad():
        scores = query @ key.transpose(2, 3) * scaling
        weights = (scores if attention_mask is None else scores + attention_mask).softmax(-1)
    return (weights @ value).transpose(1, 2).contiguous(), weights


def norm(layer, x):
    """Layer normalisation with a constant scale."""
    centred = x - x.mean(-1, keepdim=True)
    with torch.no_grad():
        scale = (centred.square().mean(-1, keepdim=True) + layer.eps).rsqrt()
    return centred * scale * layer.weight + layer.bias


def load(folder):
    """The model under both rules, and a list that will hold the input of its first block."""
    ALL_ATTENTION_FUNCTIONS.register("constant", attention)
    model = AutoModelForSequenceClassification.from_pretrained(
        folder, dtype=torch.float32, attn_implementation="eager"
    ).eval()
    model.config._attn_implementation = "constant"
    model.requires_grad_(False)
    for layer in model.modules():
        if isinstance(layer, nn.LayerNorm):
            layer.forward = norm.__get__(layer)
    blocks = []

    def leaf(_module, _inputs, output):
        blocks.append(output.detach().requires_grad_())
        return blocks[-1]

    model.bert.embeddings.register_forward_hook(leaf)
    return model, blocks


def explain(model, blocks, tokenizer, texts):
    """An explanation of each text."""
    encoded = tokenizer(
        texts, padding=True, truncation=True, return_tensors="pt", return_offsets_mapping=True
    )
    offsets = encoded.pop("offset_mapping").tolist()
    blocks.clear()
    logits = model(**encoded).logits
    target, predicted = logits.max(-1)
    target.sum().backward()
    relevance = (blocks[0].detach() * blocks[0].grad).sum(-1).tolist()
    for row, text in enumerate(texts):
        words, tokens = {}, []
        for place, word in enumerate(encoded.word_ids(row)):
            if not encoded["attention_mask"][row, place]:
                continue
            start, end = offsets[row][place]
            token = encoded.tokens(row)[place]
            value = relevance[row][place]
            tokens.append(
                {"text": token, "start": start, "end": end, "special": word is None, "relevance": value}
            )
            if word is None:
                continue
            if word in words:
                words[word]["end"] = end
                words[word]["relevance"] += value
            else:
                words[word] = {"start": start, "end": end, "relevance": value}
        yield {
            "text": text,
            "logits": logits[row].tolist(),
            "prediction": model.config.id2label[predicted[row].item()],
            "target": target[row].item(),
            "tokens": tokens,
            "words": [{"text": text[w["start"] : w["end"]], **w} for w in words.values()],
        }


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("model")
    parser.add_argument("input")
    parser.add_argument("output")
    parser.add_argument("--batch", type=int, default=32)
    arguments = parser.parse_args()

    start = time.perf_counter()
    model, blocks = load(arguments.model)
    tokenizer = AutoTokenizer.from_pretrained(arguments.model)
    with open(arguments.input, newline="") as file:
        rows = csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE)
        texts = [row.get("text") or row["sentence"] for row in rows]
    with open(arguments.output, "w") as out:
        for first in range(0, len(texts), arguments.batch):
            batch = texts[first : first + arguments.batch]
            for explanation in explain(model, blocks, tokenizer, batch):
                out.write(json.dumps(explanation) + "\n")
    seconds = time.perf_counter() - start
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{len(texts)} texts in {seconds:.1f} s after imports, {memory:.0f} MB", file=sys.stderr)


if __name__ == "__main__":
    main()
