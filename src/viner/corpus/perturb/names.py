"""Names of people and places that hardly any training data holds, put in the place of those that a document has.

They are made up of parts, by us: a Vietnamese family, middle and given name, two syllables of a place; English ones in texts
without Vietnamese letters. Real names are made in the same way, so they look right; there are thousands for people and hundreds
for places, so few were ever seen.
"""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

import regex

from viner.corpus.perturb.language import is_vietnamese
from viner.corpus.perturb.swapping import swap_surfaces
from viner.document import Document, Entity, Span
from viner.text import split_words

PERSONS = frozenset("NAME PER PERS PERSON PERSON_NAME PATIENT_NAME".split())
"""Labels, in upper case, whose entities are people."""

PLACES = frozenset("CITY GPE LOC LOCATION PLACE".split())
"""Labels, in upper case, whose entities are places."""


@dataclass(frozen=True, slots=True)
class _Parts:
    """What names of one language are made of: one of each list, in order; the last one can stand alone."""

    person: tuple[tuple[str, ...], ...]
    place: tuple[tuple[str, ...], ...]
    between: str
    """What stands between the parts of a place."""


_VIETNAMESE = _Parts(
    person=(
        tuple("Khổng Lều Tôn Quách Doãn Khuất Giáp Bế Nghiêm Thái Vi Lục Cù Mạc Âu Tiêu".split()),
        tuple("Khắc Diệp Uyển Sỹ Bá Thục Hạnh Nhật Trọng Vĩnh Thế Tuyết".split()),
        tuple("Khuê Lượng Nhẫn Sáu Thuần Uyên Vượng Xuyến Điểm Ngoãn Tụng Bường Chiêm Duệ Hoạt Lãm".split()),
    ),
    place=(
        tuple("Lộc Mỹ Phú Vạn Khánh Thạch Xuân Đông Cẩm Nghi Hoằng Triệu Yên Ngọc Tường Quỳnh".split()),
        tuple("Khê Trạch Lũng Giản Thượng Điền Xá Nham Quán Mỗ Lễ Trung Hậu Cốc Đàm Bối".split()),
    ),
    between=" ",
)
_ENGLISH = _Parts(
    person=(
        tuple("Alden Briony Cormac Delphine Edmund Fenella Gareth Hester Ingram Jocasta Leopold Marigold".split()),
        tuple("Ashgrove Birtwell Colbrook Dunmere Eastwick Fairholt Garside Hathersage Inchley Kettlewood Larkham".split()),
    ),
    place=(
        tuple("Ashen Bram Cold Drake East Fern Gold Hazel Kestrel Lang Marsh North Raven Stone Wick".split()),
        tuple("bridge bury combe dale field ford gate haven hollow mere moor port stead ton wick".split()),
    ),
    between="",
)
_KIND = regex.compile(r"(?:\p{Ll}\S*\s+)*")
"""Words at the beginning of a name that are no part of it: *xã*, *the*."""


def with_new_names(document: Document, rng: Random) -> Document:
    """The document with made-up names for people and places.

    Words in lower case at its beginning stay, such as *xã* in *xã Hưng Yên Nam*; a person of one word becomes one of one word;
    what is all in lower or upper case becomes a name in that case. In a document whose words are segments, the name is one.

    Args:
        document: A document with annotated entities, those of :data:`PERSONS` and :data:`PLACES` among them.
        rng: Draws the names.
    """
    parts = _VIETNAMESE if is_vietnamese(document) else _ENGLISH
    segments = any(" " in document.text[start:end] for start, end in document.words or ())
    return swap_surfaces(document, lambda entity: _renamed(entity, parts, rng), _name_whole if segments else None)


def _name_whole(surface: str) -> list[Span]:
    """The words of a new surface among segments: the name is one of them."""
    kind = None if surface.islower() else _KIND.match(surface)  # what is all in lower case is a name as a whole
    start = kind.end() if kind and kind.end() < len(surface) else 0
    return [*split_words(surface[:start]), (start, len(surface))]


def _renamed(entity: Entity, parts: _Parts, rng: Random) -> str | None:
    label, surface = entity.label.upper(), entity.text or ""
    if label in PLACES:
        name = parts.between.join(rng.choice(part) for part in parts.place)
    elif label in PERSONS:
        drawn = [rng.choice(part) for part in parts.person]
        name = " ".join(drawn if len(surface.split()) > 1 else drawn[-1:])
    else:
        return None
    if surface.isupper() and len(surface) > 1:
        return name.upper()
    if surface.islower():
        return name.lower()
    kind = _KIND.match(surface)
    return (kind[0] if kind else "") + name
