"""Explanations are measured, and rules searched for, as the program does it."""

from __future__ import annotations

import json
import pickle

import pytest

import relprop
from models import sentences


@pytest.fixture(scope="module")
def labeled(explainer):
    texts = sentences(40, seed=8)
    return [(text, explainer.labels[index % 2]) for index, text in enumerate(texts)]


@pytest.fixture(scope="module")
def file(labeled, tmp_path_factory):
    path = tmp_path_factory.mktemp("data") / "texts.tsv"
    path.write_text("text\tlabel\n" + "".join(f"{text}\t{label}\n" for text, label in labeled))
    return path


def numbers(results):
    """All numbers of the results, with the names beside them."""
    for method in results["methods"]:
        for metric in method["metrics"]:
            yield [results["texts"], *metric["mean"].values(), *metric.get("curve", [])]


METHODS = ["random", "ah-ln", "libra"]


def test_an_evaluation_is_that_of_the_program(explainer, folder, file, labeled, program, tmp_path):
    out = tmp_path / "run"
    program("evaluate", "--model", folder, "--data", file, "--methods", ",".join(METHODS), "--out", out, is_json=False)
    theirs = json.loads((out / "results.json").read_text())
    for data in [file, str(file), labeled]:
        ours = relprop.evaluate(explainer, data, methods=METHODS)
        for found, expected in zip(numbers(ours.to_dict()), numbers(theirs), strict=True):
            # The program writes its parts and reads them back, which rounds the last binary digit.
            assert found == pytest.approx(expected, rel=1e-14, abs=1e-16)
    assert ours.methods == METHODS and ours.metrics == ["auac", "aupc", "au-mse", "srg"]
    assert ours.best("auac") in METHODS and isinstance(ours.mean("libra", "auac"), float)
    assert pickle.loads(pickle.dumps(ours)) == ours
    assert ours._repr_html_().startswith('<div class="relprop') and ours.svg().startswith("<svg")
    assert "libra" in str(ours)
    with pytest.raises(KeyError):
        ours.mean("libra", "no-such")


def test_predictions_stand_for_labels(explainer, labeled):
    texts = [text for text, _ in labeled[:10]]
    told = []
    found = relprop.evaluate(explainer, texts, methods=["ah"], metrics=["auac"], target="predicted", progress=told.append)
    predicted = [(text, one.prediction) for text, one in zip(texts, explainer(texts))]
    assert found == relprop.evaluate(explainer, predicted, methods=["ah"], metrics=["auac"])
    assert told[-1] == 10


def test_a_column_says_which_words_are_evidence(explainer, labeled, tmp_path):
    path = tmp_path / "evidence.jsonl"
    rows = [{"text": text, "label": label, "why": text.split()[0]} for text, label in labeled[:8]]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    found = relprop.evaluate(
        explainer, path, evidence_column="why", metrics=["pointing-game"], methods=["ah-ln", "random"]
    )
    explained = [explainer(row["text"], target=row["label"], rules="ah-ln") for row in rows]
    share = sum(int(one.word_relevance.argmax()) == 0 for one in explained) / len(rows)
    assert found.mean("ah-ln", "pointing-game") == pytest.approx(share)
    with pytest.raises(ValueError, match="deciding words are known"):
        relprop.evaluate(explainer, path, metrics=["pointing-game"])


@pytest.fixture(scope="module")
def paired(labeled, tmp_path_factory):
    """Texts with second texts, in which evidence stands, and the same as a file."""
    rows = [
        {"text": text, "label": label, "next": other, "why": [other.split()[0], [0, 1]]}
        for (text, label), (other, _) in zip(labeled[:8], labeled[8:16])
    ]
    path = tmp_path_factory.mktemp("pairs") / "pairs.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return rows, path


def test_second_texts_are_read_as_by_the_program(explainer, folder, paired, program, tmp_path):
    rows, path = paired
    out, metrics = tmp_path / "run", ["auac", "mass-accuracy"]
    columns = ["--pair-column", "next", "--evidence-column", "why"]
    options = [*columns, "--metrics", ",".join(metrics), "--methods", ",".join(METHODS), "--out", out]
    program("evaluate", "--model", folder, "--data", path, *options, is_json=False)
    theirs = json.loads((out / "results.json").read_text())
    asked = {"metrics": metrics, "methods": METHODS}
    ours = relprop.evaluate(explainer, path, pair_column="next", evidence_column="why", **asked)
    for found, expected in zip(numbers(ours.to_dict()), numbers(theirs), strict=True):
        assert found == pytest.approx(expected, rel=1e-14, abs=1e-16)
    # The same at hand.
    texts = [(row["text"], row["label"]) for row in rows]
    second, evidence = ([row[name] for row in rows] for name in ("next", "why"))
    places = [[word, tuple(place)] for word, place in evidence]
    assert relprop.evaluate(explainer, texts, pair=second, evidence=places, **asked) == ours
    # Without them, it is another question.
    alone = relprop.evaluate(explainer, texts, metrics=["auac"], methods=METHODS)
    assert alone.mean("ah-ln", "auac") != ours.mean("ah-ln", "auac")


