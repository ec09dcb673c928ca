"""Channels whose information is known: a pixel is a code and normal noise, which is a code, too."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.tree_util import Partial

from soberlook.metrics import Representation, Trained, decoded_information
from soberlook.models.choice import GaussianAndChoice
from soberlook.models.posteriors import Gaussian, Point

CELLS = 600
CHOICE = np.eye(5)[:, 1:]  # pixels that show the choice and not the code before it


def look_up(posterior, images):
    return jax.tree.map(lambda leaf: leaf[images[:, 0, 0, 0].astype(int)], posterior)


def draw(pixels, z):
    return (z @ pixels).reshape(len(z), 1, 1, -1)


def run(posterior, pixels):
    """A run of these posteriors [600, …]; its images are the numbers of the cells, and those that
    it decodes are z @ pixels."""
    nothing = np.zeros((CELLS, 2))
    return Trained(
        Representation(nothing, nothing, nothing[:, 0], (20, 30)),
        lambda cells, key: jnp.asarray(cells, jnp.float32)[:, None, None, None],
        Partial(look_up, posterior),
        Partial(draw, jnp.asarray(pixels, jnp.float32)),
        None,
    )


def found(posterior, pixels, **options):
    trained = run(posterior, pixels)
    return decoded_information(trained, np.random.default_rng(0), **{"width": 32} | options)


def normal(mean=0.0, std=1.0, codes=2):
    mean = jnp.broadcast_to(jnp.asarray(mean, jnp.float32), (CELLS, codes))
    return Gaussian(mean, 2 * jnp.log(jnp.full((CELLS, codes), std)))


def channel(noise):
    return [[1.0], [noise]]


@pytest.mark.parametrize(("noise", "nats"), [(0.1, 2.308), (0.5, 0.805), (1.0, 0.347)])
def test_a_noisy_channel_carries_what_it_must(noise, nats):
    assert nats == pytest.approx(0.5 * np.log(1 + 1 / noise**2), abs=5e-4)
    numbers = found(normal(), channel(noise))
    # c alone; and the noise, which is what is left: its channel has the noise 1 / noise.
    assert numbers["decoded_information_0"] == pytest.approx(nats, abs=0.06)
    other = 0.5 * np.log(1 + noise**2)
    assert numbers["decoded_information_1"] == pytest.approx(other, abs=0.06)
    assert set(numbers) == {"decoded_information" + end for end in ("", "_0", "_1")}


def test_codes_together_are_not_the_sum_of_each_where_they_depend_on_each_other():
    """Two codes that are equal but for a deviation of .1, decoded without any noise but that."""
    means = np.random.default_rng(0).standard_normal((CELLS, 1))
    numbers = found(normal(means, std=0.1), [[1.0], [0.0]])
    cov = np.ones((2, 2)) + 0.01 * np.eye(2)
    redundancy = -0.5 * np.log(np.linalg.det(cov) / cov[0, 0] ** 2)
    own = numbers["decoded_information_0"] + numbers["decoded_information_1"]
    assert own - numbers["decoded_information"] == pytest.approx(redundancy, abs=0.15)


def test_a_decoder_that_ignores_the_code_says_nothing_of_it():
    """The negative control; the other code can be read."""
    numbers = found(normal(), [[0.0], [1.0]], codes=1)
    assert -0.03 < numbers["decoded_information_0"] < 0.02
    assert numbers["decoded_information"] == pytest.approx(
        numbers["decoded_information_0"], abs=0.01
    )
    assert numbers["decoded_information_1"] > 2
    constant = found(normal(), [[0.0], [0.0]])
    assert all(-0.05 < value < 0.02 for value in constant.values())


def test_codes_that_fill_a_part_of_the_prior_have_its_entropy_not_the_priors():
    numbers = found(normal(std=0.2), channel(1.0))
    truth = 0.5 * np.log(2)
    assert numbers["decoded_information_0"] == pytest.approx(truth, abs=0.05)
    # With the entropy of the prior it would seem to be log 5 = 1.6 nats more than there is.


def test_units_do_not_matter():
    numbers = found(normal(mean=3.0, std=0.01), [[1e-3], [1e-3]])
    assert numbers["decoded_information_0"] == pytest.approx(0.347, abs=0.05)


def one_of(k, logits):
    """Posteriors of one normal code and a choice of k."""
    return GaussianAndChoice(normal(codes=1), jnp.broadcast_to(jnp.asarray(logits), (CELLS, k)))


def test_a_choice_says_at_most_the_logarithm_of_its_number():
    uniform = found(one_of(4, jnp.zeros(4)), CHOICE)
    assert np.log(4) - 0.01 < uniform["decoded_information_choice"] <= np.log(4)
    assert -0.05 < uniform["decoded_information_0"] < 0.02
    uneven = np.log([0.7, 0.1, 0.1, 0.1])
    entropy = 0.7 * np.log(1 / 0.7) + 0.3 * np.log(10)
    numbers = found(one_of(4, uneven), CHOICE)
    assert numbers["decoded_information_choice"] == pytest.approx(entropy, abs=0.01)
    halves = found(one_of(4, jnp.zeros(4)), CHOICE @ np.eye(4)[[0, 0, 1, 1]])  # {0, 1} from {2, 3}
    assert halves["decoded_information_choice"] == pytest.approx(np.log(2), abs=0.02)
    ignored = found(one_of(4, jnp.zeros(4)), np.eye(5)[:, [0] * 4])
    assert -0.03 < ignored["decoded_information_choice"] < 0.02


def test_bad_models_and_options():
    with pytest.raises(ValueError, match="must have a density of each code"):
        found(Point(jnp.zeros((CELLS, 2))), channel(1.0))
    with pytest.raises(ValueError, match="posteriors must have a density"):
        found(normal(std=0.0), channel(1.0))
    with pytest.raises(ValueError, match="decoded images must be finite"):
        found(normal(), [[np.nan], [0.0]])
    with pytest.raises(ValueError, match="must be one at least"):
        found(normal(), channel(1.0), updates=0)
