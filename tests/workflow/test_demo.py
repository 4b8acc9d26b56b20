from __future__ import annotations

from viner.bundle import Origin
from viner.samples import corpus
from viner.workflow import demo


def test_the_card_of_the_demo_can_say_where_its_data_comes_from(tmp_path, monkeypatch):
    calls = []
    monkeypatch.setattr(demo, "train_model", lambda **options: calls.append(options))
    demo.run_demo(tmp_path)
    assert (
        calls[0]["source"]
        == corpus().origin()
        == Origin("Epidemic reports, viner's bundled corpus", license="cc0-1.0", languages=("vi", "en"))
    )
