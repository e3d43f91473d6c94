"""What is pushed is what was exported: seen by a hub on loopback that answers as the true one does."""

import base64
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any, ClassVar

import pytest
import yaml
from huggingface_hub import constants

from search.report.exporting.hub import Repository
from trainables.data_source import is_path
from trainables.errors import InputError

TOKEN = "hf_planted"
ADAPTER = {"adapter_config.json": '{"task_type": "SEQ_2_SEQ_LM"}', "adapter_model.safetensors": "weights"}


class Hub(BaseHTTPRequestHandler):
    """A hub of one user: creates a repository, looks at the card, takes a commit."""

    created: ClassVar[list[dict[str, Any]]] = []
    files: ClassVar[dict[str, bytes]] = {}

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        answer = {
            "/api/repos/create": self.create,
            "/api/validate-yaml": self.look_at_card,
            "/api/models/me/mine/preupload/main": self.plan,
            "/api/models/me/mine/commit/main": self.commit,
        }[self.path.partition("?")[0]]
        if self.headers["authorization"] != f"Bearer {TOKEN}":
            self.reply(401, {"error": "Invalid credentials in Authorization header"})
        else:
            self.reply(200, answer(body))

    def do_GET(self) -> None:
        self.reply(404, {"error": "Entry not found"})

    def create(self, body: bytes) -> dict[str, Any]:
        self.created.append(json.loads(body))
        return {"url": f"http://{self.headers['host']}/me/mine"}

    def look_at_card(self, body: bytes) -> dict[str, Any]:
        card = yaml.safe_load(json.loads(body)["content"].split("---\n")[1])
        errors = [] if not is_path(card.get("base_model", "a/b")) else [{"message": "base_model is no id"}]
        return {"errors": errors, "warnings": []}

    def plan(self, body: bytes) -> dict[str, Any]:
        files = [file["path"] for file in json.loads(body)["files"]]
        return {"files": [{"path": f, "uploadMode": "regular", "shouldIgnore": False} for f in files]}

    def commit(self, body: bytes) -> dict[str, Any]:
        for line in body.splitlines():
            part = json.loads(line)
            if part["key"] == "file":
                self.files[part["value"]["path"]] = base64.b64decode(part["value"]["content"])
        return {"commitUrl": f"http://{self.headers['host']}/me/mine/commit/0", "commitOid": "0" * 40}

    def reply(self, code: int, content: dict[str, Any]) -> None:
        text = json.dumps(content).encode()
        self.send_response(code)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def hub() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Hub)
    serving = Thread(target=server.serve_forever)
    serving.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    serving.join()
    server.server_close()


@pytest.fixture
def push(finished, tmp_path):
    """`push(hub, token)` exports by the command and pushes; it gives the finished process."""
    finished.adapter(finished.final("lora", 0, 33.5), ADAPTER)
    words = ["export", str(finished.root), "--method", "lora", "--to", str(tmp_path / "out")]

    def call(hub: str, token: str | None) -> subprocess.CompletedProcess[str]:
        environment = {
            **os.environ,
            "HF_ENDPOINT": hub,
            "HF_HUB_OFFLINE": "0",
            "HF_HOME": str(tmp_path),
            "HF_HUB_DISABLE_XET": "1",
            **({"HF_TOKEN": token} if token else {}),
        }
        command = [sys.executable, "-m", "search.console.app", *words, "--push-to-hub", "me/mine"]
        return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)

    return call


@pytest.mark.slow
def test_all_files_are_pushed_to_a_private_repository_and_nothing_secret_is_in_them(hub, push, tmp_path):
    done = push(hub, TOKEN)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.split() == [str(tmp_path / "out"), f"{hub}/me/mine"]
    assert [repo["visibility"] for repo in Hub.created] == ["private"]
    assert Hub.files == {file.name: file.read_bytes() for file in (tmp_path / "out").iterdir()}
    assert not any(secret in text for text in Hub.files.values() for secret in (b"hf_", b"/home", b"/tmp"))


@pytest.mark.slow
@pytest.mark.parametrize(("where", "token"), [(None, "hf_wrong"), ("http://127.0.0.1:9", TOKEN)])
def test_a_hub_that_refuses_or_is_not_there(hub, push, tmp_path, where, token):
    done = push(where or hub, token)
    assert done.returncode == 2
    assert "Error: --push-to-hub: me/mine was not pushed (" in done.stderr
    assert f"What was exported is in {tmp_path / 'out'}" in done.stderr
    assert "Traceback" not in done.stderr
    assert token not in done.stderr


def test_without_a_token_nothing_is_exported(monkeypatch, tmp_path):
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr(constants, "HF_TOKEN_PATH", str(tmp_path / "none"))
    monkeypatch.delenv("HF_TOKEN", raising=False)
    with pytest.raises(InputError, match=r"there is no token of the hub. Set HF_TOKEN"):
        Repository("me/mine")


@pytest.mark.parametrize("name", ["a/b/c", "me/mine.git", "no spaces", "-x/y"])
def test_no_name_of_a_repository(name):
    with pytest.raises(InputError, match="--push-to-hub: "):
        Repository(name)


def test_the_hub_is_not_asked_where_it_may_not_be(monkeypatch):
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    with pytest.raises(InputError, match="HF_HUB_OFFLINE is set"):
        Repository("me/mine")
