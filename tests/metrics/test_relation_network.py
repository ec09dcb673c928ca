import jax
import numpy as np
import pytest

from soberlook.metrics import relation_network


@pytest.fixture(scope="module")
def case():
    """(network, context [3, 8, 4], answers [3, 6, 4], scores [3, 6])."""
    network = relation_network.init(jax.random.key(0), 4, (7, 6), (5,))
    # Biases start at 0, where one forgotten would go unseen.
    network = jax.tree.map(lambda leaf: leaf + 0.1, network)
    rng = np.random.default_rng(0)
    context, answers = rng.standard_normal((3, 8, 4)), rng.standard_normal((3, 6, 4))
    return network, context, answers, score_all(network, context, answers)


def score_all(network, context, answers, kept=1.0):
    scores = jax.vmap(relation_network.scores, (None, 0, 0, None))
    return np.asarray(scores(network, context, answers, kept))


def relu_layers(layers, x):
    for layer in layers:
        x = np.maximum(x @ np.asarray(layer.weights, float) + np.asarray(layer.bias), 0)
    return x


def test_is_the_definition(case):
    network, context, answers, scores = case
    for b, k in np.ndindex(3, 6):
        panels = np.concatenate([context[b], answers[b, k : k + 1]])
        panels = np.concatenate([panels, np.eye(9)], axis=1)
        pairs = np.array([[*x, *y] for x in panels for y in panels])
        features = relu_layers(network.graph, relu_layers(network.edge, pairs).sum(axis=0))
        score = features @ np.asarray(network.score.weights) + np.asarray(network.score.bias)
        assert scores[b, k] == pytest.approx(score[0], rel=1e-5)


def test_answers_are_scored_each_for_itself_and_places_matter(case):
    network, context, answers, scores = case
    order = np.array([3, 1, 4, 0, 5, 2])
    again = score_all(network, context, answers[:, order])
    np.testing.assert_allclose(again, scores[:, order], rtol=1e-5)
    turned = score_all(network, context[:, ::-1], answers)
    assert np.abs(turned - scores).max() > 0.01 * np.abs(scores).max()


def test_dropout_multiplies_the_last_features(case):
    network, context, answers, _ = case
    dropped = score_all(network, context, answers, np.zeros(5, np.float32))
    np.testing.assert_allclose(dropped, np.full((3, 6), network.score.bias[0]))
