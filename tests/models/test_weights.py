from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from huggingface_hub import constants
from huggingface_hub.utils import WeakFileLock  # type: ignore[attr-defined]

from napari_sclip.errors import DownloadError, ModelError
from napari_sclip.models import hub as hub_module
from napari_sclip.models import weights as weights_module
from napari_sclip.models.hashing import sha256_of
from napari_sclip.models.refusals import FileNotOnHubError
from napari_sclip.models.registry import PICKLE, SAFETENSORS, ModelEntry
from napari_sclip.models.weights import obtain_weights, weights_on_disk
from napari_sclip.progress import Progress
from tests.models.hub_server import COMMIT, PROXIES, FakeHub, running_hub, set_endpoint

REPO = "timm/tiny.openai"
ENTRY = ModelEntry("tiny", "ViT-B-16", REPO, SAFETENSORS, 1, "MIT", "sclip", 16, 224, 512, "Tests.")
CONTENT = np.random.default_rng(0).bytes(300_000)


@pytest.fixture
def filled(hub: FakeHub) -> FakeHub:
    hub.files[REPO, SAFETENSORS] = CONTENT
    return hub


def partials() -> list[Path]:
    return list(Path(constants.HF_HUB_CACHE).rglob("*.incomplete"))


class StopError(Exception):
    pass


def test_whole_file_with_bytes_and_speed(filled: FakeHub) -> None:
    reports: list[Progress] = []
    path = obtain_weights(ENTRY, reports.append)
    assert path.read_bytes() == CONTENT
    assert path.is_relative_to(constants.HF_HUB_CACHE)
    assert not partials()
    received = [r for r in reports if r.message.startswith("Downloading tiny")]
    done = [r.done for r in received]
    assert done == sorted(done)
    assert done[0] == 0
    assert done[-1] == len(CONTENT)
    assert len(set(done)) > 2
    assert {r.total for r in received} == {len(CONTENT)}
    assert "0.3 MB of 0.3 MB" in received[-1].message
    assert received[-1].message.endswith("MB/s")


def test_a_file_on_disk_needs_no_network(filled: FakeHub) -> None:
    path = obtain_weights(ENTRY)
    filled.clear()
    assert obtain_weights(ENTRY) == path
    assert weights_on_disk(ENTRY) == path
    assert filled.requests == []


def test_an_older_snapshot_counts_as_on_disk(filled: FakeHub) -> None:
    path = obtain_weights(ENTRY)
    ref = path.parents[2] / "refs" / "main"
    assert ref.read_text() == COMMIT
    ref.write_text("f" * 40)
    assert weights_on_disk(ENTRY) == path


def test_a_connection_cut_in_the_middle_is_taken_up_in_the_same_call(filled: FakeHub) -> None:
    filled.cuts = [100_000]
    assert obtain_weights(ENTRY).read_bytes() == CONTENT
    first, second = filled.gets()
    assert first.range is None
    assert second.range == "bytes=100000-"
    assert second.sent == len(CONTENT) - 100_000


def test_an_interrupted_download_resumes_at_the_next_call(filled: FakeHub) -> None:
    filled.cuts = [100_000, 0]
    with pytest.raises(DownloadError, match="try again to go on from there"):
        obtain_weights(ENTRY)
    assert weights_on_disk(ENTRY) is None
    assert [p.stat().st_size for p in partials()] == [100_000]
    filled.clear()
    reports: list[Progress] = []
    assert obtain_weights(ENTRY, reports.append).read_bytes() == CONTENT
    (request,) = filled.gets()
    assert request.range == "bytes=100000-"
    assert request.sent == len(CONTENT) - 100_000
    assert next(r for r in reports if r.total).done == 100_000


def test_a_server_that_ignores_ranges_starts_over(filled: FakeHub) -> None:
    filled.cuts = [100_000]
    filled.ignores_range = True
    assert obtain_weights(ENTRY).read_bytes() == CONTENT
    assert [r.sent for r in filled.gets()] == [100_000, len(CONTENT)]


@pytest.mark.parametrize("kind", [StopError, KeyboardInterrupt, ConnectionResetError, RuntimeError])
def test_raising_from_progress_cancels_and_keeps_what_came(
    filled: FakeHub, kind: type[BaseException]
) -> None:
    raised = kind("enough")

    def cancel(progress: Progress) -> None:
        if 0 < progress.done < progress.total:
            raise raised

    with pytest.raises(kind) as caught:
        obtain_weights(ENTRY, cancel)
    assert caught.value is raised
    (partial,) = partials()
    kept = partial.stat().st_size
    assert 0 < kept < len(CONTENT)
    filled.clear()
    assert obtain_weights(ENTRY).read_bytes() == CONTENT
    assert [r.range for r in filled.gets()] == [f"bytes={kept}-"]


def test_cancel_while_checking(filled: FakeHub) -> None:
    def cancel(progress: Progress) -> None:
        if progress.message.startswith("Checking"):
            raise StopError

    with pytest.raises(StopError):
        obtain_weights(ENTRY, cancel)
    assert weights_on_disk(ENTRY) is None
    filled.clear()
    assert obtain_weights(ENTRY).read_bytes() == CONTENT
    assert filled.gets() == []


