"""Scores of nonlinear independent component analysis: are codes the factors, up to what theory
leaves open?

    MCC = 1/F max_π Σ_j |corr(z_π(j), v_j)|       π: different codes for different factors
    linear R²: v ≈ W z + b        block R²: v_B ≈ f(z_A) for blocks A of codes and B of factors
    R²_j = max(0, 1 − Σ (v_j − v̂_j)² / Σ (v_j − mean v_j)²) on points that were not fitted to

MCC: Hyvärinen & Morioka, "Unsupervised Feature Extraction by Time-Contrastive Learning and
Nonlinear ICA", NIPS 2016; Khemakhem, Kingma, Monti & Hyvärinen, "Variational Autoencoders and
Nonlinear ICA: A Unifying Framework", AISTATS 2020. Linear and block R²: von Kügelgen et al.,
"Self-Supervised Learning with Data Augmentations Provably Isolates Content from Style", NeurIPS
2021.

Factors are taken as quantities. The order of a category's values, and where an angle starts, are
conventions that these scores depend on.
"""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float, Num
from scipy.optimize import linear_sum_assignment

from .correlation import pearson, spearman
from .kernel_ridge import kernel_ridge
from .metric import Numbers, check_codes_and_factors, check_split, numbers, register

Blocks = Sequence[Sequence[int]]


@register("mcc", of="codes", batched=True, continuous=True)
def mcc(codes: Num[np.ndarray, "*runs n z"], factors: Num[np.ndarray, "n f"]) -> dict[str, Numbers]:
    """Mean correlation coefficient: is each factor one code, up to sign, scale and order?

    codes [..., n, z], factors [n, f] real numbers. `mcc_pearson` asks for a linear relation,
    `mcc_spearman` for a monotone one. In [0, 1], higher is better. Not 0 for codes that know
    nothing: of chance correlations the larger are chosen (.015 for ten codes of noise at 10,000
    points, .06 at 1,000). Correlations of one code with two factors count for one of them, and a
    factor that is left without a code, because codes are fewer, counts as 0. Constant codes have
    no correlation. Raises ValueError for codes and factors that are not finite and for a factor of
    one value.
    """
    codes, factors = check_codes_and_factors(codes, factors, whole=False)
    return {
        "mcc_pearson": assigned(np.abs(pearson(codes, factors))),
        "mcc_spearman": assigned(np.abs(spearman(codes, factors))),
    }


@register("linear_r2", of="split", continuous=True)
def linear_r2(
    codes: Num[np.ndarray, "n z"],
    factors: Num[np.ndarray, "n f"],
    test_codes: Num[np.ndarray, "m z"],
    test_factors: Num[np.ndarray, "m f"],
) -> dict[str, float]:
    """Are the factors a linear function of all codes?

    codes [n, z], factors [n, f] real numbers, and m points to test on. In [0, 1], higher is better;
    0 for codes that know nothing. A factor that is predicted worse than by its mean counts as 0.
    Rotations of the codes do not matter: it says that all is there, not that it is disentangled.
    Needs more points than codes. Raises ValueError for codes and factors that are not finite and
    for a factor of one value.
    """
    codes, factors, test_codes, test_factors = check_split(
        codes, factors, test_codes, test_factors, whole=False
    )
    codes = codes.astype(np.float64)
    mean, level = codes.mean(axis=0), factors.mean(axis=0)
    scale = np.where(np.ptp(codes, axis=0) > 0, codes.std(axis=0), np.inf)  # constant codes are 0
    weights = np.linalg.lstsq((codes - mean) / scale, factors - level)[0]
    return {"linear_r2": float(_r2(test_factors, (test_codes - mean) / scale @ weights + level))}


