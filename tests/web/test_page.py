"""The page in a real browser: what people do with it, on a screen and on a telephone, by pointer and by keys."""

import io
import json
import zipfile

import numpy as np
import pytest
from PIL import Image

from mien.expressions import read_expression
from mien.media.provenance import EDITED, read_stamp
from tests.web.chromium import DRIVEN, at, keep, ready, saved, send, shown, word
from tests.web.hostile import HOSTILE

pytestmark = DRIVEN


@pytest.mark.parametrize("width, height", [(1280, 900), (390, 844)])
def test_from_photograph_to_clip(visit, faces, tmp_path, width, height):
    page = visit(width, height)
    send(page, faces / "calm.png")
    photo = shown(page)
    word(page, "happiness", 1)
    happy = shown(page)
    assert np.abs(happy - photo).max() > 20
    page.click("#undo")
    at(page, 0)
    assert np.array_equal(shown(page), photo) and page.is_disabled("#undo")
    page.click("#redo")
    at(page, 1)
    assert np.array_equal(shown(page), happy)
    page.click("#compare")  # the photograph left of the line, the step right of it
    page.wait_for_function("document.querySelector('#before').src.startsWith('blob:')")
    assert np.array_equal(shown(page, "#before"), photo)
    assert page.eval_on_selector("#before", "image => image.style.clipPath") == "inset(0px 50% 0px 0px)"
    page.fill("#wipe", "20")
    assert page.eval_on_selector("#before", "image => image.style.clipPath") == "inset(0px 80% 0px 0px)"
    page.click("#compare")
    page.wait_for_function("document.querySelector('#before').hidden")
    page.click("#tab-saved")
    page.fill("#look-name", "grin")
    page.click("text=Keep this look")
    page.wait_for_selector("text=grin")
    assert saved(page, "[aria-label='Save grin as a file']", tmp_path / "grin.json") == "grin.json"
    assert read_expression(tmp_path / "grin.json").units["12L"] == 5
    page.reload()
    ready(page)
    at(page, 1)
    assert np.array_equal(shown(page), happy)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.click("#tab-clips")
    page.fill("#step-seconds", "0.2")
    page.click("#animate-go")
    page.wait_for_selector("#clips video")
    page.wait_for_function("document.querySelector('#clips video').videoWidth === 384")
    assert saved(page, "text=Save the clip", tmp_path / "out.mp4") == "calm-moving.mp4"
    page.click("#tab-photograph")
    page.click("#save")
    assert saved(page, "#fetch", tmp_path / "out.png") == "calm-mien.png"
    stamp = read_stamp(tmp_path / "out.png")
    assert (stamp.source, stamp.source_type, stamp.operation) == ("calm.png", EDITED, "edit: happiness 1.00")
    assert np.asarray(Image.open(tmp_path / "out.png")).shape == (384, 384, 3)


def test_while_a_slider_is_dragged_a_preview_follows(visit, faces):
    page = visit()
    send(page, faces / "calm.png")
    word(page, "surprise", 1)
    before, steps = shown(page), page.locator("#history li").count()
    box = page.locator("#strength-0").bounding_box()
    page.mouse.move(box["x"] + box["width"] - 10, box["y"] + box["height"] / 2)
    page.mouse.down()
    count = int(page.get_attribute("#after", "data-shown"))
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2, steps=4)
    page.wait_for_function("count => +document.querySelector('#after').dataset.shown > count", arg=count)
    assert shown(page).shape != before.shape or np.abs(shown(page) - before).max() > 10
    assert page.locator("#history li").count() == steps  # a preview is no step
    page.mouse.up()
    at(page, 2)
    assert page.locator("#history li").count() == steps + 1 and "50\u00a0%" in page.inner_text("output[for=strength-0]")
    page.click("[aria-label='Take back: Surprised']")
    at(page, 3)
    assert np.abs(shown(page) - shown_of(page, 0)).max() <= 2  # two decoders of JPEG


def shown_of(page, step):
    body = page.request.get(f"{page.url}api/steps/{step}/picture?side=960").body()
    return np.asarray(Image.open(io.BytesIO(body)).convert("RGB")).astype(int)


