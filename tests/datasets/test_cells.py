from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from soberlook.benchmark.study import STUDIES
from soberlook.datasets import AllCells, Correlated, HeldOut, make
from soberlook.registry import BadInput

DRAWS = 1_000_000
NAMES = make("mini_sprites").factor_names  # shape 3, scale 4, orientation 8, x 8, y 8


def drawn(training, seed=0):
    """(dataset, a million cells, their factors [n, f])."""
    dataset = make("mini_sprites", training=training)
    draw = jax.jit(dataset.training.draw, static_argnums=(0, 2))
    cells = draw(dataset, jax.random.key(seed), DRAWS)
    assert cells.dtype == jnp.int32
    return dataset, np.asarray(cells), np.asarray(dataset.factors(cells))


def chi_square(counts):
    """Of counts that should be equal, as deviations from its mean in standard deviations."""
    expected = counts.sum() / len(counts)
    found = ((counts - expected) ** 2 / expected).sum()
    return (found - (len(counts) - 1)) / np.sqrt(2 * (len(counts) - 1))


KINDS = [
    HeldOut(share=0.2),
    HeldOut(share=0.2, seed=1),
    HeldOut(kind="composition", factors=("scale", "shape")),
    HeldOut(kind="composition", share=0.4),
    HeldOut(kind="interpolation", factors=("x", "y")),
    HeldOut(kind="extrapolation", factors=("scale",), share=0.25),
    HeldOut(kind="extrapolation", share=0.5),
]


@pytest.mark.parametrize("training", KINDS, ids=lambda kind: f"{kind.kind}-{kind.share}")
def test_held_out_cells_are_never_drawn_and_all_others_are_as_likely(training):
    dataset, cells, _ = drawn(training)
    out = training.held_out(dataset)
    counts = np.bincount(cells, minlength=dataset.size)
    assert len(out) and not counts[out].any()
    seen = np.setdiff1d(np.arange(dataset.size), out)
    assert abs(chi_square(counts[seen])) < 4


@pytest.mark.parametrize(
    "training, expected",
    [
        (HeldOut(share=0.2), 0.2),
        (HeldOut(kind="composition", factors=("x", "y"), share=0.25), 0.25),
        (HeldOut(kind="extrapolation", factors=("x",), share=0.25), 0.25),
        (HeldOut(kind="interpolation", factors=("x",), share=0.25), 0.25),
    ],
)
def test_the_share_is_as_asked(training, expected):
    dataset = make("mini_sprites", training=training)
    assert len(training.held_out(dataset)) / dataset.size == pytest.approx(expected, abs=1e-3)


def values(kind, *factors, share=0.2):
    """For each factor its values in training and in what is held out; and both kinds of cells."""
    dataset = make(
        "mini_sprites",
        training={"name": "held_out", "kind": kind, "factors": factors, "share": share},
    )
    out = dataset.training.held_out(dataset)
    seen = np.setdiff1d(np.arange(dataset.size), out)
    return [np.asarray(dataset.factors(jnp.asarray(cells))) for cells in (seen, out)]


def test_composition_holds_out_combinations_of_values_that_are_seen():
    seen, out = values("composition", "scale", "x", "shape")
    for axis, size in enumerate((3, 4, 8, 8, 8)):
        assert set(seen[:, axis]) == set(range(size))
    named = [NAMES.index(name) for name in ("scale", "x", "shape")]
    together = {tuple(row) for row in seen[:, named]}
    assert not together & {tuple(row) for row in out[:, named]}
    for axis in named:  # any one of them is seen without another
        assert set(out[:, axis]) < set(seen[:, axis])


def test_interpolation_holds_out_values_between_others():
    seen, out = values("interpolation", "x", "orientation", share=0.4)
    for name in ("x", "orientation"):
        axis = NAMES.index(name)
        missing = set(range(8)) - set(seen[:, axis])
        assert missing and all({v - 1, v + 1} <= set(seen[:, axis]) for v in missing)
    assert set(out[:, NAMES.index("x")]) == set(range(8))  # with another factor's missing value
    for name in ("shape", "scale", "y"):
        axis = NAMES.index(name)
        assert set(seen[:, axis]) == set(out[:, axis])


def test_extrapolation_holds_out_the_largest_values():
    seen, out = values("extrapolation", "scale", share=0.5)
    axis = NAMES.index("scale")
    assert set(seen[:, axis]) == {0, 1} and set(out[:, axis]) == {2, 3}


def test_images_of_a_label_are_held_out_one_by_one_and_combinations_with_all_of_theirs():
    digits = make("digits", training=HeldOut(share=0.1))  # 10 labels of 174 instances each
    label, _ = np.divmod(digits.training.held_out(digits), 174)
    counts = np.bincount(label, minlength=10)
    assert counts.sum() == 174 and (counts > 0).all() and (counts < 174).all()
    digits = make("digits", training=HeldOut(kind="extrapolation", share=0.2))
    label, _ = np.divmod(digits.training.held_out(digits), 174)
    assert np.bincount(label, minlength=10).tolist() == [0] * 8 + [174] * 2


def test_seeds_choose_and_all_cells_hold_nothing_out():
    dataset = make("mini_sprites")
    first, second = (HeldOut(seed=seed).held_out(dataset) for seed in (0, 1))
    assert set(first) != set(second) and len(first) == len(second)
    assert len(dataset.training.held_out(dataset)) == 0
    counts = np.bincount(drawn(AllCells())[1], minlength=dataset.size)
    assert abs(chi_square(counts)) < 4


