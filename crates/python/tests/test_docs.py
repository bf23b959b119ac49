"""What the documentation prints runs as it is printed."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def demo(tmp_path_factory) -> Path:
    """A folder in which `relprop demo` was run, as the page says."""
    here = tmp_path_factory.mktemp("docs")
    page = (ROOT / "docs" / "python.md").read_text()
    shell = re.search(r"```sh\n(.*?)```", page, re.DOTALL).group(1)
    build, made = shell.strip().splitlines()
    assert build == "pip install ./crates/python"
    program, *arguments = made.split()
    assert program == "relprop"
    subprocess.run([sys.executable, "-m", program, *arguments], cwd=here, check=True, timeout=600)
    return here


def test_the_ten_lines_run_as_printed(demo):
    page = (ROOT / "docs" / "python.md").read_text()
    (block,) = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    assert len(block.strip().splitlines()) <= 10
    done = subprocess.run([sys.executable, "-c", block], cwd=demo, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    assert "not" in done.stdout and "bias" in done.stdout
    assert (demo / "why.html").read_text().startswith("<!DOCTYPE html>")


def test_the_notebook_runs(demo):
    nbformat = pytest.importorskip("nbformat")
    nbclient = pytest.importorskip("nbclient")
    notebook = nbformat.read(ROOT / "examples" / "notebook.ipynb", as_version=4)
    assert not any(cell.get("outputs") for cell in notebook.cells), "outputs are not committed"
    resources = {"metadata": {"path": str(demo)}}
    nbclient.NotebookClient(notebook, timeout=300, kernel_name="python3", resources=resources).execute()
    shown = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    pages = [output["data"]["text/html"] for output in shown if "text/html" in output.get("data", {})]
    assert sum('class="relprop' in page for page in pages) >= 3


def test_the_stubs_are_those_of_the_extension():
    pytest.importorskip("mypy")
    done = subprocess.run(
        [sys.executable, "-m", "mypy.stubtest", "relprop._relprop", "--ignore-missing-stub", "--ignore-disjoint-bases"],
        capture_output=True, text=True, timeout=300,
    )
    assert done.returncode == 0, done.stdout


def test_the_types_hold(tmp_path):
    pytest.importorskip("mypy")
    # Ray and Spark, where they are there, have types of their own.
    names = ["relprop", *(f"relprop.{name}" for name in ["__main__", "_cluster", "_memory", "_others", "_table"])]
    modules = [option for name in names for option in ("-m", name)]
    command = [sys.executable, "-m", "mypy", "--strict", "--ignore-missing-imports", "--disable-error-code=import-untyped"]
    done = subprocess.run([*command, *modules], cwd=tmp_path, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
