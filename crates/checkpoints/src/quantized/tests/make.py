"""Makes the files of this folder: tensors that were quantized, and the numbers that they stand for.

pip install torch==2.15.0 transformers==5.24 compressed-tensors==0.20.1 bitsandbytes==0.50.2 safetensors numpy
python make.py

bitsandbytes, compressed-tensors and transformers (MXFP4) undo what they wrote themselves. GPTQ, AWQ and FP8 are packed
here, number by number, and undone by their formula in float64.
"""

import json
from pathlib import Path

import bitsandbytes.functional as bnb
import numpy as np
import torch
from compressed_tensors.compressors import BaseCompressor
from compressed_tensors.quantization import QuantizationArgs, QuantizationScheme
from safetensors.torch import save_file
from transformers.integrations.mxfp4 import convert_moe_packed_tensors

FOLDER = Path(__file__).parent
random = np.random.default_rng(0)
torch.manual_seed(0)


def write(name, how, tensors, expected):
    tensors = {f"a.b.{key}": value.contiguous() for key, value in tensors.items()}
    tensors["a.norm.weight"] = torch.ones(3)
    tensors |= {f"expected/a.b.{key}": value.contiguous() for key, value in expected.items()}
    metadata = {"quantization_config": json.dumps(how)}
    save_file(tensors, FOLDER / f"{name}.safetensors", metadata)


def packed(numbers, bits, order=None):
    """Packs along the last axis, the first number in the lowest bits."""
    per_word = 32 // bits
    order = order or range(per_word)
    numbers = numbers.astype(np.uint64).reshape(*numbers.shape[:-1], -1, per_word)
    words = sum(numbers[..., column] << np.uint64(bits * place) for place, column in enumerate(order))
    return torch.from_numpy(words.astype(np.uint32).view(np.int32))


def grouped(bits, inputs, outputs, groups):
    q = random.integers(0, 2**bits, (inputs, outputs))
    zeros = random.integers(0, 2**bits, (groups, outputs))
    scales = random.uniform(0.01, 0.1, (groups, outputs)).astype(np.float16)
    return q, zeros, scales


def undone(q, zeros, scales, group):
    weight = (q - zeros[group]) * scales.astype(np.float64)[group]
    return {"weight": torch.from_numpy(weight.T.astype(np.float32))}


