"""Compiled programs, kept beside the store for the next run and for other workers, and timed.

What is kept there is machine code that will be run. So it lies beside a store and never inside one,
which may come from anywhere, and a folder that is another's, or that others may write to, is not
used.
"""

import contextlib
import os
import stat
import warnings
from collections.abc import Iterator
from pathlib import Path

import jax
from jax.experimental.compilation_cache import compilation_cache

COMPILING = "/jax/core/compile/backend_compile_duration"  # also of what is read from the folder
WORTHWHILE = 0.1  # seconds of compiling below which a program is not kept

_seconds = 0.0  # spent in this process so far


def _hear(event, duration, **_):
    global _seconds
    if event == COMPILING:
        _seconds += duration


jax.monitoring.register_event_duration_secs_listener(_hear)


def compile_seconds() -> float:
    """What this process has spent on compiling so far, in seconds."""
    return _seconds


def beside(where: str) -> str:
    """The folder for the store at `where`; "" for a store that is not a local folder."""
    return "" if "://" in where else str(Path(where).resolve().parent / ".compiled")


@contextlib.contextmanager
def kept_programs(folder: str, parents: bool = False) -> Iterator[None]:
    """Read compiled programs from `folder` and add new ones to it; "" keeps none.

    A folder that the user has given JAX (JAX_COMPILATION_CACHE_DIR) is used instead. Without
    `parents` none are kept on a machine that has not the folder that it lies in.
    """
    if not folder or jax.config.jax_compilation_cache_dir or not _is_ours(Path(folder), parents):
        yield
        return
    before = jax.config.jax_persistent_cache_min_compile_time_secs
    try:
        _use(folder, WORTHWHILE)
        yield
    finally:
        _use(None, before)


def _use(folder, worthwhile):
    jax.config.update("jax_compilation_cache_dir", folder)
    jax.config.update("jax_persistent_cache_min_compile_time_secs", worthwhile)
    compilation_cache.reset_cache()  # JAX looks at its configuration once


def _is_ours(folder, parents):
    """Whether nobody else can have put anything there; makes the folder where there is none."""
    try:
        folder.mkdir(mode=0o700, parents=parents, exist_ok=True)
        found = folder.lstat()
    except OSError:
        return False  # a place that cannot be written to: it costs time, nothing else
    ours = stat.S_ISDIR(found.st_mode) and found.st_uid == os.getuid()
    if not ours or found.st_mode & 0o022:
        warnings.warn(f"{folder} is not yours alone: compiled programs are not kept", stacklevel=3)
        return False
    return True
