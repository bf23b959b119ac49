"""Similarities of texts, and how faithful explanations are."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any, Literal

from . import _relprop
from ._explainer import Explainer
from ._progress import Progress, shown
from ._question import Rules
from ._relprop import Evaluation, RuleSet
from ._rules import rules as rule_set


def similar(
    model: Explainer | str | os.PathLike[str],
    first: str,
    others: str | Sequence[str],
    *,
    top: int = 10,
    measure: Literal["cosine", "dot"] = "cosine",
    pooling: Literal["mean", "first", "last"] | None = None,
    rules: Rules | None = None,
    at: str | None = None,
) -> Any:
    """Tells why texts are alike to a model that makes vectors of them.

    Parameters
    ----------
    model
        A sentence-transformers folder, or an explainer of one.
    first
        The text that is compared.
    others
        A second text; or several, of which the most similar are explained, the most similar first.
    top
        How many of several are explained.
    measure
        ``cosine``, or the product ``dot`` of the vectors.
    pooling
        How a text's vector is made of those of its tokens, in place of what the folder says.
    rules, at
        As in :class:`relprop.Explainer`.

    Returns
    -------
    Similarity, or a list of them

    Raises
    ------
    ValueError
        If the model makes no vectors, or a text cannot be read.
    """
    explainer = model if isinstance(model, Explainer) else Explainer.from_pretrained(model)
    compared: dict[str, Any] = {"measure": measure}
    if pooling is not None:
        compared["pooling"] = pooling
    if rules is not None:
        compared["rules"] = rule_set(rules).to_dict()
    if at is not None:
        compared["at"] = at
    several = [others] if isinstance(others, str) else list(others)
    found = [one for _, one in _relprop.similar(explainer._model, first, several, top, compared)]
    return found[0] if isinstance(others, str) else found


#: A file, ``reviews`` for the embedded corpus, texts, or texts with their labels.
Data = str | os.PathLike[str] | Sequence[str] | Sequence[tuple[str, str | int]]
Target = Literal["true", "predicted"]


def evaluate(
    model: Explainer | str | os.PathLike[str],
    data: Data,
    *,
    metrics: Sequence[str] | None = None,
    methods: Sequence[str] | None = None,
    evidence_column: str | None = None,
    answer_column: str | None = None,
    target: Target | str = "true",
    hops: int = 0,
    limit: int | None = None,
    seed: int = 0,
    progress: Progress = False,
) -> Evaluation:
    """Measures which explanation of a model is the most faithful.

    Parameters
    ----------
    model
        An explainer, or the folder of a model.
    data
        A ``.tsv``, ``.csv`` or ``.jsonl`` file with the columns ``text`` and ``label``; a ``.txt`` of trees from the
        Stanford Sentiment Treebank; ``reviews``, the embedded corpus; or a list of texts, or of pairs of a text and
        its label.
    metrics
        What to measure, or ``all`` that the data allow; ``auac``, ``aupc``, ``au-mse`` and ``srg`` by default.
    methods
        What to compare: presets, files that end in ``.toml``, and other methods; by default ``random``, the rules of
        the paper, and those that came after it.
    evidence_column
        The column of a file that says which words are evidence, for the metrics that need it.
    answer_column
        The column of a file that has the answer to each text, for a language model.
    target
        What is explained: the ``true`` label, or the answer; what the model has ``predicted``; or a target, as
        ``explain`` takes it.
    hops
        How often relevance on earlier text of an answer is passed on, at most.
    limit
        Take the first texts only.
    seed
        The seed of all random numbers.
    progress
        Whether to show a bar; or what is called with the number of texts that are done.

    Returns
    -------
    Evaluation
        The mean of each metric for each method, with its interval.

    Raises
    ------
    ValueError
        If a text has no label of the model, or a metric or method does not exist or does not fit.
    """
    explainer = model if isinstance(model, Explainer) else Explainer.from_pretrained(model)
    texts = _data(data, limit, seed, target)
    if evidence_column is not None:
        texts["evidence"] = evidence_column
    if answer_column is not None:
        texts["answer"] = answer_column
    if hops:
        texts["hops"] = hops
    with shown(progress, None) as done:
        return _relprop.evaluate(explainer._model, texts, metrics and list(metrics), methods and list(methods), done)


def tune(
    model: Explainer | str | os.PathLike[str],
    data: Data,
    *,
    start: Sequence[Rules] | None = None,
    tries: int = 60,
    limit: int = 300,
    min_words: int = 8,
    target: Target = "true",
    seed: int = 0,
    progress: Progress = False,
) -> RuleSet:
    """Searches for the rules that are the most faithful on a model and texts.

    Parameters
    ----------
    model
        An explainer, or the folder of a model.
    data
        As for :func:`evaluate`. A third of the texts that are taken is held out.
    start
        The rule sets that the search may start from; presets by default.
    tries
        Try at most this many rule sets.
    limit
        Take so many texts, drawn at random.
    min_words
        Take texts of at least so many words only.
    target, seed
        As for :func:`evaluate`.
    progress
        Whether to show a bar; or what is called with the number of rule sets that were tried.

    Returns
    -------
    RuleSet
        The best that was found; one of ``start`` if nothing was better. It goes wherever ``rules=`` is taken.
    """
    explainer = model if isinstance(model, Explainer) else Explainer.from_pretrained(model)
    if tries < 1:
        raise ValueError("tries must be 1 or more")
    if start is not None and not start:
        raise ValueError("a search needs rules to start from")
    starts = None if start is None else [rule_set(rules).to_dict() for rules in start]
    texts = _data(data, None, seed, target)
    with shown(progress, tries) as done:
        return _relprop.tune(explainer._model, texts, starts, tries, limit, min_words, done)


def _data(data: Any, limit: int | None, seed: int, target: Target | str) -> dict[str, Any]:
    """The texts, as the engine takes them."""
    asked: dict[str, Any] = {"seed": seed, "target": target}
    if limit is not None:
        asked["limit"] = limit
    if isinstance(data, (str, os.PathLike)):
        return asked | {"path": os.fspath(data)}
    rows = list(data)
    if all(isinstance(row, str) for row in rows):
        return asked | {"texts": rows}
    return asked | {"texts": [row[0] for row in rows], "labels": [str(row[1]) for row in rows]}
