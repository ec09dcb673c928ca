import numpy as np
import pytest
from scipy.special import entr

from soberlook.metrics import clustering
from soberlook.metrics.clustering import k_means, matched_accuracy

KEYS = [f"clustering_{key}" for key in ("accuracy", "nmi", "ari")]


def scores(codes, factors, **options):
    found = clustering(codes, factors, **options)
    assert list(found) == KEYS
    return list(found.values())


@pytest.fixture
def blobs():
    """codes [900, 4] around the corners of a cube, and which corner."""
    rng = np.random.default_rng(0)
    corner = rng.integers(8, size=900)
    centres = 10 * (corner[:, None] >> np.arange(3) & 1)
    return np.hstack([centres, np.zeros((900, 1))]) + rng.standard_normal((900, 4)), corner[:, None]


def test_separate_clusters_whatever_their_names(blobs):
    codes, corner = blobs
    assert scores(codes, corner) == pytest.approx([1, 1, 1])
    renamed = np.random.default_rng(1).permutation(8)[corner]
    assert scores(codes, renamed) == pytest.approx([1, 1, 1])
    noisy = codes + 4 * np.random.default_rng(2).standard_normal(codes.shape)
    assert scores(noisy, renamed) == pytest.approx(scores(noisy, corner))
    assert scores(noisy, corner)[0] < 0.95


def test_halves_of_a_cube(blobs):
    codes, corner = blobs
    face = corner >> 2  # k = 2: a cut through the cube, along one of its axes
    accuracy, nmi, ari = scores(codes * [1, 1, 2, 1], face)
    assert (accuracy, nmi, ari) == pytest.approx((1, 1, 1))
    both = np.hstack([face, corner & 1])  # and the other is at chance
    assert scores(codes * [1, 1, 2, 1], both) == pytest.approx([0.75, 0.5, 0.5], abs=0.03)


def test_random_labels(blobs):
    codes, corner = blobs
    labels = np.random.default_rng(3).permutation(corner)
    accuracy, nmi, ari = scores(codes, labels)
    assert abs(ari) < 0.01
    assert 1 / 8 < accuracy < 0.2
    assert 0 < nmi < 0.05  # not corrected for chance


def test_constant_codes_are_one_cluster():
    factor = np.repeat([0, 1, 2], [50, 30, 20])[:, None]
    assert scores(np.full((100, 2), 0.1), factor) == [0.5, 0, 0]
    two = np.repeat([0.0, 1.0], 50)[:, None]  # fewer different codes than clusters
    # I(c; v) = H(c) = ln 2. Of 4,950 pairs 2,450 are together in c, 1,850 in v and in both.
    nmi = 2 * np.log(2) / (np.log(2) + entr([0.5, 0.3, 0.2]).sum())
    chance = 2_450 * 1_850 / 4_950
    ari = (1_850 - chance) / ((2_450 + 1_850) / 2 - chance)
    assert scores(two, factor) == pytest.approx([0.8, nmi, ari])


def test_matching_of_clusters_to_values():
    factor = np.array([0, 0, 0, 1, 1, 1, 2, 2])
    assert matched_accuracy(factor, np.array([2, 2, 2, 0, 0, 0, 1, 1])) == 1
    # Cluster 0 has most of values 0 and 1, but can be only one of them.
    assert matched_accuracy(factor, np.array([0, 0, 1, 0, 0, 0, 2, 2])) == pytest.approx(6 / 8)
    assert matched_accuracy(factor, np.zeros(8, int)) == 3 / 8


def test_collapsed_codes_do_not_matter_and_seeds_agree(blobs):
    codes, corner = blobs
    rng = np.random.default_rng(4)
    collapsed = np.hstack([codes, 0.01 * rng.standard_normal((900, 20))])
    assert scores(collapsed, corner) == pytest.approx([1, 1, 1])
    state = np.random.get_state()[1].copy()
    noise = rng.standard_normal((500, 3))
    assert (k_means(noise, 7) == k_means(noise, 7)).all()
    assert (k_means(noise, 7) != k_means(noise, 7, seed=1)).any()
    assert (np.random.get_state()[1] == state).all()


def test_bad_arrays_are_named(blobs):
    codes, corner = blobs
    with pytest.raises(ValueError, match="codes must be finite"):
        clustering(codes * np.nan, corner)
    with pytest.raises(ValueError, match="factors must vary"):
        clustering(codes, corner * 0)
