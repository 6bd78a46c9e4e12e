"""A stream key and a camera password appear in nothing that people or other programs read."""

from __future__ import annotations

import base64
import json
import re
from pathlib import Path
from urllib.parse import quote, quote_plus

import pytest

from e2e import stage
from peers import frames, needs
from peers.documents import Documents
from peers.rtmp import Platform
from peers.rtsp import Camera
from peers.vistter import Appliance, Object, manifest

PASSWORD = "P@ss:w0rd/with?odd&signs#41"
STREAM_KEY = "live_4242_kEyThatNobodyMaySee"
OTHER_KEY = "live_4343_RefusedKeyNobodySees"
DATA_TOKEN = "Bearer tide-81-TokenOfNoOne"
QUERY_KEY = "q-77-KeyInAnAddress"
SECRETS = (PASSWORD, STREAM_KEY, OTHER_KEY, DATA_TOKEN, "tide-81-TokenOfNoOne")
VERBOSE = ("--log-level", "debug")  # there is nothing more verbose


USERS = ("", "joe")


def _forms(secret: str) -> set[str]:
    """All that would give it away: as it is, percent-encoded, in a string of JSON or Python, in base64, alone
    or as ``user:password``, from wherever in it on.
    """
    percent = {quote(secret, safe=safe) for safe in ("", "/", "/:", "!'()*")} | {quote_plus(secret)}
    lower = {re.sub("%[0-9A-F]{2}", lambda match: match[0].lower(), form) for form in percent}
    twice = {quote(form, safe="") for form in percent}
    quoted = {json.dumps(secret)[1:-1], repr(secret)[1:-1]}
    whole = [(f"{user}:{secret}" if user else secret).encode() for user in USERS]
    base = {
        encode(octets).decode().rstrip("=")
        for octets in whole
        for encode in (base64.b64encode, base64.urlsafe_b64encode)
    }
    # The end of it in base64, which stands in the base64 of everything that ends in it.
    ends = {form[-len(secret) :].rstrip("=")[-12:] for form in base}
    return {secret, *percent, *lower, *twice, *quoted, *base, *ends}


def _found_in(text: str) -> list[str]:
    return [form for secret in SECRETS for form in _forms(secret) if form in text]


def _output(name: str, platform: Platform, key: str) -> Object:
    target = {
        "name": "primary",
        "url": platform.url(),
        "streamKeySecretRef": {"name": "platform", "key": key},
    }
    return manifest("Output", name, {"program": "main", "encoding": stage.ENCODING, "targets": [target]})


def _tides(server: Documents) -> Object:
    """An overlay with data that a secret opens, and data that cannot be had."""
    reference = {"name": "tides", "key": "header"}
    data = [
        {"name": "high", "url": f"{server.url}/high", "authorizationSecretRef": reference, "interval": "1s"},
        {"name": "low", "url": f"{server.url}/low?key={QUERY_KEY}", "interval": "1s"},
    ]
    layers = [{"name": "words", "text": {"value": "{{ high }} {{ low }}"}}]
    return manifest("Overlay", "tides", {"layers": layers, "data": data})


def _show(camera: Camera, platform: Platform, server: Documents) -> list[Object]:
    login = {"credentialsSecretRef": {"name": "wharf-login"}}
    wrong = {"credentialsSecretRef": {"name": "wrong-login"}}
    unreachable = f"rtsp://127.0.0.1:{needs.free_port()}/live"
    return [
        manifest("Secret", "wharf-login", stringData={"username": "joe", "password": PASSWORD}),
        manifest("Secret", "wrong-login", stringData={"username": "joe", "password": PASSWORD + "x"}),
        manifest("Secret", "platform", stringData={"good": STREAM_KEY, "refused": OTHER_KEY}),
        stage.camera("wharf", camera.url, source=login),
        stage.camera("stranger", camera.url, source=wrong),
        stage.camera("nowhere", unreachable, source=login),
        stage.code_overlay(),
        manifest("Secret", "tides", stringData={"header": DATA_TOKEN}),
        _tides(server),
        stage.timeline(
            [("wharf", "2s"), ("stranger", "1s"), ("nowhere", "1s")], overlays=[{"overlay": "tides"}]
        ),
        stage.program(),
        _output("good", platform, "good"),
        _output("refused", platform, "refused"),
    ]


