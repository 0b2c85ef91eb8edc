# One image under the names of all servers: its layers are in the node once.
ARG BASE_IMAGE=python:3.12-slim
FROM ${BASE_IMAGE}
RUN apt-get update -qq \
 && apt-get install -y -qq --no-install-recommends iptables nftables conntrack kmod ipset >/dev/null \
 && rm -rf /var/lib/apt/lists/*
COPY servers etcd /usr/local/bin/
RUN cd /usr/local/bin \
 && for name in kube-apiserver kube-controller-manager kube-scheduler kube-proxy; do ln -s servers $name; done
