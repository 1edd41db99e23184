#!/bin/bash
# A stop-and-copy of an Apptainer instance as a person does it with criu, tar and ssh: the baseline of
# `migrator bench memory` and, with nft and ip, of `bench network`; and the post-copy that criu itself has. Needs root on
# both nodes. Only `move`, `page-server` and `lazy` are in the gap.
#
#   by-hand.sh prepare NAME IMAGE PIDS SHARED
#                                        on the target: criu's copy, and an empty instance, with the directory SHARED,
#                                        whose own threads have none of the payload's PIDS; prints its appinit's pid
#   by-hand.sh pids NAME                 on the source: the payload's pids inside its instance, and all threads'
#   by-hand.sh move NAME TARGET APPINIT [SERVICE]
#                                        on the source: dump, copy, restore; prints the milliseconds of each. With a
#                                        SERVICE, such as 10.0.0.9/24@eth0, TCP connections to it live on
#   by-hand.sh restore NAME APPINIT [SERVICE]
#                                        on the target, called by `move`
#   by-hand.sh page-server NAME TARGET APPINIT
#                                        on the source: the same, but the memory goes straight to the target's criu, which
#                                        waits for it; nothing is encrypted, and whoever reaches the port could send it
#   by-hand.sh lazy NAME TARGET APPINIT
#                                        on the source: the same, but the memory follows when the payload runs on the target
#                                        (criu lazy-pages); whoever reaches the source's port could read it, or end it
#   by-hand.sh lazy-restore NAME APPINIT
#                                        on the target, called by `lazy`
#   by-hand.sh clean NAME [SERVICE]      on both
#
# MEDIUM is the directory for the images (default /dev/shm). What else is to be undone stands in /run/by-hand-NAME.
set -euo pipefail

readonly self=$(readlink -f "$0") action=$1 name=$2
readonly images=${MEDIUM:-/dev/shm}/by-hand-$name state=/run/by-hand-$name runs=$HOME/.migrator/runs/$name
readonly bundle=$state/criu
mkdir -p -m 700 "$state"
readonly criu_options=(--manage-cgroups=ignore --file-locks -v2)
readonly port=27000 pipe_size=/proc/sys/fs/pipe-max-size pipe_bytes=4194304

appinit() {
    apptainer instance list --json "$name" | sed -n 's/.*"pid": *\([0-9]*\).*/\1/p'
}

# criu has to run inside the instance, where neither it nor its libraries are.
copy_criu() {
    [[ ! -d $bundle ]] || return 0
    mkdir -p "$bundle.new"
    cp "$(command -v criu)" $(ldd "$(command -v criu)" | grep -o '/[^ ]*') "$bundle.new/"
    mv "$bundle.new" "$bundle"
}

# criu_in APPINIT ARGUMENTS: descriptor 7 is the images' directory, 8 is criu's.
criu_in() {
    local appinit=$1
    shift
    nsenter --target "$appinit" --mount --pid --ipc --uts -- /proc/self/fd/8/ld-linux-x86-64.so.2 \
        --library-path /proc/self/fd/8 /proc/self/fd/8/criu "$@" "${criu_options[@]}" -D /proc/self/fd/7 \
        7<"$images" 8<"$bundle"
}

# Pids inside of all threads that are not appinit's own.
payload_pids() {
    local status
    for status in /proc/[0-9]*/task/[0-9]*/status; do
        [[ $(readlink "${status%/*/*/*}/ns/pid") == "$(readlink "/proc/$1/ns/pid")" ]] || continue
        [[ $status == "/proc/$1/"* ]] || awk '/^NSpid:/ { print $NF }' "$status"
    done 2>/dev/null
}

