"""Texts are explained as the program explains them."""

from __future__ import annotations

import json
import pickle
from pathlib import Path

import numpy as np
import pytest

import relprop
from models import bert, sentences

TEXTS = ["a warm , funny film", "the plot is not very good . the end was dull", "bad"]


@pytest.mark.parametrize(
    ("options", "keywords"),
    [
        ([], {}),
        (["--ledger"], {"ledger": True}),
        (["--rules", "attn-lrp"], {"rules": "attn-lrp"}),
        (["--target", "negative"], {"target": "negative"}),
        (["--target", "1-0"], {"target": "1-0"}),
        (["--target", "positive", "--against", "negative"], {"target": "positive", "against": "negative"}),
        (["--score", "log-probability"], {"score": "log-probability"}),
        (["--score", "entropy"], {"score": "entropy"}),
        (["--score", "norm"], {"score": "norm"}),
        (["--at", "embeddings.word"], {"at": "embeddings.word"}),
        (["--method", "integrated-gradients:steps=7"], {"method": "integrated-gradients:steps=7"}),
        (["--pair", "the story is new"], {"pair": "the story is new"}),
        (["--query", "is it a good film"], {"query": "is it a good film"}),
        (["--segments", "sentences"], {"segments": "sentences"}),
        (["--segments", '" . "'], {"segments": '" . "'}),
        (["--recompute"], {"recompute": True}),
    ],
)
def test_explanations_are_those_of_the_program(explainer, folder, program, options, keywords):
    # Its lines have every digit; its .json is indented by a reader that rounds 64-bit numbers.
    lines = program("explain", "--model", folder, "--format", "jsonl", *options, *TEXTS, is_json=False)
    theirs = [json.loads(line) for line in lines.splitlines()]
    ours = explainer(TEXTS, **keywords)
    assert [json.loads(one.json()) for one in ours] == theirs
    assert [one.to_dict() for one in ours] == theirs


def test_pages_and_drawings_are_those_of_the_program(explainer, folder, program):
    one = explainer(TEXTS[0])
    assert one.svg() == program("explain", "--model", folder, "--format", "svg", TEXTS[0], is_json=False)
    ansi = program("explain", "--model", folder, "--format", "ansi", TEXTS[0], is_json=False)
    assert one.ansi(color=False).strip() == ansi.strip()
    page, part = one.html(), one.html(page=False)
    assert page.startswith("<!DOCTYPE html>") and "funny" in page
    assert part.startswith('<div class="relprop') and part.endswith("</div>")
    assert "<script" not in part and "<!DOCTYPE" not in part
    assert one._repr_html_().startswith('<div class="relprop')


def test_numbers_come_as_arrays(explainer):
    one = explainer(TEXTS[0], ledger=True)
    data = one.to_dict()
    assert one.relevance.dtype == np.float32 and one.relevance.shape == (len(one.tokens),) == (len(one),)
    np.testing.assert_array_equal(one.relevance, np.array([t["relevance"] for t in data["tokens"]], np.float32))
    np.testing.assert_array_equal(one.word_relevance, np.array([w["relevance"] for w in data["words"]], np.float32))
    np.testing.assert_array_equal(one.logits, np.array(data["logits"], np.float32))
    assert one.tokens == ["[CLS]", "a", "warm", ",", "funny", "film", "[SEP]"]
    assert one.words == ["a", "warm", ",", "funny", "film"]
    assert one.special_tokens_mask == [True, False, False, False, False, False, True]
    assert [TEXTS[0][start:end] for start, end in one.offsets[1:-1]] == one.words
    assert [TEXTS[0][start:end] for start, end in one.word_offsets] == one.words
    assert one.token_ids == [token["id"] for token in data["tokens"]]
    assert one.labels == ["negative", "positive"] == explainer.labels
    assert one.prediction == one.labels[int(one.logits.argmax())] == one.target
    softmax = np.exp(one.logits - one.logits.max())
    assert one.probability == pytest.approx(softmax.max() / softmax.sum(), abs=1e-6)
    assert one.layers.shape == (3, len(one)) and one.layer_sites[0] == "blocks"
    np.testing.assert_array_equal(one.layers[0], one.relevance)
    ledger = one.ledger
    assert ledger.closes
    absorbed = sum(entry["relevance"] for entry in ledger.absorbed)
    assert ledger.tokens + absorbed + ledger.unaccounted == pytest.approx(ledger.target, abs=1e-9)
    assert sum(ledger.by_kind().values()) == pytest.approx(absorbed, abs=1e-9)
    assert explainer(TEXTS[0]).ledger is None and explainer(TEXTS[0]).layers is None


