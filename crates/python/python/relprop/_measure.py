"""Similarities of texts and pictures, and how faithful explanations are."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any, Literal

from . import _relprop
from ._explainer import Explainer
from ._given import one_or_several
from ._progress import Progress, shown
from ._question import Rules
from ._relprop import Evaluation, RuleSet
from ._rules import rules as rule_set


def similar(
    model: Explainer | str | os.PathLike[str],
    first: str | os.PathLike[str],
    others: str | os.PathLike[str] | Sequence[str | os.PathLike[str]],
    *,
    top: int = 10,
    measure: Literal["cosine", "dot"] = "cosine",
    pooling: Literal["mean", "first", "last"] | None = None,
    rules: Rules | None = None,
    at: str | None = None,
    ledger: bool = False,
) -> Any:
    """Tells why texts, or pictures, are alike to a model that makes vectors of them.

    Parameters
    ----------
    model
        A sentence-transformers folder, or one of a model that makes vectors of pictures; or an explainer of one.
    first
        The text that is compared; for a model that reads pictures, the path of a picture file.
    others
        A second one; or several, of which the most similar are explained, the most similar first.
    top
        How many of several are explained.
    measure
        ``cosine``, or the product ``dot`` of the vectors.
    pooling
        How a vector is made of those of the tokens, in place of what the folder says; the mean of a picture is that of its
        patches.
    rules, at
        As in :class:`relprop.Explainer`.
    ledger
        Whether either side accounts for the whole measure.

    Returns
    -------
    Similarity, or a list of them

    Raises
    ------
    OSError
        If a picture cannot be read.
    ValueError
        If the model makes no vectors, or a text cannot be read.
    """
    explainer = model if isinstance(model, Explainer) else Explainer.from_pretrained(model)
    compared: dict[str, Any] = {"measure": measure, "ledger": ledger}
    if pooling is not None:
        compared["pooling"] = pooling
    if rules is not None:
        compared["rules"] = rule_set(rules).to_dict()
    if at is not None:
        compared["at"] = at
    several, is_one = one_or_several(others)
    found = [one for _, one in _relprop.similar(explainer._model, os.fspath(first), several, top, compared)]
    return found[0] if is_one else found


#: A file, ``reviews`` for the embedded corpus, texts, or texts with their labels.
Data = str | os.PathLike[str] | Sequence[str] | Sequence[tuple[str, str | int]]
Target = Literal["true", "predicted"]
#: What decides the label of a text: a piece of it, its start and end in characters, or a list of these.
Evidence = str | tuple[int, int] | Sequence[str | tuple[int, int]] | None


def evaluate(
    model: Explainer | str | os.PathLike[str],
    data: Data,
    *,
    metrics: Sequence[str] | None = None,
    methods: Sequence[str] | None = None,
    pair: str | Sequence[str] | None = None,
    answer: str | Sequence[str] | None = None,
    evidence: Sequence[Evidence] | None = None,
    pair_column: str | None = None,
    answer_column: str | None = None,
    evidence_column: str | None = None,
    hide: Literal["mean", "blur"] = "mean",
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
        Stanford Sentiment Treebank; ``reviews`` or ``needles``, the embedded corpora; or a list of texts, or of pairs of a
        text and its label. For a model that reads pictures, a folder with a folder of pictures for each label; a file
        with the columns ``picture`` and ``label``; or a list of paths of picture files, with or without labels.
    metrics
        What to measure, or ``all`` that the data allow; ``auac``, ``aupc``, ``au-mse`` and ``srg`` by default.
    methods
        What to compare: presets, files that end in ``.toml``, and other methods; by default ``random``, the rules of
        the paper, and those that came after it.
    pair
        What the model reads after each text of a list, hypotheses, passages, contexts: one for all, or one for each.
    answer
        The answer to each text of a list, for a language model, with the space before it; for a model that finds answers,
        what stands in the second text. One for all, or one for each.
    evidence
        What decides the label of each text of a list, for the metrics that need it: a piece of the text, the places
        ``(start, end)`` of its characters, a list of these, or None. With ``pair``, it stands in the second text.
    pair_column, answer_column, evidence_column
        The columns of a file that say the same of its rows. Of a picture, evidence is a box ``x0,y0,x1,y1`` in pixels,
        several with ``;`` between them, or a file that is black outside of what decides.
    hide
        What stands in the place of a patch that is hidden: ``mean``, zeros, or ``blur``, the patch of the blurred picture.
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
    columns = {"pair": pair_column, "answer": answer_column, "evidence": evidence_column}
    beside = {"pair": pair, "answer": answer, "evidence": evidence}
    asked = _data(data, limit, seed, target, columns, beside) | {"hide": hide, "hops": hops}
    with shown(progress, None) as done:
        return _relprop.evaluate(explainer._model, asked, metrics and list(metrics), methods and list(methods), done)


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
    texts = _data(data, None, seed, target, {}, {})
    with shown(progress, tries) as done:
        return _relprop.tune(explainer._model, texts, starts, tries, limit, min_words, done)


def _data(
    data: Any,
    limit: int | None,
    seed: int,
    target: Target | str,
    columns: dict[str, str | None],
    beside: dict[str, Any],
) -> dict[str, Any]:
    """What is measured, as the engine takes it: a file and its columns, or rows with what stands beside each text."""
    asked: dict[str, Any] = {"seed": seed, "target": target}
    if limit is not None:
        asked["limit"] = limit
    named = {name: column for name, column in columns.items() if column is not None}
    given = {name: value for name, value in beside.items() if value is not None}
    if isinstance(data, (str, os.PathLike)):
        for name in given:
            raise ValueError(f"`{name}` goes with a list of texts: of a file, name the column with `{name}_column`")
        return asked | {"path": os.fspath(data), "columns": named}
    for name in named:
        raise ValueError(f"`{name}_column` is of a file: beside a list of texts, give `{name}`")
    rows = [_row(row) for row in data]
    for name, value in given.items():
        of_all = isinstance(value, str) and name != "evidence"
        several = [value] * len(rows) if of_all else list(value)
        if len(several) != len(rows):
            raise ValueError(f"there are {len(rows)} texts, and {len(several)} of `{name}` to go with them")
        for row, one in zip(rows, several):
            row[name] = one
    return asked | {"rows": rows}


def _row(given: Any) -> dict[str, Any]:
    """A text, or a text and its label."""
    if isinstance(given, (str, os.PathLike)):
        return {"text": os.fspath(given)}
    text, label = given
    return {"text": os.fspath(text), "label": str(label)}