def test_wrong_bytes_are_removed_and_never_used(filled: FakeHub) -> None:
    announced = hashlib.sha256(b"something else").hexdigest()
    filled.etags[SAFETENSORS] = announced
    with pytest.raises(DownloadError, match=f"instead of {announced}.*has been removed"):
        obtain_weights(ENTRY)
    assert weights_on_disk(ENTRY) is None
    assert not partials()
    assert not [p for p in Path(constants.HF_HUB_CACHE).rglob("*") if p.name == announced]


def test_a_partial_file_with_wrong_bytes_is_not_completed(filled: FakeHub) -> None:
    filled.cuts = [100_000, 0]
    with pytest.raises(DownloadError):
        obtain_weights(ENTRY)
    (partial,) = partials()
    partial.write_bytes(b"x" * 100_000)
    with pytest.raises(DownloadError, match="has been removed"):
        obtain_weights(ENTRY)
    assert obtain_weights(ENTRY).read_bytes() == CONTENT


@pytest.mark.parametrize("announced", [len(CONTENT) + 7, len(CONTENT) - 7])
def test_a_file_of_another_size_is_never_used(filled: FakeHub, announced: int) -> None:
    filled.sizes[SAFETENSORS] = announced
    filled.etags[SAFETENSORS] = "no-hash"
    with pytest.raises(DownloadError):
        obtain_weights(ENTRY)
    assert weights_on_disk(ENTRY) is None


def test_a_file_without_a_hash_is_taken_by_its_size(filled: FakeHub) -> None:
    filled.etags[SAFETENSORS] = "a" * 40
    assert obtain_weights(ENTRY).read_bytes() == CONTENT


def test_404_names_the_file_and_the_repository(hub: FakeHub) -> None:
    hub.files[REPO, "README.md"] = b"words"
    with pytest.raises(FileNotOnHubError, match=rf"'{SAFETENSORS}' was not found in {REPO}"):
        obtain_weights(ENTRY)


def test_another_name_of_the_weights_is_tried_after_404(hub: FakeHub) -> None:
    hub.files[REPO, PICKLE] = CONTENT
    path = obtain_weights(ENTRY)
    assert path.name == PICKLE
    assert weights_on_disk(ENTRY) == path


def test_a_missing_repository_is_asked_for_once(hub: FakeHub) -> None:
    with pytest.raises(DownloadError, match=f"no repository '{REPO}'"):
        obtain_weights(ENTRY)
    assert len(hub.for_files()) == 1


def test_a_plain_404(filled: FakeHub) -> None:
    filled.refused[REPO] = 404, ""
    with pytest.raises(FileNotOnHubError, match="was not found"):
        obtain_weights(ENTRY)


@pytest.mark.parametrize("status", [401, 403])
@pytest.mark.parametrize("code", ["GatedRepo", ""])
def test_gated(filled: FakeHub, status: int, code: str) -> None:
    filled.refused[REPO] = status, code
    with pytest.raises(DownloadError, match="Accept its licence on") as caught:
        obtain_weights(ENTRY)
    assert f"{filled.address}/{REPO} and log in with `hf auth login`" in str(caught.value)


def test_an_error_of_the_server(filled: FakeHub) -> None:
    filled.refused[REPO] = 500, ""
    with pytest.raises(DownloadError, match=r"answered with an error \(500\)"):
        obtain_weights(ENTRY)


def test_what_is_not_the_hub(filled: FakeHub) -> None:
    filled.is_hub = False
    with pytest.raises(DownloadError, match="is not the hub"):
        obtain_weights(ENTRY)


def test_without_a_server_the_error_says_what_to_do() -> None:
    with pytest.raises(DownloadError) as caught:
        obtain_weights(ENTRY)
    message = str(caught.value)
    assert f"http://127.0.0.1:1/{REPO}/resolve/main/{SAFETENSORS}" in message
    place = Path(os.environ["NAPARI_SCLIP_CACHE"]) / "models" / "timm--tiny.openai" / SAFETENSORS
    assert str(place) in message
    assert "weights=" in message
    assert "HTTPS_PROXY" in message
    assert not partials()
    place.parent.mkdir(parents=True)
    place.write_bytes(CONTENT)
    assert obtain_weights(ENTRY) == place
    assert weights_on_disk(ENTRY) == place


def test_offline(filled: FakeHub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    with pytest.raises(DownloadError, match="HF_HUB_OFFLINE is set"):
        obtain_weights(ENTRY)
    assert filled.requests == []
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    path = obtain_weights(ENTRY)
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    assert obtain_weights(ENTRY) == path


def test_a_folder_that_cannot_be_written(
    filled: FakeHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "file" / "hub"))
    with pytest.raises(DownloadError, match=r"could not be written to .*HF_HOME"):
        obtain_weights(ENTRY)


