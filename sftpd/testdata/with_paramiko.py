"""What scripts do with paramiko. Arguments: port, user, password. Ends with an error at the first thing that goes wrong."""

import io
import os
import random
import sys

import paramiko

port, user, password = int(sys.argv[1]), sys.argv[2], sys.argv[3]


def connect(rekey=None, **window):
    transport = paramiko.Transport(("127.0.0.1", port))
    if rekey:
        transport.packetizer.REKEY_BYTES = rekey
    transport.connect(username=user, password=password)
    return paramiko.SFTPClient.from_transport(transport, **window)


def stored(path, want):
    with sftp.open(path, "rb") as f:
        got = f.read()
    assert got == want, f"{path}: {len(got)} bytes, want {len(want)}"


def refused(call, *args):
    try:
        call(*args)
    except IOError:
        return
    raise AssertionError(f"{call.__name__}{args} was not refused")


data = random.Random(1).randbytes(1_000_001)
sftp = connect()

# put asks for the size right after CLOSE.
assert sftp.putfo(io.BytesIO(data), "/inbox/put.csv", len(data), confirm=True).st_size == len(data)
stored("/inbox/put.csv", data)
back = io.BytesIO()
sftp.getfo("/inbox/put.csv", back)  # with prefetch
assert back.getvalue() == data

# Every way of opening.
with sftp.open("/inbox/modes.csv", "w") as f:
    f.write("one\n")
    f.utime((1, 1_500_000_000))
    assert f.stat().st_size == 4
assert sftp.stat("/inbox/modes.csv").st_mtime == 1_500_000_000
with sftp.open("/inbox/modes.csv", "a") as f:
    f.write("two\n")
with sftp.open("/inbox/modes.csv", "r+") as f:
    assert f.read() == b"one\ntwo\n"
with sftp.open("/inbox/modes.csv", "r+") as f:
    f.seek(0, os.SEEK_END)
    f.write("three\n")
stored("/inbox/modes.csv", b"one\ntwo\nthree\n")
with sftp.open("/inbox/modes.csv", "w") as f:
    f.write("again\n")
stored("/inbox/modes.csv", b"again\n")
with sftp.open("/inbox/new.csv", "wx") as f:
    f.write("x")
refused(sftp.open, "/inbox/new.csv", "wx")

# In order without waiting for answers, and in no order.
with sftp.open("/inbox/pipelined.csv", "wb") as f:
    f.set_pipelined(True)
    for at in range(0, len(data), 10_000):
        f.write(data[at : at + 10_000])
stored("/inbox/pipelined.csv", data)
pieces = list(range(0, len(data), 32_768))
random.Random(2).shuffle(pieces)
with sftp.open("/inbox/shuffled.csv", "wb") as f:
    for at in pieces:
        f.seek(at)
        f.write(data[at : at + 32_768])
stored("/inbox/shuffled.csv", data)
with sftp.open("/inbox/shuffled.csv", "rb") as f:
    places = [(at, 1000) for at in (900_000, 5, 400_000, 999_500, 100)]
    for (at, n), got in zip(places, f.readv(places)):
        assert got == data[at : at + n]

# Names.
sftp.mkdir("/inbox/sub")
refused(sftp.mkdir, "/inbox/sub")
refused(sftp.mkdir, "/inbox/none/sub")
sftp.rename("/inbox/put.csv", "/inbox/sub/put.csv")
refused(sftp.rename, "/inbox/sub/put.csv", "/inbox/modes.csv")
sftp.posix_rename("/inbox/sub/put.csv", "/inbox/modes.csv")
stored("/inbox/modes.csv", data)
refused(sftp.rmdir, "/inbox")
sftp.rmdir("/inbox/sub")
sftp.remove("/inbox/new.csv")
refused(sftp.remove, "/inbox/new.csv")
names = [a.filename for a in sftp.listdir_attr("/inbox")]
assert names == ["modes.csv", "pipelined.csv", "shuffled.csv"], names
assert sftp.normalize("../../x.csv") == "/inbox/x.csv"

# Attributes.
sftp.chmod("/inbox/modes.csv", 0o600)
sftp.chown("/inbox/modes.csv", 1000, 1000)
sftp.utime("/inbox/modes.csv", (1, 1_600_000_000))
assert sftp.stat("/inbox/modes.csv").st_mtime == 1_600_000_000
refused(sftp.truncate, "/inbox/modes.csv", 10)
sftp.truncate("/inbox/modes.csv", 0)
assert sftp.stat("/inbox/modes.csv").st_size == 0

# A small window with small packets, and new keys in the middle of a file.
sftp.close()
sftp = connect(rekey=1 << 18, window_size=1 << 15, max_packet_size=1 << 12)
sftp.putfo(io.BytesIO(data[:300_000]), "/inbox/small.csv")
stored("/inbox/small.csv", data[:300_000])
