"""What every test may ask for."""

import os
import signal
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

ROOT = Path(__file__).parent.parent

# Shells start what runs in the background deaf to ^C and ^\, and children inherit that: many tests send these.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
if signal.getsignal(signal.SIGQUIT) is signal.SIG_IGN:
    signal.signal(signal.SIGQUIT, signal.SIG_DFL)

# How long an example takes says only how busy the machine is.
settings.register_profile("unhurried", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("unhurried")


@pytest.fixture(scope="session")
def conformance() -> Path:
    """The folder of real packages and programs beside the checkout; tests that need it skip where it is not."""
    folder = Path(os.environ.get("WPM_CONFORMANCE", ROOT.parent / "shared" / "conformance"))
    if not folder.is_dir():
        pytest.skip("the conformance folder is not here")
    return folder


@pytest.fixture(autouse=True)
def private_store(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep every test's store away from the user's own; one for each worker, so that modules compile once."""
    if "WPM_CACHE_DIR" not in os.environ:
        monkeypatch.setenv("WPM_CACHE_DIR", str(tmp_path_factory.getbasetemp() / "store"))


@pytest.fixture(autouse=True)
def private_configuration(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep the user's own configuration, registry and tokens away from every test."""
    if "WPM_CONFIG_DIR" not in os.environ:
        monkeypatch.setenv("WPM_CONFIG_DIR", str(tmp_path_factory.getbasetemp() / "config"))
    for variable in ("WPM_REGISTRY", "WPM_TOKEN"):
        monkeypatch.delenv(variable, raising=False)
