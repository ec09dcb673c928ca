import numpy as np
import pytest

from soberlook.metrics import Representation, beta_vae_score, factor_vae_score
from soberlook.metrics.factor_vae_score import vote_accuracy


def test_reference_scores(reference):
    found = factor_vae_score(reference.representation(), np.random.default_rng(0))
    for key, points in (("factor_vae_score", 5_000), ("factor_vae_score_train", 10_000)):
        recorded = reference.scores[key]
        # Draws differ: their spread over five draws of tanhmix10, or that of counting.
        noise = max(0.00191, np.sqrt(recorded * (1 - recorded) / points))
        assert found[key] == pytest.approx(recorded, abs=3 * noise)
    dead = reference.name in ("halfdead10", "constdead10")
    assert found["factor_vae_active"] == reference.grid_codes.shape[1] - 5 * dead


def test_recorded_votes_give_the_recorded_scores(reference):
    train = reference.arrays["factor_vae_votes_train"]
    test = reference.arrays["factor_vae_votes"]
    majority = train.argmax(axis=0)
    assert vote_accuracy(majority, train) == reference.scores["factor_vae_score_train"]
    assert vote_accuracy(majority, test) == reference.scores["factor_vae_score"]


@pytest.fixture
def score():
    """Scores of codes that are functions of the factors [720, 3] of a grid."""
    sizes = (8, 9, 10)
    factors = np.indices(sizes).reshape(3, -1).T.astype(float)

    def call(codes_of, **settings):
        codes = codes_of(factors)
        representation = Representation(codes, np.zeros_like(codes), codes[:, 0], sizes)
        sizes_of_draws = {"points": 2_000, "test_points": 2_000, "variance_points": 2_000}
        return factor_vae_score(
            representation, np.random.default_rng(0), **sizes_of_draws | settings
        )

    return call


def test_known_answers(score):
    perfect = {"factor_vae_score": 1, "factor_vae_score_train": 1, "factor_vae_active": 3}
    assert score(lambda v: v) == perfect
    assert score(lambda v: v[:, ::-1] * [1, 30, 0.1]) == perfect  # each over its own variance
    nothing = dict.fromkeys(perfect, 0)
    assert score(lambda v: 0 * v) == nothing
    # The third factor is in no code: its images vote for either of the others.
    assert score(lambda v: v[:, :2])["factor_vae_score"] == pytest.approx(2 / 3, abs=0.05)
    assert score(lambda v: v[:, :1])["factor_vae_score"] == pytest.approx(1 / 3, abs=0.05)


def test_two_rules_of_pruning(score):
    def weak(v):  # standard deviations 1 and 0.1: variances 1 and 0.01
        return (v[:, :2] - v[:, :2].mean(0)) / v[:, :2].std(0) * [1, 0.1]

    assert score(weak)["factor_vae_active"] == 2
    assert score(weak, prune="variance")["factor_vae_active"] == 1
    assert score(weak, threshold=0.2)["factor_vae_active"] == 1


def test_it_mends_one_flaw_of_the_beta_vae_score_and_half_of_another():
    """Kim & Mnih, section 4: that score is 1 for codes that leave a factor out, and for codes that
    are linear mixtures of the factors. What is a vote of single codes tells the first, and mixtures
    only where two factors have their largest share in one code."""
    sizes, draws = (8, 9, 10), {"points": 2_000, "test_points": 2_000}
    factors = np.indices(sizes).reshape(3, -1).T.astype(float)
    factors = (factors - factors.mean(axis=0)) / factors.std(axis=0)

    def mixed(shares):  # of the variance of every code [factors, codes]
        return factors @ (np.sqrt(shares) * [[1, 1, 1], [1, -1, 1], [1, 1, -1]])

    left_out = factors[:, :2]
    entangled = mixed([[0.5, 0.45, 0.1], [0.45, 0.25, 0.3], [0.05, 0.3, 0.6]])
    dominated = mixed([[0.6, 0.2, 0.2], [0.3, 0.5, 0.2], [0.1, 0.3, 0.6]])
    for codes, mended in ((left_out, True), (entangled, True), (dominated, False)):
        representation = Representation(codes, np.zeros_like(codes), codes[:, 0], sizes)
        rng = np.random.default_rng(0)
        assert beta_vae_score(representation, rng, **draws)["beta_vae_score"] > 0.97
        found = factor_vae_score(representation, rng, **draws)["factor_vae_score"]
        assert found < 0.8 if mended else found > 0.95
