"""A small server on 127.0.0.1 that plays the hub."""

from __future__ import annotations

import contextlib
import hashlib
import re
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

import pytest
from huggingface_hub import constants

PROXIES = ("http_proxy", "https_proxy", "all_proxy", "no_proxy")
COMMIT = "0123456789abcdef0123456789abcdef01234567"


@dataclass
class Request:
    method: str
    target: str
    headers: Mapping[str, str]
    sent: int = 0

    @property
    def range(self) -> str | None:
        return self.headers.get("Range")


@dataclass
class FakeHub:
    """What the server holds, how it misbehaves, and what it was asked."""

    address: str = ""
    files: dict[tuple[str, str], bytes] = field(default_factory=dict)
    etags: dict[str, str] = field(default_factory=dict)
    sizes: dict[str, int] = field(default_factory=dict)
    refused: dict[str, tuple[int, str]] = field(default_factory=dict)
    cuts: list[int] = field(default_factory=list)
    ignores_range: bool = False
    is_hub: bool = True
    xet: bool = False
    redirects_to: str = ""
    requests: list[Request] = field(default_factory=list)

    def for_files(self) -> list[Request]:
        # huggingface_hub may ask for other things of its own accord.
        return [r for r in self.requests if "/resolve/" in r.target]

    def gets(self) -> list[Request]:
        return [r for r in self.for_files() if r.method == "GET"]

    def clear(self) -> None:
        self.requests.clear()


class _Handler(BaseHTTPRequestHandler):
    hub: FakeHub

    def do_HEAD(self) -> None:
        self._answer()

    def do_GET(self) -> None:
        self._answer()

    def log_message(self, format: str, *args: object) -> None:
        pass

    def _answer(self) -> None:
        target = urlsplit(self.path).path  # a proxy is asked for a whole address
        request = Request(self.command, self.path, dict(self.headers.items()))
        self.hub.requests.append(request)
        match = re.fullmatch(r"/(.+?/.+?)/resolve/([^/]+)/(.+)", target)
        if not match:
            return self._refuse(404, "")
        repo, _, name = match.groups()
        if repo in self.hub.refused:
            return self._refuse(*self.hub.refused[repo])
        if repo not in {r for r, _ in self.hub.files}:
            return self._refuse(404, "RepoNotFound")
        if (repo, name) not in self.hub.files:
            return self._refuse(404, "EntryNotFound")
        return self._give(request, name, self.hub.files[repo, name])

    def _give(self, request: Request, name: str, content: bytes) -> None:
        etag = self.hub.etags.get(name, hashlib.sha256(content).hexdigest())
        start = 0
        asked = re.fullmatch(r"bytes=(\d+)-", request.range or "")
        if asked and not self.hub.ignores_range:
            start = int(asked[1])
            if start >= len(content):
                return self._refuse(416, "")
        body = content[start:]
        if self.hub.redirects_to:
            self.send_response(302)
            self.send_header("Location", self.hub.redirects_to + self.path)
            body = b""
        else:
            self.send_response(206 if start else 200)
        if start:
            self.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
        if self.hub.is_hub:
            self.send_header("X-Repo-Commit", COMMIT)
        if self.hub.xet:
            self.send_header("X-Xet-Hash", "f" * 64)
            self.send_header("X-Xet-Refresh-Route", f"{self.hub.address}/refresh")
        self.send_header("ETag", f'"{etag}"')
        self.send_header("X-Linked-Etag", f'"{etag}"')
        self.send_header("X-Linked-Size", str(self.hub.sizes.get(name, len(content))))
        self.send_header("Accept-Ranges", "bytes")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if request.method == "GET":
            cut = self.hub.cuts.pop(0) if self.hub.cuts else len(body)
            with contextlib.suppress(ConnectionError):
                self.wfile.write(body[:cut])
                self.wfile.flush()
            request.sent = min(cut, len(body))
        return None

    def _refuse(self, status: int, code: str) -> None:
        self.send_response(status)
        if code:
            self.send_header("X-Error-Code", code)
        self.send_header("Content-Length", "0")
        self.end_headers()


@contextlib.contextmanager
def running_hub() -> Iterator[FakeHub]:
    hub = FakeHub()
    handler = type("Handler", (_Handler,), {"hub": hub})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        hub.address = f"http://127.0.0.1:{server.server_address[1]}"
        # A short poll, so that a test does not wait half a second for the server to stop.
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield hub
        finally:
            server.shutdown()
            thread.join()


def set_endpoint(monkeypatch: pytest.MonkeyPatch, address: str) -> None:
    template = address + "/{repo_id}/resolve/{revision}/{filename}"
    monkeypatch.setattr(constants, "ENDPOINT", address)
    monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", template)
