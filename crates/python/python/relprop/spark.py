"""Explains a Spark DataFrame on a cluster.

>>> import relprop.spark
>>> frame = spark.read.parquet("s3://bucket/reviews")
>>> relprop.spark.explain(frame, "/shared/my-model").write.parquet("s3://bucket/out")

Every worker needs relprop, and the model at the same path.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from typing import Any

import pyarrow
from pyspark.sql import DataFrame
from pyspark.sql.pandas.types import from_arrow_schema, to_arrow_schema

from ._cluster import divided, opened, recipe
from ._explainer import Explainer

__all__ = ["explain"]

Batches = Iterator[pyarrow.RecordBatch]


def explain(
    frame: DataFrame,
    model: Explainer | str | os.PathLike[str],
    column: str | None = None,
    *,
    batch_size: int = 1024,
    errors: str = "column",
    **asked: Any,
) -> DataFrame:
    """Explains the texts of a DataFrame. Nothing is computed until the result is read.

    Each row comes out once, whatever becomes of the workers: explaining has no side effects, so Spark does what a
    lost worker had not finished again elsewhere. The numbers are those of one process. Rows have no order in
    Spark: keep a column that names them.

    Parameters
    ----------
    frame
        Rows with a column of texts.
    model
        An explainer that was made by ``from_pretrained``, or a folder, which every worker has at the same path. A
        worker that finds another model there refuses it.
    column
        The column of the texts; ``text`` or ``sentence`` by default.
    batch_size
        How many rows a worker explains, and holds in memory, at a time.
    errors
        What becomes of a row that cannot be explained: ``column``, ``skip`` or ``raise``, as in
        :meth:`relprop.Explainer.table`. An error that is raised ends the whole run.
    **asked
        What is asked, as in :meth:`relprop.Explainer.table`; and of a folder also ``device``, ``dtype``, ``base``.

    Returns
    -------
    DataFrame
        The columns of :meth:`relprop.Explainer.table`. A worker process opens the model once, and has as many
        threads as ``spark.task.cpus`` says.
    """
    made, asked = divided(asked)
    cores = int(frame.sparkSession.conf.get("spark.task.cpus", "1") or 1)
    pickled = recipe(model, cores, made)
    given = to_arrow_schema(frame.schema)
    nothing = opened(pickled).table(given.empty_table(), column, errors=errors, **asked)
    return frame.mapInArrow(
        _explains(pickled, column, given, batch_size, errors, asked), from_arrow_schema(nothing.schema)
    )


def _explains(
    pickled: bytes,
    column: str | None,
    schema: pyarrow.Schema,
    batch_size: int,
    errors: str,
    asked: dict[str, Any],
) -> Callable[[Batches], Batches]:
    """What a worker does with its batches."""

    def explained(batches: Batches) -> Batches:
        reader = pyarrow.RecordBatchReader.from_batches(schema, (batch.cast(schema) for batch in batches))
        yield from opened(pickled).table(reader, column, batch_size=batch_size, errors=errors, **asked)

    return explained
