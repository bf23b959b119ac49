"""Progress, where it is asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

#: Whether to show a bar, or what is called with the number of texts that are done.
Progress = bool | Callable[[int], object]


@contextmanager
def shown(progress: Progress, total: int | None) -> Iterator[Callable[[int], object] | None]:
    """What the engine calls with the number of texts that are done."""
    if callable(progress):
        yield progress
        return
    if not progress:
        yield None
        return
    with bar(total) as update:
        yield update


@contextmanager
def bar(total: int | None) -> Iterator[Callable[[int], object] | None]:
    """A bar of tqdm, if it is installed."""
    try:
        from tqdm.auto import tqdm
    except ImportError:
        yield None
        return
    with tqdm(total=total, unit="text") as line:
        yield lambda done: line.update(done - line.n)
