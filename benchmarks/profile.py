"""Where a training step's time goes, beside what arithmetic and memory alone would take."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import torch
from torch import Tensor
from torch.autograd.profiler_util import FunctionEvent
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves
from torch.utils.flop_counter import FlopCounterMode

from benchmarks.machine import table
from core.config import TrainConfig
from core.data import mnist
from core.data.digits import Digits
from core.recipes import RECIPES
from core.training import device, networks
from core.training.events import Step
from core.training.loop import train

PROFILED = ("fast_990", "fast_995", "fast_997", "simple_cnn", "pytorch_example")
_WARM_UP, _STEPS = 20, 80
_OTHER, _PYTHON, _COPY = "other operators", "Python", "bytes copied"
_GROUPS = {  # by what an operator's name, or that of its gradient's node, has in it
    "products": ("conv", "linear", "addmm", "aten::mm"),
    "normalization": ("batch_norm", "batchnorm"),
    "pools, ReLU, dropout": ("pool", "relu", "threshold", "random_", "aten::ge", "mulbackward"),
    "optimizer": ("_fused_", "addcmul", "sqrt", "lerp", "aten::cat", "accumulategrad"),
}


def profile(names: Sequence[str], repetitions: int) -> Iterator[dict[str, Any]]:
    """Profile a step of each recipe, in float32 and, where the device computes it, bfloat16."""
    digits = mnist.load()
    precisions = sorted({"float32", device.choose().precision})
    rates = {precision: matrix_rate(precision) for precision in precisions}
    yield {"rates": rates | {_COPY: bandwidth()}}
    for name in names or PROFILED:
        for precision in precisions:
            config = RECIPES[name].config.changed({"precision": precision})
            found = of_step(config, digits, repetitions)
            print(name, precision, found, flush=True)
            yield {"steps": {f"{name} {precision}": found}}


def of_step(config: TrainConfig, digits: Digits, repetitions: int) -> dict[str, Any]:
    """Return a step's seconds, its work, its traffic, and its operators' shares of its time.

    `seconds_of_two` is what a step on two images takes: all that does not grow with the batch.
    """
    few = config.changed({"batch_size": 2})
    traffic = _Traffic()
    steps = _STEPS - over_steps(config, digits, traffic)[1]
    profiler = torch.profiler.profile(activities=[torch.profiler.ProfilerActivity.CPU])
    watched, first = over_steps(config, digits, profiler)
    return {
        "seconds": min(over_steps(config, digits)[0] for _ in range(repetitions)),
        "seconds_of_two": min(over_steps(few, digits)[0] for _ in range(repetitions)),
        "flops": training_flops(config) * config.batch_size,
        "bytes": traffic.bytes / steps,
        "shares": shares(list(profiler.events() or []), watched * (_STEPS - first)),
    }


def over_steps(
    config: TrainConfig, digits: Digits, watch: AbstractContextManager[Any] | None = None
) -> tuple[float, int]:
    """Train some steps, the later ones within `watch`; return one's seconds, and the step before.

    It is the loop itself that trains.
    """
    config = config.changed(
        {"epochs": 1, "train_size": _STEPS * config.batch_size, "validation_size": 10}
    )
    steps = (event.step for event in train(config, digits) if isinstance(event, Step))
    first = next(step for step in steps if step >= _WARM_UP)
    with watch or nullcontext():
        begin = time.perf_counter()
        while next(steps) < _STEPS:
            pass
        return (time.perf_counter() - begin) / (_STEPS - first), first


def shares(events: list[FunctionEvent], seconds: float) -> dict[str, float]:
    """Return each group's share of `seconds`, by the operators that no other one called."""
    spent = dict.fromkeys((*_GROUPS, _OTHER), 0.0)
    for event in events:
        if event.cpu_parent is None:
            name = event.name.lower()
            group = next(
                (group for group, parts in _GROUPS.items() if any(part in name for part in parts)),
                _OTHER,
            )
            spent[group] += event.cpu_time_total / 1e6 / seconds
    return {**spent, _PYTHON: 1 - sum(spent.values())}


class _Traffic(TorchDispatchMode):
    """Counts the bytes that operators are given and return, as if none stayed in a cache."""

    def __init__(self) -> None:
        super().__init__()
        self.bytes = 0

    def __torch_dispatch__(
        self,
        func: Callable[..., Any],
        types: Any,
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        result = func(*args, **(kwargs or {}))
        if not func.is_view:  # type: ignore[attr-defined]
            self.bytes += sum(
                tensor.nbytes
                for tensor in tree_leaves((args, kwargs, result))
                if isinstance(tensor, Tensor)
            )
        return result


def training_flops(config: TrainConfig) -> float:
    """Return the floating-point operations of one step, forward and backward, per image."""
    model = networks.build(config)
    with FlopCounterMode(display=False) as counter:
        model(torch.zeros(64, 1, 28, 28)).sum().backward()
    return float(counter.get_total_flops()) / 64


def matrix_rate(precision: str, size: int = 2048) -> float:
    """Return this machine's FLOP/s in products of two square matrices, the best of 10."""
    where = torch.device(device.choose().kind)
    left, right = torch.rand(2, size, size, device=where, dtype=getattr(torch, precision)).unbind()
    return 2 * size**3 / _fastest(lambda: (left @ right).sum().item())


def bandwidth(numbers: int = 2**24) -> float:
    """Return the bytes a second that copying reads and writes, the best of 10."""
    where = torch.device(device.choose().kind)
    source, target = torch.rand(2, numbers, device=where).unbind()
    return 2 * source.nbytes / _fastest(lambda: target.copy_(source)[-1].item())


def _fastest(work: Callable[[], object]) -> float:
    best = float("inf")
    for _ in range(10):
        begin = time.perf_counter()
        work()
        best = min(best, time.perf_counter() - begin)
    return best


def show(part: dict[str, Any]) -> str:
    """Return the table: a row for each recipe and precision."""
    groups = [*_GROUPS, _OTHER, _PYTHON]
    head = ["recipe", "precision", "a step", "arithmetic alone", "memory alone", "of two images"]
    rows = [[*head, "of the matrix rate", *groups]]
    for key, found in part["steps"].items():
        name, precision = key.split()
        least = found["flops"] / part["rates"][precision]
        memory = found["bytes"] / part["rates"][_COPY]
        times = (found["seconds"], least, memory, found["seconds_of_two"])
        parts = [least / found["seconds"], *(found["shares"][group] for group in groups)]
        rows.append(
            [
                *(f"`{name}`", precision),
                *(f"{1e3 * seconds:.1f} ms" for seconds in times),
                *(f"{share:.0%}".replace("%", " %") for share in parts),
            ]
        )
    *rates, copied = [f"{rate / 1e9:.0f}" for rate in part["rates"].values()]
    reached = [
        f"{rate} GFLOP/s in {name}" for rate, name in zip(rates, part["rates"], strict=False)
    ]
    return (
        f"Products of 2048 × 2048 matrices reach {' and '.join(reached)}, a copy {copied} GB/s."
        f"\n\n{table(rows)}"
    )
