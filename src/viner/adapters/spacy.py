"""A spaCy component: ``nlp.add_pipe("viner", config={"model": "models/003"})``, and a tokenizer that cuts text as viner does.

spaCy finds both by entry points, so nobody has to import this module.
"""

# spaCy reads the annotations of factories when it registers them, so they must not be postponed.
import json
import logging
import os
import shutil
import tempfile
import threading
import weakref
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, Literal

from viner.bundle import find_bundle, read_bundle
from viner.bundle.bundle import INFO
from viner.bundle.info import file_name
from viner.bundle.place import draft_beside, settle
from viner.document import Document, Entity
from viner.encoding import check_least_score
from viner.errors import InputError, MissingExtraError
from viner.paths import expanded
from viner.project.toml import write_text
from viner.rules import RecognitionRules, RuledRecognizer, with_rules
from viner.runtime import Recognizer
from viner.text import split_words

try:
    import srsly
    from spacy import registry
    from spacy.language import Language
    from spacy.scorer import get_ner_prf
    from spacy.tokens import Doc, Span
    from spacy.training import Example
    from spacy.util import DummyTokenizer, filter_spans
    from spacy.vocab import Vocab
except ImportError:
    raise MissingExtraError("the spaCy component", "spacy") from None

MODEL, RULES = "model", "rules.json"
"""What a pipeline on disk has in the folder of the component."""
Alignment = Literal["strict", "contract", "expand"]

_DEFAULTS = {"rules": None, "least_score": None, "alignment_mode": "strict", "spans_key": "viner", "overwrite_ents": True}
_SCORE_WEIGHTS = {"ents_f": 1.0, "ents_p": 0.0, "ents_r": 0.0, "ents_per_type": None}
_log = logging.getLogger("viner")

for kind, names in ((Doc, ("viner_entities",)), (Span, ("viner_score", "viner_source"))):
    for extension in names:
        if not kind.has_extension(extension):
            kind.set_extension(extension, default=None)


