"""What travels: chunks of documents on the way out, their answers on the way home, both as JSON in Arrow columns.

Only what a model looks at leaves the machine, text and words; ids and metadata wait here for the answer.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from viner.answer_meta import answer_meta
from viner.document import Document
from viner.errors import VinerError, outline
from viner.scale.errors import come_home

CHARACTERS = 1 << 15
"""Code points of text in a chunk: a few seconds of one core, so that sending it is nothing beside it, little is lost with a
worker, and the last ones end at about the same time. A longer document is a chunk of its own."""
DOCUMENTS = 1024

Stream = Callable[[Iterable[Document]], Iterable[Document]]


def cut(items: Iterable[str | Document]) -> Iterator[list[Document]]:
    """Cuts a stream into chunks, without reading ahead.

    Raises:
        InputError: If a text holds a lone surrogate, and whatever ``items`` raises; what was read before comes out first.
    """
    source = iter(items)
    chunk: list[Document] = []
    room = CHARACTERS
    trouble: Exception | None = None
    while True:
        try:
            item = next(source)
            document = item if isinstance(item, Document) else Document(item)
        except StopIteration:
            break
        except Exception as error:
            trouble = error
            break
        chunk.append(document)
        room -= len(document.text)
        if room <= 0 or len(chunk) == DOCUMENTS:
            yield chunk
            chunk, room = [], CHARACTERS
    if chunk:
        yield chunk
    if trouble is not None:
        raise trouble


def pack(chunk: Sequence[Document]) -> list[str]:
    """A JSON document for each of a chunk's documents: its text, and its words if it has them."""
    return [Document(document.text, words=document.words).to_json() for document in chunk]


@dataclass(frozen=True, slots=True)
class Answer:
    """What a worker says about a chunk.

    Args:
        documents: For each document, or for those before the one that failed, its layers as JSON, without the text.
        error: The error that stopped it, as :meth:`viner.errors.VinerError.to_dict` tells it, as JSON; "" if none did.
        notes: What the worker has to say for itself, such as a slower graph that it had to fall back to.
    """

    documents: Sequence[str]
    error: str = ""
    notes: Sequence[str] = ()


def answer(packed: Iterable[str], stream: Stream) -> Answer:
    """Recognizes a chunk, on a worker.

    Args:
        packed: The chunk, as :func:`pack` made it.
        stream: The recognizer's.
    """
    documents: list[str] = []
    try:
        for document in stream(Document.from_dict(json.loads(line)) for line in packed):
            layers = document.to_dict()
            del layers["text"]
            documents.append(json.dumps(layers, ensure_ascii=False, separators=(",", ":")))
    except VinerError as error:
        return Answer(documents, json.dumps(error.to_dict()))
    except Exception as error:  # Ray would write its message, which could quote a document, into its logs
        told = VinerError(f"a worker failed: {outline(error)}", hint="This is a defect of viner: please report it")
        return Answer(documents, json.dumps(told.to_dict()))
    return Answer(documents)


def unpack(chunk: Sequence[Document], answer: Answer) -> Iterator[Document]:
    """The documents of a chunk with the answers of a worker.

    Raises:
        VinerError: The worker's, after the documents before the one that failed.
    """
    for document, layers in zip(chunk, answer.documents, strict=False):
        yield _answered(document, json.loads(layers))
    if answer.error:
        raise come_home(json.loads(answer.error))


def _answered(document: Document, layers: Mapping[str, object]) -> Document:
    data = {"text": document.text, "meta": dict(answer_meta(document)), **layers}
    if document.id is not None:
        data["id"] = document.id
    return Document.from_dict(data)
