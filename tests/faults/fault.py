"""A tiny study, and what befalls those who work on it: a plugin, for drivers and Ray's workers.

What befalls them is in the file NOTE, if there is one: a list of faults, each like
{"does": "kill", "at": "put runs/", "count": 2}. The first process for which so many things have
happened whose names begin with `at` has it, and no other after it. What happens:

    train         a chunk of updates is done
    evaluate      a metric is asked
    put NAME      the file NAME of the store is about to be written
    write NAME    its content is written aside, and not yet renamed
    kept NAME     it is there
"""

import errno
import json
import os
import resource
import signal
import sys
import threading
import time
from collections import Counter
from pathlib import Path

from soberlook.benchmark import checkpoint, keep, train
from soberlook.benchmark.study import Budget, Study, register
from soberlook.metrics import register as register_metric
from soberlook.results.store import Store

NOTE = Path("NOTE")  # whoever writes this file puts the path here
LIMITS = resource.getrlimit(resource.RLIMIT_FSIZE)

register(
    Study(
        name="faults",
        about="A study to be disturbed.\n\nOne method, two strengths, two seeds, two datasets.",
        datasets=("digits", "mini_xysquares"),
        models=(("beta_vae", {"beta": (1, 4)}),),
        fields={"network": "linear", "latents": 4},
        seeds=(0, 1),
        budget=Budget(updates=30, batch_size=16, evaluate_at=(0.5, 1.0)),
        metrics=("watched", "kl", "reconstruction"),
    )
)

keep.CHECKPOINTS, checkpoint.SHARE = 0.0, 0  # one after every chunk
train.CHUNK_SECONDS = 1e-9  # and a chunk as short as can be

faults = json.loads(NOTE.read_text()) if NOTE.exists() else []
lock, counts, refused, now_writing = threading.Lock(), Counter(), set(), threading.local()


@register_metric("watched", of="representation")
def watched(representation):
    happen("evaluate")
    return {"watched": float(representation.mean.mean())}


def happen(event: str):
    """Count it, and do what is to be done then."""
    with lock:
        for number, fault in enumerate(faults):
            if event.startswith(fault["at"]):
                counts[number] += 1
                if fault["does"] == "tell":
                    Path(f"{NOTE}-{number}").write_text(f"{counts[number]}\n")
                elif counts[number] == fault["count"] and is_first(number):
                    strike(fault["does"], Path(f"{NOTE}-{number}"))


def is_first(number) -> bool:
    """Whether no other process has had this fault; it has a file then, which says where."""
    try:
        with open(f"{NOTE}-{number}", "x") as file:
            file.write(f"{os.getpid()} {node()}\n")
    except FileExistsError:
        return False
    return True


def node() -> str:
    """The node of the Ray cluster that this is a worker of."""
    ray = sys.modules.get("ray")
    if ray is None or not ray.is_initialized():
        return ""
    return ray.get_runtime_context().get_node_id()


def strike(does, struck):
    if does == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    elif does == "hold":  # until somebody else has done what the fault is
        while struck.exists():
            time.sleep(0.02)
    else:  # "full" or "read-only", from now on
        refused.add(does)


def trained(write):
    def wrapped(*arguments):
        write(*arguments)
        happen("train")

    return wrapped


def put(real):
    def wrapped(store, name, content):
        happen(f"put {name}")
        now_writing.name = name
        if "full" in refused:  # what is written ends in the middle, as on a disk without room
            resource.setrlimit(resource.RLIMIT_FSIZE, (64, LIMITS[1]))
        try:
            real(store, name, content)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, LIMITS)
        happen(f"kept {name}")

    return wrapped


def watch(event, arguments):
    """An audit hook: files of a store that are written, and refused where nothing may be."""
    if event == "os.rename" and str(arguments[0]).endswith(".part"):
        happen(f"write {now_writing.name}")
    if event == "open" and "read-only" in refused and str(arguments[0]).endswith(".part"):
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))


if faults:
    checkpoint.Checkpoints.write = trained(checkpoint.Checkpoints.write)
    Store.put = put(Store.put)
    sys.addaudithook(watch)
    ahead, now = sum(fault.get("clock", 0) for fault in faults), time.time
    time.time = lambda: now() + ahead
