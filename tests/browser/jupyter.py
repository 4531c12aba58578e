"""A JupyterLab of our own for browser tests, and what to look for in it."""

import contextlib
import json
import os
import shutil
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Sequence
from pathlib import Path

import psutil

from ..ports import CHOOSE_PORTS, free_port

FLAGS = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
]  # fmt: skip
_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
_PLACES = (
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
    r"C:\Program Files\Google\Chrome\Application\chrome.exe",
    r"C:\Program Files (x86)\Microsoft\Edge\Application\msedge.exe",
)


def find_chromium() -> str | None:
    """Any Chromium, Chrome or Edge of this machine."""
    found = filter(None, map(shutil.which, _NAMES))
    there = (place for place in _PLACES if Path(place).is_file())
    return next(found, None) or next(there, None)


class Jupyter:
    """A running server: `url`, and `root`, the folder in which its notebooks are."""

    def __init__(self, url: str, root: Path, app: str) -> None:
        self.url = url
        self.root = root
        self.app = app

    def page_of(self, path: str) -> str:
        """Where a notebook opens, with a workspace of its own."""
        place = f"doc/tree/{path}?reset" if self.app == "lab" else f"notebooks/{path}"
        return f"{self.url}/{place}"

    def api(self, method: str, path: str) -> list[dict[str, str]]:
        """One call of the server's own interface."""
        request = urllib.request.Request(f"{self.url}/api/{path}", method=method)
        with urllib.request.urlopen(request, timeout=10) as answer:
            body = answer.read()
        return json.loads(body) if body else []

    def end_sessions(self, paths: Sequence[str]) -> None:
        """End the kernels of these notebooks: nobody needs them any more."""
        for session in self.api("GET", "sessions"):
            if session["path"] in paths:
                self.api("DELETE", f"sessions/{session['id']}")


@contextlib.contextmanager
def jupyter(root: Path, home: Path, app: str = "lab", kernel: str = "") -> Iterator[Jupyter]:
    """Run JupyterLab (`app` "lab") or Notebook ("notebook") over `root`, all settings in `home`.

    `kernel` is the Python that runs the notebooks, if not this one.
    """
    port = free_port()
    command = [
        sys.executable, "-m", "jupyter", app, "--no-browser", "--ip=127.0.0.1", f"--port={port}",
        "--ServerApp.port_retries=0", "--IdentityProvider.token=", "--allow-root",
        "--ServerApp.disable_check_xsrf=True", "--LabApp.expose_app_in_browser=True",
        "--JupyterNotebookApp.expose_app_in_browser=True", "--LabApp.news_url=",
        f"--ServerApp.root_dir={root}",
    ]  # fmt: skip
    environment = _environment(home)
    if kernel:
        # Only this path is looked at before the kernel of the environment that Jupyter runs in.
        environment["JUPYTER_PATH"] = str(home / "asked_for")
        _write_kernel(home / "asked_for" / "kernels" / "python3", kernel)
    log = home / "jupyter.log"
    with log.open("wb") as output:
        server = subprocess.Popen(
            command, env=environment, cwd=root, stdout=output, stderr=subprocess.STDOUT
        )
        try:
            url = f"http://127.0.0.1:{port}"
            _wait_until_it_answers(server, f"{url}/api/status", log)
            yield Jupyter(url, root, app)
        finally:
            _end(server)


def _end(server: "subprocess.Popen[bytes]") -> None:
    """End it with its kernels. Jupyter may wait for a kernel that does not answer any more."""
    kernels = psutil.Process(server.pid).children(recursive=True) if server.poll() is None else []
    server.terminate()
    try:
        server.wait(20)
    except subprocess.TimeoutExpired:
        server.kill()
        server.wait()
    for kernel in kernels:
        with contextlib.suppress(psutil.NoSuchProcess):
            kernel.kill()


def _environment(home: Path) -> dict[str, str]:
    names = (
        "JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR", "IPYTHONDIR",
        "JUPYTERLAB_SETTINGS_DIR", "JUPYTERLAB_WORKSPACES_DIR",
    )  # fmt: skip
    places = {name: str(home / name.lower()) for name in names}
    # Without this, the first page asks whether to show news.
    settings = home / "jupyterlab_settings_dir" / "@jupyterlab" / "apputils-extension"
    settings.mkdir(parents=True)
    (settings / "notification.jupyterlab-settings").write_text('{"fetchNews": "false"}')
    settings = home / "jupyter_config_dir"
    settings.mkdir()
    (settings / "jupyter_server_config.py").write_text(CHOOSE_PORTS)
    source = str(Path(__file__).parents[2])
    path = os.pathsep.join(filter(None, [source, os.environ.get("PYTHONPATH", "")]))
    return os.environ | places | {"PYTHONPATH": path, "PYDEVD_DISABLE_FILE_VALIDATION": "1"}


def _write_kernel(folder: Path, python: str) -> None:
    folder.mkdir(parents=True)
    argv = [python, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    spec = {"argv": argv, "display_name": "Python 3", "language": "python"}
    (folder / "kernel.json").write_text(json.dumps(spec))


def _wait_until_it_answers(server: "subprocess.Popen[bytes]", url: str, log: Path) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        if server.poll() is not None:
            break
        with contextlib.suppress(OSError), urllib.request.urlopen(url, timeout=1):
            return
        time.sleep(0.1)
    raise RuntimeError(f"Jupyter did not start:\n{log.read_text(errors='replace')}")
