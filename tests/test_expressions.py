"""An expression saved to a file and asked for by it: the same again; what is no such file is one line."""

import json

import numpy as np
import pytest
from PIL import Image
from skimage.data import astronaut

from mien.controls import Controls
from mien.editing.editor import Editor
from mien.errors import InputError
from mien.expressions import Expression, check_expression, expression_of, find_expression, read_expression
from mien.expressions import write_expression as write
from mien.labels import AUS, au_columns
from tests.cli.test_cli import run

GRIN = Expression("grin", {"12L": 4.0, "12R": 3.1234, 25: 2.0}, (5.0, -2.5), "edit: grin")


def test_written_and_read_it_is_the_same(tmp_path):
    write(tmp_path / "grin.json", GRIN)
    again = find_expression(str(tmp_path / "grin.json"))
    assert Controls(again).units() == Controls(GRIN).units()
    assert (again.name, again.gaze, again.origin, str(again)) == ("grin", (5.0, -2.5), "edit: grin", "grin")
    write(tmp_path / "again.json", again)
    assert (tmp_path / "again.json").read_bytes() == (tmp_path / "grin.json").read_bytes()
    check_expression(tmp_path / "grin.json")  # one of ours may be replaced


def test_a_turned_and_tilted_head_is_kept_and_others_files_stay_as_they_were(tmp_path):
    asked = Controls("fear", 0.5, turn=(8.0, -3.0), roll=4.0).as_expression("cheeky", "made")
    write(tmp_path / "cheeky.json", asked)
    again = Controls(read_expression(tmp_path / "cheeky.json"))
    assert (again.turned, again.tilted, again.kinds) == ((8.0, -3.0), 4.0, ["aus", "turn", "roll"])
    assert again.operation() == "edit: cheeky turn 8 -3 roll 4 1.00"
    write(tmp_path / "plain.json", GRIN)
    assert not {"turn", "roll"} & json.loads((tmp_path / "plain.json").read_text()).keys()


def spoilt(**changes):
    good = {"format": "mien expression", "version": 1, "name": "a", "origin": "", "units": {"12L": 3.0}, "gaze": None}
    return json.dumps(good | changes)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "cannot be read as JSON"),
        ("[" * 100_000, "nested too deeply"),
        ("[]", "the whole is no object"),
        ('{"schema": 2}', "is missing"),
        (spoilt(format="notes"), "is 'notes' of version 1; expected an expression that --save-expression wrote"),
        (spoilt(version=2), "of version 2"),
        (spoilt(units={"12L": 7}), "AU 12L=7: expected an intensity from 0 to 5"),
        (spoilt(units={"13": 1.0}), "AU 13: choose from"),
        (spoilt(units={"12": None}), "lack a number"),
        (spoilt(units={"12": "3"}), "units.12 is '3'"),
        (spoilt(units={"12": float("nan")}), "units.12 is 'nan'"),
        (spoilt(gaze=[1.0]), "gaze, turn or roll lack a number"),
        (spoilt(gaze=[1, float("inf")]), "gaze 1 inf: expected"),
        (spoilt(gaze=[90, 0]), "gaze 90 0: expected -40 to 40 degrees"),
        (spoilt(turn=[1]), "turn or roll lack a number"),
        (spoilt(turn=[0, 60]), "turn 0 60: expected -15 to 15 and -9 to 9 degrees"),
        (spoilt(gaze=[10**400, 0]), "gaze inf 0: expected"),
        (spoilt(units={"12": 10**400}), "units.12 is 'inf'"),
        (spoilt(roll=True), "turn or roll lack a number"),
        (spoilt(roll=float("nan")), "roll nan: expected -10 to 10 degrees"),
    ],
)
def test_what_is_no_expression_is_one_line(tmp_path, text, says):
    (tmp_path / "bad.json").write_text(text)
    with pytest.raises(InputError, match=says) as error:
        read_expression(tmp_path / "bad.json")
    assert "bad.json" in str(error.value) and "\n" not in str(error.value)


def test_places_where_none_can_be(tmp_path):
    (tmp_path / "notes.json").write_text("{}")
    for path, says in (
        (tmp_path / "notes.json", "was not written by mien"),
        (tmp_path / "grin.png", "is a .json file"),
    ):
        with pytest.raises(InputError, match=says):
            check_expression(path)


def test_rows_of_readers_with_and_without_sides():
    row = dict.fromkeys((*au_columns("L"), *au_columns("R"), *au_columns()), 1.0) | {"AU12_L": 5.01, "gaze_x": 9.0}
    sided = expression_of(row, "a", "read")
    assert sided.units["12L"] == 5 and sided.units["12R"] == 1 and len(sided.units) == 2 * len(AUS) and not sided.gaze
    assert expression_of({"AU12": 2.0, "expression": "happiness"}, "a", "").units == {12: 2.0}
    with pytest.raises(InputError, match="reads no action units"):
        expression_of({"happiness": 1.0}, "a", "")


