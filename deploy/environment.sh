#!/bin/sh
# Makes .venv: the Python that runs here, and every package at the version of uv.lock.
# It needs Python 3.11 to 3.13 and the network, may be run again at any time, and says what it does.
# PYTHON=/path/to/python chooses another Python than the first suitable one on the PATH.
set -eu

UV_VERSION=0.13.9
cd "$(dirname "$0")/.."
environment=$PWD/.venv
started=$(date +%s)

# An environment that happens to be active must not lend us its paths.
unset VIRTUAL_ENV PYTHONHOME PYTHONPATH || true
export UV_PROJECT_ENVIRONMENT="$environment" UV_PYTHON_DOWNLOADS=never
export PIP_USER=0 PIP_DISABLE_PIP_VERSION_CHECK=1

say() { printf '%s\n' "environment: $*"; }
stop() {
    printf '\n%s\n' "environment: $1" >&2
    shift
    for line in "$@"; do printf '%s\n' "             $line" >&2; done
    exit 1
}

# Prints the full path of a Python that suits us, or nothing. Version managers put launchers on the
# PATH that exist for every version and fail when run, hence the run.
suitable() {
    "$1" -I -c 'import sys; (3, 11) <= sys.version_info[:2] <= (3, 13) and print(sys.executable)' \
        2>/dev/null || true
}

find_python() {
    for candidate in ${PYTHON:-python3 python3.13 python3.12 python3.11}; do
        python=$(suitable "$candidate")
        [ -z "$python" ] || return 0
    done
    found=$("${PYTHON:-python3}" --version 2>&1) || found="no ${PYTHON:-python3} that runs"
    stop "Hadiyati needs Python 3.11, 3.12 or 3.13; found: $found." \
        "Install one (Debian 12, Ubuntu 24.04 and Fedora bring it as python3) or name one:" \
        "make PYTHON=/path/to/python3.12 ..."
}

create_environment() {
    case $python in "$environment"/*) find_python ;; esac
    say "creating .venv"
    "$python" -I -c 'import ensurepip, venv' 2>/dev/null ||
        stop "$python cannot make virtual environments: its modules venv and ensurepip are missing." \
            "On Debian and Ubuntu: apt-get install python3-venv. Having uv on the PATH also helps."
    "$python" -m venv --clear "$environment" ||
        stop "python3 -m venv failed; the reason stands above."
}

find_uv() {
    if uv --version >/dev/null 2>&1; then
        uv=uv
        return 0
    fi
    uv=$environment/bin/uv
    "$environment/bin/python" -m pip --version >/dev/null 2>&1 || create_environment
    [ "$("$uv" --version 2>/dev/null | cut -d' ' -f2)" != "$UV_VERSION" ] || return 0
    say "installing the package installer uv $UV_VERSION into it"
    "$environment/bin/python" -m pip install --quiet --force-reinstall "uv==$UV_VERSION" ||
        stop "pip could not install uv $UV_VERSION; the reason stands above." \
            "Is there a network? Behind a proxy or a mirror, set HTTPS_PROXY or PIP_INDEX_URL."
}

install_packages() {
    say "installing the packages of uv.lock (the first time some 200 MB are downloaded)"
    # uv lists every package it installs; the reader wants to see only what takes long.
    { "$uv" sync --frozen --python "$python" 2>&1 || echo "uv failed"; } |
        awk '/^uv failed$/ { failed = 1; next } /^ [-+~] / { next } { print "  " $0; fflush() }
             END { exit failed }' ||
        stop "uv could not install the packages; the reason stands above. Running again resumes."
}

python=$(suitable "$environment/bin/python")
[ -n "$python" ] || find_python
say "Python $("$python" -c 'import platform; print(platform.python_version())') at $python"
find_uv
install_packages
touch "$environment/.ready"
say "ready after $(($(date +%s) - started)) s"
