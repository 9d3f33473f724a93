"""``vidstyle farm``: the job says what was asked, whatever names look like, and runs."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

Submit = Callable[..., list[list[str]]]

NASTY = 'it\'s "so" $(touch pwned) `touch pwned`\n--{{Param.Work}} ; #%s'
SETTINGS = ("--device", "cpu", "--batch", 4, "--segment", 6, "--preroll", 3, "--codec", "ffv1")

_RECORD = """\
import json, sys
with open(sys.argv[1], "a") as record:
    record.write(json.dumps(sys.argv[2:]) + "\\n")
"""

# Runs a job at once instead of queueing it: as much of Slurm as the script needs.
_SBATCH = """\
#!/bin/bash
echo "$@" >> "$(dirname "$0")/calls"
for word in "$@"; do
    case $word in
        --wrap=*) command=${word#--wrap=} ;;
        --array=0-*) last=${word#--array=0-} ;;
    esac
done
for task in $(seq 0 "${last:-0}"); do
    SLURM_ARRAY_TASK_ID=$task bash -c "$command" || exit 1
done
echo 7
"""


@pytest.fixture
def nasty(tmp_path: Path) -> Path:
    """A folder with an unlucky name."""
    folder = tmp_path / NASTY
    folder.mkdir()
    return folder


@pytest.fixture
def record(tmp_path: Path) -> Path:
    """A program that notes what it is called with."""
    program = tmp_path / "record.py"
    program.write_text(_RECORD)
    return program


@pytest.fixture
def calls(vidstyle, shot, style_picture, nasty: Path, record: Path, tmp_path: Path) -> Submit:
    """Submit a job of nasty names to an engine, and give what vidstyle was called with."""

    def call(engine: str) -> list[list[str]]:
        clip = nasty / "clip.mp4"
        clip.write_bytes(shot.clip.read_bytes())
        job, noted = tmp_path / "job", tmp_path / "noted"
        local = ("--submit", "local") if engine == "openjd" else ()
        outcome = vidstyle(
            "-q", "farm", clip, "--style", style_picture, "--object", f"mask:{NASTY}",
            "--exclude", NASTY, "--model", NASTY, "--invert", "--work", nasty / "work",
            "-o", nasty / "out.mkv", *SETTINGS, "--chunk", 2, "--engine", engine, *local,
            "--job", job, "--program", f"{sys.executable} {record} {noted}",
        )  # fmt: skip
        assert outcome.code == 0, outcome.err
        if engine == "slurm":
            submit(job, tmp_path)
        return [json.loads(line) for line in noted.read_text().splitlines()]

    return call


def submit(job: Path, folder: Path) -> None:
    """Run a script with a stand-in for sbatch."""
    sbatch = folder / "bin" / "sbatch"
    sbatch.parent.mkdir()
    sbatch.write_text(_SBATCH)
    sbatch.chmod(0o755)
    path = f"{sbatch.parent}{os.pathsep}{os.environ['PATH']}"
    subprocess.run(["bash", str(job)], check=True, cwd=folder, env={**os.environ, "PATH": path})


@pytest.mark.parametrize("engine", ["openjd", "slurm"])
def test_every_name_arrives_as_it_is(calls: Submit, nasty: Path, engine: str) -> None:
    analyse, *tasks, join = calls(engine)
    clip, work = str(nasty / "clip.mp4"), str(nasty / "work")
    assert analyse[:4] == ["analyse", clip, "--work", work]
    assert analyse[analyse.index("--object") + 1] == f"mask:{Path.cwd()}/{NASTY}"
    assert analyse[analyse.index("--exclude") + 1] == NASTY
    assert analyse[analyse.index("--model") + 1] == NASTY
    assert "--invert" in analyse
    ranges = [task[task.index("--segments") + 1] for task in tasks]
    assert ranges in (["0-1", "2-2"], ["0-1", "2"])
    assert all(task[:4] == ["segment-render", clip, "--work", work] for task in tasks)
    assert join[:4] == ["join", clip, "--work", work]
    assert join[join.index("-o") + 1] == str(nasty / "out.mkv")
    assert not list(nasty.parent.rglob("pwned"))


def test_a_template_asks_for_what_it_needs(vidstyle, shot, style_picture, tmp_path: Path) -> None:
    job = tmp_path / "job.yaml"
    outcome = vidstyle(
        "farm", shot.clip, "--style", style_picture, "--work", tmp_path / "w", "--job", job,
        "--device", "cuda", "--gpu-memory", 8000, "--minutes", 10,
    )  # fmt: skip
    assert outcome.code == 0
    content = yaml.safe_load(job.read_text())
    render = content["steps"][1]
    amounts = {each["name"]: each["min"] for each in render["hostRequirements"]["amounts"]}
    assert amounts["amount.worker.gpu"] == 1
    assert amounts["amount.worker.gpu.memory"] == 8000
    action = render["script"]["actions"]["onRun"]
    assert action["timeout"] == 600
    assert action["cancelation"]["mode"] == "NOTIFY_THEN_TERMINATE"
    assert "TASK_CHUNKING" in content["extensions"]
    paths = json.loads((tmp_path / "job.paths.json").read_text())
    of_paths = {p["name"] for p in content["parameterDefinitions"] if p["type"] == "PATH"}
    assert of_paths == paths.keys() == {"Input", "Style1", "Work", "Output"}


def test_what_is_found_here_is_found_from_any_folder(
    vidstyle, shot, style_picture, tmp_path: Path, monkeypatch
) -> None:
    """A farm starts commands in folders of its own. What goes by a name keeps it."""
    monkeypatch.chdir(tmp_path)
    for name in ("mine", "sam", "owl", "micro.onnx"):
        Path(name).mkdir()
    outcome = vidstyle(
        "farm", shot.clip, "--style", style_picture, "--work", "w", "--job", "job.yaml",
        "--object", "person+mask:a+b.png#2@3", "--exclude", "matte:m.%04d.png",
        "--exclude", "matte:/m/", "--model", "./mine", "--segmenter", "sam", "--detector", "owl",
        "--backend", "micro.onnx", "--flow-cache", "flows",
    )  # fmt: skip
    assert outcome.code == 0, outcome.err
    content = yaml.safe_load(Path("job.yaml").read_text())
    given = {each["name"]: each.get("default") for each in content["parameterDefinitions"]}
    assert given["Object1"] == f"person+mask:{tmp_path}/a+b.png#2@3"
    assert given["Exclude1"] == f"matte:{tmp_path}/m.%04d.png"
    assert given["Exclude2"] == "matte:/m/"
    assert given["Model"] == str(tmp_path / "mine")
    assert given["Segmenter"] == "sam"
    assert given["Detector"] == str(tmp_path / "owl")
    assert given["Backend"] == str(tmp_path / "micro.onnx")
    assert json.loads(Path("job.paths.json").read_text())["FlowCache"] == str(tmp_path / "flows")


def test_run_by_openjd_it_is_the_render_of_the_grid(
    vidstyle, packets, shot, style_picture, tiny_model, tmp_path: Path
) -> None:
    """Three steps, two workers at once, which share what flow they estimate."""
    settings = (shot.clip, "--style", style_picture, "--model", tiny_model, *SETTINGS)
    one, joined, flows = tmp_path / "one.mkv", tmp_path / "joined.mkv", tmp_path / "flows"
    cached = ("--flow-cache", tmp_path / "other")
    assert vidstyle("-q", "render", *settings, *cached, "-o", one).code == 0
    outcome = vidstyle(
        "-q", "farm", *settings, "--work", tmp_path / "work", "--job", tmp_path / "job.yaml",
        "-o", joined, "--chunk", 2, "--submit", "local", "--workers", 2, "--flow-cache", flows,
        "--program", f"{sys.executable} -m vidstyle",
    )  # fmt: skip
    assert outcome.code == 0, outcome.err
    assert any(flows.iterdir())
    assert "openjd_progress: 100.0" in outcome.err
    assert packets(joined) == packets(one)


@pytest.mark.parametrize(
    ("old", "result"),
    [(("-o", "job.yaml", "--result", "out.mkv"), "out.mkv"), (("-o", "job.yaml"), None)],
)
def test_what_options_were_called_before_is_taken_with_a_warning(
    vidstyle, shot, style_picture, tmp_path, monkeypatch, caplog, old, result
) -> None:
    monkeypatch.chdir(tmp_path)
    clip = tmp_path / "shot.mp4"
    clip.symlink_to(shot.clip)
    done = vidstyle("-q", "farm", clip, "--style", style_picture, "--work", "work", *old)
    assert done.code == 0, done.err
    assert done.out == "job.yaml: 1 segment in 1 task\n"
    assert "use --job JOB -o CLIP" in caplog.text
    paths = json.loads(Path("job.paths.json").read_text())
    assert Path(paths["Output"]).name == (result or "shot.styled.mp4")


def test_a_job_needs_a_file(vidstyle, shot, style_picture, tmp_path: Path) -> None:
    call = ("farm", shot.clip, "--style", style_picture, "--work", tmp_path / "work")
    for more in ((), ("-o", tmp_path / "out.mkv")):
        done = vidstyle(*call, *more)
        assert (done.code, "--job is missing" in done.err) == (2, True)


def test_a_failed_step_ends_the_job(vidstyle, shot, style_picture, tmp_path: Path) -> None:
    program = tmp_path / "fail.py"
    program.write_text("print('openjd_fail: no luck'); raise SystemExit(3)")
    outcome = vidstyle(
        "-q", "farm", shot.clip, "--style", style_picture, "--work", tmp_path / "work",
        "--job", tmp_path / "job.yaml", "--submit", "local",
        "--program", f"{sys.executable} {program}",
    )  # fmt: skip
    assert outcome.code == 3
    assert "no luck" in outcome.err
    assert outcome.err.splitlines()[-1].startswith("vidstyle: ")


def test_what_fails_is_told_to_the_farm(vidstyle, shot, tmp_path: Path) -> None:
    command = ("segment-render", shot.clip, "--work", tmp_path, "--segments", 0)
    outcome = vidstyle(*command, "--progress", "openjd")
    assert outcome.code == 2
    assert outcome.out.startswith("openjd_fail: ")
    assert outcome.out.count("\n") == 1


def test_a_slurm_join_can_do_what_failed_tasks_left(
    vidstyle, shot, style_picture, tmp_path: Path
) -> None:
    job = tmp_path / "job.sh"
    outcome = vidstyle(
        "farm", shot.clip, "--style", style_picture, "--work", tmp_path / "w", "--engine", "slurm",
        "--job", job, "--gpus", 1, "--program", "true",
    )  # fmt: skip
    assert outcome.code == 0
    submit(job, tmp_path)
    analyse, render, join = (tmp_path / "bin" / "calls").read_text().splitlines()
    assert "--dependency=afterok:7" in render
    assert "--dependency=afterany:7" in join
    for call in (analyse, render, join):
        assert "--gpus=1" in call
        assert "--signal=B:TERM@60" in call


def test_a_job_needs_a_folder(vidstyle, shot, style_picture, tmp_path: Path) -> None:
    outcome = vidstyle(
        "-q", "farm", shot.clip, "--style", style_picture, "--work", tmp_path / "w",
        "--job", tmp_path / "nowhere" / "job.yaml",
    )  # fmt: skip
    assert outcome.code == 2
    assert "there is no folder" in outcome.err


def test_slurm_is_not_asked_for_what_it_cannot_choose(vidstyle, shot, style_picture, tmp_path):
    outcome = vidstyle(
        "farm", shot.clip, "--style", style_picture, "--work", tmp_path / "w", "--engine", "slurm",
        "--job", tmp_path / "job.sh", "--gpu-memory", 8000,
    )  # fmt: skip
    assert outcome.code == 2
    assert "--gpu-memory" in outcome.err
    assert "--constraint" in outcome.err
    assert not (tmp_path / "job.sh").exists()
