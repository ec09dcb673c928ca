import jax
import jax.numpy as jnp
import numpy as np
import pytest

from soberlook.metrics.relation_network import Layer, RelationNetwork, init, scores


@pytest.fixture(scope="module")
def case():
    """(network, context [3, 8, 4], answers [3, 6, 4], scores [3, 6])."""
    rng = np.random.default_rng(0)
    shapes = [(26, 7), (7, 6), (6, 5), (5, 1)]
    layers = [
        Layer(*(rng.standard_normal(s).astype(np.float32) for s in (io, io[1:]))) for io in shapes
    ]
    network = RelationNetwork(layers[:2], layers[2:3], layers[3])
    network = jax.tree.map(jnp.asarray, network)
    context, answers = rng.standard_normal((3, 8, 4)), rng.standard_normal((3, 6, 4))
    return network, context, answers, score_all(network, context, answers, jnp.ones(5))


@jax.jit
def score_all(network, context, answers, kept):
    return jax.vmap(scores, (None, 0, 0, None))(network, context, answers, kept)


def relu_layers(layers, x):
    for layer in layers:
        x = np.maximum(x @ np.asarray(layer.weights, float) + np.asarray(layer.bias), 0)
    return x


def test_is_the_definition(case):
    network, context, answers, expected = case
    for b, k in np.ndindex(3, 6):
        panels = np.concatenate([context[b], answers[b, k : k + 1]])
        panels = np.concatenate([panels, np.eye(9)], axis=1)
        pairs = np.array([[*x, *y] for x in panels for y in panels])
        features = relu_layers(network.graph, relu_layers(network.edge, pairs).sum(axis=0))
        score = features @ np.asarray(network.score.weights) + np.asarray(network.score.bias)
        assert expected[b, k] == pytest.approx(score[0], rel=1e-4)


def test_answers_are_scored_each_for_itself_and_places_matter(case):
    network, context, answers, expected = case
    order = np.array([3, 1, 4, 0, 5, 2])
    again = score_all(network, context, answers[:, order], jnp.ones(5))
    np.testing.assert_allclose(again, expected[:, order], rtol=1e-4)
    turned = score_all(network, context[:, ::-1], answers, jnp.ones(5))
    assert np.abs(turned - expected).max() > 0.01 * np.abs(expected).max()


def test_dropout_multiplies_the_last_features(case):
    network, context, answers, _ = case
    dropped = score_all(network, context, answers, jnp.zeros(5))
    np.testing.assert_allclose(dropped, np.full((3, 6), network.score.bias[0]))


def test_starts_as_lecun_would():
    network = init(jax.random.key(0), 4, (64, 7), (5,))
    shapes = [layer.weights.shape for layer in (*network.edge, *network.graph, network.score)]
    assert shapes == [(26, 64), (64, 7), (7, 5), (5, 1)]
    assert np.std(network.edge[0].weights) == pytest.approx(1 / np.sqrt(26), rel=0.05)
    assert not network.score.bias.any()
