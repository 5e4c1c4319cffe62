"""Which device and precision a run uses, and why."""

import os
import platform
from dataclasses import dataclass
from pathlib import Path

from core.errors import DeviceError


@dataclass(frozen=True)
class Device:
    """`kind` is cpu, cuda or mps; `precision` float32 or bfloat16; each with its reason."""

    kind: str
    name: str
    reason: str
    precision: str
    precision_reason: str


def choose(device: str = "auto", precision: str = "auto") -> Device:
    """Return the device and precision to use. Raises DeviceError if this machine lacks one."""
    import torch  # takes 2 s, so only callers that compute load it

    available = {"cpu": True, "cuda": torch.cuda.is_available()}
    available["mps"] = torch.backends.mps.is_available()
    kind = device
    if device == "auto":
        kind = next(kind for kind in ("cuda", "mps", "cpu") if available[kind])
    elif not available[device]:
        here = ", ".join(kind for kind, there in available.items() if there)
        raise DeviceError(
            f"The device {device} is not available: this machine has {here}. Choose auto."
        )

    if kind == "cuda":
        name, reason = torch.cuda.get_device_name(0), "an NVIDIA GPU was found"
        fast = torch.cuda.is_bf16_supported(including_emulation=False)
        chip = "the GPU"
    elif kind == "mps":
        name, reason = "Apple GPU", "Apple's Metal was found"
        fast, chip = False, "Metal"
    else:
        capabilities = torch.cpu.get_capabilities()
        name = f"{capabilities.get('cpu_name') or platform.processor() or 'CPU'}"
        threads = torch.get_num_threads()
        name += f", {threads} threads" if threads > 1 else ", 1 thread"
        reason = "it was chosen" if device == "cpu" else "no GPU was found"
        fast = bool(capabilities.get("avx512_bf16") or capabilities.get("amx_bf16"))
        chip = "this CPU"
    has = f"{chip} {'computes' if fast else 'does not compute'} bfloat16 in hardware"
    if precision == "auto":
        return Device(kind, name, reason, "bfloat16" if fast else "float32", has)
    return Device(kind, name, reason, precision, f"it was chosen; {has}")


def queue_name(device: str) -> str:
    """Return the queue that a run waits in, `cpu` or `gpu`, without loading torch, which takes 2 s.

    One training runs at a time in each. A machine without a GPU's driver has only `cpu`.
    """
    nvidia = Path("/proc/driver/nvidia/version").exists() or (
        os.name == "nt" and Path(os.environ.get("SYSTEMROOT", ""), "System32/nvcuda.dll").exists()
    )
    metal = platform.system() == "Darwin" and platform.machine() == "arm64"
    return "gpu" if device != "cpu" and (nvidia or metal) else "cpu"
