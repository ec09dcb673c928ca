"""The mean of the middle half: of runs of a method, neither moved by a few lucky ones nor as
indifferent as the median (Agarwal et al., "Deep Reinforcement Learning at the Edge of the
Statistical Precipice", NeurIPS 2021)."""

import numpy as np

from .sweeps import pseudo_values


def interquartile_mean(values: np.ndarray) -> np.ndarray:
    """The mean of the middle half over the last axis, without NaN; NaN where there is no number.

    Where a quarter of the numbers is not whole, the numbers on its edge count in part; for four,
    eight, twelve … this is Agarwal et al.'s, who cut whole numbers away. So the mean does not jump
    when a number is left out.
    """
    values = np.sort(values, axis=-1)  # NaN last
    there = ~np.isnan(values)
    count = there.sum(axis=-1, keepdims=True)
    place = np.arange(values.shape[-1])
    inside = np.minimum(place + 1, 0.75 * count) - np.maximum(place, 0.25 * count)
    weights = np.clip(inside, 0, 1)
    total = (weights * np.where(there, values, 0)).sum(axis=-1)
    return np.where(count[..., 0], total / np.maximum(count[..., 0] / 2, 0.5), np.nan)


def iqm_by_seed(values: np.ndarray) -> np.ndarray:
    """A number per seed [..., seeds] with the interquartile mean of all runs [..., strengths,
    seeds] as their mean and its jackknife's spread over seeds; NaN of seeds without a run."""
    there = ~np.isnan(values).all(axis=-2)
    value = _of_all(values)
    left = [_of_all(np.delete(values, s, axis=-1)) for s in range(values.shape[-1])]
    found = pseudo_values(value, np.where(there, np.stack(left, axis=-1), np.nan))
    single = there.sum(axis=-1, keepdims=True) == 1
    return np.where(single & there, value[..., None], found)


def _of_all(values):
    return interquartile_mean(values.reshape(*values.shape[:-2], -1))
