"""Explains a Ray Data dataset on a cluster.

>>> import ray, relprop.ray
>>> dataset = ray.data.read_parquet("s3://bucket/reviews")
>>> relprop.ray.explain(dataset, "/shared/my-model", num_cpus=4, concurrency=(1, 8)).write_parquet("s3://bucket/out")

Every worker needs relprop, and the model at the same path.
"""

from __future__ import annotations

import os
from typing import Any

import pyarrow
import ray
import ray.data

from ._cluster import divided, opened, recipe
from ._explainer import Explainer

__all__ = ["explain"]


class _Actor:
    """Explains batches. It opens the model once."""

    def __init__(self, recipe: bytes, column: str | None, errors: str, asked: dict[str, Any]) -> None:
        self.explainer = opened(recipe)
        self.column, self.errors, self.asked = column, errors, asked

    def __call__(self, batch: pyarrow.Table) -> pyarrow.Table:
        return self.explainer.table(batch, self.column, errors=self.errors, **self.asked).to_pyarrow()


def explain(
    dataset: ray.data.Dataset,
    model: Explainer | str | os.PathLike[str],
    column: str | None = None,
    *,
    num_cpus: int = 1,
    num_gpus: float | None = None,
    concurrency: int | tuple[int, int] | None = None,
    batch_size: int = 1024,
    errors: str = "column",
    keep_order: bool = False,
    **asked: Any,
) -> ray.data.Dataset:
    """Explains the texts of a dataset. Nothing is computed until the result is read.

    Each row comes out once, whatever becomes of the workers: explaining has no side effects, so Ray does what a
    lost worker had not finished again elsewhere. The numbers are those of one process.

    Parameters
    ----------
    dataset
        Rows with a column of texts.
    model
        An explainer that was made by ``from_pretrained``, or a folder, which every worker has at the same path. A
        worker that finds another model there refuses it.
    column
        The column of the texts; ``text`` or ``sentence`` by default.
    num_cpus
        How many cores a worker has, and threads. Each worker holds the model: better few with many cores.
    num_gpus
        How many cards a worker has.
    concurrency
        How many workers there are, or the least and the most; by default one and as many as the cluster has room
        for.
    batch_size
        How many rows a worker explains at a time; a lost worker loses at most these.
    errors
        What becomes of a row that cannot be explained: ``column``, ``skip`` or ``raise``, as in
        :meth:`relprop.Explainer.table`. An error that is raised ends the whole run.
    keep_order
        Whether rows stay in order. It may take longer.
    **asked
        What is asked, as in :meth:`relprop.Explainer.table`; and of a folder also ``device``, ``dtype``, ``base``.

    Returns
    -------
    ray.data.Dataset
        The columns of :meth:`relprop.Explainer.table`.

    Raises
    ------
    ValueError
        If the cluster has too few cores, so that Ray would wait for ever; and as the explainer does.
    """
    cores = int(ray.cluster_resources().get("CPU", 0)) if ray.is_initialized() else os.cpu_count() or 1
    # Reading the dataset needs a core beside the workers.
    room = (cores - 1) // num_cpus
    least, most = (concurrency, concurrency) if isinstance(concurrency, int) else concurrency or (1, max(room, 1))
    if least > room:
        raise ValueError(
            f"{least} workers with {num_cpus} cores each, and one core to read with, are more than the {cores} cores of "
            "the cluster: ask for fewer"
        )
    made, asked = divided(asked)
    arguments = (recipe(model, num_cpus, made), column, errors, asked)
    # What does not fit is refused here, not on a worker.
    nothing = pyarrow.table({name: pyarrow.array([], pyarrow.string()) for name in _texts_in(column, asked)})
    opened(arguments[0]).table(nothing, column, errors=errors, **asked)
    explained = dataset.map_batches(
        _Actor,
        fn_constructor_args=arguments,
        batch_format="pyarrow",
        batch_size=batch_size,
        num_cpus=num_cpus,
        num_gpus=num_gpus,
        compute=ray.data.ActorPoolStrategy(min_size=least, max_size=max(most, least)),
    )
    if keep_order:
        explained.context.execution_options.preserve_order = True
    return explained


def _texts_in(column: str | None, asked: dict[str, Any]) -> list[str]:
    """The columns that hold texts."""
    named = [asked.get("pair_column"), asked.get("answer_column")]
    return [column or "text", *(name for name in named if name is not None)]
