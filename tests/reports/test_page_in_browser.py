"""The report in a real browser: Chromium without a window, driven by its own driver, off the network."""

import json
import os
import runpy
import shutil
from pathlib import Path

import pytest

from probatum.reports.page.output import write_page
from probatum.reports.page.page import build_page
from probatum.reports.page.subject import Request, read_subject

webdriver = pytest.importorskip("selenium.webdriver", reason="selenium is missing: pip install selenium")
CHROMIUM, DRIVER = shutil.which("chromium"), shutil.which("chromedriver")
pytestmark = pytest.mark.skipif(
    not (CHROMIUM and DRIVER), reason="Chromium is missing: apt-get install chromium chromium-driver"
)
REPOSITORY = Path(__file__).parents[2]
AXE = Path(os.environ.get("PROBATUM_AXE") or REPOSITORY / ".venv/node_modules/axe-core/axe.min.js")
VIEWS = {"light": (1280, 900, "light"), "dark": (1280, 900, "dark"), "phone": (390, 844, "light")}

made = runpy.run_path(str(Path(__file__).with_name("page_runs.py")))
EVIL = made["EVIL"]


@pytest.fixture(scope="module")
def browser():
    options = webdriver.ChromeOptions()
    for word in (
        "--headless=new",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-dev-shm-usage",
        "--hide-scrollbars",
    ):
        options.add_argument(word)
    options.binary_location = CHROMIUM
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    session = webdriver.Chrome(options=options, service=webdriver.ChromeService(DRIVER))
    session.set_script_timeout(120)
    yield session
    session.quit()


@pytest.fixture(scope="module")
def pages(tmp_path_factory):
    """Return the addresses of a report on hostile names for a pair, and of one for a plan."""
    folder = tmp_path_factory.mktemp("pages")
    parent = made["write_run"](folder / "pair", title=EVIL, purpose=EVIL)
    child = made["write_run"](folder / "pair", title=f"{EVIL}'\"", number=654321, shift=0.05, note=EVIL)
    plan = made["write_many"](folder / "plan", experiments=4)
    found = {}
    for name, references in {"pair": (parent, child), "plan": (plan,)}.items():
        subject = read_subject(Request([str(own) for own in references], folder / "none"))
        found[name] = write_page(build_page(subject), folder / f"{name}.html").as_uri()
    return found


@pytest.fixture
def visit(browser, pages):
    def go(page, view="light"):
        width, height, scheme = VIEWS[view]
        size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600}
        browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
        paint(browser, scheme)
        browser.get(pages[page])
        browser.execute_async_script("report.drawAll().then(() => arguments[0]())")
        return browser

    return go


def paint(browser, scheme):
    wanted = {"prefers-color-scheme": scheme, "prefers-reduced-motion": "reduce"}
    features = [{"name": name, "value": value} for name, value in wanted.items()]
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})


def first_cells(browser, table="table-leaderboard"):
    script = "return [...document.querySelectorAll(arguments[0])].map(cell => cell.textContent)"
    return browser.execute_script(script, f"#{table} tbody tr:not([hidden]) th")


@pytest.mark.parametrize("page", ["pair", "plan"])
@pytest.mark.parametrize("view", list(VIEWS))
def test_every_chart_is_drawn_and_the_console_stays_silent(visit, page, view):
    browser = visit(page, view)
    drawn = browser.execute_script("return [...document.querySelectorAll('.plot')].map(p => p.dataset.drawn)")
    assert len(drawn) >= 5
    assert set(drawn) == {VIEWS[view][2]}
    assert browser.execute_script(
        "return document.querySelectorAll('.plot svg, .plot canvas').length"
    ) == len(drawn)
    assert browser.get_log("browser") == []
    assert browser.execute_script("return performance.getEntriesByType('resource').map(e => e.name)") == []


@pytest.mark.parametrize("page", ["pair", "plan"])
def test_nothing_is_wider_than_a_phone(visit, page):
    browser = visit(page, "phone")
    assert browser.execute_script("return document.documentElement.scrollWidth") <= 390
    wide = (
        "return [...document.querySelectorAll('.plot')].filter(p => p.scrollWidth > p.clientWidth + 1).length"
    )
    assert browser.execute_script(wide) == 0


def test_names_are_shown_as_text_and_never_run(visit):
    browser = visit("pair")
    assert browser.execute_script("return window.broken") is None
    assert "<script>" in browser.title
    assert EVIL in browser.find_element("css selector", "h1").text
    assert browser.execute_script("return document.querySelectorAll('main img').length") == 0
    texts = browser.execute_script(
        "return [...document.querySelectorAll('.plot svg text')].map(t => t.textContent)"
    )
    assert any("<script>" in text for text in texts)


