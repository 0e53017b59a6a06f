"""`python -m tests.servers.docker_images IMAGE`: exits with 0 when a Docker engine answers and has, or can pull, it."""

import sys

import docker
from docker.errors import DockerException, ImageNotFound


def main(image: str) -> None:
    try:
        engine = docker.from_env(timeout=5)
    except DockerException as error:
        sys.exit(f"no Docker engine answers: {error}")
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