def test_by_keys_alone(visit, faces):
    page = visit()
    send(page, faces / "calm.png")
    photo = shown(page)
    page.evaluate("document.activeElement.blur()")
    reached = []
    for _ in range(40):
        page.keyboard.press("Tab")
        reached.append(
            page.evaluate(
                "document.activeElement.id || document.activeElement.dataset.word || document.activeElement.name"
            )
        )
        if reached[-1] == "happiness":
            break
    assert reached[-1] == "happiness" and reached.index("tab-photograph") < reached.index("compare") < reached.index(
        "tab-expressions"
    )
    page.keyboard.press("Enter")
    at(page, 1)
    happy = shown(page)
    page.focus("#strength-0")
    for _ in range(4):
        page.keyboard.press("ArrowLeft")
    at(page, 2)  # one step, not four
    assert page.inner_text("output[for=strength-0]") == "80\u00a0%"
    page.keyboard.press("z")
    at(page, 1)
    assert np.array_equal(shown(page), happy)
    page.keyboard.press("y")
    at(page, 2)
    page.evaluate("document.activeElement.blur()")
    page.keyboard.down(" ")
    page.wait_for_function(
        "!document.querySelector('#before').hidden && document.querySelector('#before').src.startsWith('blob:')"
    )
    page.wait_for_function("document.querySelector('#before').dataset.shown")
    assert np.array_equal(shown(page, "#before"), photo)
    page.keyboard.up(" ")
    assert page.is_hidden("#before")
    page.focus("#tab-expressions")
    page.keyboard.press("ArrowRight")
    assert page.is_visible("#muscles") and page.is_hidden("#expressions")
    page.focus("#au12")
    page.keyboard.press("ArrowRight")
    at(page, 3)


def test_two_people_of_one_picture(visit, faces):
    page = visit()
    send(page, faces / "both.jpg")
    photo = shown(page)
    assert page.locator(".box").count() == 2
    page.click("[aria-label='Face 1']")
    word(page, "surprise", 1)
    page.click("[aria-label='Face 2']")
    page.wait_for_selector("[aria-label='Face 2'][aria-pressed=true]")
    word(page, "anger", 2)
    changed = np.abs(shown(page) - photo).max(-1)
    half = changed.shape[1] // 2
    assert changed[:, : half - 20].max() > 20 and changed[:, half + 20 :].max() > 20
    page.click("#zoom")
    page.wait_for_selector("#boxes.row [aria-label='Face 1']")  # the way to the other face
    page.click("#boxes [aria-label='Face 1']")
    page.wait_for_selector("#boxes [aria-label='Face 1'][aria-pressed=true]")


def test_a_picture_that_comes_late_does_not_take_a_later_ones_place(visit, faces):
    page = visit()
    send(page, faces / "both.jpg")
    photo = shown(page)
    page.click("[aria-label='Face 1']")
    word(page, "surprise", 1)
    page.evaluate(
        """() => {
          const [before, late] = [window.fetch, []];
          window.late = late;
          window.fetch = async (path, more) => {
            const answer = await before(path, more);
            if (path.includes("steps/1/picture")) await new Promise((resolve) => late.push(resolve));
            return answer;
          };
        }"""
    )
    page.click("[aria-label='Face 2']")
    page.wait_for_function("window.late.length > 0")
    word(page, "anger", 2)
    newest = shown(page)
    half = newest.shape[1] // 2
    assert np.abs(newest - photo)[:, half + 20 :].max() > 20
    page.evaluate("window.late.forEach((go) => go())")
    page.wait_for_timeout(300)
    assert np.array_equal(shown(page), newest) and page.get_attribute("#after", "data-step") == "2"


