"""The fields against the equations, cosines that solve them, and the symmetries of the square."""

import numpy as np
import pytest
from scipy.fft import dctn, idctn
from scipy.stats import norm

from soberlook.datasets import Darcy
from soberlook.datasets.darcy import FLOW, PRESSURE, modes, solve, source

SIDE = 17
RNG = np.random.default_rng(0)


def balance(flow_x, flow_y):
    """What flows out of each cell, per area: the divergence."""
    x = np.pad(flow_x, ((0, 0), (0, 0), (1, 1)))
    y = np.pad(flow_y, ((0, 0), (1, 1), (0, 0)))
    return (np.diff(x, axis=2) + np.diff(y, axis=1)) * flow_y.shape[2]


@pytest.fixture(scope="module")
def images():
    return np.asarray(Darcy().load(), float).reshape(32, 32, SIDE, SIDE, 3)


@pytest.mark.parametrize("side", [17, 33])
def test_the_equations_hold(side):
    log_k = Darcy(side=side).log_permeability(RNG.normal(size=(5, 2)))
    f = source(side)
    p, flow_x, flow_y = solve(log_k, f)
    assert np.abs(balance(flow_x, flow_y) - f).max() < 1e-9  # f is 10
    np.testing.assert_allclose(p.mean(axis=(1, 2)), 0, atol=1e-12)
    # Darcy's law: a step of pressure is the flow times the resistance of two halves of a cell.
    k = np.exp(log_k)
    step = -flow_x / (2 * side) * (1 / k[:, :, 1:] + 1 / k[:, :, :-1])
    np.testing.assert_allclose(np.diff(p, axis=2), step, atol=1e-12)
    step = -flow_y / (2 * side) * (1 / k[:, 1:] + 1 / k[:, :-1])
    np.testing.assert_allclose(np.diff(p, axis=1), step, atol=1e-12)


def test_of_constant_permeability_cosines_are_the_solution():
    """cos(πm(i + ½)/s) cos(πn(j + ½)/s) is an eigenfunction of the five-point Laplacian with no
    flow through the boundary, with eigenvalue (4 − 2 cos(πm/s) − 2 cos(πn/s)) s²."""
    f = source(SIDE)
    wave = np.cos(np.pi * np.arange(SIDE) / SIDE)
    eigenvalues = (4 - 2 * wave[:, None] - 2 * wave[None]) * SIDE**2
    transformed = dctn(f)
    assert abs(transformed[0, 0]) < 1e-12
    transformed[0, 0], eigenvalues[0, 0] = 0, 1
    for k in (1.0, 2.5):
        p, _, _ = solve(np.full((1, SIDE, SIDE), np.log(k)), f)
        np.testing.assert_allclose(p[0], idctn(transformed / eigenvalues) / k, atol=1e-12)


def test_layers_carry_what_is_fed_in():
    """Where K and f depend on x alone, the flow is what the sources to the left have fed in."""
    log_k = np.tile(RNG.normal(size=SIDE), (1, SIDE, 1))
    f = RNG.normal(size=SIDE)
    f -= f.mean()
    p, flow_x, flow_y = solve(log_k, np.tile(f, (SIDE, 1)))
    np.testing.assert_allclose(flow_x[0], np.tile(np.cumsum(f)[:-1] / SIDE, (SIDE, 1)), atol=1e-10)
    np.testing.assert_allclose(flow_y, 0, atol=1e-10)


@pytest.mark.parametrize("side", [17, 33])
def test_the_source_is_that_of_the_paper_and_all_of_it_drawn_off_again(side):
    f = source(side)
    assert abs(f.sum()) < 1e-12 and f.max() == 10 and f.min() == -10
    np.testing.assert_allclose(f.clip(0).sum() / side**2, 10 / 8**2)


def test_as_much_flows_through_every_line_between_the_wells():
    log_k = Darcy().log_permeability(RNG.normal(size=(3, 2)))
    _, flow_x, flow_y = solve(log_k, source(SIDE))
    for through in (flow_x.sum(axis=1), flow_y.sum(axis=2)):
        np.testing.assert_allclose(through[:, 2:-2] / SIDE, 10 / 8**2, rtol=1e-9)


@pytest.mark.parametrize("side", [17, 33])
def test_modes_are_the_leading_eigenfunctions_of_the_exponential_covariance(side):
    place = (np.indices((side, side)).reshape(2, -1).T + 0.5) / side
    distance = np.linalg.norm(place[:, None] - place[None], axis=-1)
    covariance = np.exp(-distance / 0.1)
    values = np.linalg.eigvalsh(covariance)[::-1]
    found = modes(side).reshape(2, -1)
    np.testing.assert_allclose(found @ found.T, np.diag(values[:2]), atol=1e-8)
    np.testing.assert_allclose(covariance @ found.T, found.T * values[:2], atol=1e-8)
    # The second eigenvalue is double. Of its functions this one is odd along x, even along y.
    np.testing.assert_allclose(values[1], values[2])
    first, second = modes(side)
    np.testing.assert_allclose(first, first.T, atol=1e-10)
    np.testing.assert_allclose(second, -second[:, ::-1], atol=1e-10)
    np.testing.assert_allclose(second, second[::-1], atol=1e-10)
    assert first[0, 0] > 0 and second[0, 0] > 0


def test_turning_the_square_half_round_swaps_the_wells_and_the_second_mode(images):
    turned = images[:, ::-1, ::-1, ::-1]
    np.testing.assert_allclose(images[..., 0], 1 - turned[..., 0], atol=1e-6)
    np.testing.assert_allclose(images[..., 1:], turned[..., 1:], atol=1e-6)


def test_images_are_the_fields(images):
    darcy = Darcy()
    theta = np.stack([darcy.thetas()[[3, 30]], darcy.thetas()[[20, 5]]], axis=1)
    p, flow_x, _ = solve(darcy.log_permeability(theta), source(SIDE))
    found = images[[3, 30], [20, 5]]
    np.testing.assert_allclose(found[..., 0], 0.5 + p / (2 * PRESSURE), atol=1e-6)
    inner = (flow_x[:, :, 1:] + flow_x[:, :, :-1]) / 2
    np.testing.assert_allclose(found[:, :, 1:-1, 1], inner / FLOW, atol=1e-6)
    np.testing.assert_allclose(found[:, :, 0, 1], flow_x[:, :, 0] / 2 / FLOW, atol=1e-6)


@pytest.mark.parametrize("coefficients", ["bimodal", "gaussian"])
@pytest.mark.parametrize("side", [17, 33])
def test_images_of_all_settings_lie_within_the_constants(side, coefficients, monkeypatch):
    # Permeability is most uneven, and the fields reach farthest, at the ends of the grid.
    ends = Darcy(coefficients=coefficients).thetas()[[0, 1, 10, 15, 16, 21, 30, 31]]
    monkeypatch.setattr(Darcy, "thetas", lambda self: ends)
    x = np.asarray(Darcy(side=side).load())
    assert x.shape == (64, side, side, 3)
    assert 0 < x.min() < 0.15 and 0.75 < x.max() < 1


def test_coefficients_are_quantiles_of_their_distribution():
    levels = (np.arange(32) + 0.5) / 32
    np.testing.assert_allclose(norm.cdf(Darcy(coefficients="gaussian").thetas()), levels)
    theta = Darcy().thetas()
    share = (norm.cdf(theta, -1, 0.25) + norm.cdf(theta, 1, 0.25)) / 2
    np.testing.assert_allclose(share, levels, atol=2e-5)
    assert abs(theta.var() - (1 + 0.25**2)) < 0.01
