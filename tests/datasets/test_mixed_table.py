import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import stats

from soberlook.datasets import make
from soberlook.datasets.columns import decode


def values(**settings):
    """The five columns of the whole table."""
    table = make("mixed_table", **settings)
    rows = table.observe(table.load(), jnp.arange(table.size), jax.random.key(0))
    return [np.asarray(value) for value in decode(table.columns, rows)]


def counts(a, b):
    """How often categories come together."""
    table = np.zeros((a.max() + 1, b.max() + 1))
    np.add.at(table, (a, b), 1)
    return table


@pytest.mark.parametrize("variant", ["shared", "independent", "duplicated"])
def test_every_column_alone_is_uniform(variant):
    *numbers, three, four = values(variant=variant)
    for number in numbers:
        assert stats.kstest(number, "uniform").pvalue > 0.001
    for category, classes in ((three, 3), (four, 4)):
        assert stats.chisquare(np.bincount(category, minlength=classes)).pvalue > 0.001


@pytest.mark.parametrize("noise", [0.0, 0.3, 2.0])
def test_numbers_correlate_as_stated(noise):
    numbers = np.array(values(noise=noise)[:3])
    cosines = np.array([[1, 0.5, -0.5], [0.5, 1, 0.5], [-0.5, 0.5, 1]])
    correlations = cosines / (1 + noise**2)
    # Of normal scores with correlation ρ the uniforms have 6/π arcsin(ρ/2) (Pearson, 1907).
    expected = 6 / np.pi * np.arcsin(correlations / 2)
    found = np.corrcoef(numbers)
    off = ~np.eye(3, dtype=bool)
    np.testing.assert_allclose(found[off], expected[off], atol=0.03)


def test_two_numbers_give_the_third_where_there_is_no_noise():
    scores = stats.norm.ppf(np.array(values(noise=0.0)[:3], float).clip(1e-6, 1 - 1e-6))
    np.testing.assert_allclose(scores[1], scores[0] + scores[2], atol=0.02)


def test_categories_are_the_sectors_of_the_hidden_point():
    n1, n2, _, three, four = values(noise=0.0)
    x, at_60 = stats.norm.ppf(np.array([n1, n2], float).clip(1e-6, 1 - 1e-6))
    angle = np.arctan2((at_60 - x / 2) / np.sqrt(3 / 4), x)
    edges = [np.abs(np.sin(angle * 3 / 2)), np.abs(np.sin((angle - 0.5) * 2))]  # 0 at the edges
    for category, turn, classes, edge in ((three, 0, 3, edges[0]), (four, 0.5, 4, edges[1])):
        expected = ((angle - turn) % (2 * np.pi)) // (2 * np.pi / classes)
        np.testing.assert_array_equal(category[edge > 0.01], expected[edge > 0.01])


def test_categories_tell_of_numbers_only_where_they_share_what_is_hidden():
    for variant, told in (("shared", True), ("independent", False)):
        *numbers, three, four = values(variant=variant)
        for number in numbers:
            groups = [number[three == k] for k in range(3)]
            assert (stats.kruskal(*groups).pvalue < 1e-9) == told
        assert (stats.chi2_contingency(counts(three, four)).pvalue < 1e-9) == told


def test_independent_columns_say_nothing_of_each_other():
    *numbers, three, four = values(variant="independent")
    assert np.abs(np.corrcoef(numbers) - np.eye(3)).max() < 0.03  # 4 / √16,384
    for number in numbers:
        for category, classes in ((three, 3), (four, 4)):
            groups = [number[category == k] for k in range(classes)]
            assert stats.kruskal(*groups).pvalue > 0.001
    assert stats.chi2_contingency(counts(three, four)).pvalue > 0.001


def test_a_duplicated_column_is_the_first_and_the_rest_as_it_was():
    n1, n2, n3, *categories = values(variant="duplicated")
    np.testing.assert_array_equal(n1, n2)
    shared = values()
    assert (shared[0] != shared[1]).any()
    for found, expected in zip([n1, n3, *categories], [shared[0], *shared[2:]], strict=True):
        np.testing.assert_array_equal(found, expected)