class VinerComponent:
    """Recognizes entities in spaCy's documents.

    It sets three things. ``doc._.viner_entities`` is the exact answer: a list of dicts as in viner's JSON, offsets being code
    points of ``doc.text``. ``doc.spans[spans_key]`` has those that can be said in spaCy's tokens, each span with
    ``span._.viner_score`` (in [0, 1]; None for an entity of a rule) and ``span._.viner_source``. ``doc.ents`` has those of them
    that do not overlap: the longest first, as everywhere in spaCy.

    What the model sees is the text and its own words, never spaCy's tokens, so the answer is that of :func:`viner.load`.

    Args:
        vocab: The pipeline's.
        model: A model folder, a project or a Hub id. It is loaded when it is first needed, once a process.
        name: Name of the component in its pipeline.
        rules: A TOML file with ``[rules]``; None takes those of a project, False none.
        least_score: Entities of the model with a lower score are left out, see :func:`viner.load`; None leaves that to the
            model.
        alignment_mode: What becomes of an entity that begins or ends within a token: "strict" leaves it out, "contract" takes
            the tokens within it, "expand" the tokens that it touches. Only the first keeps all offsets exact.
        spans_key: The key in ``doc.spans``.
        overwrite_ents: Whether entities that are in ``doc.ents`` before give way; else they stay, and what overlaps them is
            left out.

    Raises:
        BundleError: If the folder is there and is no whole model folder.
        UsageError: If the least score is not in [0, 1].
    """

    def __init__(
        self,
        vocab: Vocab,
        model: str,
        *,
        name: str = "viner",
        rules: str | Literal[False] | None = None,
        least_score: float | None = None,
        alignment_mode: Alignment = "strict",
        spans_key: str = "viner",
        overwrite_ents: bool = True,
    ) -> None:
        check_least_score(least_score)
        self.vocab = vocab
        self.name = name
        self._model: str | Path = model
        self._rules: str | Literal[False] | RecognitionRules | None = rules
        self._least_score = least_score
        self._alignment = alignment_mode
        self._key = spans_key
        self._overwrite = overwrite_ents
        self._loaded: tuple[int, Recognizer | RuledRecognizer[Recognizer]] | None = None
        self._unpacked: _Unpacked | None = None
        self._lock = threading.Lock()
        self._told = False
        if expanded(model).exists():  # a pipeline from disk brings its model along, and its old path may be gone
            find_bundle(model, weights=False)

    @property
    def recognizer(self) -> Recognizer | RuledRecognizer[Recognizer]:
        """The recognizer, loaded now if need be; a process that was forked loads one of its own."""
        with self._lock:
            if self._loaded is None or self._loaded[0] != os.getpid():
                _of_other_processes.append(self._loaded)
                self._loaded = os.getpid(), self._load()
            return self._loaded[1]

    @property
    def labels(self) -> tuple[str, ...]:
        """The labels of the entities; empty while the model is not on this machine, for spaCy asks before it is needed."""
        if self._loaded is None and not expanded(self._model).exists():
            return ()
        return self.recognizer.labels

    def __call__(self, doc: Doc) -> Doc:
        """Recognizes one document."""
        return next(self.pipe([doc]))

    def pipe(self, stream: Iterable[Doc], *, batch_size: int | None = None) -> Iterator[Doc]:
        """Recognizes many documents, in order and constant memory. Batches are as large as the processor likes them.

        Args:
            stream: The documents.
            batch_size: spaCy's; viner cuts batches by their pieces.
        """
        waiting: deque[Doc] = deque()

        def texts() -> Iterator[Document]:
            for doc in stream:
                waiting.append(doc)
                yield Document(doc.text)

        for answer in self.recognizer.stream(texts()):
            doc = waiting.popleft()
            self._annotate(doc, answer)
            yield doc

    def score(self, examples: Iterable[Example], **options: Any) -> dict[str, Any]:
        """Precision, recall and F1 of ``doc.ents``, as spaCy's own ``ner`` reports them."""
        return get_ner_prf(examples, **options)

    def to_disk(self, path: str | Path, *, exclude: Iterable[str] = ()) -> None:
        """Writes model and rules, so that the pipeline can be moved: what recognition reads, without the weights.

        Raises:
            InputError: If the folder holds another folder "model" already.
        """
        folder = Path(path)
        target, file = folder / MODEL, folder / RULES
        if target.exists() and not (target / INFO).is_file():
            raise InputError("it is no model of viner's, and would be replaced", where=target, hint="Choose another folder")
        bundle = find_bundle(self._model, weights=False)
        recognizer = self.recognizer
        with draft_beside(target) as draft:
            for name in bundle.needed:
                shutil.copyfile(bundle.path / name, draft / name)
            settle(draft, target)
        if isinstance(recognizer, RuledRecognizer):
            write_text(file, json.dumps(recognizer.rules.to_dict(), ensure_ascii=False))
        else:
            file.unlink(missing_ok=True)

    def from_disk(self, path: str | Path, *, exclude: Iterable[str] = ()) -> "VinerComponent":
        """Takes model and rules that :meth:`to_disk` wrote in the place of those that the config names."""
        self._take(Path(path))
        self._forget()
        return self

    def _take(self, folder: Path) -> None:
        self._model = read_bundle(folder / MODEL, weights=False).path
        file = folder / RULES
        self._rules = RecognitionRules.from_dict(json.loads(file.read_text("utf-8")), file) if file.is_file() else False
        self._loaded = None

    def _forget(self) -> None:
        """Removes what was unpacked for the model before."""
        if self._unpacked is not None:
            self._unpacked.remove()
        self._unpacked = None

    def to_bytes(self, *, exclude: Iterable[str] = ()) -> bytes:
        """Model and rules as bytes, as :meth:`to_disk` writes them: as large as the model's graph."""
        with tempfile.TemporaryDirectory() as temporary:
            folder = Path(temporary) / "viner"
            self.to_disk(folder)
            return _bytes_of(folder)

    def from_bytes(self, data: bytes, *, exclude: Iterable[str] = ()) -> "VinerComponent":
        """Takes what :meth:`to_bytes` gave. The model lies in a temporary folder as long as the component lives.

        Raises:
            InputError: If it is nothing that :meth:`to_bytes` gave.
            BundleError: If the model in it is none.
        """
        unpacked = _Unpacked(data)
        self._take(unpacked.folder)
        self._forget()
        self._unpacked = unpacked
        return self

    def __getstate__(self) -> dict[str, Any]:
        """What a copy, or another process, gets: where the model lies; the model itself where that is a temporary folder."""
        state = {key: value for key, value in self.__dict__.items() if key not in ("_loaded", "_lock", "_unpacked")}
        return state if self._unpacked is None else {**state, "_bytes": _bytes_of(self._unpacked.folder)}

    def __setstate__(self, state: dict[str, Any]) -> None:
        data = state.pop("_bytes", None)
        self.__dict__.update(state, _loaded=None, _lock=threading.Lock(), _unpacked=None)
        if data is not None:
            self.from_bytes(data)

    def _load(self) -> Recognizer | RuledRecognizer[Recognizer]:
        recognizer = Recognizer.load(self._model).with_least_score(self._least_score)
        if isinstance(self._rules, RecognitionRules):
            return RuledRecognizer(recognizer, self._rules)
        return with_rules(recognizer, self._model, self._rules)

    def _annotate(self, doc: Doc, answer: Document) -> None:
        entities = answer.entities or ()
        doc._.viner_entities = [entity.to_dict(surface=True) for entity in entities]
        found = [(entity, span) for entity in entities if (span := self._span(doc, entity)) is not None]
        # spaCy keeps one value for a place, whatever the label: where several entities end up at one, the surest is told.
        for entity, span in sorted(found, key=_sureness):
            span._.viner_score, span._.viner_source = entity.score, entity.source
        spans = [span for _, span in found]
        if len(spans) < len(entities):
            self._tell_once()
        doc.spans[self._key] = spans
        if self._overwrite:
            chosen = filter_spans(spans)
            doc.ents = (*chosen, *_beside(chosen, doc.ents))
        else:
            doc.ents = (*doc.ents, *filter_spans(_beside(doc.ents, spans)))

    def _span(self, doc: Doc, entity: Entity) -> Span | None:
        return doc.char_span(entity.start, entity.end, label=entity.label, alignment_mode=self._alignment)

    def _tell_once(self) -> None:
        if not self._told:
            self._told = True
            _log.warning(
                "%s: entities that begin or end within a token of spaCy are left out of doc.ents and doc.spans;"
                " doc._.viner_entities has them. alignment_mode, or the tokenizer viner.Words.v1, changes that",
                self.name,
            )


