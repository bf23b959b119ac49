"""Ray and Spark explain a table on two workers, one of which is killed in the middle.

These tests start clusters of processes: ``pytest -m cluster``.
"""

from __future__ import annotations

import os
import shutil
import signal
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pyarrow
import pyarrow.parquet
import pytest

import relprop
from models import bert, sentences

pytestmark = pytest.mark.cluster

ROWS = 10_000
BAD = 4321


@pytest.fixture(scope="module")
def table():
    """Sentences by number, one of which is none."""
    texts: list[str | None] = sentences(ROWS, seed=11)
    texts[BAD] = None
    return pyarrow.table({"id": range(ROWS), "text": texts})


@pytest.fixture(scope="module")
def expected(explainer, table):
    return relevance(explainer.table(table).to_pyarrow())


def relevance(found: pyarrow.Table) -> list[list[float] | None]:
    """The relevance of each row's tokens, in the order of the rows' numbers."""
    rows = found.sort_by("id")["tokens"].to_pylist()
    return [row and [token["relevance"] for token in row] for row in rows]


def check(found: pyarrow.Table, expected: list[list[float] | None]) -> None:
    """Every row is there once, with the numbers of one process; the bad one says why it is."""
    assert sorted(found["id"].to_pylist()) == list(range(ROWS))
    errors = dict(zip(found["id"].to_pylist(), found["error"].to_pylist()))
    assert {row: error for row, error in errors.items() if error} == {BAD: "the row has no text"}
    numbers = relevance(found)
    assert numbers[BAD] is None and expected[BAD] is None
    largest = max(abs(number) for row in expected if row for number in row)
    for ours, theirs in zip(numbers, expected, strict=True):
        if theirs:
            np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-6 * largest)


def processes(*words: str) -> set[int]:
    """The processes of this machine whose command has all these words."""
    found = set()
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                command = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            except OSError:
                continue
            if all(word in command for word in words):
                found.add(int(entry.name))
    return found


# Ray.


@pytest.fixture(scope="module")
def ray():
    ray = pytest.importorskip("ray")
    pytest.importorskip("ray.data")
    ray.init(num_cpus=3, include_dashboard=False, log_to_driver=False, object_store_memory=500_000_000)
    yield ray
    ray.shutdown()


def test_ray_loses_no_row_with_a_worker(ray, table, expected, folder):
    import relprop.ray

    # Both workers are there before the first row is explained.
    ray.data.DataContext.get_current().wait_for_min_actors_s = 60
    data = ray.data.from_arrow(table).repartition(40)
    explained = relprop.ray.explain(data, folder, concurrency=2, batch_size=64, keep_order=True)
    batches, killed = [], None
    for batch in explained.iter_batches(batch_format="pyarrow", batch_size=256):
        batches.append(batch)
        if killed is None:
            workers = processes("ray::", "MapWorker")
            assert len(workers) == 2
            killed = workers.pop()
            os.kill(killed, signal.SIGKILL)
    assert killed not in processes("ray::")
    found = pyarrow.concat_tables(batches)
    check(found, expected)
    assert found["id"].to_pylist() == list(range(ROWS)), "in order"


def test_ray_refuses_what_would_wait_for_ever(ray, table, folder):
    import relprop.ray

    with pytest.raises(ValueError, match="more than the 3 cores"):
        relprop.ray.explain(ray.data.from_arrow(table), folder, concurrency=3)
    with pytest.raises(ValueError, match="no target `happy`"):
        relprop.ray.explain(ray.data.from_arrow(table), folder, target="happy")


def test_ray_refuses_another_model(ray, table, folder, tmp_path):
    import relprop.ray

    here = tmp_path / "model"
    shutil.copytree(folder, here)
    explained = relprop.ray.explain(ray.data.from_arrow(table.slice(0, 50)), here)
    bert(here, seed=5)
    with pytest.raises(Exception, match="another model"):
        explained.materialize()


# Spark.


@pytest.fixture(scope="module")
def spark():
    pytest.importorskip("pyspark")
    if not shutil.which("java"):
        pytest.skip("Spark needs Java")
    from pyspark.sql import SparkSession

    os.environ["PYSPARK_PYTHON"] = sys.executable
    # One worker in a process of its own each; local[2] does not try again what failed.
    builder = SparkSession.builder.master("local-cluster[2,1,1024]").appName("relprop")
    for name, value in {
        "spark.ui.enabled": "false",
        "spark.sql.execution.arrow.maxRecordsPerBatch": "64",
        "spark.sql.shuffle.partitions": "8",
        "spark.driver.host": "127.0.0.1",
    }.items():
        builder = builder.config(name, value)
    session = builder.getOrCreate()
    yield session
    session.stop()


def test_spark_loses_no_row_with_a_worker(spark, table, expected, folder, tmp_path):
    import relprop.spark

    pyarrow.parquet.write_table(table, tmp_path / "in.parquet")
    frame = spark.read.parquet(str(tmp_path / "in.parquet")).repartition(20)
    explained = relprop.spark.explain(frame, folder, batch_size=64)
    killed = []

    def kill():
        # The processes with Python that a worker has: forked from its daemon.
        until = time.monotonic() + 60
        while not killed and time.monotonic() < until:
            workers = processes("pyspark.daemon", "pyspark/daemon") or processes("pyspark.daemon")
            if len(workers) >= 3:
                time.sleep(1)
                victim = max(processes("pyspark.daemon"))
                os.kill(victim, signal.SIGKILL)
                killed.append(victim)
            time.sleep(0.05)

    killing = threading.Thread(target=kill)
    killing.start()
    out = tmp_path / "out.parquet"
    explained.write.parquet(str(out))
    killing.join()
    assert killed, "a worker was killed"
    check(pyarrow.parquet.read_table(out), expected)
    assert explained.schema.fieldNames()[:2] == ["id", "text"]


def test_spark_refuses_another_model(spark, table, folder, tmp_path):
    import relprop.spark

    here = tmp_path / "model"
    shutil.copytree(folder, here)
    frame = spark.createDataFrame(table.slice(0, 50).to_pandas())
    explained = relprop.spark.explain(frame, here)
    with pytest.raises(ValueError, match="no target `happy`"):
        relprop.spark.explain(frame, here, target="happy")
    bert(here, seed=5)
    with pytest.raises(Exception, match="another model"):
        explained.collect()


def test_a_model_in_memory_is_not_sent(ray, table, explainer):
    import relprop.ray

    other = explainer._with_threads(1)
    other._recipe = None
    with pytest.raises(TypeError, match="save the model"):
        relprop.ray.explain(ray.data.from_arrow(table), other)
    assert isinstance(other, relprop.Explainer)
