#!/bin/bash
# Makes the file systems the lab needs, each only if it is missing, half made or of another recipe:
#
#   LAB/image             root file system of a node: Debian with sshd, criu and Apptainer
#   LAB/images/base.sif   job image: Debian with python3 and the usual small tools
#   LAB/images/apps.sif   job image of real workloads, see apps.sh
#
#   images.sh LAB        make the first two, if they are missing
#   images.sh LAB apps   make the third, if it is missing; needs the first
#   images.sh --stamp    print the recipe's stamp (the hash of this file)
#
# A stamp is written before the last rename, so what carries the right stamp is whole. Runs in a mount
# namespace of its own: what debootstrap or a killed build leaves mounted must not stay on the host.
set -euo pipefail

readonly NODE_PACKAGES=(apptainer criu openssh-server openssh-client squashfuse fuse2fs fuse-overlayfs
    squashfs-tools nftables iproute2 procps python3-minimal sudo)
readonly JOB_PACKAGES=(python3-minimal procps iproute2)
readonly here=${BASH_SOURCE[0]%/*}
readonly APPTAINER_BIN=usr/lib/x86_64-linux-gnu/apptainer/bin

say() { echo "lab: $*" >&2; }

stamp() { sha256sum "${BASH_SOURCE[0]}" | cut -c1-16; }

# minbase ROOT
minbase() {
    local root=$1
    say "debian base system"
    rm -rf "$root"
    eatmydata debootstrap --variant=minbase sid "$root" >"$lab/log/minbase" 2>&1
    # no daemon may start in a chroot, and an image that can be remade needs no fsync
    printf '#!/bin/sh\nexit 101\n' >"$root/usr/sbin/policy-rc.d"
    chmod 755 "$root/usr/sbin/policy-rc.d"
    echo force-unsafe-io >"$root/etc/dpkg/dpkg.cfg.d/lab"
}

# install ROOT PACKAGE...
install() {
    local root=$1
    shift
    DEBIAN_FRONTEND=noninteractive LC_ALL=C chroot "$root" \
        apt-get -q -y -o APT::Sandbox::User=root --no-install-recommends install "$@"
    chroot "$root" apt-get clean
    rm -rf "$root"/var/lib/apt/lists/* "$root"/var/log/apt "$root"/usr/share/doc/*
    : >"$root/etc/resolv.conf"
    echo "127.0.0.1 localhost" >"$root/etc/hosts" # `apptainer build` fails without one
}

users() {
    local root=$1
    chroot "$root" groupadd -g 2000 hpc
    chroot "$root" groupadd -g 2001 proj
    # a password of '*' means no password login; useradd's own '!' would lock the account for sshd without PAM
    chroot "$root" useradd -m -u 1000 -s /bin/bash -p '*' -G hpc,proj alice
    chroot "$root" useradd -m -u 1001 -s /bin/bash -p '*' bob
}

# Debian ships Apptainer without its setuid starter; the copy makes the setuid mode of real sites work.
apptainer_settings() {
    local root=$1 conf=$1/etc/apptainer/apptainer.conf
    cp "$root/$APPTAINER_BIN/starter" "$root/$APPTAINER_BIN/starter-suid"
    chmod 4755 "$root/$APPTAINER_BIN/starter-suid"
    # "full" wants CAP_SYS_RESOURCE, which not every test machine has
    sed -i -e 's/^root default capabilities = .*/root default capabilities = no/' \
        -e 's/^allow setuid-mount squashfs = .*/allow setuid-mount squashfs = yes/' "$conf"
    # tells a payload inside any instance which node it is on, see the payload "tally"
    echo 'bind path = /etc/migrator-node' >>"$conf"
}

node_image() {
    local root=$lab/image.tmp
    say "node image"
    install "$root" "${NODE_PACKAGES[@]}" >"$lab/log/node-image" 2>&1
    users "$root"
    apptainer_settings "$root"
    rm -f "$root"/etc/ssh/ssh_host_*
    mkdir -p "$root/shared" "$root/opt/migrator"
    : >"$root/etc/migrator-node"
    stamp >"$root/etc/migrator-image"
    rm -rf "$lab/image"
    mv "$root" "$lab/image"
}

# job_root NAME PACKAGE...: in LAB/NAME.tmp
job_root() {
    local name=$1 root=$lab/$1.tmp
    shift
    say "job image $name"
    install "$root" "$@" >"$lab/log/$name-image" 2>&1
    mkdir -p "$root/shared"
    : >"$root/etc/migrator-node"
}

# job_image NAME STAMP: packs LAB/NAME.tmp by the node image's own apptainer: the host need not have one.
job_image() {
    local name=$1 root=$lab/image work=$lab/$1.tmp
    mount -t proc proc "$root/proc"
    mount -t tmpfs tmpfs "$root/tmp"
    mount --rbind /dev "$root/dev"
    mkdir "$root/tmp/job" "$root/tmp/out"
    mount --bind "$work" "$root/tmp/job"
    mount --bind "$lab/images" "$root/tmp/out"
    env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/tmp chroot "$root" apptainer --silent build --force \
        --mksquashfs-args "-comp lz4" "/tmp/out/$name.tmp.sif" /tmp/job >>"$lab/log/$name-image" 2>&1
    umount -l "$root/tmp/job" "$root/tmp/out" "$root/tmp" "$root/dev" "$root/proc"
    rm -rf "$work"
    mv "$lab/images/$name.tmp.sif" "$lab/images/$name.sif"
    echo "$2" >"$lab/images/$name.stamp"
}

stamped() { [[ -f $1 && $(<"$1") == "$(stamp)" ]]; }

main() {
    local node=no job=no
    stamped "$lab/image/etc/migrator-image" || node=yes
    stamped "$lab/images/base.stamp" && [[ -f $lab/images/base.sif ]] || job=yes
    [[ $node$job != nono ]] || return 0

    rm -rf "$lab/image.tmp" "$lab/base.tmp" "$lab/images/base.stamp" "$lab/images/base.tmp.sif"
    minbase "$lab/minbase.tmp"
    [[ $job == no ]] || cp -a "$lab/minbase.tmp" "$lab/base.tmp"
    if [[ $node == yes ]]; then
        mv "$lab/minbase.tmp" "$lab/image.tmp"
        node_image &
    fi
    [[ $job == no ]] || job_root base "${JOB_PACKAGES[@]}"
    [[ $node == no ]] || wait $!
    [[ $job == no ]] || job_image base "$(stamp)"
    rm -rf "$lab/minbase.tmp"
}

if [[ $1 == --stamp ]]; then
    stamp
else
    lab=$1
    mkdir -p "$lab/images" "$lab/log"
    if [[ ${2:-} == apps ]]; then
        # shellcheck source=apps.sh
        source "$here/apps.sh"
        apps
    else
        main
    fi
fi
