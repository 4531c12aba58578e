"""`python lab.py`: what a student sees on a fresh machine, and on one where something is wrong."""

import ast
import contextlib
import http.client
import importlib.util
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
import venv
from pathlib import Path
from types import ModuleType

import psutil
import pytest

from .ports import free_port

ROOT = Path(__file__).resolve().parent.parent
NOTIFICATIONS = "@jupyterlab/apputils-extension:notification"


def load(folder: Path) -> ModuleType:
    """Import the lab.py of `folder`, whose paths are then all in that folder."""
    spec = importlib.util.spec_from_file_location("lab", folder / "lab.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def run(lab, *arguments, **environment):
    """Run lab.py as a student does, in a process of its own."""
    return subprocess.run(
        [sys.executable, lab.HERE / "lab.py", *arguments],
        env={**os.environ, **environment},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
    )


@pytest.fixture
def lab(tmp_path):
    """A lab.py in a folder of its own, where nothing has been made yet."""
    folder = tmp_path / "a kit"
    folder.mkdir()
    shutil.copy(ROOT / "lab.py", folder)
    (folder / "requirements.txt").write_text("uv==0.1\nsome-package==1.0\n")
    (folder / "pyproject.toml").write_text("[project]\n")
    return load(folder)


@pytest.fixture
def whole(lab):
    """The same, with an environment that is whole, though it holds only two stubs."""
    venv.create(lab.VENV, symlinks=os.name != "nt")
    packages = lab.site_packages = next(lab.VENV.glob("[Ll]ib/**/site-packages"))
    (packages / "jupyterlab").mkdir()
    for name, code in {"pytest": "sys.exit(7)", "jupyterlab/labapp": "main = int"}.items():
        show = f"import os, sys; print('{name}', *sys.argv[1:], os.getcwd(), sep='|')"
        (packages / f"{name}.py").write_text(f"{show}\n{code}\n")
    lab.STAMP.write_text(json.dumps(lab.fingerprint()))
    return lab


@pytest.fixture
def work(lab, monkeypatch):
    """The steps that make_ready took, which here only note that they were asked for."""
    steps = []

    def note(step):
        assert not lab.STAMP.exists(), "an environment that is being changed must not look whole"
        steps.append(step)

    monkeypatch.setattr(lab, "create", lambda: (lab.VENV.mkdir(exist_ok=True), note("create")))
    monkeypatch.setattr(lab, "install", lambda: note("install"))
    return steps


class TestOldPython:
    def test_gets_one_sentence(self):
        code = (
            "import runpy, sys; sys.version_info = (3, 10, 13, 'final', 0);"
            f"runpy.run_path({str(ROOT / 'lab.py')!r}, run_name='__main__')"
        )
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
        assert done.returncode == 1
        assert done.stderr.count("\n") == 1
        assert "needs Python 3.11 or newer, and this is Python 3.10:" in done.stderr

    def test_can_parse_the_file(self):
        ast.parse((ROOT / "lab.py").read_text(encoding="utf-8"), feature_version=(3, 6))


class TestCommandLine:
    def test_test_runs_pytest_with_its_arguments_and_exit_code(self, whole):
        done = run(whole, "test", "-k", "some words")
        assert (done.returncode, done.stderr) == (7, "")
        assert done.stdout.splitlines()[-1] == f"pytest|-k|some words|{whole.HERE}"

    def test_all_tests_run_side_by_side(self, whole):
        assert run(whole, "test").stdout.splitlines()[-1].startswith("pytest|--numprocesses=")

    def test_nothing_opens_lesson_00_with_further_options(self, whole):
        done = run(whole, "--no-browser", "--port=9")
        assert (done.returncode, done.stderr) == (0, "")
        assert "--LabApp.default_url=/lab/tree/notebooks/00_check_in.ipynb|" in done.stdout
        assert done.stdout.endswith(f"|--no-browser|--port=9|{whole.HERE}\n")

    @pytest.mark.parametrize(
        ("user", "given", "added"), [(0, [], 1), (0, ["--allow-root"], 1), (1000, [], 0)]
    )
    def test_root_is_allowed_where_the_user_is_root(self, lab, monkeypatch, user, given, added):
        monkeypatch.setattr(os, "geteuid", lambda: user, raising=False)
        assert lab.interpret(given).count("--allow-root") == added

    def test_a_students_own_option_replaces_ours(self, lab):
        command = lab.interpret(["--LabApp.default_url=/tree", "--log-level=INFO"])
        assert [word for word in command if "default_url" in word] == ["--LabApp.default_url=/tree"]
        assert [word for word in command if "log-level" in word] == ["--log-level=INFO"]

    @pytest.mark.parametrize("word", ["-h", "--help", "help"])
    def test_help_is_given_without_making_anything(self, lab, capsys, word):
        assert lab.main([word]) == 0
        assert "python lab.py test" in capsys.readouterr().out
        assert not lab.VENV.exists()

    def test_an_unknown_word_is_named(self, lab, capsys):
        assert lab.main(["tests"]) == 1
        assert capsys.readouterr().err.startswith("lab.py: 'tests' is no command: say `test`")
        assert not lab.VENV.exists()

    def test_the_exit_code_is_waited_for_where_exec_would_return(self, lab, monkeypatch):
        monkeypatch.chdir(lab.HERE)
        monkeypatch.setattr(sys, "platform", "win32")
        assert lab.hand_over([sys.executable, "-c", "raise SystemExit(3)"]) == 3


class TestDiagnosis:
    def test_whole(self, whole):
        assert whole.diagnose() == ("whole", "")

    @pytest.mark.parametrize("make", [lambda path: None, Path.mkdir], ids=["absent", "empty"])
    def test_nothing_there_yet(self, lab, make):
        make(lab.VENV)
        assert lab.diagnose()[0] == "broken"
        assert "first time" in lab.diagnose()[1]

    @pytest.mark.parametrize("stamp", [None, "", '{"home": "Pyth'])
    def test_never_finished(self, whole, stamp):
        whole.STAMP.unlink()
        if stamp is not None:
            whole.STAMP.write_text(stamp)
        assert whole.diagnose()[0] == "broken"
        assert "never finished" in whole.diagnose()[1]

    def test_made_by_another_python(self, whole, monkeypatch):
        monkeypatch.setattr(sys, "version_info", (3, 99, 0, "final", 0))
        assert whole.diagnose()[0] == "broken"
        assert "was made for Python 3.1" in whole.diagnose()[1]

    def test_moved_to_another_folder(self, whole):
        moved = whole.HERE.rename(whole.HERE.with_name("renamed"))
        assert load(moved).diagnose()[0] == "broken"

    def test_its_python_is_gone(self, whole):
        Path(whole.PYTHON).unlink()
        assert whole.diagnose()[0] == "broken"
        assert "does not run any more" in whole.diagnose()[1]

    def test_its_python_is_no_program(self, whole):
        Path(whole.PYTHON).unlink()
        Path(whole.PYTHON).write_text("")
        assert whole.diagnose()[0] == "broken"

    @pytest.mark.parametrize("name", ["requirements.txt", "pyproject.toml"])
    def test_the_packages_have_changed(self, whole, name):
        (whole.HERE / name).write_text("uv==0.2\n")
        assert whole.diagnose()[0] == "outdated"

    @pytest.mark.parametrize("kind", ["link", "file", "folder"])
    def test_what_is_not_ours_is_refused_and_left_alone(self, lab, capsys, kind):
        elsewhere = lab.HERE / "elsewhere"
        elsewhere.mkdir()
        if kind == "link":
            try:
                lab.VENV.symlink_to(elsewhere, target_is_directory=True)
            except OSError:
                pytest.skip("this user may not make links")
        elif kind == "file":
            lab.VENV.write_text("")
        else:
            lab.VENV.mkdir()
            (lab.VENV / "thesis.txt").write_text("")
        lab.LOCK.touch()
        before = sorted(lab.HERE.rglob("*"))
        assert lab.main(["test"]) == 1
        assert capsys.readouterr().err.endswith(": move it away and try again.\n")
        assert sorted(lab.HERE.rglob("*")) == before


class TestMakingReady:
    def test_whole_means_that_nothing_is_written(self, whole, work):
        before = {path: path.stat().st_mtime_ns for path in whole.HERE.iterdir()}
        whole.make_ready()
        assert work == []
        assert {path: path.stat().st_mtime_ns for path in whole.HERE.iterdir()} == before

    def test_from_nothing(self, lab, work):
        lab.make_ready()
        assert work == ["create", "install"]
        assert json.loads(lab.STAMP.read_text()) == lab.fingerprint()

    def test_half_made_is_made_again(self, whole, work):
        whole.STAMP.unlink()
        whole.make_ready()
        assert work == ["create", "install"]

    def test_other_settings_are_written_in_place(self, whole, work):
        whole.SETTINGS = {"etc/of/one": {"a": 1}}
        whole.make_ready()
        assert work == ["install"]
        assert json.loads((whole.VENV / "etc/of/one.json").read_text()) == {"a": 1}
        assert whole.diagnose() == ("whole", "")

    def test_outdated_is_updated_in_place(self, whole, work):
        whole.REQUIREMENTS.write_text("uv==0.2\n")
        whole.make_ready()
        assert work == ["install"]
        assert whole.diagnose() == ("whole", "")

    @pytest.mark.parametrize(
        ("fault", "code", "sentence"),
        [
            (KeyboardInterrupt(), 130, "\nlab.py: stopped half-way; the next run starts over.\n"),
            (OSError(28, "No space left on device"), 1, "[Errno 28] No space left on device\n"),
        ],
    )
    def test_a_fault_is_one_sentence_and_leaves_no_stamp(
        self, whole, monkeypatch, capsys, fault, code, sentence
    ):
        def install():
            raise fault

        whole.REQUIREMENTS.write_text("uv==0.2\n")
        monkeypatch.setattr(whole, "install", install)
        assert whole.main(["test"]) == code
        assert capsys.readouterr().err.endswith(sentence)
        assert not whole.STAMP.exists()

    def test_a_folder_that_cannot_be_written_is_named(self, lab, capsys):
        lab.LOCK.mkdir()  # Root may write anywhere, but nobody opens a folder for writing.
        assert lab.main(["test"]) == 1
        assert capsys.readouterr().err.count("\n") == 1
        assert not lab.VENV.exists()


class TestTwoAtATime:
    def test_the_second_waits_and_finds_the_work_done(self, lab, work, monkeypatch, capsys):
        with lab.alone():
            first = lab.LOCK.open("w")
        assert lab.try_to_lock(first.fileno())

        def the_first_finishes(_seconds):
            (lab.VENV / "pyvenv.cfg").parent.mkdir()
            (lab.VENV / "pyvenv.cfg").write_text("")
            lab.STAMP.write_text(json.dumps(lab.fingerprint()))
            monkeypatch.setattr(lab, "runs", lambda python: True)
            first.close()

        monkeypatch.setattr(lab.time, "sleep", the_first_finishes)
        lab.make_ready()
        assert "waiting for another lab.py" in capsys.readouterr().out
        assert work == []

    def test_a_killed_holder_holds_nothing(self, lab):
        code = "import lab, sys\nwith lab.alone():\n print('held', flush=True)\n sys.stdin.read()"
        holder = subprocess.Popen(
            [sys.executable, "-c", code],
            cwd=lab.HERE,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        with holder, lab.LOCK.open("w") as file:
            assert holder.stdout.read(4) == b"held"
            assert not lab.try_to_lock(file.fileno())
            holder.kill()
            holder.wait()
            assert lab.try_to_lock(file.fileno())


class TestCreating:
    def test_replaces_what_was_there(self, whole, monkeypatch):
        well_done = subprocess.CompletedProcess([], 0)
        monkeypatch.setattr(whole.subprocess, "run", lambda *_, **__: well_done)
        whole.create()
        assert list(whole.VENV.iterdir()) == []

    def test_keeps_its_mark_until_the_rest_is_gone(self, whole, monkeypatch):
        def interrupted(path):
            raise KeyboardInterrupt

        monkeypatch.setattr(whole.shutil, "rmtree", interrupted)
        with pytest.raises(KeyboardInterrupt):
            whole.create()
        assert (whole.VENV / "pyvenv.cfg").exists()

    def test_says_what_debian_keeps_in_a_package_of_its_own(self, lab, monkeypatch):
        monkeypatch.setattr(lab.importlib.util, "find_spec", lambda name: None)
        with pytest.raises(lab.LabError, match="apt install python3-venv"):
            lab.create()

    def test_does_not_saw_off_the_branch_it_sits_on(self, whole, monkeypatch):
        monkeypatch.setattr(sys, "prefix", str(whole.VENV))
        with pytest.raises(whole.LabError, match="deactivate"):
            whole.create()
        assert whole.diagnose() == ("whole", "")

    def test_passes_on_why_python_could_not(self, lab, monkeypatch):
        failed = subprocess.CompletedProcess([], 1, "", "Traceback:\nError: no room\n")
        monkeypatch.setattr(lab.subprocess, "run", lambda *_, **__: failed)
        with pytest.raises(lab.LabError, match=r"\.venv: Error: no room$"):
            lab.create()


class TestInstalling:
    @pytest.fixture
    def commands(self, lab, monkeypatch):
        """The tools that install called, of which none succeeds that the list names as failing."""
        tools, failing = [], []

        def logged(command, settings=None):
            tool = "first pip" if "uv==0.1" in command else command[2]
            tools.append(tool)
            return tool not in failing

        lab.VENV.mkdir()
        lab.LOG.write_text("ERROR: an earlier one\n")
        monkeypatch.setattr(lab, "logged", logged)
        monkeypatch.setattr(lab, "uv_settings", dict)
        return tools, failing

    def test_uv_does_it(self, lab, commands):
        lab.install()
        assert commands[0] == ["first pip", "uv", "uv"]

    def test_pip_does_it_where_uv_cannot_be_had(self, lab, commands):
        commands[1].append("first pip")
        lab.install()
        assert commands[0] == ["first pip", "pip", "pip"]

    def test_pip_does_it_where_uv_does_not_get_through(self, lab, commands):
        commands[1].append("uv")
        lab.install()
        assert commands[0] == ["first pip", "uv", "pip", "pip"]

    def test_uv_asks_where_pip_was_told_to(self, lab, monkeypatch):
        for name in [name for name in os.environ if name.startswith("PIP_")]:
            monkeypatch.delenv(name)
        monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
        monkeypatch.setenv("PIP_INDEX_URL", "https://mirror.example/simple")
        monkeypatch.setenv("PIP_FIND_LINKS", "/one /two")
        monkeypatch.setenv("PIP_TIMEOUT", "9")
        monkeypatch.setattr(lab, "PYTHON", sys.executable)
        assert lab.uv_settings() == {
            "UV_INDEX_STRATEGY": "unsafe-best-match",
            "UV_DEFAULT_INDEX": "https://mirror.example/simple",
            "UV_FIND_LINKS": "/one,/two",
        }

    def install_from_nobody(self, lab, scheme, **settings):
        pip = importlib.util.find_spec("pip")  # The one that runs here spares making another.
        (lab.site_packages / "pip.pth").write_text(str(Path(pip.origin).parent.parent))
        lab.REQUIREMENTS.write_text("uv==0.2\nsome-package==1.0\n")
        settings |= {name: "" for name in os.environ if name.startswith("PIP_")}
        with socket.socket() as nobody:
            nobody.bind(("127.0.0.1", 0))  # Bound, and never listening: it refuses everyone.
            settings["PIP_INDEX_URL"] = f"{scheme}://127.0.0.1:{nobody.getsockname()[1]}/simple"
            settings |= {"PIP_CONFIG_FILE": os.devnull, "PIP_RETRIES": "1", "no_proxy": "*"}
            done = run(lab, "test", **settings)
        assert done.returncode == 1
        assert done.stderr.count("\n") == 1
        return done

    def test_a_python_without_ssl_is_named_and_not_the_network(self, whole, tmp_path):
        (tmp_path / "ssl.py").write_text("raise ImportError('no _ssl')")
        done = self.install_from_nobody(whole, "https", PYTHONPATH=str(tmp_path))
        assert "lab.py: this Python was built without its ssl module, take another" in done.stderr

    def test_no_network_is_one_sentence_with_pips_last_error(self, whole):
        done = self.install_from_nobody(whole, "http")
        assert "lab.py: there is no network: pip ends with" in done.stderr
        assert "ERROR: No matching distribution found for" in done.stderr
        assert f"{whole.LOG} has all it said" in done.stderr
        assert not whole.STAMP.exists()
        assert whole.diagnose()[0] == "broken"


@pytest.mark.slow
@pytest.mark.timeout(120)
def test_lesson_00_is_served_until_the_command_is_ended(tmp_path):
    lab = load(ROOT)
    if not (ROOT / lab.LESSON).exists():
        pytest.skip("lesson 00 is not written yet")
    if lab.diagnose()[0] != "whole":
        pytest.skip("there is no environment yet: `python lab.py test` makes it")
    port = free_port()
    options = ["--no-browser", "--ip=127.0.0.1", f"--port={port}"]
    options += ["--ServerApp.port_retries=0", "--IdentityProvider.token=ours"]
    folders = ("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR", "IPYTHONDIR")
    output = tmp_path / "output"
    with output.open("wb") as file:
        server = psutil.Popen(
            [sys.executable, "lab.py", *options],
            cwd=ROOT,
            env={**os.environ, **{name: str(tmp_path / name) for name in folders}},
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=file,
        )
    processes = [server]
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    slow = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    headers = {"Authorization": "token ours"}
    try:
        wait_until(lambda: answers(port), server, output)
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/?token=ours") as page:
            assert page.url.partition("?")[0].endswith(f":{port}/lab/tree/{lab.LESSON}")
            written = re.search(
                r'id="jupyter-config-data"[^>]*>(.+?)</script>', page.read().decode(), re.S
            )
            assert json.loads(written[1])["disabledExtensions"] == ["ipyparallel-labextension"]
        connection.request("GET", f"/lab/api/settings/{NOTIFICATIONS}", headers=headers)
        shown = json.load(connection.getresponse())["schema"]["properties"]
        assert shown["fetchNews"]["default"] == "false"  # or the page asks, over the lesson
        # This takes a thread a while, and to be ended meanwhile once made JupyterLab hang.
        slow.request("GET", "/api/nbconvert", headers=headers)
        connection.request("GET", f"/api/contents/{lab.LESSON}?content=0", headers=headers)
        assert json.load(connection.getresponse())["type"] == "notebook"
    finally:
        connection.close()
        slow.close()
        processes += server.children(recursive=True) if server.is_running() else []
        # On Windows the command is a parent that nothing tells of its end: end JupyterLab.
        for process in processes[1:] if sys.platform == "win32" else processes[:1]:
            process.terminate()
        _, left = psutil.wait_procs(processes, timeout=20)
        for process in left:
            process.kill()
    assert left == []
    assert not answers(port)
    assert "Traceback" not in output.read_text(errors="replace") or sys.platform == "win32"
    if sys.platform != "win32":
        assert server.returncode == 0
        assert list((tmp_path / "JUPYTER_RUNTIME_DIR").glob("*server-*")) == []


def answers(port):
    """Tell whether somebody accepts connections on `port`."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def wait_until(condition, process, output):
    """Wait until `condition` holds, which it soon does unless `process` ended: then show why."""
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline, output.read_text(errors="replace")
        with contextlib.suppress(subprocess.TimeoutExpired, psutil.TimeoutExpired):
            process.wait(timeout=0.05)
            pytest.fail(output.read_text(errors="replace"))
