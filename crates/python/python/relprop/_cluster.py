"""What Ray and Spark share: an explainer as a recipe, opened once a process."""

from __future__ import annotations

import os
import pickle
from functools import lru_cache
from typing import Any

from ._explainer import Explainer


def recipe(model: Explainer | str | os.PathLike[str], num_threads: int, made: dict[str, Any]) -> bytes:
    """The explainer as a recipe, with as many threads as a worker has cores."""
    if isinstance(model, Explainer):
        if made:
            raise TypeError(f"{', '.join(made)}: an explainer was made with these already")
        explainer = model
    else:
        explainer = Explainer.from_pretrained(model, **made)
    return pickle.dumps(explainer._with_threads(num_threads))


@lru_cache(maxsize=1)
def opened(recipe: bytes) -> Explainer:
    """The explainer of a recipe; a process that is asked again has it still.

    It refuses a folder with another model than the one that the recipe was made of.
    """
    explainer: Explainer = pickle.loads(recipe)
    return explainer


#: What an explainer is made with, and not what is asked of a table.
MADE = frozenset(["base", "revision", "device", "dtype"])


def divided(options: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """What an explainer is made with, and what is asked."""
    made = {name: value for name, value in options.items() if name in MADE}
    return made, {name: value for name, value in options.items() if name not in MADE}
