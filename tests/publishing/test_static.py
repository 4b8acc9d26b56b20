"""The folder of a static page: its files, what it says, and what is refused."""

from __future__ import annotations

import gzip
import hashlib
import html
import json
import re
import shutil
import socket
import threading
from pathlib import Path

import pytest

from support.static_pages import hosted, pretend_archive
from support.tiny import tiny_bundle, tiny_cascade
from viner.bundle import read_bundle
from viner.cli import main
from viner.errors import VinerError
from viner.publishing import static
from viner.publishing.npm import Package, read_package

SCRIPT = b"export const env = {};\n//# sourceMappingURL=ort.mjs.map\n"
ODD = 'A | "title" & <script>alert(1)</script> {{published}} `x` 😷\n---\nsdk: docker\x80 \udc80'
ONE_LINE = 'A | "title" & <script>alert(1)</script> {{published}} `x` 😷 --- sdk: docker'


@pytest.fixture
def runtime(tmp_path, monkeypatch) -> Path:
    """A small archive in the place of ONNX Runtime's."""
    contents = {"dist/ort.wasm.bundle.min.mjs": SCRIPT, "dist/ort-wasm-simd-threaded.wasm": b"\0asm"}
    (tmp_path / "npm").mkdir()
    package, path = pretend_archive(tmp_path / "npm", contents)
    monkeypatch.setattr(static, "RUNTIME", package)
    return path


def published_in(folder: Path) -> dict:
    page = (folder / "index.html").read_text(encoding="utf-8")
    return json.loads(re.search(r'<script type="application/json" id="published">(.*?)</script>', page, re.DOTALL)[1])


def unpacked(folder: Path, file: dict) -> bytes:
    content = (folder / file["path"]).read_bytes()
    assert len(content) == file["bytes"]
    assert hashlib.sha256(content).hexdigest() == file["sha256"]
    return gzip.decompress(content) if file["packed"] else content


def test_a_page_scores_as_the_model_is_calibrated_and_leaves_out_what_it_leaves_out(tiny_model, runtime, tmp_path):
    folder = shutil.copytree(tiny_model, tmp_path / "model")
    calibration = {"slope": 0.5, "intercept": 0.25}
    content = json.loads((folder / "viner.json").read_text(encoding="utf-8"))
    (folder / "viner.json").write_text(
        json.dumps(content | {"calibration": calibration, "least_estimate": 0.25}), encoding="utf-8"
    )
    page = static.publish_page(folder, out=tmp_path / "page", runtime=runtime).folder
    rules = json.loads(unpacked(page, published_in(page)["files"]["rules"]))
    assert (rules["calibration"], rules["least_estimate"]) == (calibration, 0.25)


def test_a_page_of_a_cascade_carries_its_float32_graph(runtime, tmp_path):
    done = static.publish_page(tiny_cascade(tmp_path / "model"), out=tmp_path / "page", runtime=runtime)
    assert (done.engine, done.halved) == ("fp32", True)
    small = static.publish_page(tmp_path / "model", out=tmp_path / "small", runtime=runtime, engine="int8")
    files = published_in(small.folder)["files"]
    assert unpacked(small.folder, files["graph"]) == (tmp_path / "model" / "model.onnx").read_bytes()


