"""The report as a reader sees it, in headless Chromium where there is one."""

import numpy as np
import pytest
from browser import CHROMIUM, browser
from planted import effects, frame_of, rows_of

from soberlook.results import report

pytestmark = pytest.mark.skipif(not CHROMIUM, reason="no Chromium on the path")

EVIL = '<img src="http://example.org/x.png" onerror="alert(1)">'


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    """The report of a planted study: two datasets, one of them with a name that is HTML."""
    rng, shape = np.random.default_rng(0), (2, 3, 3, 8)
    one = effects(rng, shape, model=1, setting=1, seed=0.3, luck=0.5)
    names = ("mig", "sap", "factor_vae_score", "kl", "reconstruction", "mig_rotated")
    names += ("gaussian_total_correlation", "gaussian_total_correlation_sampled", "udr_lasso")
    names += ("dci_informativeness_100", "dci_informativeness_1000", "active_units")
    columns = {n: 0.5 + 0.05 * (one + rng.standard_normal(shape)) for n in names}
    columns["mig"][0, 0, 0, 0] = np.nan
    runs = frame_of(columns)
    runs["dataset"] = runs["dataset"].replace("d1", EVIL)
    nothing = report.nothing()
    study = report.study_of(runs, rows_of(runs, {"mig": columns["mig"][None]}), nothing[1])
    about = {"study": "planted", "about": f"A study {EVIL}.\n\nMade up."}
    sections = report.answer(study, nothing[0])
    file = tmp_path_factory.mktemp("page") / "report.html"
    file.write_text(report.page_of(about, study, sections, {"more": ("d0", "beta_vae")}))
    return file


@pytest.fixture(scope="module")
def tab(tmp_path_factory):
    with browser(tmp_path_factory.mktemp("profile")) as one:
        yield one


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", [390, 1200])
def test_the_page_asks_for_nothing_and_says_nothing_is_wrong(tab, page, width, dark):
    tab.open(page, width, dark=dark)
    assert tab.requests() == [page.as_uri()]
    assert tab.errors() == []
    assert tab.run("document.documentElement.scrollWidth") <= width
    ink = tab.run("getComputedStyle(document.body).color")
    paper = tab.run("getComputedStyle(document.body).backgroundColor")
    light = [sum(map(int, c[c.index("(") + 1 : -1].split(",")[:3])) for c in (ink, paper)]
    assert (light[0] > light[1]) == dark and abs(light[0] - light[1]) > 450  # of 765


def test_every_figure_can_be_seen(tab, page):
    tab.open(page, 1200)
    tab.run(CHOOSE % ("metric", ""))
    seen = tab.run(
        "[...document.querySelectorAll('figure')].map(f => {"
        " const b = f.querySelector('svg, img').getBoundingClientRect(); return [b.width, b.height]"
        "})"
    )
    assert len(seen) > 20 and all(width > 150 and height > 60 for width, height in seen)
    alts = tab.run("[...document.querySelectorAll('svg')].map(s => s.getAttribute('aria-label'))")
    assert all(alts) and len(set(alts)) == len(alts)


CHOOSE = """(() => {
  const choice = document.querySelector('#filters select[name="%s"]');
  choice.value = %r;
  choice.dispatchEvent(new Event('change', { bubbles: true }));
})()"""
VISIBLE = (
    "[...document.querySelectorAll('[data-%s]')].filter(e => e.offsetParent).map(e => e.dataset.%s)"
)


def test_filters_hide_what_is_of_others(tab, page):
    tab.open(page, 1200)
    shown = VISIBLE % ("metric", "metric")
    assert set(tab.run(shown)) == {"mig"}  # at first, of several
    everything = tab.run(VISIBLE % ("dataset", "dataset"))
    assert set(everything) == {"d0", EVIL}
    tab.run(CHOOSE % ("metric", "sap"))
    assert set(tab.run(shown)) == {"sap"}
    tab.run(CHOOSE % ("dataset", "d0"))
    assert set(tab.run(VISIBLE % ("dataset", "dataset"))) == {"d0"}
    tab.run(CHOOSE % ("metric", ""))
    tab.run(CHOOSE % ("dataset", ""))
    assert {"mig", "sap", "factor_vae_score"} <= set(tab.run(shown))
    assert len(tab.run(VISIBLE % ("dataset", "dataset"))) > len(everything)
    # Nothing that a figure needs was in another one that was hidden.
    assert tab.run(
        "[...document.querySelectorAll('svg use')].every(u => u.closest('svg').querySelector("
        "u.getAttribute('xlink:href') || u.getAttribute('href')))"
    )


def test_the_question_list_leads_to_the_questions(tab, page):
    tab.open(page, 390)
    targets = tab.run(
        "[...document.querySelectorAll('.short a')].map(a => !!document.querySelector(a.hash))"
    )
    assert len(targets) >= 15 and all(targets)
