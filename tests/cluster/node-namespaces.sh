# The first process of a node's namespaces: makes private what the node's programs write outside the state folder ($1),
# says so by the file `prepared`, then only collects orphans until it is killed.
cd "$1"
# Sockets of shims, pods' network namespaces, addresses of the CNI plug-ins, links to pods' logs.
for folder in /run /var/lib /var/log; do
    mount -t tmpfs tmpfs "$folder"
done
# The state folder may lie in one of them.
mkdir -p "$1"
mount --bind . "$1"
cd "$1"
# The kubelet would set these for the whole machine; it reads and writes copies instead.
mkdir -p kernel-settings
for setting in vm/overcommit_memory vm/panic_on_oom kernel/panic kernel/panic_on_oops \
    kernel/keys/root_maxkeys kernel/keys/root_maxbytes; do
    copy="kernel-settings/$(echo "$setting" | tr / .)"
    cat "/proc/sys/$setting" >"$copy"
    mount --bind "$copy" "/proc/sys/$setting"
done
# What the kubelet mounts for a pod must be seen by containerd.
mount --make-rshared /
touch prepared
sleep infinity &
wait
