"""What every metric keeps, as a table: a metric that is registered joins by itself.

Codes change in a way that a metric ought not to notice, and its numbers must stay; those that do
notice are listed with the reason. Cases with known answers, and cases that must only not fail.
"""

import inspect
from functools import cache
from typing import NamedTuple

import numpy as np
import pytest

from soberlook.metrics import METRICS, Representation

# Trains a network: codes in another order or of other signs start it elsewhere, and the accuracy
# moves with it. What it keeps is in its own tests.
TRAINED = {"abstract_reasoning"}
# One entry a function: dci_1000 is dci on other cells.
TESTED = {
    m.function.__name__: m
    for m in METRICS.values()
    if m.of in ("codes", "split", "interventions") and m.name not in TRAINED
}


class Data(NamedTuple):
    """Points for metrics of codes, and a grid of codes for metrics of interventions."""

    codes: np.ndarray
    factors: np.ndarray
    test_codes: np.ndarray
    test_factors: np.ndarray
    representation: Representation

    def with_codes(self, change):
        """The same with `change` applied to all codes."""
        return self._replace(
            codes=change(self.codes),
            test_codes=change(self.test_codes),
            representation=self.representation._replace(mean=change(self.representation.mean)),
        )


def make_data(codes_of, sizes=(3, 4, 5), grid=(8, 9, 10), points=600):
    """Data whose codes are `codes_of(standardised factors, rng)`."""
    rng = np.random.default_rng(0)

    def codes(factors, sizes):
        size = np.asarray(sizes)
        return codes_of((factors - (size - 1) / 2) / np.sqrt((size**2 - 1) / 12), rng)

    train, test = (rng.integers(sizes, size=(points, len(sizes))) for _ in range(2))
    mean = codes(np.indices(grid).reshape(len(grid), -1).T, grid)
    unread = np.zeros_like(mean)
    representation = Representation(mean, unread, unread[:, 0], grid)
    return Data(codes(train, sizes), train, codes(test, sizes), test, representation)


# Few points, or all would score 1, and little work, where a metric has such an option.
SMALL = {"points": 1_000, "test_points": 1_000, "batch": 8, "sets": 1}


def numbers(name, data):
    metric = TESTED[name]
    options = inspect.signature(metric.function).parameters
    small = {option: value for option, value in SMALL.items() if option in options}
    if metric.of == "codes":
        return metric.function(data.codes, data.factors, **small)
    if metric.of == "split":
        return metric.function(*data[:4], **small)
    return metric.function(data.representation, np.random.default_rng(0), **small)


def noisy_mixture(v, rng):
    """Codes that know much and are neither aligned nor exact: three of factors, two of noise."""
    mixing = np.array([[1, 0.3, 0], [0, 1, 0.4], [0.2, 0, 1]])
    mixed = v @ mixing + 0.3 * rng.standard_normal(v.shape)
    return np.hstack([mixed, rng.standard_normal((len(v), 2))])


@cache
def noisy():
    return make_data(noisy_mixture)


@cache
def noisy_numbers(name):
    return numbers(name, noisy())


def permuted_points(data):
    order, test_order = (np.random.default_rng(1).permutation(600) for _ in range(2))
    return data._replace(
        codes=data.codes[order],
        factors=data.factors[order],
        test_codes=data.test_codes[test_order],
        test_factors=data.test_factors[test_order],
    )


CHANGES = {
    "points permuted": permuted_points,  # not for metrics that draw their own, as the next
    "values renamed": lambda d: d._replace(
        factors=7 - 2 * d.factors, test_factors=7 - 2 * d.test_factors
    ),
    "codes permuted": lambda d: d.with_codes(lambda c: c[:, [3, 1, 4, 0, 2]]),
    "signs flipped": lambda d: d.with_codes(lambda c: c * [1, -1, -1, 1, -1]),
    "codes shifted": lambda d: d.with_codes(lambda c: c + [0, 1, 0, -2, 3]),
    "a code scaled": lambda d: d.with_codes(lambda c: c * [1, 1000, 1, 1, 1]),
    "dead codes added": lambda d: d.with_codes(lambda c: np.pad(c, ((0, 0), (0, 2)))),
}

