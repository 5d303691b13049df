"""Which Chromium is taken, and that it keeps to itself."""

from pathlib import Path

import pytest

from audiocrawler.model.errors import ConfigurationError
from audiocrawler.rendering.chromium import find_chromium, launch_options


def program(path: Path) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("#!/bin/sh\n", encoding="ascii")
    path.chmod(0o755)
    return str(path)


def test_the_named_one_comes_first_then_playwrights_own_then_the_path(tmp_path: Path) -> None:
    named, on_path = program(tmp_path / "named"), program(tmp_path / "bin/chromium")
    environment = {"PATH": str(tmp_path / "bin"), "HOME": str(tmp_path)}
    assert find_chromium(None, environment) == on_path
    program(tmp_path / ".cache/ms-playwright/chromium-999/chrome-linux64/chrome")
    own = program(tmp_path / ".cache/ms-playwright/chromium-1255/chrome-linux64/chrome")
    assert find_chromium(None, environment) == own
    assert find_chromium(named, environment) == named
    assert find_chromium("chromium", environment) == on_path


def test_there_may_be_none(tmp_path: Path) -> None:
    assert find_chromium(None, {"PATH": str(tmp_path), "HOME": str(tmp_path)}) is None
    with pytest.raises(ConfigurationError, match="AUDIO_CHROMIUM=nothing"):
        find_chromium("nothing", {"PATH": str(tmp_path)})


def test_all_of_its_traffic_goes_through_the_proxy() -> None:
    proxy = {"server": "http://127.0.0.1:1", "bypass": "<-loopback>"}
    options = launch_options("/chromium", proxy, sandbox=True)
    assert options["proxy"] == proxy
    assert {"--disable-quic", "--force-webrtc-ip-handling-policy=disable_non_proxied_udp"} <= set(options["args"])
    assert options["chromium_sandbox"] is True