def _beside(taken: Iterable[Span], spans: Iterable[Span]) -> list[Span]:
    """Those spans that overlap none of others."""
    tokens = {token for span in taken for token in range(span.start, span.end)}
    return [span for span in spans if tokens.isdisjoint(range(span.start, span.end))]


def _sureness(found: tuple[Entity, Span]) -> tuple[bool, float]:
    """Whether an entity's offsets are those of its span, and its score; somebody decided one that has none."""
    entity, span = found
    exact = (entity.start, entity.end) == (span.start_char, span.end_char)
    return exact, 1.0 if entity.score is None else entity.score


class _Unpacked:
    """What :meth:`VinerComponent.to_bytes` gave, as files in a temporary folder that lives as long as this does.

    Raises:
        InputError: If the bytes are something else. Nothing is written then: a name in them may lead anywhere.
    """

    def __init__(self, data: bytes) -> None:
        try:
            files = dict(srsly.msgpack_loads(data))
            if f"{MODEL}/{INFO}" not in files:
                raise ValueError("there is no model in them")
            for name, content in files.items():
                if not isinstance(content, bytes):
                    raise TypeError(f"{name!r} is no file")
                if name != RULES and not file_name(name).startswith(f"{MODEL}/"):
                    raise ValueError(f"{name!r} is no file of a component")
        except Exception as error:  # msgpack has several of its own, and the bytes may be those of anything
            raise InputError(
                f"these bytes are no component of viner's ({error})", hint="Take those that to_bytes() gave"
            ) from None
        self.folder = Path(tempfile.mkdtemp(prefix="viner-"))
        self.remove = weakref.finalize(self, _remove, self.folder, os.getpid())
        for name, content in files.items():
            file = self.folder / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(content)


def _bytes_of(folder: Path) -> bytes:
    files = {file.relative_to(folder).as_posix(): file.read_bytes() for file in folder.rglob("*") if file.is_file()}
    return bytes(srsly.msgpack_dumps(files))


def _remove(folder: Path, owner: int) -> None:
    if os.getpid() == owner:  # a forked process has only borrowed it
        shutil.rmtree(folder, ignore_errors=True)


_of_other_processes: list[Any] = []
"""What a forked process found loaded: its threads are not here, so it can neither be used nor be taken down."""


@Language.factory(
    "viner",
    assigns=["doc.ents", "doc.spans", "token.ent_iob", "token.ent_type"],
    default_config=_DEFAULTS,
    default_score_weights=_SCORE_WEIGHTS,
)
def make_component(
    nlp: Language,
    name: str,
    model: str,
    rules: str | Literal[False] | None,
    least_score: float | None,
    alignment_mode: Alignment,
    spans_key: str,
    overwrite_ents: bool,
) -> VinerComponent:
    """Makes the component of a pipeline; see :class:`VinerComponent` for its config."""
    return VinerComponent(
        nlp.vocab,
        model,
        name=name,
        rules=rules,
        least_score=least_score,
        alignment_mode=alignment_mode,
        spans_key=spans_key,
        overwrite_ents=overwrite_ents,
    )


class WordTokenizer(DummyTokenizer):
    """A tokenizer whose tokens are viner's words, so that every entity of a model can be said in them.

    White space other than a single space between two words is a token of its own, as with spaCy's tokenizers, so that
    ``doc.text`` is the text.
    """

    def __init__(self, vocab: Vocab) -> None:
        self.vocab = vocab

    def __call__(self, text: str) -> Doc:
        """Cuts a text into words."""
        words: list[str] = []
        spaces: list[bool] = []
        last = 0
        for start, end in (*split_words(text), (len(text), len(text))):
            gap = text[last:start]
            if words and gap.startswith(" "):
                spaces[-1] = True
                gap = gap[1:]
            for token in (gap, text[start:end]):
                if token:
                    words.append(token)
                    spaces.append(False)
            last = end
        return Doc(self.vocab, words=words, spaces=spaces)


@registry.tokenizers("viner.Words.v1")
def make_tokenizer() -> Callable[[Language], WordTokenizer]:
    """Makes the tokenizer of a pipeline: ``{"nlp": {"tokenizer": {"@tokenizers": "viner.Words.v1"}}}``."""
    return lambda nlp: WordTokenizer(nlp.vocab)
