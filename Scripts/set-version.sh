#!/bin/sh
# The version is what Sources/Main/Version.swift says. This writes it there and into the files that must spell it out.
#   Scripts/set-version.sh 0.2.0      sets it
#   Scripts/set-version.sh --check    status 1 if a copy differs, and says which
set -eu
cd "$(dirname "$0")/.."

# file, then what stands before the version; what stands behind is never part of a version.
copies='Dockerfile|ARG VERSION=
Deploy/compose.yaml|sentry-api-proxy:
Deploy/quickstart.yaml|image: sentry-api-proxy:
Deploy/quickstart.yaml|image: sentry-api-proxy-quickstart:
Deploy/kubernetes/base/deployment.yaml|image: sentry-api-proxy:
Deploy/kubernetes/overlays/example/kustomization.yaml|newTag: '
source=Sources/Main/Version.swift
number='[0-9][0-9]*\.[0-9][0-9]*\.[0-9][0-9]*'

case ${1-} in
    --check)
        version=$(sed -n 's/.*static let text = "\(.*\)"$/\1/p' $source)
        status=0
        for line in $(echo "$copies" | tr ' ' '~'); do
            file=${line%%|*}
            before=$(echo "${line#*|}" | tr '~' ' ')
            found=$(sed -n "s/.*$before\($number\).*/\1/p" "$file" | sort -u)
            [ "$found" = "$version" ] && continue
            echo "set-version.sh: $file has $before${found:-nothing}, but the version is $version" >&2
            status=1
        done
        for file in CHANGELOG.md Deploy/debian/changelog; do
            found=$(sed -n "s/^## \[\($number\)\].*/\1/p;s/^sentry-api-proxy (\($number\)).*/\1/p" $file | head -n 1)
            [ "$found" = "$version" ] && continue
            echo "set-version.sh: the first entry of $file is for ${found:-nothing}, but the version is $version" >&2
            status=1
        done
        exit $status ;;
    *[!0-9.]* | '' | .* | *. | *.*.*.* | *..*) echo "usage: set-version.sh MAJOR.MINOR.PATCH | --check" >&2; exit 64 ;;
    *.*.*) ;;
    *) echo "usage: set-version.sh MAJOR.MINOR.PATCH | --check" >&2; exit 64 ;;
esac

sed -i "s/\(static let text = \"\)$number\"/\1$1\"/" $source
for line in $(echo "$copies" | tr ' ' '~'); do
    before=$(echo "${line#*|}" | tr '~' ' ')
    sed -i "s/\($before\)$number/\1$1/" "${line%%|*}"
done
echo "Written. CHANGELOG.md and Deploy/debian/changelog need an entry for $1: RELEASING.md, step 2."
