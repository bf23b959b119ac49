"""Models of transformers that are in memory."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def in_memory(model: Any, tokenizer: Any) -> Iterator[str]:
    """A folder with the model as ``save_pretrained`` writes it, which is removed after it was read.

    Only ``save_pretrained`` knows which weights are one, and what they are called in files.
    """
    parts = [model, tokenizer]
    if hasattr(model, "model") and hasattr(model, "task"):
        # A pipeline. One for pictures and texts has both.
        own = [part for part in (model.tokenizer, getattr(model, "image_processor", None)) if part is not None]
        parts = [model.model, *(own or [None]), tokenizer]
    if not hasattr(parts[0], "save_pretrained"):
        raise TypeError(
            f"{type(model).__name__} is no pipeline or model of transformers: it has no save_pretrained"
        )
    if parts[1] is None and not hasattr(parts[0], "tokenize"):
        raise TypeError("a model in memory needs its tokenizer: Explainer(model, tokenizer)")
    with tempfile.TemporaryDirectory(prefix="relprop-") as folder:
        for part in parts:
            if part is not None:
                part.save_pretrained(folder)
        yield folder
