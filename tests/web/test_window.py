"""The page in a real browser: fingers and fast clicks, several windows, reloads, and what was open before."""

import numpy as np
import pytest

from tests.web.chromium import DRIVEN, at, ready, send, shown, word

pytestmark = DRIVEN


def swipe(page, start, end):
    """Drag a finger over the page, as Chromium sees it from a screen."""
    screen = page.context.new_cdp_session(page)
    point = lambda k: [{"x": start[0] + k / 8 * (end[0] - start[0]), "y": start[1] + k / 8 * (end[1] - start[1])}]  # noqa: E731
    screen.send("Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": point(0)})
    for k in range(1, 9):
        screen.send("Input.dispatchTouchEvent", {"type": "touchMove", "touchPoints": point(k)})
        page.wait_for_timeout(16)
    screen.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})


def middle(page, selector, along=0.5):
    box = page.locator(selector).bounding_box()
    return box["x"] + along * box["width"], box["y"] + box["height"] / 2


AT_REST = """() => new Promise((rested) => {
  let [last, since] = [NaN, 0];
  const look = (now) => {
    if (scrollY !== last) [last, since] = [scrollY, now];
    if (now - since > 400) rested();
    else requestAnimationFrame(look);
  };
  requestAnimationFrame(look);
})"""


def values(page):
    return page.eval_on_selector_all("#muscles input[type=range]", "all => all.map((one) => +one.value)")


def test_a_finger_that_scrolls_moves_no_slider_and_one_that_drags_does(visit, faces):
    page = visit(390, 844, has_touch=True, is_mobile=True)
    send(page, faces / "calm.png")
    page.click("#tab-muscles")
    page.wait_for_selector("[aria-busy=false] #au12")
    page.locator("#au12").scroll_into_view_if_needed()
    before, down = values(page), page.evaluate("scrollY")
    x, y = middle(page, "#au12", 0.8)
    swipe(page, (x, y), (x + 3, y - 160))
    page.evaluate(AT_REST)
    assert page.evaluate("scrollY") > down + 50
    assert values(page) == before and page.locator("#history li").count() == 1
    page.eval_on_selector("#au12", "slider => slider.scrollIntoView()")  # a finger's scrolling goes on by itself
    page.evaluate(AT_REST)
    x, y = middle(page, "#au12", 0.2)
    swipe(page, (x, y), (x + 120, y + 4))
    at(page, 1)
    assert page.locator("#history li").count() == 2 and float(page.input_value("#au12")) > 1.5
    page.touchscreen.tap(*middle(page, "#au12", 0.9))
    at(page, 2)
    assert float(page.input_value("#au12")) > 4


def test_what_is_read_late_does_not_take_a_slider_out_of_ones_hand(visit, faces):
    page = visit()
    page.evaluate(
        """() => {
          const [before, read] = [window.fetch, new Promise((go) => { window.read = go; })];
          window.fetch = async (path, more) => {
            if (path.includes("/shown")) await read;
            return before(path, more);
          };
        }"""
    )
    send(page, faces / "calm.png")
    page.click("#tab-muscles")
    page.locator("#au12").scroll_into_view_if_needed()
    page.mouse.move(*middle(page, "#au12", 0.2))
    page.mouse.down()
    page.mouse.move(*middle(page, "#au12", 0.8), steps=4)
    page.evaluate("window.read()")
    page.wait_for_selector("[aria-busy=false] #au12")
    assert 3.5 < float(page.input_value("#au12")) < 4.5
    page.mouse.up()
    at(page, 1)
    assert 3.5 < float(page.input_value("#au12")) < 4.5


