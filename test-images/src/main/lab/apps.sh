# Part of images.sh: the job image with the workloads of the paper, Debian's own packages, and their inputs, made
# here: a box of water (GROMACS), a melt (LAMMPS, also under Open MPI), a receptor and a ligand (AutoDock Vina).
# 2.4 GB before it is packed. Uses here, lab, say, minbase, job_root and job_image.

readonly APPS_PACKAGES=(gromacs lammps autodock-vina openmpi-bin python3 sqlite3 procps iproute2)

apps_stamp() { cat "$here/images.sh" "$here/apps.sh" "$here"/workloads/* | sha256sum | cut -c1-16; }

apps_inputs() {
    local root=$lab/apps.tmp
    mkdir -p "$root/opt/workloads"
    cp "$here"/workloads/* "$root/opt/workloads/"
    chroot "$root" bash -e -c '
        cd /opt/workloads
        gmx -quiet solvate -cs spc216.gro -box 4 4 4 -o water.gro -p water.top
        gmx -quiet grompp -f water.mdp -c water.gro -p water.top -o water.tpr -maxwarn 1
        awk -f pocket.awk >receptor.pdbqt' >>"$lab/log/apps-image" 2>&1
}

apps() {
    local stamp
    stamp=$(apps_stamp)
    if [[ -f $lab/images/apps.sif && -f $lab/images/apps.stamp && $(<"$lab/images/apps.stamp") == "$stamp" ]]; then
        return
    fi
    rm -rf "$lab/images/apps.stamp" "$lab/images/apps.tmp.sif"
    minbase "$lab/apps.tmp"
    job_root apps "${APPS_PACKAGES[@]}"
    apps_inputs
    job_image apps "$stamp"
}
