"""OSC by the examples of its specification, byte for byte, and over a socket."""

import socket
import struct

import pytest

from mien.blendshapes import SHAPES
from mien.errors import InputError
from mien.recognition.osc import Sender, bundle, face_bundle, message

# "Examples Supporting the OpenSoundControl 1.0 Spec", 2002: the two messages that it writes out.
OSCILLATOR = "2f6f7363 696c6c61 746f722f 342f6672 65717565 6e637900 2c660000 43dc0000"
FOO = "2f666f6f 00000000 2c696973 66660000 000003e8 ffffffff 68656c6c 6f000000 3f9df3b6 40b5b22d"


def test_the_specifications_messages():
    assert message("/oscillator/4/frequency", 440.0) == bytes.fromhex(OSCILLATOR)
    assert message("/foo", 1000, -1, "hello", 1.234, 5.678) == bytes.fromhex(FOO)


def test_a_bundle_is_its_messages_with_their_sizes():
    one = message("/foo", 1)
    assert one == b"/foo\0\0\0\0,i\0\0\0\0\0\x01"
    assert bundle(one, one) == b"#bundle\0" + b"\0" * 7 + b"\x01" + 2 * (b"\0\0\0\x10" + one)


def taken_apart(packet):
    """Return a bundle's messages as (address, arguments), read by hand."""

    def text(data, at):
        end = data.index(b"\0", at)
        return data[at:end].decode(), end + 4 - end % 4

    found, at = [], 16
    while at < len(packet):
        (size,) = struct.unpack_from(">i", packet, at)
        data, at = packet[at + 4 : at + 4 + size], at + 4 + size
        address, place = text(data, 0)
        tags, place = text(data, place)
        values = []
        for tag in tags[1:]:
            if tag == "s":
                value, place = text(data, place)
            else:
                (value,), place = struct.unpack_from(f">{tag}", data, place), place + 4
            values.append(value)
        found.append((address, values))
    return found


ROW = {"path": "a.mp4", "frame": 7, "time": 0.28, "number": 2, "AU12_L": 2.5, "AU12_R": 0.0, "AU26": 5.0, "AU25": 5.0,
       "yaw": 10.0, "pitch": -5.0, "roll": 1.5}  # fmt: skip


def test_a_face_as_blendshapes():
    found = taken_apart(face_bundle(ROW))
    assert found[0] == ("/frame", [7, pytest.approx(0.28)]) and found[-1] == ("/head", [10.0, -5.0, 1.5])
    shapes = dict(values for address, values in found if address == "/blendshape")
    assert list(shapes) == list(SHAPES)
    assert {name: v for name, v in shapes.items() if v} == {"mouthSmileLeft": 0.5, "jawOpen": 1.0}
    assert all(address.startswith("/face/2/") for address, _ in taken_apart(face_bundle(ROW, several=True)))


def test_faces_arrive_by_udp():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as listener:
        listener.bind(("127.0.0.1", 0))
        listener.settimeout(5)
        sender = Sender(f"127.0.0.1:{listener.getsockname()[1]}")
        for row in (ROW, {"path": "a.mp4", "frame": 8, "time": 0.32}, ROW | {"frame": 9, "time": 0.36}):
            sender.send(row)  # the one without a face is not sent
        assert [taken_apart(listener.recv(65_536))[0][1][0] for _ in range(2)] == [7, 9]
        sender.close()


@pytest.mark.parametrize("where", ["localhost", "127.0.0.1:x", ":9000", "127.0.0.1:70000", "127.0.0.1:0"])
def test_no_address_is_one_line(where):
    with pytest.raises(InputError, match=f"--osc {where}: expected HOST:PORT"):
        Sender(where)
