"""The memory that explaining a long prompt takes in PyTorch: examples/long_prompt.rs, with transformers.

    python long_prompt.py 256                          one forward and one backward pass
    python long_prompt.py 256 checkpoint               the same with gradient_checkpointing_enable()
    python long_prompt.py 256 checkpoint --attention sdpa    with torch's fused attention
    python long_prompt.py 4096 checkpoint --attention sdpa --small    a model of 151 million parameters

The same work: a language model of the shape of Qwen2-0.5B with random weights in float32, one logit after
the last token, and the gradient of it at the word embeddings alone. `--attention eager` (the default) writes
attention out, as whoever detaches its weights must. The peak is that of the explanation, weights included,
and needs Linux.
"""

import argparse
import time

import torch
from transformers import Qwen2Config, Qwen2ForCausalLM


def memory(field):
    """What this process holds (VmRSS), or the most that it has held (VmHWM), in GiB."""
    with open("/proc/self/status") as status:
        line = next(line for line in status if line.startswith(field))
    return int(line.split()[1]) / 1024**2


def forget_peak():
    """Lets the peak begin anew: drawing the weights takes more than explaining."""
    with open("/proc/self/clear_refs", "w") as file:
        file.write("5")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("tokens", type=int)
    parser.add_argument("mode", nargs="?", choices=["keep", "checkpoint"], default="keep")
    parser.add_argument("--attention", choices=["eager", "sdpa"], default="eager")
    parser.add_argument("--small", action="store_true")
    arguments = parser.parse_args()
    small = arguments.small

    config = Qwen2Config(
        vocab_size=49_152 if small else 151_936,
        hidden_size=768 if small else 896,
        intermediate_size=3072 if small else 4864,
        num_hidden_layers=12 if small else 24,
        num_attention_heads=12 if small else 14,
        num_key_value_heads=12 if small else 2,
        tie_word_embeddings=True,
        attn_implementation=arguments.attention,
    )
    torch.manual_seed(0)
    model = Qwen2ForCausalLM(config).requires_grad_(False)
    if arguments.mode == "checkpoint":
        model.gradient_checkpointing_enable({"use_reentrant": False})
        # Only a model in training checkpoints. There is no dropout that this would turn on.
        model.train()
    else:
        model.eval()
    weights = sum(parameter.numel() for parameter in model.parameters())
    forget_peak()
    print(f"{weights} parameters; memory with the weights: {memory('VmRSS'):.2f} GiB")

    ids = (torch.arange(arguments.tokens) * 97 % config.vocab_size).unsqueeze(0)
    begun = time.perf_counter()
    words = model.get_input_embeddings()(ids).detach().requires_grad_()
    logits = model(inputs_embeds=words, use_cache=False, logits_to_keep=1).logits
    logits[0, -1, 7].backward()
    relevance = (words * words.grad).sum()
    seconds = time.perf_counter() - begun
    print(
        f"{arguments.mode}, {arguments.attention}, {arguments.tokens} tokens: {seconds:.0f} s, "
        f"peak memory {memory('VmHWM'):.2f} GiB, relevance {relevance:.3f}"
    )


if __name__ == "__main__":
    main()