def _everything_said(appliance: Appliance, address: str) -> dict[str, str]:
    """All that can be asked, and all that was written down, by where it came from."""
    said = {
        "metrics": stage.fetch(f"{address}/metrics")[1],
        "page": stage.fetch(address)[1],
        "ready": stage.fetch(f"{address}/readyz")[1],
    }
    for kind in ("all", "secret"):
        for form in ("table", "wide", "json", "yaml"):
            said[f"get {kind} -o {form}"] = _told(appliance, "get", kind, "-o", form)
    for kind, name in (
        ("secret", "platform"),
        ("camera", "stranger"),
        ("output", "refused"),
        ("output", "good"),
        ("overlay", "tides"),
    ):
        said[f"describe {kind} {name}"] = _told(appliance, "describe", kind, name)
    said["events"] = _told(appliance, "events")
    said["validate"] = _told(appliance, "validate", str(appliance.manifests))
    said["diff"] = _told(appliance, "diff", "-f", str(appliance.manifests))
    return said


def _told(appliance: Appliance, *arguments: str) -> str:
    done = appliance.cli(*arguments)
    assert "Traceback" not in done.stderr
    return done.stdout + done.stderr


def _written(appliance: Appliance) -> dict[str, str]:
    """Every file of the state folder but the two places where values must lie, both for the owner alone."""
    found = {"controller.log": appliance.controller.said()}
    for path in appliance.state.rglob("*"):
        if not path.is_file():
            continue
        if path.name.startswith("store.sqlite3") or path.name == "secrets.json":
            assert path.stat().st_mode & 0o077 == 0, f"{path} can be read by others"
            continue
        found[str(path.relative_to(appliance.state))] = path.read_bytes().decode("utf-8", "replace")
    return found


@pytest.mark.timeout(180)
def test_planted_secrets_appear_nowhere(tmp_path: Path) -> None:
    port = needs.free_port()
    with (
        Platform(tmp_path) as platform,
        Camera(tmp_path, 121, fps=stage.FPS, user="joe", password=PASSWORD) as camera,
        Documents() as server,
    ):
        server.put("/high", "14:10")
        platform.refused.add(OTHER_KEY)
        appliance = Appliance(tmp_path, arguments=("--listen", f"127.0.0.1:{port}", *VERBOSE))
        appliance.write(stage.MANIFEST, *_show(camera, platform, server))
        with appliance:
            stage.wait_publishing(appliance, "good")
            appliance.wait_on_air("main", "wharf")
            appliance.wait(lambda: OTHER_KEY in platform.asked, 15, "the refused key was tried")
            appliance.wait_condition("Output", "refused", "Publishing", "False")
            appliance.wait_condition("Camera", "stranger", "Online", "False")
            appliance.wait_condition("Camera", "nowhere", "Online", "False")
            unread = appliance.wait_condition("Overlay", "tides", "Ready", "False")["message"]
            # an error in a Secret's own manifest must not quote its value either
            appliance.write("wrong.yaml", manifest("Secret", "bad", stringData={"key": [STREAM_KEY]}))
            appliance.wait(
                lambda: "wrong.yaml" in str(appliance.ask("problems")), 10, "wrong.yaml is reported"
            )
            stage.wait_frames(appliance, 4 * stage.FPS)
            said = _everything_said(appliance, f"http://127.0.0.1:{port}")
            said |= _written(appliance)
            appliance.stop()
            said |= {f"{where}, after the end": text for where, text in _written(appliance).items()}
        shown = frames.read(platform.recording(STREAM_KEY))
    assert 121 in {frame.number for frame in shown}  # the password was right and the key was used
    sent = {asked.headers.get("Authorization") for asked in server.asked if asked.path == "/high"}
    assert sent == {DATA_TOKEN}
    assert f"{server.url}/low?*** answered 404 Not Found" in unread
    told = [said["events"], said["metrics"], said["playout/main/log.jsonl"], said["controller.log"], unread]
    assert not any(QUERY_KEY in text for text in told), (
        "it stands in the manifest, and is not spread from there"
    )
    assert re.search(r'vistter_data_failures_total\{.*overlay="tides".*\} [1-9]', said["metrics"])
    assert any("asrun" in where for where in said)
    assert any(where.endswith("log.jsonl") for where in said)
    leaks = {where: found for where, text in said.items() if (found := _found_in(text))}
    assert not leaks
    assert re.search(r"^# HELP ", said["metrics"], re.M)
