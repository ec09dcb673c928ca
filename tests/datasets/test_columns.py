import jax.numpy as jnp
import numpy as np

from soberlook.datasets.columns import columns, decode, encode, width

COLUMNS = columns(age="real", kind=3, member="binary", place=2)


def test_columns_lie_one_behind_the_other():
    assert [c.name for c in COLUMNS] == ["age", "kind", "member", "place"]
    assert [c.kind for c in COLUMNS] == ["real", "categorical", "binary", "categorical"]
    assert [c.classes for c in COLUMNS] == [1, 3, 2, 2]
    assert [(c.slice.start, c.slice.stop) for c in COLUMNS] == [(0, 1), (1, 4), (4, 5), (5, 7)]
    assert width(COLUMNS) == 7


def test_rows_are_the_values_and_give_them_back():
    values = [jnp.array([0.25, 1.0]), jnp.array([2, 0]), jnp.array([1, 0]), jnp.array([0, 1])]
    rows = encode(COLUMNS, values)
    assert rows.dtype == jnp.float32
    np.testing.assert_array_equal(rows, [[0.25, 0, 0, 1, 1, 1, 0], [1, 1, 0, 0, 0, 0, 1]])
    for value, found in zip(values, decode(COLUMNS, rows), strict=True):
        np.testing.assert_array_equal(found, value)


def test_probabilities_are_decoded_to_the_most_likely():
    row = jnp.array([[0.7, 0.2, 0.5, 0.3, 0.51, 0.4, 0.6]])
    found = [value.item() for value in decode(COLUMNS, row)]
    assert found[1:] == [1, 1, 1] and abs(found[0] - 0.7) < 1e-6