@register(
    "nonlinear_r2", of="split", points=1_000, test_points=500, suffix="_1000", continuous=True
)
def nonlinear_r2(
    codes: Num[np.ndarray, "n z"],
    factors: Num[np.ndarray, "n f"],
    test_codes: Num[np.ndarray, "m z"],
    test_factors: Num[np.ndarray, "m f"],
) -> dict[str, float]:
    """Are the factors any smooth function of all codes?

    The same as `linear_r2` by kernel ridge regression: the block of all factors from that of all
    codes. Grows with the number of points, and falls with codes of noise, which count as much as
    others: compare equal sizes. Time grows with n³.
    """
    split = check_split(codes, factors, test_codes, test_factors, whole=False)
    whole = [range(split[0].shape[1])], [range(split[1].shape[1])]
    return {"nonlinear_r2": float(r2_of_blocks(*split, *whole)[0, 0])}


@register("block_r2", of="split", points=500, test_points=500, suffix="_500", continuous=True)
def block_r2(
    codes: Num[np.ndarray, "n z"],
    factors: Num[np.ndarray, "n f"],
    test_codes: Num[np.ndarray, "m z"],
    test_factors: Num[np.ndarray, "m f"],
    *,
    code_blocks: Blocks | None = None,
    factor_blocks: Blocks | None = None,
) -> dict[str, float]:
    """Is each block of factors a function of one block of codes, with no other block's help?

    codes [n, z], factors [n, f] real numbers, and m points to test on; blocks are lists of columns,
    by default each column is one. Different blocks of codes are assigned to different blocks of
    factors so that the mean R² is largest; a block of factors that is left without counts as 0.
    In [0, 1], higher is better; about 0 for codes that know nothing. With columns as blocks it is
    MCC for relations that need not be monotone, squared. On few cells without noise it is blind to
    mixtures: one code, as v_1 + √2 v_2, has another value in each of them (3 × 4 × 5, rotated: .97;
    dSprites, rotated: .63). Time grows with n³ and with the blocks of codes. Raises ValueError for
    codes and factors that are not finite, for a factor of one value, and for blocks that are empty
    or name a column that is not there.
    """
    split = check_split(codes, factors, test_codes, test_factors, whole=False)
    code_blocks = _check_blocks(code_blocks, split[0].shape[1], "code_blocks")
    factor_blocks = _check_blocks(factor_blocks, split[1].shape[1], "factor_blocks")
    return {"block_r2": assigned(r2_of_blocks(*split, code_blocks, factor_blocks))}


def r2_of_blocks(
    codes: Num[np.ndarray, "n z"],
    factors: Num[np.ndarray, "n f"],
    test_codes: Num[np.ndarray, "m z"],
    test_factors: Num[np.ndarray, "m f"],
    code_blocks: Blocks,
    factor_blocks: Blocks,
) -> Float[np.ndarray, "a b"]:
    """R² on the test points of each block of factors from each block of codes, by kernel ridge
    regression: the mean over the block's factors.

    What a block of codes must not know is read off here: with content and style as blocks of
    factors, style from the block of content ought to be 0.
    """
    scores = np.empty((len(code_blocks), len(factor_blocks)))
    for a, block in enumerate(map(list, code_blocks)):
        predicted = kernel_ridge(codes[:, block], factors, test_codes[:, block])
        for b, of in enumerate(map(list, factor_blocks)):
            scores[a, b] = _r2(test_factors[:, of], predicted[:, of])
    return scores


def assigned(scores: Float[np.ndarray, "*runs a b"]) -> Numbers:
    """The largest mean over columns of scores in different rows; 0 for columns without a row."""
    means = np.empty(scores.shape[:-2])
    for run in np.ndindex(means.shape):
        means[run] = scores[run][linear_sum_assignment(scores[run], maximize=True)].sum()
    return numbers(means / scores.shape[-1])


def _r2(truth, predicted):
    # A regression may do worse on the test points than their mean, without bound; at 0 the score
    # has a floor, and one factor cannot undo the others.
    unexplained = ((truth - predicted) ** 2).sum(axis=0)
    return np.maximum(0, 1 - unexplained / ((truth - truth.mean(axis=0)) ** 2).sum(axis=0)).mean()


def _check_blocks(blocks, columns, name):
    if blocks is None:
        return [[column] for column in range(columns)]
    for block in blocks or [[]]:
        if not len(block) or not set(block) <= set(range(columns)):
            found = list(block)
            raise ValueError(f"{name} must be lists of columns below {columns}, found {found}")
    return blocks
