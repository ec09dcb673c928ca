"""An elongated spot whose place, brightness and angle are its four factors, and hand-made codes."""

import jax.numpy as jnp
import numpy as np
import pytest

from soberlook.metrics import Representation, Trained, perturbation
from soberlook.metrics.perturbation import deviation, measure, responses
from soberlook.models.posteriors import Point

SIZES = (5, 5, 4, 4)  # x, y, brightness, angle
FACTORS = np.indices(SIZES).reshape(4, -1).T
STANDARD = (FACTORS - FACTORS.mean(axis=0)) / FACTORS.std(axis=0)
Y, X = np.mgrid[:32, :32].astype(np.float32) + np.float32(0.5)


def draw(v):
    """Images [b, 32, 32, 1] of standardised factors, drawn wherever they are told to."""
    x, y, brightness, angle = (v[:, j, None, None] for j in range(4))
    dx, dy, turn = X[None] - 16 - x, Y[None] - 16 - y, 0.2 * angle
    along = jnp.cos(turn) * dx + jnp.sin(turn) * dy
    across = jnp.cos(turn) * dy - jnp.sin(turn) * dx
    spot = jnp.exp(-(jnp.square(along / 3) + jnp.square(across / 1.5)) / 2)
    return ((0.5 + 0.1 * brightness) * spot)[..., None]


def with_codes(codes, to_factors, sizes=SIZES, factors=STANDARD):
    """A run with these codes [n, z] of the grid's images, and the factors it reads from codes."""
    table = draw(jnp.asarray(factors, jnp.float32))
    flat, codes32 = table.reshape(len(table), -1), jnp.asarray(codes, jnp.float32)

    def encode(images):
        far = ((images.reshape(len(images), 1, -1) - flat[None, ::]) ** 2).sum(axis=2)
        return Point(codes32[far.argmin(axis=1)])

    return Trained(
        Representation(codes, codes, codes[:, 0], sizes),
        lambda cells, key: table[cells],
        encode,
        lambda z: draw(to_factors(z)),
        None,
    )


def found(trained, **settings):
    return perturbation(trained, np.random.default_rng(0), cells=40, **settings)


@pytest.fixture(scope="module")
def aligned():
    """One latent a factor, and two that have collapsed: one with a little noise, one constant."""
    noise = 0.01 * np.random.default_rng(0).standard_normal((len(STANDARD), 1))
    codes = np.hstack([STANDARD, noise, np.full_like(noise, 0.1)])
    return with_codes(codes, lambda z: z[:, :4])


def test_a_latent_that_only_translates_has_a_one_hot_row(aligned):
    response, change = responses(aligned, np.random.default_rng(0), cells=40)
    reached = np.linspace(-3, 3, 9).std()  # in deviations of the code
    np.testing.assert_allclose(np.diag(response)[:3], reached, rtol=0.15)  # 40 cells are drawn
    assert 1 < response[3, 3] < 2  # a turn of ± 0.6, where the data turns by ± 0.27
    others = response * (1 - np.eye(6, 5))
    assert others.max() < 0.02
    assert (response[4:] == 0).all() and (change[4:] == 0).all()
    assert (change[:4] > 0.3).all()


def test_one_latent_a_property(aligned):
    numbers = found(aligned)
    assert numbers["perturbation_max_share"] == pytest.approx(1, abs=0.01)
    assert numbers["perturbation_completeness"] == pytest.approx(1, abs=0.01)
    assert numbers["perturbation_inactive"] == 2


def test_turned_codes_share():
    """x and y turned by 45°: half of either latent's response, and half of either property's."""
    x, y = STANDARD[:, 0], STANDARD[:, 1]
    codes = np.stack([x + y, x - y], axis=1)

    def to_factors(z):
        a, b = z[:, 0], z[:, 1]
        return jnp.stack([(a + b) / 2, (a - b) / 2, 0 * a, 0 * a], axis=1)

    numbers = found(with_codes(codes, to_factors))
    assert numbers["perturbation_max_share"] == pytest.approx(0.5, abs=0.05)
    assert numbers["perturbation_completeness"] == pytest.approx(0.5, abs=0.05)
    assert numbers["perturbation_inactive"] == 0


