#!/bin/sh
# The image's own install steps, so that they can also be tried where no container can be built (docker/check.sh).
# usage: docker/install.sh system-build|system-run|libraries FOLDER|program FOLDER|user, in the root of the project
set -eu
step=$1 venv=${2:-}
[ -n "${PIP_INDEX_URL:-}" ] || unset PIP_INDEX_URL  # a build argument that was not given is an empty one
export PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PIP_ROOT_USER_ACTION=ignore DEBIAN_FRONTEND=noninteractive

packages() {
    apt-get update -qq
    apt-get install -y -qq --no-install-recommends "$@" > /dev/null
    rm -rf /var/lib/apt/lists/*
}

case $step in
    system-build)
        packages ca-certificates python3 python3-venv
        ;;
    system-run)
        packages python3
        ;;
    libraries)
        python3 -m venv "$venv"
        "$venv/bin/pip" install --quiet --require-hashes --no-deps -r lock/run.txt -r lock/extras.txt
        # A further index, if one is named, has the CPU build, which counts as newer than the stock build of its version.
        "$venv/bin/pip" install --quiet ${TORCH_INDEX_URL:+--extra-index-url "$TORCH_INDEX_URL"} \
            -r lock/torch.txt -c lock/with-torch.txt
        ;;
    program)
        tools=$(mktemp -d)
        python3 -m venv "$tools/venv"
        "$tools/venv/bin/pip" install --quiet --require-hashes --no-deps -r lock/build.txt
        "$tools/venv/bin/pip" wheel --quiet --no-deps --no-build-isolation --wheel-dir "$tools/wheel" .
        "$venv/bin/pip" install --quiet --no-deps "$tools"/wheel/*.whl
        { echo '#!/usr/bin/env python3'; cat docker/healthcheck.py; } >"$venv/bin/deixis-healthy"
        chmod 755 "$venv/bin/deixis-healthy"
        rm -rf "$tools"
        ;;
    user)
        groupadd --gid 1000 deixis
        useradd --uid 1000 --gid 1000 --home-dir /library --no-create-home --shell /usr/sbin/nologin deixis
        # A new volume takes its owner from the folder of the image that it hides.
        mkdir -p /library /models /pictures
        chown deixis:deixis /library /models
        ;;
    *)
        echo "$0: no step $step" >&2
        exit 2
        ;;
esac
