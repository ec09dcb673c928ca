"""A model is its own configuration, and a pytree."""

import jax
import numpy as np
import pytest

from soberlook import models
from soberlook.models import VAE, BetaVAE, hyperparameter, register
from soberlook.registry import BadInput


@pytest.fixture
def no_trace():
    """Whatever a test registers is gone afterwards."""
    before = dict(models.MODELS)
    yield
    models.MODELS.clear()
    models.MODELS.update(before)


def test_hyperparameters_are_leaves_and_structure_is_not():
    leaves, structure = jax.tree.flatten(BetaVAE(beta=6, latents=7))
    assert leaves == [1e-4, 6.0]
    assert structure == jax.tree.structure(BetaVAE(beta=1, latents=7))
    assert structure != jax.tree.structure(BetaVAE(beta=6, latents=8))


def test_unflattening_takes_anything_for_a_leaf():
    stacked = jax.tree.map(lambda *x: np.stack(x), BetaVAE(beta=1), BetaVAE(beta=2))
    assert stacked.beta.tolist() == [1, 2] and stacked.latents == 10
    doubled = jax.jit(lambda model: jax.tree.map(lambda leaf: 2 * leaf, model))(BetaVAE(beta=3))
    assert float(doubled.beta) == 6


def test_settings_give_the_model_back():
    model = BetaVAE(beta=3, latents=6, network="mlp")
    again = models.make("beta_vae", **model.settings())
    assert again.settings() == model.settings()
    assert repr(model).startswith("BetaVAE(") and "beta=3.0" in repr(model)
    assert isinstance(BetaVAE(beta=np.float32(2)).beta, float)


def test_strength_is_the_swept_field():
    assert models.strength_name(BetaVAE) == "beta"
    assert models.sweep(BetaVAE) == (1, 2, 4, 6, 8, 16)
    assert BetaVAE(beta=2).strength == 2.0


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"bta": 1}, "did you mean 'beta'"),
        ({"beta": -1}, "beta must be a finite number ≥ 0, found -1.0"),
        ({"beta": float("nan")}, "beta must be a finite number ≥ 0, found nan"),
        ({"beta": "4"}, "beta must be a finite number ≥ 0, found '4'"),
        ({"beta": True}, "beta must be a finite number ≥ 0, found True"),
        ({"latents": 0}, "latents must be a whole number ≥ 1, found 0"),
        ({"latents": 2.5}, "latents must be a whole number ≥ 1, found 2.5"),
        (
            {"network": "mpl"},
            "network must be one of 'auto', 'mlp', 'linear', 'made', 'conv', 'conv_paper', "
            "found 'mpl'",
        ),
        (
            {"network": ["mlp"]},
            "network must be one of 'auto', 'mlp', 'linear', 'made', 'conv', 'conv_paper', "
            "found ['mlp']",
        ),
    ],
)
def test_wrong_settings_are_one_clear_line(settings, message):
    with pytest.raises(BadInput) as error:
        models.make("beta_vae", **settings)
    assert message in str(error.value) and "\n" not in str(error.value)


def test_a_misspelt_field_is_an_error_from_python_itself():
    with pytest.raises(TypeError, match="bta"):
        BetaVAE(bta=1)


def test_unknown_model_names_the_nearest():
    with pytest.raises(BadInput, match="unknown model 'beta_va': did you mean 'beta_vae'"):
        models.make("beta_va")


def test_a_subclass_that_was_not_registered_is_an_error():
    class Forgotten(BetaVAE):
        pass

    with pytest.raises(TypeError, match="Forgotten is not registered"):
        Forgotten()
    with pytest.raises(TypeError, match="not registered"):
        VAE()


def test_names_have_one_owner(no_trace):
    with pytest.raises(BadInput, match="'beta_vae' is taken by soberlook.models.beta_vae"):

        @register("beta_vae")
        class Other(VAE):
            pass


def test_a_class_has_one_strength(no_trace):
    with pytest.raises(BadInput, match="sweeps beta and gamma"):

        @register("two_strengths")
        class TwoStrengths(BetaVAE):
            gamma: float = hyperparameter(1.0, sweep=(1, 2))


def test_only_models_can_be_registered(no_trace):
    with pytest.raises(TypeError, match="must derive from Model or VAE"):

        @register("number")
        class Number(int):
            pass


def test_auto_is_resolved_for_a_shape():
    assert BetaVAE().resolved((16, 16, 1)).network == "mlp"
