"""Rows of a store, made up."""


def run(run_id, **changes):
    settings = {"beta": 2.0, "latents": 10}
    about = {"run_id": run_id, "study": "s", "dataset": "d", "model": "m", "seed": 0}
    about |= {"strength_name": "beta", "strength": 2.0, "setting": "x", "status": "done"}
    return about | {"settings": settings, "dataset_settings": {}, "updates": 10} | changes


def row(run_id, metric, value, step=10):
    return {"run_id": run_id, "step": step, "metric": metric, "value": value, "version": 1}
