"""`--target`: a state folder that points at what somebody else runs, and clear words where that cannot be."""

import subprocess
from pathlib import Path

import pytest
from typer.testing import CliRunner

from launcher import reconcile
from launcher.addresses import running_broker_of, running_services, service_addresses
from launcher.failure import LaunchFailed
from launcher.issuer.signing_keys import SigningKeys
from launcher.process import free_port
from launcher.target import KNOWN, folder_of, load

COMPLETE = """
kafka = "127.0.0.1:19092"
issuer_key = "key.pem"
[services]
goals = "http://127.0.0.1:8001"
feedback = "http://127.0.0.1:8002"
reviews = "http://127.0.0.1:8003"
rewards = "http://127.0.0.1:{rewards}"
"""


@pytest.fixture
def target(tmp_path: Path) -> Path:
    file = tmp_path / "elsewhere" / "target.toml"
    file.parent.mkdir()
    file.write_text(COMPLETE.format(rewards=free_port()))
    command = ["openssl", "genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"]
    made = subprocess.run(command, check=True, capture_output=True)
    (file.parent / "key.pem").write_bytes(made.stdout)
    return file


def test_without_a_target_it_is_the_folder_itself(tmp_path: Path) -> None:
    assert folder_of(tmp_path, None) == tmp_path


def test_a_target_says_where_services_and_kafka_are(target: Path, tmp_path: Path) -> None:
    folder = folder_of(tmp_path / "state", str(target))
    assert folder.is_relative_to(tmp_path / "state")
    assert service_addresses(folder)["goals"] == "http://127.0.0.1:8001"
    assert running_services(folder) == service_addresses(folder)
    assert running_broker_of(folder).bootstrap == "127.0.0.1:19092"


def test_whoever_has_the_key_signs_what_the_issuer_of_the_target_proves(target: Path, tmp_path: Path) -> None:
    here = SigningKeys(folder_of(tmp_path / "state", str(target)))
    there = SigningKeys(tmp_path / "container")
    there.sign_with((target.parent / "key.pem").read_bytes())
    assert here.newest().kid == there.newest().kid
    assert there.published()["keys"][0].keys() >= {"kid", "x", "y", "use", "alg"}
    assert "d" not in there.published()["keys"][0]


def test_a_command_asks_the_target_and_says_where_nobody_answers(target: Path, tmp_path: Path) -> None:
    arguments = ["--target", str(target), "--folder", str(tmp_path / "state")]
    failure = CliRunner().invoke(reconcile.app, arguments).exception
    assert isinstance(failure, LaunchFailed)
    assert f"does not answer at {load(target).services['rewards']}" in str(failure)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("kafka = 1", "kafka is missing, or is no str"),
        (COMPLETE.format(rewards=1).replace('issuer_key = "key.pem"', ""), "issuer_key is missing"),
        (COMPLETE.format(rewards=1).replace("goals = ", "gaols = "), "needs an address"),
        (COMPLETE.format(rewards="1/"), "needs an address"),
        (COMPLETE.format(rewards=1).replace(":19092", ""), "is no broker"),
        ("kafka = ", "cannot be read"),
    ],
)
def test_a_file_that_is_not_right_says_where(tmp_path: Path, text: str, said: str) -> None:
    file = tmp_path / "target.toml"
    file.write_text(text)
    with pytest.raises(LaunchFailed, match=said):
        load(file)


def test_a_target_that_is_not_there_and_a_key_that_is_none_are_named(target: Path, tmp_path: Path) -> None:
    with pytest.raises(LaunchFailed, match=r"There is no target 'nowhere': name compose, kubernetes or a file"):
        folder_of(tmp_path, "nowhere")
    (target.parent / "key.pem").write_text("no key")
    with pytest.raises(LaunchFailed, match=r"key\.pem is no private key"):
        folder_of(tmp_path, str(target))
    (target.parent / "key.pem").unlink()
    with pytest.raises(LaunchFailed, match=r"there is no .*key\.pem: sh deploy/secrets\.sh"):
        folder_of(tmp_path, str(target))


@pytest.mark.parametrize("name", KNOWN)
def test_the_targets_with_names_can_be_read(name: str) -> None:
    assert load(KNOWN[name]).kafka == "127.0.0.1:19092"
