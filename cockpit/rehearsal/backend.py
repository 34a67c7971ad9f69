"""The service of a rehearsal's world: a small chat backend that looks and fails like a Spring Boot one.

It runs by itself (`python -I backend.py`), on the standard library alone, under PM2 or its stand-in, and takes
everything from its environment: APP_HOME, APP_LOG_DIR, PORT, TEST_TOKEN, WORLD_LOCK. What it does follows from the
settings of the release that `current` points to: a conversation cache larger than the heap exhausts memory.
"""

from __future__ import annotations

import fcntl
import itertools
import json
import os
import signal
import sys
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

Answer = tuple[int, Any]
_OUT_OF_MEMORY = """java.lang.OutOfMemoryError: Java heap space
\tat java.base/java.util.Arrays.copyOf(Arrays.java:3537)
\tat com.example.chat.cache.ConversationCache.grow(ConversationCache.java:88)
\tat com.example.chat.ChatService.answer(ChatService.java:142)
\tat com.example.chat.ChatController.chat(ChatController.java:47)"""
_REPLIES = (
    "Start with ten minutes of brisk walking, then two sets of squats.",
    "Three sessions a week with a rest day between them is a good plan.",
    "Keep the knees behind the toes and stop when it hurts.",
)


@dataclass(slots=True)
class Log:
    """application.log in Spring's layout, and errors on stderr too, where PM2 collects them."""

    path: Path
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def write(self, level: str, thread: str, source: str, text: str) -> None:
        """Append one record; further lines of `text` are its stack trace."""
        now = datetime.now().astimezone()
        stamp = f"{now:%Y-%m-%d %H:%M:%S}.{now.microsecond // 1000:03d}"
        record = f"{stamp} {level:>5} {os.getpid()} --- [{thread:>16}] {source:<40} : {text}\n"
        with self._lock, self.path.open("a", encoding="utf-8") as file:
            file.write(record)
        if level == "ERROR":
            sys.stderr.write(record)
            sys.stderr.flush()


@dataclass(slots=True)
class Requests:
    """What the service answered since it started, by status: counts, total seconds, the slowest one."""

    counts: dict[int, int] = field(default_factory=dict)
    total_s: float = 0.0
    max_s: float = 0.0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, status: int, seconds: float) -> None:
        """Count one answer."""
        with self._lock:
            self.counts[status] = self.counts.get(status, 0) + 1
            self.total_s += seconds
            self.max_s = max(self.max_s, seconds)

    def metric(self, status: str | None) -> dict[str, Any]:
        """The actuator's shape; `status` narrows COUNT to one status code."""
        with self._lock:
            chosen = {code: n for code, n in self.counts.items() if status in (None, str(code))}
            measurements = [
                {"statistic": "COUNT", "value": float(sum(chosen.values()))},
                {"statistic": "TOTAL_TIME", "value": round(self.total_s, 3)},
                {"statistic": "MAX", "value": round(self.max_s, 3)},
            ]
            tags = [{"tag": "status", "values": sorted(map(str, self.counts))}]
        return {
            "name": "http.server.requests",
            "baseUnit": "seconds",
            "measurements": measurements,
            "availableTags": tags,
        }


