"""Tables go in and out as Arrow batches."""

from __future__ import annotations

import json

import numpy as np
import pandas
import polars
import pyarrow
import pyarrow.dataset
import pyarrow.parquet
import pytest

import relprop
from models import sentences

TEXTS = sentences(60, seed=4)


def numbers(table: pyarrow.Table) -> list[list[float]]:
    return [[token["relevance"] for token in row] for row in table.column("tokens").to_pylist()]


@pytest.fixture(scope="module")
def expected(explainer):
    return [one.relevance.tolist() for one in explainer(TEXTS)]


def forms():
    table = pyarrow.table({"id": range(len(TEXTS)), "text": TEXTS})
    views = table.set_column(1, "text", table["text"].cast(pyarrow.string_view()))
    large = table.set_column(1, "text", table["text"].cast(pyarrow.large_string()))
    categories = table.set_column(1, "text", table["text"].dictionary_encode())
    yield "pyarrow", table
    yield "chunks", pyarrow.concat_tables([table.slice(0, 7), table.slice(7, 1), table.slice(8)])
    yield "reader", table.to_reader(max_chunksize=9)
    yield "dataset", pyarrow.dataset.dataset(table)
    yield "views", views
    yield "large", large
    yield "categories", categories
    yield "polars", polars.DataFrame({"id": range(len(TEXTS)), "text": TEXTS})
    yield "lazy", polars.LazyFrame({"id": range(len(TEXTS)), "text": TEXTS})
    yield "pandas", pandas.DataFrame({"id": range(len(TEXTS)), "text": TEXTS})
    yield "objects", pandas.DataFrame({"id": range(len(TEXTS)), "text": pandas.Series(TEXTS, dtype=object)})
    yield "dict", {"id": list(range(len(TEXTS))), "text": TEXTS}


@pytest.mark.parametrize("form", [name for name, _ in forms()])
def test_every_kind_of_table_is_explained(explainer, expected, form):
    if form == "lazy" and not hasattr(polars.LazyFrame, "collect_batches"):
        pytest.skip("this polars has no batches")
    data = dict(forms())[form]
    found = explainer.table(data).to_pyarrow()
    assert found.column_names[:2] == ["id", "text"]
    assert found["id"].to_pylist() == list(range(len(TEXTS)))
    assert found["error"].null_count == len(TEXTS)
    assert numbers(found) == expected


def test_tables_go_to_every_library(explainer, expected):
    data = pyarrow.table({"text": TEXTS})
    frame = explainer.table(data).to_pandas()
    assert isinstance(frame, pandas.DataFrame) and list(frame["text"]) == TEXTS
    assert [[token["relevance"] for token in row] for row in frame["tokens"]] == expected
    frame = explainer.table(data).to_polars()
    assert isinstance(frame, polars.DataFrame)
    assert numbers(frame.to_arrow()) == expected
    assert numbers(pyarrow.table(explainer.table(data))) == expected
    batches = list(explainer.table(data, batch_size=16))
    assert [batch.num_rows for batch in batches] == [16, 16, 16, 12]


def test_a_table_is_that_of_the_program(explainer, folder, program, tmp_path):
    data = pyarrow.table({"text": TEXTS, "note": ["a", None, "b"] * 20})
    pyarrow.parquet.write_table(data, tmp_path / "in.parquet")
    program("explain", "--model", folder, "--input", tmp_path / "in.parquet", "--out", tmp_path / "out.parquet",
            "--ledger", is_json=False)
    theirs = pyarrow.parquet.read_table(tmp_path / "out.parquet")
    table = explainer.table(tmp_path / "in.parquet", ledger=True, errors="skip")
    schema = table.schema
    ours = table.to_pyarrow()
    assert ours.schema == schema
    assert ours.to_pydict() == theirs.to_pydict()
    assert [(f.name, f.type) for f in ours.schema] == [(f.name, f.type) for f in theirs.schema]
    ours_say, theirs_say = (json.loads(t.schema.metadata[b"relprop"]) for t in (ours, theirs))
    assert ours_say == theirs_say
    explainer.table(tmp_path / "in.parquet", ledger=True, errors="skip").to_parquet(tmp_path / "ours.parquet")
    assert pyarrow.parquet.read_table(tmp_path / "ours.parquet").equals(ours)


