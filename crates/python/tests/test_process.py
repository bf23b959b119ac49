"""Threads, processes, signals."""

from __future__ import annotations

import multiprocessing
import os
import pickle
import shutil
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

import relprop
from models import bert, sentences

TEXT = "a warm , funny film"


def test_an_explainer_pickles_as_a_recipe(folder, tmp_path):
    here = tmp_path / "model"
    shutil.copytree(folder, here)
    explainer = relprop.Explainer.from_pretrained(here, "libra", ledger=True, num_threads=1)
    pickled = pickle.dumps(explainer)
    assert len(pickled) < 4000
    again = pickle.loads(pickled)
    assert again(TEXT) == explainer(TEXT)
    assert repr(again) == repr(explainer)
    bert(here, seed=99)
    with pytest.raises(relprop.ModelError, match="another model"):
        pickle.loads(pickled)
    shutil.rmtree(here)
    with pytest.raises(FileNotFoundError, match="at the same path"):
        pickle.loads(pickled)


def test_a_changed_tokenizer_is_another_model(folder, tmp_path):
    here = tmp_path / "model"
    shutil.copytree(folder, here)
    pickled = pickle.dumps(relprop.Explainer.from_pretrained(here))
    vocabulary = (here / "vocab.txt").read_text()
    (here / "vocab.txt").write_text(vocabulary.replace("warm", "mild"))
    with pytest.raises(relprop.ModelError, match="another model"):
        pickle.loads(pickled)


def test_threads_share_a_model_and_the_interpreter_goes_on(explainer):
    texts = sentences(64)
    expected = explainer(texts)
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda _: explainer(texts), range(8)))
    assert all(one == expected for one in found)
    ticks, over = 0, threading.Event()

    def tick():
        nonlocal ticks
        while not over.is_set():
            ticks += 1
            time.sleep(0.001)

    ticking = threading.Thread(target=tick)
    ticking.start()
    start = time.monotonic()
    explainer(sentences(2000))
    took = time.monotonic() - start
    over.set()
    ticking.join()
    # With the lock held, the other thread would not have run at all.
    assert ticks > 50 * took


def test_a_number_of_threads_does_not_change_numbers(folder, explainer):
    texts = sentences(50)
    one = relprop.Explainer.from_pretrained(folder, num_threads=1)
    assert one(texts) == explainer(texts)
    with pytest.raises((ValueError, OverflowError)):
        relprop.Explainer.from_pretrained(folder, num_threads=0)


def explained(explainer, texts):
    return [one.json() for one in explainer(texts)]


CHILD = """
import sys, os, relprop
explainer = relprop.Explainer.from_pretrained(sys.argv[1])
first = explainer("a warm , funny film")
child = os.fork()
if child == 0:
    os._exit(0 if explainer("a warm , funny film") == first else 3)
sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="the system does not fork")
def test_a_forked_child_explains(folder):
    done = subprocess.run([sys.executable, "-c", CHILD, str(folder)], timeout=60)
    assert done.returncode == 0


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_processes_of_multiprocessing_explain(explainer, method):
    if method not in multiprocessing.get_all_start_methods():
        pytest.skip(f"the system has no {method}")
    texts = sentences(20)
    expected = explained(explainer, texts)
    with multiprocessing.get_context(method).Pool(2) as pool:
        found = pool.starmap_async(explained, [(explainer, texts)] * 4).get(timeout=120)
    assert all(one == expected for one in found)


INTERRUPTED = """
import sys, relprop
sys.path.insert(0, sys.argv[2])
from models import sentences
explainer = relprop.Explainer.from_pretrained(sys.argv[1])
texts = sentences(1000) * 1000
print("ready", flush=True)
try:
    explainer(texts)
except KeyboardInterrupt:
    # It can be used again.
    explainer("a warm , funny film")
    sys.exit(42)
"""


def test_ctrl_c_ends_a_run(folder):
    here = os.path.dirname(__file__)
    child = subprocess.Popen(
        [sys.executable, "-c", INTERRUPTED, str(folder), here], stdout=subprocess.PIPE, text=True
    )
    assert child.stdout.readline() == "ready\n"
    time.sleep(2)
    child.send_signal(signal.SIGINT)
    start = time.monotonic()
    assert child.wait(timeout=30) == 42
    assert time.monotonic() - start < 10


def test_progress_is_told_and_may_end_the_work(explainer):
    told = []
    explainer(sentences(3000), progress=told.append)
    assert told == sorted(told) and told[-1] == 3000

    def enough(done):
        raise RuntimeError("enough")

    with pytest.raises(RuntimeError, match="enough"):
        explainer(sentences(3000), progress=enough)


def test_the_program_is_in_the_wheel(program):
    assert program("rules", is_json=False).count("\n") > 5
    done = subprocess.run([sys.executable, "-m", "relprop", "explain"], capture_output=True, text=True)
    assert done.returncode == 2 and "Usage" in done.stderr
