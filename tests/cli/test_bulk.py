"""`viner predict` and `viner redact` over files, as a person types them."""

from __future__ import annotations

import json
import os

import pytest

from viner.formats import read as read_documents


@pytest.fixture
def texts(tmp_path, monkeypatch):
    """A folder with a few files in it, which is the current one."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("VINER_REDACT_KEY", raising=False)
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.txt").write_text("Lan ở Huế\n", encoding="utf-8")
    (tmp_path / "in" / "b.jsonl").write_text('{"text": "Minh và Lan", "meta": {"by": "Lan"}}\n{\n', encoding="utf-8")
    (tmp_path / "visits.csv").write_text("note,day\nNam ở Paris,1\n", encoding="utf-8")
    return tmp_path


def read(path):
    return [json.loads(line) for line in path.read_bytes().splitlines()]


def test_bad_lines_are_counted_and_told_and_the_status_is_that_of_a_run_that_was_done(run, tiny_model, texts) -> None:
    status, out, err = run("predict", tiny_model, "in", "--out", "out.jsonl", "--errors", "e.jsonl")
    assert (status, out) == (0, "")
    assert "2 documents, 4 entities written" in err
    assert "skipped 1 lines, of which e.jsonl tells" in err
    assert [(error["file"], error["line"]) for error in read(texts / "e.jsonl")] == [("in/b.jsonl", 2)]
    assert [line["text"] for line in read(texts / "out.jsonl")] == ["Lan ở Huế", "Minh và Lan"]


def test_without_an_errors_file_a_bad_line_ends_the_run(run, tiny_model, texts) -> None:
    status, _, err = run("predict", tiny_model, "in", "--out", "out.jsonl")
    assert status == 1
    assert "in/b.jsonl:2: not JSON" in err
    assert not (texts / "out.jsonl").exists()


def test_where_no_line_is_of_use_the_status_says_so(run, tiny_model, texts) -> None:
    status, _, err = run("predict", tiny_model, "in/a.txt", "--format", "jsonl", "--out", "out.jsonl", "--errors", "e.jsonl")
    assert status == 1
    assert "not one line could be used" in err


def test_the_report_as_json(run, tiny_model, texts) -> None:
    status, out, _ = run("predict", tiny_model, "visits.csv", "--text-column", "note", "--out", "out.jsonl", "--json")
    assert status == 0
    report = json.loads(out)
    assert (report["documents"], report["entities"], report["skipped"], report["resumed"]) == (1, 2, 0, 0)
    assert read(texts / "out.jsonl")[0]["meta"] == {"day": "1"}


def test_tables_come_out_as_tables(run, tiny_model, texts) -> None:
    status, _, err = run("predict", tiny_model, "visits.csv", "--text-column", "note", "--out", "out.csv")
    assert status == 0
    assert "left out 1 ×: the format has no place for words\n" in err
    assert "meta" not in err
    (found,) = read_documents(texts / "out.csv")
    assert found.meta == {"day": "1"}
    assert [(entity.text, entity.label, entity.source) for entity in found.entities] == [
        ("Nam", "PERSON", "model"),
        ("Paris", "LOCATION", "model"),
    ]
    assert run("redact", tiny_model, "visits.csv", "--text-column", "note", "--out", "safe.csv.gz")[0] == 0
    assert [item.text for item in read_documents(texts / "safe.csv.gz")] == ["[PERSON] ở [LOCATION]"]
    assert run("convert", "out.csv", "back.jsonl")[0] == 0
    assert list(read_documents(texts / "back.jsonl")) == [found]
    status, out, _ = run("predict", tiny_model, "in/a.txt", "--to", "csv")
    assert (status, out.splitlines()[1]) == (0, "a:1,Lan ở Huế,2,,,,,,,")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["visits.csv"], "--text-column"),
        (["in", "--workers", "2"], "for --engine ray"),
        (["in", "--json"], "--json reports on stdout"),
        (["in/*.png"], "no file matches this pattern"),
        (["-", "-"], "read only once"),
    ],
)
def test_calls_that_cannot_work_say_what_to_do(run, stdin, tiny_model, texts, options, said) -> None:
    status, out, err = run("predict", tiny_model, *options)
    assert status in (1, 2)
    assert out == ""
    assert said in err


def test_redaction_masks_and_tells(run, tiny_model, texts) -> None:
    status, _, err = run("redact", tiny_model, "in", "--errors", "e.jsonl", "--out", "out.jsonl", "--labels", "PERSON")
    assert status == 0
    assert [(line["text"], line.get("meta")) for line in read(texts / "out.jsonl")] == [
        ("[PERSON] ở Huế", None),
        ("[PERSON] và [PERSON]", None),
    ]
    assert "redacted 3 entities: PERSON 3" in err
    assert "left out of meta, where names may stand: by 1 ×" in err
    assert b"Lan" not in (texts / "out.jsonl").read_bytes()


def test_pseudonyms_of_a_key_are_the_same_in_every_run(run, tiny_model, texts, monkeypatch) -> None:
    (texts / "key.txt").write_text("0123456789abcdef\n")
    command = ["redact", tiny_model, "in/a.txt", "--by", "pseudonym", "--json", "--out"]
    assert run(*command, "one.jsonl", "--key-file", "key.txt")[0] == 0
    monkeypatch.setenv("VINER_REDACT_KEY", "0123456789abcdef")
    _, out, _ = run(*command, "two.jsonl")
    assert json.loads(out)["redacted"] == {"PERSON": 1, "LOCATION": 1}
    monkeypatch.delenv("VINER_REDACT_KEY")
    assert run(*command, "three.jsonl")[0] == 0
    one, two, three = (read(texts / f"{name}.jsonl") for name in ("one", "two", "three"))
    assert one == two != three


@pytest.mark.parametrize(
    ("options", "status", "said"),
    [
        (["--labels", "PERSON,DRUG"], 2, "the model knows no label 'DRUG'"),
        (["--labels", ","], 2, "names no label"),
        (["--key-file", "none.txt", "--by", "pseudonym"], 1, "the key cannot be read"),
        (["--key-file", "in/a.txt", "--by", "pseudonym"], 2, "at least 16 bytes"),
        (["--key-file", "visits.csv"], 2, "a key is for pseudonyms"),
        (["--by", "characters", "--character", "ab"], 2, "one visible character"),
        (["--character", "#"], 2, "--character goes with --by characters only"),
    ],
)
def test_redactions_that_cannot_work_say_what_to_do(run, tiny_model, texts, options, status, said) -> None:
    assert run("redact", tiny_model, "in/a.txt", *options, "--out", "out.jsonl")[::2][0] == status
    assert said in run("redact", tiny_model, "in/a.txt", *options, "--out", "out.jsonl")[2]
    assert not (texts / "out.jsonl").exists()


def test_a_text_that_is_read_as_marked_text_is_told_once(run, tiny_model, texts) -> None:
    for name in ("m.txt", "n.txt"):
        (texts / name).write_text("Lan, see [note](A)\nMinh\n", encoding="utf-8")
    status, out, err = run("predict", tiny_model, "m.txt", "n.txt")
    assert (status, len(out.splitlines()), err.count("has [entities](LABEL) marked in place")) == (0, 2, 1)
    status, out, err = run("predict", tiny_model, "m.txt", "n.txt", "--format", "text")
    assert (status, len(out.splitlines()), err) == (0, 4, "")


def test_a_text_that_is_read_as_columns_is_told(run, tiny_model, texts) -> None:
    (texts / "c.txt").write_text("Lan B-PERSON\nin O\n", encoding="utf-8")
    status, out, err = run("predict", tiny_model, "c.txt")
    assert (status, len(out.splitlines()), err.count("has columns, one of them tags")) == (0, 1, 1)
    (texts / "e.txt").write_text("An E-mail from Lan in Hue.\n", encoding="utf-8")
    status, out, err = run("predict", tiny_model, "e.txt")
    assert (status, json.loads(out)["text"], err) == (0, "An E-mail from Lan in Hue.", "")


def test_what_a_model_leaves_out_is_asked_for_by_a_least_score_and_redacted_anyhow(run, tiny_model, silent_model, texts):
    def entities(model, *options):
        status, out, err = run("predict", model, "in/a.txt", *options)
        assert status == 0, err
        return json.loads(out)["entities"]

    everything = entities(tiny_model)
    scores = sorted(entity["score"] for entity in everything)
    assert len(everything) == 2
    assert entities(silent_model) == []
    assert entities(silent_model, "--least-score", "0") == everything
    assert entities(tiny_model, "--least-score", scores[1]) == [entity for entity in everything if entity["score"] == scores[1]]
    assert run("redact", silent_model, "in/a.txt", "--to", "text")[1] == "[PERSON] ở [LOCATION]\n"
    assert run("redact", silent_model, "in/a.txt", "--to", "text", "--least-score", "1")[1] == "Lan ở Huế\n"
    status, _, err = run("predict", tiny_model, "in/a.txt", "--least-score", "90")
    assert status == 2
    assert "90" in err


def test_an_evaluation_scores_what_is_answered_with_the_least_score(run, silent_model, texts):
    (texts / "gold.conll").write_text("Lan\tB-PERSON\nở\tO\nHuế\tB-LOCATION\n\n", encoding="utf-8")
    for options, found in ((), 0), (("--least-score", "0"), 2):
        status, out, err = run("evaluate", silent_model, "gold.conll", "--json", *options)
        assert status == 0, err
        assert json.loads(out)["micro"]["predicted"] == found
    assert "Scored with all that the model finds." in run("evaluate", silent_model, "gold.conll", "--least-score", "0")[1]
    assert "whose score is below 0.9." in run("evaluate", silent_model, "gold.conll", "--least-score", "0.9")[1]
    status, _, err = run("evaluate", silent_model, "gold.conll", "--against", "gold.conll", "--least-score", "0.9")
    assert status == 2
    assert "--least-score goes with models, and these are answers" in err
    status, out, _ = run("evaluate", silent_model, "gold.conll", "--stress", "lower", "--least-score", "0", "--json")
    assert status == 0
    assert run("evaluate", silent_model, "gold.conll", "--stress", "lower", "--json")[1] != out


def test_a_key_may_be_of_any_bytes(run, tiny_model, texts, monkeypatch) -> None:
    key = b"\xff\xfe0123456789abcdef"
    (texts / "key").write_bytes(key)
    command = ["redact", tiny_model, "in/a.txt", "--by", "pseudonym", "--out"]
    assert run(*command, "one.jsonl", "--key-file", "key")[0] == 0
    monkeypatch.setenv("VINER_REDACT_KEY", os.fsdecode(key))
    assert run(*command, "two.jsonl")[0] == 0
    assert read(texts / "one.jsonl") == read(texts / "two.jsonl")


def test_an_empty_name_is_no_folder(run, tiny_model, texts) -> None:
    for command in (["predict", tiny_model, ""], ["predict", tiny_model, "in", "--out", ""], ["convert", "", "out.jsonl"]):
        status, out, err = run(*command)
        assert (status, out) == (2, "")
        assert "the name is empty" in err


@pytest.mark.parametrize("value", ["False", "no", "0", "a,b"])
def test_an_option_that_is_true_or_false_is_nothing_else(run, tiny_model, texts, value) -> None:
    status, out, err = run("predict", tiny_model, "visits.csv", "--text-column", "1", "--option", f"header={value}")
    assert (status, out) == (2, "")
    assert "header=true or header=false" in err