def test_one_second_text_stands_for_all(explainer, labeled):
    asked = {"metrics": ["auac"], "methods": ["ah-ln"]}
    one = relprop.evaluate(explainer, labeled[:4], pair="a dull plot", **asked)
    assert one == relprop.evaluate(explainer, labeled[:4], pair=["a dull plot"] * 4, **asked)


def test_answers_at_hand_are_those_of_a_file(writer, tmp_path):
    rows = [{"text": "a film", "answer": " film"}, {"text": "a f", "answer": "il"}]
    path = tmp_path / "answers.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    asked = {"metrics": ["auac"], "methods": ["ah-ln"]}
    texts, answers = ([row[name] for row in rows] for name in ("text", "answer"))
    found = relprop.evaluate(writer, texts, answer=answers, **asked)
    assert found == relprop.evaluate(writer, path, answer_column="answer", **asked)


@pytest.mark.parametrize(
    ("keywords", "message"),
    [
        ({"pair": ["a film", "a plot"]}, "1 texts, and 2 of `pair`"),
        ({"evidence": []}, "1 texts, and 0 of `evidence`"),
        ({"evidence": ["dull"]}, "text 1: `evidence` has `dull`, which is not in the text"),
        ({"pair": "a dull plot", "evidence": ["film"]}, "`film`, which is not in the text"),
        ({"evidence": [(2, 60)]}, "no piece of a text of 6 characters"),
        ({"pair_column": "next"}, "`pair_column` is of a file"),
        ({"evidence_column": "why"}, "`evidence_column` is of a file"),
    ],
)
def test_what_does_not_go_with_texts_at_hand_is_refused(explainer, keywords, message):
    with pytest.raises(ValueError, match=message):
        relprop.evaluate(explainer, [("a film", "positive")], **keywords)


def test_what_does_not_go_with_a_file_is_refused(explainer, file):
    with pytest.raises(ValueError, match="name the column with `pair_column`"):
        relprop.evaluate(explainer, file, pair="a film")
    with pytest.raises(KeyError, match="no-such"):
        relprop.evaluate(explainer, file, pair_column="no-such")


def test_a_search_is_that_of_the_program(explainer, folder, file, program):
    options = ["--start", "ah,libra", "--tries", 6, "--min-words", 2]
    theirs = program("tune", "--model", folder, "--data", file, *options, is_json=False)
    ours = relprop.tune(explainer, file, start=["ah", "libra"], tries=6, min_words=2)
    assert ours == relprop.rules(theirs)
    assert explainer("a warm film", rules=ours).rules == ours.name


def test_what_cannot_be_measured_is_refused(explainer, labeled, writer, tmp_path):
    with pytest.raises(ValueError, match="text 1: the text has no label"):
        relprop.evaluate(explainer, ["a film"])
    with pytest.raises(ValueError, match="no label `happy`"):
        relprop.evaluate(explainer, [("a film", "happy")])
    with pytest.raises(ValueError, match="there is no text to measure with"):
        relprop.evaluate(explainer, [])
    with pytest.raises(ValueError, match="no-such"):
        relprop.evaluate(explainer, labeled, metrics=["no-such"])
    with pytest.raises(ValueError, match="no-such"):
        relprop.evaluate(explainer, labeled, methods=["no-such"])
    with pytest.raises(ValueError, match="needs words that people have judged"):
        relprop.evaluate(explainer, labeled, metrics=["polarity"])
    with pytest.raises(ValueError, match="too few to search with"):
        relprop.tune(explainer, labeled[:9])
    # A language model is measured on answers, which a label is not.
    with pytest.raises(ValueError, match="there is no text to measure with"):
        relprop.evaluate(writer, labeled)
    with pytest.raises(FileNotFoundError):
        relprop.evaluate(explainer, tmp_path / "no-such.tsv")
    with pytest.warns(UserWarning, match="text 2: .*skipped"):
        found = relprop.evaluate(explainer, [labeled[0], ("", "positive")], methods=["ah"], metrics=["auac"])
    assert found.to_dict()["texts"] == 1
