"""Write the pictures of the report in docs/pictures: light, dark and phone width.

python docs/screenshots.py                    trains two small runs first, about a minute
python docs/screenshots.py PARENT CHILD       takes runs that stand already
python docs/screenshots.py --demo             carries the demo out, and takes its report

Needs Chromium and its driver (`apt-get install chromium chromium-driver`) and `pip install selenium`.
"""

from __future__ import annotations

import base64
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from selenium import webdriver

PICTURES = Path(__file__).resolve().parent / "pictures"
LARGEST = 400_000  # bytes of a picture
PROFILE = "profile: research\nloss_landscape: {enabled: true, perturbation_samples: 5, slice_points: 25}\n"
SMALL = (
    "--simulated_patients", "600", "--devices", "cpu", "--epochs", "12", "--seeds", "1", "2", "3",
    "--instrument_signals", "--telemetry_profile",
)  # fmt: skip
View = tuple[int, int, str, int, str]
# name: (width, height, colours, pixels a point, the section at the top)
VIEWS: dict[str, View] = {
    "report_light": (1280, 1500, "light", 1, "summary"),
    "report_dark": (1280, 1500, "dark", 1, "signals"),
    "report_phone": (390, 844, "light", 2, "learning-curves"),
}


DEMO: dict[str, View] = {"demo_report": (1280, 1500, "light", 1, "summary")}


def main(references: list[str]) -> int:
    """Write the pictures and return the exit code: 1 where one is too large."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if references == ["--demo"]:
            probatum("demo", "--folder", str(folder / "demo"))
            return told({path: path.stat().st_size for path in take(folder / "demo/report.html", DEMO)})
        runs = references or train(folder)
        page = folder / "report.html"
        probatum("report", *runs, "--output", str(page))
        sizes = {path: path.stat().st_size for path in take(page)}
    return told(sizes)


def told(sizes: dict[Path, int]) -> int:
    """Print the sizes of the pictures and return the exit code."""
    for path, size in sizes.items():
        print(f"{path.relative_to(PICTURES.parents[1])}: {size / 1000:.0f} kB")
    return int(max(sizes.values()) > LARGEST)


def train(folder: Path) -> list[str]:
    """Return a small parent and child that were trained in `folder`, with every signal."""
    profile = folder / "profile.yaml"
    profile.write_text(PROFILE)
    for title, extension in (("baseline", "false"), ("missing_aware", "true")):
        probatum(
            "launch", "concare", "--title", title, "--missing_aware_extension", extension, *SMALL, str(profile),
            "--runs_root", str(folder / "runs"),
        )  # fmt: skip
    return [
        str(next((folder / "runs").glob(f"*_concare_{title}_*"))) for title in ("baseline", "missing_aware")
    ]


def probatum(*words: str) -> None:
    """Carry out a verb as a person would."""
    subprocess.run([sys.executable, "-m", "probatum", *words], check=True, stdout=subprocess.DEVNULL)


def take(page: Path, views: dict[str, View] = VIEWS) -> list[Path]:
    """Return the pictures taken of a page."""
    options = webdriver.ChromeOptions()
    for word in ("--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars"):
        options.add_argument(word)
    options.binary_location = shutil.which("chromium") or ""
    browser = webdriver.Chrome(options=options, service=webdriver.ChromeService(shutil.which("chromedriver")))
    browser.set_script_timeout(120)
    try:
        return [picture(browser, page, name, view) for name, view in views.items()]
    finally:
        browser.quit()


def picture(browser: webdriver.Chrome, page: Path, name: str, view: View) -> Path:
    """Return the picture of one view."""
    width, height, colours, scale, section = view
    feature = {"name": "prefers-color-scheme", "value": colours}
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [feature]})
    size = {"width": width, "height": height, "deviceScaleFactor": scale, "mobile": width < 600}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    browser.get(page.as_uri())
    browser.execute_async_script("report.drawAll().then(() => setTimeout(arguments[0], 300))")
    top = 0
    if section != "summary":
        find = "return document.getElementById(arguments[0]).getBoundingClientRect().top + window.scrollY"
        top = browser.execute_script(find, section)
    clip = {"x": 0, "y": top, "width": width, "height": height, "scale": 1}
    taken = browser.execute_cdp_cmd(
        "Page.captureScreenshot", {"format": "png", "captureBeyondViewport": True, "clip": clip}
    )
    path = PICTURES / f"{name}.png"
    path.write_bytes(base64.b64decode(taken["data"]))
    return path


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
