"""Explanations as objects of other libraries, which are imported only here."""

from __future__ import annotations

from typing import Any

import numpy as np

from ._relprop import Explanation


def to_shap(explanation: Explanation, by: str = "words") -> Any:
    """A ``shap.Explanation``; see :meth:`Explanation.to_shap`."""
    import shap

    if by not in ("words", "tokens"):
        raise ValueError(f"by={by!r}: give words or tokens")
    words = by == "words"
    values = explanation.word_relevance if words else explanation.relevance
    pieces = explanation.words if words else explanation.tokens
    if words:
        # shap's text plot sets them one after another.
        pieces = [piece + " " for piece in pieces]
    base = float(explanation.target_value) - float(values.sum(dtype=np.float64))
    return shap.Explanation(
        values=values.astype(np.float64),
        base_values=base,
        data=np.array(pieces, dtype=object),
        feature_names=pieces,
    )


def to_captum(explanation: Explanation, true_class: str | None = None) -> Any:
    """A ``VisualizationDataRecord``; see :meth:`Explanation.to_captum`."""
    from captum.attr import visualization

    relevance = explanation.relevance
    largest = float(np.abs(relevance).max(initial=0.0)) or 1.0
    return visualization.VisualizationDataRecord(
        word_attributions=relevance / largest,
        pred_prob=explanation.probability if explanation.probability is not None else float("nan"),
        pred_class=explanation.prediction,
        true_class=explanation.prediction if true_class is None else true_class,
        attr_class=explanation.target,
        attr_score=float(explanation.total),
        raw_input_ids=explanation.tokens,
        convergence_score=float(explanation.target_value) - float(explanation.total),
    )
