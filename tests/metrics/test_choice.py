import jax.numpy as jnp
import numpy as np
import pytest

from soberlook.metrics import Representation, Trained
from soberlook.metrics.choice import choice
from soberlook.models.choice import GaussianAndChoice
from soberlook.models.posteriors import Gaussian, Point

SIZES = (4, 5)


def run(choices, k):
    """A run that chooses choices[cell] of k, beside a normal code that knows nothing."""
    probabilities = 0.9 * np.eye(k)[choices] + 0.1 / k

    def encode(images):
        nothing = jnp.zeros((len(images), 1))
        logits = jnp.log(jnp.asarray(probabilities))[images[:, 0, 0, 0].astype(int)]
        return GaussianAndChoice(Gaussian(nothing, nothing), logits)

    nothing = np.zeros((20, 1))
    return Trained(
        Representation(nothing, nothing, nothing[:, 0], SIZES),
        lambda cells, key: jnp.asarray(cells, jnp.float32)[:, None, None, None],
        encode,
        None,
        None,
    )


def found(choices, k):
    return choice(run(np.asarray(choices), k), np.random.default_rng(0))


def test_a_choice_that_is_a_factor_by_other_names():
    first = np.arange(20) // 5
    numbers = found((first + 2) % 4, 4)
    assert numbers["choice_accuracy"] == numbers["choice_accuracy_0"] == 1
    assert numbers["choice_nmi"] == pytest.approx(1)
    # Of the other factor it knows nothing: one of five values is right.
    assert numbers["choice_accuracy_1"] == pytest.approx(0.2)
    assert numbers["choice_nmi_1"] == pytest.approx(0, abs=1e-6)


def test_more_choices_than_values_and_fewer():
    first = np.arange(20) // 5
    finer = found(np.arange(20), 20)
    assert finer["choice_accuracy_0"] == finer["choice_accuracy_1"] == 1 > finer["choice_nmi_0"]
    coarser = found(first // 2, 2)
    assert coarser["choice_accuracy_0"] == pytest.approx(0.5)
    nmi = np.log(2) / (0.5 * (np.log(2) + np.log(4)))
    assert coarser["choice_nmi_0"] == pytest.approx(nmi)


def test_all_choose_the_same():
    numbers = found(np.zeros(20, int), 4)
    assert numbers["choice_accuracy_0"] == pytest.approx(0.25) and numbers["choice_nmi"] == 0


def test_models_without_a_choice():
    trained = run(np.zeros(20, int), 4)._replace(encode=lambda x: Point(jnp.zeros((len(x), 2))))
    with pytest.raises(ValueError, match="must have a choice among their codes"):
        choice(trained, np.random.default_rng(0))