def test_windows_of_one_browser_have_each_their_photograph(visit, faces):
    page = visit()
    send(page, faces / "calm.png")
    word(page, "happiness", 1)
    happy = shown(page)
    other = page.context.new_page()
    other.goto(page.url)
    ready(other)
    at(other, 1)  # what was opened last
    send(other, faces / "grin.jpg")
    word(other, "surprise", 1)
    page.click("[data-word=wink-left]")  # of the first, which this window still shows
    at(page, 2)
    assert 0 < np.abs(shown(page) - happy).mean() < 5
    assert page.locator("#history li").count() == 3 and other.locator("#history li").count() == 2
    other.reload()
    ready(other)
    at(other, 1)
    assert "grin.jpg" in other.evaluate("fetch('api/session').then(a => a.json()).then(s => s.photos[s.photo].name)")
    page.click("#another summary")
    page.click("#earlier button")  # back to the other's, as it was left
    at(page, 1)
    assert np.array_equal(shown(page), shown(other))
    page.click("#another summary")
    page.click("#earlier button")
    at(page, 2)


def test_what_is_clicked_faster_than_it_is_answered_adds_up(visit, faces):
    page = visit()
    send(page, faces / "calm.png")
    page.evaluate(
        """() => {
          const before = window.fetch;
          window.fetch = async (path, more) => {
            if (path.includes("api/steps") && more.method === "POST") await new Promise((go) => setTimeout(go, 400));
            return before(path, more);
          };
        }"""
    )
    for name in ("happiness", "sadness", "wink-left"):
        page.click(f"[data-word={name}]")
    assert page.get_attribute("[data-word=sadness]", "aria-pressed") == "true"  # at once
    at(page, 3)
    looks = page.evaluate("fetch('api/session').then(a => a.json()).then(s => s.project.steps.map(t => t.looks['1']))")
    assert [[one["name"] for one in look["words"]] for look in looks if look] == [
        ["happiness"], ["sadness"], ["sadness", "wink-left"],
    ]  # fmt: skip


def test_space_or_the_held_picture_shows_the_photograph_after_a_click_too(visit, faces):
    page = visit()
    send(page, faces / "calm.png")
    photo = shown(page)
    word(page, "surprise", 1)
    page.keyboard.down(" ")
    page.wait_for_selector("#before:not([hidden])[data-shown]")
    assert np.array_equal(shown(page, "#before"), photo)
    page.keyboard.up(" ")
    page.wait_for_timeout(300)
    assert page.is_hidden("#before") and page.locator("#history li").count() == 2
    page.mouse.move(*middle(page, "#picture"))
    page.mouse.down()
    page.wait_for_selector("#before:not([hidden])")
    page.mouse.up()
    page.wait_for_selector("#before", state="hidden")
    page.focus("[data-word=surprise]")
    page.keyboard.press("Tab")
    page.keyboard.press("Shift+Tab")
    page.keyboard.press(" ")  # what the keyboard went to is pressed by it
    at(page, 2)


def test_a_comparison_of_two_people_is_dragged_over_their_faces(visit, faces):
    page = visit()
    send(page, faces / "both.jpg")
    word(page, "surprise", 1)
    inside = middle(page, ".box >> nth=0")
    page.click("#compare")
    page.wait_for_function("document.querySelector('#before').src.startsWith('blob:')")
    assert page.locator(".box").count() == 0
    page.mouse.move(*inside)
    page.mouse.down()
    page.mouse.move(inside[0] + 60, inside[1], steps=3)
    page.mouse.up()
    share = page.locator("#wipe").input_value()
    box = page.locator("#picture").bounding_box()
    assert float(share) == pytest.approx(100 * (inside[0] + 60 - box["x"]) / box["width"], abs=4)
    page.click("#compare")
    page.wait_for_selector(".box >> nth=1")


