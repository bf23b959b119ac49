"""Keywords as what the engine is asked. What they mean, and which exclude each other, the engine knows."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any, Final, Literal, TypeAlias

from ._relprop import RuleSet
from ._rules import rules as rule_set

Rules: TypeAlias = "str | os.PathLike[str] | Mapping[str, Any] | RuleSet"
Score: TypeAlias = Literal["logit", "log-probability", "entropy", "norm"]
Truncation: TypeAlias = Literal["cut", "cut-start", "refuse", "windows"]
Parts: TypeAlias = Literal["entities", "tokens"]

#: What is on or off.
SWITCHES = frozenset(["ledger", "recompute", "chat", "several", "pairs"])


class _AsMade:
    """Stands for what an explainer was made with."""

    def __repr__(self) -> str:
        return "<as the explainer was made>"

    def __reduce__(self) -> str:
        return "AS_MADE"


AS_MADE: Final = _AsMade()

#: What only propagation can be asked.
PROPAGATION = ("rules", "at", "ledger", "recompute")


def question(**asked: Any) -> dict[str, Any]:
    """What is asked, without what was not given; rules as data."""
    given = {name: value for name, value in asked.items() if value is not AS_MADE and value is not None}
    for name in SWITCHES.intersection(given):
        if not isinstance(given[name], bool):
            raise TypeError(f"{name} is True or False, not {given[name]!r}")
    if "rules" in given:
        given["rules"] = rule_set(given["rules"]).to_dict()
    return given


def with_changes(made: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    """The question of an explainer, changed by that of a call.

    Another method takes the place of propagation with all that it was asked for, and rules take the place
    of another method.
    """
    kept = dict(made)
    if changes.get("method") not in (None, "lrp"):
        for name in PROPAGATION:
            kept.pop(name, None)
    elif "rules" in changes:
        kept.pop("method", None)
    return {**kept, **changes}


def request(asked: dict[str, Any]) -> dict[str, Any]:
    """The question in the words of the engine: names with hyphens, how tokens are drawn in one place."""
    drawn = {name: asked[name] for name in ("temperature", "top_k", "top_p") if name in asked}
    rest = {name: value for name, value in asked.items() if name not in drawn}
    if drawn:
        # The seed of drawing is the seed of the question.
        usual = {"temperature": 1.0, "top_k": None, "top_p": 1.0, "seed": asked.get("seed", 0)}
        rest["sampling"] = {**usual, **drawn}
    return {name.replace("_", "-"): value for name, value in rest.items()}


def comparison(asked: dict[str, Any]) -> dict[str, Any]:
    """The same of a picture and texts, where nothing is drawn."""
    return request({name: value for name, value in asked.items() if name != "seed"})
