#!/bin/bash
# Part of `lab`: the processes of a node and how they are found and ended. Uses lab, default_lab and fail.

readonly PF_EXITING=4 # in the flags of /proc/PID/stat: a killed process 1 may wait long for its last orphan

# ---- cgroups: one per node, one for the hub, one for a build of the images

# A lab elsewhere than the default directory gets its own name, so that two labs can run side by side.
find_cgroups() {
    local fields mount= name=migrator-lab
    while [[ -z $mount ]] && read -ra fields; do
        [[ ${fields[-3]} != cgroup2 ]] || mount=${fields[4]}
    done </proc/self/mountinfo
    [[ -n $mount ]] || fail "this machine has no cgroup v2"
    [[ $lab == "$default_lab" ]] || name+=-$(sha256sum <<<"$lab" | cut -c1-8)
    cgroups=$mount/$name
}

# kill_cgroup NAME: kills whatever runs in it and waits for the end.
kill_cgroup() {
    local cgroup=$cgroups/$1 i
    [[ -d $cgroup ]] || return 0
    echo 1 >"$cgroup/cgroup.kill"
    for ((i = 0; i < 500; i++)); do
        if grep -qx 'populated 0' "$cgroup/cgroup.events" &&
            find "$cgroup" -depth -type d -delete 2>/dev/null; then
            return 0
        fi
        sleep 0.02
    done
    fail "processes in $cgroup do not end"
}

# in_cgroup NAME COMMAND...: becomes COMMAND inside that cgroup, so call it in a subshell.
# Only with the standard descriptors: what outlives a killed `lab` must not hold its lock for ever, and what a
# payload inherits from a caller's shell criu cannot dump.
in_cgroup() {
    local cgroup=$cgroups/$1 descriptor
    shift
    for descriptor in /proc/"$BASHPID"/fd/*; do
        descriptor=${descriptor##*/}
        [[ $descriptor -le 2 || $descriptor -eq 255 ]] || exec {descriptor}>&-
    done
    [[ -d $cgroup ]] || mkdir -p "$cgroup"
    echo 0 >"$cgroup/cgroup.procs"
    exec "$@"
}

# ---- processes known by a file "PID STARTTIME"; the start time tells a recycled pid

# Read from outside of the nodes only: a time namespace shifts the figure.
start_time() {
    local fields
    { read -ra fields <"/proc/$1/stat"; } 2>/dev/null || return 1
    ((!(fields[8] & PF_EXITING))) || return 1
    echo "${fields[21]}"
}

# alive FILE: prints the pid if that very process lives.
alive() {
    local pid=0 start=0
    [[ -f $1 ]] || return 1
    read -r pid start <"$1"
    [[ $(start_time "$pid") == "$start" ]] || return 1
    echo "$pid"
}

node_pid() { alive "$lab/nodes/$1/ready"; }
hub_pid() { alive "$lab/hub"; }
