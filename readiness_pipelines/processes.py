"""Processes of this machine, and whether they are still there."""

import os
import socket
from pathlib import Path


def this_process() -> str:
    """What tells this process from any other, on any machine, before and after a restart."""
    return f"{socket.gethostname()} {os.getpid()} {_began(os.getpid())}"


def is_alive(process: str) -> bool:
    """Whether a process that `this_process` named is there; one of another machine is taken to be."""
    host, pid, began = process.split(" ", 2)
    return host != socket.gethostname() or (is_there(int(pid)) and _began(int(pid)) == began)


def is_there(pid: int) -> bool:
    """Whether a process of this machine has a number now."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass  # somebody else's
    return True


def _began(pid: int) -> str:
    """When a process began, since which start of the machine; "" where the system does not say."""
    try:
        # The name, in parentheses, may hold blanks; the 20th field after it is the start, in ticks (proc_pid_stat(5)).
        ticks = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19]
        return f"{ticks} {Path('/proc/sys/kernel/random/boot_id').read_text().strip()}"
    except OSError:
        return ""
