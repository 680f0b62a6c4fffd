#!/bin/sh
# Builds the test control plane, unless this very version of it is built already,
# and prints the path of the binary. What it has to say goes to stderr.
#
# The binary is <cache>/strata/controlplane-<hash of the sources>. Tests look for
# it at <cache>/strata/controlplane-<version of Kubernetes>, a link to it.
# <cache> is $STRATA_CACHE, or $XDG_CACHE_HOME, or $HOME/.cache.
set -eu
export LC_ALL=C
cd "$(dirname "$0")"

say() { echo "controlplane: $*" >&2; }

sha256() { if command -v sha256sum >/dev/null; then sha256sum "$@"; else shasum -a 256 "$@"; fi; }

cache=${STRATA_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}}/strata
version=$(sed -n 's#^require k8s.io/kubernetes ##p' go.mod)

hash_sources() {
	# shellcheck disable=SC2046 # no name has a space in it
	sha256 go.mod go.sum build.sh $(find . -name '*.go' ! -name '*_test.go' | sort) | sha256 | cut -c1-16
}

hash=$(hash_sources)
bin=$cache/controlplane-$hash
tmp=$bin.tmp.$$

# publish points the link at the binary, in one step.
publish() {
	if [ "$(readlink "$cache/controlplane-$version" || :)" != "${bin##*/}" ]; then
		ln -s "${bin##*/}" "$tmp.link"
		mv -f "$tmp.link" "$cache/controlplane-$version"
	fi
	echo "$bin"
}

if [ -x "$bin" ]; then
	publish
	exit
fi

mkdir -p "$cache"
if command -v flock >/dev/null; then
	exec 9>"$cache/controlplane.lock"
	if ! flock -n 9; then
		say "another build is running; waiting for it"
		flock 9
	fi
	if [ -x "$bin" ]; then
		publish
		exit
	fi
fi

# Without these the API server reports no version, and Helm refuses charts.
ldflags='-s -w'
minor=${version#v*.}
for package in k8s.io/client-go/pkg/version k8s.io/component-base/version; do
	for setting in "gitVersion=$version" gitMajor=1 "gitMinor=${minor%%.*}" gitTreeState=clean \
		gitCommit=0000000000000000000000000000000000000000 buildDate=2026-01-01T00:00:00Z; do
		ldflags="$ldflags -X $package.$setting"
	done
done

# The same settings each time, or packages are compiled again.
export CGO_ENABLED=0 GOWORK=off GOFLAGS='-mod=readonly -trimpath -buildvcs=false'

build=
# shellcheck disable=SC2329 # called by the traps
cleanup() {
	[ -z "$build" ] || kill "$build" 2>/dev/null || :
	rm -f "$tmp" "$tmp.log" "$tmp.link"
}
trap cleanup EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM

# compiled counts the packages that the compiler has begun with.
compiled() { grep -cv '^go: ' "$tmp.log" || :; }

say "building Kubernetes $version for tests"
begin=$(date +%s)
total=$(go list -deps -f '{{if .Stale}}{{.ImportPath}}{{end}}' . | grep -c . || :)
say "packages to compile: $total (all 2,500 take several minutes, once)"
go build -v -ldflags "$ldflags" -o "$tmp" . 9>&- >"$tmp.log" 2>&1 &
build=$!
seconds=0
while kill -0 "$build" 2>/dev/null; do
	sleep 1
	seconds=$((seconds + 1))
	if [ $((seconds % 10)) -eq 0 ]; then
		done=$(compiled)
		if [ "$done" -lt "$total" ]; then
			say "$done of $total packages, $(($(date +%s) - begin)) s"
		else
			say "linking, $(($(date +%s) - begin)) s"
		fi
	fi
done
status=0
wait "$build" || status=$?
build=
if [ "$status" -ne 0 ]; then
	say "the build failed; its last lines:"
	tail -n 20 "$tmp.log" >&2
	exit "$status"
fi
if [ "$(hash_sources)" != "$hash" ]; then
	say "the sources changed during the build; please build again"
	exit 1
fi
mv -f "$tmp" "$bin"
say "built in $(($(date +%s) - begin)) s: $bin"

# Keep the three newest binaries: they are large.
# shellcheck disable=SC2010 # every name is one of ours
ls -t "$cache" | grep -E '^controlplane-[0-9a-f]{16}$' | tail -n +4 | while read -r old; do
	[ "$old" = "${bin##*/}" ] || rm -f "$cache/$old"
done
publish
