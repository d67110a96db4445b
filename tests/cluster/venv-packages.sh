# Debian keeps a part of what makes virtual environments in a package of its own, and packages that are fetched need
# certificates, which come along with it: install it, or say in one sentence what helps.
if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
    echo "Python cannot make virtual environments here. On Debian, as root: apt-get install python3-venv" >&2
    exit 1
fi
echo "A virtual environment needs Debian's python3-venv: installing."
export DEBIAN_FRONTEND=noninteractive
apt-get update -q >/dev/null
apt-get install -q -y --no-install-recommends --no-remove python3-venv >/dev/null
