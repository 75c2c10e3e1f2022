"""A tour through the functions that every namespace has, with each namespace's own generation of them."""

import pytest
from script import At, Script, run, start

from runtime.env import WasiEnvBuilder
from runtime.hostcalls import PREVIEW1, UNSTABLE, WASIX

FD, FD2, SIZE, IOVS, BUFFER, STAT, PATHS, VALUE = 0, 4, 8, 32, 1024, 2048, 3000, 512
ALL = 0x1FFF_FFFF
SET = {UNSTABLE: 2, PREVIEW1: 0, WASIX: 0}


def put(script: Script, *names: str) -> dict[str, tuple[int, int]]:
    places, at = {}, PATHS
    for name in names:
        script.put(at, name.encode())
        places[name] = at, len(name)
        at += 16
    return places


@pytest.mark.parametrize("namespace", [UNSTABLE, PREVIEW1, WASIX])
def test_files_and_directories(namespace: str) -> None:
    script = (
        Script(namespace=namespace).put(BUFFER, b"0123456789").iov(IOVS, (BUFFER, 10)).iov(IOVS + 8, (BUFFER + 50, 4))
    )
    path = put(script, "dir", "dir/a", "dir/b", "link", "dir/c")
    script.call("path_create_directory", 3, *path["dir"])
    script.call("path_open", 3, 0, *path["dir/a"], 1, ALL, ALL, 0, FD)
    script.call("fd_write", At(FD), IOVS, 1, SIZE).call("fd_pwrite", At(FD), IOVS, 1, 5, SIZE)
    script.call("fd_seek", At(FD), 2, SET[namespace], VALUE).call("fd_tell", At(FD), VALUE).show(VALUE, 1)
    script.call("fd_read", At(FD), IOVS + 8, 1, SIZE).show(BUFFER + 50, 4)
    script.call("fd_pread", At(FD), IOVS + 8, 1, 11, SIZE).show(BUFFER + 50, 4)
    script.call("fd_advise", At(FD), 0, 10, 0).call("fd_allocate", At(FD), 0, 20)
    script.call("fd_filestat_set_size", At(FD), 18).call("fd_filestat_set_times", At(FD), 1_000, 2_000, 5)
    script.call("fd_filestat_get", At(FD), STAT).show(STAT + (24 if namespace == UNSTABLE else 32), 8)
    script.call("fd_sync", At(FD)).call("fd_datasync", At(FD))
    script.call("fd_fdstat_get", At(FD), STAT).show(STAT, 1)
    script.call("fd_fdstat_set_flags", At(FD), 1).call("fd_fdstat_set_rights", At(FD), 0x42, 0)
    script.call("path_link", 3, 0, *path["dir/a"], 3, *path["dir/b"])
    script.call("path_symlink", *path["dir/b"], 3, *path["link"])
    script.call("path_readlink", 3, *path["link"], BUFFER + 50, 20, SIZE).show(BUFFER + 50, 5)
    script.call("path_filestat_get", 3, 1, *path["link"], STAT).show(STAT + (20 if namespace == UNSTABLE else 24), 1)
    script.call("path_filestat_set_times", 3, 1, *path["link"], 0, 3_000, 4)
    script.call("path_rename", 3, *path["dir/a"], 3, *path["dir/c"])
    script.call("path_open", 3, 0, *path["dir"], 2, ALL, ALL, 0, FD2)
    script.call("fd_readdir", At(FD2), STAT, 500, 0, SIZE).call("fd_renumber", At(FD2), At(FD)).call("fd_close", At(FD))
    script.call("path_unlink_file", 3, *path["dir/b"]).call("path_unlink_file", 3, *path["dir/c"])
    script.call("path_remove_directory", 3, *path["dir"])
    # The position, what was read there and at 11, the size, the type, where the link leads, and the count of links.
    assert run(script) == b"\x022340" + b"6789" + (18).to_bytes(8, "little") + b"\4dir/b\2"


@pytest.mark.parametrize("namespace", [UNSTABLE, PREVIEW1, WASIX])
def test_the_process_itself(namespace: str) -> None:
    script = Script(namespace=namespace)
    script.call("args_sizes_get", VALUE, VALUE + 4).show(VALUE, 8).call("args_get", STAT, BUFFER).show(BUFFER, 9)
    script.call("environ_sizes_get", VALUE, VALUE + 4).show(VALUE, 8).call("environ_get", STAT, BUFFER).show(BUFFER, 4)
    script.call("clock_res_get", 1, VALUE).call("clock_time_get", 1, 1, VALUE).call("random_get", BUFFER, 9)
    script.call("fd_prestat_get", 3, VALUE).show(VALUE, 8).call("fd_prestat_dir_name", 3, BUFFER, 1).show(BUFFER, 1)
    script.call("sched_yield").call("proc_raise", 0 if namespace == WASIX else 17)

    def configure(builder: WasiEnvBuilder) -> None:
        builder.args(["b"]).env("A", "1")

    assert run(script, configure) == (
        b"\2\0\0\0\x09\0\0\0script\0b\0" + b"\1\0\0\0\4\0\0\0A=1\0" + b"\0\0\0\0\1\0\0\0/"
    )


@pytest.mark.parametrize("namespace", [UNSTABLE, PREVIEW1, WASIX])
def test_an_exit_code(namespace: str) -> None:
    guest = start(Script(namespace=namespace).call("proc_exit", 300).call("sched_yield"))
    assert guest.process.wait(20) == 300