# Numbers that notice: the factor they change by where it is known, else None, with the reason.
NOTICE = {
    ("a code scaled", "beta_vae_score"): None,  # a penalty on weights, in units of the codes
    ("a code scaled", "beta_vae_score_train"): None,
    ("a code scaled", "sap"): None,  # the same
    ("codes shifted", "sap"): None,  # it penalises the intercept, too
    ("a code scaled", "gaussian_wasserstein_correlation"): None,  # squared units of the codes
    ("a code scaled", "gaussian_wasserstein_correlation_norm"): None,  # as shares of all variance
    ("a code scaled", "irs"): None,  # weights in units of the codes
    ("a code scaled", "infom"): None,  # next to a wide code the others are not active
    ("a code scaled", "infoc"): None,
    ("dead codes added", "mig_sup"): 5 / 7,  # a mean over all codes
    ("dead codes added", "med_completeness"): None,  # entropy to base z
    ("dead codes added", "modularity"): 5 / 7,  # a mean over all codes
    ("dead codes added", "mutual_information_score"): (5 * 4) / (7 * 6),  # over all pairs
    ("dead codes added", "dci_completeness"): None,  # entropy to base z
    ("dead codes added", "dci_forest_completeness"): None,
    ("dead codes added", "dci_lasso_completeness"): None,
    ("dead codes added", "dci_logistic_completeness"): None,
    ("dead codes added", "dci_es_size"): 5 / 7,  # f/z
    ("a code scaled", "clustering_accuracy"): None,  # distances are in units of the codes
    ("a code scaled", "clustering_nmi"): None,
    ("a code scaled", "clustering_ari"): None,
    **{
        ("a code scaled", f"knn_error_{k}{of}"): None  # distances, too
        for k in (3, 5, 10)
        for of in ("", "_factor_0", "_factor_1", "_factor_2")
    },
    ("points permuted", "clustering_accuracy"): None,  # k-means starts at other points
    ("points permuted", "clustering_nmi"): None,
    ("points permuted", "clustering_ari"): None,
    ("points permuted", "linear_probe_10"): None,  # the first points have the labels
    ("points permuted", "linear_probe_100"): None,
    **{
        ("points permuted", f"downstream_{by}_{kind}_{labels}"): None  # the same
        for by in ("gbt", "lr")
        for kind in ("accuracy", "min_accuracy")
        for labels in (10, 100)
    },
    **{
        ("a code scaled", f"downstream_lr_{kind}_{labels}"): None  # a penalty on weights
        for kind in ("accuracy", "min_accuracy")
        for labels in (10, 100)
    },
}
# Fits that end early, trees that break ties by the order of codes, and one point of 1,800.
TOLERANCE = {
    "beta_vae_score": 1e-3,
    "dci": 0.01,
    "dci_es": 0.002,  # other features are drawn for each code
    "dci_forest": 0.01,  # and other points for each tree
    "dci_logistic": 1e-5,
    "downstream_gbt": 0.01,
    "downstream_lr": 0.015,  # another strength that is about as good
    "explicitness": 1e-6,
    "linear_probe": 1e-3,
    "reduced_downstream": 0.01,
    "sap": 1e-3,
    "strong_generalization": 0.01,
    "unfairness": 0.01,
}
KEPT = [
    (name, change)
    for name, metric in sorted(TESTED.items())
    for change in CHANGES
    if metric.of != "interventions" or change not in ("points permuted", "values renamed")
]


@pytest.mark.parametrize(("name", "change"), KEPT)
def test_what_does_not_matter(name, change):
    before, after = noisy_numbers(name), numbers(name, CHANGES[change](noisy()))
    for key, value in after.items():
        factor = NOTICE.get((change, key), 1)
        if factor is not None:
            expected = pytest.approx(before[key] * factor, abs=TOLERANCE.get(name, 1e-9))
            assert value == expected, key


