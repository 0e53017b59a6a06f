"""A real Apache Kafka, one node in KRaft combined mode, from the Java and Maven of this machine."""

import re
import secrets
import shutil
import subprocess
from base64 import urlsafe_b64encode
from pathlib import Path
from typing import Final

from launcher.brokers.broker import Broker
from launcher.brokers.kafka_distribution import VERSION, libraries
from launcher.failure import LaunchFailed, writing_into
from launcher.process import RunningProcess, free_port, is_listening, require_free, start_detached, wait_until

KIND: Final = "apache"
_OLDEST_JAVA: Final = 17
_JVM: Final = ("-Xmx512m", "-XX:TieredStopAtLevel=1", "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn")
# a killed broker is let in again when its session is over, which takes 9 s by default
_PROPERTIES: Final = """\
process.roles=broker,controller
node.id=1
listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller}
advertised.listeners=PLAINTEXT://127.0.0.1:{port}
controller.listener.names=CONTROLLER
controller.quorum.voters=1@127.0.0.1:{controller}
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT
log.dirs={data}
auto.create.topics.enable=false
broker.heartbeat.interval.ms=500
broker.session.timeout.ms=2500
group.initial.rebalance.delay.ms=0
offsets.topic.replication.factor=1
offsets.topic.num.partitions=8
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=8
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
"""


def start(folder: Path, *, port: int | None = None, log: Path | None = None) -> Broker:
    """Starts it on `port`, else on a free one; its topics are in `folder` and survive a restart."""
    java = _java()
    jars = libraries()
    if port is not None:
        require_free(port, wanted_by="the broker", option="--kafka-port")
    chosen = port or free_port()
    folder = folder.absolute()
    with writing_into(folder.parent):
        folder.mkdir(parents=True, exist_ok=True)
        properties, log = folder / "server.properties", log or folder / "broker.log"
        properties.write_text(_PROPERTIES.format(port=chosen, controller=free_port(), data=folder / "topics"))
        kafka = [java, *_JVM, "-cp", f"{jars}/*"]
        _format(kafka, folder, properties)
        process = start_detached([*kafka, "kafka.Kafka", str(properties)], log=log, folder=folder)
    wait_until(lambda: is_listening(chosen), process=process, name="Apache Kafka", log=log, within=60)
    return running(f"127.0.0.1:{chosen}", process)


def running(bootstrap: str, process: RunningProcess) -> Broker:
    """The record of one that was started before."""
    return Broker(
        kind=KIND,
        bootstrap=bootstrap,
        idempotent_producer=True,
        consumer_groups=True,
        durable=True,
        process=process,
    )


def available() -> bool:
    """Whether this machine has the Java and the Maven (or the jars already) that it takes."""
    try:
        _java()
        libraries()
    except LaunchFailed:
        return False
    return True


def _format(kafka: list[str], folder: Path, properties: Path) -> None:
    """Makes the topics' folder once, whole: a marker is written last, so that a broken start is made anew."""
    formatted = folder / "formatted"
    if formatted.exists():
        return
    shutil.rmtree(folder / "topics", ignore_errors=True)
    cluster = urlsafe_b64encode(secrets.token_bytes(16)).decode().rstrip("=").replace("-", "A", 1)
    command = [*kafka, "kafka.tools.StorageTool", "format", "--cluster-id", cluster, "--config", str(properties)]
    made = subprocess.run(command, capture_output=True, text=True, check=False)
    if made.returncode != 0:
        raise LaunchFailed(f"Apache Kafka could not make its folder {folder}:\n{made.stdout}{made.stderr}")
    formatted.touch()


def _java() -> str:
    java = shutil.which("java")
    advice = f"Install Java {_OLDEST_JAVA} or newer, or leave `--kafka apache` out for the embedded broker."
    if java is None:
        raise LaunchFailed(f"Apache Kafka {VERSION} needs Java, and there is no `java` on the PATH. {advice}")
    shown = subprocess.run([java, "-version"], capture_output=True, text=True, check=False).stderr
    found = re.search(r'version "(\d+)', shown)
    if found is None or int(found[1]) < _OLDEST_JAVA:
        raise LaunchFailed(f"Apache Kafka {VERSION} needs Java {_OLDEST_JAVA}; {java} says: {shown.strip()}. {advice}")
    return java
