# The first process of an empty machine whose files are in $1: makes them its whole world, says so by the file
# `prepared`, then only collects orphans until it is killed.  $2 is a folder outside to have at $3, or empty.
mkdir -p /run/lock
mount --bind "$1" "$1" # only a mount can become the root
cd "$1"
mount -t proc proc proc
# Kernel, devices and cgroups are those outside: the machine is empty, not another one.
for shared in sys dev; do
    mount --rbind "/$shared" "$shared"
    mount --make-rslave "$shared"
done
mount -t tmpfs tmpfs run
# So is the network, and with it the lock of those who choose addresses in it.
mkdir -p run/lock run/outside
mount --bind /run/lock run/lock
if [ -n "$2" ]; then
    mkdir -p "./$3"
    mount --bind "$2" "./$3"
fi
pivot_root . run/outside
cd /
umount --lazy /run/outside
touch /prepared
sleep infinity &
wait
