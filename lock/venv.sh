#!/bin/sh
# Makes a virtual environment: of the lock (and leaves one that is whole as it is), or of the newest or lowest versions.
# usage: lock/venv.sh locked|newest|lowest PYTHON FOLDER
set -eu
kind=$1 python=$2 venv=$3
cd "$(dirname "$0")/.."
# What a user's own pip settings may say about elsewhere must not reach into the environment.
export PIP_USER=0 PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_INPUT=1
unset PIP_TARGET PIP_PREFIX PYTHONHOME 2>/dev/null || true

fail() {
    printf '%s\n' "$@" >&2
    exit 1
}

pip() {
    "$venv/bin/python" -m pip install --quiet "$@" || fail "" \
        "pip could not install it; the lines above say why." \
        "- No package index in reach? Check the network or the proxy (HTTPS_PROXY), or name a mirror: PIP_INDEX_URL, PIP_FIND_LINKS." \
        "- A hash that does not match? The index offers other files than those that were locked; docs/decisions/0016-lock.md." \
        "- No space left? The environment takes 2 GB, with a stock build of torch for Linux 7 GB."
}

# The contents say whether it is the same, not the times: a fresh clone and a switched branch make every file new.
lock_now() { cat lock/*.txt lock/venv.sh | cksum; }
project_now() { cksum < pyproject.toml; }
place_now() { printf '%s %s' "$(pwd)/$venv" "$("$venv/bin/python" -c 'import pip, sys; print(sys.version)' 2>/dev/null | tr -d '\n')"; }

if [ "$kind" = locked ] && [ -f "$venv/.locked" ] && [ "$(cat "$venv/.locked")" = "$(lock_now) $(place_now)" ]; then
    if [ ! -f "$venv/.project" ] || [ "$(cat "$venv/.project")" != "$(project_now)" ]; then
        pip --no-deps --no-build-isolation --editable .
        project_now > "$venv/.project"
    fi
    exit 0
fi

command -v "$python" >/dev/null || fail "There is no $python; say which Python: make PYTHON=/path/to/python3.12"
"$python" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' || fail \
    "Deixis needs Python 3.11, 3.12 or 3.13, and $python is $("$python" -c 'import platform; print(platform.python_version())')." \
    "Say which: make PYTHON=python3.12"
"$python" -c 'import venv, ensurepip' 2>/dev/null || fail \
    "$python lacks the modules venv and ensurepip, with which environments are made." \
    "On Debian and Ubuntu: apt-get install python3-venv"

[ ! -e "$venv" ] || [ "$kind" != locked ] || echo "$venv is not what the lock says, or is not whole; it is made anew."
"$python" -m venv --clear "$venv" || fail "$venv could not be made; the lines above say why."
echo "Installing into $venv; this takes some minutes."
case $kind in
    locked)
        pip --require-hashes --no-deps -r lock/build.txt -r lock/run.txt -r lock/extras.txt -r lock/dev.txt
        pip -r lock/torch.txt -c lock/with-torch.txt
        pip --no-deps --no-build-isolation --editable .
        project_now > "$venv/.project"
        printf '%s' "$(lock_now) $(place_now)" > "$venv/.locked"
        ;;
    newest)
        pip --editable '.[dev,export,mcp,ocr,openvino,parquet]'
        ;;
    lowest)
        .venv/bin/python lock/lowest.py "$venv/lowest.txt"
        pip --constraint "$venv/lowest.txt" --editable '.[dev,export,mcp,ocr,openvino,parquet]'
        ;;
esac
