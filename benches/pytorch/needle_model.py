"""Trains a model that answers the questions of the corpus `needles`: `python needle_model.py FOLDER`.

A GPT-2 of two blocks of width 128, for `relprop evaluate --data needles --model FOLDER`. Looking something up is learned in two
parts. First the model repeats lists of words that it has never seen: every word of the second round has to be copied from
behind the same word in the first, so all of a text teaches to copy. Then it learns from texts of the corpus' kind,
each with three questions that may ask the same, and from their answers alone. On one core it takes about six minutes.

The words and sentences are read from the source of the corpus. It needs torch, transformers and tokenizers.
"""

import math
import random
import re
import sys
from pathlib import Path

import torch
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import GPT2Config, GPT2LMHeadModel, PreTrainedTokenizerFast

CORPUS = Path(__file__).parents[2] / "crates/data/src/corpus/needles.rs"
WIDTH, BLOCKS, POSITIONS = 128, 2, 128
LISTS, TEXTS = 1000, 3000
BATCH, RATE, WARMUP = 64, 1e-3, 200


def said(name):
    """What a list of the corpus holds."""
    listed = re.search(rf"const {name}: \[&str; \d+\] = \[(.*?)\];", CORPUS.read_text(), re.DOTALL)
    return re.findall(r'"([^"]+)"', listed[1])


NAMES, WORDS, SENTENCES = said("NAMES"), said("WORDS"), said("SENTENCES")
PIECES = ["<pad>", *sorted({*NAMES, *WORDS, *" ".join(SENTENCES).split(), *"give . what is for ?".split()})]
IDS = {piece: index for index, piece in enumerate(PIECES)}


def text(facts, others, questions):
    """Words of a text with its questions and answers, and which of them are learned."""
    names, words = random.sample(NAMES, facts), random.sample(WORDS, 3 * facts)
    given = [["give", name, *words[3 * at : 3 * at + 3], "."] for at, name in enumerate(names)]
    sentences = given + [sentence.split() for sentence in random.sample(SENTENCES, others)]
    random.shuffle(sentences)
    found = [word for sentence in sentences for word in sentence]
    learned = [False] * len(found)
    for _ in range(questions):
        fact = random.choice(given)
        question = ["what", "is", "for", fact[1], "?"]
        found += question + fact
        learned += [False] * len(question) + [True] * len(fact)
    return found, learned


def repeated():
    """A list of words two or three times, of which the first is not learned."""
    once = random.sample(WORDS + NAMES, random.randint(6, 20))
    found = (once * random.randint(2, 3))[:64]
    return found, [at >= len(once) for at in range(len(found))]


def batch(rows):
    longest = max(len(found) for found, _ in rows)
    ids, labels = torch.zeros(len(rows), longest, dtype=torch.long), torch.full((len(rows), longest), -100)
    for row, (found, learned) in enumerate(rows):
        ids[row, : len(found)] = torch.tensor([IDS[word] for word in found])
        labels[row, : len(found)] = torch.tensor([IDS[word] if is_learned else -100 for word, is_learned in zip(found, learned)])
    return ids, labels


@torch.no_grad()
def right(model, count):
    """The share of questions about texts of the corpus' length that are answered to the end."""
    rows = [text(4, 3, 1) for _ in range(count)]
    ids, labels = batch(rows)
    likeliest = model(ids).logits.argmax(-1)[:, :-1]
    return ((likeliest == labels[:, 1:]) | (labels[:, 1:] == -100)).all(-1).double().mean().item()


def main():
    folder = Path(sys.argv[1])
    torch.set_num_threads(1)
    torch.manual_seed(0)
    random.seed(0)
    config = GPT2Config(
        vocab_size=len(PIECES),
        n_positions=POSITIONS,
        n_embd=WIDTH,
        n_layer=BLOCKS,
        n_head=WIDTH // 32,
        n_inner=2 * WIDTH,
        resid_pdrop=0,
        embd_pdrop=0,
        attn_pdrop=0,
        initializer_range=1 / math.sqrt(WIDTH),
        bos_token_id=0,
        eos_token_id=0,
    )
    model = GPT2LMHeadModel(config).train()
    optimizer = torch.optim.AdamW(model.parameters(), lr=RATE, weight_decay=0.01, betas=(0.9, 0.98))
    for step in range(LISTS + TEXTS):
        left = 1 - max(0, step - LISTS) / TEXTS
        for group in optimizer.param_groups:
            group["lr"] = RATE * min(1, (step + 1) / WARMUP) * max(0.05, left)
        if step < LISTS or random.random() < 0.2:
            rows = [repeated() for _ in range(BATCH)]
        else:
            facts, others = random.choice([2, 3, 4, 4]), random.choice([0, 1, 2, 3])
            rows = [text(facts, others, 3) for _ in range(BATCH // 2)]
        ids, labels = batch(rows)
        loss = model(ids, labels=labels).loss
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        if step % 250 == 249:
            print(f"step {step + 1} of {LISTS + TEXTS}, loss {loss.item():.3f}", flush=True)
    model.eval().save_pretrained(folder)
    engine = Tokenizer(models.WordLevel(IDS, unk_token="<pad>"))
    engine.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    PreTrainedTokenizerFast(tokenizer_object=engine, pad_token="<pad>", unk_token="<pad>").save_pretrained(folder)
    print(f"{100 * right(model, 1000):.1f} % of 1000 new questions are answered to the end")


if __name__ == "__main__":
    main()
