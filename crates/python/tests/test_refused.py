"""What cannot be done is refused, with the library's sentence and an exception that fits."""

from __future__ import annotations

import shutil

import pytest

import relprop

TEXT = "a warm , funny film"


@pytest.mark.parametrize(
    ("keywords", "error", "message"),
    [
        ({"target": "happy"}, ValueError, "there is no target `happy`"),
        ({"target": 2}, ValueError, "there is no target `2`"),
        ({"rules": "no-such"}, ValueError, "no-such"),
        ({"rules": "no-such.toml"}, FileNotFoundError, "no-such.toml"),
        ({"rules": {"name": "mine"}}, ValueError, "rules"),
        ({"rules": "name = 1"}, ValueError, "name"),
        ({"method": "no-such"}, ValueError, "there is no method `no-such`"),
        ({"method": "ah-ln"}, ValueError, "rule set"),
        ({"method": "random", "ledger": True}, ValueError, "ledger"),
        ({"at": "nowhere"}, ValueError, "nowhere"),
        ({"score": "odds"}, ValueError, "odds"),
        ({"generate": 3}, ValueError, "does not go on"),
        ({"answer": " film"}, ValueError, "does not go on"),
        ({"position": 1}, ValueError, "position"),
        ({"answer": "a", "pair": "b"}, ValueError, "`answer` does not go with `pair`"),
        ({"pair": ["a", "b"]}, ValueError, "1 texts, and 2"),
        ({"recompute": True, "ledger": True}, ValueError, "ledger"),
        ({"chat": True}, ValueError, "chat template"),
        ({"colour": 1}, TypeError, "colour"),
        ({"ledger": "yes"}, TypeError, "ledger is True or False"),
    ],
)
def test_a_question_that_does_not_fit_is_refused(explainer, keywords, error, message):
    with pytest.raises(error, match=message):
        explainer(TEXT, **keywords)


def test_wrong_texts_are_refused(explainer):
    with pytest.raises(ValueError, match="^text 2: "):
        explainer([TEXT, ""])
    with pytest.raises(ValueError, match="^(?!text)"):
        explainer("")
    with pytest.raises(TypeError, match="text 2 is 7"):
        explainer([TEXT, 7])
    with pytest.raises(TypeError, match="not bytes"):
        explainer(b"a film")
    with pytest.raises(TypeError, match="give texts"):
        explainer()
    with pytest.raises(ValueError, match="reads texts"):
        explainer(images="a.png")
    assert explainer([]) == []
    with pytest.raises(ValueError, match="102 tokens"):
        explainer("film " * 100, truncation="refuse")
    assert explainer("film " * 100).dropped_tokens == 38


def test_wrong_models_are_refused(tmp_path, folder):
    with pytest.raises(FileNotFoundError, match="no-such"):
        relprop.Explainer.from_pretrained(tmp_path / "no-such")
    (tmp_path / "empty").mkdir()
    with pytest.raises(FileNotFoundError, match="config.json"):
        relprop.Explainer.from_pretrained(tmp_path / "empty")
    shutil.copytree(folder, tmp_path / "broken")
    (tmp_path / "broken" / "config.json").write_text("{")
    with pytest.raises(relprop.ModelError, match="config.json"):
        relprop.Explainer.from_pretrained(tmp_path / "broken")
    with pytest.raises(ValueError, match="there is no device `tpu`"):
        relprop.Explainer.from_pretrained(folder, device="tpu")
    with pytest.raises(relprop.DeviceError, match="cuda"):
        relprop.Explainer.from_pretrained(folder, device="cuda")
    with pytest.raises(ValueError, match="f64, f32, f16 and bf16"):
        relprop.Explainer.from_pretrained(folder, dtype="int8")
    with pytest.raises(ValueError, match="nowhere"):
        relprop.Explainer.from_pretrained(folder, at="nowhere")
    with pytest.raises(TypeError, match="from_pretrained"):
        relprop.Explainer(str(folder))
    with pytest.raises(TypeError, match="save_pretrained"):
        relprop.Explainer(object())


def test_help_says_what_every_parameter_is():
    import inspect

    for function in [relprop.Explainer, relprop.Explainer.__call__, relprop.Explainer.from_pretrained,
                     relprop.Explainer.compare, relprop.Explainer.table, relprop.similar, relprop.evaluate, relprop.tune,
                     relprop.rules]:
        words = function.__doc__
        for name in inspect.signature(function).parameters:
            assert name == "self" or name in words, f"{function.__qualname__} does not say what {name} is"
    for name in relprop.__all__:
        assert getattr(relprop, name).__doc__, name
    for shown in [relprop.Explanation, relprop.Comparison, relprop.Similarity]:
        for name, member in vars(shown).items():
            assert name.startswith("__") or name == "_repr_html_" or member.__doc__, f"{shown.__name__}.{name}"