def test_movements_of_one_side_eyes_an_example_and_other_models(visit, faces):
    page = visit()
    send(page, faces / "calm.png")
    page.click("#tab-muscles")
    page.check("#sides")
    page.focus("#au43L")
    for _ in range(3):
        page.keyboard.press("PageUp")
    at(page, 1)
    page.click("#tab-angles")
    box = page.locator(".pad").bounding_box()
    page.mouse.click(box["x"] + 0.8 * box["width"], box["y"] + 0.5 * box["height"])
    at(page, 2)
    assert page.inner_text("output[for=gaze0]") == "18°"
    page.click("#tab-example")
    page.set_input_files("#example input[type=file]", str(faces / "grin.jpg"))
    at(page, 3)
    look = page.evaluate("fetch('api/session').then(a => a.json()).then(s => s.project.steps.at(-1).looks['1'])")
    assert look["gaze"] == [18, 0] and set(look["units"]) == {"43L"} and look["like"]["strength"] == 1
    page.click("#tab-models")
    page.click("text=Show them side by side")
    page.wait_for_function(
        """[...document.querySelectorAll('.model')].every((card) =>
             card.querySelector('img').src || card.querySelector('.told').textContent.length > 1)"""
    )
    assert "cannot" in page.inner_text("[data-model=ter_gan] .told")
    page.click("[data-model=ter_gan]")
    page.wait_for_selector("#notice:not([hidden])")
    assert "ter_gan cannot" in page.inner_text("#notice")
    at(page, 3)  # and nothing is lost
    page.click("#tab-facts")
    page.wait_for_selector(".bars .row")
    assert "estimate" in page.inner_text("#facts").lower() and "do not say" in page.inner_text("#facts")


def test_clips_are_changed_driven_and_read(visit, faces, tmp_path):
    page = visit()
    send(page, faces / "calm.png")
    word(page, "surprise", 1)
    page.click("#tab-clips")
    page.locator("#clips .card").nth(0).locator("input[type=file]").set_input_files(str(faces / "calm.mp4"))
    page.wait_for_selector("#edit-clip option", state="attached")
    page.click("#edit-clip-go")
    page.wait_for_selector(".card:nth-child(1) video")
    page.click("#drive-go")
    page.wait_for_selector(".card:nth-child(2) video")
    page.click("#tab-table")
    page.set_input_files("#table input[type=file]", [str(faces / "grin.jpg"), str(faces / "both.jpg")])
    page.wait_for_selector("#table tbody tr")
    assert page.locator("#table tbody tr").count() == 3
    page.reload()  # what was made is there for an hour
    ready(page)
    page.click("#tab-clips")
    page.wait_for_selector(".card:nth-child(2) video")
    assert page.locator("#clips video").count() == 2 and page.locator("#edit-clip option").count() == 1
    page.click("#tab-table")
    assert saved(page, "text=Save as CSV", tmp_path / "faces.csv") == "faces.csv"
    assert (tmp_path / "faces.csv").read_text().count("both.jpg") == 2


@pytest.mark.parametrize("width, height", [(1280, 900), (390, 844)])
def test_many_are_changed_alike_and_saved_together_or_one_by_one(visit, faces, tmp_path, width, height):
    page = visit(width, height)
    page.click("#tab-many")
    page.click("#many-go")
    assert "no look yet" in page.inner_text("#notice")
    page.click("#tab-photograph")
    send(page, faces / "calm.png")
    word(page, "surprise", 1)
    page.click("#tab-saved")
    page.fill("#look-name", "startled")
    page.click("text=Keep this look")
    page.wait_for_selector("text=startled")
    page.click("#undo")  # so that the photograph itself asks for nothing
    at(page, 0)
    page.click("#tab-many")
    page.select_option("#many-look", label="startled")
    (tmp_path / "odd.jpg").write_bytes(b"no picture")
    files = [faces / "calm.png", faces / "both.jpg", tmp_path / "odd.jpg"]
    page.set_input_files("#many-files", list(map(str, files)))
    page.check("input[name=many-faces][value=all]", force=True)
    page.click("#many-go")
    page.wait_for_selector("text=2 of 3 photographs changed")
    assert "odd.jpg" in page.inner_text(".missed") and page.locator(".made li").count() == 2
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.wait_for_function("[...document.querySelectorAll('.made img')].every((image) => image.naturalWidth > 50)")
    assert saved(page, "text=Save all as a zip", tmp_path / "all.zip") == "changed-by-mien.zip"
    with zipfile.ZipFile(tmp_path / "all.zip") as archive:
        assert archive.namelist() == ["calm-mien.png", "both-mien.jpg"]
        both = np.asarray(Image.open(archive.open("both-mien.jpg"))).astype(int)
    before = np.asarray(Image.open(faces / "both.jpg")).astype(int)
    changed, half = np.abs(both - before).max(-1), both.shape[1] // 2
    assert changed[:, :half].max() > 40 and changed[:, half:].max() > 40  # everybody's
    assert saved(page, "[aria-label='Save calm.png']", tmp_path / "one.png") == "calm-mien.png"
    assert "startled" in read_stamp(tmp_path / "one.png").operation


