import numpy as np
import pytest
from PIL import Image

from soberlook.datasets.background import PICTURES, background
from soberlook.registry import BadInput


@pytest.fixture
def picture(tmp_path):
    """A file of so many pixels whose red grows from left to right and green downwards."""

    def save(width, height, mode="RGB", name="picture.png"):
        red, green = np.meshgrid(np.linspace(0, 255, width), np.linspace(0, 255, height))
        pixels = np.stack([red, green, np.full_like(red, 51)], axis=-1).astype(np.uint8)
        Image.fromarray(pixels).convert(mode).save(tmp_path / name)
        return str(tmp_path / name)

    return save


def test_pictures_fit_into_the_studys_size_and_keep_their_proportions(picture):
    for size, expected in (((700, 548), (274, 350)), ((700, 200), (100, 350))):
        found = background(picture(*size), 64, 64)
        assert found.shape == (*expected, 3) and found.dtype == np.uint8
        red, green = np.meshgrid(*(np.linspace(0, 255, n) for n in expected[::-1]))
        assert np.abs(found[..., 0] - red).max() < 3 and np.abs(found[..., 1] - green).max() < 3
        assert (found[..., 2] == 51).all()
    assert background(picture(700, 548), 16, 16).shape == (68, 87, 3)


def test_small_pictures_stay_as_they_are(picture):
    file = picture(90, 70)
    np.testing.assert_array_equal(background(file, 64, 64), np.asarray(Image.open(file)))


@pytest.mark.parametrize("mode", ["L", "RGBA", "P"])
def test_any_kind_of_picture_is_read_as_rgb(picture, mode):
    assert background(picture(100, 100, mode), 64, 64).shape == (100, 100, 3)


@pytest.mark.parametrize("name", PICTURES)
def test_scikit_images_pictures_are_there_without_a_network(name):
    found = background(name, 64, 64)
    assert found.shape[0] > 64 and found.shape[1] > 64 and found.std() > 20


def test_what_is_no_picture_is_one_clear_line(picture, tmp_path):
    (tmp_path / "text.png").write_text("<html>")
    half = tmp_path / "half.png"
    picture(300, 300)
    half.write_bytes((tmp_path / "picture.png").read_bytes()[:200])
    for given, message in (
        ("astronut", "one of astronaut, .*'astronut': No such file"),
        (str(tmp_path), "Is a directory"),
        (str(tmp_path / "text.png"), "cannot identify image file"),
        (str(half), "truncated"),
        (picture(64, 100, name="small.png"), "must be more than 64×64 pixels .* found 64×100"),
        (picture(1000, 100, name="flat.png"), "found 350×35"),
    ):
        with pytest.raises(BadInput, match=message) as error:
            background(given, 64, 64)
        assert "\n" not in str(error.value)