@pytest.fixture(scope="module")
def smile(tmp_path_factory):
    folder = tmp_path_factory.mktemp("smile")
    crop = Editor().crop(astronaut()).crop
    Image.fromarray(crop).save(folder / "smile.png")
    Image.fromarray(Editor(aligned=True).neutralize(crop).rgb).save(folder / "calm.png")
    return folder


def test_an_expression_that_was_read_is_asked_for_as_the_face_itself_is(smile, tmp_path, capsys):
    """Saved by every verb that can, asked for it gives what a transfer gives, but for the digits that files keep."""
    ways = {
        "recognize": ("recognize", smile / "smile.png"),
        "aus": ("aus", smile / "smile.png", "--csv"),
        "transfer": ("transfer", smile / "calm.png", "--like", smile / "smile.png", "-o", tmp_path / "transfer.png"),
        "edit": ("edit", smile / "calm.png", "--like", smile / "smile.png", "-o", tmp_path / "edit.png"),
    }
    for name, words in ways.items():
        code, _, err = run(capsys, *words, "--aligned", "--save-expression", tmp_path / f"{name}.json")
        assert code == 0, err
    units = [json.loads((tmp_path / f"{name}.json").read_text())["units"] for name in ways]
    for other in units[1:]:
        assert other == pytest.approx(units[0], abs=1e-3)
    words = ("--aligned", "--expression", tmp_path / "recognize.json", "-o", tmp_path / "again.png")
    code, _, err = run(capsys, "edit", smile / "calm.png", *words)
    assert code == 0, err
    again, made = (np.asarray(Image.open(tmp_path / f"{name}.png")).astype(int) for name in ("again", "transfer"))
    calm = np.asarray(Image.open(smile / "calm.png")).astype(int)
    assert np.abs(again - made).max() <= 2 and np.abs(again - calm).max() > 40
    code, out, _ = run(capsys, "info", tmp_path / "again.png")
    assert "edit: recognize 1.00" in out


def test_what_was_asked_for_is_saved_and_asked_for_again(smile, tmp_path, capsys):
    ask = ("--expression", "wink", "--say", "o", "--au", "1=2", "--gaze", "9", "0", "--only", "mouth", "--only", "eyes")
    words = ("edit", smile / "calm.png", "--aligned", "-o", tmp_path / "a.png", "--intensity", "0.8")
    code, _, err = run(capsys, *words, *ask, "--save-expression", tmp_path / "cheeky.json")
    assert code == 0, err
    told = json.loads((tmp_path / "cheeky.json").read_text())
    assert told["units"]["43L"] == 4 and told["units"]["1R"] == 2 and "43R" not in told["units"]
    assert told["gaze"] == [9, 0] and told["name"] == "cheeky" and "wink+say-o" in told["origin"]
    words = ("edit", smile / "calm.png", "--aligned", "-o", tmp_path / "b.png")
    assert run(capsys, *words, "--expression", tmp_path / "cheeky.json")[0] == 0
    a, b = (np.asarray(Image.open(tmp_path / f"{name}.png")).astype(int) for name in "ab")
    assert np.abs(a - b).max() <= 1


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("recognize", "a.png", "b.png", "--save-expression", "x.json"), "is of one face; give one photograph"),
        (("aus", "a.png", "--save-expression", "a.png"), "is a .json file"),
        (("edit", "a.png", "--preview", "p.png", "--save-expression", "x.json"), "is about the picture"),
        (("edit", "a.png", "--expression", "x.json", "-o", "o.png", "--save-expression", "x.json"), "is --expression"),
        (
            ("edit", "a.png", "--expression", "fear", "-o", "o.png", "--report", "--save-expression", "o.json"),
            "is --save-expression",
        ),
        (("recognize", "a.png", "--aligned", "--model", "ter_gan", "--save-expression", "x.json"), "reads no action"),
    ],
)
def test_bad_requests_are_one_line(smile, tmp_path, monkeypatch, capsys, words, says):
    monkeypatch.chdir(tmp_path)
    for name in ("a.png", "b.png"):
        (tmp_path / name).write_bytes((smile / "smile.png").read_bytes())
    code, _, err = run(capsys, *words)
    assert code == 2 and says in err and err.count("\n") == 1, err
    assert {path.name for path in tmp_path.iterdir()} == {"a.png", "b.png"}
