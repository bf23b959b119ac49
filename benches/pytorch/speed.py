"""The cases of `cargo bench --bench speed`, side by side with PyTorch on the same machine.

    cargo bench --bench speed --no-run        # says where the program is
    python speed.py PROGRAM [--runs 7] [--cases minilm,128,8 bert-base,128,4 ...] [--device cuda]

Each case has one process of relprop and one for each way to do the same in PyTorch; they run in turns, so
that what else the machine does falls on all of them. A table with medians comes to standard output: the
milliseconds of each, how many times as fast relprop is as the fastest of PyTorch's ways, and the peak
memory of the processes.

The same work: a BERT classifier with fresh weights, texts of one length without padding, in float32.
`forward` is without a graph. Explaining is one forward and one backward pass to the input of the first
block, without gradients for weights; the rules are detached factors in the forward code. PyTorch's ways:

    eager     attention written out
    sdpa      torch's fused attention (not where its weights are detached: it has no such form)
    captum    Captum's InputXGradient, on eager
    lxt       LXT's efficient mode, for the rule set that it has: attn-lrp

A way whose library is not installed is left out.
"""

import argparse
import resource
import statistics
import subprocess
import sys
import time
from importlib.util import find_spec
from types import ModuleType

SHAPES = {"tiny": (2, 128, 2), "minilm": (6, 384, 12), "bert-base": (12, 768, 12)}
WAYS = {
    "forward": ["eager", "sdpa"],
    "gradient-x-input": ["eager", "sdpa", "captum"],
    "ah-ln": ["eager"],
    "libra": ["eager"],
    "attn-lrp": ["lxt"],
}
CASES = ["minilm,128,1", "minilm,128,8", "minilm,128,32", "bert-base,128,1", "bert-base,128,4", "bert-base,128,16"]


def is_here(way):
    """Whether what a way needs is installed."""
    libraries = ["torch", "transformers"] + [way] * (way in ("captum", "lxt"))
    return all(find_spec(library) for library in libraries)


def patch_with_lxt(model):
    """Puts LXT's attn-lrp rules into transformers' own modules."""
    # LXT brings copies of models of an older transformers, which cannot be imported beside this one.
    sys.modules["lxt.efficient.models"] = ModuleType("lxt.efficient.models")
    sys.modules["lxt.efficient.models"].get_default_map = None
    import lxt.efficient.patches as patches
    from torch import nn
    from transformers.activations import GELUActivation
    from transformers.models.bert import modeling_bert

    patches.patch_method(patches.layer_norm_forward, nn.LayerNorm)
    for activation in (GELUActivation, nn.Tanh):
        patches.patch_method(patches.non_linear_forward, activation, keep_original=True)
    modeling_bert.eager_attention_forward = patches.wrap_attention_forward(modeling_bert.eager_attention_forward)


def prepare(shape, tokens, batch, work, way, device):
    """What runs once. It ends with a list of numbers, so a card has finished."""
    import rules
    import torch
    from transformers import BertConfig, BertForSequenceClassification

    torch.set_default_device(device)
    blocks, width, heads = SHAPES[shape]
    config = BertConfig(
        num_hidden_layers=blocks,
        hidden_size=width,
        num_attention_heads=heads,
        intermediate_size=4 * width,
        max_position_embeddings=tokens,
        attn_implementation="sdpa" if way == "sdpa" else "eager",
    )
    model = BertForSequenceClassification(config).eval().requires_grad_(False)

    if way == "lxt":
        patch_with_lxt(model)

    if work in ("ah-ln", "libra"):
        rules.put(model, work)

    ids = torch.arange(tokens).remainder(500).add(5).repeat(batch, 1)
    if work == "forward":

        def forward():
            with torch.inference_mode():
                return model(input_ids=ids).logits.tolist()

        return forward

    blocks = []

    def leaf(_module, _inputs, output):
        blocks.append(output.detach().requires_grad_())
        return blocks[-1]

    if way == "captum":
        from captum.attr import InputXGradient

        # The label is given: finding the predicted one would take one forward pass more.
        words = model.bert.embeddings.word_embeddings(ids).detach().requires_grad_()
        explainer = InputXGradient(lambda x: model(inputs_embeds=x).logits)
        return lambda: explainer.attribute(words, target=0).sum(-1).tolist()

    model.bert.embeddings.register_forward_hook(leaf)

    def explain():
        blocks.clear()
        model(input_ids=ids).logits.max(-1).values.sum().backward()
        return (blocks[0].detach() * blocks[0].grad).sum(-1).tolist()

    return explain


def serve(arguments):
    """Runs once for each line of standard input."""
    shape, tokens, batch, work, way, device = arguments
    run = prepare(shape, int(tokens), int(batch), work, way, device)
    run()
    for _line in sys.stdin:
        start = time.perf_counter()
        run()
        seconds = time.perf_counter() - start
        print(seconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, flush=True)


class Runner:
    def __init__(self, command):
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.seconds, self.memory = [], 0.0

    def run(self):
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        seconds, memory = map(float, self.process.stdout.readline().split())
        self.seconds.append(seconds)
        self.memory = memory

    def close(self):
        self.process.stdin.close()
        self.process.wait()

    @property
    def median(self):
        return statistics.median(self.seconds)


def main():
    if len(sys.argv) > 1 and sys.argv[1] == "--serve":
        return serve(sys.argv[2:])
    parser = argparse.ArgumentParser()
    parser.add_argument("program")
    parser.add_argument("--runs", type=int, default=7)
    parser.add_argument("--cases", nargs="*", default=CASES)
    parser.add_argument("--work", nargs="*", default=["forward", "gradient-x-input", "ah-ln", "libra", "attn-lrp"])
    parser.add_argument("--device", default="cpu")
    arguments = parser.parse_args()

    print("| shape | tokens | texts | work | relprop ms | of its forward | PyTorch ms | times as fast | MiB | PyTorch MiB |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |")
    for case in arguments.cases:
        shape, tokens, batch = case.split(",")
        forward = None
        for work in arguments.work:
            ways = [way for way in WAYS[work] if is_here(way)]
            runners = [Runner([arguments.program, shape, tokens, batch, work, "--serve"])]
            python = [sys.executable, __file__, "--serve", shape, tokens, batch, work]
            runners += [Runner([*python, way, arguments.device]) for way in ways]
            for turn in range(arguments.runs + 1):
                for runner in runners:
                    runner.run()
                    if turn == 0:
                        runner.seconds.clear()  # warm now
            for runner in runners:
                runner.close()
            own, others = runners[0], runners[1:]
            if work == "forward":
                forward = own.median
            of_forward = f"{own.median / forward:.2f}" if forward else ""
            line = f"| {shape} | {tokens} | {batch} | {work} | {own.median * 1e3:.1f} | {of_forward} "
            if others:
                best = min(others, key=lambda runner: runner.median)
                texts = ", ".join(f"{way} {runner.median * 1e3:.1f}" for way, runner in zip(ways, others))
                line += f"| {texts} | {best.median / own.median:.2f} | {own.memory:.0f} | {best.memory:.0f} |"
            else:
                line += f"| | | {own.memory:.0f} | |"
            print(line, flush=True)


if __name__ == "__main__":
    main()
