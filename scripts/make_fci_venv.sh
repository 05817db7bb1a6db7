#!/usr/bin/env bash
# Makes franka_sim's own environment, which never mixes with .venv: make_fci_venv.sh FOLDER
#
# Does nothing if the folder already holds what constraints/fci.txt asks for. PYTHON names the
# interpreter to prefer; PIP_ARGS reaches pip.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

folder=${1:?"usage: make_fci_venv.sh FOLDER"}
pins=constraints/fci.txt
stamp=$folder/.installed

if cmp -s "$pins" "$stamp"; then
    exit 0
fi

fits() {
    "$1" -c 'import ensurepip, sys, venv
sys.exit(not (3, 10) <= sys.version_info < (3, 13))' 2>/dev/null
}

python=
for candidate in "${PYTHON:-}" python3.11 python3.12 python3.10 python3; do
    if [[ -n $candidate ]] && fits "$candidate"; then
        python=$candidate
        break
    fi
done
if [[ -z $python ]]; then
    echo "franka_sim needs Python 3.10 to 3.12 (numpy 1.26 has no wheels for later ones) and none" \
        "is here: install one, or name it with PYTHON=." >&2
    exit 1
fi

echo "==> creating $folder with $python for franka_sim 1.1.7 (once, downloads about 30 MB)"
"$python" -m venv --clear "$folder"
# shellcheck disable=SC2086  # PIP_ARGS is a list of words
"$folder/bin/python" -m pip --disable-pip-version-check install -q -c "$pins" ${PIP_ARGS:-} franka-sim
cp "$pins" "$stamp"
