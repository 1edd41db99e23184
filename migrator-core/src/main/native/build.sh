#!/bin/sh
# Compiles the C parts into DIR; what is newer than its source is left alone.
#   build.sh DIR
set -eu
here=$(dirname "$0")
out=$1
mkdir -p "$out"

# compile SOURCE TARGET FLAGS...: to a temporary name first, so that a program in use can be replaced.
compile() {
    source=$1 target=$2
    shift 2
    if [ ! -f "$source" ]; then
        return 0
    fi
    if [ -f "$target" ] && [ -z "$(find "$here" -name '*.[ch]' -newer "$target")" ]; then
        return 0
    fi
    ${CC:-gcc} "$@" -o "$target.new" "$source"
    mv "$target.new" "$target"
}

for program in foothold keeper; do
    compile "$here/$program.c" "$out/$program" -O2 -std=gnu17 -Wall -Wextra -Werror -static-pie -Wl,-z,relro,-z,now -s
done
compile "$here/criushim.c" "$out/criushim.so" \
    -O2 -shared -fPIC -nostdlib -fno-stack-protector -Wl,-z,initfirst -Wall -Wextra
compile "$here/criufill.c" "$out/criufill.so" -O2 -shared -fPIC -nostdlib -fno-stack-protector -Wall -Wextra