def gptq(name, bits, size, version=None, shuffled=False):
    inputs, outputs = 32, 16
    groups = -(-inputs // size)
    q, zeros, scales = grouped(bits, inputs, outputs, groups)
    group = np.arange(inputs) // size
    if shuffled:
        random.shuffle(group)
    stored = zeros if version == "gptq_v2" else (zeros - 1) % 2**bits
    tensors = {
        "qweight": packed(q.T, bits).T,
        "qzeros": packed(stored, bits),
        "scales": torch.from_numpy(scales),
        "bias": torch.ones(outputs),
    }
    if shuffled:
        tensors["g_idx"] = torch.from_numpy(group.astype(np.int32))
    how = {"quant_method": "gptq", "bits": bits, "group_size": size}
    if version:
        how["checkpoint_format"] = version
    write(name, how, tensors, undone(q, zeros, scales, group))


gptq("gptq-4", 4, 8)
gptq("gptq-4-rest", 4, 12)
gptq("gptq-8", 8, 16)
gptq("gptq-2-v2", 2, 16, "gptq_v2")
gptq("gptq-4-shuffled", 4, 8, shuffled=True)

q, zeros, scales = grouped(4, 32, 16, 4)
order = [0, 2, 4, 6, 1, 3, 5, 7]
tensors = {"qweight": packed(q, 4, order), "qzeros": packed(zeros, 4, order), "scales": torch.from_numpy(scales)}
write("awq", {"quant_method": "awq", "bits": 4, "group_size": 8, "version": "gemm"}, tensors,
      undone(q, zeros, scales, np.arange(32) // 8))

# Every byte but the two that are no numbers.
bytes_ = np.array([byte for byte in range(256) if byte & 127 != 127], np.uint8)
e4m3 = torch.from_numpy(np.resize(bytes_, (24, 40))).view(torch.float8_e4m3fn)
for name, block, scales in [
    ("fp8-blocks", [16, 16], torch.rand(2, 3)),
    ("fp8-whole", None, torch.tensor(0.3)),
]:
    how = {"quant_method": "fp8", "activation_scheme": "dynamic", "weight_block_size": block}
    grid = scales.expand(24, 40) if block is None else (
        scales.repeat_interleave(16, 0)[:24].repeat_interleave(16, 1)[:, :40])
    expected = (e4m3.double() * grid.double()).float()
    write(name, how, {"weight": e4m3, "weight_scale_inv": scales}, {"weight": expected})


def compressed(name, kind, weights, scale, zero=None):
    scheme = QuantizationScheme(targets=["Linear"], weights=QuantizationArgs(**weights))
    state = {"weight": torch.randn(16, 32), "weight_scale": scale}
    if zero is not None:
        state["weight_zero_point"] = zero
    compressor = BaseCompressor.get_value_from_registry(kind)
    stored = compressor.compress(state, scheme)
    expected = compressor.decompress(dict(stored), scheme)["weight"]
    how = {"quant_method": "compressed-tensors", "format": kind,
           "config_groups": {"group_0": {"weights": weights}}}
    write(name, how, stored, {"weight": expected.float()})


rows = torch.rand(16, 1) / 10 + 0.1
groups = torch.rand(16, 4) / 4 + 0.2
compressed("compressed-pack-4", "pack-quantized",
           {"num_bits": 4, "strategy": "group", "group_size": 8}, groups)
compressed("compressed-pack-4-zeros", "pack-quantized",
           {"num_bits": 4, "strategy": "group", "group_size": 8, "symmetric": False}, groups,
           torch.randint(-8, 8, (16, 4), dtype=torch.int8))
compressed("compressed-pack-8", "pack-quantized", {"num_bits": 8, "strategy": "channel"}, rows / 10)
compressed("compressed-int-8", "int-quantized", {"num_bits": 8, "strategy": "channel"}, rows / 10)
compressed("compressed-fp8", "float-quantized",
           {"num_bits": 8, "type": "float", "strategy": "channel"}, rows / 10)

for name, kind, nested in [("bitsandbytes-nf4", "nf4", True), ("bitsandbytes-fp4", "fp4", False)]:
    weight = torch.randn(24, 64)
    q, state = bnb.quantize_4bit(weight, blocksize=64, quant_type=kind, compress_statistics=nested)
    tensors = {"weight": q} | {f"weight.{key}": value for key, value in state.as_dict(packed=True).items()}
    write(name, {"quant_method": "bitsandbytes", "load_in_4bit": True}, tensors,
          {"weight": bnb.dequantize_4bit(q, state)})
q, scb, _ = bnb.int8_vectorwise_quant(torch.randn(16, 32).half())
write("bitsandbytes-int8", {"quant_method": "bitsandbytes", "load_in_8bit": True},
      {"weight": q, "SCB": scb, "weight_format": torch.tensor(0, dtype=torch.uint8)},
      {"weight": (q.double() * scb.double()[:, None] / 127).float()})

blocks = torch.randint(0, 256, (2, 6, 2, 16), dtype=torch.uint8)
scales = torch.randint(120, 130, (2, 6, 2), dtype=torch.uint8)
experts = convert_moe_packed_tensors(blocks, scales, dtype=torch.float32)
tensors = {"gate_up_proj_blocks": blocks, "gate_up_proj_scales": scales, "gate_up_proj_bias": torch.ones(2, 6)}
expected = experts if experts.shape == (2, 64, 6) else experts.transpose(1, 2)
write("mxfp4", {"quant_method": "mxfp4"}, tensors, {"gate_up_proj": expected})
