from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import relprop
from models import bert, gpt2


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return bert(tmp_path_factory.mktemp("models") / "bert")


@pytest.fixture(scope="session")
def labeller(tmp_path_factory: pytest.TempPathFactory) -> relprop.Explainer:
    labels = ("O", "B-PER", "I-PER")
    path = bert(tmp_path_factory.mktemp("models") / "labels", "TokenClassification", labels, seed=1)
    return relprop.Explainer.from_pretrained(path)


@pytest.fixture(scope="session")
def vectors(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return bert(tmp_path_factory.mktemp("models") / "vectors", "Model", seed=2)


@pytest.fixture(scope="session")
def writer(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return gpt2(tmp_path_factory.mktemp("models") / "gpt2")


@pytest.fixture(scope="session")
def explainer(folder: Path) -> relprop.Explainer:
    return relprop.Explainer.from_pretrained(folder)


@pytest.fixture(scope="session")
def program() -> Callable[..., Any]:
    """Runs the program, and reads the JSON that it writes."""

    def run(*arguments: object, is_json: bool = True) -> Any:
        command = [sys.executable, "-m", "relprop", *map(str, arguments)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=300)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout) if is_json else done.stdout

    return run