def test_one_latent_for_two_properties_and_two_for_one():
    both = with_codes(STANDARD[:, :1], lambda z: z[:, [0, 0, 0, 0]] * jnp.array([[1, 1, 0, 0]]))
    numbers = found(both)
    assert numbers["perturbation_max_share"] == pytest.approx(0.5, abs=0.05)
    assert numbers["perturbation_completeness"] == 1  # all there is, is of the one latent
    twice = with_codes(
        STANDARD[:, [0, 0]], lambda z: (z[:, :1] + z[:, 1:]) * jnp.array([[0.5, 0, 0, 0]])
    )
    numbers = found(twice)
    assert numbers["perturbation_max_share"] == pytest.approx(1, abs=0.01)
    assert numbers["perturbation_completeness"] == pytest.approx(0.5, abs=0.01)


def test_the_order_and_the_scale_of_latents_do_not_matter(aligned):
    order, back = np.array([3, 0, 2, 1]), jnp.array([1, 3, 2, 0])
    scales = np.array([1, 10, 0.1, 5], np.float32)
    moved = with_codes(STANDARD[:, order] * scales, lambda z: (z / scales[None])[:, back])
    plain = found(aligned)
    for key, value in found(moved).items():
        expected = 0 if key == "perturbation_inactive" else plain[key]
        assert value == pytest.approx(expected, abs=1e-3), key


def test_a_decoder_that_ignores_its_codes():
    numbers = found(with_codes(STANDARD, lambda z: 0 * z))
    assert numbers == {
        "perturbation_max_share": 0,
        "perturbation_completeness": 0,
        "perturbation_inactive": 4,
    }


def test_properties_that_do_not_vary_in_the_data_have_no_response():
    still = STANDARD * [1, 1, 0, 0]
    response, _ = responses(
        with_codes(STANDARD, lambda z: z, factors=still), np.random.default_rng(0), cells=40
    )
    assert (response[:, 2:] == 0).all() and (response[[0, 1], [0, 1]] > 1).all()


def test_properties_of_known_images():
    image = np.zeros((8, 10, 1))
    image[2:4, 1:9] = 0.5  # a bar, 8 by 2 pixels
    x, y, area, cos, sin, *shape = measure(image)
    assert (x, y, area) == (5, 3, 8)
    e = (63 - 3) / (63 + 3)  # variances (8² − 1) / 12 and (2² − 1) / 12
    assert (cos, sin) == pytest.approx((e, 0))
    assert shape == pytest.approx((e, 0, 0))  # of what has a centre there is no third moment
    assert measure(image.swapaxes(0, 1))[3:5] == pytest.approx((-e, 0))  # turned by 90°
    diagonal = np.eye(6)[..., None]
    assert measure(diagonal)[3:5] == pytest.approx((0, 1))  # 45°, a line
    assert measure(diagonal[::-1])[3:5] == pytest.approx((0, -1))
    assert measure(np.ones((4, 4, 3))).tolist() == [2, 2, 16, 0, 0, 0, 0, 0]
    assert measure(np.zeros((4, 6, 1))).tolist() == [3, 2, 0, 0, 0, 0, 0, 0]  # no light


def fill(corners, size=64):
    """A polygon's image: what lies to one side of all its edges."""
    y, x = np.mgrid[:size, :size] + 0.5
    edges = zip(corners, np.roll(corners, -1, axis=0), strict=True)
    sides = [(bx - ax) * (y - ay) - (by - ay) * (x - ax) for (ax, ay), (bx, by) in edges]
    return np.all(np.array(sides) >= 0, axis=0)[..., None].astype(float)


