# A node of kind from packages: kind's own base stage, with Debian's containerd and our binaries.
ARG KIND_BASE
FROM ${KIND_BASE}
RUN apt-get update -qq \
 && DEBIAN_FRONTEND=noninteractive apt-get -o Dpkg::Options::=--force-confold install -y -qq --no-install-recommends \
      containerd runc containernetworking-plugins >/dev/null \
 && rm -rf /var/lib/apt/lists/*
ARG PAUSE_IMAGE
# kind's units and configuration name /usr/local/bin and /opt/cni/bin. A node may run where neither limits nor oom
# scores can be raised (no CAP_SYS_RESOURCE), and where modules are the host's business.
RUN ln -sf /usr/bin/containerd /usr/local/bin/containerd && ln -sf /usr/bin/ctr /usr/local/bin/ctr \
 && mkdir -p /opt/cni && ln -s /usr/lib/cni /opt/cni/bin \
 && ctr oci spec \
    | jq 'del(.process.rlimits) | .hooks.createContainer = [{"path": "/kind/bin/mount-product-files.sh"}]' \
    > /etc/containerd/cri-base.json \
 && sed -i 's/restrict_oom_score_adj = false/restrict_oom_score_adj = true/; s#sandbox_image = .*#sandbox_image = "'"$PAUSE_IMAGE"'"#' \
      /etc/containerd/config.toml \
 && sed -i '/^OOMScoreAdjust/d; /modprobe/d' /etc/systemd/system/containerd.service
COPY kubectl servers /usr/bin/
ARG KUBERNETES_VERSION
# kind reads the version to the last byte: no newline.
RUN cd /usr/bin && chmod 755 servers kubectl && ln -s servers kubelet && ln -s servers kubeadm \
 && mkdir -p /kind/manifests /kind/images && printf %s "$KUBERNETES_VERSION" > /kind/version
COPY default-storage.yaml /kind/manifests/
COPY load-images.service /etc/systemd/system/
RUN systemctl enable load-images.service
COPY components.tar /kind/images/
ENV container=docker
STOPSIGNAL SIGRTMIN+3
ENTRYPOINT [ "/usr/local/bin/entrypoint", "/sbin/init" ]
