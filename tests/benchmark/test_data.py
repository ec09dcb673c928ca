import hashlib
import http.server
import json
import threading

import jax.numpy as jnp
import numpy as np
import pytest
from PIL import Image

from soberlook.benchmark import check_data
from soberlook.datasets import (
    DATASETS,
    Dataset,
    File,
    Source,
    StoredDataset,
    add_arrays,
    cache,
    disk,
    register,
)

IMAGES = np.random.default_rng(0).integers(256, size=(12, 6, 5, 3), dtype=np.uint8)


@pytest.fixture(autouse=True)
def root(tmp_path, monkeypatch):
    monkeypatch.setenv("SOBERLOOK_CACHE", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)
    before = set(DATASETS)
    yield tmp_path / "cache"
    for name in set(DATASETS) - before:
        del DATASETS[name]


@pytest.fixture
def published(tmp_path):
    """A dataset of one published file on a server of this machine: (class, the file, requests)."""
    folder = tmp_path / "published"
    folder.mkdir()
    np.save(folder / "tiny.npy", IMAGES)
    content, requests = (folder / "tiny.npy").read_bytes(), []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            requests.append(self.path)
            self.send_response(200)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_):
            pass

    server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
    url = f"http://127.0.0.1:{server.server_port}/tiny.npy"
    sha256 = hashlib.sha256(content).hexdigest()

    @register("tiny")
    class Tiny(StoredDataset):
        factor_names, factor_sizes = ("shape", "x"), (3, 4)
        image_shape = (6, 5, 3)
        source = Source("MIT", "example.org", (File("tiny.npy", url, len(content), sha256),))

        def read(self, files):
            values = np.indices(self.grid).reshape(2, -1).T
            yield values, np.load(files["tiny.npy"])

    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield Tiny, folder / "tiny.npy", requests
    server.shutdown()
    thread.join()
    server.server_close()


def row(text, name):
    """The cells of a table's line that begins with `name`, as they are separated on it."""
    (line,) = [line for line in text.splitlines() if line.split()[:1] == [name]]
    return [cell.strip() for cell in line.split("  ") if cell.strip()]


def test_a_dataset_is_listed_fetched_checked_and_listed(published, root, soberlook):
    tiny, _, requests = published

    @register("tiny_grey")
    class Grey(tiny):
        image_shape = (6, 5, 1)

        def observe(self, data, cells, key):
            return super().observe(data, cells, key).mean(axis=-1, keepdims=True)

    add_arrays("mine", IMAGES)
    code, shown, _ = soberlook("data", "list")
    assert code == 0
    assert row(shown, "tiny") == ["tiny", "12", "6×5×3", "no", "1.2 kB", "1.0 MB", "MIT"]
    assert row(shown, "tiny_grey") == ["tiny_grey", "12", "6×5×1", "no", "with tiny", "MIT"]
    assert row(shown, "mini_sprites") == ["mini_sprites", "6,144", "16×16×1", "drawn", "none"]
    assert row(shown, "mine") == ["mine", "12", "6×5×3", "given", "none"]
    code, _, said = soberlook("run", "quick", "--datasets", "tiny_grey", "--dry-run")
    assert code == 2 and "'tiny_grey' is not here: soberlook data fetch tiny (1.2 kB)" in said

    code, _, said = soberlook("data", "fetch", "tiny")
    assert code == 0, said
    assert "1.2 kB to download, then 1.0 MB in" in said and "are free" in said
    assert "licence: MIT; from example.org" in said
    assert f"tiny is here, 12 images: {root / 'tiny-1'}" in said
    assert [p for p in root.rglob("*") if p.name == "tiny.npy"] == []  # the download is gone
    np.testing.assert_array_equal(cache.images_of(tiny()), IMAGES)

    code, shown, _ = soberlook("data", "check", "tiny_grey")
    assert code == 0 and "tiny is in the cache as it was written\n" in shown
    assert "tiny_grey: 12 images of 6×5×1" in shown and "12 differ, 0 repeat" in shown
    assert row(soberlook("data", "list")[1], "tiny_grey")[3] == "yes"
    code, _, said = soberlook("data", "fetch", "tiny")
    assert code == 0 and "is here already" in said and len(requests) == 1


