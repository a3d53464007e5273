"""The stamp in a picture's metadata, read back by other means than the code that wrote it."""

import re
import struct
import zlib
from html import unescape
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from mien.errors import InputError
from mien.media.provenance import EDITED, GENERATED, Stamp, read_stamp, save_arguments, xmp_packet

EDIT = Stamp("mien 0.1.0", "fields", "edit: happiness 0.70", "holiday.jpg", weights="3f0c")
WHOLE = Stamp("mien 0.1.0", "ter_gan", "synthesise: 12 people")
FORMATS = {"PNG": ".png", "JPEG": ".jpg", "WEBP": ".webp"}
AUTHORS = b"""<?xpacket begin="" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
<rdf:Description rdf:about="" xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:xmp="http://ns.adobe.com/xap/1.0/"
 xmlns:crs="http://example.org/raw/" xmp:CreatorTool="Darkroom 3" crs:Exposure="+0.5">
<dc:rights><rdf:Alt><rdf:li xml:lang="x-default">(c) Ann</rdf:li></rdf:Alt></dc:rights>
<dc:description><rdf:Alt><rdf:li xml:lang="x-default">Bob at the lake</rdf:li></rdf:Alt></dc:description>
</rdf:Description></rdf:RDF></x:xmpmeta>
<?xpacket end="w"?>"""


def save(path: Path, form: str, stamp: Stamp | None, existing: bytes | None = None) -> Path:
    image = Image.fromarray(np.arange(48, dtype=np.uint8).reshape(4, 4, 3))
    image.save(path, form, **save_arguments(stamp, form, existing))
    return path


def packet_in(path: Path) -> bytes:
    """The XMP packet, by walking the file's own structure."""
    data = path.read_bytes()
    if data.startswith(b"\x89PNG"):
        at = 8
        while at < len(data):
            (length,), kind = struct.unpack(">I", data[at : at + 4]), data[at + 4 : at + 8]
            body = data[at + 8 : at + 8 + length]
            assert struct.unpack(">I", data[at + 8 + length : at + 12 + length])[0] == zlib.crc32(kind + body)
            if kind == b"iTXt" and body.startswith(b"XML:com.adobe.xmp\0\0\0\0\0"):  # not compressed, no language
                return body[22:]
            at += 12 + length
    elif data.startswith(b"\xff\xd8"):
        at = 2
        while data[at + 1] != 0xDA:
            (length,) = struct.unpack(">H", data[at + 2 : at + 4])
            body = data[at + 4 : at + 2 + length]
            if data[at + 1] == 0xE1 and body.startswith(b"http://ns.adobe.com/xap/1.0/\0"):
                return body[29:]
            at += 2 + length
    elif data[8:12] == b"WEBP":
        at = 12
        while at < len(data):
            (length,) = struct.unpack("<I", data[at + 4 : at + 8])
            if data[at : at + 4] == b"XMP ":
                return data[at + 8 : at + 8 + length]
            at += 8 + length + length % 2
    raise AssertionError(f"no XMP packet in {path}")


def says(packet: bytes, name: str) -> str | None:
    """Text of an element, by pattern: no XML parser is asked."""
    found = re.search(rf"<{name}>(?:<rdf:Alt><rdf:li[^>]*>)?([^<]*)<", packet.decode())
    return unescape(found[1]) if found else None


@pytest.mark.parametrize(("form", "suffix"), FORMATS.items())
@pytest.mark.parametrize("stamp", [EDIT, WHOLE], ids=["edited", "generated"])
def test_every_format_carries_the_stamp(tmp_path, form, suffix, stamp):
    path = save(tmp_path / f"out{suffix}", form, stamp)
    packet = packet_in(path)
    last = "compositeWithTrainedAlgorithmicMedia" if stamp is EDIT else "trainedAlgorithmicMedia"
    assert says(packet, "Iptc4xmpExt:DigitalSourceType") == "http://cv.iptc.org/newscodes/digitalsourcetype/" + last
    assert b'xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/"' in packet
    assert says(packet, "xmp:CreatorTool") == "mien 0.1.0"
    assert says(packet, "Iptc4xmpExt:AISystemUsed") == stamp.model
    assert says(packet, "Iptc4xmpExt:AISystemVersionUsed") == stamp.weights
    assert says(packet, "dc:source") == stamp.source
    words = says(packet, "dc:description")
    assert stamp.model in words and stamp.operation in words and "mien 0.1.0" in words
    assert read_stamp(path) == stamp


