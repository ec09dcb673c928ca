import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import stats
from scipy.cluster.hierarchy import cophenet, linkage
from scipy.spatial.distance import squareform

from soberlook.datasets import make
from soberlook.registry import BadInput


def distance_by_walking(a, b):
    """Edges between two leaves: up from both, until they meet."""
    steps = 0
    while a != b:
        a, b, steps = a // 2, b // 2, steps + 2
    return steps


@pytest.mark.parametrize("depth", [1, 3, 5])
def test_distances_are_those_of_walking_the_tree(depth):
    tree = make("class_tree", depth=depth)
    leaves = range(2**depth)
    expected = [[distance_by_walking(a, b) for b in leaves] for a in leaves]
    np.testing.assert_array_equal(tree.distances(), expected)


@pytest.mark.parametrize("depth, dimensions", [(1, 4), (4, 64), (5, 64), (6, 978)])
def test_means_correlate_by_the_share_of_common_edges(depth, dimensions):
    tree = make("class_tree", depth=depth, dimensions=dimensions)
    expected = 1 - tree.distances() / (2 * depth)
    means = tree.means()
    np.testing.assert_allclose(np.corrcoef(means), expected, atol=1e-9)
    np.testing.assert_allclose(means.mean(axis=1), 0, atol=1e-9)
    np.testing.assert_allclose(means.var(axis=1), 1, rtol=1e-9)


def test_clustering_the_means_gives_the_tree():
    tree = make("class_tree")
    found = cophenet(linkage(tree.means(), "average")).round(6)  # equal ones are ties
    rank = stats.spearmanr(found, squareform(tree.distances())).statistic
    np.testing.assert_allclose(rank, 1, atol=1e-9)


@pytest.mark.parametrize("noise", [0.0, 0.5, 2.0])
def test_rows_are_the_mean_and_noise(noise):
    tree = make("class_tree", noise=noise)
    x = tree.observe(tree.load(), jnp.arange(tree.size), jax.random.key(0))
    rows = np.asarray(x, float).reshape(tree.classes, 256, 64)
    rest = rows - tree.means()[:, None]
    if noise == 0:
        np.testing.assert_allclose(rest, 0, atol=1e-5)
        return
    assert stats.kstest(rest.ravel()[::5] / noise, "norm").pvalue > 0.001
    covariance = np.cov(rest.reshape(-1, 64).T) / noise**2
    assert np.abs(covariance - np.eye(64)).max() < 0.12  # 4,096 rows; 5 standard errors, of 0.022
    # Rows are draws of their own, in a class and between classes.
    assert abs(np.corrcoef(rest[:, :-1].ravel(), rest[:, 1:].ravel())[0, 1]) < 0.01
    assert abs(np.corrcoef(rest[:-1].ravel(), rest[1:].ravel())[0, 1]) < 0.01


def test_a_tree_needs_a_dimension_an_edge():
    assert make("class_tree", depth=5, dimensions=63).classes == 32
    with pytest.raises(BadInput, match="dimensions must be > 62, the edges .* depth 5, found 62"):
        make("class_tree", depth=5, dimensions=62)
