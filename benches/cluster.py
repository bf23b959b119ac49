"""How many rows a second Ray and Spark explain on one worker and on two, each with one core.

    pip install relprop ray[data] pyspark pyarrow          (Spark needs Java 17)
    python cluster.py MODEL FILE.tsv COLUMN [--copies 4] [--batch 1024]

A table of the texts in a column, several times over, is explained to its end; each line is one run, after one that
starts the workers. Beside it stands one process of relprop with one thread.
"""

import argparse
import os
import sys
import tempfile
import time

import pyarrow
import pyarrow.csv
import pyarrow.parquet

import relprop


def say(name, rows, seconds):
    print(f"{name}: {rows} rows in {seconds:.1f} s, {rows / seconds:.0f} a second", flush=True)


def alone(table, model):
    explainer = relprop.Explainer.from_pretrained(model, num_threads=1)
    explainer.table(table.slice(0, 64)).to_pyarrow()
    begun = time.perf_counter()
    rows = explainer.table(table).to_pyarrow().num_rows
    say("one process, one thread", rows, time.perf_counter() - begun)


def on_ray(table, model, batch):
    import ray
    import relprop.ray

    ray.init(num_cpus=3, include_dashboard=False, log_to_driver=False, object_store_memory=500_000_000)
    ray.data.DataContext.get_current().enable_progress_bars = False
    # Both workers are there before the first row is explained.
    ray.data.DataContext.get_current().wait_for_min_actors_s = 60
    for workers in (1, 2):
        data = ray.data.from_arrow(table).repartition(16)
        explained = relprop.ray.explain(data, model, num_cpus=1, concurrency=workers, batch_size=batch)
        begun, rows, last = None, 0, 0
        for batch in explained.iter_batches(batch_format="pyarrow", batch_size=64):
            # From the first batch on: starting workers and reading the model take seconds, once.
            if begun is None:
                begun, last = time.perf_counter(), batch.num_rows
            rows += batch.num_rows
        say(f"Ray, {workers} of one core", rows - last, time.perf_counter() - begun)
    ray.shutdown()


def on_spark(table, model, workers, batch):
    import relprop.spark
    from pyspark.sql import SparkSession

    os.environ["PYSPARK_PYTHON"] = sys.executable
    builder = SparkSession.builder.master(f"local[{workers}]").appName("relprop")
    builder = builder.config("spark.ui.enabled", "false").config("spark.driver.host", "127.0.0.1")
    session = builder.config("spark.sql.execution.arrow.maxRecordsPerBatch", "64").getOrCreate()
    session.sparkContext.setLogLevel("OFF")
    with tempfile.TemporaryDirectory() as folder:
        pyarrow.parquet.write_table(table, f"{folder}/in.parquet")
        frame = session.read.parquet(f"{folder}/in.parquet").repartition(8)
        for name in ("first", "second"):
            begun = time.perf_counter()
            relprop.spark.explain(frame, model, batch_size=batch).write.parquet(f"{folder}/{name}.parquet")
            seconds = time.perf_counter() - begun
        say(f"Spark, {workers} of one core", table.num_rows, seconds)
    session.stop()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model")
    parser.add_argument("file")
    parser.add_argument("column")
    parser.add_argument("--copies", type=int, default=4)
    parser.add_argument("--batch", type=int, default=1024, help="rows at a time")
    arguments = parser.parse_args()
    read = pyarrow.csv.ParseOptions(delimiter="\t", quote_char=False)
    texts = pyarrow.csv.read_csv(arguments.file, parse_options=read)[arguments.column].to_pylist()
    table = pyarrow.table({"text": texts * arguments.copies})
    alone(table, arguments.model)
    on_ray(table, arguments.model, arguments.batch)
    for workers in (1, 2):
        on_spark(table, arguments.model, workers, arguments.batch)


if __name__ == "__main__":
    main()
