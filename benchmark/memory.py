"""Memory: what a compiled program needs, and what the device has."""

import contextlib
import os
from pathlib import Path

import jax

# Shares of a device's memory that a program may take. A CPU's belongs to others, too.
SHARE = {"cpu": 0.5}
ACCELERATOR_SHARE = 0.9


def needed(program: jax.stages.Compiled) -> int:
    """Bytes on each device while it runs: arguments, results and what lies in between."""
    analysis = program.memory_analysis()
    sizes = (
        analysis.argument_size_in_bytes,
        analysis.output_size_in_bytes,
        analysis.temp_size_in_bytes,
        analysis.generated_code_size_in_bytes,
    )
    return sum(sizes) - analysis.alias_size_in_bytes  # donated buffers are counted twice


def allowed() -> int:
    """Bytes that a program may take on a device here."""
    device = jax.local_devices()[0]
    share = SHARE.get(device.platform, ACCELERATOR_SHARE)
    stats = device.memory_stats() or {}
    # The devices of a CPU are made from one.
    shared_by = jax.local_device_count() if device.platform == "cpu" else 1
    return int(share * stats.get("bytes_limit", host_memory()) / shared_by)


def ran_out(error: Exception) -> bool:
    """Whether this says that memory does not suffice: ours, or XLA's when a device is full."""
    return isinstance(error, MemoryError) or "RESOURCE_EXHAUSTED" in str(error)


def host_memory() -> int:
    """The machine's memory in bytes, or what a container may use of it."""
    physical = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    limits = [physical]
    for file in ("memory.max", "memory/memory.limit_in_bytes"):
        with contextlib.suppress(OSError, ValueError):  # no such file, or "max"
            limits.append(int((Path("/sys/fs/cgroup") / file).read_text()))
    return min(limits)