def rounding_errors(v, rng):
    """Collapsed codes of three neighbouring numbers of single precision around 0.1."""
    return np.float32(0.1) + np.spacing(np.float32(0.1)) * rng.integers(-1, 2, v.shape)


CASES = {
    "perfect": lambda v, rng: v,
    "perfect, collapsed": lambda v, rng: np.hstack([v, 0.01 * rng.standard_normal(v.shape)]),
    "perfect, constant": lambda v, rng: np.hstack([v, np.full_like(v, 0.1)]),
    "perfect, rounded": lambda v, rng: np.hstack([v, rounding_errors(v, rng)]).astype(np.float32),
    "twice": lambda v, rng: np.hstack([v, v]),
    "rotated": lambda v, rng: v @ ROTATION,
    "noise": lambda v, rng: rng.standard_normal((len(v), 5)),
    "constant": lambda v, rng: np.full_like(v, 0.1),
    "one code": lambda v, rng: v[:, :1],
    "one code for two": lambda v, rng: np.stack([v[:, 0] + 5 * v[:, 1], v[:, 2]], axis=1),
    "one constant code": lambda v, rng: np.full((len(v), 1), 0.1),
    "float32": lambda v, rng: (v + 0.1 * rng.standard_normal(v.shape)).astype(np.float32),
    "whole numbers": lambda v, rng: np.rint(2 * v).astype(np.int32),
}
ROTATION = np.linalg.qr(np.random.default_rng(5).standard_normal((3, 3)))[0]


@cache
def case_numbers(name, case):
    return numbers(name, make_data(CASES[case]))


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("name", sorted(TESTED))
def test_numbers_are_numbers_within_their_range(name, case):
    for key, value in case_numbers(name, case).items():
        assert isinstance(value, float), key
        beyond_1 = "gaussian", "mutual", "factor_vae_active", "jemmig_nats", "dci_es_size"
        shares = not key.startswith(beyond_1)
        least = -1 if key.endswith(("_gap", "_ari")) else -1e-12
        assert least <= value <= (1 + 1e-12 if shares else np.inf), key


