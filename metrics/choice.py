"""The choice among a model's codes against the values of a factor.

c(x) = argmax_k π_k(x)
accuracy = 1/n Σ_i 1[v_i = most frequent value among c = c_i],  NMI = I(c; v) / ½ (H(c) + H(v))
"""

import numpy as np
from sklearn.metrics import normalized_mutual_info_score
from sklearn.metrics.cluster import contingency_matrix

from . import asking
from .metric import Trained, register


@register("choice", of="trained")
def choice(trained: Trained, rng: np.random.Generator, *, cells: int = 5_000) -> dict[str, float]:
    """Does the categorical code follow the values of a factor, without any label?

    For models with a choice among their codes, which are those with a posterior that has `choices`.
    `choice_accuracy_k` is the share of images whose value of factor k is the most frequent one of
    their choice, from the share of the most frequent value, where all choose the same, to 1;
    `choice_nmi_k` in [0, 1] is 0 there. Without a number behind it, the best of all factors: a
    single choice can follow but one. Higher is better; both rise with the number of choices and as
    cells become fewer. `cells` drawn without replacement from the whole grid, or all there are.
    Raises ValueError for models without a choice.
    """
    size = len(trained.representation.mean)
    drawn = rng.permutation(size)[:cells]
    posterior = asking.encode(trained, asking.observe(trained, drawn, asking.draw_key(rng)))
    choices = getattr(posterior, "choices", 0)
    if not choices:
        raise ValueError("posteriors must have a choice among their codes, found none")
    chosen = np.asarray(posterior.mean)[:, -choices:].argmax(axis=1)
    scores = {"choice_accuracy": _majority, "choice_nmi": normalized_mutual_info_score}
    factors = trained.representation.factors(drawn).T
    found = {name: [float(score(v, chosen)) for v in factors] for name, score in scores.items()}
    best = {name: max(values) for name, values in found.items()}
    return best | {f"{name}_{k}": v for name, values in found.items() for k, v in enumerate(values)}


def _majority(factor, chosen):
    return contingency_matrix(factor, chosen).max(axis=0).sum() / len(factor)
