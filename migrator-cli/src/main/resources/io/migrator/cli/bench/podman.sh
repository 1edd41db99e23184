#!/bin/bash
# A migration as Podman has it: `podman container checkpoint --export`, scp, `podman container restore --import`.
# A baseline of `migrator bench suite`. Needs root, Podman and runc on both nodes. Only `move` is in the gap.
#
#   podman.sh image PROGRAMS TARGET        on the source: an image with the payload programs, on both nodes
#   podman.sh run NAME SHARED COMMAND...   on the source: starts a container with the directory SHARED
#   podman.sh move NAME TARGET             on the source; prints the milliseconds of each step, and for how long criu says
#                                          that it froze the payload
#   podman.sh clean NAME                   on both
#
# runc, as crun hides criu's error (facts/baselines.md); no compression, as that takes longer; no network, as a bridge of
# Podman's loses the connections.
set -euo pipefail

readonly action=$1 image=localhost/migrator-bench:1

# The lab has no pids controller.
podman_runc() { podman --runtime runc "$@"; }

millis_between() { echo $((($2 - $1) / 1000000)); }

case $action in
    image)
        podman image rm -f "$image" >/dev/null 2>&1 || true
        tar -C "$2" -cf - pattern stream | podman import -q - "$image" >&2
        # the same image made twice has two ids, and restore wants the one of the checkpoint
        podman save -q "$image" | ssh "$3" podman load -q >&2
        ;;
    run)
        podman_runc run -d --name "$2" --pids-limit=0 --network none -v "$3:$3" \
            -v /etc/migrator-node:/etc/migrator-node:ro "$image" "${@:4}" >&2
        ;;
    move)
        archive=/run/$2.tar
        start=$(date +%s%N)
        podman_runc container checkpoint "$2" --export "$archive" --print-stats -c none >"/run/$2.stats"
        dumped=$(date +%s%N)
        scp -q -c aes128-gcm@openssh.com "$archive" "$3:$archive"
        copied=$(date +%s%N)
        ssh "$3" podman --runtime runc container restore --import "$archive" >&2
        restored=$(date +%s%N)
        frozen=$(sed -n 's/.*"freezing_time": *\([0-9]*\).*/\1/p; s/.*"frozen_time": *\([0-9]*\).*/\1/p' "/run/$2.stats" |
            awk '{ sum += $1 } END { print sum / 1000 }')
        printf '{"checkpoint":%d,"copy":%d,"restore":%d,"frozen":%s}\n' "$(millis_between "$start" "$dumped")" \
            "$(millis_between "$dumped" "$copied")" "$(millis_between "$copied" "$restored")" "$frozen"
        ;;
    clean)
        podman_runc rm -f -t 0 "$2" >/dev/null 2>&1 || true
        rm -f "/run/$2.tar" "/run/$2.stats"
        ;;
esac