def test_the_folder_holds_all_that_the_page_names(tiny_model, runtime, tmp_path):
    done = static.publish_page(tiny_model, out=tmp_path / "page", runtime=runtime)
    folder = done.folder
    published = published_in(folder)
    files = {name: unpacked(folder, file) for name, file in published["files"].items()}
    assert files["graph"] == (tiny_model / "model.onnx").read_bytes()
    assert files["runtime"] == b"\0asm"
    rules = json.loads(files["rules"])
    assert rules["labels"] == ["PERSON", "LOCATION"]
    assert (rules["calibration"], rules["least_estimate"]) == (None, 0)
    assert [text for text, _ in rules["texts"]] == [item.text for item in read_bundle(tiny_model).canaries().documents]
    assert rules["sample"] == {"text": "Lan ở Hà Nội.", "entities": [[0, 3, "PERSON"], [6, 12, "LOCATION"]]}
    assert published["bytes"] == sum(file["bytes"] for file in published["files"].values())
    page = (folder / "index.html").read_text(encoding="utf-8")
    named = re.findall(r'(?:src|href)="(?!data:)([^"]+)"', page)
    assert named
    assert all((folder / name).is_file() for name in named)
    modules = {path.name: path.read_text(encoding="utf-8") for path in folder.glob("code-*/*.js")}
    for source in modules.values():
        assert set(re.findall(r'from "\./([^"]+)"', source)) <= set(modules)
    assert modules["ort.js"] == "export const env = {};\n"
    assert done.files == {
        path.relative_to(folder).as_posix(): path.stat().st_size
        for path in folder.rglob("*")
        if path.is_file() and path.name != ".viner-publish.json"
    }
    fetched = [path for path in folder.rglob("*") if path.parent != folder and path.is_file()]
    assert done.download == sum(path.stat().st_size for path in [*fetched, folder / "index.html"])


def test_nothing_of_it_names_another_origin(tiny_model, runtime, tmp_path):
    folder = static.publish_page(tiny_model, out=tmp_path / "page", runtime=runtime).folder
    policy = re.search(r'Content-Security-Policy" content="([^"]+)"', (folder / "index.html").read_text(encoding="utf-8"))[1]
    rules = dict(rule.strip().split(" ", 1) for rule in policy.split(";"))
    assert rules["default-src"] == "'none'"
    assert rules["connect-src"] == "'self'"
    assert not re.search(r"https?:|\*|unsafe-inline|'unsafe-eval'", policy)
    for path in [folder / "index.html", *folder.glob("code-*/*")]:
        if path.name != "ort.js":
            assert not re.search(r"https?://|innerHTML|insertAdjacentHTML|document\.write", path.read_text(encoding="utf-8")), (
                path.name
            )


def test_the_same_model_gives_the_same_files(tiny_model, runtime, tmp_path):
    one, other = (static.publish_page(tiny_model, out=tmp_path / name, runtime=runtime).folder for name in "ab")
    names = sorted(path.relative_to(one) for path in one.rglob("*") if path.is_file())
    assert names == sorted(path.relative_to(other) for path in other.rglob("*") if path.is_file())
    assert all((one / name).read_bytes() == (other / name).read_bytes() for name in names)


def test_odd_titles_and_labels_stay_text(tiny_model, runtime, tmp_path):
    model = shutil.copytree(tiny_model, tmp_path / "model")
    config = (model / "viner.json").read_text(encoding="utf-8").replace("PERSON", '</script><b>|`\\" 😷')
    (model / "viner.json").write_text(config.replace('\\" 😷', '\\\\\\" 😷'), encoding="utf-8")
    info = json.loads((model / "viner.json").read_text(encoding="utf-8"))
    label = info["schema"]["layers"][0]["types"][0]["name"]
    settings = json.loads((model / "config.json").read_text(encoding="utf-8"))
    settings["id2label"] = dict(enumerate(info["heads"][0]["tags"]))
    settings["label2id"] = {tag: index for index, tag in settings["id2label"].items()}
    (model / "config.json").write_text(json.dumps(settings), encoding="utf-8")
    info["files"]["config.json"]["bytes"] = (model / "config.json").stat().st_size
    (model / "viner.json").write_text(json.dumps(info), encoding="utf-8")
    folder = static.publish_page(model, out=tmp_path / "page", runtime=runtime, name=ODD).folder
    page = (folder / "index.html").read_text(encoding="utf-8")
    assert f"<title>{html.escape(ONE_LINE)}</title>" in page
    assert "<script>alert" not in page
    published = published_in(folder)
    assert published["title"] == ONE_LINE
    assert published["types"][0]["name"] == label
    import yaml

    _, front, body = (folder / "README.md").read_text(encoding="utf-8").split("---\n", 2)
    matter = yaml.safe_load(front)
    assert matter["title"] == ONE_LINE
    assert matter["sdk"] == "static"
    assert "<script>" not in body


