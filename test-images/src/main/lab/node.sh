#!/bin/bash
# Turns fresh namespaces into a lab node and becomes its process 1.
#
#   node.sh LAB NAME NODE-INIT   run by `lab` under unshare; the host's /proc and file system are still in view
#
# Everything mounted here lives in the node's own mount namespace and goes with it.
set -euo pipefail

readonly lab=$1 name=$2 init=$3
readonly dir=$lab/nodes/$name root=$lab/nodes/$name/root

# The host's /proc shows this process under its host pid.
record_pid() {
    local pid
    read -r pid _ </proc/self/stat
    echo "$pid" >"$dir/pid.tmp"
    mv "$dir/pid.tmp" "$dir/pid"
}

mount_root() {
    mkdir -p "$dir/upper" "$dir/work" "$root"
    mount -t overlay overlay -o "lowerdir=$lab/image,upperdir=$dir/upper,workdir=$dir/work" "$root"
    mount -t proc -o nosuid,nodev,noexec proc "$root/proc"
    mount -t sysfs -o nosuid,nodev,noexec sysfs "$root/sys"
    mount -t cgroup2 -o nosuid,nodev,noexec cgroup2 "$root/sys/fs/cgroup"
    mount -t tmpfs -o nosuid,nodev,mode=755 tmpfs "$root/run"
    mount -t tmpfs -o nosuid,nodev,mode=1777 tmpfs "$root/tmp"
    mkdir -p "$root/run/sshd" "$root/run/lock"
    mount --bind "$lab/shared" "$root/shared"
    mount --bind "$lab/opt" "$root/opt/migrator"
}

# Migrator on PATH is the distribution's own, with the faults that `migrator lab fault` armed on this node.
program() {
    cat >"$root/usr/local/bin/migrator.new" <<-'END'
		#!/bin/sh
		if [ -r /etc/migrator-fault ]; then
		    MIGRATOR_FAULT=$(cat /etc/migrator-fault)
		    export MIGRATOR_FAULT
		fi
		exec "$(readlink -f /opt/migrator/current/bin/migrator)" "$@"
	END
    chmod 755 "$root/usr/local/bin/migrator.new"
    mv -T "$root/usr/local/bin/migrator.new" "$root/usr/local/bin/migrator"
}

# A /dev of the node's own: the host's has /dev/fuse at 0600 and devices no node should reach.
mount_dev() {
    local dev=$root/dev i
    mount -t tmpfs -o nosuid,mode=755 tmpfs "$dev"
    mkdir "$dev/pts" "$dev/shm" "$dev/mqueue" "$dev/net"
    mknod -m 666 "$dev/null" c 1 3
    mknod -m 666 "$dev/zero" c 1 5
    mknod -m 666 "$dev/full" c 1 7
    mknod -m 666 "$dev/random" c 1 8
    mknod -m 666 "$dev/urandom" c 1 9
    mknod -m 666 "$dev/tty" c 5 0
    mknod -m 666 "$dev/fuse" c 10 229
    mknod -m 666 "$dev/net/tun" c 10 200
    mknod -m 660 "$dev/loop-control" c 10 237
    for i in {0..15}; do
        mknod -m 660 "$dev/loop$i" b 7 "$i"
    done
    mount -t devpts -o newinstance,mode=620,gid=5,ptmxmode=666 devpts "$dev/pts"
    # of the size that it gets again after `migrator lab fault clear`
    mount -t tmpfs -o nosuid,nodev,mode=1777,size=50% tmpfs "$dev/shm"
    mount -t mqueue mqueue "$dev/mqueue"
    ln -s pts/ptmx "$dev/ptmx"
    ln -s /proc/self/fd "$dev/fd"
    ln -s /proc/self/fd/0 "$dev/stdin"
    ln -s /proc/self/fd/1 "$dev/stdout"
    ln -s /proc/self/fd/2 "$dev/stderr"
}

identity() {
    hostname "$name"
    echo "$name" >"$root/etc/hostname"
    echo "$name" >"$root/etc/migrator-node"
    tr -d - </proc/sys/kernel/random/uuid >"$root/etc/machine-id"
    cp "$lab/keys/hosts" "$root/etc/hosts"
    cat /proc/sys/kernel/random/uuid >"$root/run/boot_id"
    # The kernel lets a user namespace mount its own /proc only where a whole one is in view; the bind below
    # hides a file of the first, so a second, untouched one keeps unprivileged instances working.
    mkdir "$root/run/proc"
    mount -t proc -o nosuid,nodev,noexec proc "$root/run/proc"
    mount --bind "$root/run/boot_id" "$root/proc/sys/kernel/random/boot_id"
}

# keys HOME OWNER
keys() {
    local ssh=$root$1/.ssh
    mkdir -p "$ssh"
    cp "$lab/keys/id_ed25519" "$lab/keys/known_hosts" "$ssh"
    cp "$lab/keys/id_ed25519.pub" "$ssh/authorized_keys"
    chmod 700 "$ssh"
    chmod 600 "$ssh"/*
    chown -R "$2" "$ssh"
}

ssh_server() {
    keys /root 0:0
    keys /home/alice 1000:1000
    keys /home/bob 1001:1001
    cp "$lab/keys/host_$name" "$root/etc/ssh/ssh_host_ed25519_key"
    cp "$lab/keys/host_$name.pub" "$root/etc/ssh/ssh_host_ed25519_key.pub"
    cp "$lab/keys/known_hosts" "$root/etc/ssh/ssh_known_hosts"
    chmod 600 "$root/etc/ssh/ssh_host_ed25519_key"
    chmod 644 "$root/etc/ssh/ssh_known_hosts"
    cat >"$root/etc/ssh/sshd_config.d/lab.conf" <<-END
		HostKey /etc/ssh/ssh_host_ed25519_key
		PermitRootLogin prohibit-password
		PasswordAuthentication no
		UsePAM no
		UseDNS no
		X11Forwarding no
		PrintMotd no
		MaxStartups 100:30:200
		MaxSessions 100
		PerSourcePenalties no
	END
}

enter_root() {
    cp "$init" "$root/run/node-init"
    mkdir "$root/run/host"
    cd "$root"
    pivot_root . run/host
    cd /
    umount -l /run/host
    rmdir /run/host
}

record_pid
mount_root
program
mount_dev
identity
ssh_server
enter_root
exec env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
    /run/node-init /usr/sbin/sshd -D -E /run/sshd.log </dev/null >/dev/null 2>&1