def test_bad_rows_stay_are_left_out_or_end_the_work(explainer):
    texts = ["a film", None, "", "warm", "  "]
    data = pyarrow.table({"id": range(5), "text": pyarrow.array(texts, pyarrow.string())})
    kept = explainer.table(data).to_pyarrow()
    assert kept["id"].to_pylist() == [0, 1, 2, 3, 4]
    assert [error is None for error in kept["error"].to_pylist()] == [True, False, False, True, False]
    assert kept["error"][1].as_py() == "the row has no text"
    for name in ["prediction", "target_value", "tokens", "words", "logits"]:
        assert [value is None for value in kept[name].to_pylist()] == [False, True, True, False, True]
    assert numbers(kept.take([0, 3])) == [one.relevance.tolist() for one in explainer(["a film", "warm"])]
    left = explainer.table(data, errors="skip").to_pyarrow()
    assert left["id"].to_pylist() == [0, 3] and "error" not in left.column_names
    with pytest.raises(Exception, match="row 2: the row has no text"):
        list(explainer.table(data, errors="raise"))
    # Batches in which all rows, or none, are bad have the same columns.
    several = list(explainer.table(data, batch_size=1))
    assert len({str(batch.schema) for batch in several}) == 1
    nothing = explainer.table(data.slice(0, 0)).to_pyarrow()
    assert nothing.num_rows == 0 and nothing.schema == kept.schema


def test_pairs_and_answers_have_columns(explainer, writer):
    data = pyarrow.table({"sentence": TEXTS[:9], "other": TEXTS[9:18]})
    found = explainer.table(data, pair_column="other").to_pyarrow()
    assert numbers(found) == [one.relevance.tolist() for one in explainer(TEXTS[:9], pair=TEXTS[9:18])]
    language = relprop.Explainer.from_pretrained(writer)
    data = pyarrow.table({"text": ["a film", "film"], "reply": [" a", " film"]})
    found = language.table(data, answer_column="reply", score="log-probability").to_pyarrow()
    expected = language(["a film", "film"], answer=[" a", " film"], score="log-probability")
    assert numbers(found) == [one.relevance.tolist() for one in expected]


def test_wrong_tables_are_refused(explainer, labeller):
    with pytest.raises(KeyError, match="no column `text` or `sentence`; the columns are `a`"):
        explainer.table({"a": ["b"]})
    with pytest.raises(KeyError, match="no column `b`"):
        explainer.table({"text": ["b"]}, column="b")
    with pytest.raises(KeyError, match="no column `b`"):
        explainer.table({"text": ["b"]}, pair_column="b")
    with pytest.raises(ValueError, match="holds Int64, not texts"):
        explainer.table({"text": [1]})
    with pytest.raises(ValueError, match="what a column of the explanation is called"):
        explainer.table({"text": ["b"], "tokens": [1]})
    with pytest.raises(ValueError, match="one explanation a row"):
        labeller.table({"text": ["b"]})
    with pytest.raises(ValueError, match="raise"):
        explainer.table({"text": ["b"]}, errors="ignore")
    with pytest.raises(TypeError, match="gives no Arrow batches"):
        explainer.table(7)
    read = explainer.table({"text": ["b"]})
    read.to_pyarrow()
    with pytest.raises(ValueError, match="was read already"):
        read.to_pyarrow()


def test_a_table_is_read_as_it_is_explained(explainer):
    given = 0

    def batches():
        nonlocal given
        for _ in range(100):
            given += 1
            yield pyarrow.record_batch({"text": TEXTS[:4]})

    schema = pyarrow.schema([("text", pyarrow.string())])
    reader = pyarrow.RecordBatchReader.from_batches(schema, batches())
    table = explainer.table(reader, batch_size=8)
    assert given == 0
    next(table)
    assert given <= 4
    next(table)
    assert given <= 6
    assert len(list(table)) == 48


def test_an_error_of_the_source_is_told(explainer):
    def batches():
        yield pyarrow.record_batch({"text": TEXTS[:4]})
        raise OSError("the disk is gone")

    schema = pyarrow.schema([("text", pyarrow.string())])
    reader = pyarrow.RecordBatchReader.from_batches(schema, batches())
    with pytest.raises(Exception, match="the disk is gone"):
        list(explainer.table(reader, batch_size=4))


def test_datasets_are_explained(explainer, expected):
    datasets = pytest.importorskip("datasets")
    data = datasets.Dataset.from_dict({"id": list(range(len(TEXTS))), "text": TEXTS})
    assert numbers(explainer.table(data).to_pyarrow()) == expected
    turned = data.select(range(len(TEXTS) - 1, -1, -1))
    found = explainer.table(turned, batch_size=7).to_pyarrow()
    assert found["id"].to_pylist() == list(range(len(TEXTS)))[::-1]
    np.testing.assert_allclose(numbers(found)[0], expected[-1], atol=1e-5)
