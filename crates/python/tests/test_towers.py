"""Models of two towers: why texts fit pictures."""

from __future__ import annotations

import pickle
import shutil
from types import SimpleNamespace

import numpy as np
import pytest

import relprop
from models import FIXTURES

PICTURES = [FIXTURES / "pictures" / name for name in ("large.png", "small.png")]
TEXTS = ["a red cat", "two squares"]


@pytest.fixture(scope="module", params=["clip", "siglip2"])
def towers(request):
    folder = FIXTURES / "towers" / request.param
    return folder, relprop.Explainer.from_pretrained(folder)


@pytest.fixture(scope="module")
def clip():
    return relprop.Explainer.from_pretrained(FIXTURES / "towers" / "clip")


OF_PROGRAM = [
    ({}, []),
    ({"ledger": True}, ["--ledger"]),
    ({"pairs": True}, ["--pairs"]),
    ({"target": "two squares", "against": 0}, ["--target", "two squares", "--against", "0"]),
    ({"score": "log-probability", "rules": "libra"}, ["--score", "log-probability", "--rules", "libra"]),
    ({"at": "embeddings.pixel,embeddings.word"}, ["--at", "embeddings.pixel,embeddings.word"]),
]


@pytest.mark.parametrize(("keywords", "options"), OF_PROGRAM)
def test_a_comparison_is_that_of_the_program(towers, program, keywords, options):
    folder, explainer = towers
    command = ["explain", "--model", folder, "--format", "json", PICTURES[0], "--texts", *TEXTS, *options]
    assert explainer.compare(PICTURES[0], TEXTS, **keywords).to_dict() == program(*command)


def test_what_is_found_is_in_arrays(towers):
    _, explainer = towers
    found = explainer.compare(PICTURES[0], TEXTS, ledger=True, pairs=True)
    assert found.texts == TEXTS and found.prediction == TEXTS[found.logits.argmax()]
    np.testing.assert_allclose(found.text_vectors @ found.picture_vector, found.cosines, atol=1e-6)
    np.testing.assert_allclose(found.scale * found.cosines + found.bias, found.logits, rtol=1e-4)
    z = found.logits.astype(np.float64)
    expected = np.exp(z) / np.exp(z).sum() if found.bias == 0 else 1 / (1 + np.exp(-z))
    np.testing.assert_allclose(found.probabilities, expected, rtol=1e-6)

    picture = found.picture
    patches, special = picture.patch_relevance, picture.special_tokens_mask
    assert patches.shape == tuple(picture.to_dict()["picture"][side] for side in ("rows", "columns"))
    assert patches.dtype == np.float32
    np.testing.assert_array_equal(patches.ravel(), picture.relevance[~np.array(special)])
    assert picture.ledger.closes and picture.labels == TEXTS

    best = int(found.logits.argmax())
    text = found.explanations[best]
    assert found.explanations[1 - best] is None and found.interactions[1 - best] is None
    assert text.words == TEXTS[best].split() and text.ledger.closes and text.patch_relevance is None
    assert found.word_interactions[best].shape == (patches.size, len(text.words))
    assert found.interactions[best].shape == (len(picture), len(text))
    assert found.word_interactions[1 - best] is None


def test_shares_of_a_difference_add_up(clip):
    found = clip.compare(PICTURES[0], TEXTS, target=1, against="a red cat")
    assert found.picture.target == "two squares-a red cat"
    shares = [text.target_value for text in found.explanations]
    assert sum(shares) == pytest.approx(found.picture.target_value, abs=1e-4)
    assert found.picture.target_value == pytest.approx(found.logits[1] - found.logits[0], abs=1e-4)


def test_several_pictures_are_compared_one_by_one(clip):
    told = []
    both = clip.compare(PICTURES, TEXTS, progress=told.append)
    assert both == [clip.compare(picture, TEXTS) for picture in map(str, PICTURES)]
    assert both[0] != both[1] and told[-1] == 2
    assert clip.compare([], TEXTS) == []
    assert clip.compare(PICTURES[0], "a red cat").texts == ["a red cat"]


def test_a_comparison_shows_itself(clip, tmp_path):
    found = clip.compare(PICTURES[0], TEXTS)
    shown = found._repr_html_()
    assert shown.startswith('<div class="relprop') and "data:image/png" in shown
    assert found.html().startswith("<!DOCTYPE html>")
    assert "cosine " in str(found) and "two squares" in str(found) and "\x1b" in found.ansi()
    assert repr(found).startswith("Comparison(")
    found.picture.save(tmp_path / "over.png")
    assert (tmp_path / "over.png").read_bytes().startswith(b"\x89PNG")
    # Its data travel, and the picture does not.
    with pytest.raises(NotImplementedError, match="not pickled with its picture"):
        pickle.dumps(found)
    read = relprop.Comparison.from_json(found.json())
    assert read == found and "data:image/png" not in read.html()
    assert pickle.loads(pickle.dumps(read)) == found


