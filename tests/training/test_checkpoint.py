import errno

import pytest
import torch

from viner.errors import TrainingError
from viner.training.checkpoint import CHECKPOINT, REFIT, TrainingFolder

STATE = {"fingerprint": "a", "weights": torch.arange(5)}


def test_a_second_training_in_one_folder_is_told_and_the_first_unharmed(tmp_path):
    with TrainingFolder(tmp_path / "t") as first:
        first.save(STATE)
        with pytest.raises(TrainingError, match="another training writes here") as caught, TrainingFolder(tmp_path / "t"):
            pass
        assert caught.value.where == str(tmp_path / "t")
        assert "--out" in caught.value.hint
        first.save({**STATE, "weights": torch.arange(9)})
        assert len(first.load("a")["weights"]) == 9
    with TrainingFolder(tmp_path / "t") as later:
        assert later.load("a") is not None


@pytest.mark.parametrize(
    "error", [OSError(errno.ENOSPC, "No space left on device"), RuntimeError("PytorchStreamWriter failed")]
)
def test_a_full_disk_keeps_the_checkpoint_before(tmp_path, monkeypatch, error):
    def full(state, file):
        file.write(b"half")
        raise error

    with TrainingFolder(tmp_path / "t") as folder:
        folder.save(STATE)
        monkeypatch.setattr(torch, "save", full)
        with pytest.raises(TrainingError, match="checkpoint cannot be written") as caught:
            folder.save({**STATE, "fingerprint": "b"})
        assert "disk space" in caught.value.hint
        monkeypatch.undo()
        assert torch.equal(folder.load("a")["weights"], STATE["weights"])
        assert sorted(path.name for path in folder.path.iterdir() if path.name != "lock") == ["checkpoint.pt"]


@pytest.mark.parametrize("stop", [KeyboardInterrupt, SystemExit])
def test_who_stops_a_training_while_it_writes_a_checkpoint_has_stopped_it(tmp_path, monkeypatch, stop):
    """PyTorch's writer fails when it cleans up then, which was told as a full disk."""
    state = {"fingerprint": "f", "weights": torch.ones(1000), "more": [torch.ones(10)] * 3}
    save, covered = torch.save, []

    def stopped_at(call):
        def saved(state, file):
            write, calls = file.write, iter(range(1000))

            class Writer:
                def __getattr__(self, name):
                    return getattr(file, name)

                def write(self, part):
                    if next(calls) == call:
                        raise stop
                    return write(part)

            try:
                save(state, Writer())
            except BaseException as error:
                covered.append(type(error))
                raise

        return saved

    with TrainingFolder(tmp_path / "t") as folder:
        folder.save({**state, "step": 0})
        for call in range(12):
            monkeypatch.setattr(torch, "save", stopped_at(call))
            with pytest.raises(stop):
                folder.save({**state, "step": 1})
            assert folder.load("f")["step"] == 0
            assert {path.name for path in folder.path.iterdir()} == {"lock", CHECKPOINT}
    assert {RuntimeError, stop} == set(covered)


def test_only_a_checkpoint_of_this_training_is_loaded(tmp_path):
    with TrainingFolder(tmp_path / "t") as folder:
        assert folder.load("a") is None
        folder.save(STATE)
        assert folder.load("b") is None
        assert folder.load("a") is not None


class Payload:
    def __reduce__(self):
        return print, ("run",)


def test_a_checkpoint_of_another_training_is_kept_aside_and_found_again(tmp_path):
    """As when somebody starts an interrupted training with one choice changed, and then as it was."""
    with TrainingFolder(tmp_path / "t") as folder:
        folder.save({**STATE, "fingerprint": "long"})
    with TrainingFolder(tmp_path / "t") as folder:
        assert folder.load("changed") is None
        assert folder.has_other()
        folder.discard()  # what collapsed before its first epoch takes nothing of another along
        for epoch in range(2):
            folder.save({"fingerprint": "changed", "epoch": epoch})
        assert not folder.has_other()
        assert folder.load("changed")["epoch"] == 1
    with TrainingFolder(tmp_path / "t") as folder:
        assert torch.equal(folder.load("long")["weights"], STATE["weights"])
        folder.save({**STATE, "fingerprint": "long", "epoch": 9})
        assert folder.load("long")["epoch"] == 9
        assert folder.load("changed")["epoch"] == 1
        folder.remove()
    assert not (tmp_path / "t").exists()


def test_a_checkpoint_that_would_run_code_or_is_damaged_is_refused(tmp_path, capsys):
    with TrainingFolder(tmp_path / "t") as folder:
        torch.save({"fingerprint": "a", "x": Payload()}, folder.path / "checkpoint.pt")
        with pytest.raises(TrainingError, match="cannot be read"):
            folder.load("a")
        (folder.path / "checkpoint.pt").write_bytes(b"PK damaged")
        with pytest.raises(TrainingError, match="cannot be read"):
            folder.load("a")
    assert capsys.readouterr().out == ""


def test_the_folder_is_removed_when_the_model_stands(tmp_path):
    with TrainingFolder(tmp_path / "t") as folder:
        folder.save(STATE)
        folder.remove()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["train.conll", "data", "checkpoints", "adapted-notes"])
def test_a_folder_of_somebody_else_is_refused_and_left_as_it_is(tmp_path, name):
    mine = tmp_path / "t" / name
    mine.mkdir(parents=True)
    with pytest.raises(TrainingError, match="holds something else") as caught, TrainingFolder(tmp_path / "t"):
        pass
    assert caught.value.where == str(tmp_path / "t")
    assert "--out" in caught.value.hint
    assert list((tmp_path / "t").iterdir()) == [mine]


@pytest.mark.parametrize("finished", [True, False])
def test_what_others_put_there_stays_and_what_the_training_wrote_does_not(tmp_path, finished):
    with TrainingFolder(tmp_path / "t") as folder:
        folder.log.write_text("{}", encoding="utf-8")
        (folder.path / "notes.txt").write_text("mine", encoding="utf-8")
        (folder.path / "adapted-notes").mkdir()
        folder.remove_adapted()
        if finished:
            folder.save(STATE)
            folder.save(STATE, REFIT)
            folder.adapted("0123456789abcdef").mkdir()
            folder.remove()
    assert {path.name for path in (tmp_path / "t").iterdir()} == {"notes.txt", "adapted-notes"}


def test_a_training_that_is_over_deletes_nothing_of_the_next_one(tmp_path):
    with TrainingFolder(tmp_path / "t") as folder:
        folder.remove()
        with TrainingFolder(tmp_path / "t") as second:
            second.save(STATE, REFIT)
            folder.remove()
            folder.__exit__(None, None, None)
            assert second.load("a", REFIT) is not None