def test_import_takes_a_file_or_its_folder(published, soberlook, tmp_path):
    tiny, path, requests = published
    for given in (path, path.parent, path.parent / "of another name.npy"):
        if not given.exists():
            path.rename(given)
        code, _, said = soberlook("data", "import", "tiny", given)
        assert code == 0 and "tiny is here" in said, said
        assert tiny().content == "" and tiny().title == "tiny"
        np.testing.assert_array_equal(cache.images_of(tiny()), IMAGES)
    assert requests == [] and given.exists()


def test_other_files_are_taken_only_when_asked_to(published, soberlook):
    tiny, path, _ = published
    np.save(path, 255 - IMAGES)
    code, _, said = soberlook("data", "import", "tiny", path)
    assert (
        code == 2 and f"{path}: expected tiny.npy with sha256" in said and "--any-version" in said
    )
    assert tiny().missing()
    code, _, said = soberlook("data", "import", "tiny", path, "--any-version")
    assert code == 0 and "warning: " in said
    np.testing.assert_array_equal(cache.images_of(tiny()), 255 - IMAGES)
    shown = soberlook("data", "check", "tiny")[1]
    assert "as it was written from other files than the published ones: tiny.npy" in shown
    # And no result of theirs is taken for one of the published.
    assert len(tiny().content) == 16 and tiny().title == f"tiny[{tiny().content}]"


@pytest.mark.parametrize(
    "arguments, match",
    [
        ("fetch tinny", "unknown dataset 'tinny': did you mean 'tiny'"),
        ("fetch mini_sprites", "mini_sprites needs no download: it is drawn"),
        ("import mini_sprites x", "mini_sprites needs no download"),
        ("import tiny nowhere", "expected a file or a folder, found nothing at nowhere"),
        ("import tiny .", "expected tiny.npy in ., found no such file"),
        ("check tiny", "dataset 'tiny' is not here: soberlook data fetch tiny"),
        ("check mini_sprites --out no/folder/a.png", "cannot write no/folder/a.png: No such file"),
    ],
)
def test_bad_input_is_one_line(published, soberlook, arguments, match):
    published[1].unlink()
    code, shown, said = soberlook("data", *arguments.split())
    assert code == 2 and said.splitlines()[-1].startswith("error: ") and match in said


def test_too_little_disk_is_said_before_anything_is_asked(published, soberlook, monkeypatch):
    class Usage:
        free = 2000

    monkeypatch.setattr(disk.shutil, "disk_usage", lambda _: Usage)
    code, _, said = soberlook("data", "fetch", "tiny")
    assert code == 2 and "dataset 'tiny' needs 1.1 MB in" in said and published[2] == []
    assert "2.0 kB are free" in said


def test_altered_bytes_are_found(published, root, soberlook):
    soberlook("data", "import", "tiny", published[1])
    images = np.load(root / "tiny-1" / "images.npy")
    images[3] ^= 1
    np.save(root / "tiny-1" / "images.npy", images)
    code, _, said = soberlook("data", "check", "tiny")
    assert code == 2 and "is damaged: images.npy must have sha256" in said
    (root / "tiny-1" / "meta.json").write_text("{}")
    assert row(soberlook("data", "list")[1], "tiny")[3] == "damaged"


@pytest.fixture
def repeating():
    """3 × 4 cells in 7 groups of equal images, and a nuisance of 2 that nothing shows."""
    of_cell = np.array([[0, 1, 2, 3], [0, 1, 4, 5], [0, 6, 6, 6]])
    pictures = np.random.default_rng(0).random((7, 4, 4, 1)).astype(np.float32)

    @register("repeating")
    class Repeating(Dataset):
        """Known groups."""

        factor_names, factor_sizes = ("a", "b"), (3, 4)
        nuisance_names, nuisance_sizes = ("c",), (2,)
        image_shape = (4, 4, 1)

        def load(self):
            return jnp.asarray(pictures[of_cell.ravel().repeat(2)])

        def observe(self, data, cells, key):
            return data[cells]

    return Repeating()


