#!/bin/sh
# Compiles the payload programs into TARGET/payload and the lab's own files into TARGET/lab.
#   build.sh TARGET
set -eu
here=$(dirname "$0")
target=$1
mkdir -p "$target/payload" "$target/lab"

# compile SOURCE PROGRAM: to a temporary name first, so that a program in use can be replaced.
compile() {
    if [ -f "$2" ] && [ -z "$(find "$1" "$here" -name '*.[ch]' -newer "$2")" ]; then
        return 0
    fi
    ${CC:-gcc} -O2 -Wall -Wextra -Werror -static -pthread -o "$2.new" "$1"
    mv "$2.new" "$2"
}

for source in "$here"/*.c; do
    [ -f "$source" ] || continue
    name=${source##*/}
    compile "$source" "$target/payload/${name%.c}"
done

for source in "$here"/../lab/*; do
    [ -e "$source" ] || continue
    case $source in
        */node-init.c) compile "$source" "$target/lab/node-init" ;;
        *) cp -pR --remove-destination "$source" "$target/lab/" ;;
    esac
done