def test_a_title_without_anything_to_read_is_refused(tiny_model, runtime, tmp_path):
    with pytest.raises(VinerError, match="the title is empty"):
        static.publish_page(tiny_model, out=tmp_path / "page", runtime=runtime, name=" \n")
    assert not (tmp_path / "page").exists()


def test_own_examples_and_none(tiny_model, runtime, tmp_path):
    (tmp_path / "texts.txt").write_text("Lan ở Huế\nMinh <b>đi</b> Paris\n", encoding="utf-8")
    done = static.publish_page(tiny_model, out=tmp_path / "page", runtime=runtime, examples=tmp_path / "texts.txt")
    assert [item["text"] for item in published_in(done.folder)["examples"]] == ["Lan ở Huế", "Minh <b>đi</b> Paris"]


def test_a_model_too_large_for_a_browser_is_refused_before_anything_is_fetched(tiny_model, tmp_path, monkeypatch):
    monkeypatch.setattr(static, "LIMIT", 1000)
    monkeypatch.setattr(static, "read_package", lambda *_, **__: pytest.fail("it was fetched"))
    with pytest.raises(VinerError, match="a browser holds graphs of up to") as caught:
        static.publish_page(tiny_model, out=tmp_path / "page")
    assert "viner publish space" in caught.value.hint
    assert not (tmp_path / "page").exists()


def test_a_folder_of_somebody_else_is_never_replaced(tiny_model, runtime, tmp_path):
    (tmp_path / "page").mkdir()
    (tmp_path / "page" / "thesis.txt").write_text("mine", encoding="utf-8")
    for force in (False, True):
        with pytest.raises(VinerError):
            static.publish_page(tiny_model, out=tmp_path / "page", runtime=runtime, force=force)
    assert [path.name for path in (tmp_path / "page").iterdir()] == ["thesis.txt"]


def test_another_archive_is_refused_and_the_old_page_stays(tiny_model, runtime, tmp_path):
    folder = static.publish_page(tiny_model, out=tmp_path / "page", runtime=runtime).folder
    (tmp_path / "other.tgz").write_bytes(b"something else")
    for archive, said in ((tmp_path / "other.tgz", "not the archive"), (tmp_path / "none.tgz", "cannot be read")):
        with pytest.raises(VinerError, match=said):
            static.publish_page(tiny_model, out=folder, runtime=archive, force=True)
    assert (folder / "index.html").is_file()
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".page")] == []


