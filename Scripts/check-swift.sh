#!/bin/sh
# Says what Swift lacks, before anything is installed or built. A toolchain that was unpacked from an archive brings none of the system's libraries.
set -eu

page=https://www.swift.org/install/linux/
swift=$(command -v swift) || { echo "Swift 6.2 or newer is needed and not on the PATH: $page" >&2; exit 69; }
folder=$(dirname "$(readlink -f "$swift")")
missing=$(
    for program in swift-frontend swift-build swift-test clang lld; do
        [ ! -x "$folder/$program" ] || ldd "$folder/$program" 2>/dev/null | sed -n 's/^[[:space:]]*\([^ ]*\) => not found$/\1/p'
    done | sort -u | tr '\n' ' '
)
if [ -n "$missing" ]; then
    echo "Swift's own programs lack these libraries: $missing" >&2
    echo "Install what $page lists for this system; nothing was changed." >&2
    exit 69
fi
said=$("$swift" --version 2>&1) || { echo "swift --version fails; nothing was changed:" >&2; echo "$said" >&2; exit 69; }
version=$(echo "$said" | sed -n 's/.*Swift version \([0-9]*\.[0-9]*\).*/\1/p' | head -n 1)
if [ "$(printf '6.2\n%s\n' "$version" | sort -V | head -n 1)" != 6.2 ]; then
    echo "Swift 6.2 or newer is needed, and $swift is ${version:-of no known version}: $page" >&2
    exit 69
fi
