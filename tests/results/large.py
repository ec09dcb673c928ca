"""A study of the size of the paper's, made up, and what its report takes. Slow, so not a test:

    python tests/results/large.py FOLDER

12,600 runs (7 datasets × 6 methods × 6 strengths × 50 seeds) of 150 rows each, in FOLDER, which is
made where it is not there, in 300 pairs of files. Prints the size of the store and the seconds of
loading it, as it is and compacted (a copy, FOLDER-compacted); then those of every question of its
report, the peak of memory and the size of the report. With --load, only what is before the report.
"""

import resource
import shutil
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
from planted import METHODS, effects

from soberlook import results
from soberlook.results import report
from soberlook.results.compact import compact
from soberlook.results.store import Store, Tables

SHAPE = (7, 6, 6, 50)
SCORES = (
    "beta_vae_score",
    "factor_vae_score",
    "mig",
    "dci_disentanglement",
    "modularity",
    "sap",
)
OTHERS = (
    "reconstruction",
    "kl",
    "gaussian_total_correlation",
    "gaussian_total_correlation_sampled",
    "gaussian_wasserstein_correlation",
    "gaussian_wasserstein_correlation_sampled",
    "mutual_information_score",
    "mutual_information_score_sampled",
    "udr_lasso",
    "udr_spearman",
    "mig_rotated",
    "sap_rotated",
    "modularity_rotated",
    "downstream_lr_accuracy_100",
    "downstream_lr_accuracy_1000",
    "downstream_lr_accuracy_10000",
    "downstream_gbt_accuracy_100",
    "downstream_gbt_accuracy_1000",
    "downstream_gbt_accuracy_10000",
    "active_units",
)
ROWS = 150  # a run
COHORT = 42  # runs


def make(where):
    """Write the store, a pair of files per cohort."""
    rng, store = np.random.default_rng(0), Store(where)
    store.create("large", "A study of the size of the paper's.\n\nMade up.")
    names = [*SCORES, *OTHERS, *(f"more_{i}" for i in range(ROWS - len(SCORES) - len(OTHERS)))]
    one = effects(rng, SHAPE, model=1, setting=1, seed=0.3, luck=1)
    values = {n: 0.5 + 0.1 * (one + rng.standard_normal(SHAPE)) for n in names[:60]}
    constant = rng.standard_normal(SHAPE)
    tables, cohorts = Tables(), 0
    for d in range(SHAPE[0]):
        for m in range(SHAPE[1]):
            for k in range(SHAPE[2]):
                for s in range(SHAPE[3]):
                    run_id = f"{d:04d}{m:04d}{k:04d}{s:04d}"
                    about = {"run_id": run_id, "study": "large", "dataset": f"dataset_{d}"}
                    about |= {"dataset_settings": {}, "model": METHODS[m], "seed": s}
                    about |= {"settings": {"beta": k + 1.0, "latents": 10, "network": "conv"}}
                    about |= {"strength_name": "beta", "strength": k + 1.0, "updates": 300_000}
                    about |= {"setting": f"{d}{m}{k}", "batch_size": 64, "status": "done"}
                    about |= {"images_seen": 19_200_000, "reason": "", "parameters": 500_000}
                    about |= {"train_seconds": 1e3, "evaluate_seconds": 20.0, "device": "gpu"}
                    tables.runs.append(about)
                    at = d, m, k, s
                    tables.rows.extend(
                        {
                            "run_id": run_id,
                            "step": 300_000,
                            "draw": 0,
                            "metric": name,
                            "value": float(values[name][at] if name in values else constant[at]),
                            "version": 1,
                        }
                        for name in names
                    )
                    if len(tables.runs) == COHORT:
                        store.write(f"cohort{cohorts}", tables)
                        store.plan(f"cohort{cohorts}", '{"dataset": {"name": "x"}, "runs": []}')
                        tables, cohorts = Tables(), cohorts + 1


def load(where):
    """Say what the store takes, and what loading it."""
    store = Store(where)
    files = sum(len(store.names(name)) for name in ("rows", "pictures", "runs"))
    size = sum(path.stat().st_size for path in where.rglob("*") if path.is_file()) / 1e6
    seconds = []
    for _ in range(3):
        begun, working = time.perf_counter(), time.process_time()
        runs = results.load(where)
        seconds.append((time.perf_counter() - begun, time.process_time() - working))
    (wall, working) = min(seconds)
    about = f"{len(runs):,} runs × {len(runs.columns)} columns in {files} files, {size:.1f} MB"
    print(f"{about}: loaded in {wall:.2f} s, {working:.2f} s of it working")


def main():
    """Make the store where it is not there; then time everything."""
    where = Path(sys.argv[1])
    if not where.exists():
        make(where)
    load(where)
    copy = where.with_name(f"{where.name}-compacted")
    shutil.rmtree(copy, ignore_errors=True)
    shutil.copytree(where, copy)
    begun = time.perf_counter()
    compact(Store(copy))
    print(f"compacted in {time.perf_counter() - begun:.1f} s")
    load(copy)
    if "--load" in sys.argv:
        return
    took = {}

    def timed(name, function, *arguments):
        begun = time.perf_counter()
        found = function(*arguments)
        took[name] = time.perf_counter() - begun
        return found

    begun = time.perf_counter()
    study, about, planned, drawings = timed("load", report.read, where)
    sections = []
    for module in report.QUESTIONS:
        sections.append(timed(module.__name__.rpartition(".")[-1], module.section, study))
    sections.append(timed("images", report.images.section, study, drawings))
    page = timed("page", report.page_of, about, study, sections, planned)
    total = time.perf_counter() - begun
    figures = pd.Series({section.name: len(section.pictures) for section in sections})
    for name, seconds in took.items():
        print(f"{name:20} {seconds:6.2f} s  {figures.get(name, ''):>4}")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print(f"{len(study.runs):,} runs: {total:.1f} s, peak {peak:.2f} GiB, {len(page) / 1e6:.2f} MB")
    print(f"columns: {len(results.load(where).columns)}")
    (where.parent / "large.html").write_text(page)


if __name__ == "__main__":
    main()
