"""MongoDB's wire protocol, as far as tests look into what passes by."""

from __future__ import annotations

import struct

HEADER = struct.Struct("<iiii")
"""Length of the message, its number, the number it answers, its kind."""
_OP_MSG, _FLAGS = 2013, 4
_TEXT = 2


def command_of(message: bytes) -> tuple[str, str] | None:
    """The command a message carries and the collection it is about; None: it carries none.

    The command is the first key of the message's body; its value is the collection where it is a text, else empty.
    """
    if HEADER.unpack_from(message)[3] != _OP_MSG:
        return None
    at = HEADER.size + _FLAGS
    while message[at] == 1:
        # A sequence of documents may come before the body.
        at += 1 + int(struct.unpack_from("<i", message, at + 1)[0])
    # Kind of the section, length of the document, type of its first value; then the key, ended by a zero.
    kind, start = message[at + 5], at + 6
    end = message.index(b"\0", start)
    collection = ""
    if kind == _TEXT:
        length = struct.unpack_from("<i", message, end + 1)[0]
        collection = message[end + 5 : end + 4 + length].decode()
    return message[start:end].decode(), collection
