"""Explanations as shap and captum show them."""

from __future__ import annotations

import numpy as np
import pytest

TEXTS = ["a warm , funny film", "the plot is not very good"]


def test_shap_draws_an_explanation(explainer):
    shap = pytest.importorskip("shap")
    one = explainer(TEXTS[0])
    words = one.to_shap()
    assert isinstance(words, shap.Explanation)
    np.testing.assert_allclose(words.values, one.word_relevance, atol=1e-7)
    # A plot starts at the base value and ends at the target.
    assert float(words.base_values + words.values.sum()) == pytest.approx(one.target_value, abs=1e-5)
    page = shap.plots.text(words, display=False)
    assert all(word in page for word in one.words)
    tokens = one.to_shap(by="tokens")
    assert list(tokens.data) == one.tokens and len(tokens.values) == len(one)
    with pytest.raises(ValueError, match="words or tokens"):
        one.to_shap(by="letters")


def test_captum_shows_an_explanation(explainer):
    visualization = pytest.importorskip("captum.attr").visualization
    one = explainer(TEXTS[0])
    record = one.to_captum(true_class="positive")
    assert isinstance(record, visualization.VisualizationDataRecord)
    assert record.raw_input_ids == one.tokens and record.pred_class == one.prediction
    assert np.abs(record.word_attributions).max() == pytest.approx(1.0)
    assert record.attr_score + record.convergence_score == pytest.approx(one.target_value, abs=1e-5)
    shown = visualization.visualize_text([record])
    assert "funny" in shown.data


def test_without_them_it_says_so(explainer, monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, "shap", None)
    with pytest.raises(ImportError):
        explainer(TEXTS[0]).to_shap()
