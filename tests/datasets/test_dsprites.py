"""dSprites from made files of both published layouts."""

import h5py
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from soberlook.datasets import DSprites, hdf5
from soberlook.registry import BadInput

SIZES = (3, 6, 40, 2, 3)  # 4,320 images: more than a block
(HDF5,) = (file.name for file in DSprites.source.files)
VALUES = np.indices(SIZES).reshape(5, -1).T
CLASSES = np.pad(VALUES, ((0, 0), (1, 0)))  # the colour's first
RNG = np.random.default_rng(0)


def draw(values):
    """Images of 0 and 1 [k, 64, 64]: squares say each factor's value in binary, a row a factor."""
    images = np.zeros((len(values), 64, 64), np.uint8)
    for axis in range(5):
        for bit in range(6):
            square = images[:, 8 * axis : 8 * axis + 8, 8 * bit : 8 * bit + 8]
            square[:] = (values[:, axis] >> bit & 1)[:, None, None]
    images[:, 63, 63] = 1
    return images


def write_hdf5(path, images=None, classes=CLASSES, **storage):
    images = draw(VALUES) if images is None else images
    with h5py.File(path, "w") as file:
        file.create_dataset("imgs", data=images, **storage)
        file["latents/classes"] = classes
        file["latents/values"] = classes.astype(float)
    return {HDF5: path}


def write_npz(path, **changes):
    objects = np.array({"title": "dSprites"}, object)  # as published: pickled, and never read
    arrays = {"imgs": draw(VALUES), "latents_classes": CLASSES, "metadata": objects} | changes
    np.savez_compressed(
        path, **{name: array for name, array in arrays.items() if array is not None}
    )
    return {HDF5: path}


@pytest.fixture
def dsprites(shrunk):
    return shrunk(DSprites, factor_sizes=SIZES)


def check(images):
    expected = 255 * draw(VALUES).reshape(*SIZES, 64, 64, 1)
    np.testing.assert_array_equal(images, expected)


@pytest.mark.parametrize(
    "storage",
    [{}, {"chunks": (1500, 4, 8), "compression": "gzip"}, {"chunks": (4320, 64, 1)}],
    ids=["plain", "small chunks", "one chunk of rows"],
)
def test_every_image_is_at_its_cell(dsprites, imported, tmp_path, storage):
    check(imported(dsprites, write_hdf5(tmp_path / "a.hdf5", **storage)))


def test_labels_say_where_an_image_belongs_not_its_place_in_the_file(dsprites, imported, tmp_path):
    order = RNG.permutation(len(VALUES))
    files = write_hdf5(tmp_path / "a.hdf5", draw(VALUES)[order], CLASSES[order])
    check(imported(dsprites, files))


def test_the_npz_file_has_the_same_images_and_its_objects_are_not_read(
    dsprites, imported, tmp_path
):
    check(imported(dsprites, write_npz(tmp_path / "a.npz")))


def test_bits_are_the_same_images(dsprites, imported, tmp_path):
    imported(dsprites, write_hdf5(tmp_path / "a.hdf5"))
    bits = DSprites(bits=True)
    cells = jnp.array([0, 17, 4319])
    data = bits.load()
    assert data.shape == (4320, 512)
    x = bits.observe(data, cells, jax.random.key(0))
    np.testing.assert_array_equal(x[..., 0], draw(VALUES[np.array(cells)]))


@pytest.mark.parametrize(
    "chunk, starts", [(1500, [0]), (4320, [0]), (512, [0, 4096]), (900, [0]), (2048, [0, 4096])]
)
def test_blocks_are_whole_chunks(tmp_path, chunk, starts):
    path = write_hdf5(tmp_path / "a.hdf5", chunks=(chunk, 64, 64))[HDF5]
    with h5py.File(path) as file:
        blocks = list(hdf5.hdf5_blocks(file["imgs"]))
    assert [some.start for some, _ in blocks] == starts and starts[-1] % chunk == 0
    np.testing.assert_array_equal(np.concatenate([block for _, block in blocks]), draw(VALUES))


class Local:
    """A download manager that has the file."""

    def __init__(self, path):
        self.path, self.urls = path, []

    def download(self, url):
        self.urls.append(url)
        return str(self.path)


def test_the_builder_of_tensorflow_datasets_gives_the_same(dsprites, imported, tmp_path):
    import tensorflow_datasets as tfds

    order = RNG.permutation(len(VALUES))
    path = write_hdf5(tmp_path / "a.hdf5", draw(VALUES)[order], CLASSES[order])[HDF5]
    images = imported(dsprites, {HDF5: path})
    builder = tfds.builder("dsprites", data_dir=tmp_path / "tfds")
    local = Local(path)
    (split,) = builder._split_generators(local)
    names = [f"label_{name}" for name in ("shape", "scale", "orientation")]
    names += ["label_x_position", "label_y_position"]
    count = 0
    for _, example in builder._generate_examples(**split.gen_kwargs):
        cell = tuple(example[name] for name in names)
        assert (images[cell] == 255 * example["image"]).all()
        count += 1
    assert count == len(VALUES)
    (file,) = DSprites.source.files
    published = builder.url_infos[file.url]
    assert local.urls == [file.url] and published.filename == file.name
    assert (published.size, published.checksum) == (file.size, file.sha256)


def without(path, name):
    with h5py.File(path, "a") as file:
        del file[name]


