"""The schemas of Strimzi's kinds, by its own generator out of the classes that it publishes; takes Java 17, Maven."""

import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Final

import yaml

from tests.k8s.crd_schemas import write

MODEL: Final = "0.51.0"
"""The newest that Java 17 runs. Its v1 is what 1.x serves; v1beta2, which 1.x does not, is left out."""
GENERATOR: Final = "0.45.0"
_KINDS: Final = ("kafka.Kafka", "nodepool.KafkaNodePool", "topic.KafkaTopic", "user.KafkaUser")
_POM: Final = f"""\
<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>trellis</groupId><artifactId>strimzi</artifactId><version>1</version><packaging>pom</packaging>
  <dependencies>
    <dependency><groupId>io.strimzi</groupId><artifactId>api</artifactId><version>{MODEL}</version></dependency>
    <dependency><groupId>io.strimzi</groupId><artifactId>crd-generator</artifactId><version>{GENERATOR}</version></dependency>
  </dependencies>
</project>
"""


def schemas(tools: Path) -> Path | None:
    """The folder of them, below `tools`; the first call downloads 40 MB. None where Java or Maven is missing.

    Raises:
        subprocess.CalledProcessError: Maven or the generator failed, and said why.
    """
    made = tools / f"strimzi-{MODEL}"
    if made.is_dir():
        return made
    java, maven = shutil.which("java"), shutil.which("mvn")
    if java is None or maven is None:
        return None
    print(f"   making the schemas of Strimzi {MODEL}", flush=True)
    tools.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=tools, prefix="strimzi-") as folder:
        work = Path(folder)
        (work / "pom.xml").write_text(_POM)
        jars, written = work / "jars", work / "schemas"
        copied = (maven, "-q", "-B", "dependency:copy-dependencies", f"-DoutputDirectory={jars}")
        subprocess.run(copied, cwd=work, check=True)
        written.mkdir()
        for definition in _definitions(java, jars, work):
            write(written, definition)
        written.rename(made)
    return made


def _definitions(java: str, jars: Path, work: Path) -> list[object]:
    """The CustomResourceDefinition of each kind, as Strimzi itself installs it, in v1 alone."""
    files = {kind: work / f"{kind}.yaml" for kind in _KINDS}
    wanted = [f"io.strimzi.api.kafka.model.{kind}={file}" for kind, file in files.items()]
    options = ("--crd-api-version", "v1", "--target-kube", "1.25+", "--api-versions", "v1", "--storage-version", "v1")
    main = (java, "-cp", f"{jars}/*", "io.strimzi.crdgenerator.CrdGenerator")
    subprocess.run([*main, *options, "--yaml", *wanted], check=True)
    return [yaml.safe_load(file.read_text()) for file in files.values()]