@pytest.mark.parametrize("correlation", [0, 0.3, 0.8, 0.95])
def test_correlated_factors_are_as_correlated_as_asked(correlation):
    training = Correlated(pairs=("scale>x", "y>orientation"), correlation=correlation)
    _, _, factors = drawn(training)
    found = np.corrcoef(factors.T)
    expected = np.eye(5)
    for pair in (("scale", "x"), ("y", "orientation")):
        a, b = map(NAMES.index, pair)
        expected[a, b] = expected[b, a] = correlation
    np.testing.assert_allclose(found, expected, atol=0.005)
    for name in ("shape", "scale", "y"):  # causes, and what is in no pair
        counts = np.bincount(factors[:, NAMES.index(name)])
        assert abs(chi_square(counts)) < 4


def test_no_correlation_is_all_cells():
    dataset, cells, _ = drawn(Correlated(pairs=("scale>x",), correlation=0))
    assert abs(chi_square(np.bincount(cells, minlength=dataset.size))) < 4


def test_a_confounder_correlates_its_effects():
    _, _, factors = drawn(Correlated(pairs=("scale>x", "scale>y"), correlation=0.9))
    scale, x, y = (factors[:, NAMES.index(name)] for name in ("scale", "x", "y"))
    assert np.corrcoef(x, y)[0, 1] > 0.7
    for value in range(4):  # and without it they know nothing of each other
        own = scale == value
        assert abs(np.corrcoef(x[own], y[own])[0, 1]) < 0.01


def test_a_condition_says_where_factors_are_correlated():
    training = Correlated(pairs=("x>y",), correlation=0.7, condition="orientation")
    _, _, factors = drawn(training)
    x, y, orientation = (factors[:, NAMES.index(name)] for name in ("x", "y", "orientation"))
    upper = orientation >= 4
    assert np.corrcoef(x[upper], y[upper])[0, 1] == pytest.approx(0.7, abs=0.005)
    assert abs(np.corrcoef(x[~upper], y[~upper])[0, 1]) < 0.005


def test_correlated_values_are_the_formula():
    """p(b | a) of the docstring, at the σ whose correlation is found."""
    _, _, factors = drawn(Correlated(pairs=("x>y",), correlation=0.6))
    counts = np.zeros((8, 8))
    np.add.at(counts, (factors[:, 3], factors[:, 4]), 1)
    p = counts / counts.sum(axis=1, keepdims=True)
    a, b = np.indices((8, 8)) / 7
    # log p(b|a) − log p(a|a) = −(a − b)² / 2σ²: one σ explains the whole table.
    apart = a != b
    ratio = -np.log(p / np.diag(p)[:, None])
    sigma = np.median(np.sqrt((a - b)[apart] ** 2 / (2 * ratio[apart])))
    expected = np.exp(-((a - b) ** 2) / (2 * sigma**2))
    np.testing.assert_allclose(p, expected / expected.sum(axis=1, keepdims=True), atol=0.006)


def test_settings_give_the_choice_back_and_are_part_of_the_id():
    for training in (*KINDS, Correlated(pairs=("x>y",), correlation=0.5)):
        dataset = make("mini_sprites", training=training)
        assert make("mini_sprites", **dataset.settings()) == dataset
        assert dataset.settings() != make("mini_sprites").settings()
    assert make("mini_sprites", training="all").settings() == {}


def test_the_documented_study_is_one():
    text = (Path(__file__).parents[2] / "docs/training-cells.md").read_text()
    exec(text.split("```python\n")[1].split("```")[0], {})
    study = STUDIES.pop("held_out")
    titles = {run.dataset.title for run in study.expand()}
    assert len(study.expand()) == 108 and len(titles) == 2


def test_titles_tell_settings_apart():
    assert make("mini_sprites").title == "mini_sprites"
    assert make("xysquares", spacing=4).title == "xysquares(spacing=4)"
    training = HeldOut(kind="composition", factors=("x", "y"))
    title = "mini_sprites(training=held_out(kind=composition, factors=('x', 'y')))"
    assert make("mini_sprites", training=training).title == title


@pytest.mark.parametrize(
    "training, message",
    [
        ("hold_out", "did you mean 'held_out'"),
        ({"name": "held_out", "kind": "some"}, "kind must be one of"),
        ({"name": "held_out", "factors": ["size"]}, "unknown factor of mini_sprites 'size': "),
        ({"name": "held_out", "share": 0.0}, "is not possible with these factors, found 0"),
        ({"name": "held_out", "kind": "composition", "factors": ["x"]}, "found 0: name others"),
        ({"name": "held_out", "kind": "extrapolation"}, "found 0.665: name others"),
        ({"name": "held_out", "factors": ["x"]}, "random asks for no factors, found x"),
        ({"kind": "random"}, "must be one of all, held_out, correlated, or settings with name"),
        (5, "training must be one of"),
        ({"name": "correlated"}, "one cause>effect at least"),
        ({"name": "correlated", "pairs": ["x-y"]}, "must be written cause>effect, found x-y"),
        ({"name": "correlated", "pairs": ["x>y", "y>scale"]}, "no cause itself"),
        ({"name": "correlated", "pairs": ["x>y"], "condition": "x"}, "a factor of no pair"),
        ({"name": "correlated", "pairs": ["x>shape"], "correlation": 0.98}, "at most"),
        ({"name": "correlated", "pairs": ["x>y"], "correlation": -0.5}, "finite number ≥ 0"),
    ],
)
def test_bad_choices_are_one_clear_line(training, message):
    with pytest.raises(BadInput, match=message) as error:
        make("mini_sprites", training=training)
    assert "\n" not in str(error.value)