class Backend:
    """The application: a release's settings, its state, and an answer to each path."""

    def __init__(self, home: Path, log: Log, token: str) -> None:
        release = (home / "current").resolve()
        self.version = (release / "version.txt").read_text(encoding="utf-8").strip()
        self.settings: dict[str, Any] = json.loads((release / "settings.json").read_text(encoding="utf-8"))
        self.log = log
        self.token = token
        self.requests = Requests()
        self.history: dict[str, list[str]] = {}
        self.started_m = time.monotonic()

    @property
    def out_of_memory(self) -> bool:
        """Whether the cache this release asks for is larger than its heap."""
        return int(self.settings["conversation_cache_mb"]) >= int(self.settings["heap_mb"])

    @property
    def expires_m(self) -> float | None:
        """When (monotonic seconds) an exhausted process dies of it; None for a healthy one."""
        return self.started_m + float(self.settings["survives_s"]) if self.out_of_memory else None

    def health(self) -> Answer:
        """200 and UP, or 503 and DOWN, with components."""
        up = not self.out_of_memory
        chat = {"status": "UP"} if up else {"status": "DOWN", "details": {"error": "Java heap space"}}
        body = {
            "status": "UP" if up else "DOWN",
            "components": {
                "chat": chat,
                "db": {"status": "UP", "details": {"database": "PostgreSQL", "validationQuery": "isValid()"}},
                "diskSpace": {"status": "UP", "details": {"threshold": 10485760, "exists": True}},
                "ping": {"status": "UP"},
            },
        }
        return (200 if up else 503), body

    def chat(self, message: str, conversation: str) -> Answer:
        """An answer to a chat message, or the error of a service without memory."""
        if self.out_of_memory:
            text = f"Servlet.service() threw exception: chat failed, conversation={conversation}\n{_OUT_OF_MEMORY}"
            self.log.write("ERROR", "nio-exec-3", "c.e.chat.ChatController", text)
            return 500, {"status": 500, "error": "Internal Server Error", "path": "/api/v1/ai/chat"}
        said = self.history.setdefault(conversation, [])
        said.append(message)
        reply = _REPLIES[len(said) % len(_REPLIES)]
        return 200, {"response": reply, "conversationId": conversation, "tokensUsed": 12 + len(message)}

    def get(self, path: str, query: Mapping[str, list[str]]) -> Answer:
        """The answer to a GET."""
        if path == "/actuator/health":
            return self.health()
        if path == "/actuator/info":
            return 200, {"build": {"version": self.version}}
        if path == "/actuator/metrics/http.server.requests":
            tag = query.get("tag", [""])[0]
            return 200, self.requests.metric(tag.removeprefix("status:") if tag else None)
        if path == "/api/v1/model/info":
            return 200, {"model": self.settings["model"], "release": self.version}
        if path.startswith("/api/v1/conversations/"):
            said = self.history.get(path.rpartition("/")[2])
            return (200, {"messages": said}) if said else (404, {"status": 404, "error": "Not Found"})
        return 404, {"status": 404, "error": "Not Found", "path": path}

    def post(self, path: str, authorization: str, body: bytes) -> Answer:
        """The answer to a POST."""
        if path != "/api/v1/ai/chat":
            return 404, {"status": 404, "error": "Not Found", "path": path}
        if authorization != f"Bearer {self.token}":
            return 401, {"status": 401, "error": "Unauthorized"}
        try:
            asked = json.loads(body)
            return self.chat(str(asked["message"]), str(asked.get("conversationId", "none")))
        except (ValueError, TypeError, KeyError):
            return 400, {"status": 400, "error": "Bad Request", "message": "message is missing"}


class Door(BaseHTTPRequestHandler):
    """One HTTP request. `backend` is set on the class before the server starts."""

    backend: Backend
    protocol_version = "HTTP/1.1"
    server_version = "chat"
    sys_version = ""
    timeout = 10

    def do_GET(self) -> None:
        """Answer a GET."""
        parts = urlsplit(self.path)
        self._answer(lambda: self.backend.get(parts.path, parse_qs(parts.query)))

    def do_POST(self) -> None:
        """Answer a POST."""
        length = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(min(length, 1 << 20))
        self._answer(lambda: self.backend.post(self.path, self.headers.get("Authorization", ""), body))

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Say nothing on stderr: the application log is the record."""

    def _answer(self, ask: Any) -> None:
        began = time.monotonic()
        status, content = ask()
        body = json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
        self.backend.requests.add(status, time.monotonic() - began)


def keeper_gone(lock: Path) -> bool:
    """Whether the world's keeper, who holds this lock for life, is no more."""
    try:
        with lock.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            return True
    except BlockingIOError:
        return False
    except OSError:
        return True


def end_daemon() -> None:
    """Ask the PM2 daemon that is this process's parent to end: with no keeper, nobody else would."""
    try:
        daemon = int(Path(os.environ["PM2_HOME"], "pm2.pid").read_text(encoding="utf-8"))
    except (KeyError, OSError, ValueError):
        return
    if daemon == os.getppid():
        os.kill(daemon, signal.SIGTERM)


def live(backend: Backend, lock: Path) -> int:
    """Serve customers of its own making until memory or the world ends; returns the exit status."""
    for second in itertools.count():
        if keeper_gone(lock):
            break
        status, _body = backend.chat("how do I start", f"customer-{second % 40}")
        backend.requests.add(status, 0.08 + second % 7 * 0.04)
        if status == 200 and second % 5 == 0:
            backend.log.write("INFO", "nio-exec-1", "c.e.chat.ChatController", "chat answered in 212 ms")
        if backend.expires_m is not None and time.monotonic() > backend.expires_m:
            backend.log.write("ERROR", "main", "c.e.chat.ChatApplication", "Terminating due to OutOfMemoryError")
            return 3
        time.sleep(1.0)
    end_daemon()
    return 0


def main() -> None:
    """Start the service."""
    log = Log(Path(os.environ["APP_LOG_DIR"]) / "application.log")
    backend = Backend(Path(os.environ["APP_HOME"]), log, os.environ["TEST_TOKEN"])
    Door.backend = backend
    port = int(os.environ["PORT"])
    server = ThreadingHTTPServer(("127.0.0.1", port), Door)
    server.daemon_threads = True
    log.write("INFO", "main", "c.e.chat.ChatApplication", f"Starting ChatApplication {backend.version}")
    threading.Thread(target=server.serve_forever, daemon=True).start()
    log.write("INFO", "main", "c.e.chat.ChatApplication", f"Started ChatApplication, port {port} (http)")
    # PM2 stops with SIGINT: end at once, whatever thread it reaches.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    os._exit(live(backend, Path(os.environ["WORLD_LOCK"])))


if __name__ == "__main__":
    main()