class TestRegistry:
    """Fetching from the registry, which is a local server here."""

    @pytest.fixture
    def package(self, tmp_path, monkeypatch) -> Package:
        folder = tmp_path / "registry" / "onnxruntime-web" / "-"
        folder.mkdir(parents=True)
        package, _ = pretend_archive(folder, {"dist/a.js": b"a" * 100_000})
        monkeypatch.setenv("VINER_HOME", str(tmp_path / "home"))
        return package

    def test_it_is_fetched_once_and_kept(self, package, tmp_path, monkeypatch):
        announced = []
        with hosted(tmp_path / "registry") as address:
            monkeypatch.setenv("NPM_CONFIG_REGISTRY", address)
            assert read_package(package, {"dist/a.js": "b.js"}, fetching=announced.append) == {"b.js": b"a" * 100_000}
        assert read_package(package, {"dist/a.js": "b.js"}, fetching=announced.append)
        assert announced == [package]

    @pytest.mark.parametrize("damage", [lambda content: content[:-5], lambda content: content + b"x", lambda content: b""])
    def test_what_came_in_part_or_changed_is_not_kept(self, package, tmp_path, monkeypatch, damage):
        archive = tmp_path / "registry" / "onnxruntime-web" / "-" / package.archive
        whole = archive.read_bytes()
        archive.write_bytes(damage(whole))
        with hosted(tmp_path / "registry") as address:
            monkeypatch.setenv("NPM_CONFIG_REGISTRY", address)
            with pytest.raises(VinerError, match="is not the archive of onnxruntime-web"):
                read_package(package, {})
            assert list((tmp_path / "home" / "npm").iterdir()) == []
            archive.write_bytes(whole)
            assert read_package(package, {}) == {}

    def test_no_network_says_what_to_do(self, package, monkeypatch):
        monkeypatch.setenv("NPM_CONFIG_REGISTRY", "http://127.0.0.1:9")
        with pytest.raises(VinerError, match="cannot be fetched") as caught:
            read_package(package, {})
        assert "npm pack onnxruntime-web@0.0.1" in caught.value.hint
        assert "--runtime" in caught.value.hint

    def test_a_missing_package_says_so(self, package, tmp_path, monkeypatch):
        (tmp_path / "empty").mkdir()
        with hosted(tmp_path / "empty") as address:
            monkeypatch.setenv("NPM_CONFIG_REGISTRY", address)
            with pytest.raises(VinerError, match="cannot be fetched"):
                read_package(package, {})

    def test_a_file_that_the_archive_lacks_is_named(self, package, tmp_path, monkeypatch):
        with hosted(tmp_path / "registry") as address:
            monkeypatch.setenv("NPM_CONFIG_REGISTRY", address)
            with pytest.raises(VinerError, match=r"dist/none\.js"):
                read_package(package, {"dist/none.js": "x"})


def test_the_command_says_where_it_is_and_how_to_look(tiny_model, runtime, tmp_path, capsys):
    target = tmp_path / "page"
    command = ["publish", "static", str(tiny_model), "--out", str(target), "--runtime", str(runtime)]
    assert main(command) == 0
    assert f"python -m http.server --directory {target}" in capsys.readouterr().out
    assert main([*command, "--title", "Another"]) == 1
    assert "--force" in capsys.readouterr().err
    assert main([*command, "--force", "--json"]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert facts["folder"] == str(target)
    assert facts["bytes"] == sum(facts["files"].values())
    assert 0 < facts["download"] < facts["bytes"]


def test_a_large_file_is_told_where_hosts_refuse_it(tiny_model, runtime, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(static, "GITHUB_LIMIT", 1000)
    assert main(["publish", "static", str(tiny_model), "--out", str(tmp_path / "page"), "--runtime", str(runtime)]) == 0
    assert "GitHub Pages takes up to" in capsys.readouterr().err


@pytest.mark.parametrize("kind", ["Unigram", "BPE", "PhoBERT"])
def test_every_kind_of_tokenizer_is_published(kind, runtime, tmp_path):
    model = tiny_bundle(tmp_path / "model", tokenizer=kind)
    folder = static.publish_page(model, out=tmp_path / "page", runtime=runtime).folder
    rules = json.loads(unpacked(folder, published_in(folder)["files"]["rules"]))
    assert rules["pieces"]["model"]["type"] == ("BPE" if kind == "PhoBERT" else kind)
    assert rules["sample"]["entities"]

    @pytest.mark.parametrize("answer", [b"SSH-2.0-x\r\n", b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n400\r\nx"])
    def test_what_is_no_answer_of_a_registry_is_no_traceback(self, package, monkeypatch, answer):
        with socket.create_server(("127.0.0.1", 0)) as server:

            def reply() -> None:
                connection, _ = server.accept()
                with connection:
                    connection.recv(4096)
                    connection.sendall(answer)

            thread = threading.Thread(target=reply)
            thread.start()
            monkeypatch.setenv("NPM_CONFIG_REGISTRY", f"http://127.0.0.1:{server.getsockname()[1]}")
            with pytest.raises(VinerError, match="cannot be fetched"):
                read_package(package, {})
            thread.join()
        monkeypatch.setenv("NPM_CONFIG_REGISTRY", "http://localhost:abc")
        with pytest.raises(VinerError, match="cannot be fetched"):
            read_package(package, {})