@pytest.mark.parametrize("block", [1, 5, 1000])
def test_duplicates_and_ceilings_of_known_groups(repeating, soberlook, monkeypatch, block):
    monkeypatch.setattr(check_data, "BYTES", block * 4 * 16)
    groups, low, high = check_data.look(repeating, repeating.load())
    assert groups.tolist() == list(np.repeat([0, 1, 2, 3, 0, 1, 4, 5, 0, 6, 6, 6], 2))
    assert low == repeating.load().min() and high == repeating.load().max()
    # Of `a`: image 0 is one of three, image 1 one of two, images 2 to 5 are sure, image 6 is sure.
    # Of `b`: image 6 is one of three, all others are sure. Of `c` nothing is seen.
    expected = [(1 + 1 + 4 + 3) / 12, (3 + 2 + 4 + 1) / 12, 1 / 2]
    assert check_data.ceilings(groups, repeating.grid) == pytest.approx(expected)
    code, shown, _ = soberlook("data", "check", "repeating")
    assert code == 0 and "7 differ, 17 repeat another one" in shown
    assert row(shown, "a") == ["a", "3", "75.0%", "33.3%"]
    assert row(shown, "b") == ["b", "4", "83.3%", "25.0%"]
    assert row(shown, "c") == ["c (nuisance)", "2", "50.0%", "50.0%"]


def test_noise_is_not_counted(soberlook, tmp_path):
    code, shown, _ = soberlook("data", "check", "mini_sprites_noisy")
    assert code == 0 and "equal images are not counted" in shown
    assert row(shown, "shape") == ["shape", "3", "33.3%"]
    with Image.open(tmp_path / "mini_sprites_noisy.png") as image:
        assert image.mode == "RGB"


def test_the_picture_shows_every_axis_from_the_middle_of_the_grid(repeating, soberlook, tmp_path):
    soberlook("data", "check", "repeating", "--out", tmp_path / "a.png")
    with Image.open(tmp_path / "a.png") as image:
        pixels = np.asarray(image)
    height = 48 + 1  # of 4 pixels, twelvefold, and a line
    assert pixels.shape[0] == 3 * height
    left = pixels.shape[1] - 4 * height  # the widest row has four images
    data = np.round(255 * np.asarray(repeating.load())[..., 0])
    middle = [1, 2, 1]
    for axis, size in enumerate(repeating.grid):
        assert pixels[axis * height : (axis + 1) * height, :left].max() > 200  # its name
        for value in range(size):
            cell = [*middle[:axis], value, *middle[axis + 1 :]]
            top, begin = axis * height, left + value * height
            shown = pixels[top : top + 48 : 12, begin : begin + 48 : 12]
            expected = data[np.ravel_multi_index(cell, repeating.grid)]
            np.testing.assert_array_equal(shown, expected)
        assert not pixels[axis * height : (axis + 1) * height, left + size * height :].any()


def test_long_traversals_show_both_ends(monkeypatch):
    class Long:
        grid, factor_names, nuisance_names = (100,), ("x",), ()
        image_shape = (48, 48, 1)

        def observe(self, data, cells, key):
            return jnp.broadcast_to(cells[:, None, None, None] / 255, (len(cells), 48, 48, 1))

    pixels = check_data.sheet(Long(), ())
    shown = pixels[20, -49 * check_data.COLUMNS :: 49, 0]
    assert shown[0] == 0 and shown[-1] == 99 and (np.diff(shown.astype(int)) == 9).all()


def test_tables_have_no_picture(soberlook, tmp_path):
    add_arrays("mine", np.random.default_rng(0).random((4, 7)))
    code, shown, _ = soberlook("data", "check", "mine")
    assert code == 0 and "mine: 4 things of 7" in shown and "picture" not in shown
    assert list(tmp_path.glob("*.png")) == []


def test_a_plugin_brings_its_own(soberlook, tmp_path):
    text = "import numpy as np\nfrom soberlook.datasets import add_arrays\n"
    text += "add_arrays('plugged', np.eye(9, dtype=np.uint8).reshape(9, 3, 3, 1) * 255)\n"
    (tmp_path / "plug.py").write_text(text)
    code, shown, said = soberlook("data", "check", "plugged", "--plugin", tmp_path / "plug.py")
    assert code == 0 and "9 differ" in shown and (tmp_path / "plugged.png").exists(), said
    assert "plugged" in soberlook("data", "list", "--plugin", tmp_path / "plug.py")[1]


def test_what_was_read_is_recorded(published, soberlook):
    tiny, path, _ = published
    soberlook("data", "import", "tiny", path)
    meta = json.loads((cache.folder_of(tiny()) / "meta.json").read_text())
    (file,) = meta["source"]["files"]
    assert file["sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()
    assert meta["source"]["licence"] == "MIT" and file["url"].startswith("http://127.0.0.1")