def test_a_webcam_is_a_stream_and_gives_a_photograph(visit):
    page = visit()
    page.click("#empty .camera")
    page.wait_for_function("+document.querySelector('#mirror').dataset.shown >= 2")
    plain = shown(page, "#mirror")
    page.click("#live [data-word=surprise]")
    count = int(page.get_attribute("#mirror", "data-shown"))
    page.wait_for_function("count => +document.querySelector('#mirror').dataset.shown > count + 1", arg=count)
    assert np.abs(shown(page, "#mirror") - plain).max() > 30  # the film stands still
    page.click("#shoot")
    at(page, 1)  # the photograph, and what was chosen for it
    assert "Surprised" in page.inner_text("#history [aria-current=step]")
    page.click("#another summary")
    page.click("#another .camera")
    page.wait_for_selector("#live:not([hidden])")
    assert page.get_attribute("#live [data-word=surprise]", "aria-pressed") == "true"
    page.click("#leave")
    assert page.is_visible("#picture")


def test_bad_files_are_told_and_the_line_goes_with_the_next_that_is_good(visit, server, faces, tmp_path):
    page = visit()
    for name, (make, reason) in HOSTILE.items():
        (tmp_path / name).write_bytes(make())
        page.set_input_files("#file", str(tmp_path / name))
        page.wait_for_function("reason => document.querySelector('#notice').textContent.includes(reason)", arg=reason)
    send(page, faces / "calm.png")
    assert page.is_hidden("#notice")
    word(page, "happiness", 1)
    page.set_input_files("#file", str(tmp_path / "empty.jpg"))
    page.wait_for_selector("#notice:not([hidden])")
    at(page, 1)  # what was there stays
    assert server.process.poll() is None


@pytest.mark.parametrize("width, height, theme", [(1280, 900, "light"), (390, 844, "dark")])
def test_it_is_accessible_and_the_picture_stays_in_view(visit, faces, tmp_path, width, height, theme):
    page = visit(width, height, color_scheme=theme)
    violations = serious(page)
    send(page, faces / "calm.png")
    word(page, "happiness", 1)
    word(page, "wink-left", 2)
    if (width == 1280) == (theme == "light"):
        keep(page, f"app_{width}_{theme}.png", tmp_path)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.locator("[data-word=say-m]").scroll_into_view_if_needed()
    box = page.locator("#after").bounding_box()
    assert box["y"] > -40 and box["y"] + box["height"] < 0.6 * height + 160 and box["width"] > 200
    for way in ("muscles", "angles", "example", "saved", "models", "facts", "expressions"):
        page.click(f"#tab-{way}")
        if (width, theme) == (1280, "light") and way == "muscles":
            keep(page, "app_movements.png", tmp_path)
        violations += serious(page)
    page.click("#compare")
    violations += serious(page)
    page.click("#compare")
    page.click("#tab-many")
    violations += serious(page)
    page.click("#tab-clips")
    violations += serious(page)
    page.click("#tab-table")
    violations += serious(page)
    assert not violations, json.dumps(violations, indent=1)


def serious(page):
    """Return what axe finds, of those kinds that keep people from using the page."""
    axe = pytest.importorskip(
        "axe_playwright_python.sync_playwright", reason="no axe-playwright-python: pip install 'mien[dev]'"
    )
    found = [one for one in axe.Axe().run(page).response["violations"] if one["impact"] in ("serious", "critical")]
    return [(one["id"], one["impact"], [node["html"][:200] for node in one["nodes"][:3]]) for one in found]


def test_nobody_else_is_asked(visit, server, faces):
    page = visit(policy=True)
    send(page, faces / "calm.png")
    word(page, "happiness", 1)
    called = server.called.read_text().split()
    assert called[0] == "192.0.2.1"  # the watch works
    assert set(called[1:]) <= {"127.0.0.1", "localhost", "::1"}