@pytest.mark.parametrize(("form", "suffix"), FORMATS.items())
def test_without_a_stamp_there_is_none_to_read(tmp_path, form, suffix):
    assert read_stamp(save(tmp_path / f"out{suffix}", form, None)) is None
    assert read_stamp(save(tmp_path / f"kept{suffix}", form, None, AUTHORS)) is None
    assert packet_in(tmp_path / f"kept{suffix}") == AUTHORS


@settings(max_examples=60, deadline=None)
@given(st.text(min_size=1, max_size=40), st.text(min_size=1, max_size=40))
def test_any_text_is_escaped(operation, source):
    packet = xmp_packet(Stamp("mien 0.1.0", "fields", operation, source))
    clean = re.compile(r"[\x00-\x08\x0b-\x1f\ud800-\udfff\ufffe\uffff]")
    assert says(packet, "Iptc4xmpExt:AIPromptInformation") == clean.sub("\ufffd", operation)
    assert says(packet, "dc:source") == clean.sub("\ufffd", source)
    assert ElementTree.fromstring(packet.decode().strip("\ufeff")).tag == "{adobe:ns:meta/}xmpmeta"


@pytest.mark.parametrize("name", ["<b>&amp;'\"]]>.jpg", "größe 写真 😀.jpg", "a\nb\tc.jpg"])
def test_odd_names_come_back(tmp_path, name):
    stamp = Stamp("mien 0.1.0", "fields", "edit: <x>", name)
    assert read_stamp(save(tmp_path / "out.png", "PNG", stamp)) == stamp


def test_what_xml_forbids_is_replaced(tmp_path):
    stamp = Stamp("mien 0.1.0", "fields", "edit", "a\x00b\udcff.jpg")  # \udcff: a byte of a name that was no UTF-8
    assert read_stamp(save(tmp_path / "out.jpg", "JPEG", stamp)).source == "a�b�.jpg"


def test_the_authors_metadata_stays():
    packet = xmp_packet(EDIT, AUTHORS)
    text = packet.decode()
    assert "(c) Ann" in text and "+0.5" in text
    assert text.count("CreatorTool") == 2 and "Darkroom" not in text  # one element: its two tags
    words = says(packet, "dc:description")
    assert words.startswith("Bob at the lake\n") and words.endswith(EDIT.description)


def test_stamping_again_replaces_and_does_not_grow():
    once = xmp_packet(EDIT)
    assert xmp_packet(EDIT, once) == once
    other = xmp_packet(Stamp("mien 0.2.0", "evae", "edit: anger", "b.png"), once)
    assert says(other, "Iptc4xmpExt:AISystemUsed") == "evae"
    assert says(other, "Iptc4xmpExt:AISystemVersionUsed") is None  # another model's weights are not its own
    assert EDIT.description in says(other, "dc:description")


def test_an_edit_does_not_make_a_generated_picture_a_photograph():
    assert says(xmp_packet(EDIT, xmp_packet(WHOLE)), "Iptc4xmpExt:DigitalSourceType") == GENERATED
    assert EDIT.source_type == EDITED


DOCTYPE = b'<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;">]>'
BOMB = DOCTYPE + AUTHORS.split(b"?>", 1)[1].replace(b"Bob at the lake", b"&b;")


@pytest.mark.parametrize("packet", [b"", b"\xff\xfe<", b"<x", b"not xml", b"<a/>", BOMB, b"<a>" * 5000])
def test_a_foreign_packet_cannot_harm(tmp_path, packet):
    path = save(tmp_path / "in.jpg", "JPEG", None, packet)
    assert read_stamp(path) is None
    assert xmp_packet(EDIT, packet) == xmp_packet(EDIT)


def test_a_packet_too_long_for_jpeg_gives_way_to_the_stamp(tmp_path):
    long = AUTHORS.replace(b"+0.5", b"5" * 70_000)
    assert read_stamp(save(tmp_path / "out.jpg", "JPEG", EDIT, long)) == EDIT
    assert read_stamp(save(tmp_path / "out.png", "PNG", EDIT, long)) == EDIT
    assert b"5" * 70_000 in packet_in(tmp_path / "out.png")


def test_another_programs_stamp_is_not_ours(tmp_path):
    stamp = Stamp("Darkroom 3", "m", "o")
    assert read_stamp(save(tmp_path / "out.png", "PNG", stamp)) is None


def test_reading_what_is_no_picture(tmp_path):
    (tmp_path / "words.png").write_text("hello")
    with pytest.raises(InputError, match=r"words\.png: not an image.*expected a PNG, JPEG, WebP or GIF image"):
        read_stamp(tmp_path / "words.png")
    with pytest.raises(InputError, match=r"gone\.png: there is no such file"):
        read_stamp(tmp_path / "gone.png")
    with pytest.raises(InputError, match="a folder"):
        read_stamp(tmp_path)
