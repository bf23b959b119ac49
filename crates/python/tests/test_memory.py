"""Models of transformers that are in memory, right after they were made."""

from __future__ import annotations

import pickle

import numpy as np
import pytest

import relprop

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")

TEXTS = ["a warm , funny film", "the plot is not very good"]


@pytest.fixture(scope="module")
def pair(folder):
    """A model and its tokenizer, one of whose weights is no longer that of any file."""
    model = transformers.AutoModelForSequenceClassification.from_pretrained(folder)
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    with torch.no_grad():
        model.classifier.bias += torch.tensor([0.5, -0.25])
    return model, tokenizer


def test_a_model_in_memory_is_explained_as_if_it_were_saved(pair, folder, explainer, tmp_path):
    model, tokenizer = pair
    ours = relprop.Explainer(model, tokenizer, rules="libra", ledger=True)
    model.save_pretrained(tmp_path)
    tokenizer.save_pretrained(tmp_path)
    saved = relprop.Explainer.from_pretrained(tmp_path, rules="libra", ledger=True)
    assert ours(TEXTS) == saved(TEXTS)
    assert ours.labels == ["negative", "positive"]
    with torch.no_grad():
        logits = model(**tokenizer(TEXTS, return_tensors="pt", padding=True)).logits.numpy()
    np.testing.assert_allclose([one.logits for one in ours(TEXTS)], logits, atol=2e-5)
    unchanged = explainer(TEXTS[0]).logits
    np.testing.assert_allclose(ours(TEXTS[0]).logits, unchanged + np.array([0.5, -0.25]), atol=2e-5)


def test_a_pipeline_brings_its_tokenizer(pair):
    model, tokenizer = pair
    pipe = transformers.pipeline("text-classification", model=model, tokenizer=tokenizer)
    ours = relprop.Explainer(pipe)
    assert ours(TEXTS) == relprop.Explainer(model, tokenizer)(TEXTS)
    assert [one.prediction for one in ours(TEXTS)] == [one["label"] for one in pipe(TEXTS)]
    for one, theirs in zip(ours(TEXTS), pipe(TEXTS)):
        assert one.probability == pytest.approx(theirs["score"], abs=1e-5)


def test_a_language_model_in_memory_is_explained(writer):
    model = transformers.AutoModelForCausalLM.from_pretrained(writer)
    tokenizer = transformers.AutoTokenizer.from_pretrained(writer)
    ours = relprop.Explainer(model, tokenizer)
    assert ours("a film").logits.shape == (10,)
    saved = relprop.Explainer.from_pretrained(writer)
    np.testing.assert_allclose(ours("a film").relevance, saved("a film").relevance, atol=1e-5)


def test_what_is_no_model_of_transformers_is_refused(pair):
    model, _ = pair
    with pytest.raises(TypeError, match="needs its tokenizer"):
        relprop.Explainer(model)
    with pytest.raises(TypeError, match="no save_pretrained"):
        relprop.Explainer(torch.nn.Linear(2, 2))
    with pytest.raises(TypeError, match="save the model"):
        pickle.dumps(relprop.Explainer(*pair))
