import pytest

import viner
from support.tiny import tiny_bundle
from viner.bundle import BundleWriter, place, read_bundle
from viner.errors import BundleError


@pytest.fixture
def source(tmp_path_factory):
    return read_bundle(tiny_bundle(tmp_path_factory.mktemp("source") / "model"))


def fill(folder, source):
    for file in source.path.iterdir():
        (folder / file.name).write_bytes(file.read_bytes())


def write(target, source, **options):
    with BundleWriter(target, **options) as bundle_writer:
        fill(bundle_writer.folder, source)
        return bundle_writer.finish(source.info)


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_what_was_written_reads_back(tmp_path, source):
    bundle = write(tmp_path / "models" / "001", source)
    assert names(tmp_path / "models") == ["001"]
    again = read_bundle(bundle.path)
    again.verify()
    assert again.info == bundle.info
    assert again.info.viner == viner.__version__
    assert "README.md" not in again.info.files


def test_an_error_leaves_nothing_behind(tmp_path, source):
    with pytest.raises(ZeroDivisionError), BundleWriter(tmp_path / "model") as bundle_writer:  # noqa: PT012
        fill(bundle_writer.folder, source)
        raise ZeroDivisionError
    assert names(tmp_path) == []


def test_ctrl_c_leaves_nothing_behind(tmp_path):
    with pytest.raises(KeyboardInterrupt), BundleWriter(tmp_path / "model"):
        raise KeyboardInterrupt
    assert names(tmp_path) == []


def test_a_full_disk_says_so_and_leaves_nothing_behind(tmp_path, source):
    with pytest.raises(BundleError, match=r"No space left.*nothing was left behind"), BundleWriter(tmp_path / "model"):
        raise OSError(28, "No space left on device")
    assert names(tmp_path) == []


def test_an_incomplete_folder_never_takes_its_place(tmp_path, source):
    with pytest.raises(BundleError, match=r"model\.onnx is missing"), BundleWriter(tmp_path / "model") as bundle_writer:  # noqa: PT012
        fill(bundle_writer.folder, source)
        (bundle_writer.folder / "model.onnx").unlink()
        bundle_writer.finish(source.info)
    assert names(tmp_path) == []


def test_a_pickle_never_gets_in(tmp_path, source):
    with pytest.raises(BundleError, match="may hold a pickle"), BundleWriter(tmp_path / "model") as bundle_writer:  # noqa: PT012
        fill(bundle_writer.folder, source)
        (bundle_writer.folder / "optimizer.pt").write_bytes(b"")
        bundle_writer.finish(source.info)


def test_a_disk_that_is_full_when_the_weights_are_saved_is_said_to_be(tmp_path):
    numpy, safetensors = pytest.importorskip("safetensors.numpy"), pytest.importorskip("safetensors")
    with pytest.raises(BundleError, match=r"model.*cannot be written.*Free some space") as error:  # noqa: SIM117
        with BundleWriter(tmp_path / "model"):
            numpy.save_file({}, "/no/such/folder/model.safetensors")
    assert isinstance(error.value.__cause__, safetensors.SafetensorError)
    assert names(tmp_path) == []


def test_a_model_is_replaced_only_when_asked(tmp_path, source):
    write(tmp_path / "model", source)
    (tmp_path / "model" / "note.txt").write_text("old")
    with pytest.raises(BundleError, match="a model already"):
        write(tmp_path / "model", source)
    write(tmp_path / "model", source, overwrite=True)
    assert names(tmp_path) == ["model"]
    assert not (tmp_path / "model" / "note.txt").exists()


def test_any_other_folder_is_never_replaced(tmp_path, source):
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "thesis.txt").write_text("mine")
    with pytest.raises(BundleError, match="no model folder"):
        write(tmp_path / "home", source, overwrite=True)
    assert names(tmp_path / "home") == ["thesis.txt"]


def test_the_old_model_stays_when_the_new_one_cannot_be_moved(tmp_path, source, monkeypatch):
    write(tmp_path / "model", source)

    def fail(path):
        if path == tmp_path:
            return
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(place, "flush", fail)
    with pytest.raises(BundleError, match="Input/output error"):
        write(tmp_path / "model", source, overwrite=True)
    assert names(tmp_path) == ["model"]
    read_bundle(tmp_path / "model").verify()
