"""A real Slurm of one node in a private folder: munged, slurmctld and slurmd, without systemd, as root.

Nothing of a Slurm that the machine may have is touched: own ports, own key, own configuration (SLURM_CONF).
"""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

PATIENCE_SECONDS = 30.0
PROGRAMS = ("munged", "slurmctld", "slurmd", "sbatch")

# Every interval is as short as Slurm takes it: a scheduler that thinks once in half a minute is fine for jobs of
# hours, and would make these tests wait for nothing. MessageTimeout stays long, since machines that test are busy.
CONFIGURATION = """
ClusterName=probatum-test
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={controller}
SlurmdPort={node}
SlurmUser=root
AuthType=auth/munge
AuthInfo=socket={folder}/munge/socket
CryptoType=crypto/munge
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SwitchType=switch/none
MpiDefault=none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
SchedulerType=sched/backfill
SchedulerParameters=sched_interval=1,bf_interval=1
PriorityType=priority/basic
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
JobCompType=jobcomp/none
KillWait=2
MinJobAge=10
MessageTimeout=30
MaxArraySize={array_size}
ReturnToService=2
SlurmdParameters=config_overrides
NodeName={host} NodeAddr=127.0.0.1 CPUs={cpus} RealMemory=1024 State=UNKNOWN
PartitionName=main Nodes={host} Default=YES DefaultTime=60 MaxTime=UNLIMITED State=UP
"""


def missing() -> str:
    """Return why there can be no cluster here, or an empty text."""
    absent = [program for program in PROGRAMS if shutil.which(program) is None]
    if absent:
        return f"Slurm is not installed ({', '.join(absent)}): apt-get install slurm-wlm munge"
    return "" if os.geteuid() == 0 else "only root can start a Slurm of its own"


@contextmanager
def slurm_cluster(cpus: int = 16, array_size: int = 1001) -> Iterator[Path]:
    """Start a cluster, set SLURM_CONF, and yield the cluster's folder; stop it whole at the end.

    The node says that it has 16 cores whatever the machine has: the jobs of the tests sleep.
    """
    # A socket's name holds 107 characters: below pytest's folders it would be too long.
    folder = Path(tempfile.mkdtemp(prefix="slurm-", dir="/tmp"))
    earlier = os.environ.get("SLURM_CONF")
    with ExitStack() as stack:
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        _configure(folder, cpus, array_size)
        os.environ["SLURM_CONF"] = str(folder / "slurm.conf")
        stack.callback(_restore, "SLURM_CONF", earlier)
        _start_munge(folder, stack)
        stack.enter_context(daemon(["slurmctld", "-D", "-i"], folder))
        stack.enter_context(daemon(["slurmd", "-D"], folder))
        stack.callback(_end_jobs)
        until(_is_ready, folder)
        yield folder


@contextmanager
def daemon(command: list[str], folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Run a daemon in the foreground, in its own session; its output goes to a file of the cluster's folder."""
    with (folder / f"{command[0]}.out").open("ab") as out:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out, stderr=out, cwd=folder,
                                   start_new_session=True)  # fmt: skip
    try:
        yield process
    finally:
        _stop(process)


def until(condition: Callable[[], object], folder: Path | None = None) -> None:
    """Wait until a condition holds; else fail with the last words of the daemons."""
    end = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        if time.monotonic() > end:
            logs = [*folder.glob("*.log"), *folder.glob("*.out")] if folder else []
            said = "".join(f"\n{log.name}:\n{log.read_text()[-1500:]}" for log in logs)
            raise AssertionError(f"the condition never held{said}")
        time.sleep(0.02)


def _configure(folder: Path, cpus: int, array_size: int) -> None:
    for name in ("munge", "state", "spool"):
        (folder / name).mkdir(mode=0o755)
    folder.chmod(0o755)  # munge's socket must be reachable
    host = socket.gethostname().split(".")[0]
    controller, node = _free_ports()
    values = {"folder": folder, "host": host, "controller": controller, "node": node, "cpus": cpus}
    (folder / "slurm.conf").write_text(CONFIGURATION.format(**values, array_size=array_size))


def _start_munge(folder: Path, stack: ExitStack) -> None:
    key, socket_file = folder / "munge/key", folder / "munge/socket"
    key.write_bytes(secrets.token_bytes(128))
    key.chmod(0o400)
    names = {"socket": socket_file, "key-file": key, "pid-file": folder / "munge/pid",
             "log-file": folder / "munge/log", "seed-file": folder / "munge/seed"}  # fmt: skip
    words = [f"--{name}={path}" for name, path in names.items()]
    # --force: /tmp is writable for all, which munge dislikes in the path of its key and its socket
    stack.enter_context(daemon(["munged", "--foreground", "--force", "--num-threads=2", *words], folder))
    until(socket_file.exists, folder)


def _is_ready() -> bool:
    found = subprocess.run(["sinfo", "-h", "-o", "%t"], capture_output=True, text=True, check=False)
    return found.stdout.strip() == "idle"


def _end_jobs() -> None:
    """Stop the jobs with their cluster: a program in its own session would outlive the daemons."""
    subprocess.run(["scancel", "--user", "root"], capture_output=True, check=False)
    end = time.monotonic() + 10
    while time.monotonic() < end:
        if not subprocess.run(["squeue", "-h"], capture_output=True, check=False).stdout.strip():
            return
        time.sleep(0.05)


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _free_ports() -> tuple[int, int]:
    with socket.socket() as one, socket.socket() as other:
        one.bind(("127.0.0.1", 0))
        other.bind(("127.0.0.1", 0))
        return one.getsockname()[1], other.getsockname()[1]


def _restore(name: str, value: str | None) -> None:
    if value is None:
        os.environ.pop(name, None)
    else:
        os.environ[name] = value