@pytest.mark.parametrize(
    "damage, match",
    [
        (lambda path: without(path, "imgs"), "expected an array 'imgs', found latents"),
        (lambda path: without(path, "latents/classes"), "'latents/classes', found values"),
        (lambda path: without(path, "latents"), "'latents/classes', found imgs"),
        (lambda path: path.write_bytes(path.read_bytes()[:-5000]), "truncated or damaged"),
        (lambda path: path.write_bytes(b"<html>quota</html>"), "found a web page"),
        (lambda path: path.write_bytes(b""), "expected an HDF5 file, found an empty file"),
    ],
)
def test_damaged_files_are_one_clear_line(dsprites, refused, tmp_path, damage, match):
    files = write_hdf5(tmp_path / "a.hdf5")
    damage(files[HDF5])
    refused(dsprites, files, match)


def test_a_damaged_chunk_is_one_clear_line(dsprites, refused, tmp_path):
    noise = RNG.integers(2, size=(4320, 64, 64), dtype=np.uint8)
    path = write_hdf5(tmp_path / "a.hdf5", noise, compression="gzip", chunks=(500, 64, 64))[HDF5]
    content = bytearray(path.read_bytes())
    middle = len(content) // 3
    content[middle : middle + 1000] = bytes(1000)
    path.write_bytes(content)
    refused(dsprites, {HDF5: path}, "truncated or damaged")


@pytest.mark.parametrize(
    "changes, match",
    [
        ({"images": draw(VALUES)[..., None]}, r"uint8 \[n, 64, 64\] in 'imgs', found uint8"),
        ({"images": draw(VALUES).astype(np.int64)}, "in 'imgs', found int64"),
        ({"images": 255 * draw(VALUES)}, "expected pixels of 0 and 1, found 255"),
        ({"classes": VALUES}, r"integer \[n, 6\] in 'latents/classes', found int64 \[4320, 5\]"),
        ({"classes": CLASSES.astype(float)}, "in 'latents/classes', found float64"),
        ({"classes": CLASSES[:-1]}, "as many images as labels, found 4,320 images, 4,319 labels"),
        (
            {"images": draw(VALUES)[:-1], "classes": CLASSES[:-1]},
            "expected 4,320 images, found 4,319",
        ),
        ({"classes": np.roll(CLASSES, 1, axis=1)}, "must be from 0 to"),
        ({"classes": np.maximum(CLASSES, [0, 0, 0, 0, 0, 1])}, "two images for"),
    ],
)
def test_other_layouts_are_one_clear_line(dsprites, refused, tmp_path, changes, match):
    refused(dsprites, write_hdf5(tmp_path / "a.hdf5", **changes), match)


@pytest.mark.parametrize(
    "changes, match",
    [
        ({"imgs": None}, "expected an array 'imgs', found latents_classes, metadata"),
        ({"imgs": draw(VALUES)[:, :32]}, r"in 'imgs', found uint8 \[4320, 32, 64\]"),
        ({"latents_classes": np.array([{}] * 4320)}, "found Python objects, which are not read"),
        ({"latents_classes": CLASSES[1:]}, "found 4,320 images, 4,319 labels"),
    ],
)
def test_other_npz_layouts_are_one_clear_line(dsprites, refused, tmp_path, changes, match):
    refused(dsprites, write_npz(tmp_path / "a.npz", **changes), match)


@pytest.mark.parametrize("kind", ["external link", "soft link", "external data", "virtual"])
def test_what_lies_elsewhere_is_not_read(dsprites, refused, tmp_path, kind):
    elsewhere = write_hdf5(tmp_path / "b.hdf5")[HDF5]
    files = write_hdf5(tmp_path / "a.hdf5")
    with h5py.File(files[HDF5], "a") as file:
        del file["imgs"]
        if kind == "external link":
            file["imgs"] = h5py.ExternalLink(str(elsewhere), "imgs")
        elif kind == "soft link":
            file["imgs"] = h5py.SoftLink("/latents/classes")
        elif kind == "external data":
            (tmp_path / "raw").write_bytes(bytes(4320 * 4096))
            place = [(str(tmp_path / "raw"), 0, 4320 * 4096)]
            file.create_dataset("imgs", (4320, 64, 64), np.uint8, external=place)
        else:
            layout = h5py.VirtualLayout((4320, 64, 64), np.uint8)
            layout[:] = h5py.VirtualSource(str(elsewhere), "imgs", (4320, 64, 64))
            file.create_virtual_dataset("imgs", layout)
    refused(dsprites, files, "expected an array 'imgs', found a link")


def test_damaged_bytes_end_in_one_line_or_in_arrays(tmp_path):
    """Whatever is wrong inside a file: 150 copies with eight bytes of the first 4 kB changed."""
    path = tmp_path / "a.hdf5"
    with h5py.File(path, "w") as file:
        file["imgs"], file["latents/classes"] = np.zeros((3, 64, 64), np.uint8), CLASSES[:3]
    whole, rng, refused = path.read_bytes(), np.random.default_rng(0), 0
    expected = {"imgs": (np.uint8, (64, 64)), "latents/classes": (np.integer, (6,))}
    for _ in range(150):
        damaged = bytearray(whole)
        for place in rng.integers(8, min(4096, len(whole)), size=8):
            damaged[place] = rng.integers(256)
        path.write_bytes(damaged)
        try:
            with hdf5.hdf5_arrays(path, expected) as (images, labels):
                [list(hdf5.hdf5_blocks(images)), labels[:10]]
        except BadInput as error:
            refused += 1
            assert "\n" not in str(error)
    assert refused > 20
