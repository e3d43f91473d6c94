"""The Hugging Face hub on loopback: serves a folder, answers as huggingface.co does to those who read.

A repository lies in `models/OWNER/NAME/` or `datasets/OWNER/NAME/` of the folder. Answers are those that
huggingface_hub and datasets ask for; `asked` lists the requests, `ills` what goes wrong with the next.
"""

import hashlib
import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

COMMIT = "0123456789abcdef0123456789abcdef01234567"
API = re.compile(r"/api/(models|datasets)/([^/]+/[^/]+)(?:/(revision|tree|paths-info)/([^/]+)(/.*)?)?")
FILE = re.compile(r"/(?:(datasets)/)?([^/]+/[^/]+)/resolve/([^/]+)/(.+)")


@dataclass
class FakeHub:
    """A hub that serves `folder`; repositories in `private` want `token`."""

    folder: Path
    token: str = "hf_planted"
    private: set[str] = field(default_factory=set)
    asked: list[str] = field(default_factory=list)
    ills: list[int] = field(default_factory=list)
    """Status codes of the next answers, a planted outage; 0 breaks the connection half-way through a file."""
    url: str = ""


@contextmanager
def serving(hub: FakeHub) -> Iterator[FakeHub]:
    """Serve the hub until the block ends; its `url` is that for HF_ENDPOINT."""
    handler = type("Handler", (_Handler,), {"hub": hub})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = Thread(target=server.serve_forever)
    thread.start()
    hub.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield hub
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class _Handler(BaseHTTPRequestHandler):
    hub: FakeHub

    def do_HEAD(self) -> None:
        self._answer()

    def do_GET(self) -> None:
        self._answer()

    def do_POST(self) -> None:
        self._answer(self.rfile.read(int(self.headers["content-length"])))

    def _answer(self, body: bytes = b"") -> None:
        path = unquote(urlsplit(self.path).path)
        self.hub.asked.append(f"{self.command} {path}")
        if self.hub.ills and self.hub.ills[0]:
            return self._send(self.hub.ills.pop(0), b"{}")
        if found := API.fullmatch(path):
            return self._of_api(*found.groups(default=""), body=body)
        if found := FILE.fullmatch(path):
            return self._of_file(*found.groups(default=""))
        return self._send(404, b"{}")

    def _repository(self, kind: str, name: str) -> Path | None:
        allowed = name not in self.hub.private
        allowed |= self.headers.get("authorization") == f"Bearer {self.hub.token}"
        folder = self.hub.folder / kind / name
        return folder if allowed and folder.is_dir() else None

    def _of_api(self, kind: str, name: str, what: str, revision: str, _: str, *, body: bytes) -> None:
        folder = self._repository(kind, name)
        if folder is None:
            return self._send(401, b"{}", {"X-Error-Code": "RepoNotFound"})
        files = sorted(path for path in folder.rglob("*") if path.is_file())
        entries = [_entry(path, folder) for path in files]
        if what == "paths-info":
            wanted = parse_qs(body.decode()).get("paths") or json.loads(body)["paths"]
            return self._json([entry for entry in entries if entry["path"] in wanted])
        if what == "tree":
            return self._json(entries)
        names = [{"rfilename": entry["path"]} for entry in entries]
        return self._json({"_id": "0", "id": name, "sha": COMMIT, "siblings": names, "private": False})

    def _of_file(self, kind: str, name: str, revision: str, path: str) -> None:
        folder = self._repository(kind or "models", name)
        if folder is None:
            return self._send(401, b"", {"X-Error-Code": "RepoNotFound"})
        if revision not in ("main", COMMIT):
            return self._send(404, b"", {"X-Error-Code": "RevisionNotFound"})
        if not (folder / path).is_file():
            return self._send(404, b"", {"X-Error-Code": "EntryNotFound"})
        content = (folder / path).read_bytes()
        return self._send(200, content, {"ETag": f'"{_oid(content)}"', "X-Repo-Commit": COMMIT})

    def _json(self, content: Any) -> None:
        self._send(200, json.dumps(content).encode(), {"Content-Type": "application/json"})

    def _send(self, code: int, content: bytes, headers: dict[str, str] | None = None) -> None:
        begin, end = 0, len(content)
        if asked := re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("range", "")):
            begin, end = int(asked[1]), int(asked[2] or end - 1) + 1
            code = 206 if code == 200 else code
        self.send_response(code)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(end - begin))
        self.end_headers()
        if self.command == "HEAD":
            return
        if self.hub.ills and self.command == "GET" and "ETag" in (headers or {}):
            self.hub.ills.pop(0)
            self.wfile.write(content[begin : begin + (end - begin) // 2])
            self.close_connection = True
            self.connection.close()
            return
        self.wfile.write(content[begin:end])

    def log_message(self, *_: object) -> None:
        pass


def _entry(path: Path, folder: Path) -> dict[str, Any]:
    content = path.read_bytes()
    return {
        "type": "file",
        "oid": _oid(content),
        "size": len(content),
        "path": path.relative_to(folder).as_posix(),
    }


def _oid(content: bytes) -> str:
    return hashlib.sha1(content, usedforsecurity=False).hexdigest()
