import numpy as np
import pytest

from soberlook.metrics import Representation
from soberlook.metrics.interventions import check_grid, parts, with_factor


def test_one_factor_comes_from_the_donors():
    sizes, rng = (3, 6, 4, 2), np.random.default_rng(0)
    cells, donors = rng.integers(np.prod(sizes), size=(2, 50, 7))
    factor = rng.integers(4, size=(50, 1))
    found = with_factor(sizes, cells, factor, donors)
    expected = np.stack(np.unravel_index(cells, sizes))
    donated = np.stack(np.unravel_index(donors, sizes))
    for row, k in enumerate(factor[:, 0]):
        expected[k, row] = donated[k, row]
    np.testing.assert_array_equal(found, np.ravel_multi_index(tuple(expected), sizes))


def test_parts_are_small_and_complete():
    cells = np.arange(2_402).reshape(1_201, 2)
    found = parts(cells)
    assert max(map(len, found)) <= 500
    np.testing.assert_array_equal(np.concatenate(found), cells)


@pytest.mark.parametrize(
    ("codes", "message"),
    [
        (np.full((6, 2), np.nan), "representation.mean must be finite.* column 0"),
        (np.zeros((5, 2)), "representation.mean must have 6 rows, found 5"),
    ],
)
def test_bad_codes_are_named(codes, message):
    with pytest.raises(ValueError, match=message):
        check_grid(Representation(codes, codes, codes[:, 0], (2, 3)))