def test_what_moves_while_steps_are_compared_is_no_step_yet(visit, faces):
    page = visit()
    send(page, faces / "grin.jpg")
    word(page, "surprise", 1)
    page.click("#compare")
    said = "(() => { const list = document.querySelector('#other'); return list.selectedOptions[0].textContent; })()"
    page.wait_for_function(f"{said}.includes('Surprised')")
    slide = "document.querySelector('#strength-0')"
    page.evaluate(f"{slide}.value = 0.4; {slide}.dispatchEvent(new Event('input', {{ bubbles: true }}))")
    page.wait_for_function(f"{said} === 'what moves now'")
    page.evaluate(f"{slide}.dispatchEvent(new Event('change', {{ bubbles: true }}))")
    at(page, 2)
    page.wait_for_function(f"{said}.includes('40')")


def test_a_reload_and_back_find_face_way_and_bench(visit, faces):
    page = visit()
    send(page, faces / "both.jpg")
    page.click("[aria-label='Face 2']")
    word(page, "happiness", 1)
    page.click("[aria-label='Face 1']")
    page.wait_for_selector("[aria-label='Face 1'][aria-pressed=true]")
    word(page, "surprise", 2)
    sources = page.eval_on_selector_all("#history img", "all => all.map((one) => one.src)")
    assert ["frame=2" in sources[1], "frame=1" in sources[2]] == [True, True]  # each step shows whom it changed
    page.click("#tab-angles")
    page.click("#tab-table")
    page.reload()
    ready(page)
    assert page.is_visible("#table") and page.is_hidden("#photograph")
    page.go_back()
    page.wait_for_selector("#photograph:not([hidden])")
    assert page.is_visible("#angles")
    page.wait_for_selector("[aria-label='Face 1'][aria-pressed=true]")
    assert page.eval_on_selector_all("#history img", "all => all.map((one) => one.src)") == sources


def test_by_keys_a_photograph_is_chosen_and_what_has_the_focus_is_seen(visit, faces):
    page = visit(640, 450)
    for _ in range(12):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.id") == "file":
            break
    ring = "getComputedStyle(document.activeElement.closest('label')).outlineStyle"
    assert page.evaluate("document.activeElement.id") == "file" and page.evaluate(ring) == "solid"
    send(page, faces / "calm.png")
    page.click("#another summary")
    page.focus("#another summary")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.id") == "another-file"
    page.keyboard.press("Escape")
    page.focus("[data-word=say-m]")
    hidden = []
    for _ in range(20):
        page.keyboard.press("Shift+Tab")
        box, desk = page.evaluate(
            """[document.activeElement, document.querySelector('.desk')].map((one) => {
              const { top, bottom } = one.getBoundingClientRect();
              return [top, bottom, document.querySelector('.panel').contains(one)];
            })"""
        )
        if box[2] and (box[0] + box[1]) / 2 < desk[1]:
            hidden.append(page.evaluate("document.activeElement.outerHTML.slice(0, 80)"))
    assert not hidden


def test_what_is_dropped_on_a_card_is_the_cards(visit, faces):
    page = visit()
    page.click("#tab-clips")
    body = (faces / "calm.mp4").read_bytes().hex()
    page.evaluate(
        """(body) => {
          const bytes = new Uint8Array(body.match(/../g).map((two) => parseInt(two, 16)));
          const dataTransfer = new DataTransfer();
          dataTransfer.items.add(new File([bytes], "calm.mp4", { type: "video/mp4" }));
          const dropped = new DragEvent("drop", { dataTransfer, bubbles: true, cancelable: true });
          document.querySelectorAll("#clips .card")[1].dispatchEvent(dropped);
        }""",
        body,
    )
    page.wait_for_selector("#driver option", state="attached")
    assert page.input_value("#driver") and page.is_hidden("#notice")
    page.set_input_files(
        "#clips .card:nth-child(1) input[type=file]", {"name": "a.mp4", "mimeType": "video/mp4", "buffer": b"text"}
    )
    page.wait_for_selector("#notice:not([hidden])")
    assert "a.mp4: not a clip" in page.inner_text("#notice") and page.locator("#driver option").count() == 1
    page.click("#heard")
    assert page.is_hidden("#notice")
