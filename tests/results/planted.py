"""Synthetic studies, whose answers are known because they were planted."""

import itertools

import numpy as np
import pandas as pd

METHODS = ("annealed_vae", "beta_tcvae", "beta_vae", "dip_vae_i", "dip_vae_ii", "factor_vae")


def frame_of(columns: dict[str, np.ndarray], strength_name: str = "beta") -> pd.DataFrame:
    """One row per run, as `results.load` gives them, from columns [datasets, models, strengths,
    seeds]: names d0, d1, …; METHODS; strengths 1, 2, …; seeds 0, 1, …

    A run whose columns are all NaN has diverged.
    """
    shape = next(iter(columns.values())).shape
    cells = itertools.product(*map(range, shape))
    runs = pd.DataFrame(list(cells), columns=["dataset", "model", "strength", "seed"])
    at = runs["dataset"].astype(str) + "-" + runs["model"].astype(str)
    runs["setting"] = at + "-" + runs["strength"].astype(str)
    runs["run_id"] = runs["setting"] + "-" + runs["seed"].astype(str)
    runs["dataset"] = "d" + runs["dataset"].astype(str)
    runs["model"] = [METHODS[m % 6] + "_x" * (m // 6) for m in runs["model"]]
    runs["strength"] = runs["strength"] + 1.0
    for name, values in columns.items():
        runs[name] = np.asarray(values, float).reshape(-1)
    lost = runs[list(columns)].isna().all(axis=1)
    runs["status"] = np.where(lost, "diverged", "done")
    runs["reason"] = np.where(lost, "parameters were not finite after update 900", "")
    fixed = {"study": "planted", "strength_name": strength_name, "updates": 1_000}
    fixed |= {"batch_size": 64, "images_seen": 64_000, "parameters": 100_000, "network": "mlp"}
    fixed |= {"train_seconds": 1.0, "evaluate_seconds": 0.5, "compile_seconds": 0.1, "width": 60}
    fixed |= {"mapping": "vmap", "device": "cpu", "soberlook": "1", "git_revision": "abc"}
    return runs.assign(**fixed, jax="1", python="3.11", begun=0.0)


def rows_of(runs: pd.DataFrame, draws: dict[str, np.ndarray]) -> pd.DataFrame:
    """The long table, as `results.rows` gives it, of scores [draws, datasets, models, strengths,
    seeds], whose runs are in the order of `frame_of`."""
    parts = []
    for metric, values in draws.items():
        for draw, own in enumerate(values):
            about = {"run_id": runs["run_id"], "step": 1_000, "draw": draw, "metric": metric}
            parts.append(pd.DataFrame(about | {"value": own.reshape(-1), "version": 1}))
    return pd.concat(parts, ignore_index=True).dropna(subset="value")


def effects(rng, shape, *, model=0.0, setting=0.0, seed=0.0, luck=1.0) -> np.ndarray:
    """Normal scores [datasets, models, strengths, seeds] of these standard deviations: of models,
    of settings within a model, of seeds (the same for all settings of a dataset), of luck."""
    d, m, k, s = shape
    sizes = ((d, m, 1, 1), model), ((d, m, k, 1), setting), ((d, 1, 1, s), seed), (shape, luck)
    return sum(sd * rng.standard_normal(size) for size, sd in sizes)
