#!/bin/sh
# Tries the image where no container can be built: its own steps, in clean Debian roots, until the page answers.
# usage: docker/check.sh FOLDER     needs root and debootstrap; FOLDER must not exist, takes 4 GB, and is removed again
# BIND="A B": folders of this machine that pip needs in there (a find-links folder); PIP_* variables are handed on.
set -eu
cd "$(dirname "$0")/.."
project=$(pwd)
work=$1
suite=${SUITE:-bookworm}
[ "$(id -u)" = 0 ] || { echo "needs root: a chroot is made" >&2; exit 2; }
mkdir "$work"
work=$(cd "$work" && pwd)

leave() {
    # The deepest first; nothing of this machine may hang below what is removed then.
    awk -v below="$work/" 'index($2, below) == 1 {print $2}' /proc/mounts | sort -r | while read -r at; do umount "$at"; done
    grep -q " $work/" /proc/mounts || rm -rf "$work"
}
trap leave EXIT
trap 'exit 130' INT TERM

prepare() {  # what Docker gives a container of its own accord
    mkdir -p "$1/proc" "$1/dev" "$1/etc/ssl/certs"
    mount -t proc proc "$1/proc"
    mount --bind /dev "$1/dev"
    cp /etc/resolv.conf /etc/hosts "$1/etc/"
}

in_root() {
    root=$1
    shift
    (
        # Only what pip must know about its index and the way there.
        for name in $(env | sed -n 's/^\([A-Za-z_][A-Za-z_0-9]*\)=.*/\1/p'); do
            case $name in
                PIP_* | TORCH_INDEX_URL | *_proxy | *_PROXY | SSL_CERT_FILE) ;;
                *) unset "$name" ;;
            esac
        done
        PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8 exec chroot "$root" "$@"
    )
}

echo "== the base, $suite"
debootstrap --variant=minbase "$suite" "$work/run" > "$work/debootstrap.log" || { tail -5 "$work/debootstrap.log" >&2; exit 1; }
cp -a "$work/run" "$work/build"

echo "== stage build"
prepare "$work/build"
mkdir -p "$work/build/src"
# As .dockerignore lets it through.
tar -C "$project" --exclude=__pycache__ -cf - LICENSE README.md alembic.ini pyproject.toml deixis docker/healthcheck.py \
    docker/install.sh indexer lock migrations search storybook vision web | tar -C "$work/build/src" -xf -
for folder in ${BIND:-}; do
    mkdir -p "$work/build$folder"
    mount --bind "$folder" "$work/build$folder"
done
build() { in_root "$work/build" sh -c 'cd /src && exec sh docker/install.sh "$@"' install "$@"; }
build system-build
# The machine's own certificates, where a proxy needs them; after the step that installs Debian's.
[ ! -f /etc/ssl/certs/ca-certificates.crt ] \
    || cp -L --remove-destination /etc/ssl/certs/ca-certificates.crt "$work/build/etc/ssl/certs/"
build libraries /opt/deixis
build program /opt/deixis

echo "== stage run"
prepare "$work/run"
mkdir -p "$work/run/tmp/docker"
cp docker/install.sh "$work/run/tmp/docker/"
in_root "$work/run" sh /tmp/docker/install.sh system-run
in_root "$work/run" sh /tmp/docker/install.sh user
cp -a "$work/build/opt/deixis" "$work/run/opt/"
du -sh --one-file-system --exclude=proc "$work/run"  # what the image holds

echo "== as the user of the image"
as_user() {
    ${replace:-} chroot --userspec=1000:1000 "$work/run" env -i HOME=/library PATH=/opt/deixis/bin:/usr/bin:/bin LANG=C.UTF-8 \
        PYTHONDONTWRITEBYTECODE=1 DEIXIS_HOME=/library HF_HOME=/models DEIXIS_HOST=0.0.0.0 DEIXIS_OPEN=1 DEIXIS_PORT="${PORT:-8484}" "$@"
}
chroot "$work/run" /opt/deixis/bin/python - <<'PY'
from PIL import Image
for colour in ("red", "green", "blue"):
    Image.new("RGB", (64, 48), colour).save(f"/pictures/{colour}.png")
PY
mount --bind "$work/run/pictures" "$work/run/pictures"
mount -o remount,bind,ro "$work/run/pictures"
as_user deixis --help > /dev/null
as_user deixis index /pictures --model storybook-encoder
(replace='exec' && as_user deixis serve) &  # the server's own process, which is what Docker would stop
server=$!
tries=0
until as_user deixis-healthy; do
    tries=$((tries + 1))
    if ! kill -0 "$server" || [ "$tries" -gt 60 ]; then
        echo "the server does not answer" >&2
        exit 1
    fi
    sleep 1
done
as_user python3 -c "
import os, urllib.request
page = urllib.request.urlopen('http://127.0.0.1:' + os.environ['DEIXIS_PORT'] + '/search?q=red', timeout=60).read()
assert b'/images/' in page"
kill -INT "$server"
wait "$server"
echo "== the image's steps work: the page answers, and the server stops cleanly"
