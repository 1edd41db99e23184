package io.migrator.it;

/** Programs for a node's python that write journals which {@code recover} must not believe. */
final class SpoiltJournal {
    /** Root's journals. */
    static final String DIRECTORY = "/dev/shm/migrator-root/journal/";

    private static final String CRC32C =
            """
            def crc32c(data):
                crc = 0xffffffff
                for byte in data:
                    crc ^= byte
                    for _ in range(8):
                        crc = (crc >> 1) ^ (0x82f63b78 & -(crc & 1))
                return crc ^ 0xffffffff
            """;

    /**
     * Writes a journal anew: with a byte changed, or with other boot ids and the right checksum.
     */
    static final String SPOIL =
            CRC32C
                    + """
                    import glob, sys
                    file, = [f for f in glob.glob('%sm*') if '.' not in f]
                    data = open(file, 'rb').read()
                    open('/root/journal.good', 'wb').write(data)
                    if sys.argv[1] == 'damage':
                        data = data[:90] + bytes([data[90] ^ 0x80]) + data[91:]
                    else:
                        head, body = data.split(b'\\n')[:2]
                        words = head.split(b' ')[:5] + [b'0-1', b'0-2']
                        text = b' '.join(words) + b'\\n' + body + b'\\n'
                        data = text + b'%%x\\n' %% crc32c(text)
                    open(file, 'wb').write(data)
                    """
                            .formatted(DIRECTORY);

    /** A migration that is gone, whose tree is one process that is none of ours. */
    static final String FORGE =
            CRC32C
                    + """
                    import json, os
                    pid = int(open('/tmp/victim').read())
                    start = int(open('/proc/%%d/stat' %% pid).read().rsplit(')', 1)[1].split()[19])
                    boot = open('/proc/sys/kernel/random/boot_id').read().strip()
                    note = dict(state='GONE', instance='no', appinit=1, appinitStart=1, carries=False,
                                seal=dict(cgroup=None, members=[dict(pid=pid, startTime=start,
                                                                     wasStopped=False)]),
                                criu=dict(pid=0, startTime=0),
                                far=dict(to='n2', transport='jsch', program='migrator'))
                    text = 'migrator 1 source mforged %%s %%s %%s\\n%%s\\n' %% (
                        'a' * 32, boot, boot, json.dumps(note))
                    os.makedirs('%s')
                    open('%smforged', 'w').write(text + '%%x\\n' %% crc32c(text.encode()))
                    open('%smforged.lock', 'w')
                    """
                            .formatted(DIRECTORY, DIRECTORY, DIRECTORY);

    private SpoiltJournal() {}
}
