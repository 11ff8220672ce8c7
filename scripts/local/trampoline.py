"""Become a server that ends with its owner: `trampoline.py OWNER_PID SIGNAL UID GID -- COMMAND...`.

Runs as a file of its own (`python -I -S trampoline.py`) between fork and exec, because the work
must be done in the child and a `preexec_fn` is unsafe beside threads. Takes another user's rights
(UID -1: keeps them), asks the kernel for SIGNAL when the owner dies (Linux only), and becomes the
command. The order matters: a change of user clears the kernel's promise.
"""

import ctypes
import os
import sys

PR_SET_PDEATHSIG = 1
KEEP = -1
ARGUMENTS = 6


def main() -> None:
    """Do as the arguments say; never returns."""
    owner, signal_number, uid, gid = map(int, sys.argv[1:5])
    command = sys.argv[ARGUMENTS:]
    if uid != KEEP:
        os.setgroups([])
        os.setgid(gid)
        os.setuid(uid)
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal_number, 0, 0, 0)
        if os.getppid() != owner:  # it died before the promise was made
            os._exit(1)
    os.execv(command[0], command)  # noqa: S606 - no shell wanted


if __name__ == "__main__":
    main()