def test_an_explanation_is_data(explainer, tmp_path):
    one = explainer(TEXTS[0], ledger=True)
    again = pickle.loads(pickle.dumps(one))
    assert again == one and again.ledger == one.ledger
    assert relprop.Explanation.from_json(one.json()) == one
    assert one != explainer(TEXTS[1], ledger=True)
    for ending in ["html", "svg", "json", "txt"]:
        one.save(tmp_path / f"why.{ending}")
    assert json.loads((tmp_path / "why.json").read_text()) == one.to_dict()
    with pytest.raises(ValueError, match="picture"):
        one.save(tmp_path / "why.png")
    with pytest.raises(ValueError, match="ends in"):
        one.save(tmp_path / "why.doc")


def test_an_explanation_does_not_depend_on_the_texts_beside_it(explainer):
    texts = sentences(100)
    together = explainer(texts)
    assert [one.text for one in together] == texts
    for index in range(0, 100, 17):
        alone = explainer(texts[index])
        np.testing.assert_allclose(alone.relevance, together[index].relevance, rtol=0, atol=1e-5)


def test_what_was_asked_stays_with_the_explainer(folder):
    made = relprop.Explainer.from_pretrained(folder, "libra", ledger=True)
    assert made(TEXTS[0]).rules == "libra" and made(TEXTS[0]).ledger is not None
    # A method takes the place of propagation with all that it was asked for.
    assert made(TEXTS[0], method="occlusion").method == "occlusion"
    assert made(TEXTS[0], rules="ah", ledger=False).rules == "ah"
    other = relprop.Explainer.from_pretrained(folder, method="random", seed=3)
    assert other(TEXTS[0]).method == "random"
    assert other(TEXTS[0], rules="ah").rules == "ah"


def test_pairs_and_answers_come_one_for_each_text(explainer, writer, program):
    pairs = ["the end", "a new story , very long", "good"]
    each = explainer(TEXTS, pair=pairs)
    assert each == [explainer(text, pair=pair) for text, pair in zip(TEXTS, pairs)] or np.allclose(
        each[1].relevance, explainer(TEXTS[1], pair=pairs[1]).relevance, atol=1e-5
    )
    language = relprop.Explainer.from_pretrained(writer)
    asked = language("a film", answer=" a film")
    assert asked.to_dict() == program("explain", "--model", writer, "--format", "json", "--answer", " a film", "a film")


def test_a_language_model_goes_on(writer, program):
    language = relprop.Explainer.from_pretrained(writer)
    found = language("a film", generate=3)
    assert isinstance(found, relprop.Continuation)
    assert found.to_dict() == program("explain", "--model", writer, "--format", "json", "--generate", 3, "a film")
    drawn = language("a film", generate=3, temperature=0.7, top_k=5, seed=9)
    options = ["--generate", 3, "--temperature", 0.7, "--top-k", 5, "--seed", 9]
    assert drawn.to_dict() == program("explain", "--model", writer, "--format", "json", *options, "a film")
    assert pickle.loads(pickle.dumps(drawn)) == drawn
    token = language("a film", target=" film", position=1)
    options = ["--target", " film", "--position", 1]
    assert token.to_dict() == program("explain", "--model", writer, "--format", "json", *options, "a film")