clash() {
    local status
    for status in "/proc/$1/task"/*/status; do
        awk '/^NSpid:/ { print $NF }' "$status"
    done | grep -qxF "$2"
}

# locks NAME ADDRESS: rules that drop all of the address, but what criu itself sends
locks() {
    echo "table inet $1 {
        chain migin { type filter hook input priority -10; meta mark 0xC114 accept; ip daddr $2 drop; }
        chain migout { type filter hook output priority -10; meta mark 0xC114 accept; ip saddr $2 drop; }
    }"
}

# criu's own lock, which it wants to find on the target
criu_table() { sed -n 's/^table inet \(CRIU-.*\)/\1/p'; }

# On both nodes, before there is one of this move.
note_tables() { nft list tables >"$state/tables"; }

# take_service ADDRESS/LENGTH@DEVICE
take_service() {
    address=${1%%/*}
    subnet=${1%@*}
    device=${1##*@}
}

# The most that a pipe may hold: criu wants more than is usual, and fails in the midst of the transfer.
widen_pipes() {
    cat "$pipe_size" >"$state/pipes"
    echo "$pipe_bytes" >"$pipe_size"
}

narrow_pipes() {
    [[ ! -f $state/pipes ]] || cat "$state/pipes" >"$pipe_size"
}

# By which ssh reaches a node.
address_of() { getent ahostsv4 "$(ssh -G "$1" | awk '$1 == "hostname" { print $2 }')" | awk 'NR == 1 { print $1 }'; }

millis_between() { echo $((($2 - $1) / 1000000)); }

case $action in
    prepare)
        copy_criu
        mkdir -p "$runs"
        touch "$runs/stdout" "$runs/stderr"
        for try in 1 2 3 4 5 6 7 8; do
            apptainer -q instance start --bind "$5" --bind "$runs:$runs" "$3" "$name" >&2
            pid=$(appinit)
            clash "$pid" "$(tr ' ' '\n' <<<"$4")" || break
            apptainer -q instance stop "$name" >&2
        done
        # criu's own helpers must not take the pids that are to be restored
        nsenter --target "$pid" --pid -- sh -c 'echo 20000 >/proc/sys/kernel/ns_last_pid'
        echo "$pid"
        ;;
    pids)
        copy_criu
        payload_pids "$(appinit)" | sort -n | tr '\n' ' '
        ;;
    move)
        here=$(appinit)
        root=$(payload_pids "$here" | sort -n | head -n 1)
        mkdir -m 700 "$images"
        start=$(date +%s%N)
        if [[ -z ${5:-} ]]; then
            criu_in "$here" dump -t "$root" -o dump.log
            dumped=$(date +%s%N)
            tar -C "$images" -cf - . |
                ssh -c aes128-gcm@openssh.com "$3" "mkdir -m 700 $images && tar -C $images -xf -"
            copied=$(date +%s%N)
            ssh "$3" MEDIUM="${images%/*}" bash "$self" restore "$name" "$4"
        else
            take_service "$5"
            note_tables
            locks "by-hand-$name" "$address" | nft -f -
            criu_in "$here" dump -t "$root" -o dump.log --tcp-established --network-lock nftables
            ip address del "$subnet" dev "$device"
            comm -13 <(sort "$state/tables") <(nft list tables | sort) | criu_table >"$images/table"
            nft list table inet "$(cat "$images/table")" >"$images/rules"
            dumped=$(date +%s%N)
            copied=$dumped # one ssh does both
            tar -C "$images" -cf - . |
                ssh -c aes128-gcm@openssh.com "$3" "mkdir -m 700 $images && tar -C $images -xf - &&
                    MEDIUM=${images%/*} bash $self restore $name $4 $5"
        fi
        restored=$(date +%s%N)
        printf '{"dump":%d,"copy":%d,"restore":%d}\n' "$(millis_between "$start" "$dumped")" \
            "$(millis_between "$dumped" "$copied")" "$(millis_between "$copied" "$restored")"
        ;;
    page-server)
        here=$(appinit)
        root=$(payload_pids "$here" | sort -n | head -n 1)
        mkdir -m 700 "$images"
        to=$(address_of "$3")
        ssh "$3" "mkdir -p -m 700 $images $state && criu page-server -D $images -o server.log --address $to --port $port \
            --daemon --pidfile $state/server"
        start=$(date +%s%N)
        criu_in "$here" dump -t "$root" -o dump.log --page-server --address "$to" --port "$port"
        dumped=$(date +%s%N)
        tar -C "$images" -cf - . |
            ssh -c aes128-gcm@openssh.com "$3" "tar -C $images -xf - && MEDIUM=${images%/*} bash $self restore $name $4"
        restored=$(date +%s%N)
        printf '{"dump":%d,"copy":0,"restore":%d}\n' "$(millis_between "$start" "$dumped")" \
            "$(millis_between "$dumped" "$restored")"
        ;;
    lazy)
        here=$(appinit)
        root=$(payload_pids "$here" | sort -n | head -n 1)
        mkdir -m 700 "$images"
        widen_pipes
        mkfifo "$state/ready"
        exec 9<>"$state/ready"
        start=$(date +%s%N)
        criu_in "$here" dump -t "$root" -o dump.log --lazy-pages --address 0.0.0.0 --port "$port" --status-fd 9 >&2 &
        IFS= read -r -d '' -t 60 -u 9
        dumped=$(date +%s%N)
        tar -C "$images" -cf - . |
            ssh -c aes128-gcm@openssh.com "$3" "mkdir -m 700 $images && tar -C $images -xf - &&
                MEDIUM=${images%/*} bash $self lazy-restore $name $4"
        restored=$(date +%s%N)
        wait
        printf '{"dump":%d,"copy":0,"restore":%d}\n' "$(millis_between "$start" "$dumped")" \
            "$(millis_between "$dumped" "$restored")"
        ;;
    lazy-restore)
        criu_in "$3" lazy-pages --page-server --address "${SSH_CLIENT%% *}" --port "$port" -o lazy.log </dev/null >/dev/null 2>&1 &
        for ((try = 0; try < 2000; try++)); do
            [[ ! -S $images/lazy-pages.socket ]] || break
            sleep 0.005
        done
        criu_in "$3" restore -o restore.log --lazy-pages --restore-detached
        ;;
    restore)
        if [[ -z ${4:-} ]]; then
            criu_in "$3" restore -o restore.log --restore-detached
        else
            take_service "$4"
            note_tables
            (cat "$images/rules"; locks "$(cat "$images/table")" "$address") | nft -f -
            ip address add "$subnet" dev "$device"
            sysctl -qw "net.ipv4.conf.$device.arp_notify=1"
            ip link set dev "$device" address "$(cat "/sys/class/net/$device/address")"
            sysctl -qw "net.ipv4.conf.$device.arp_notify=0"
            criu_in "$3" restore -o restore.log --restore-detached --tcp-established
        fi
        ;;
    clean)
        apptainer -q instance stop "$name" >&2 || true
        narrow_pipes
        [[ ! -f $state/server ]] || pkill -F "$state/server" -x criu || true
        if [[ -f $state/tables ]]; then
            for table in "by-hand-$name" $(comm -13 <(sort "$state/tables") <(nft list tables | sort) | criu_table); do
                nft delete table inet "$table" 2>/dev/null || true
            done
        fi
        if [[ -n ${3:-} ]]; then
            take_service "$3"
            ip address del "$subnet" dev "$device" 2>/dev/null || true
        fi
        rm -rf "$images" "$state" "$runs"
        ;;
esac
