#!/usr/bin/env bash
# Makes sure that the machine has what a make target needs and pip cannot bring: need.sh build|test
#
# Each need is probed by what it does, not by a package's name. What is missing is installed with
# apt-get where that needs no password (root, or sudo without one); otherwise the one line to type is
# printed and the exit status is 1. PYTHON names the interpreter.
set -euo pipefail

python=${PYTHON:-python3}
missing=()

has_header() { echo "#include <$1>" | "${CXX:-g++}" -x c++ -std=c++20 -fsyntax-only - 2>/dev/null; }

need_python() {
    if ! command -v "$python" >/dev/null; then
        missing+=(python3 python3-venv python3-dev)
        return
    fi
    local version
    version=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
    case $version in
    3.10 | 3.11 | 3.12 | 3.13) ;;
    *)
        echo "rt-infer needs Python 3.10 to 3.13 and $python is $version:" \
            "name another with make PYTHON=python3.11." >&2
        exit 1
        ;;
    esac
    "$python" -c 'import ensurepip, venv' 2>/dev/null || missing+=("python$version-venv")
    "$python" -c 'import os, sysconfig as s, sys
sys.exit(not os.path.exists(os.path.join(s.get_path("include"), "Python.h")))' ||
        missing+=("python$version-dev")
}

need_compiler() {
    if ! command -v "${CXX:-g++}" >/dev/null || ! has_header cstddef; then
        missing+=(g++)
    fi
}

for target in "$@"; do
    case $target in
    build)
        need_python
        need_compiler
        ;;
    test)
        has_header doctest/doctest.h || missing+=(doctest-dev)
        ;;
    *)
        echo "need.sh knows build and test, not $target." >&2
        exit 2
        ;;
    esac
done

((${#missing[@]})) || exit 0

if ! command -v apt-get >/dev/null; then
    echo "This machine lacks ${missing[*]} (Debian's names): install them with its own package" \
        "manager, then run the same command again." >&2
    exit 1
fi

root=()
if ((EUID != 0)); then
    root=(sudo -n)
    if ! command -v sudo >/dev/null || ! sudo -n true 2>/dev/null; then
        echo "This machine lacks ${missing[*]}: type the next line, then run the same command again." >&2
        echo "    sudo apt-get install -y ${missing[*]}" >&2
        exit 1
    fi
fi

echo "==> installing Debian packages: ${missing[*]}"
"${root[@]}" apt-get update -qq
"${root[@]}" env DEBIAN_FRONTEND=noninteractive \
    apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