def test_waiting_for_another_download_can_be_cancelled(filled: FakeHub) -> None:
    digest = hashlib.sha256(CONTENT).hexdigest()
    lock = Path(constants.HF_HUB_CACHE) / ".locks" / "models--timm--tiny.openai" / f"{digest}.lock"
    lock.parent.mkdir(parents=True)

    def cancel(progress: Progress) -> None:
        assert not progress.message.startswith("Downloading")
        if progress.message.startswith("Waiting for another download"):
            raise StopError

    with WeakFileLock(lock), pytest.raises(StopError):
        obtain_weights(ENTRY, cancel)
    assert filled.gets() == []


def test_storage_elsewhere_gets_no_token(filled: FakeHub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_secret")
    with running_hub() as storage:
        storage.files = filled.files
        storage.cuts = [100_000]
        filled.redirects_to = storage.address
        assert obtain_weights(ENTRY).read_bytes() == CONTENT
        assert [r.range for r in storage.gets()] == [None, "bytes=100000-"]
        received = {name.lower() for r in storage.requests for name in r.headers}
        assert "range" in received
        assert "authorization" not in received
    sent = {k.lower(): v for r in filled.gets() for k, v in r.headers.items()}
    assert sent["authorization"] == "Bearer hf_secret"
    assert sent["user-agent"].startswith("napari-sclip/")


def test_a_repository_with_xet_is_fetched_by_plain_http(filled: FakeHub) -> None:
    filled.xet = True
    filled.cuts = [100_000]
    assert obtain_weights(ENTRY).read_bytes() == CONTENT
    assert [r.range for r in filled.gets()] == [None, "bytes=100000-"]


def test_the_hash_of_a_download_is_not_computed_again(
    filled: FakeHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = obtain_weights(ENTRY)
    monkeypatch.setattr("napari_sclip.models.hashing.hash_bytes", None)
    assert sha256_of(path) == hashlib.sha256(CONTENT).hexdigest()


def test_bundled_weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(weights_module, "PACKAGE_DATA", tmp_path)
    entry = ModelEntry("demo", "demo", None, "weights.npz", 1, "MIT", "sclip", 8, 96, 128, "Tests.")
    assert weights_on_disk(entry) is None
    with pytest.raises(ModelError, match="missing from the installation"):
        obtain_weights(entry)
    (tmp_path / "demo").mkdir()
    (tmp_path / "demo" / "weights.npz").write_bytes(b"x")
    assert obtain_weights(entry) == tmp_path / "demo" / "weights.npz"


@pytest.mark.parametrize("name", ["a b/c", "../x/y", "one/two/three", ""])
def test_what_is_no_name_of_a_repository(name: str) -> None:
    with pytest.raises(ModelError, match="Expected a repository of the hub"):
        hub_module.check_repo(name)


SCRIPT = """
import sys
from napari_sclip.errors import DownloadError
from napari_sclip.models.registry import find_model
from napari_sclip.models.weights import obtain_weights
assert "torch" not in sys.modules and "open_clip" not in sys.modules
try:
    print(obtain_weights(find_model("ViT-B-16/openai")))
except DownloadError as error:
    print(error)
"""


def run_script(home: Path, **variables: str) -> str:
    named = {*PROXIES, *(p.upper() for p in PROXIES), "HF_HUB_CACHE", "HF_HUB_OFFLINE"}
    env = {k: v for k, v in os.environ.items() if k not in named}
    env |= {"HF_HOME": str(home), "NAPARI_SCLIP_CACHE": str(home / "ours")} | variables
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", SCRIPT],
        env=env, capture_output=True, text=True, timeout=100, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return done.stdout.strip()


def test_the_environment_is_honoured(hub: FakeHub, tmp_path: Path) -> None:
    hub.files["timm/vit_base_patch16_clip_224.openai", SAFETENSORS] = CONTENT
    home, address = tmp_path / "home", hub.address
    offline = run_script(home, HF_ENDPOINT=address, HF_HUB_OFFLINE="1")
    assert "HF_HUB_OFFLINE is set" in offline
    assert hub.requests == []
    path = Path(run_script(home, HF_ENDPOINT=address))
    assert path.is_relative_to(home / "hub")
    assert path.read_bytes() == CONTENT
    assert len(hub.gets()) == 1
    hub.clear()
    assert Path(run_script(home, HF_ENDPOINT=address, HF_HUB_OFFLINE="1")) == path
    assert hub.requests == []


def test_a_proxy_is_honoured(hub: FakeHub, tmp_path: Path) -> None:
    hub.files["timm/vit_base_patch16_clip_224.openai", SAFETENSORS] = CONTENT
    variables = {"HF_ENDPOINT": "http://hub.invalid", "HTTP_PROXY": hub.address}
    path = run_script(tmp_path, **variables, http_proxy=hub.address)
    assert Path(path).read_bytes() == CONTENT
    assert all(r.target.startswith("http://hub.invalid/timm/") for r in hub.for_files())


def test_a_proxy_that_cannot_be_used(filled: FakeHub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "gopher://127.0.0.1:1")
    set_endpoint(monkeypatch, "http://hub.invalid")
    with pytest.raises(DownloadError, match="could not be downloaded"):
        obtain_weights(ENTRY)
