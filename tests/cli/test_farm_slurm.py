"""``vidstyle farm --engine slurm``, run by Slurm itself: a cluster of this machine alone."""

import getpass
import os
import platform
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

PROGRAMS = ("munged", "slurmctld", "slurmd", "sbatch", "srun", "sinfo")

SETTINGS = ("--device", "cpu", "--batch", 4, "--segment", 6, "--preroll", 3, "--codec", "ffv1")

_CONFIGURATION = """\
ClusterName=test
SlurmctldHost={host}(127.0.0.1)
SlurmUser={user}
SlurmdUser={user}
AuthType=auth/munge
AuthInfo=socket={folder}/munge/socket
SlurmctldPort={ports[0]}
SlurmdPort={ports[1]}
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SchedulerParameters=batch_sched_delay=0,sched_min_interval=0
ReturnToService=2
NodeName={host} NodeAddr=127.0.0.1 CPUs=2 RealMemory={memory} State=UNKNOWN
PartitionName=test Nodes=ALL Default=YES MaxTime=INFINITE State=UP
"""


def program(name: str) -> str | None:
    """Debian keeps the daemons where only root looks."""
    return shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")


@contextmanager
def running(*command: object, log: Path) -> Iterator[None]:
    with log.open("w") as told:
        process = subprocess.Popen(
            list(map(str, command)), stdout=told, stderr=told, stdin=subprocess.DEVNULL
        )
    try:
        yield
    finally:
        process.terminate()
        process.wait(30)


@pytest.fixture
def cluster(tmp_path_factory: pytest.TempPathFactory, monkeypatch) -> Iterator[None]:
    """A cluster of one node, with a MUNGE of its own, reached through ``SLURM_CONF``."""
    missing = [name for name in PROGRAMS if program(name) is None]
    if missing:
        pytest.skip(f"no Slurm on this machine: {missing[0]} is missing")
    folder, host = tmp_path_factory.mktemp("slurm"), platform.node().partition(".")[0]
    for name in ("state", "spool", "munge"):
        (folder / name).mkdir(mode=0o700)
    key = folder / "munge" / "key"
    key.write_bytes(os.urandom(128))
    key.chmod(0o400)
    configuration = folder / "slurm.conf"
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2**20
    configuration.write_text(
        _CONFIGURATION.format(
            host=host, user=getpass.getuser(), folder=folder, ports=two_ports(), memory=memory
        )
    )
    monkeypatch.setenv("SLURM_CONF", str(configuration))
    files = {"key-file": "key", "socket": "socket", "pid-file": "pid", "seed-file": "seed"}
    munge = [f"--{option}={folder}/munge/{name}" for option, name in files.items()]
    with ExitStack() as stack:
        for command in (
            (program("munged"), "--foreground", "--force", "--num-threads=1", *munge),
            (program("slurmctld"), "-D"),
            (program("slurmd"), "-D"),
        ):
            log = folder / f"{Path(str(command[0])).name}.out"
            stack.enter_context(running(*command, log=log))
            time.sleep(0.5)
        if not idle():
            logs = "; ".join(
                log.read_text().strip().rpartition("\n")[2] for log in folder.glob("*.out")
            )
            pytest.skip(f"Slurm's node does not come up here: {logs}")
        yield


def two_ports() -> list[int]:
    """That nobody listens at."""
    with socket.socket() as one, socket.socket() as other:
        for each in (one, other):
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in (one, other)]


def idle() -> bool:
    """Whether the node takes work, soon."""
    for _ in range(60):
        told = subprocess.run(
            ["sinfo", "--noheader", "--format=%T"], capture_output=True, text=True, check=False
        )
        if told.stdout.strip() == "idle":
            return True
        time.sleep(0.5)
    return False


@pytest.mark.usefixtures("cluster")
def test_an_array_makes_the_same_frames(
    vidstyle, packets, shot, style_picture, tiny_model, tmp_path: Path
) -> None:
    settings = (shot.clip, "--style", style_picture, "--model", tiny_model, *SETTINGS)
    one, joined, script = tmp_path / "one.mkv", tmp_path / "joined.mkv", tmp_path / "job.sh"
    assert vidstyle("-q", "render", *settings, "-o", one).code == 0
    outcome = vidstyle(
        "-q", "farm", *settings, "--work", tmp_path / "work", "--job", script, "-o", joined,
        "--chunk", 1, "--engine", "slurm", "--program", f"{sys.executable} -m vidstyle",
    )  # fmt: skip
    assert outcome.code == 0, outcome.err
    logs = f"--output={tmp_path}/%j.log"
    submitted = subprocess.run(["bash", script, logs], check=False, text=True, capture_output=True)
    assert submitted.returncode == 0, submitted.stderr
    last = submitted.stdout.split()[-1]
    # Waits for the join, whatever becomes of it.
    wait = ["srun", f"--dependency=afterany:{last}", "--ntasks=1", "true"]
    subprocess.run(wait, check=True, timeout=600)
    told = "\n".join(log.read_text() for log in sorted(tmp_path.glob("*.log")))
    assert joined.exists(), told
    assert packets(joined) == packets(one)
