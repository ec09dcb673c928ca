"""A code of a bit and noise, whose accuracies are known: Φ(√k / σ)."""

import jax.numpy as jnp
import numpy as np
import pytest
from scipy.stats import norm

from soberlook.metrics import Representation, Trained, content
from soberlook.metrics.content import accumulate, draw_groups
from soberlook.models.posteriors import Gaussian, Point

CLASSES, INSTANCES = 2, 3_000


def run(mean, log_var=None, *, classes=CLASSES, parts=None, held_out=None):
    """A run with these codes [n, z] of a grid of classes and instances; images number cells."""
    mean = np.float32(mean)
    log_var = np.zeros_like(mean) if log_var is None else np.float32(log_var)
    tables = jnp.asarray(mean), jnp.asarray(log_var)

    def encode(images):
        cells = images.astype(int)[:, 0]
        return Gaussian(*(table[cells] for table in tables))

    representation = Representation(
        mean, mean, mean[:, 0], (classes,), mean, (len(mean) // classes,), held_out
    )
    parts = {0: slice(0, 1)} if parts is None else parts
    return Trained(
        representation, lambda cells, key: cells[:, None] * 1.0, encode, None, None, parts
    )


def codes(sigma, classes=CLASSES, instances=INSTANCES):
    """[n, 2]: v ± σ with v = ±1 for two classes, and noise."""
    noise = np.random.default_rng(1).standard_normal((classes * instances, 2))
    value = np.repeat(2 * np.arange(classes) - 1.0, instances)
    return np.stack([value + sigma * noise[:, 0], noise[:, 1]], axis=1)


def found(trained, **settings):
    return content(trained, np.random.default_rng(0), **{"groups": 4_000} | settings)


def test_evidence_adds_up_and_noise_does_not():
    numbers = found(run(codes(2.0)))
    for k in (1, 2, 4, 8):
        expected = norm.cdf(np.sqrt(k) / 2)
        assert numbers[f"content_accuracy_{k}"] == pytest.approx(expected, abs=0.025)
        assert numbers[f"style_accuracy_{k}"] == pytest.approx(0.5, abs=0.03)
    gain = norm.cdf(np.sqrt(8) / 2) - norm.cdf(1 / 2)
    assert numbers["content_gain"] == pytest.approx(gain, abs=0.04)
    assert numbers["content_lead"] == pytest.approx(norm.cdf(np.sqrt(8) / 2) - 0.5, abs=0.04)
    assert len(numbers) == 10


def test_the_part_is_the_models_own():
    turned = found(run(codes(2.0)[:, ::-1], parts={0: slice(1, 2)}))
    assert turned == found(run(codes(2.0)))
    wrong = found(run(codes(2.0), parts={0: slice(1, 2)}))
    assert wrong["content_accuracy_8"] < 0.55 < 0.9 < wrong["style_accuracy_8"]


def test_images_count_by_what_their_posterior_knows():
    by_hand = accumulate(np.array([[1.0], [3.0]]), np.log([[1.0], [0.5]]))
    assert by_hand == pytest.approx(7 / 3, rel=1e-9)
    sure = accumulate(np.array([[1.0], [3.0]]), np.array([[-80.0], [0.0]]))
    assert sure == pytest.approx(1)
    # Every other image is noise of deviation 20, and says so.
    known = codes(1.5)
    log_var = np.zeros_like(known)
    known[::2, 0] += 20 * np.random.default_rng(2).standard_normal(len(known[::2]))
    log_var[::2] = 2 * np.log(20)
    told, untold = found(run(known, log_var)), found(run(known))
    assert told["content_accuracy_8"] > 0.85 > 0.7 > untold["content_accuracy_8"]


def test_a_whole_code_has_no_style_and_several_parts_are_averaged():
    whole = found(run(codes(1.0), parts={0: slice(0, 2)}))
    assert set(whole) == {"content_gain", *(f"content_accuracy_{k}" for k in (1, 2, 4, 8))}
    a, b = np.indices((2, 2, 1_000)).reshape(3, -1)[:2]
    mean = np.float32(np.stack([2 * a - 1, 0 * b], axis=1))
    trained = run(mean, parts={0: slice(0, 1), 1: slice(1, 2)})
    sizes = {"factor_sizes": (2, 2), "nuisance_sizes": (1_000,)}
    trained = trained._replace(representation=trained.representation._replace(**sizes))
    numbers = found(trained, groups=1_000)
    assert numbers["content_accuracy_1"] == pytest.approx(0.75, abs=0.03)  # 1 and ½
    assert numbers["style_accuracy_1"] == pytest.approx(0.5, abs=0.03)


def test_held_out_groups_are_scored_apart():
    """Of four classes the code tells the first two apart, and not the two that were held out."""
    value = np.repeat([-1.0, 1.0, 3.0, 3.0], 500)
    mean = np.stack([value, np.random.default_rng(0).standard_normal(2_000)], axis=1)
    trained = run(mean, classes=4, held_out=np.arange(1_000, 2_000))
    numbers = found(trained, groups=1_000)
    assert numbers["content_accuracy_1"] == pytest.approx(0.75, abs=0.04)
    assert numbers["content_accuracy_8_held_out"] == pytest.approx(0.5, abs=0.05)
    assert len(numbers) == 20
    one = found(run(mean, classes=4, held_out=np.arange(500)), groups=100)
    assert len(one) == 10  # held out in one value only: there is nothing to tell apart


def test_a_value_with_a_single_cell_is_left_out():
    """It cannot be learnt from some cells and tested on others; the rest can."""
    value = np.repeat([-1.0, 1.0, 3.0, 3.0], 500)
    mean = np.stack([value, np.random.default_rng(0).standard_normal(2_000)], axis=1)
    both, one_more = np.arange(1_000), np.arange(1_001)
    expected, numbers = (
        found(run(mean, classes=4, held_out=cells), groups=500) for cells in (both, one_more)
    )
    assert expected["content_accuracy_1_held_out"] == 1
    assert set(numbers) == set(expected)
    assert numbers["content_accuracy_1_held_out"] == 1
    alone = found(run(mean, classes=4, held_out=np.array([0, 500, 501])), groups=100)
    assert not any(name.endswith("held_out") for name in alone)  # one value is left


def test_groups_to_learn_from_and_to_test_on_share_a_value_and_no_cell():
    values = np.random.default_rng(0).integers(5, size=300)
    places, truth = draw_groups(np.random.default_rng(1), values, 2_000, 3)
    assert (values[places] == truth[..., None]).all()
    learnt, tested = (set(half.ravel()) for half in places)
    assert not learnt & tested and len(learnt | tested) == 300
    assert np.bincount(truth[0]).min() > 330  # values are as likely, and not cells


def test_bad_runs():
    with pytest.raises(ValueError, match="codes must have parts"):
        found(run(codes(1.0), parts={}))
    with pytest.raises(ValueError, match="encoded means must be finite"):
        found(run(codes(np.nan)))
    with pytest.raises(ValueError, match="encoded log_var must be finite"):
        found(run(codes(1.0), np.full((CLASSES * INSTANCES, 2), np.nan)))
    with pytest.raises(ValueError, match="posteriors must be normal"):
        found(run(codes(1.0))._replace(encode=lambda x: Point(jnp.zeros((len(x), 2)))))
    with pytest.raises(ValueError, match="two values at least, of two cells each"):
        draw_groups(np.random.default_rng(0), np.array([0, 0, 1]), 5, 2)


def test_equal_seeds_give_equal_numbers():
    assert found(run(codes(2.0))) == found(run(codes(2.0)))
