"""A real node: kubelet and containerd inside network, mount and process namespaces of their own.

The one idea: one process, the holder, is the namespaces' first process. When it ends, the kernel ends every process of
the node, pods included, and with the last of them every mount and network device goes. So even SIGKILL leaves only
files and empty cgroups, which have names that `down` knows.
"""

from __future__ import annotations

import platform
import subprocess
from dataclasses import dataclass
from pathlib import Path

from tests.cluster.addresses import Addresses
from tests.cluster.cgroups import create_cgroups, remove_cgroups
from tests.cluster.cluster import TEST_IMAGE
from tests.cluster.errors import ClusterError
from tests.cluster.images import write_images
from tests.cluster.network import join, part
from tests.cluster.node_config import NodeFiles
from tests.cluster.paths import StateFolder
from tests.cluster.site import READY_NODE, Site, check_alive
from tests.cluster.waiting import wait_for

HOLDER = "node"
CONTAINERD = "containerd"
KUBELET = "kubelet"
PROXY = "kube-proxy"

READY_WITHIN_SECONDS = 120
"""2-3 s are normal on quiet cores."""

PREPARE_SCRIPT = Path(__file__).parent / "node-namespaces.sh"

ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}
"""The kernel's name to the one images use."""


@dataclass(frozen=True, slots=True)
class Namespaces:
    """The namespaces of a node, and how to start a program inside."""

    holder: int
    """Process id of the program that made them."""
    addresses: Addresses

    @property
    def enter_network(self) -> tuple[str, ...]:
        """Return what to put before a command of the control plane."""
        # Not `ip netns exec`: that also mounts another /sys, in which nobody finds the cgroups.
        return ("nsenter", f"--net=/proc/{self.holder}/ns/net")

    @property
    def enter_all(self) -> tuple[str, ...]:
        """Return what to put before a command of the node itself."""
        folder = f"/proc/{self.holder}/ns"
        return (*self.enter_network, f"--mount={folder}/mnt", f"--pid={folder}/pid_for_children")


def open_namespaces(site: Site) -> Namespaces:
    """Start the holder, connect its network, and let site start what follows inside that network."""
    state = site.state
    prepared = state.root / "prepared"
    holder = site.start(
        HOLDER,
        *("--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc"),
        *("/bin/sh", "-eu", str(PREPARE_SCRIPT), str(state.root)),
        program="unshare",
    )

    def is_prepared() -> bool:
        check_alive(state, HOLDER)
        return prepared.exists()

    wait_for(is_prepared, within_seconds=READY_WITHIN_SECONDS, what=f"no namespaces, see {state.log(HOLDER)}")
    namespaces = Namespaces(holder, join(state.root, holder))
    site.address = str(namespaces.addresses.node)
    site.enter = namespaces.enter_network
    return namespaces


def start_node(site: Site, namespaces: Namespaces) -> None:
    """Start containerd and the kubelet beside a running control plane, and wait until the node takes pods."""
    site.enter = namespaces.enter_all
    create_cgroups(site.state.root)
    files = NodeFiles(site.state.root, namespaces.addresses)
    files.write()
    _start_containerd(site, files.socket)
    _start_kubelet(site)
    site.write_kubeconfig(PROXY, "system:kube-proxy")
    site.start(PROXY, f"--config={site.state.root / 'kube-proxy.yaml'}", f"--hostname-override={site.state.name}")


def _start_containerd(site: Site, socket: Path) -> None:
    site.start(CONTAINERD, f"--config={site.state.root / 'containerd.toml'}", program=CONTAINERD)
    archive = site.state.root / "images.tar"
    write_images(archive, ARCHITECTURES.get(platform.machine(), platform.machine()), TEST_IMAGE)

    def is_serving() -> bool:
        check_alive(site.state, CONTAINERD)
        return _ctr(socket, "version").returncode == 0

    wait_for(is_serving, within_seconds=READY_WITHIN_SECONDS, what=f"see {site.state.log(CONTAINERD)}")
    import_images(socket, archive)


def import_images(socket: Path, archive: Path) -> None:
    """Give a node's containerd the images of an archive, since it can pull none."""
    answer = _ctr(socket, "--namespace=k8s.io", "images", "import", str(archive))
    if answer.returncode:
        raise ClusterError(f"containerd does not take the images of {archive}: {answer.stderr.strip()}")


def _ctr(socket: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["ctr", f"--address={socket}", *arguments], capture_output=True, text=True, check=False)


def _start_kubelet(site: Site) -> None:
    name, state = site.state.name, site.state
    site.authority.issue(KUBELET, hosts=[name, site.address]).write(state.pki, KUBELET)
    site.start(
        KUBELET,
        f"--kubeconfig={site.write_kubeconfig(KUBELET, f'system:node:{name}', 'system:nodes')}",
        f"--config={state.root / 'kubelet.yaml'}",
        f"--root-dir={state.root / 'kubelet'}",
        f"--hostname-override={name}",
        f"--node-ip={site.address}",
    )

    def is_ready() -> bool:
        check_alive(state, CONTAINERD, KUBELET)
        return site.kubectl("get", "node", name, f"-o=jsonpath={READY_NODE}") == "True"

    wait_for(is_ready, within_seconds=READY_WITHIN_SECONDS, what=f"the node is not ready, see {state.log(KUBELET)}")


def stop_node(state: StateFolder) -> None:
    """Remove what the node's processes leave behind when they end."""
    part(state.root)
    remove_cgroups(state.root)
