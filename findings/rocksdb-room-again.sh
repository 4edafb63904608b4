#!/bin/sh
# RocksDB by rocksdict 0.3.29: once a write to the log has failed for want of room, every later write of the same object fails with the
# first error, also when there is room again, and reads go on. Only a new object over the folder writes again.
# For us: the second failed write in a row is `Cause::Stopped`, which says so (docs/architecture.md, "RocksDB").
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet rocksdict==0.3.29
"$folder/venv/bin/python" - "$folder/state" <<'PYTHON'
import resource
import signal
import sys
import time

from rocksdict import Options, Rdict

# A file that may not grow stands for a disk without room.
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
path = sys.argv[1]
state = Rdict(path, Options(raw_mode=True))
state[b"before"] = b"1"
_, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
resource.setrlimit(resource.RLIMIT_FSIZE, (64 << 10, hard))
failed = None
for number in range(100):
    try:
        state[b"big/%d" % number] = bytes(4 << 10)
    except Exception as error:
        failed = str(error)
        break
assert failed, "the limit was not reached"
resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
time.sleep(3)
try:
    state[b"after"] = b"1"
    again = None
except Exception as error:
    again = str(error)
print("without room:", failed)
print("with room again:", again)
assert again is not None, "it writes again"
assert state[b"before"] == b"1"
try:
    state.close()
except Exception as error:
    # It reports the failure once more, and closes.
    print("closing:", error)
del state
state = Rdict(path, Options(raw_mode=True))
state[b"after"] = b"1"
assert (state[b"before"], state[b"after"]) == (b"1", b"1")
print("opened anew: writes again")
PYTHON
