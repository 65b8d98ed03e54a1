"""The benchmark's page as a real browser shows it; these tests are defined where there is one."""

import html
import json
import re
import shutil
import subprocess
from typing import NamedTuple

import pytest

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome", "chrome"))), None)
FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-extensions",
    "--enable-logging=stderr",
    "--allow-file-access-from-files",
    "--virtual-time-budget=20000",
]
PHONE_PX = 390
# the page in a frame as wide as a phone: no window is that narrow
FRAME = """<!doctype html><html><head><meta charset="utf-8"><link rel="icon" href="data:,"></head><body>
<iframe id="page" style="width:WIDTHpx;height:844px;border:0" src="index.html"></iframe><pre id="seen"></pre>
<script>
const frame = document.getElementById("page");
frame.onload = () => {
  const page = frame.contentDocument, inside = frame.contentWindow;
  const beyond = (e) => e.getBoundingClientRect().right > page.documentElement.clientWidth + 1 && !e.closest(".scroll");
  const size = (e) => parseFloat(inside.getComputedStyle(e).fontSize);
  document.getElementById("seen").textContent = JSON.stringify({
    pictures: [...page.images].map((i) => [i.alt, i.complete ? i.naturalWidth : 0, i.getBoundingClientRect().width]),
    links: [...page.links].map((a) => [a.download, a.getAttribute("href").slice(0, 14)]),
    scroll_width: page.scrollingElement.scrollWidth,
    inner_width: inside.innerWidth,
    beyond: [...page.body.querySelectorAll("*")].filter(beyond).map((e) => e.tagName),
    font_px: Math.min(...[...page.querySelectorAll("p, td, th, li")].map(size)),
    boxes: [...page.querySelectorAll(".scroll")].map(
      (e) => [e.scrollWidth > e.clientWidth, inside.getComputedStyle(e).overflowX]),
    text: page.body.innerText,
  });
};
</script></body></html>"""


class Seen(NamedTuple):
    """What the browser saw."""

    console: list[str]
    pictures: list[tuple[str, float, float]]  # alt, natural width of what was loaded, width on the page, px
    links: list[tuple[str, str]]  # name of the file, begin of the address
    scroll_width: int
    inner_width: int
    beyond: list[str]  # what reaches beyond the right edge and is in no box that scrolls
    font_px: float  # the smallest of text
    boxes: list[tuple[bool, str]]  # whether a table's box scrolls, and how
    text: str


def look(folder, profile, width):
    """Open a folder's index.html in a frame this wide, px."""
    frame = folder / "framed.html"
    frame.write_text(FRAME.replace("WIDTH", str(width)), encoding="utf-8")
    command = [CHROMIUM, *FLAGS, f"--user-data-dir={profile}", "--dump-dom", frame.as_uri()]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
    found = re.search(r'<pre id="seen">(.+?)</pre>', done.stdout, re.DOTALL)
    assert found, done.stderr[-2000:]
    console = [line for line in done.stderr.splitlines() if "CONSOLE" in line]
    return Seen(console, **json.loads(html.unescape(found[1])))


if CHROMIUM is not None:

    @pytest.fixture(scope="module", params=[PHONE_PX, 1200])
    def seen(request, simulated_page, tmp_path_factory):
        return look(simulated_page, tmp_path_factory.mktemp("profile"), request.param)

    def test_the_console_is_silent(seen):
        assert seen.console == []

    def test_every_figure_is_there(seen, simulated_page):
        assert len(seen.pictures) == len(list((simulated_page / "figures").glob("*.png"))) > 8
        for alt, natural, shown in seen.pictures:
            assert len(alt) > 20
            assert natural >= 300
            assert 300 <= shown <= natural

    def test_nothing_reaches_beyond_the_page(seen):
        assert seen.scroll_width <= seen.inner_width
        assert seen.beyond == []
        assert seen.font_px >= 12

    def test_wide_tables_scroll_in_a_box_of_their_own(seen):
        assert {how for _, how in seen.boxes} == {"auto"}
        if seen.inner_width == PHONE_PX:
            assert any(scrolls for scrolls, _ in seen.boxes)

    def test_verdict_and_tables_are_on_it(seen, simulated_page):
        assert seen.text.index("None: no processor was measured.") < seen.text.index("Time to solution")
        assert sorted(name for name, _ in seen.links) == sorted(
            path.name for path in (simulated_page / "tables").iterdir()
        )
        assert {address for _, address in seen.links} == {"data:text/csv;"}

    def test_these_checks_see_a_bad_page(simulated_page, tmp_path):
        text = (simulated_page / "index.html").read_text(encoding="utf-8")
        bad = (
            text.replace("overflow-x: auto", "overflow-x: visible")
            .replace("data:image/png;base64,", "data:image/png;base64,AAAA", 1)
            .replace("</body>", "<script>nothing.here()</script></body>")
        )
        (tmp_path / "index.html").write_text(bad, encoding="utf-8")
        seen = look(tmp_path, tmp_path / "profile", PHONE_PX)
        assert any("nothing is not defined" in line for line in seen.console)
        assert min(natural for _, natural, _ in seen.pictures) < 300
        assert seen.scroll_width > seen.inner_width
