"""An exported graph without what only other outputs than those asked for need.

ONNX Runtime computes all of a graph whatever it is asked for (its `only_execute_path_to_fetches` does nothing outside
training builds). A model in ONNX is a message of protocol buffers; nothing but the graph's own fields is looked at, all
else is copied as it stands.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

MOST = 0.9  # of the nodes: beyond it all stay, and what asks for this and for that shares one session
GRAPH = 7  # of a model
NODE, OUTPUT = 1, 12  # of a graph
INPUT_NAMES, OUTPUT_NAMES, ATTRIBUTES = 1, 2, 5  # of a node; of an output the name is 1
SUBGRAPHS = (6, 11)  # of an attribute


def pruned(model: bytes, outputs: Sequence[str]) -> bytes:
    """Return a model that has these outputs alone, and the nodes that they need.

    As it is returned a model of which next to nothing would go, and one with graphs within its nodes, which may use any
    name of those around them. Raises ValueError and IndexError for what is no model.
    """
    parts = list(_fields(model))
    (graph,) = (value for number, value, _ in parts if number == GRAPH)
    inner = list(_fields(graph))
    nodes = [list(_fields(value)) if number == NODE else None for number, value, _ in inner]
    if any(_has_graphs(node) for node in nodes if node):
        return model
    wanted, kept = set(outputs), bytearray()
    needed = set[int]()
    for place in range(len(inner) - 1, -1, -1):  # nodes stand in the order of computing
        node = nodes[place]
        if node is not None and wanted & set(_names(node, OUTPUT_NAMES)):
            needed.add(place)
            wanted |= set(_names(node, INPUT_NAMES))
    if len(needed) > MOST * sum(node is not None for node in nodes):
        return model
    for place, (number, value, raw) in enumerate(inner):
        unasked = number == OUTPUT and _names(list(_fields(value)), 1)[0] not in outputs
        if not unasked and (number != NODE or place in needed):
            kept += raw
    return b"".join(raw if number != GRAPH else _field(GRAPH, bytes(kept)) for number, _, raw in parts)


def _names(fields: list[tuple[int, bytes, bytes]], number: int) -> list[str]:
    return [value.decode() for found, value, _ in fields if found == number]


def _has_graphs(node: list[tuple[int, bytes, bytes]]) -> bool:
    attributes = (value for number, value, _ in node if number == ATTRIBUTES)
    return any(number in SUBGRAPHS for attribute in attributes for number, _, _ in _fields(attribute))


def _fields(message: bytes) -> Iterator[tuple[int, bytes, bytes]]:
    """Yield number, value and all bytes of each field; the value is empty where it is no bytes."""
    at = 0
    while at < len(message):
        begin = at
        key, at = _varint(message, at)
        value = b""
        match key & 7:
            case 0:
                _, at = _varint(message, at)
            case 1:
                at += 8
            case 2:
                length, at = _varint(message, at)
                value = message[at : at + length]
                at += length
            case 5:
                at += 4
            case _:
                raise ValueError("no model in ONNX")
        yield key >> 3, value, message[begin:at]


def _varint(message: bytes, at: int) -> tuple[int, int]:
    """Return the number that stands at a place, seven bits a byte, and the place after it."""
    value = shift = 0
    while True:
        byte = message[at]
        value |= (byte & 127) << shift
        at, shift = at + 1, shift + 7
        if byte < 128:
            return value, at
        if shift > 63:
            raise ValueError("no model in ONNX")


def _field(number: int, value: bytes) -> bytes:
    """Return a field of bytes."""
    found = bytearray()
    for part in (number << 3 | 2, len(value)):
        while part > 127:
            found.append(part & 127 | 128)
            part >>= 7
        found.append(part)
    return bytes(found) + value
