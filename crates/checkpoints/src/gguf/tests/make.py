"""Writes blocks.json: blocks of each kind, and the numbers that gguf 0.19.0 makes of them. Both in base64."""

import base64
import json
from pathlib import Path

import numpy as np
from gguf import GGML_QUANT_SIZES, GGMLQuantizationType
from gguf.quants import dequantize

# Where the 16-bit floats of a block are.
HALVES = {
    "Q4_0": [0], "Q4_1": [0, 2], "Q5_0": [0], "Q5_1": [0, 2], "Q8_0": [0], "Q2_K": [80, 82],
    "Q3_K": [108], "Q4_K": [0, 2], "Q5_K": [0, 2], "Q6_K": [208],
}


def main():
    numbers = np.random.default_rng(7)
    text = lambda array: base64.b64encode(array.tobytes()).decode()
    kinds = []
    for name, halves in HALVES.items():
        kind = GGMLQuantizationType[name]
        count, size = GGML_QUANT_SIZES[kind]
        blocks = 2 if count == 256 else 3
        raw = numbers.integers(0, 256, (blocks, size), dtype=np.uint8)
        for at in halves:
            scales = numbers.normal(0, 0.1, blocks).astype(np.float16)
            raw[:, at : at + 2] = scales.view(np.uint8).reshape(blocks, 2)
        found = dequantize(raw, kind).astype(np.float32)
        assert np.isfinite(found).all() and found.size == blocks * count
        kinds.append({"kind": int(kind), "name": name, "blocks": text(raw), "numbers": text(found)})
    Path(__file__).with_name("blocks.json").write_text(json.dumps(kinds, indent=1) + "\n")


if __name__ == "__main__":
    main()
