"""The Wild Relation Network: Barrett, Hill, Santoro, Morcos & Lillicrap, "Measuring Abstract
Reasoning in Neural Networks", ICML 2018.

    score of answer a = g(Σ_{x, y ∈ P_a} e(x, y)),  P_a: the context's 8 panels and a
    e, g: networks of ReLUs;  a panel x is its code and a one-hot vector of its place
    p(a | context) = softmax over the answers
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

CONTEXT = 8
lecun_normal = jax.nn.initializers.lecun_normal()


class Layer(NamedTuple):
    """x ↦ x W + b."""

    weights: Float[Array, "i o"]
    bias: Float[Array, " o"]


class RelationNetwork(NamedTuple):
    """Parameters: e's layers, g's layers, and the line that makes a score of g's features."""

    edge: list[Layer]
    graph: list[Layer]
    score: Layer


def init(
    key: Array, codes: int, edge_widths: tuple[int, ...], graph_widths: tuple[int, ...]
) -> RelationNetwork:
    """A network for so many codes a panel, with LeCun's normal initialisation."""
    if not edge_widths:
        raise ValueError("edge_widths must be one at least, found none")
    widths = 2 * (codes + CONTEXT + 1), *edge_widths, *graph_widths, 1
    keys = jax.random.split(key, len(widths) - 1)
    layers = [
        Layer(lecun_normal(k, (i, o)), jnp.zeros(o))
        for k, i, o in zip(keys, widths[:-1], widths[1:], strict=True)
    ]
    edges = len(edge_widths)
    return RelationNetwork(layers[:edges], layers[edges:-1], layers[-1])


def scores(
    network: RelationNetwork,
    context: Float[Array, "8 z"],
    answers: Float[Array, "k z"],
    kept: Float[Array, " h"] | float = 1.0,
) -> Float[Array, " k"]:
    """Each answer's score, a logit. `kept` multiplies g's last features: dropout's mask."""
    x, y = _ends(network.edge[0], context, answers)
    n, k = CONTEXT, len(answers)
    # The context's pairs are the same with every answer: added up once, not k times.
    among = x[:n, None] + y[None, :n]  # [8, 8, h]
    to, back = x[None, :n] + y[n:, None], x[n:, None] + y[None, :n]  # [k, 8, h]
    itself = (x + y)[n:, None]  # [k, 1, h]
    with_answer = jnp.concatenate([to, back, itself], axis=1)
    pairs = [part.reshape(-1, part.shape[-1]) for part in (among, with_answer)]
    edges = jax.nn.relu(jnp.concatenate(pairs))
    for layer in network.edge[1:]:
        edges = jax.nn.relu(_apply(layer, edges))
    of_context, of_answers = edges[: n * n], edges[n * n :].reshape(k, 2 * n + 1, -1)
    features = of_context.sum(axis=0)[None] + of_answers.sum(axis=1)
    for layer in network.graph:
        features = jax.nn.relu(_apply(layer, features))
    return _apply(network.score, features * jnp.atleast_2d(kept))[:, 0]


def _ends(layer, context, answers):
    """e's first layer in two halves: W [x, y] + c = W₁ x + (W₂ y + c), each [8 + k, h]."""
    places = np.minimum(np.arange(CONTEXT + len(answers)), CONTEXT)
    panels = jnp.concatenate([context, answers])
    panels = jnp.concatenate([panels, jax.nn.one_hot(places, CONTEXT + 1)], axis=1)
    first, second = jnp.split(layer.weights, 2)
    return _apply(Layer(first, jnp.zeros(1)), panels), _apply(Layer(second, layer.bias), panels)


def _apply(layer, x):
    return jnp.matmul(x, layer.weights, precision="highest") + layer.bias[None]