PERFECT = {
    "interpretability": 1,
    "scc": 1,
    "downstream_gbt_accuracy_100": 1,
    "downstream_lr_min_accuracy_100": 1,
    "reduced_downstream_0": 1,
    "reduced_downstream_1": (0.2, 0.32),
    "strong_generalization_gap": (0, 0.02),
    "strong_generalization_ordinary": 1,
    "unfairness": 0,
    "unfairness_max": 0,
    "clustering_ari": (0.1, 0.2),  # clusters of three factors at once follow none
    "dci_es_explicitness": 1,
    "dci_es_informativeness": 1,
    "dci_forest_completeness": 1,
    "dci_forest_disentanglement": 1,
    "dci_forest_informativeness": 1,
    "dci_lasso_completeness": 1,
    "dci_lasso_disentanglement": 1,
    "dci_lasso_informativeness": 1 - 16 / 600,  # 1 − α² for the penalty α = 4/√600
    "dci_logistic_completeness": (0.998, 1),
    "dci_logistic_disentanglement": (0.998, 1),
    "dci_logistic_informativeness": 1,
    "linear_probe_100": (0.99, 1),
    "linear_probe_all": 1,
    "block_r2": 1,
    "infom": (0.95, 1),
    "infoc": (0.95, 1),
    "infoe": 1,
    "linear_r2": 1,
    "mcc_pearson": 1,
    "mcc_spearman": 1,
    "nonlinear_r2": 1,
    "sap_continuous": (0.99, 1),
    "beta_vae_score": 1,
    "dci_completeness": 1,
    "dci_disentanglement": 1,
    "dci_informativeness": 1,
    "dcimig": (0.98, 1),
    "explicitness": 1,
    "factor_vae_score": 1,
    "gaussian_total_correlation": (0, 0.01),
    "gaussian_wasserstein_correlation_norm": (0, 0.01),
    "irs": 1,
    "jemmig": (0.99, 1),
    "jemmig_nats": (0, 0.03),
    "med": (0.9, 1),
    "med_completeness": (0.9, 1),
    "med_top1": (0.9, 1),
    "mig": (0.99, 1),
    "mig_sup": (0.98, 1),
    "mig_sup_active": (0.98, 1),
    "modularity": (0.999, 1),
    "mutual_information_score": (0, 0.01),
    "sap": (0.35, 0.4),  # one linear cut of an axis does not part 5 values
}
ANSWERS = {  # by case: a value to within 0.003, or bounds
    "perfect": PERFECT,
    "perfect, collapsed": PERFECT
    | {
        "irs": (0.97, 1),
        "jemmig": (0.97, 1),
        "jemmig_nats": (0, 0.1),
        "med": (0.8, 0.9),  # what they seem to know is of all factors
        "med_completeness": (0.6, 0.8),
        "mig": (0.94, 1),
        "mig_sup": (0.49, 0.51),
        "modularity": (0.5, 0.8),  # the collapsed codes score like noise
        "mutual_information_score": (0, 0.1),
        "gaussian_total_correlation": (0, 0.03),
        "factor_vae_active": 3,
    },
    "perfect, rounded": PERFECT
    | {
        "mig_sup": (0.49, 0.51),
        "modularity": (0.5, 1),
        "gaussian_total_correlation": (0, 0.02),
        "factor_vae_active": 3,
    },
    "perfect, constant": PERFECT
    | {"mig_sup": (0.49, 0.5), "modularity": 0.5, "factor_vae_active": 3},
    "twice": {
        "reduced_downstream_1": 1,
        "reduced_downstream_2": (0.2, 0.32),
        "strong_generalization_gap": 0,
        "unfairness": 0,
        "dci_forest_disentanglement": 1,
        "dci_forest_completeness": (0.3, 0.95),
        "dci_lasso_completeness": 1,  # lasso takes one of two
        "dci_logistic_completeness": 1 - np.log(2) / np.log(6),  # two equal weights of six
        "dci_es_size": 0.5,
        "block_r2": 1,
        "infom": (0.95, 1),
        "infoc": (0.37, 0.4),
        "infoe": 1,
        "linear_r2": 1,
        "mcc_pearson": 1,
        "sap_continuous": 0,
        "mig": 0,
        "sap": 0,
        "dcimig": (0.98, 1),
        "irs": 1,
        "jemmig": (np.log(20) / (np.log(20) + np.log([3, 4, 5]))).mean(),  # no gap
        "med": (0.9, 1),
        "med_completeness": (0.55, 0.62),  # 1 − log 2 / log 6
        "mig_sup": (0.98, 1),
        "modularity": (0.999, 1),
        "dci_disentanglement": 1,
        "dci_completeness": (0.3, 0.95),
        "factor_vae_score": 1,
        "beta_vae_score": 1,
        "gaussian_total_correlation": np.inf,
    },
    "rotated": {
        "interpretability": (0.3, 0.8),
        "scc": (0.6, 0.95),
        "downstream_lr_accuracy_100": 1,
        "reduced_downstream_2": 1,  # 60 cells are told apart by one code
        "strong_generalization_gap": (0.5, 0.8),
        "unfairness": (0.03, 0.15),
        "dci_forest_disentanglement": (0, 0.5),
        "dci_lasso_disentanglement": (0, 0.3),
        "dci_logistic_disentanglement": (0, 0.3),
        "dci_es_explicitness": 1,
        "linear_probe_all": 1,
        "infom": (0, 0.3),
        "infoc": (0, 0.3),
        "infoe": 1,
        "linear_r2": 1,
        "nonlinear_r2": 1,
        "mcc_pearson": (0.78, 0.82),
        "sap_continuous": (0.3, 0.45),
        "mig": (0, 0.3),
        "mig_sup": (0, 0.3),
        "dcimig": (0, 0.3),
        "irs": (0.3, 0.7),
        "jemmig": (0, 0.4),
        "med": (0, 0.2),
        "sap": (0, 0.15),
        "dci_disentanglement": (0, 0.3),
        "dci_completeness": (0, 0.3),
        "modularity": (0, 0.8),
        "explicitness": 1,  # all is there
        "beta_vae_score": (0.8, 1),  # and these hardly notice
        "factor_vae_score": (0.8, 1),
        "gaussian_total_correlation": (0, 0.01),
    },
    "noise": {
        "interpretability": (0, 0.01),
        "scc": (0, 0.12),
        "downstream_gbt_accuracy_100": (0.2, 0.32),
        "downstream_lr_accuracy_10": (0.2, 0.32),
        "reduced_downstream_0": (0.2, 0.32),
        "strong_generalization_accuracy": (0.09, 0.15),  # (1/8 + 1/9 + 1/10) / 3 = 0.11
        "dci_forest_disentanglement": (0, 0.04),
        "dci_lasso_disentanglement": 0,
        "dci_logistic_disentanglement": (0, 0.2),
        "dci_es_explicitness": 1,  # no regressor is better than the linear one
        "dci_es_informativeness": (0, 0.01),
        "linear_probe_10": (0.2, 0.32),
        "linear_probe_all": (0.2, 0.32),
        "clustering_accuracy": (0.26, 0.34),
        "clustering_ari": (-0.01, 0.01),
        "block_r2": (0, 0.01),
        "infom": (0.4, 1),  # ratios of errors
        "infoe": (0, 0.02),
        "linear_r2": (0, 0.01),
        "nonlinear_r2": (0, 0.01),
        "mcc_pearson": (0.03, 0.12),
        "sap_continuous": (0, 0.02),
        "beta_vae_score": (0.28, 0.38),
        "factor_vae_score": (0.28, 0.38),
        "dci_disentanglement": (0, 0.01),
        "dci_completeness": (0, 0.01),
        "dci_informativeness": (0.2, 0.32),  # (1/3 + 1/4 + 1/5) / 3 = 0.26
        "explicitness": (0.47, 0.53),
        "dcimig": (0, 0.01),
        "irs": (0.1, 0.3),  # a quantile of deviations against the largest
        "jemmig": (0, 0.15),
        "med": (0, 0.01),
        "med_completeness": (0, 0.01),
        "med_top1": (0, 0.02),
        "mig": (0, 0.01),
        "mig_sup": (0, 0.01),
        "mig_sup_active": (0, 0.01),
        "sap": (0, 0.02),
        "gaussian_total_correlation": (0, 0.02),
    },
    "constant": {
        "interpretability": 0,
        "scc": 0,
        "downstream_gbt_accuracy_100": (0.2, 0.32),
        "downstream_lr_accuracy_100": (0.2, 0.32),
        "reduced_downstream_0": (0.2, 0.32),
        "strong_generalization_gap": 0,
        "unfairness": 0,
        "unfairness_worst_pair": 0,
        "dci_forest_disentanglement": 0,
        "dci_forest_completeness": 0,
        "dci_lasso_disentanglement": 0,
        "dci_lasso_completeness": 0,
        "dci_logistic_disentanglement": 0,
        "dci_logistic_completeness": 0,
        "dci_es_explicitness": 1,
        "dci_es_informativeness": 0,
        "linear_probe_all": (0.2, 0.32),
        "clustering_ari": 0,
        "clustering_nmi": 0,
        "block_r2": 0,
        "infom": 0,
        "infoc": 0,
        "infoe": 0,
        "linear_r2": 0,
        "nonlinear_r2": 0,
        "mcc_pearson": 0,
        "mcc_spearman": 0,
        "sap_continuous": 0,
        "beta_vae_score": (0.28, 0.38),
        "factor_vae_score": 0,
        "factor_vae_active": 0,
        "dci_disentanglement": 0,
        "dci_completeness": 0,
        "dci_informativeness": (0.2, 0.32),
        "explicitness": 0.5,
        "dcimig": 0,
        "irs": 0,
        "jemmig": (np.log(20) / (np.log(20) + np.log([3, 4, 5]))).mean(),
        "jemmig_nats": np.log([3, 4, 5]).mean(),
        "med": 0,
        "med_completeness": 0,
        "med_top1": 0,
        "mig": 0,
        "mig_sup": 0,
        "mig_sup_active": 0,
        "modularity": 0,
        "sap": 0,
        "gaussian_total_correlation": 0,
        "gaussian_wasserstein_correlation": 0,
        "gaussian_wasserstein_correlation_norm": 0,
        "mutual_information_score": 0,
    },
    "one code": {
        "interpretability": 1 / 3,
        "scc": (0.33, 0.41),
        "reduced_downstream_0": (0.45, 0.52),  # (1 + 1/4 + 1/5) / 3 = 0.48
        "reduced_downstream_1": (0.2, 0.32),
        "dci_lasso_completeness": 1 / 3,  # 0 of the two factors that are in no code
        "dci_es_size": 3,
        "block_r2": 1 / 3,
        "infom": (0.95, 1),
        "infoc": 1,
        "infoe": 1 / 3,
        "linear_r2": 1 / 3,
        "nonlinear_r2": 1 / 3,
        "mcc_pearson": 1 / 3,
        "sap_continuous": 1 / 3,
        "beta_vae_score": (0.6, 0.7),  # its factor is told, the other two are not: 2/3
        "factor_vae_score": (0.28, 0.38),
        "dci_completeness": 1,
        "dcimig": np.log(3) / np.log(3 * 4 * 5),
        "irs": 1,
        "med": 0,  # shares of what is known of each factor: all are 1
        "med_completeness": 1,
        "mig": (0.33, 0.34),
        "mig_sup": (0.98, 1),
        "modularity": (0.999, 1),
    },
    "one code for two": {
        "dci_forest_disentanglement": 2 / 3 * (1 - np.log(2) / np.log(3)) + 1 / 3,
        "dci_forest_completeness": 1,
        "block_r2": 2 / 3,  # it is assigned to one of them
        "infom": (0.59, 0.63),  # the first code halves it: (1/4 + 1) / 2
        "infoc": (0.97, 1),
        "linear_r2": 2 / 3,
        "nonlinear_r2": 1,
        "mcc_pearson": (5 / np.sqrt(26) + 1) / 3,
        "sap_continuous": (0.66, 0.67),
        # Shares of importance 2/3 and 1/3; the first code is spread over two factors of three.
        "dci_disentanglement": 2 / 3 * (1 - np.log(2) / np.log(3)) + 1 / 3,
        "dci_completeness": 1,
        "dci_informativeness": 1,
        "dcimig": np.log(4 / 3 * 5) / np.log(3 * 4 * 5),
        "jemmig": (0.79, 0.81),
        "med": (0.46, 0.6),
        "mig": (0.98, 1),  # each factor is in one code only
        "mig_sup": (0.49, 0.51),
        "modularity": (0.75, 0.9),
        "factor_vae_score": (0.6, 0.7),
    },
}


@pytest.mark.parametrize(("case", "key"), [(c, k) for c, keys in ANSWERS.items() for k in keys])
def test_known_cases(case, key):
    value = next(
        found[key] for name in sorted(TESTED) if key in (found := case_numbers(name, case))
    )
    expected = ANSWERS[case][key]
    low, high = expected if isinstance(expected, tuple) else (expected - 0.003, expected + 0.003)
    assert low <= value <= high


@pytest.mark.parametrize("name", sorted(TESTED))
def test_codes_that_are_not_finite_are_refused(name):
    bad = noisy().with_codes(lambda c: np.where(np.arange(5) == 2, np.nan, c))
    with pytest.raises(ValueError, match="(codes|mean) must be finite.* column 2"):
        numbers(name, bad)
    if TESTED[name].of == "split":
        with pytest.raises(ValueError, match="test codes must be finite"):
            numbers(name, noisy()._replace(test_codes=bad.test_codes))
