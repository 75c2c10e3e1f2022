"""The table of host functions: complete, tested and up to date."""

import importlib.util
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[3]
sys.path.append(str(Path(__file__).parents[1]))

from abi_coverage import test_of as covering  # noqa: E402

from runtime.hostcalls import WASIX, declared  # noqa: E402
from runtime.syscalls import families  # noqa: E402

HEADER = tuple("""
clock_time_set fd_dup fd_dup2 fd_event fd_pipe tty_get tty_set getcwd chdir callback_signal thread_spawn_v2
thread_sleep thread_id thread_join thread_parallelism thread_signal futex_wait futex_wake futex_wake_all thread_exit
stack_checkpoint stack_restore path_open2 fd_fdflags_get fd_fdflags_set proc_raise_interval proc_fork proc_exec
proc_exec2 proc_exec3 proc_spawn proc_spawn2 proc_id proc_parent proc_join proc_signal proc_signals_get
proc_signals_sizes_get proc_snapshot port_bridge port_unbridge port_dhcp_acquire port_addr_add port_addr_remove
port_addr_clear port_mac port_addr_list port_gateway_set port_route_add port_route_remove port_route_clear
port_route_list sock_status sock_addr_local sock_addr_peer sock_open sock_pair sock_set_opt_flag sock_get_opt_flag
sock_set_opt_time sock_get_opt_time sock_set_opt_size sock_get_opt_size sock_join_multicast_v4 sock_leave_multicast_v4
sock_join_multicast_v6 sock_leave_multicast_v6 sock_bind sock_listen sock_accept_v2 sock_connect sock_recv_from
sock_send_to sock_send_file resolve epoll_create epoll_ctl epoll_wait dl_invalid_handle dlopen dlsym call_dynamic
closure_prepare closure_allocate closure_free
""".split())  # fmt: skip  # noqa: SIM905
"""The functions of `api_wasix.h`, in its order."""


def test_every_function_of_the_header_is_there() -> None:
    families.load()
    assert len(HEADER) == len(set(HEADER)) == 85
    assert set(HEADER) <= {call.name for call in declared() if call.namespace == WASIX}


def test_a_guest_is_given_the_families_that_it_imports() -> None:
    """In a Python of its own, where nothing is loaded but for each function in its turn."""
    families.load()
    code = (
        "import sys; from runtime import hostcalls; from runtime.syscalls import families\n"
        "for each in sys.argv[1:]:\n"
        "    namespace, name, signature = each.split('.')\n"
        "    hostcalls._declared.clear(); families._loaded.clear()\n"
        "    for module in [m for m in sys.modules if m.startswith('runtime.syscalls.') and m != families.__name__]:\n"
        "        del sys.modules[module]\n"
        "    families.load_for([(namespace, name)])\n"
        "    found = [call.signature for call in hostcalls.declared() if call[:2] == (namespace, name)]\n"
        "    assert signature in found, each\n"
    )
    names = [f"{call.namespace}.{call.name}.{call.signature}" for call in declared()]
    subprocess.run([sys.executable, "-c", code, *names], check=True, cwd=ROOT, timeout=60)


def test_every_function_has_a_test() -> None:
    families.load()
    assert [name for name in sorted({call.name for call in declared()}) if covering(name) is None] == []


def test_the_table_is_up_to_date() -> None:
    spec = importlib.util.spec_from_file_location("generate_abi", ROOT / "docs" / "generate_abi.py")
    assert spec is not None and spec.loader is not None
    generator = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(generator)
    assert generator.TARGET.read_text() == generator.table(), "run python docs/generate_abi.py"
