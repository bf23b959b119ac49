"""Measures `relprop serve`: latency, throughput and memory under many clients, batched and one by one.

    python benches/serve.py PROGRAM MODEL [--clients 50] [--seconds 60]

It needs Python alone, and Linux for the memory. The clients run in a process of their own and send one request
after another over connections that stay open. Each sends a text of its own, made of the words of a few reviews.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import multiprocessing
import random
import re
import signal
import statistics
import subprocess
import time
import urllib.request
from collections import Counter

TEXTS = [
    "the plot is not dull but the ending fails to charm",
    "a warm and funny film with a moving story",
    "never has a director made such a clumsy mess",
    "the acting is lovely although the script is weak",
]


def body(draw: random.Random) -> bytes:
    """A request about a text that nobody else sends."""
    words = " ".join(draw.choice(TEXTS).split()[: draw.randint(3, 10)])
    return json.dumps({"text": f"{words} {draw.choice('abcdefgh')}"}).encode()


async def client(port: int, number: int, until: float, found: list[tuple[int, float]]) -> None:
    """Asks until the time is over. A connection that ends is opened again."""
    draw = random.Random(number)
    reader = writer = None
    while time.monotonic() < until:
        begun = time.monotonic()
        try:
            if writer is None:
                reader, writer = await asyncio.open_connection("127.0.0.1", port)
            data = body(draw)
            head = (
                "POST /api/explain HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n"
                f"content-length: {len(data)}\r\n\r\n"
            )
            writer.write(head.encode() + data)
            answer = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
            length = int(re.search(r"content-length: (\d+)", answer).group(1))
            answered = json.loads(await reader.readexactly(length))
            status = int(answer.split(" ", 2)[1])
            assert status != 200 or answered["explanations"][0]["tokens"], answered
        except (OSError, asyncio.IncompleteReadError):
            status, writer = 0, None
        found.append((status, time.monotonic() - begun))
        if status == 503:
            await asyncio.sleep(0.05)


def run_clients(port: int, clients: int, seconds: float, out) -> None:
    found: list[tuple[int, float]] = []

    async def all_clients() -> None:
        until = time.monotonic() + seconds
        await asyncio.gather(*(client(port, number, until, found) for number in range(clients)))

    asyncio.run(all_clients())
    out.send(found)


def memory(process: int) -> tuple[float, float]:
    """The memory now and at its peak, in MiB."""
    with open(f"/proc/{process}/status") as file:
        status = file.read()
    read = lambda name: int(re.search(rf"{name}:\s+(\d+)", status).group(1)) / 1024
    return read("VmRSS"), read("VmHWM")


def numbers(port: int) -> dict[str, float]:
    """What the server counts."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics") as answer:
        text = answer.read().decode()
    return {name: float(value) for name, value in re.findall(r"^relprop_(\w+) (\S+)$", text, re.M)}


def measure(arguments: argparse.Namespace, batch: int) -> float:
    """Runs the server and the clients, prints what was found, and returns the answers a second."""
    command = [arguments.program, "serve", "--model", arguments.model, "--port", "0", "--batch", str(batch)]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        port = int(re.search(r":(\d+)/", server.stdout.readline()).group(1))
        before = memory(server.pid)[0]
        receive, send = multiprocessing.Pipe(duplex=False)
        clients = multiprocessing.Process(target=run_clients, args=(port, arguments.clients, arguments.seconds, send))
        clients.start()
        halfway = None
        if not receive.poll(arguments.seconds / 2):
            halfway = memory(server.pid)[0]
        found = receive.recv()
        clients.join()
        now, peak = memory(server.pid)
        counted = numbers(port)
    finally:
        server.send_signal(signal.SIGTERM)
        ended = server.wait(timeout=60)
    statuses = Counter(status for status, _ in found)
    times = sorted(time for status, time in found if status == 200)
    rate = len(times) / arguments.seconds
    place = lambda share: 1000 * times[min(int(share * len(times)), len(times) - 1)]
    print(f"--batch {batch}: {rate:.0f} answers a second; statuses {dict(statuses)}; ended with {ended}")
    print(
        f"  milliseconds: median {place(0.5):.1f}, mean {1000 * statistics.fmean(times):.1f}, "
        f"95 % {place(0.95):.1f}, 99 % {place(0.99):.1f}, longest {1000 * times[-1]:.1f}"
    )
    texts, batches, computed = (counted[name] for name in ("texts_total", "batches_total", "compute_seconds_total"))
    print(f"  the model: {texts / batches:.1f} texts a batch, {1000 * computed / texts:.2f} ms a text")
    print(f"  MiB: {before:.0f} before, {halfway or now:.0f} halfway, {now:.0f} at the end, {peak:.0f} at the peak")
    others = set(statuses) - {200, 503}
    if others:
        raise SystemExit(f"statuses that are no documented refusal: {others}")
    return rate


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("program")
    parser.add_argument("model")
    parser.add_argument("--clients", type=int, default=50)
    parser.add_argument("--seconds", type=float, default=60)
    arguments = parser.parse_args()
    together, alone = measure(arguments, 32), measure(arguments, 1)
    print(f"batched, {together / alone:.2f} times as many a second as one by one")


if __name__ == "__main__":
    main()
