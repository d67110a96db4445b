"""The configuration files of containerd, of the pods' network and of the kubelet, each setting with its reason."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from tests.cluster.addresses import Addresses
from tests.cluster.cgroups import cgroup_of
from tests.cluster.images import PAUSE_IMAGE
from tests.cluster.packages import CNI_FOLDER

KUBELET_PORT = 10250

CONTAINERD = """\
version = 2
root = "{state}/containerd/root"
state = "{state}/containerd/state"
oom_score = 0
# Their kernel modules may be missing, and each then warns.
disabled_plugins = [
  "io.containerd.snapshotter.v1.aufs",
  "io.containerd.snapshotter.v1.btrfs",
  "io.containerd.snapshotter.v1.devmapper",
  "io.containerd.snapshotter.v1.zfs",
]

[grpc]
  address = "{state}/containerd/containerd.sock"

[plugins."io.containerd.internal.v1.opt"]
  path = "{state}/containerd/opt"

[plugins."io.containerd.grpc.v1.cri"]
  # Imported, never pulled: there is no registry.
  sandbox_image = "{pause_image}"
  # Where the machine may not lower it, runc dies with "can't get final child's PID from pipe: EOF".
  restrict_oom_score_adj = true

[plugins."io.containerd.grpc.v1.cri".cni]
  bin_dir = "{plugins}"
  conf_dir = "{state}/cni"

[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
  runtime_type = "io.containerd.runc.v2"
"""


@dataclass(frozen=True, slots=True)
class NodeFiles:
    """Renders the files of one node."""

    state: Path
    addresses: Addresses

    @property
    def socket(self) -> Path:
        """Return where containerd listens."""
        return self.state / "containerd" / "containerd.sock"

    def write(self) -> None:
        """Write all files."""
        contents = {
            "containerd.toml": self._containerd(),
            "cni/pods.conflist": json.dumps(self._pod_network()),
            "kubelet.yaml": yaml.safe_dump(self._kubelet()),
            "kube-proxy.yaml": yaml.safe_dump(self._proxy()),
            # There is no name server that pods could reach.
            "resolv.conf": "",
        }
        for name, content in contents.items():
            path = self.state / name
            path.parent.mkdir(exist_ok=True)
            path.write_text(content)

    def _containerd(self) -> str:
        return CONTAINERD.format(state=self.state, pause_image=PAUSE_IMAGE, plugins=CNI_FOLDER)

    def _pod_network(self) -> dict[str, Any]:
        bridge = {
            "type": "bridge",
            "bridge": "pods",
            "isGateway": True,
            # The machine has a route to the pods: their addresses are never rewritten.
            "ipMasq": False,
            "ipam": {
                "type": "host-local",
                "ranges": [[{"subnet": str(self.addresses.pods)}]],
                "routes": [{"dst": "0.0.0.0/0"}],
                "dataDir": str(self.state / "cni-addresses"),
            },
        }
        return {"cniVersion": "0.4.0", "name": "pods", "plugins": [bridge]}

    def _proxy(self) -> dict[str, Any]:
        return {
            "apiVersion": "kubeproxy.config.k8s.io/v1alpha1",
            "kind": "KubeProxyConfiguration",
            "mode": "iptables",
            "clientConnection": {"kubeconfig": str(self.state / "kubeconfigs" / "kube-proxy.yaml")},
            "clusterCIDR": str(self.addresses.pods),
            "healthzBindAddress": "127.0.0.1:10256",
            # The kernel's limits for connections are the machine's and not the node's; they may not be written to.
            "conntrack": {"maxPerCore": 0, "tcpEstablishedTimeout": "0s", "tcpCloseWaitTimeout": "0s"},
        }

    def _kubelet(self) -> dict[str, Any]:
        pki = self.state / "pki"
        return {
            "apiVersion": "kubelet.config.k8s.io/v1beta1",
            "kind": "KubeletConfiguration",
            "address": str(self.addresses.node),
            "port": KUBELET_PORT,
            "healthzPort": 0,
            "authentication": {
                "anonymous": {"enabled": False},
                "webhook": {"enabled": True},
                "x509": {"clientCAFile": f"{pki}/ca.crt"},
            },
            "authorization": {"mode": "Webhook"},
            "tlsCertFile": f"{pki}/kubelet.crt",
            "tlsPrivateKeyFile": f"{pki}/kubelet.key",
            "containerRuntimeEndpoint": f"unix://{self.socket}",
            "cgroupDriver": "cgroupfs",
            "cgroupRoot": f"/{cgroup_of(self.state)}",
            "failCgroupV1": False,
            "failSwapOn": False,
            "enforceNodeAllocatable": [],
            "localStorageCapacityIsolation": False,
            "makeIPTablesUtilChains": False,
            "oomScoreAdj": 0,
            "resolvConf": str(self.state / "resolv.conf"),
            "podLogsDir": str(self.state / "pod-logs"),
            "volumePluginDir": str(self.state / "volume-plugins"),
            # A full disk is the machine's business: never throw away the one image that cannot be pulled again.
            "imageGCHighThresholdPercent": 100,
            "evictionHard": dict.fromkeys(
                ("imagefs.available", "memory.available", "nodefs.available", "nodefs.inodesFree"), "0%"
            ),
        }
