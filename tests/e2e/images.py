"""The project's images, as the tests build them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tests.cluster import versions
from tests.cluster.docker import Docker
from tests.cluster.images import build_image

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class ProjectImages:
    """Tags of the built images."""

    operator: str
    tasks: str
    tests: str
    """The task image with the test tasks beside the built-in ones."""
    tests_catalogue: str
    """The catalogue that belongs to it, as text."""
    author: str
    """An author's image with the same tasks, under a name of its own."""
    mongodb: str

    @property
    def tags(self) -> list[str]:
        """All that have to be on the nodes."""
        return [self.operator, self.tests, self.author, self.mongodb]


def build_all(docker: Docker) -> ProjectImages:
    """Build what is not there yet."""
    tasks = build_image(docker, "tasks", ROOT / "task_image" / "Dockerfile", ROOT)
    tests = build_image(docker, "tests", ROOT / "tests" / "image" / "Dockerfile", ROOT, {"BASE_IMAGE": tasks})
    author = tests.replace("/tests:", "/mylab:")
    docker.run("tag", tests, author)
    return ProjectImages(
        operator=build_image(docker, "operator", ROOT / "operator" / "Dockerfile", ROOT),
        tasks=tasks,
        tests=tests,
        author=author,
        tests_catalogue=(ROOT / "tests" / "image" / "catalogue.json").read_text(),
        mongodb=build_image(
            docker,
            "mongodb",
            ROOT / "tests" / "cluster" / "mongodb.Dockerfile",
            ROOT / "tests" / "cluster",
            {"SECANTUSDB_VERSION": versions.SECANTUSDB},
        ),
    )