def test_a_click_on_a_column_sorts_its_rows_both_ways(visit):
    browser = visit("plan")
    head = browser.find_element("css selector", "#table-leaderboard th:nth-child(3) button")
    best_first = first_cells(browser)
    head.click()
    assert first_cells(browser) == best_first[::-1]
    cell = browser.find_element("css selector", "#table-leaderboard th:nth-child(3)")
    assert cell.get_attribute("aria-sort") == "ascending"
    head.send_keys("\ue007")  # the Enter key
    assert first_cells(browser) == best_first
    assert cell.get_attribute("aria-sort") == "descending"
    assert "largest first" in browser.find_element("id", "status").get_attribute("textContent")


def test_typing_into_the_filter_leaves_the_rows_that_hold_every_word(visit):
    browser = visit("plan")
    field = browser.find_element("id", "filter-leaderboard")
    field.send_keys("VARIANT_02 5")
    assert first_cells(browser) == ["variant_02"]
    count = browser.find_element("css selector", "[data-count='table-leaderboard']")
    assert count.text == "1 of 4 rows"


@pytest.mark.parametrize("view", ["light", "dark"])
def test_a_chart_downloads_as_png_svg_and_csv_on_white(visit, view):
    browser = visit("pair", view)
    get = "const [kind, done] = arguments; report.picture('missingness_auroc', kind).then(done)"
    assert browser.execute_async_script(get, "png").startswith("data:image/png;base64,")
    read = "fetch(arguments[0]).then(r => r.text()).then(arguments[1], e => arguments[1](String(e)))"
    svg = browser.execute_async_script(
        "const done = arguments[0]; report.picture('missingness_auroc', 'svg').then(done)"
    )
    assert svg.startswith(("blob:", "data:image/svg+xml"))
    # The page's own policy lets it fetch nothing, not even its own picture.
    assert "Failed to fetch" in browser.execute_async_script(read, svg)
    browser.get_log("browser")
    rows = browser.execute_script(
        "const real = Blob; let text;"
        "window.Blob = function (parts) { text = parts.join(''); return new real(parts); };"
        "report.numbers('missingness_auroc'); window.Blob = real; return text"
    )
    assert rows.splitlines()[0].split(",")[:3] == ["run", "strength", "value"]


def test_charts_follow_the_colours_of_the_system(visit):
    browser = visit("plan")
    paint(browser, "dark")
    wait = (
        "const done = arguments[0]; const look = () => [...document.querySelectorAll('.plot')].every("
        "p => p.dataset.drawn === 'dark') ? done(true) : setTimeout(look, 50); look()"
    )
    assert browser.execute_async_script(wait)
    assert browser.get_log("browser") == []


def test_the_keyboard_reaches_the_content_first(visit):
    browser = visit("pair")
    browser.execute_cdp_cmd(
        "Input.dispatchKeyEvent", {"type": "keyDown", "key": "Tab", "windowsVirtualKeyCode": 9}
    )
    assert browser.execute_script("return document.activeElement.textContent") == "Skip to the content"


@pytest.mark.skipif(
    not AXE.exists(),
    reason="axe-core is missing: npm install --prefix .venv --no-save axe-core@4, or PROBATUM_AXE=FILE",
)
@pytest.mark.parametrize("page", ["pair", "plan"])
@pytest.mark.parametrize("view", list(VIEWS))
def test_axe_finds_no_barrier(visit, page, view):
    browser = visit(page, view)
    browser.execute_script("document.querySelectorAll('details').forEach(own => { own.open = true; })")
    # Run in a world of its own: the page's policy lets no other script in.
    tree = browser.execute_cdp_cmd("Page.getFrameTree", {})["frameTree"]["frame"]["id"]
    world = browser.execute_cdp_cmd("Page.createIsolatedWorld", {"frameId": tree})["executionContextId"]
    evaluate = {"contextId": world, "awaitPromise": True, "returnByValue": True}
    browser.execute_cdp_cmd("Runtime.evaluate", {**evaluate, "expression": AXE.read_text() + "; 0"})
    found = browser.execute_cdp_cmd(
        "Runtime.evaluate",
        {**evaluate, "expression": "axe.run().then(r => JSON.stringify(r.violations.map(v => [v.id, v.help, "
         "v.nodes.slice(0, 3).map(n => n.html.slice(0, 200))])))"},
    )["result"]  # fmt: skip
    assert json.loads(found["value"]) == []
