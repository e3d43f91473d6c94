"""What the hub's own lock does for us: processes of one node that want the same file fetch it once."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import ClassVar

import pytest

ROOT = Path(__file__).parents[2]
CONFIG = json.dumps({"model_type": "t5"}).encode()
FETCH = "from trainables.hub import model_config; print(model_config('some/model')['model_type'])"


class Hub(BaseHTTPRequestHandler):
    """One file of one model, slow enough for two processes to want it at once."""

    asked: ClassVar[list[tuple[str, str | None]]] = []

    def do_HEAD(self) -> None:
        self._head()

    def do_GET(self) -> None:
        self.asked.append((self.path, self.headers.get("authorization")))
        time.sleep(1)
        self._head()
        self.wfile.write(CONFIG)

    def _head(self) -> None:
        self.send_response(200)
        for name, value in {
            "ETag": '"0123abcd"',
            "X-Repo-Commit": "0" * 40,
            "Content-Length": str(len(CONFIG)),
        }.items():
            self.send_header(name, value)
        self.end_headers()

    def log_message(self, *words: object) -> None:
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


@pytest.mark.slow
def test_processes_of_a_node_fetch_a_file_once_with_the_token_of_the_environment(
    hub: str, tmp_path: Path
) -> None:
    environment = {
        **os.environ,
        "HF_ENDPOINT": hub,
        "HF_HUB_OFFLINE": "0",
        "HF_HOME": str(tmp_path),
        "HF_TOKEN": "hf_planted",
        "HF_HUB_DISABLE_XET": "1",
    }
    command = [sys.executable, "-c", FETCH]
    fetching = [
        subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True)
        for _ in range(3)
    ]
    assert [process.communicate()[0] for process in fetching] == ["t5\n"] * 3
    of_the_model = [asked for asked in Hub.asked if asked[0].startswith("/some/model")]
    assert of_the_model == [("/some/model/resolve/main/config.json", "Bearer hf_planted")]
    written = [file for file in tmp_path.rglob("*") if file.is_file()]
    assert written
    assert [file for file in written if b"hf_planted" in file.read_bytes()] == []
