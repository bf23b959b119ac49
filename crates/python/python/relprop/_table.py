"""Tables of other libraries as Arrow streams."""

from __future__ import annotations

import os
from typing import Any


def batches_of(data: Any, batch_size: int) -> Any:
    """What gives the batches of ``data`` through the Arrow C stream interface, as they are asked for."""
    if isinstance(data, (str, os.PathLike)):
        import pyarrow.dataset

        return _scanned(pyarrow.dataset.dataset(os.fspath(data)), batch_size)
    if type(data).__module__.split(".")[0] == "datasets":
        return _of_datasets(data, batch_size)
    if hasattr(data, "__arrow_c_stream__"):
        return data
    if hasattr(data, "scanner"):
        return _scanned(data, batch_size)
    if hasattr(data, "to_reader"):
        return data.to_reader()
    if hasattr(data, "collect_batches"):
        return _of_lazy_frame(data, batch_size)
    if isinstance(data, dict):
        import pyarrow

        return pyarrow.table(data)
    raise TypeError(
        f"{type(data).__name__} gives no Arrow batches: give a table of pyarrow, polars, pandas or datasets, or "
        "the path of a Parquet file"
    )


def _scanned(dataset: Any, batch_size: int) -> Any:
    # A few batches ahead are enough: explaining takes longer than reading.
    return dataset.scanner(batch_size=batch_size, batch_readahead=1, fragment_readahead=1).to_reader()


def _of_datasets(data: Any, batch_size: int) -> Any:
    import pyarrow

    arrow = data.with_format("arrow")
    schema = data.features.arrow_schema
    tables = arrow.iter(batch_size=batch_size)
    batches = (batch for table in tables for batch in table.cast(schema).to_batches())
    return pyarrow.RecordBatchReader.from_batches(schema, batches)


def _of_lazy_frame(frame: Any, batch_size: int) -> Any:
    import pyarrow

    frames = iter(frame.collect_batches(chunk_size=batch_size))
    first = next(frames, None)
    if first is None:
        return frame.collect()
    schema = first.to_arrow().schema

    def batches() -> Any:
        yield from first.to_arrow().to_batches()
        for part in frames:
            yield from part.to_arrow().cast(schema).to_batches()

    return pyarrow.RecordBatchReader.from_batches(schema, batches())
