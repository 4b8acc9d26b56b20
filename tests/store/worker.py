"""A process that writes to a store until it is killed, and says on its output what was acknowledged.

``python worker.py URL DOCUMENT WHO``: every save puts one entity more; ``+ID`` is printed after the store has answered.
"""

from __future__ import annotations

import sys
import uuid

from viner.store import Operation, Put, StaleVersionError, Store, StoredEntity


def main(url: str, name: str, who: str) -> None:
    with Store.open(url) as store:
        document = store.get(name)
        version = document.version
        print("ready", flush=True)
        while True:
            key = uuid.uuid4().hex
            # Any two ends make a span; the label tells them apart, and rejected ones may stand on one place.
            put = Put(StoredEntity(key, 0, 2, "PERSON", "rejected"), document.text[0:2])
            try:
                version = store.save(Operation(uuid.uuid4().hex, name, version, 1, put=(put,)), who=who).version
            except StaleVersionError as error:
                version = error.current.version
            else:
                print(f"+{key}", flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
