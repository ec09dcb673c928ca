"""MPI3D from made files of both published layouts."""

import tracemalloc

import numpy as np
import pytest

from soberlook.datasets import MPI3DReal, MPI3DRealistic, MPI3DToy

REST = (2, 3, 3, 5, 10)
SHAPE = (2, 4, 3)


def draw(values):
    """Images [k, 2, 4, 3] whose pixels are the values, each in a place of its own."""
    images = np.zeros((len(values), 24), np.uint8)
    images[:, 3:24:3] = 20 * values + np.arange(7)
    return images.reshape(-1, *SHAPE)


def whole(colors, shapes):
    """All images of a file with these colours and shapes, in the order of the cells."""
    return draw(np.indices((colors, shapes, *REST)).reshape(7, -1).T)


@pytest.fixture(params=[MPI3DToy, MPI3DRealistic, MPI3DReal], ids=lambda cls: cls.name)
def mpi3d(request, shrunk):
    sizes = request.param.factor_sizes[:2] + REST
    return shrunk(request.param, factor_sizes=sizes, image_shape=SHAPE)


def name_of(dataset):
    (file,) = dataset.source.files
    return file.name


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_every_image_is_at_its_cell(mpi3d, imported, tmp_path, save):
    colors, shapes = mpi3d.factor_sizes[:2]
    save(tmp_path / "a.npz", images=whole(colors, shapes))
    images = imported(mpi3d, {name_of(mpi3d): tmp_path / "a.npz"})
    expected = whole(colors, shapes).reshape(images.shape)
    np.testing.assert_array_equal(images, expected)


@pytest.mark.parametrize("cls", [MPI3DToy, MPI3DRealistic])
def test_of_six_colours_and_shapes_the_four_of_the_challenge_are_read(
    cls, shrunk, imported, tmp_path
):
    dataset = shrunk(cls, factor_sizes=(4, 4, *REST), image_shape=SHAPE)
    np.savez(tmp_path / "a.npz", images=whole(6, 6))
    images = imported(dataset, {name_of(dataset): tmp_path / "a.npz"})
    published = ("white", "green", "red", "blue", "brown", "olive")
    colors = [published.index(color) for color in ("green", "red", "blue", "brown")]
    published = ("cone", "cube", "cylinder", "hexagonal", "pyramid", "sphere")
    shapes = [published.index(shape) for shape in ("cone", "cube", "hexagonal", "sphere")]
    expected = whole(6, 6).reshape(6, 6, *REST, *SHAPE)[np.ix_(colors, shapes)]
    np.testing.assert_array_equal(images, expected)


def test_the_file_is_never_in_memory_as_a_whole(shrunk, tmp_path):
    dataset = shrunk(MPI3DToy, factor_sizes=(4, 4, *REST), image_shape=(64, 64, 3))
    images = np.zeros((dataset.size, 64, 64, 3), np.uint8)
    np.savez_compressed(tmp_path / "a.npz", images=images)
    tracemalloc.start()
    seen = sum(len(block) for _, block in dataset.read({"a": tmp_path / "a.npz"}))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert seen == dataset.size == 14_400 and images.nbytes == 176_947_200
    assert peak < 0.3 * images.nbytes


@pytest.mark.parametrize(
    "arrays, match",
    [
        ({"imgs": whole(6, 6)}, "expected an array 'images', found imgs"),
        ({"images": whole(6, 6)[:-1]}, "found 32,399"),
        ({"images": whole(5, 6)}, "images, found 27,000"),
        ({"images": whole(6, 6)[:, :1]}, r"uint8 \[n, 2, 4, 3\] in 'images', found uint8"),
        ({"images": whole(6, 6) / 255}, "in 'images', found float64"),
        ({"images": np.array([{}] * 3)}, "found Python objects, which are not read"),
    ],
)
def test_other_layouts_are_one_clear_line(mpi3d, refused, tmp_path, arrays, match):
    np.savez(tmp_path / "a.npz", **arrays)
    refused(mpi3d, {name_of(mpi3d): tmp_path / "a.npz"}, match)


def test_numbers_of_images_are_said(shrunk, refused, tmp_path):
    dataset = shrunk(MPI3DToy, factor_sizes=(4, 4, *REST), image_shape=SHAPE)
    np.savez(tmp_path / "a.npz", images=whole(2, 2))
    match = "expected 14,400 or 32,400 images, found 3,600"
    refused(dataset, {name_of(dataset): tmp_path / "a.npz"}, match)


def test_a_truncated_file_is_one_clear_line(mpi3d, refused, tmp_path):
    np.savez_compressed(tmp_path / "a.npz", images=whole(6, 6))
    content = (tmp_path / "a.npz").read_bytes()
    (tmp_path / "a.npz").write_bytes(content[: len(content) // 2])
    refused(mpi3d, {name_of(mpi3d): tmp_path / "a.npz"}, "truncated or damaged")
