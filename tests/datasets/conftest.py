"""What tests of published datasets share: small grids, and a cache of their own."""

import numpy as np
import pytest

from soberlook.datasets import cache
from soberlook.registry import BadInput


@pytest.fixture
def shrunk(monkeypatch, tmp_path):
    """A published dataset on a grid as small as the test says, with the test's own cache."""
    monkeypatch.setenv("SOBERLOOK_CACHE", str(tmp_path / "cache"))

    def shrink(cls, **attributes):
        for name, value in attributes.items():
            monkeypatch.setattr(cls, name, value)
        return cls()

    return shrink


@pytest.fixture
def imported():
    """The images [*grid, *image_shape] that a dataset has after files, by name, were imported."""

    def bring(dataset, files):
        assert "is not here" in dataset.missing()
        dataset.bring(files)
        assert dataset.missing() == ""
        cache.verify(dataset)
        images = np.array(cache.images_of(dataset))
        assert images.dtype == np.uint8
        return images.reshape(*dataset.grid, *dataset.image_shape)

    return bring


@pytest.fixture
def refused():
    """Importing these files is one line of `BadInput`, in which `match` is found, and no more."""

    def refuse(dataset, files, match):
        with pytest.raises(BadInput, match=match) as error:
            dataset.bring(files)
        assert "\n" not in str(error.value)
        assert "is not here" in dataset.missing()

    return refuse
