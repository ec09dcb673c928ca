"""Each variant against its formula, over the sprites that are drawn."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from PIL import Image
from scipy import stats

from soberlook.benchmark.study import Budget, Run
from soberlook.datasets import DATASETS, make, original
from soberlook.datasets.variants import COLOURS, GREYS
from soberlook.models import BetaVAE

KEY = jax.random.key(0)


def observe(name, cells, key=KEY, **settings):
    """(The variant, its images, those of the same cells without it.)"""
    dataset = make(name, **settings)
    data, cells = dataset.load(), jnp.asarray(cells)
    plain = original(dataset)
    sprites = jax.jit(plain.observe)(plain.load(), cells, key)
    return dataset, np.asarray(jax.jit(dataset.observe)(data, cells, key)), np.asarray(sprites)


def some_cells(name, count=600):
    return np.random.default_rng(0).permutation(make(name).size)[:count]


@pytest.mark.parametrize("name", ["mini_sprites_color", "sprites_color"])
def test_a_sprite_has_one_colour_drawn_uniformly(name):
    cells = some_cells(name)
    dataset, x, grey = observe(name, cells)
    colour = x.max(axis=(1, 2)) / grey.max(axis=(1, 2))
    np.testing.assert_allclose(x, grey * colour[:, None, None], atol=1e-6)
    assert colour.min() >= 0.5 and colour.max() <= 1
    for channel in range(3):
        assert stats.kstest(colour[:, channel], stats.uniform(0.5, 0.5).cdf).pvalue > 0.001
    # Colours say nothing of each other or of the factors.
    factors = np.asarray(dataset.factors(jnp.asarray(cells)))
    correlation = np.corrcoef(np.hstack([colour, factors]).T) - np.eye(8)
    assert np.abs(correlation[:3]).max() < 0.16


@pytest.mark.parametrize("name", ["mini_sprites_noisy", "sprites_noisy"])
def test_noise_is_added_and_cut_off_at_white(name):
    _, x, grey = observe(name, some_cells(name, 60))
    assert (x >= grey).all() and (x[np.broadcast_to(grey == 1, x.shape)] == 1).all()
    black = (grey == 0)[..., 0]
    noise = x[black]  # [pixels, channels]
    assert stats.kstest(noise[:3000].ravel(), "uniform").pvalue > 0.001
    np.testing.assert_allclose(noise.mean(axis=0), 1 / 2, atol=0.01)
    np.testing.assert_allclose(noise.var(axis=0), 1 / 12, atol=0.004)
    assert np.abs(np.corrcoef(noise.T) - np.eye(3)).max() < 0.04
    # Over a sprite of grey s the expected value is E[min(s + u, 1)] = 1 − (1 − s)² / 2.
    np.testing.assert_allclose((x - (1 - (1 - grey) ** 2 / 2)).mean(), 0, atol=0.005)
    # Images have noise of their own.
    first, second = x[:-1, 0, 0, 0], x[1:, 0, 0, 0]
    assert abs(np.corrcoef(first, second)[0, 1]) < 0.4


@pytest.fixture
def ramp(tmp_path):
    """A picture in which every pixel tells its place: red is the column, green the row."""
    column, row = np.meshgrid(np.arange(200), np.arange(100))
    pixels = np.stack([column, row, 0 * row], axis=-1).astype(np.uint8)
    Image.fromarray(pixels).save(tmp_path / "ramp.png")
    return str(tmp_path / "ramp.png")


def test_scream_inverts_a_tinted_patch_under_the_sprite(ramp):
    name = "sprites_scream"
    _, x, s = observe(name, some_cells(name, 200), background=ramp)
    b = np.where(s == 1, 1 - x, x)  # the formula turned round: (patch + tint) / 2
    # Blue is the tint alone; red and green grow by 1/255 · ½ a pixel, across and down.
    blue = b[:, 0, 0, 2]
    np.testing.assert_allclose(
        b[..., 2], np.broadcast_to(blue[:, None, None], b.shape[:3]), atol=1e-6
    )
    assert stats.kstest(blue, stats.uniform(0, 0.5).cdf).pvalue > 0.001
    steps = np.arange(64) / 255 / 2
    np.testing.assert_allclose(b[..., 0] - b[:, :1, :1, 0], np.tile(steps, (200, 64, 1)), atol=1e-6)
    np.testing.assert_allclose(
        b[..., 1] - b[:, :1, :1, 1], np.tile(steps[:, None], (200, 1, 64)), atol=1e-6
    )
    # Places are uniform: the mean of the first pixel is that of place and tint.
    for channel, places in ((0, 200 - 64), (1, 100 - 64)):
        first = 2 * b[:, 0, 0, channel]
        spread = np.sqrt((1 / 12 + (places / 255) ** 2 / 12) / 200)
        assert abs(first.mean() - (0.5 + (places - 1) / 255 / 2)) < 4 * spread
        assert np.abs(np.corrcoef(first, blue)[0, 1]) < 0.2


def test_scream_blends_antialiased_sprites(tmp_path):
    """Over a picture of one colour, b = (½ + tint) / 2 is one colour, which the sprite inverts."""
    Image.new("RGB", (30, 30), (51, 51, 51)).save(tmp_path / "grey.png")
    cells = np.arange(0, 6144, 61)
    file = str(tmp_path / "grey.png")
    _, x, s = observe("mini_sprites_scream", cells, background=file)
    outside = s.reshape(len(s), -1).argmin(axis=1)
    b = x.reshape(len(x), -1, 3)[np.arange(len(x)), outside][:, None, None]
    assert (s.min(axis=(1, 2)) == 0).all() and b.min() >= 0.1 and b.max() <= 0.6
    np.testing.assert_allclose(x, s * (1 - b) + (1 - s) * b, atol=1e-6)


def test_scream_says_what_is_missing_before_anything_is_trained():
    assert make("sprites_scream").missing() == ""
    message = make("sprites_scream", background="screm.jpg").missing()
    assert message.startswith("sprites_scream: background must be one of astronaut")
    assert make("sprites_scream", background="coffee").settings() == {"background": "coffee"}


def test_another_picture_of_the_same_name_is_another_dataset(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    ids = []
    for grey in (90, 200):
        Image.new("RGB", (200, 200), (grey,) * 3).save("behind.png")
        dataset = make("mini_sprites_scream", background="behind.png")
        assert dataset.background == str(tmp_path / "behind.png")  # wherever a worker is started
        assert dataset.title.endswith(f"[{dataset.content}]")
        ids.append(Run(dataset, BetaVAE(), 0, Budget()).id)
    assert ids[0] != ids[1]
    assert make("mini_sprites_scream").content == ""


def test_noshape_draws_every_shape_as_often():
    dataset = make("sprites_noshape")
    assert dataset.factor_names == ("scale", "orientation", "x", "y")
    cells = jnp.asarray(some_cells("sprites_noshape", 600))
    x = np.asarray(jax.jit(dataset.observe)((), cells, KEY))
    plain = make("sprites")
    draw = jax.jit(lambda cells: plain.observe((), cells, KEY))
    each = [np.asarray(draw(shape * dataset.size + cells)) for shape in range(3)]
    same = np.stack([(x == shape).all(axis=(1, 2, 3)) for shape in each])
    assert (same.sum(axis=0) == 1).all()
    assert stats.chisquare(same.sum(axis=1)).pvalue > 0.001
    scale = np.asarray(dataset.factors(cells))[:, 0]  # and has nothing to do with factors
    assert abs(np.corrcoef(scale, same.argmax(axis=0))[0, 1]) < 0.15


def test_abstract_paints_two_factors_and_draws_the_orientation():
    dataset = make("sprites_abstract")
    assert dataset.grid == (5, 6, 3, 6, 32, 32)
    cells = some_cells("sprites_abstract", 200)
    x = np.asarray(jax.jit(dataset.observe)((), jnp.asarray(cells), KEY))
    background, color, *rest = np.unravel_index(cells, dataset.grid)
    shape, scale, left, top = (axis[:, None] for axis in rest)
    turned = np.ravel_multi_index(
        (shape, scale, np.arange(40)[None], left, top), make("sprites").grid
    )
    sprites = jax.jit(make("sprites").observe)((), jnp.asarray(turned.ravel()), KEY)
    sprites = np.asarray(sprites).reshape(200, 40, 64, 64)
    orientations = []
    for i in range(200):
        on = (x[i] == np.float32(COLOURS)[color[i]]).all(axis=-1)
        assert (x[i][~on] == GREYS[background[i]]).all()
        orientations.append(np.flatnonzero((sprites[i] == on).all(axis=(1, 2))))
    assert all(len(found) in (1, 2, 4) for found in orientations)  # by the shapes' symmetry
    hearts = [int(o[0]) for o, k in zip(orientations, rest[0], strict=True) if k == 2]
    assert stats.kstest(np.array(hearts) / 40, "uniform").pvalue > 0.001 and len(set(hearts)) > 20


def husl(hue, saturation, lightness):
    """RGB in sRGB of a HUSL colour, from its definition: CIELUV at a share of the largest chroma
    that lies in sRGB at this hue and lightness, which is found by bisection."""
    to_rgb = [[3.2406, -1.5372, -0.4986], [-0.9689, 1.8758, 0.0415], [0.0557, -0.2040, 1.0570]]

    def linear(chroma):
        u = chroma * np.cos(np.radians(hue)) / (13 * lightness) + 0.19784
        v = chroma * np.sin(np.radians(hue)) / (13 * lightness) + 0.46834
        y = ((lightness + 16) / 116) ** 3
        return np.array(to_rgb) @ [y * 9 * u / (4 * v), y, y * (12 - 3 * u - 20 * v) / (4 * v)]

    low, high = 0.0, 400.0
    for _ in range(60):
        middle = (low + high) / 2
        inside = ((linear(middle) >= 0) & (linear(middle) <= 1)).all()
        low, high = (middle, high) if inside else (low, middle)
    rgb = linear(low * saturation / 100)
    return np.where(rgb <= 0.0031308, 12.92 * rgb, 1.055 * rgb ** (1 / 2.4) - 0.055)


def test_abstract_colours_are_husl():
    expected = [husl(35.9 + 359 / 6 * i, 69.3, 69.3) for i in range(6)]
    np.testing.assert_allclose(COLOURS, expected, atol=3e-5)


def variants_of(name):
    """Kind → variant, of the dataset with this name."""
    found = {other.removeprefix(f"{name}_"): make(other) for other in DATASETS}
    return {kind: one for kind, one in found.items() if original(one).name == name != one.name}


def test_dsprites_has_the_variants_that_sprites_has():
    published, drawn = variants_of("dsprites"), variants_of("sprites")
    assert set(published) == set(drawn) == {"color", "noisy", "scream", "noshape", "abstract"}
    for kind, variant in published.items():
        assert variant.factor_names == drawn[kind].factor_names
        assert variant.grid == drawn[kind].grid
        assert variant.image_shape == drawn[kind].image_shape


def test_variants_of_dsprites_are_missing_where_it_is(monkeypatch, tmp_path, soberlook):
    monkeypatch.setenv("SOBERLOOK_CACHE", str(tmp_path))
    for variant in variants_of("dsprites").values():
        assert "soberlook data fetch dsprites" in variant.missing()
    code, _, err = soberlook("data", "fetch", "dsprites_color")
    assert code and "dsprites_color is made from dsprites: give that name" in err
    code, out, _ = soberlook("data", "list")
    assert code == 0 and "with dsprites" in out


def test_variants_of_dsprites_read_its_images(monkeypatch):
    """With the images of sprites in the place of dSprites' own, variants are those of sprites."""
    cells = jnp.asarray(np.random.default_rng(0).integers(make("dsprites_noshape").size, size=20))
    drawn = variants_of("sprites")
    stored = type(make("dsprites"))
    monkeypatch.setattr(stored, "load", lambda self: ())
    monkeypatch.setattr(stored, "observe", lambda self, *rest: make("sprites").observe(*rest))
    for kind, variant in variants_of("dsprites").items():
        found = variant.observe(variant.load(), cells, KEY)
        np.testing.assert_array_equal(found, drawn[kind].observe(drawn[kind].load(), cells, KEY))


def test_binary_sprites_are_white_as_often_as_they_are_grey():
    grey, binary = make("mini_sprites"), make("mini_sprites_binary")
    data, cells = grey.load(), jnp.array([100, 5_000])
    draw = jax.jit(jax.vmap(lambda key: binary.observe(data, cells, key)))
    x = np.asarray(draw(jax.random.split(jax.random.key(0), 2_000)))
    assert set(np.unique(x)) == {0, 1}
    expected = np.asarray(grey.observe(data, cells, jax.random.key(0)))
    np.testing.assert_allclose(x.mean(axis=0), expected, atol=0.05)
    assert ((expected > 0.2) & (expected < 0.8)).any()
