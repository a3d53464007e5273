"""How long people wait on the page, measured in Chromium: a slider dragged to a preview, released to a picture; memory.

    python benchmarks/page.py [--times 50] [--edits 200] [--photo FILE]

Starts `mien app` by itself. Needs the extras `web` and `dev`, and Chromium. Prints a table in Markdown.
"""

from __future__ import annotations

import argparse
import os
import platform
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from PIL import Image
from playwright.sync_api import Page, sync_playwright
from skimage.data import astronaut

DRAG = """async ([id, times, release]) => {
  const slider = document.getElementById(id), image = document.getElementById('after'), waits = [];
  const until = async (done) => { while (!done()) await new Promise(requestAnimationFrame); };
  for (let k = 0; k < times; k++) {
    const shown = +image.dataset.shown, step = image.dataset.step, began = performance.now();
    slider.value = 0.2 + 0.6 * ((k * 7) % 13) / 13;
    slider.dispatchEvent(new PointerEvent('pointerdown'));
    slider.dispatchEvent(new Event('input', { bubbles: true }));
    if (release) slider.dispatchEvent(new Event('change', { bubbles: true }));
    await until(() => (release ? image.dataset.step !== step : +image.dataset.shown > shown));
    await new Promise(requestAnimationFrame);
    waits.push(performance.now() - began);
    await new Promise((done) => setTimeout(done, 50));
  }
  return waits;
}"""
"""From the event that a slider sends to the frame in which the picture is drawn, in ms."""


def memory(process: int) -> float:
    """Return the MB of a process that are its own and in memory."""
    pages = int(Path(f"/proc/{process}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def row(name: str, waits: list[float]) -> str:
    """Return a table's row: median, and the tenth longest of a hundred."""
    return f"| {name} | {statistics.median(waits):.0f} | {np.quantile(waits, 0.9):.0f} |"


def photographs(folder: Path, photo: Path | None) -> dict[str, Path]:
    """Return what is measured: a small photograph, and one of twelve megapixels; or the user's own."""
    if photo is not None:
        return {photo.name: photo}
    small, large = folder / "small.png", folder / "large.jpg"
    picture = Image.fromarray(astronaut())
    picture.save(small)
    picture.resize((3464, 3464), Image.Resampling.BICUBIC).save(large, quality=92)
    return {"512 × 512": small, "3464 × 3464 (12 MP)": large}


def measure(page: Page, name: str, path: Path, times: int) -> None:
    """Print two rows of a photograph."""
    number = page.get_attribute("#after", "data-shown") or "0"
    page.set_input_files("#file", str(path))
    page.wait_for_function("n => +document.querySelector('#after').dataset.shown > n", arg=int(number))
    page.wait_for_selector("#after[data-step='0']")
    page.click("[data-word='happiness']")
    page.wait_for_selector("#after[data-step='1']")
    for what, release in (("dragged → preview", False), ("released → picture", True)):
        page.evaluate(DRAG, ["strength-0", 3, release])
        print(row(f"{name}: {what}", page.evaluate(DRAG, ["strength-0", times, release])), flush=True)


def main() -> None:
    """Measure and print."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--times", type=int, default=50)
    options.add_argument("--edits", type=int, default=200)
    options.add_argument("--photo", type=Path)
    told = options.parse_args()
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    words = [sys.executable, "-m", "mien", "app", "--port", str(port)]
    server = subprocess.Popen(words, stdout=subprocess.PIPE, text=True, env=os.environ | {"PYTHONUNBUFFERED": "1"})
    assert server.stdout is not None
    for line in server.stdout:
        if "http://" in line:
            break
    browser = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))))
    try:
        with tempfile.TemporaryDirectory() as folder, sync_playwright() as play:
            opened = play.chromium.launch(executable_path=browser, args=["--no-sandbox"])
            page = opened.new_page(viewport={"width": 1280, "height": 900})
            page.set_default_timeout(120_000)
            page.goto(f"http://127.0.0.1:{port}")
            page.wait_for_selector("body[data-ready]")
            print(f"{platform.processor() or platform.machine()}, {os.cpu_count()} cores, {told.times} times\n")
            print("| | median, ms | 90 %, ms |\n|---|---|---|")
            for name, path in photographs(Path(folder), told.photo).items():
                measure(page, name, path, told.times)
            print("\n| edits | memory of the server, MB |\n|---|---|")
            for done in range(0, told.edits + 1, max(1, told.edits // 4)):
                if done:
                    page.evaluate(DRAG, ["strength-0", max(1, told.edits // 4), True])
                print(f"| {done} | {memory(server.pid):.0f} |", flush=True)
            opened.close()
    finally:
        server.terminate()
        server.wait(60)


if __name__ == "__main__":
    main()
