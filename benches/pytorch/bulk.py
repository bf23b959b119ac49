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

import rules
import torch
from transformers import AutoModelForSequenceClassification, AutoTokenizer


def load(folder):
    """The model under both rules, and a list that will hold the input of its first block."""
    model = AutoModelForSequenceClassification.from_pretrained(
        folder, dtype=torch.float32, attn_implementation="eager"
    ).eval()
    rules.put(model, "ah-ln")
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
