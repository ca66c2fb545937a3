"""Names of files that are made from what users call things: solvers, instances, versions."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from typing import Final

LONGEST: Final = 100
"""Most bytes of a name: file systems take 255, of which seed, key and suffixes need their share."""

_MARK: Final = "~"
"""Stands before the hash of what has been changed, and in no name that has not."""

_UNSAFE: Final = re.compile(r"[^\w.+-]+")
_RESERVED: Final = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?")
"""What Windows takes for a device, whatever follows the first dot."""


def file_name(text: str) -> str:
    """The text as the name of a file, of no two texts the same.

    What a name can hold on any system stays as it is. Where something must be changed, a hash of
    the text tells it from others: characters that stand for something in paths or shells, too many
    bytes, and capitals, as ``A`` and ``a`` are one file on Windows and macOS.
    """
    plain = former_file_name(text)
    fits = len(text.encode(errors="replace")) <= LONGEST
    small = unicodedata.normalize("NFC", text.casefold()) == text
    if plain == text and fits and small and text[0] != "-" and not _RESERVED.fullmatch(text):
        return text
    digest = hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()[:12]
    room = LONGEST - len("_") - len(_MARK) - len(digest)
    shown = plain.lstrip("-").encode(errors="ignore")[:room].decode(errors="ignore")
    device = "_" if _RESERVED.fullmatch(shown.casefold()) else ""
    return f"{device}{shown or '_'}{_MARK}{digest}"


def former_file_name(text: str) -> str:
    """The name as it was made before, when different texts could have the same."""
    return _UNSAFE.sub("_", text).strip(".") or "_"
