# install.sh - install the Debian packages that the tests need; sourced, not run.
#
# Used by tests/kafka/setup and tests/interop/setup.  Nothing is installed or
# updated when everything is there already, so that a second run takes no time
# and needs no network.

# as_root COMMAND...: run COMMAND as root, through sudo when we are not root.
as_root() {
    if [ "$(id -u)" -eq 0 ]; then
        "$@"
    else
        sudo "$@"
    fi
}

# apt_install [-t SUITE] PACKAGE...: install what is missing of PACKAGE.  The
# package lists are read again only if the first try fails (a fresh root has
# none, an old one names versions that are gone).
apt_install() {
    local suite=()
    if [ "$1" = -t ]; then
        suite=(-t "$2")
        shift 2
    fi
    local missing=() name
    for name in "$@"; do
        dpkg-query -W -f '${db:Status-Status}\n' "$name" 2>/dev/null |
            grep -qx installed || missing+=("$name")
    done
    [ ${#missing[@]} -gt 0 ] || return 0
    echo "installing ${missing[*]}" >&2
    # A man page directory that minbase lacks stops some packages' scripts.
    as_root mkdir -p /usr/share/man/man1
    local install=(env DEBIAN_FRONTEND=noninteractive apt-get install -y -q
        --no-install-recommends "${suite[@]}" "${missing[@]}")
    as_root "${install[@]}" >/dev/null 2>&1 && return 0
    as_root apt-get update -q >/dev/null
    as_root "${install[@]}" >/dev/null
}

# java_major: the major version of the java on the path, 0 if there is none.
java_major() {
    local version
    version=$(java -version 2>&1 | sed -n 's/.*version "\([0-9]*\).*/\1/p' | head -n 1)
    echo "${version:-0}"
}

# install_java: a JDK of 17 or later (the broker's minimum) and Maven.  Each
# Debian release's default JDK is new enough.
install_java() {
    if [ "$(java_major)" -lt 17 ] || ! command -v javac >/dev/null; then
        apt_install default-jdk-headless
    fi
    command -v mvn >/dev/null || apt_install maven
}
