"""A model that is not on this disk is brought when a person agrees, from a hub on this machine."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from huggingface_hub import constants
from huggingface_hub.utils import close_session  # type: ignore[attr-defined]
from napari.layers import Labels
from pytestqt.qtbot import QtBot

from napari_sclip.models.registry import find_model
from napari_sclip.widgets.control.controller import Controller
from napari_sclip.widgets.work.session import Session
from tests.models.hub_server import FakeHub, running_hub, set_endpoint

NAME = "ViT-B-16/openai"
CONTENT = bytes(60_000_000)


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeHub]:
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    entry = find_model(NAME)
    with running_hub() as hub:
        set_endpoint(monkeypatch, hub.address)
        assert entry.repo is not None
        hub.files[entry.repo, entry.filename] = CONTENT
        yield hub
    close_session()


@pytest.fixture
def asked(
    hub: FakeHub,
    viewer: Any,
    make_controller: Callable[[Session], Controller],
    fake_session: Session,
) -> Controller:
    """A controller that has been asked to segment with a model that is not here."""
    controller = make_controller(fake_session)
    viewer.add_image(np.zeros((40, 60, 3), np.uint8))
    controller.state.model.name = NAME
    assert controller.state.model.needs_download
    controller.segment()
    return controller


def test_nothing_is_brought_before_a_person_agrees(asked: Controller, hub: FakeHub) -> None:
    question = asked.state.run.question
    assert question is not None
    assert "599 MB" in question.text
    assert "MIT" in question.text
    asked.answer("no")
    assert asked.state.run.question is None
    assert hub.requests == []


def test_a_download_goes_on_to_the_run(asked: Controller, viewer: Any, qtbot: QtBot) -> None:
    seen: list[tuple[int, int] | None] = []
    asked.state.model.events.download_progress.connect(lambda now: seen.append(now))
    asked.answer("segment")
    qtbot.waitUntil(lambda: any(isinstance(x, Labels) for x in viewer.layers), timeout=30_000)
    assert not asked.state.model.needs_download
    assert any(now is not None and 0 < now[0] < now[1] == len(CONTENT) for now in seen)
    qtbot.waitUntil(lambda: asked.state.run.notice.startswith("Segmented"), timeout=20_000)
    assert asked.state.model.download_progress is None


def test_a_download_is_cancelled_and_taken_up_again(
    asked: Controller, hub: FakeHub, viewer: Any, wait_idle_of: Callable[[Controller], None]
) -> None:
    def stop_half_way(now: tuple[int, int] | None) -> None:
        if now is not None and 0 < now[0] < now[1]:
            asked.cancel()

    asked.state.model.events.download_progress.connect(stop_half_way)
    asked.answer("segment")
    wait_idle_of(asked)
    assert asked.state.model.needs_download
    assert [layer for layer in viewer.layers if isinstance(layer, Labels)] == []
    asked.state.model.events.download_progress.disconnect(stop_half_way)
    asked.download()
    asked.answer("yes")
    wait_idle_of(asked)
    assert not asked.state.model.needs_download
    assert hub.gets()[-1].range is not None


def test_a_refusal_ends_in_a_message(
    asked: Controller, hub: FakeHub, wait_idle_of: Callable[[Controller], None]
) -> None:
    repo = find_model(NAME).repo
    assert repo is not None
    hub.refused[repo] = (403, "")
    asked.answer("segment")
    wait_idle_of(asked)
    assert asked.state.run.failure is not None
    assert NAME in asked.state.run.failure.message
    assert asked.state.model.needs_download