def test_what_lands_on_an_answer_is_passed_on(writer, program):
    keywords = {"answer": " is warm", "hops": 1, "segments": "words"}
    options = ["--answer", " is warm", "--hops", "1", "--segments", "words"]
    one = relprop.Explainer.from_pretrained(writer)("the film", **keywords)
    line = program("explain", "--model", writer, "--format", "jsonl", *options, "the film", is_json=False)
    assert one.to_dict() == json.loads(line)
    theirs = one.to_dict()["hops"]
    assert len(one.hops) == len(theirs) >= 1
    for hop, their in zip(one.hops, theirs):
        assert hop.keys() == their.keys() and hop["target"] == pytest.approx(their["target"])
    assert [part["text"] for part in one.segments][:1] == ["the"] and sum(
        part["relevance"] for part in one.segments
    ) == pytest.approx(float(sum(one.word_relevance)), abs=1e-4)
    assert relprop.Explainer.from_pretrained(writer)("the film", answer=" is warm").segments == []


def test_labels_of_tokens_are_explained_part_by_part(labeller):
    found = labeller(TEXTS[1], parts="tokens")
    assert isinstance(found, relprop.Labelling)
    assert len(found.parts) == len(found.token_labels) - 2
    assert found.parts[0].labels == ["O", "B-PER", "I-PER"]
    assert pickle.loads(pickle.dumps(found)) == found
    assert found.html(page=False).startswith('<div class="relprop')
    assert isinstance(labeller(TEXTS[1], position=2), relprop.Explanation)


def test_labels_of_no_training_are_chosen_from(tmp_path, program):
    folder = bert(tmp_path / "nli", labels=("contradiction", "neutral", "entailment"), seed=3)
    nli = relprop.Explainer.from_pretrained(folder)
    found = nli(TEXTS[0], labels=["warm", "cold"], template="the film is {} .", several=True)
    assert isinstance(found, relprop.ZeroShot) and sorted(found.labels) == ["cold", "warm"]
    options = ["--labels", "warm,cold", "--template", "the film is {} .", "--several"]
    assert found.to_dict() == program("explain", "--model", folder, "--format", "json", *options, TEXTS[0])
    assert pickle.loads(pickle.dumps(found)) == found
    with pytest.raises(ValueError, match="`labels` does not go with `pair`"):
        nli(TEXTS[0], labels=["warm"], pair="a film")


def test_texts_are_compared(vectors, program):
    first, second = TEXTS[:2]
    found = relprop.similar(vectors, first, second)
    theirs = program("similar", "--model", vectors, "--format", "json", first, second)
    assert found.to_dict() == theirs
    assert found.word_interaction.shape == (len(theirs["texts"][0]["words"]), len(theirs["texts"][1]["words"]))
    explainer = relprop.Explainer.from_pretrained(vectors)
    ranked = relprop.similar(explainer, first, sentences(20), top=3, measure="dot")
    assert len(ranked) == 3 and [one.dot for one in ranked] == sorted((one.dot for one in ranked), reverse=True)
    with pytest.raises(ValueError, match="makes a vector"):
        explainer(first)


def test_rules_are_a_name_a_file_a_text_or_a_dict(explainer, tmp_path):
    libra = relprop.rules("libra")
    file = tmp_path / "mine.toml"
    file.write_text(libra.to_toml())
    forms = ["libra", libra, libra.to_toml(), libra.to_dict(), file, str(file)]
    assert all(relprop.rules(form) == libra for form in forms)
    assert len({explainer(TEXTS[0], rules=form).json() for form in forms}) == 1
    assert pickle.loads(pickle.dumps(libra)) == libra
    assert "libra" in relprop.presets() and libra.name == "libra"
    changed = libra.to_dict() | {"name": "mine"}
    assert explainer(TEXTS[0], rules=changed).rules == "mine"
    file.write_text(relprop.rules("ah").to_toml())
    assert explainer(TEXTS[0], rules=str(file)).rules == "ah", "a file that changed is read again"
