from functools import lru_cache, partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from soberlook.datasets import DATASETS, Dataset, draw_batch, make_view, register
from soberlook.registry import BadInput

BATCH = 50
BATCHES = 20_000


class Table(Dataset):
    """Rows of four columns with values of their own: far from uniform, with ties, and noise."""

    factor_names, factor_sizes = ("a", "b"), (6, 7)
    image_shape = (4,)
    noisy = True

    def load(self):
        return ()

    def observe(self, data, cells, key):
        a, b = jnp.unravel_index(cells, self.factor_sizes)
        noise = jax.random.exponential(key, cells.shape)
        return jnp.stack([a / 6, (b / 7) ** 8, jnp.float32(b > 5), noise], axis=-1)


class Picture(Table):
    """Images [6, 6, 2] whose quadrants have the values of the table's columns."""

    image_shape = (6, 6, 2)

    def observe(self, data, cells, key):
        quadrants = super().observe(data, cells, key).reshape(-1, 2, 2, 1)
        whole = quadrants.repeat(3, axis=1).repeat(3, axis=2)
        ramp = jnp.linspace(0.5, 1.5, 3)  # of mean 1
        return (
            whole * jnp.tile(ramp, 2)[None, :, None, None] * jnp.array([0.5, 1.5])[None, None, None]
        )


def unlisted(cls):
    registered = register("mask_" + cls.__name__.lower())(cls)
    del DATASETS[registered.name]  # it is no dataset of the package
    return registered()


TABLE, PICTURE = unlisted(Table), unlisted(Picture)


@partial(jax.jit, static_argnums=(0, 1))
def batches(kind, rate, keys):
    def one(key):
        needs = ("images", ("masks", {"kind": kind, "rate": rate}))
        batch = draw_batch(TABLE, (), needs, key, BATCH, key)
        return batch["images"], batch["masks"]

    return jax.vmap(one)(keys)


@lru_cache
def draw(kind, rate):
    """A million rows [n, b, 4], and which of their parts are observed."""
    images, mask = batches(kind, rate, jax.random.split(jax.random.key(0), BATCHES))
    assert mask.dtype == bool and mask.shape == (BATCHES, BATCH, 4)
    return np.asarray(images), np.asarray(mask)


@pytest.mark.parametrize("kind", ["mcar", "mar", "mnar"])
@pytest.mark.parametrize("rate", [0.3, 0.7])
def test_the_rate_is_as_asked_for_every_part(kind, rate):
    _, mask = draw(kind, rate)
    np.testing.assert_allclose((~mask).mean(axis=(0, 1)), rate, atol=0.003)
    # And for every place in the batch: ties favour none.
    np.testing.assert_allclose((~mask).mean(axis=(0, 2)), rate, atol=0.01)


@pytest.mark.parametrize(("rate", "observed"), [(0.0, True), (1.0, False)])
@pytest.mark.parametrize("kind", ["mcar", "mnar"])
def test_nothing_missing_and_nothing_observed_are_masks_like_others(kind, rate, observed):
    _, mask = batches(kind, rate, jax.random.split(jax.random.key(0), 3))
    assert (np.asarray(mask) == observed).all()


def distribution(values):
    """Of each value the share of all that is smaller, and half that of equals."""
    ordered = np.sort(values)
    return (np.searchsorted(ordered, values) + np.searchsorted(ordered, values, "right")) / (
        2 * len(values)
    )


def law(rate, values):
    """The probability that a row's part is missing: linear in the distribution function."""
    share = 1 - 1 / BATCH  # of the batch that a row does not know
    return rate + 2 * min(rate, 1 - rate) * share * (distribution(values) - 0.5)


def agrees(missing, probability):
    """In tenths of the probability, the shares are within 5 standard deviations."""
    order = np.argsort(probability, kind="stable")
    for some in np.array_split(order, 10):
        expected = probability[some].mean()
        deviation = np.sqrt((probability[some] * (1 - probability[some])).mean() / len(some))
        assert abs(missing[some].mean() - expected) < 5 * deviation


@pytest.mark.parametrize("rate", [0.3, 0.7])
def test_mnar_parts_are_missing_by_their_own_value_alone(rate):
    images, mask = draw("mnar", rate)
    x, missing = images.reshape(-1, 4), ~mask.reshape(-1, 4)
    for part in range(4):
        probability = law(rate, x[:, part])
        agrees(missing[:, part], probability)
        surprise = missing[:, part] - probability
        for other in set(range(4)) - {part}:
            assert abs(np.corrcoef(surprise, missing[:, other])[0, 1]) < 0.005
            assert abs(np.corrcoef(surprise, x[:, other])[0, 1]) < 0.005


