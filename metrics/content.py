"""Content and style: Bouchacourt, Tomioka & Nowozin, "Multi-Level Variational Autoencoder: Learning
Disentangled Representations from Grouped Observations", AAAI 2018, section 4.

Of k images that share a value v, the evidence about it is accumulated:

    c_k = mean of q(c|x_1, …, x_k) ∝ Π_i N(c; m_i, v_i) = Σ_i (m_i / v_i) / Σ_i 1/v_i
    content_accuracy_k = P[v = h_k(c_k)],  h_k a linear classifier

c is the part of the code that is to hold the factor; style is all that is left.
"""

import numpy as np
from jaxtyping import Float, Int

from . import asking
from .linear_probe import probe
from .metric import Trained, check_codes, register
from .standardize import standardize

EVIDENCE = (1, 2, 4, 8)  # k


@register("content", of="trained", version=2)  # 2: with values of one cell, which are left out
def content(trained: Trained, rng: np.random.Generator, *, groups: int = 500) -> dict[str, float]:
    """Is a group's value told by its content, better from more images, and not by its style?

    For models that say which part of a code is to hold a factor, such as those that learn from
    groups. `content_accuracy_k` and `style_accuracy_k` for k = 1, 2, 4 and 8 images of one value,
    in [0, 1]: of content higher is better, of style lower; chance is 1/K of K values. A mean over
    factors, where several have a part. Style is accumulated as content is, because what leaks into
    it adds up, too. So `content_gain`, how much better eight images are than one, is no sign by
    itself that anything was learnt of groups (on digits codes of shuffled groups gain more, having
    more to gain); `content_lead` is how much more content tells than style, both from eight, in
    [−1, 1]. Where the part is the whole code there is no style.

    Where cells were held out of training, the same of these alone is `content_accuracy_k_held_out`
    and so on: of groups that were not seen, if a value was held out in all its cells. Factors of
    which fewer than two values were held out are left out there; so is everywhere a value of a
    single cell, since classifiers are tested on cells that they have not learnt from.

    Classifiers learn from `groups` groups and are tested on as many of other cells: values are
    drawn, then images of each, with replacement. Linear ones do not see all that leaks. Evidence is
    the product of posteriors for all models, also where training took another aggregate. Raises
    ValueError where the code has no parts, and for posteriors that are not normal or not finite.
    """
    check_parts(trained)
    found = _accuracies(trained, rng, np.arange(len(trained.representation.mean)), groups)
    held_out = trained.representation.held_out
    if held_out is not None:
        unseen = _accuracies(trained, rng, held_out, groups)
        found |= {f"{key}_held_out": value for key, value in unseen.items()}
    return found


def check_parts(trained: Trained):
    """A ValueError where no part of the code is to hold a factor."""
    if not trained.parts:
        raise ValueError("codes must have parts that are to hold a factor, found none")


def accumulate(
    mean: Float[np.ndarray, "... k z"], log_var: Float[np.ndarray, "... k z"]
) -> Float[np.ndarray, "... z"]:
    """The mean of the product of k normal densities."""
    precision = np.exp(log_var.min(axis=-2, keepdims=True) - np.float64(log_var))
    return (precision * mean).sum(axis=-2) / precision.sum(axis=-2)


def draw_groups(
    rng: np.random.Generator, values: Int[np.ndarray, " n"], groups: int, members: int
) -> tuple[Int[np.ndarray, "2 g m"], Int[np.ndarray, "2 g"]]:
    """Which of n cells with these values are in groups to learn from, and in groups to test on; and
    the groups' values. One half of the cells of each value is for either."""
    known, counts = np.unique(values, return_counts=True)
    if len(known) < 2 or counts.min() < 2:
        raise ValueError("groups must be of two values at least, of two cells each")
    order = np.lexsort([rng.random(len(values)), values])  # by value, and at random within
    starts, half = np.cumsum(counts) - counts, counts // 2
    drawn = rng.integers(len(known), size=(2, groups))
    first = np.stack([starts, starts + half])[[[0], [1]], drawn]
    count = np.stack([half, counts - half])[[[0], [1]], drawn]
    places = first[..., None] + rng.integers(count[..., None], size=(2, groups, members))
    return order[places], known[drawn]


def _accuracies(trained, rng, cells, groups):
    """All numbers from groups of these cells; none where no factor has two values with cells."""
    by_factor = []
    for factor, part in trained.parts.items():
        values = trained.representation.factors(cells)[:, factor]
        several = np.bincount(values)[values] > 1
        if len(np.unique(values[several])) > 1:
            drawn_from = cells[several], values[several]
            by_factor.append(_of_factor(trained, rng, *drawn_from, part, groups))
    keys = by_factor[0] if by_factor else ()
    found = {key: float(np.mean([own[key] for own in by_factor])) for key in keys}
    if found:
        found["content_gain"] = found["content_accuracy_8"] - found["content_accuracy_1"]
    if "style_accuracy_8" in found:
        found["content_lead"] = found["content_accuracy_8"] - found["style_accuracy_8"]
    return found


def _of_factor(trained, rng, cells, values, part, groups):
    members, truth = draw_groups(rng, values, groups, max(EVIDENCE))
    images = asking.observe(trained, cells[members].ravel(), asking.draw_key(rng))
    posterior = asking.encode(trained, images)
    if not hasattr(posterior, "log_var"):
        raise ValueError("posteriors must be normal, for their product to be known")
    check_codes(posterior.log_var, "encoded log_var")
    mean, log_var = (a.reshape(*members.shape, -1) for a in (posterior.mean, posterior.log_var))
    found = {}
    for k in EVIDENCE:
        codes = accumulate(mean[:, :, :k], log_var[:, :, :k])
        halves = {"content": codes[..., part], "style": np.delete(codes, part, axis=-1)}
        for name, (learnt, tested) in halves.items():
            if learnt.shape[-1]:
                learnt, tested = standardize(learnt, tested)
                said = probe(learnt, truth[0], tested)
                found[f"{name}_accuracy_{k}"] = np.mean(said == truth[1])
    return found
