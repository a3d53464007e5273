"""MMI: clips from neutral to an apex and back (Pantic et al. 2005; Valstar & Pantic 2010), one folder a session.

    ROOT/Sessions/1767/S001-100.avi           or extracted frames, *.png or *.jpg, in the same folder
    ROOT/Sessions/1767/S001-100.xml           <Metatag Name="Emotion" Value="1"/>: 1 anger … 6 surprise
    ROOT/Sessions/1767/session.xml            <track view="0">: 0 from the front; <subject id="1">
    ROOT/Sessions/1767/S001-100-oao_aucs.xml  action units' phases without intensities: not read

Protocol of JESRL IV-A: clips of the six basic expressions seen from the front, the first frame as neutral and three
frames near the middle (208 clips, 830 images). The paper does not name the clips: all that are labelled and frontal
are taken, and the summary counts the rest. Some videos lie on their side; where no face is upright, they are turned.
With `all_frames` every frame of these clips comes. EET IV-A labels MMI by OpenFace: import its tables as `csv`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from xml.etree import ElementTree

from mien.data.importers.support.clip_frames import arching, shown
from mien.data.importers.support.corpus_folder import folders, need, pictures, read_text, wrong_layout
from mien.data.importers.support.sample import Importer, Labels, Options, Pixels, Sample, Skip
from mien.data.importers.support.video_frames import VIDEOS, Player

EXPECTS = "the MMI folder that holds Sessions/1767/S001-100.avi and its .xml"
WORDS = {"1": "anger", "2": "disgust", "3": "fear", "4": "happiness", "5": "sadness", "6": "surprise"}
PEAK = 3  # frames near the middle
FRONT = "0"


def samples(root: Path, options: Options) -> Iterator[Sample | Skip]:
    """Yield the frames of every frontal clip with one of the six expressions."""
    base = need(root, EXPECTS, "Sessions")
    player = Player()
    sessions = [folder for folder in folders(base) if any(folder.glob("*.xml"))]
    if not sessions:
        raise wrong_layout(root, "Sessions/1767/*.xml", EXPECTS)
    for session in sessions:
        facts, why = _facts(session)
        if why:
            yield Skip(str(session), why)
            continue
        sources = _sources(session, player)
        if not sources:
            yield Skip(str(session), "session without a video or frames")
        for k, level in arching(len(sources), options, PEAK) if sources else ():
            where: Labels = {"subject": facts["subject"], "sequence": session.name, "frame": k}
            labels = {**where, **shown(WORDS[facts["emotion"]], level)}
            yield Sample(f"{session.name}/{k:05d}", sources[k], labels, lying=True)


def _facts(session: Path) -> tuple[dict[str, str], str]:
    """Return emotion and subject of a session, or why it is not taken."""
    facts = {"subject": "", "emotion": "", "view": FRONT}
    for path in sorted(session.glob("*.xml")):
        if path.stem.endswith("oao_aucs"):
            continue
        if match := re.match(r"(S\d+)-", path.stem):
            facts["subject"] = match.group(1)
        try:
            _look(path, facts)
        except (ElementTree.ParseError, LookupError, ValueError):  # an InputError is one: the file cannot be read
            return facts, "label file cannot be read"
    if facts["emotion"] not in WORDS:
        return facts, "session without one of the six emotions"
    return facts, "" if facts["view"] == FRONT else "session not seen from the front"


def _look(path: Path, facts: dict[str, str]) -> None:
    """Add what a session's file says. Raises ValueError and what XML's parser raises for what cannot be read."""
    text = read_text(path)
    if "<!ENTITY" in text:  # MMI's files declare none; of those that do, some grow by the thousandfold
        raise ValueError("entities")
    for node in ElementTree.fromstring(text).iter():
        if node.get("Name") == "Emotion":
            facts["emotion"] = (node.get("Value") or "").strip()
        elif node.tag.endswith("track") and node.get("view"):
            facts["view"] = node.get("view", FRONT)
        elif node.tag.endswith("subject") and node.get("id"):
            facts["subject"] = facts["subject"] or f"S{int(node.get('id', '0')):03d}"


def _sources(session: Path, player: Player) -> list[Pixels]:
    """Return a clip's frames: extracted ones if they are there, else those of its video."""
    files = pictures(session, below=True)
    if files:
        return list(files)
    videos = sorted(p for p in session.iterdir() if p.suffix.lower() in VIDEOS)
    return [partial(player.read, videos[0], k) for k in range(player.count(videos[0]))] if videos else []


IMPORTER = Importer(
    "MMI, sessions with an emotion",
    samples,
    EXPECTS,
    "mmifacedb.eu (account and agreement, research only)",
    options=("all_frames", "neutral"),
)
