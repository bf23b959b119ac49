"""Explains the decisions of Transformers by relevance propagation.

>>> explainer = relprop.Explainer.from_pretrained("my-model")
>>> explanation = explainer("a warm , funny film")
>>> explanation.words, explanation.word_relevance

A notebook shows an explanation as a heat map. ``explainer.table`` explains the texts of a table,
:mod:`relprop.ray` and :mod:`relprop.spark` those of a table that one machine cannot hold.
"""

from ._explainer import Explainer
from ._measure import evaluate, similar, tune
from ._relprop import (
    Comparison,
    Continuation,
    DeviceError,
    Evaluation,
    Explanation,
    Labelling,
    Ledger,
    ModelError,
    RuleSet,
    Similarity,
    Table,
    ZeroShot,
    devices,
    version,
)
from ._rules import presets, rules

__version__ = version()

__all__ = [
    "Comparison",
    "Continuation",
    "DeviceError",
    "Evaluation",
    "Explainer",
    "Explanation",
    "Labelling",
    "Ledger",
    "ModelError",
    "RuleSet",
    "Similarity",
    "Table",
    "ZeroShot",
    "devices",
    "evaluate",
    "presets",
    "rules",
    "similar",
    "tune",
]
