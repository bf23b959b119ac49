"""What a call is given, as the engine takes it."""

from __future__ import annotations

import os
from typing import Any


def folder_of(name: str | os.PathLike[str], revision: str | None) -> str:
    """The folder of a model, which is fetched if it is a name on the Hub."""
    folder = os.fspath(name)
    is_name = folder.count("/") <= 1 and not folder.startswith((".", "/", "~")) and "\\" not in folder
    if os.path.exists(folder) or not is_name:
        return folder
    try:
        from huggingface_hub import snapshot_download
    except ImportError:
        raise FileNotFoundError(
            f"there is no model folder {folder}; for a model of that name on the Hugging Face Hub, "
            "pip install huggingface_hub"
        ) from None
    patterns = ["*.json", "*.txt", "*.model", "*.jinja", "*.safetensors", "*/config.json"]
    found: str = snapshot_download(folder, revision=revision, allow_patterns=patterns)
    return found


def texts_of(texts: Any, images: Any, reads_pictures: bool) -> tuple[list[str], bool]:
    """What is explained, and whether it is one."""
    if (texts is None) == (images is None):
        raise TypeError("give texts, or images")
    if images is not None and not reads_pictures:
        raise ValueError("the model reads texts, not images")
    return one_or_several(texts if images is None else images)


def one_or_several(given: Any) -> tuple[list[str], bool]:
    """Texts, or names of files, and whether it is one."""
    if isinstance(given, (str, os.PathLike)):
        return [os.fspath(given)], True
    if isinstance(given, bytes):
        raise TypeError("a text is a str, not bytes")
    several = [os.fspath(one) if isinstance(one, os.PathLike) else one for one in given]
    for number, one in enumerate(several, 1):
        if not isinstance(one, str):
            raise TypeError(f"text {number} is {one!r}, not a str")
    return several, False


def seconds_of(second: Any, count: int, is_one: bool) -> tuple[list[str] | None, dict[str, str] | None]:
    """The second text of each text, and what the engine is told of it."""
    if second is None:
        return None, None
    if isinstance(second, str):
        return None, {"text": second}
    several = list(second)
    if is_one or len(several) != count:
        raise ValueError(f"there are {count} texts, and {len(several)} to go with them")
    return several, {"column": "second"}


def pair_of(second: dict[str, str] | None, query: str | None) -> dict[str, str] | None:
    """The text beside each text: after it, or before it."""
    if second is not None and query is not None:
        raise ValueError("`pair` does not go with `query`")
    return second if query is None else {"before": query}


def second_of_table(text: str | None, column: str | None) -> dict[str, str] | None:
    if text is not None and column is not None:
        raise ValueError("give one text for all rows, or a column")
    if column is not None:
        return {"column": column}
    return None if text is None else {"text": text}