def test_an_explainer_is_asked_as_it_was_made():
    made = relprop.Explainer.from_pretrained(FIXTURES / "towers" / "clip", "libra", ledger=True, at="blocks,embeddings.word")
    found = made.compare(PICTURES[0], TEXTS)
    assert found.picture.rules == "libra" and found.picture.at == "blocks" and found.picture.ledger.closes
    assert {text.at for text in found.explanations if text is not None} == {"embeddings.word"}
    assert made.compare(PICTURES[0], TEXTS, rules="ah-ln", ledger=False).picture.ledger is None
    again = pickle.loads(pickle.dumps(made))
    assert again.compare(PICTURES[0], TEXTS) == found
    assert made.family == "clip" and made.labels == [] and made.sha256 == again.sha256


def test_either_tower_has_its_sites(clip, folder):
    of_picture, of_text = ([name for name, _ in clip.sites(tower)] for tower in ("picture", "text"))
    assert "embeddings.pixel" in of_picture and "embeddings.word" not in of_picture
    assert "embeddings.word" in of_text and "embeddings.pixel" not in of_text
    with pytest.raises(ValueError, match="name one"):
        clip.sites()
    with pytest.raises(ValueError, match="no two towers"):
        relprop.Explainer.from_pretrained(folder).sites("text")


def test_what_is_cut_off_a_text_is_said(clip):
    with pytest.warns(UserWarning, match="tokens were cut"):
        clip.compare(PICTURES[0], ["a red cat " * 100])
    with pytest.raises(ValueError, match="^text 2: .* tokens"):
        clip.compare(PICTURES[0], ["a red cat", "a red cat " * 100], truncation="refuse")


@pytest.mark.parametrize(
    ("texts", "keywords", "error", "message"),
    [
        ([], {}, ValueError, "text"),
        (TEXTS, {"target": "a dog"}, ValueError, "a red cat"),
        (TEXTS, {"against": 2}, ValueError, "2"),
        (TEXTS, {"score": "norm"}, ValueError, "norm"),
        (TEXTS, {"truncation": "windows"}, ValueError, "windows"),
        (TEXTS, {"at": "embeddings.word"}, ValueError, "embeddings.word"),
        (TEXTS, {"rules": "no-such"}, ValueError, "no-such"),
        (TEXTS, {"pairs": 1}, TypeError, "pairs is True or False"),
        (["a red cat", ""], {}, ValueError, "^text 2: "),
        (["a red cat", 7], {}, TypeError, "text 2 is 7"),
    ],
)
def test_a_comparison_that_does_not_fit_is_refused(clip, texts, keywords, error, message):
    with pytest.raises(error, match=message):
        clip.compare(PICTURES[0], texts, **keywords)


def test_files_that_are_no_pictures_are_refused(clip, tmp_path):
    with pytest.raises(FileNotFoundError, match="absent.png"):
        clip.compare(tmp_path / "absent.png", TEXTS)
    (tmp_path / "no.png").write_bytes(b"a text")
    with pytest.raises(ValueError, match="no.png: .*no PNG, JPEG, GIF"):
        clip.compare(tmp_path / "no.png", TEXTS)


@pytest.mark.parametrize(
    "ask",
    [
        lambda clip: clip("a red cat"),
        lambda clip: clip(images=PICTURES[0]),
        lambda clip: relprop.similar(clip, "a red cat", "two squares"),
        lambda clip: relprop.evaluate(clip, [("a red cat", 0)]),
        lambda clip: relprop.tune(clip, [("a red cat", 0)]),
    ],
)
def test_towers_are_not_asked_what_one_model_is(clip, ask):
    with pytest.raises(ValueError, match=r"two towers.*compare\("):
        ask(clip)


def test_one_model_is_not_asked_what_towers_are(explainer):
    with pytest.raises(ValueError, match="no two towers"):
        explainer.compare(PICTURES[0], TEXTS)
    with pytest.raises(ValueError, match="another method than propagation"):
        relprop.Explainer.from_pretrained(FIXTURES / "towers" / "clip", method="random")


class Saved:
    """Stands for a part of transformers that saves these files of a folder."""

    def __init__(self, *names):
        self.names = names

    def save_pretrained(self, folder):
        for name in self.names:
            shutil.copy(FIXTURES / "towers" / "clip" / name, folder)


def test_a_model_in_memory_brings_tokenizer_and_image_processor(clip):
    model = Saved("config.json", "model.safetensors")
    tokenizer, image_processor = Saved("tokenizer.json", "tokenizer_config.json"), Saved("preprocessor_config.json")
    processor = Saved(*tokenizer.names, *image_processor.names)
    pipe = SimpleNamespace(
        model=model, task="zero-shot-image-classification", tokenizer=tokenizer, image_processor=image_processor
    )
    expected = clip.compare(PICTURES[0], TEXTS)
    assert relprop.Explainer(model, processor).compare(PICTURES[0], TEXTS) == expected
    assert relprop.Explainer(pipe).compare(PICTURES[0], TEXTS) == expected
