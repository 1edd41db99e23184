# A receptor for AutoDock Vina, made up: 400 atoms on the inside of a bowl of 8 to 14 A.  awk -f pocket.awk >receptor.pdbqt
BEGIN {
    split("C OA N A C NA C", types, " ")
    for (i = 0; i < 400; i++) {
        z = 1 - 1.7 * (i + 0.5) / 400
        around = sqrt(1 - z * z)
        angle = i * 2.39996323
        radius = 8 + 2 * (i % 4)
        printf "ATOM  %5d  X   UNK A%4d    %8.3f%8.3f%8.3f  1.00  0.00    %6.3f %-2s\n", i + 1, i / 10 + 1,
            radius * around * cos(angle), radius * around * sin(angle), radius * z, 0, types[i % 7 + 1]
    }
}
