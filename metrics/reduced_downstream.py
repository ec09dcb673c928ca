"""Downstream prediction of a factor without its most important codes, as in the study's library
(Locatello et al., ICML 2019), by the importance of Eastwood & Williams, ICLR 2018.

    accuracy_k = 1/F Σ_j 1/m Σ_i 1[v_ij = h_jk(z_i)]
    h_jk: gradient-boosted trees fitted to all codes but d_1 … d_k,  d_l = argmax_i R_ij of h_j(l−1)
"""

import numpy as np
from jaxtyping import Int, Num

from .boosting import boost
from .metric import check_split, register


@register("reduced_downstream", of="split", threaded=True)
def reduced_downstream(
    codes: Num[np.ndarray, "n z"],
    factors: Int[np.ndarray, "n f"],
    test_codes: Num[np.ndarray, "m z"],
    test_factors: Int[np.ndarray, "m f"],
    *,
    dropped: int = 2,
    seed: int = 0,
) -> dict[str, float]:
    """Can a factor still be told once the codes that tell most of it are taken away?

    codes [n, z], factors [n, f] whole numbers, and m points to test on. `reduced_downstream_1` and
    `reduced_downstream_2` are test accuracies without so many codes, chosen for each factor, one
    after the other, by the importance of those left; `reduced_downstream_0` is that of all codes.
    Means over factors, in [0, 1].

    After dropping, lower is better: accuracy above that of chance, the share of the most frequent
    value, is what the remaining codes know of the factor. Codes that know nothing have that of
    chance throughout, so read it beside `reduced_downstream_0`. Perfect codes fall to chance at
    one, and perfect codes that are there twice at two. With no codes left the most frequent value
    is predicted. `seed` draws among splits that are equally good, and of two codes with equal
    importance the first is dropped. Takes three times as long as DCI, some 15 s on two cores for 10
    codes of dSprites. Raises ValueError for codes that are not finite and for a factor of one
    value.
    """
    codes, factors, test_codes, test_factors = check_split(codes, factors, test_codes, test_factors)
    # The library reports how all factors are told without the codes of each; this is the diagonal.
    right = np.empty((dropped + 1, factors.shape[1]))
    for j in range(factors.shape[1]):
        left = codes.copy()
        for k in range(dropped + 1):
            fit = boost(left, factors[:, [j]], test_codes, seed=seed)
            right[k, j] = np.mean(fit.predicted == test_factors[:, [j]])
            left[:, fit.importance[:, 0].argmax()] = 0  # trees do not split a constant code
    return {f"reduced_downstream_{k}": float(mean) for k, mean in enumerate(right.mean(axis=1))}
