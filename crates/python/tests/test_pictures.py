"""Pictures are explained as the program explains them."""

from __future__ import annotations

import pickle

import numpy as np
import pytest

import relprop
from models import vit, write_png


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
