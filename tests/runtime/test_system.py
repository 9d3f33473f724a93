"""What POSIX alone has is needed by nothing at import: all of vidstyle is imported as on a system
without it."""

import subprocess
import sys

#: Modules and attributes that Windows lacks. Other packages are imported before these go.
PROGRAM = """
import importlib, os, pkgutil, signal, socket, sys, time
import vidstyle

MODULES = "fcntl grp pty pwd readline resource syslog termios tty".split()
GONE = {
    os: "fork getuid geteuid getgid killpg setsid uname sched_getaffinity getloadavg mkfifo "
    "pread pwrite statvfs chown nice wait3 wait4 register_at_fork",
    signal: "SIGHUP SIGKILL SIGQUIT SIGUSR1 SIGUSR2 SIGALRM SIGPIPE SIGCHLD SIGSTOP SIGCONT "
    "setitimer alarm pause pthread_sigmask sigwait",
    socket: "AF_UNIX",
    time: "tzset",
}

def importable():
    # Of an extra that is not installed, the modules are left out.
    for each in pkgutil.walk_packages(vidstyle.__path__, "vidstyle."):
        if not each.name.endswith("__main__"):
            try:
                importlib.import_module(each.name)
            except ModuleNotFoundError as error:
                assert error.name and not error.name.startswith("vidstyle"), error
            else:
                yield each.name

names = [*importable()]
for name in [name for name in sys.modules if name.partition(".")[0] == "vidstyle"]:
    del sys.modules[name]
for name in MODULES:
    sys.modules[name] = None
for module, gone in GONE.items():
    for name in gone.split():
        if hasattr(module, name):
            delattr(module, name)
assert len(names) > 200, len(names)
for name in names:
    importlib.import_module(name)
from vidstyle.cli import cli
cli.main(["--help"], standalone_mode=False)
"""


def test_everything_imports_without_what_only_posix_has() -> None:
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", PROGRAM], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert "render" in done.stdout
