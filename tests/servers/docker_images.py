"""`python -m tests.servers.docker_images IMAGE`: exits with 0 when a Docker engine answers and has, or can pull, it.

And the one that testcontainers starts beside every other, to remove them.
"""

import sys

import docker
from docker.errors import DockerException, ImageNotFound
from testcontainers.core.config import testcontainers_config


def main(image: str) -> None:
    try:
        engine = docker.from_env(timeout=5)
    except DockerException as error:
        sys.exit(f"no Docker engine answers: {error}")
    beside = [] if testcontainers_config.ryuk_disabled else [testcontainers_config.ryuk_image]
    for one in (image, *beside):
        get(engine, one)


def get(engine: docker.DockerClient, image: str) -> None:
    try:
        engine.images.get(image)
    except ImageNotFound:
        pull(image)
    except DockerException as error:
        sys.exit(f"{image}: {error}")


def pull(image: str) -> None:
    """The caller bounds the time that this may take."""
    try:
        docker.from_env(timeout=60).images.pull(image)
    except DockerException as error:
        sys.exit(f"{image} cannot be pulled: {error}")


if __name__ == "__main__":
    main(sys.argv[1])
