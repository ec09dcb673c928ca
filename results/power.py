"""How many seeds see how large a difference: the arithmetic of Student's t.

All of it is for a two-sided test at 1 − `level`. Of two methods with seeds of their own, `sd` is
the standard deviation over seeds of one of them; where they share seeds (`paired`), it is that of
the differences. Exact for normal scores, by the noncentral t (Cohen, "Statistical Power Analysis
for the Behavioral Sciences", 1988, chapter 2, whose tables take the same integrals).
"""

import numpy as np
from scipy import special

LEVEL, POWER = 0.95, 0.8
MOST = 10**6  # seeds; what needs more is not going to be seen
FAR = 30.0  # a noncentrality at which power is 1 for three seeds or more; SciPy's cdf ends at 37
NODES, WEIGHTS = np.polynomial.hermite_e.hermegauss(96)
WEIGHTS = WEIGHTS / WEIGHTS.sum()


def power_of(difference, seeds, sd=1.0, *, level: float = LEVEL, paired: bool = False):
    """The chance to see this difference with so many seeds a method, from 1 − level to 1.

    Arrays or numbers, in the units of the score; fewer than two seeds, or an `sd` that is not
    positive, give NaN.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        effect = np.abs(np.divide(difference, sd, dtype=float))
    seeds = np.asarray(seeds, float)
    fine = (seeds >= 2) & np.isfinite(effect)
    seeds, effect = np.where(fine, seeds, 2), np.where(fine, effect, 0)
    df = seeds - 1 if paired else 2 * seeds - 2
    centre = np.minimum(effect * np.sqrt(seeds if paired else seeds / 2), FAR)
    edge = special.stdtrit(df, 0.5 + level / 2)
    # The lower tail is nothing (1e-13) from 7 on, where SciPy's cdf turns into NaN.
    below = special.nctdtr(df, np.minimum(centre, 7), -edge)
    power = np.minimum(1 - special.nctdtr(df, centre, edge) + below, 1)
    return np.where(fine, power, np.nan)[()]


def smallest_difference(
    seeds, sd=1.0, *, power: float = POWER, level: float = LEVEL, paired: bool = False
):
    """The smallest difference that so many seeds a method see with this power.

    In the units of `sd`: of 1 the answer is in standard deviations, 1.32 of them with 10 seeds and
    .57 with 50. Arrays or numbers; NaN of fewer than two seeds.
    """
    seeds = np.asarray(seeds, float)
    low, high = np.zeros(seeds.shape), np.full(seeds.shape, FAR)
    for _ in range(50):
        middle = (low + high) / 2
        enough = power_of(middle, seeds, level=level, paired=paired) >= power
        low, high = np.where(enough, low, middle), np.where(enough, middle, high)
    return (np.where(seeds >= 2, high, np.nan) * sd)[()]


def seeds_needed(
    difference, sd=1.0, *, power: float = POWER, level: float = LEVEL, paired: bool = False
):
    """The smallest number of seeds a method, at least 2, that see this difference with this power.

    Arrays or numbers; whole, but floats: NaN where `MOST` are not enough, as for no difference at
    all, and where `sd` is not positive.
    """
    difference, sd = np.broadcast_arrays(np.asarray(difference, float), np.asarray(sd, float))
    low, high = np.ones(difference.shape), np.full(difference.shape, float(MOST))
    possible = power_of(difference, high, sd, level=level, paired=paired) >= power
    while (high - low).max(initial=0) > 1:
        middle = np.floor((low + high) / 2)
        asked = np.maximum(middle, 2)
        enough = power_of(difference, asked, sd, level=level, paired=paired) >= power
        low, high = np.where(enough, low, middle), np.where(enough, middle, high)
    return np.where(possible, np.maximum(high, 2), np.nan)[()]


def effect_interval(t, df, scale, *, level: float = LEVEL):
    """Between what the true effect lies (low, high), where t was observed: arrays or numbers.

    `scale` is that of t: √(n/2) for two methods of n seeds each, √n for n differences. The
    noncentralities under which a t this large or this small has half of 1 − level (Steiger &
    Fouladi, "Noncentrality interval estimation", 1997). The distribution is an integral of normal
    ones over the chi, because SciPy's gives no number far out.
    """
    t, df = np.broadcast_arrays(np.asarray(t, float), np.asarray(df, float))
    chi = np.sqrt(special.chdtri(df[..., None], special.ndtr(-NODES)) / df[..., None])
    reach = 10 * (2 + np.abs(t))  # beyond any answer, also with one degree of freedom
    ends = []
    for tail in (0.5 + level / 2, 0.5 - level / 2):
        low, high = t - reach, t + reach
        for _ in range(60):
            middle = (low + high) / 2
            below = special.ndtr(t[..., None] * chi - middle[..., None]) @ WEIGHTS
            low, high = np.where(below > tail, middle, low), np.where(below > tail, high, middle)
        ends.append((low / scale)[()])
    return tuple(ends)
