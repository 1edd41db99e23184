#!/bin/bash
# Part of `lab`: makes what nodes are started from, and all of it only if it is missing or old: the host's tools, the
# images, the keys, /shared, Migrator's distribution, node-init. Uses here, lab, all_nodes, address, say and fail.

readonly host_packages=(debootstrap eatmydata iproute2 util-linux)
readonly host_programs=(debootstrap eatmydata ip tc unshare)

host_tools() {
    local program
    for program in "${host_programs[@]}"; do
        if ! command -v "$program" >/dev/null; then
            say "installing ${host_packages[*]}"
            apt-get -qq -o DPkg::Lock::Timeout=120 update >/dev/null
            DEBIAN_FRONTEND=noninteractive apt-get -qq -y -o DPkg::Lock::Timeout=120 \
                --no-install-recommends install "${host_packages[@]}" >/dev/null
            return
        fi
    done
}

images_made() {
    local stamp file
    stamp=$(bash "$here/images.sh" --stamp)
    for file in image/etc/migrator-image images/base.stamp; do
        [[ -f $lab/$file && $(<"$lab/$file") == "$stamp" ]] || return 1
    done
    [[ -f $lab/images/base.sif ]]
}

images() {
    ! images_made || return 0
    stop_all # nodes of another image would see their root file system change under them
    (in_cgroup build unshare --mount --propagation private bash "$here/images.sh" "$lab" </dev/null) ||
        fail "the images could not be made, see $lab/log"
}

# image NAME: a job image that is not needed for the lab itself.
image() {
    [[ $# -eq 1 && $1 == apps ]] || usage
    mkdir -p "$lab"
    lock
    kill_cgroup build
    host_tools
    images
    (in_cgroup build unshare --mount --propagation private bash "$here/images.sh" "$lab" "$1" </dev/null) ||
        fail "the image could not be made, see $lab/log"
    shared
    say "image: /shared/images/$1.sif"
}

# Made by the image's own ssh-keygen: the host need not have one. The file `hosts` is written last.
keys() {
    local keys=$lab/keys node
    [[ ! -f $keys/hosts ]] || return 0
    say "ssh keys"
    rm -rf "$keys" "$lab/image/tmp/keys"
    mkdir -m 700 "$lab/image/tmp/keys"
    chroot "$lab/image" ssh-keygen -q -t ed25519 -N '' -C migrator-lab -f /tmp/keys/id_ed25519
    for node in "${all_nodes[@]}"; do
        chroot "$lab/image" ssh-keygen -q -t ed25519 -N '' -C "$node" -f "/tmp/keys/host_$node"
        echo "$node,$(address "$node") $(cut -d' ' -f1,2 "$lab/image/tmp/keys/host_$node.pub")" \
            >>"$lab/image/tmp/keys/known_hosts"
    done
    mv "$lab/image/tmp/keys" "$keys"
    {
        echo "127.0.0.1 localhost"
        for node in "${all_nodes[@]}"; do
            echo "$(address "$node") $node"
        done
    } >"$keys/hosts.tmp"
    mv "$keys/hosts.tmp" "$keys/hosts"
}

shared() {
    local file target
    mkdir -p "$lab/shared/images" "$lab/shared/bin" "$lab/opt" "$lab/nodes"
    chmod 1777 "$lab/shared"
    for file in "$lab"/images/*.sif; do
        target=$lab/shared/images/${file##*/}
        [[ $target -ef $file ]] || ln -f "$file" "$target"
    done
    [[ -n ${MIGRATOR_PAYLOADS:-} ]] || return 0
    for file in "$MIGRATOR_PAYLOADS"/*; do
        target=$lab/shared/bin/${file##*/}
        if [[ ! -f $file ]] || cmp -s "$file" "$target"; then
            continue
        fi
        cp "$file" "$target.tmp"
        chmod 755 "$target.tmp"
        mv "$target.tmp" "$target" # a running payload keeps the file it was started from
    done
}

# Puts MIGRATOR_HOME on all nodes, running ones too: they share LAB/opt.
distribution() {
    local home=${MIGRATOR_HOME:-} dist old
    [[ -n $home ]] || return 0
    [[ -x $home/bin/migrator ]] || fail "MIGRATOR_HOME=$home has no bin/migrator"
    dist=dist-$(find -L "$home" -type f -printf '%P %s %T@ %m\n' | LC_ALL=C sort | sha256sum | cut -c1-16)
    [[ $(readlink "$lab/opt/current" || true) != "$dist" ]] || return 0
    say "installing migrator on the nodes"
    rm -rf "$lab/opt/new" "${lab:?}/opt/$dist"
    cp -rL --preserve=mode,timestamps "$home" "$lab/opt/new"
    chown -R 0:0 "$lab/opt/new"
    chmod -R u+rwX,go+rX,go-w "$lab/opt/new"
    mv "$lab/opt/new" "$lab/opt/$dist"
    ln -s "$dist" "$lab/opt/current.new"
    mv -T "$lab/opt/current.new" "$lab/opt/current"
    for old in "$lab"/opt/dist-*; do
        [[ $old == "$lab/opt/$dist" ]] || rm -rf "$old"
    done
}

node_init() {
    local built=$here/node-init
    if [[ ! -x $built ]]; then
        built=$lab/node-init
        if [[ ! $built -nt $here/node-init.c ]]; then
            gcc -O2 -Wall -Wextra -static -o "$built.tmp" "$here/node-init.c"
            mv "$built.tmp" "$built"
        fi
    fi
    echo "$built"
}
