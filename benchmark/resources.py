"""What a cohort takes of a Ray cluster, and what a worker is told of it before JAX starts."""

import math
import os
from dataclasses import dataclass

from soberlook.registry import BadInput

KINDS = {"cpu": "CPU", "gpu": "GPU", "tpu": "TPU"}  # ours → Ray's
SHARE = 0.9  # of a GPU's memory that JAX may take: the rest is the driver's and the compiler's


@dataclass(frozen=True)
class Resources:
    """CPU cores, GPUs (parts of one, or whole ones) and TPU chips."""

    cpu: float = 1.0
    gpu: float = 0.0
    tpu: float = 0.0

    @property
    def platform(self) -> str:
        """Where JAX is to run: "tpu", "cuda" or "cpu"."""
        return "tpu" if self.tpu else "cuda" if self.gpu else "cpu"

    @property
    def options(self) -> dict:
        """What Ray is told of a task."""
        options = {"num_cpus": self.cpu, "num_gpus": self.gpu}
        return options | ({"resources": {"TPU": self.tpu}} if self.tpu else {})

    def room(self, total: dict[str, float]) -> int:
        """How many cohorts fit into these resources of a cluster, as Ray names them."""
        asked = {KINDS[kind]: getattr(self, kind) for kind in KINDS}
        return min(math.floor(total.get(k, 0) / amount) for k, amount in asked.items() if amount)

    def environment(self) -> dict[str, str]:
        """Variables of a worker's environment: platform, threads and memory, all said outright.

        A worker that is given no GPU would else see all of its machine's.
        """
        threads = str(max(1, int(self.cpu)))
        found = {"JAX_PLATFORMS": self.platform, "OMP_NUM_THREADS": threads}
        found |= {"OPENBLAS_NUM_THREADS": threads, "NUMBA_NUM_THREADS": threads}
        if self.gpu:
            found["XLA_PYTHON_CLIENT_PREALLOCATE"] = "true"
            found["XLA_PYTHON_CLIENT_MEM_FRACTION"] = f"{SHARE * min(self.gpu, 1):.3g}"
        return found


def parse(text: str) -> Resources:
    """`cpu=1,gpu=.5` as resources. Raises BadInput for other kinds, and amounts Ray does not have.

    Ray has parts of a GPU below one, and whole GPUs and chips from one on.
    """
    amounts = {}
    for part in text.split(","):
        kind, _, amount = part.partition("=")
        try:
            amounts[KINDS[kind.strip()].lower()] = float(amount)
        except (KeyError, ValueError):
            raise BadInput(f"--resources must be like cpu=1,gpu=.5, found {text!r}") from None
    for kind, amount in amounts.items():
        if not 0 <= amount < math.inf or (amount > 1 or kind == "tpu") and amount != int(amount):
            raise BadInput(
                f"--resources {kind} must be a whole number, or for cpu and gpu a part of one, "
                f"found {amount:g}"
            )
    found = Resources(**amounts)
    if not (found.cpu or found.gpu or found.tpu):
        raise BadInput(f"--resources must not all be nothing, found {text!r}")
    return found


def usual(nodes: list[dict]) -> Resources:
    """What a cohort takes unless the user says otherwise, of a cluster of these nodes (Ray's
    `nodes()`): all chips of a TPU host, or a GPU, or a CPU core."""
    alive = [node["Resources"] for node in nodes if node["Alive"]]
    if chips := [node["TPU"] for node in alive if node.get("TPU")]:
        return Resources(tpu=min(chips))
    return Resources(gpu=1.0) if any(node.get("GPU") for node in alive) else Resources()


def report() -> dict:
    """What this process has of what it was told, read back from JAX and from its environment."""
    import jax

    device = jax.local_devices()[0]
    return {
        "platform": {"gpu": "cuda"}.get(device.platform, device.platform),
        "device": device.device_kind,
        "devices": jax.local_device_count(),
        "threads": os.environ.get("OMP_NUM_THREADS", ""),
        "memory": os.environ.get("XLA_PYTHON_CLIENT_MEM_FRACTION", ""),
    }
