"""Cars3D from a made archive of the published layout, in an order of its own."""

import io
import tarfile

import numpy as np
import pytest
import scipy.io
from PIL import Image

from soberlook.datasets import Cars3D

SIZES = (4, 24, 5)
NAMES = [f"data/cars/car_{number:03d}_mesh.mat" for number in (1, 2, 10, 30, 199)]
(FILE,) = (file.name for file in Cars3D.source.files)


def draw(car):
    """What MATLAB has of a car, [128, 128, 3, 24, 4]: bands of sixteen rows have a grey each."""
    azimuth, elevation = np.indices((24, 4))
    bands = np.stack([40 * elevation, 10 * azimuth, 50 * np.full_like(azimuth, car)])
    bands = np.concatenate([bands, np.zeros((5, 24, 4), int)])
    rows = np.repeat(bands, 16, axis=0)[:, None, None]
    channels = np.array([1, 2, 3])[:, None, None]
    return (rows + np.zeros((128, 1, 1, 1), int) + channels).astype(np.uint8)


def mat(**arrays):
    file = io.BytesIO()
    scipy.io.savemat(file, arrays, do_compression=True)
    return file.getvalue()


def write(path, members):
    with tarfile.open(path, "w:gz", compresslevel=1) as archive:
        for name, content in members:
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return {FILE: path}


@pytest.fixture(scope="module")
def members():
    cars = [
        (name, mat(im=draw(car), mask=np.ones((128, 128, 24, 4), np.uint8)))
        for car, name in enumerate(NAMES)
    ]
    others = [("data/cars/list.txt", b"car_001_mesh"), ("data/sprites/s.mat", mat(sprites=1.0))]
    return [cars[i] for i in (3, 0, 4)] + others + [cars[i] for i in (2, 1)]


@pytest.fixture
def cars3d(shrunk):
    return shrunk(Cars3D, factor_sizes=SIZES)


def test_every_image_is_at_its_cell_and_cars_are_in_the_order_of_their_names(
    cars3d, imported, members, tmp_path
):
    images = imported(cars3d, write(tmp_path / FILE, members))
    values = [values[..., None, None, None] for values in np.indices(SIZES)]
    # In the middle of its band a factor's grey is what was drawn, whatever the filter.
    for band, (step, axis) in enumerate(((40, 0), (10, 1), (50, 2))):
        found = images[..., 8 * band + 3 : 8 * band + 5, :, :]
        np.testing.assert_array_equal(
            found, step * values[axis] + np.ones((2, 64, 1), int) * [1, 2, 3]
        )
    for cell in ((0, 0, 0), (3, 17, 2), (1, 23, 4)):
        elevation, azimuth, car = cell
        one = Image.fromarray(np.ascontiguousarray(draw(car)[..., azimuth, elevation]))
        one.thumbnail((64, 64), Image.Resampling.LANCZOS)
        np.testing.assert_array_equal(images[cell], np.asarray(one))


def test_nothing_is_written_but_the_cache(cars3d, imported, members, tmp_path):
    imported(cars3d, write(tmp_path / FILE, members))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["cache", FILE]


@pytest.mark.parametrize(
    "change, match",
    [
        (lambda m: m[1:], "expected 5 files car_…_mesh.mat, found 4"),
        (lambda m: [*m, ("data/cars/car_200_mesh.mat", m[0][1])], "found 6"),
        (lambda m: [(NAMES[3], mat(image=draw(0))), *m[1:]], "expected an array 'im', found image"),
        (
            lambda m: [(NAMES[3], mat(im=draw(0)[..., 0])), *m[1:]],
            r"expected uint8 \[128, 128, 3, 24, 4\] in 'im', found uint8 \[128, 128, 3, 24\]",
        ),
        (lambda m: [(NAMES[3], mat(im=draw(0) / 255)), *m[1:]], "in 'im', found float64"),
        (lambda m: [(NAMES[3], m[0][1][:5000]), *m[1:]], "car_030.*whole .mat file"),
        (
            lambda m: [(NAMES[3], mat(im=np.array([{}], object))), *m[1:]],
            "expected numbers in 'im'",
        ),
        (lambda m: [*m, ("../../car_201_mesh.mat", m[0][1])], "inside the archive's folder"),
        (lambda m: [*m[:-1], m[0]], "two images for"),
    ],
)
def test_other_layouts_are_one_clear_line(cars3d, refused, members, tmp_path, change, match):
    refused(cars3d, write(tmp_path / FILE, change(members)), match)


def test_a_truncated_archive_is_one_clear_line(cars3d, refused, members, tmp_path):
    files = write(tmp_path / FILE, members)
    files[FILE].write_bytes(files[FILE].read_bytes()[:-3000])
    refused(cars3d, files, "truncated or damaged")