@pytest.mark.parametrize("rate", [0.3, 0.7])
def test_mar_parts_are_missing_by_the_value_of_the_part_that_is_kept(rate):
    images, mask = draw("mar", rate)
    x, missing = images.reshape(-1, 4), ~mask.reshape(-1, 4)
    assert missing.sum(axis=1).max() == 3  # one is always observed
    # P(missing) of a part is the mean over the others, kept as often, of what their values say.
    laws = np.stack([law(rate * 4 / 3, x[:, part]) for part in range(4)], axis=1)
    for part in range(4):
        probability = np.delete(laws, part, axis=1).sum(axis=1) / 4
        agrees(missing[:, part], probability)


def test_mar_parts_do_not_depend_on_what_is_missing():
    """The last column is noise of its own: where missing it says nothing of the mask."""
    images, mask = draw("mar", 0.3)
    x, missing = images.reshape(-1, 4), ~mask.reshape(-1, 4)
    hidden = missing[:, 3]
    for part in range(3):
        assert abs(np.corrcoef(x[hidden, 3], missing[hidden, part])[0, 1]) < 0.006
        assert abs(np.corrcoef(x[~hidden, 3], missing[~hidden, part])[0, 1]) > 0.03


def test_mcar_masks_know_nothing_of_the_images_nor_of_each_other(agree):
    images, mask = draw("mcar", 0.3)
    x, missing = images.reshape(-1, 4), ~mask.reshape(-1, 4)
    both = np.corrcoef(np.concatenate([x, missing], axis=1).T)
    assert np.abs(both[4:, :4]).max() < 0.005
    k = np.array([bin(i).count("1") for i in range(16)])
    agree(np.bincount(missing @ [1, 2, 4, 8], minlength=16), 0.3**k * 0.7 ** (4 - k))
    # The same measure sees the dependence of the other kinds.
    images, mask = draw("mnar", 0.3)
    assert np.corrcoef(images[..., 3].ravel(), ~mask[..., 3].ravel())[0, 1] > 0.3


def few(kind, rate, dataset=TABLE):
    """The masks of a batch of 1,000, for which nothing is compiled as a whole."""
    needs, key = (("masks", {"kind": kind, "rate": rate}),), jax.random.key(0)
    return np.asarray(draw_batch(dataset, (), needs, key, 1_000, key)["masks"])


@pytest.mark.parametrize("kind", ["mcar", "mar", "mnar"])
def test_at_rate_0_nothing_is_missing_and_at_1_all_that_can(kind):
    assert few(kind, 0.0).all()
    if kind == "mar":  # keeps one of four
        assert (few(kind, 0.75).sum(axis=1) == 1).all()
    else:
        assert not few(kind, 1.0).any()


@pytest.mark.parametrize("kind", ["mcar", "mar", "mnar"])
def test_patches_are_as_columns_of_their_means(kind):
    """Quadrants of a picture, by its rows, are missing as the columns they are made of."""
    np.testing.assert_array_equal(few(kind, 0.3, PICTURE), few(kind, 0.3, TABLE))


def test_masks_show_no_image():
    assert make_view("masks").images == 0


@pytest.mark.parametrize(
    "dataset, settings, message",
    [
        (TABLE, {"kind": "mar", "rate": 0.8}, "rate must be ≤ 0.75, as mar keeps one of the 4"),
        (PICTURE, {"kind": "mar", "patches": 1}, "rate must be ≤ 0, as mar keeps one of the 1"),
        (PICTURE, {"patches": 4}, "patches must divide the 6×6 pixels of 'mask_picture', found 4"),
        (PICTURE, {"patches": 0}, "patches must be a whole number ≥ 1, found 0"),
        (TABLE, {"rate": 1.1}, "rate must be a finite number ≥ 0 and ≤ 1, found 1.1"),
        (TABLE, {"kind": "random"}, "kind must be one of 'mcar', 'mar', 'mnar'"),
    ],
)
def test_bad_masks_are_one_clear_line(dataset, settings, message):
    with pytest.raises(BadInput, match=message) as error:
        make_view(("masks", settings)).check(dataset)
    assert "\n" not in str(error.value)


def test_masks_of_neither_images_nor_tables_are_refused(monkeypatch):
    monkeypatch.setattr(Table, "image_shape", (4, 4))
    with pytest.raises(BadInput, match=r"must be of images h, w, c or of tables, found \(4, 4\)"):
        make_view("masks").check(TABLE)
