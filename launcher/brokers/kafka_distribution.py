"""The jars of Apache Kafka, fetched once by Maven into the user's cache."""

import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Final

from launcher.failure import LaunchFailed, writing_into

VERSION: Final = "4.3.1"
_POM: Final = f"""\
<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>trellis</groupId><artifactId>kafka</artifactId><version>1</version><packaging>pom</packaging>
  <dependencies>
    <dependency><groupId>org.apache.kafka</groupId><artifactId>kafka_2.13</artifactId><version>{VERSION}</version></dependency>
    <dependency><groupId>org.slf4j</groupId><artifactId>slf4j-simple</artifactId><version>1.7.36</version></dependency>
  </dependencies>
</project>
"""


def libraries() -> Path:
    """The folder with the jars; the first call downloads 44 MB."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "trellis"
    jars = cache / f"kafka-{VERSION}"
    if not jars.is_dir():
        with writing_into(cache):
            cache.mkdir(parents=True, exist_ok=True)
            _download(cache, jars)
    return jars


def _download(cache: Path, jars: Path) -> None:
    """Downloads beside and moves into place, so that a broken download is no cache and two at once do no harm."""
    maven = shutil.which("mvn")
    if maven is None:
        raise LaunchFailed(
            f"Apache Kafka {VERSION} is fetched by Maven, and there is no `mvn` on the PATH. Install Maven, or leave "
            "`--kafka apache` out for the embedded broker."
        )
    with tempfile.TemporaryDirectory(dir=cache, prefix="kafka-") as made:
        work = Path(made)
        (work / "pom.xml").write_text(_POM)
        command = [maven, "-q", "-B", "dependency:copy-dependencies", f"-DoutputDirectory={work / 'jars'}"]
        fetched = subprocess.run(command, cwd=work, capture_output=True, text=True, check=False)
        if fetched.returncode != 0:
            raise LaunchFailed(f"Maven could not fetch Apache Kafka {VERSION}:\n{fetched.stdout}{fetched.stderr}")
        if not jars.is_dir():
            (work / "jars").rename(jars)