def test_a_shape_is_what_moving_turning_growing_and_brightening_keep():
    def drawn(corners, angle=0.0, scale=1.0, at=(32, 32)):
        turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
        return fill(scale * np.array(corners) @ turn.T + at)

    corners = {
        "triangle": [(-12, -12), (12, -12), (0, 12)],
        "square": [(-12, -12), (12, -12), (12, 12), (-12, 12)],
        "corner": [(-6, -12), (12, -12), (12, 12)],
    }
    shapes = {name: measure(drawn(own))[5:] for name, own in corners.items()}
    np.testing.assert_allclose(shapes["square"], 0, atol=1e-6)
    for name, own in corners.items():
        moved = [drawn(own, at=(25, 30)), drawn(own, 0.6), drawn(own, 2, 1.3), 0.3 * drawn(own)]
        found = np.stack([measure(image)[5:] for image in moved])
        assert np.abs(found - shapes[name]).max() < 0.04
        for other in set(corners) - {name}:
            assert np.abs(shapes[name] - shapes[other]).max() > 0.1
    one, two = (
        np.stack([measure(drawn(corners[n])) for n in pair])
        for pair in (("corner", "corner"), ("corner", "square"))
    )
    assert deviation(one)[4] == 0
    expected = np.linalg.norm(shapes["corner"] - shapes["square"]) / 2
    assert deviation(two)[4] == pytest.approx(expected)


def test_a_latent_that_bends_is_told_from_one_that_turns():
    """Spots of a fixed place, longer and shorter at the same area, and turned."""

    def stretched(v):
        along = jnp.exp(0.25 * v[:, :1, None] + 1)
        turn = 0.2 * v[:, 1:2, None]
        dx, dy = X[None] - 16, Y[None] - 16
        a, b = jnp.cos(turn) * dx + jnp.sin(turn) * dy, jnp.cos(turn) * dy - jnp.sin(turn) * dx
        return jnp.exp(-(jnp.square(a / along) + jnp.square(b * along / 2)) / 2)[..., None]

    values = np.indices((6, 6)).reshape(2, -1).T / 2.5 - 1
    table = stretched(jnp.asarray(values, jnp.float32))
    flat = table.reshape(36, -1)

    def encode(images):
        far = ((images.reshape(len(images), 1, -1) - flat[None, ::]) ** 2).sum(axis=2)
        return Point(jnp.asarray(values, jnp.float32)[far.argmin(axis=1)])

    representation = Representation(values, values, values[:, 0], (6, 6))
    trained = Trained(representation, lambda c, k: table[c], encode, stretched, None)
    response, _ = responses(trained, np.random.default_rng(0), cells=40, reach=1.0)
    assert (response[:, :3] < 0.05).all()
    assert response[0, 4] > 5 * response[0, 3] and response[1, 3] > 5 * response[1, 4]


def test_the_deviation_of_an_orientation():
    def turning(angles, elongation=1.0):
        vectors = [np.cos(2 * angles), np.sin(2 * angles)] * np.full((2, 1), elongation)
        none = np.zeros((3, len(angles)))
        return deviation(np.concatenate([none, vectors, none]).T)[3]

    angles = 0.05 * np.random.default_rng(0).standard_normal(10_000)
    assert turning(angles) == pytest.approx(0.05, rel=0.03)
    assert turning(angles + np.pi / 2) == pytest.approx(turning(angles))  # whatever the angle is
    assert turning(angles, 0.25) == pytest.approx(turning(angles) / 2)
    assert turning(np.linspace(0, np.pi, 9)[:-1]) == pytest.approx(np.sqrt(0.5))  # every angle
    stretched = np.array([[0, 0, 0, e, e, 0, 0, 0] for e in (0.1, 0.3, 0.6)])
    assert deviation(stretched)[3] == 0


def test_bad_models(aligned):
    nan = aligned.representation._replace(mean=aligned.representation.mean * np.nan)
    with pytest.raises(ValueError, match="^representation.mean must be finite"):
        found(aligned._replace(representation=nan))
    with pytest.raises(ValueError, match="images must vary"):
        found(with_codes(STANDARD, lambda z: z, factors=0 * STANDARD))
    with pytest.raises(ValueError, match="decoded images must be finite"):
        found(aligned._replace(decode=lambda z: jnp.full((len(z), 32, 32, 1), jnp.nan)))
