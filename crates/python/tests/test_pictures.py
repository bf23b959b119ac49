"""Pictures are explained as the program explains them."""

from __future__ import annotations

import json
import pickle

import numpy as np
import pytest

import relprop
from models import FIXTURES, vit, write_png


@pytest.fixture(scope="module")
def seeing(tmp_path_factory):
    here = tmp_path_factory.mktemp("pictures")
    random = np.random.default_rng(1)
    files = [write_png(here / f"{name}.png", random.integers(0, 256, (20, 24, 3))) for name in "ab"]
    return vit(here / "vit"), files


def test_pictures_are_explained(seeing, program, tmp_path):
    folder, files = seeing
    explainer = relprop.Explainer.from_pretrained(folder)
    found = explainer(images=files)
    assert [one.to_dict() for one in found] == program("explain", "--model", folder, "--format", "json", *files)
    one = explainer(images=files[0])
    assert one.tokens[1:3] == ["0,0", "0,1"] and one.relevance.shape == (17,) and one.words == []
    np.testing.assert_array_equal(one.patch_relevance, one.relevance[1:].reshape(4, 4))
    assert "<img" in one.html() or "data:image/png" in one.html()
    one.save(tmp_path / "over.png")
    assert (tmp_path / "over.png").read_bytes().startswith(b"\x89PNG")
    # Its data travel, and the picture does not.
    with pytest.raises(NotImplementedError, match="not pickled with its picture"):
        pickle.dumps(one)
    assert relprop.Explanation.from_json(one.json()) == one


def test_what_is_no_picture_is_refused(seeing, tmp_path):
    folder, _ = seeing
    explainer = relprop.Explainer.from_pretrained(folder)
    (tmp_path / "no.png").write_bytes(b"a text")
    with pytest.raises(ValueError, match="no PNG, JPEG, GIF"):
        explainer(images=tmp_path / "no.png")
    with pytest.raises(ValueError, match="absent.png"):
        explainer(images="absent.png")
    with pytest.raises(ValueError, match="`pair` is for texts"):
        explainer(images="a.png", pair="a text")


VECTORS = FIXTURES / "picture-vectors" / "dinov2"
TWO = [FIXTURES / "pictures" / name for name in ("large.png", "small.png")]


@pytest.mark.parametrize(
    ("keywords", "options"),
    [
        ({}, []),
        ({"measure": "dot", "ledger": True}, ["--measure", "dot", "--ledger"]),
        ({"pooling": "mean", "rules": "libra"}, ["--pooling", "mean", "--rules", "libra"]),
    ],
)
def test_two_pictures_are_alike_as_to_the_program(program, keywords, options):
    found = relprop.similar(VECTORS, *TWO, **keywords)
    asked = ["similar", "--model", VECTORS, *TWO, *options, "--format"]
    assert found.to_dict() == program(*asked, "json")
    assert found.html() == program(*asked, "html", is_json=False) and "data:image/png" in found.html()
    patches = [text["picture"]["rows"] * text["picture"]["columns"] for text in found.texts]
    assert found.word_interaction.shape == tuple(patches)
    assert ("ledger" in found.texts[0]) == ("ledger" in keywords)
    with pytest.raises(NotImplementedError, match="not pickled with its picture"):
        pickle.dumps(found)
    read = relprop.Similarity.from_json(found.json())
    assert read == found and "data:image/png" not in read.html()


def test_the_most_similar_picture_comes_first():
    explainer = relprop.Explainer.from_pretrained(VECTORS)
    others = [FIXTURES / "pictures" / name for name in ("small.png", "photo.jpg", "large.png")]
    found = relprop.similar(explainer, others[2], others)
    assert found[0].texts[1]["text"] == str(others[2]) and found[0].cosine == pytest.approx(1, abs=1e-5)
    cosines = [one.cosine for one in found]
    assert cosines == sorted(cosines, reverse=True) and len(cosines) == 3
    assert relprop.similar(explainer, others[2], others, top=2) == found[:2]
    with pytest.raises(FileNotFoundError, match="absent.png"):
        relprop.similar(explainer, others[0], "absent.png")


@pytest.mark.parametrize("hide", ["mean", "blur"])
def test_explanations_of_pictures_are_measured_as_by_the_program(seeing, program, tmp_path, hide):
    folder, files = seeing
    labels = ["cat", "dog"]
    table = files[0].parent / "table.csv"
    rows = [f"{file.name},{label},\"4,4,12,12\"\n" for file, label in zip(files, labels)]
    table.write_text("picture,label,box\n" + "".join(rows))
    options = ["--metrics", "srg,mass-accuracy", "--methods", "ah-ln,random", "--evidence-column", "box", "--hide", hide]
    out = tmp_path / "run"
    program("evaluate", "--model", folder, "--data", table, "--out", out, *options, is_json=False)
    theirs = json.loads((out / "results.json").read_text())
    explainer = relprop.Explainer.from_pretrained(folder)
    asked = {"methods": ["ah-ln", "random"], "hide": hide}
    ours = relprop.evaluate(explainer, table, metrics=["srg", "mass-accuracy"], evidence_column="box", **asked)
    for method in theirs["methods"]:
        for metric, found in zip(ours.metrics, method["metrics"]):
            assert ours.mean(method["name"], metric) == pytest.approx(found["mean"]["mean"], rel=1e-12)
    # The same pictures without a table.
    at_hand = relprop.evaluate(explainer, list(zip(files, labels)), metrics=["srg"], **asked)
    assert at_hand.mean("ah-ln", "srg") == ours.mean("ah-ln", "srg")
    predicted = relprop.evaluate(explainer, files, metrics=["srg"], target="predicted", **asked)
    assert predicted.to_dict()["texts"] == 2


def test_a_blur_changes_what_is_measured(seeing, explainer):
    folder, files = seeing
    data = list(zip(files, ["cat", "dog"]))
    mean, blur = (
        relprop.evaluate(folder, data, metrics=["srg"], methods=["ah-ln"], hide=hide) for hide in ("mean", "blur")
    )
    assert mean.mean("ah-ln", "srg") != blur.mean("ah-ln", "srg")
    with pytest.raises(ValueError, match="blurred to be hidden, and these are texts"):
        relprop.evaluate(explainer, ["a film"], target="predicted", hide="blur")
    with pytest.raises(ValueError, match="noise"):
        relprop.evaluate(folder, data, hide="noise")
    with pytest.raises(ValueError, match="evidence of pictures is read from a file"):
        relprop.evaluate(folder, data, evidence=[(0, 2), None])
    with pytest.raises(ValueError, match="`pair` is for texts"):
        relprop.evaluate(folder, data, pair="a text")
    with pytest.raises(FileNotFoundError, match="absent.png"):
        relprop.evaluate(folder, [("absent.png", "cat")])
