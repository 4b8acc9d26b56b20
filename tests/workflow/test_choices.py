from __future__ import annotations

import typing
from dataclasses import dataclass, fields

import pytest

from viner.errors import InputError, UsageError
from viner.training.config import TrainingConfig
from viner.workflow import choices as room
from viner.workflow.choices import choices_toml, kinds, parse_choice, read_choices


def test_every_field_of_a_training_has_a_kind_and_takes_its_default():
    assert list(kinds()) == [item.name for item in fields(TrainingConfig)]
    for item in fields(TrainingConfig):
        assert room.check_choice(item.name, item.default) == item.default


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("learning_rate", "1e-4", 1e-4),
        ("learning_rate", "none", None),
        ("dropout", "0", 0.0),
        ("epochs", " 4 ", 4),
        ("precision", "fp32", "fp32"),
        ("views", "nfc,lower", ("nfc", "lower")),
    ],
)
def test_what_people_type_is_read(name, text, value):
    read = parse_choice(name, text)
    assert (read, type(read)) == (value, type(value))


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("rate", "1", "there is no choice 'rate'"),
        ("epochs", "1.5", "epochs must be a whole number, or none"),
        ("dropout", "much", "dropout must be a number"),
        ("dropout", "none", "dropout must be a number"),
        ("dropout", "nan", "dropout must be a number"),
    ],
)
def test_what_cannot_be_is_refused_with_a_reason(name, text, message):
    with pytest.raises(UsageError, match=message):
        parse_choice(name, text)


def test_fields_that_are_new_need_no_code(monkeypatch):
    @dataclass(frozen=True, kw_only=True)
    class Later:
        crf: bool = False
        pooling: typing.Literal["first", "mean"] = "first"
        layers: int | None = None

    monkeypatch.setattr(room, "TrainingConfig", Later)
    room.kinds.cache_clear()
    try:
        assert parse_choice("crf", "true") is True
        assert parse_choice("pooling", "mean") == "mean"
        assert parse_choice("layers", "none") is None
        with pytest.raises(UsageError, match="pooling must be first or mean"):
            parse_choice("pooling", "last")
        with pytest.raises(UsageError, match="crf must be true or false"):
            parse_choice("crf", "1")
    finally:
        room.kinds.cache_clear()


def test_a_file_gives_back_what_was_written(tmp_path):
    chosen = {
        "learning_rate": 3.14e-05,
        "epochs": 4,
        "views": ("nfc",),
        "precision": "fp32",
        "batch_pieces": None,
        "warmup": 0.0,
    }
    (tmp_path / "best.toml").write_text(choices_toml(chosen, "Two\nlines"), encoding="utf-8")
    del chosen["batch_pieces"]
    assert read_choices(tmp_path / "best.toml") == chosen
    (tmp_path / "whole.toml").write_text("weight_decay = 0\n", encoding="utf-8")
    assert type(read_choices(tmp_path / "whole.toml")["weight_decay"]) is float


@pytest.mark.parametrize(
    "content", ["droput = 0.2", "dropout = true", "dropout = '0.2'", "[dropout]\nx = 1", "epochs = 1.0", "dropout = 1.5"]
)
def test_a_file_with_what_is_no_choice_is_refused_by_its_name(tmp_path, content):
    file = tmp_path / "c.toml"
    file.write_text(content, encoding="utf-8")
    with pytest.raises(UsageError) as caught:
        read_choices(file)
    assert caught.value.where == str(file)


def test_a_file_that_is_no_toml_or_not_there_is_an_error(tmp_path):
    (tmp_path / "c.toml").write_text("{}", encoding="utf-8")
    for name in ("c.toml", "no.toml"):
        with pytest.raises(InputError, match="cannot be read"):
            read_choices(tmp_path / name)
