"""Rule sets, by whatever names them."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from ._relprop import RuleSet, presets

__all__ = ["presets", "rules"]


def rules(source: str | os.PathLike[str] | Mapping[str, Any] | RuleSet) -> RuleSet:
    """The rule set that ``source`` is.

    Parameters
    ----------
    source
        The name of a preset (:func:`relprop.presets` lists them), a file that ends in ``.toml``, a text in
        TOML, or a dict with the keys of the TOML: ``name``, and ``rules``, a list of dicts with ``site``,
        ``operation``, ``rule`` and ``parameters``.

    Returns
    -------
    RuleSet
        It goes wherever ``rules=`` is taken, and has ``to_toml()`` and ``to_dict()``.

    Raises
    ------
    ValueError
        If there is no such preset, or the rules are not understood.
    OSError
        If the file cannot be read.
    """
    if isinstance(source, RuleSet):
        return source
    if isinstance(source, Mapping):
        return RuleSet.from_dict(dict(source))
    name = os.fspath(source)
    if "\n" in name or "=" in name:
        return RuleSet.from_toml(name)
    return RuleSet.named(name)
