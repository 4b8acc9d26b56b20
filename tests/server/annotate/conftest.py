"""The annotate API on both databases."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from fastapi.testclient import TestClient
from studios import FakeStudio

from conftest import visit
from support.stores import store, store_url  # noqa: F401
from viner.document import Document
from viner.store import Store

TEXT = "Bệnh nhân 91 ở Hà Nội 😷 gặp Lan."


@pytest.fixture
def filled(make_studio: Callable[..., FakeStudio], store: Store) -> FakeStudio:  # noqa: F811
    """A project of five documents."""
    store.add([Document(TEXT, id=f"d{number}") for number in range(5)], who="import", split="train")
    return make_studio(store)


@pytest.fixture
def client(filled: FakeStudio) -> Iterator[TestClient]:
    with visit(filled) as client:
        yield client
