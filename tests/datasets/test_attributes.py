import numpy as np
import pytest

from soberlook.datasets import make_view
from soberlook.registry import BadInput


def test_attributes_are_the_named_factors_in_their_order(numbers):
    dataset = numbers()
    factors = dataset.draw("factors")
    np.testing.assert_array_equal(dataset.draw("attributes", names=("c", "a")), factors[:, [2, 0]])
    np.testing.assert_array_equal(dataset.draw("attributes"), factors)


def test_attributes_are_of_the_images_and_standardised(numbers):
    dataset = numbers()
    found = dataset.draw("attributes", names=("b",))
    b = dataset.values(dataset.draw("images"))[:, 1]
    np.testing.assert_allclose(found[:, 0], (b - 1.5) / np.sqrt(1.25), rtol=1e-6)
    assert found.dtype == np.float32 and make_view("attributes").images == 0
    assert abs(found.mean()) < 0.005 and abs(found.std() - 1) < 0.005


def test_attributes_that_are_not_matched_are_those_of_others(numbers):
    dataset = numbers()
    found, shuffled = (dataset.draw("attributes", matched=m) for m in (True, False))
    np.testing.assert_array_equal(np.unique(found, axis=0), np.unique(shuffled, axis=0))
    assert found.shape == shuffled.shape
    assert all(
        abs(np.corrcoef(a, b)[0, 1]) < 0.05 for a, b in zip(found.T, shuffled.T, strict=True)
    )


def test_bad_attributes_are_one_clear_line(numbers_of):
    def message(names, sizes=(3, 4, 5)):
        with pytest.raises(BadInput) as error:
            make_view(("attributes", {"names": names})).check(numbers_of(sizes)())
        assert "\n" not in str(error.value)
        return str(error.value)

    assert "unknown factor of cell_numbers 'bb': did you mean 'b'?" in message(["bb"])
    assert "factor 'b' is named 2 times" in message(["b", "b"])
    assert "names must be a list, found 'b'" in message("b")
    assert "factor 'b' of 'cell_numbers' has one value only" in message(["b"], sizes=(3, 1, 5))
    make_view(("attributes", {"names": ("a", "c")})).check(numbers_of((3, 1, 5))())
