#!/usr/bin/env bash
# Puts planvet on the PATH of the steps that follow:
#
#  1. INPUT_VERSION, else the ref that the action was taken at;
#  2. of a release its archive, held against its checksums;
#  3. where it has none for this machine, or the version is no release, a build: of the
#     action's own source, else through the Go module proxy. That needs Go and a C compiler.
#
# PLANVET_RELEASES is where releases are, for a mirror.
set -euo pipefail

fail() {
	echo "::error title=planvet::$1"
	exit 3
}

releases=${PLANVET_RELEASES:-https://github.com/planvet/planvet/releases/download}
bin=${RUNNER_TEMP:?is set by the runner}/planvet-bin
version=${INPUT_VERSION:-}
program=planvet

if [ "$version" = installed ]; then
	command -v planvet >/dev/null || fail "version is installed, and there is no planvet on the PATH"
	planvet --version
	exit
fi

own=
if [ -z "$version" ]; then
	# The runner unpacks an action into OWNER/REPOSITORY/REF.
	own=$GITHUB_ACTION_PATH
	version=$(basename "$own")
fi
mkdir -p "$bin"

release() { # fetches the release's program into $bin; 1: there is none for this machine
	local os arch libc='' name sums
	case $(uname -s) in
	Linux) os=linux ;;
	Darwin) os=darwin ;;
	*) return 1 ;;
	esac
	# Alpine's C library is another.
	[ "$os" != linux ] || ! { ldd --version 2>&1 || true; } | grep -qi musl || libc=_musl
	case $(uname -m) in
	x86_64 | amd64) arch=amd64 ;;
	arm64 | aarch64) arch=arm64 ;;
	*) return 1 ;;
	esac
	name=planvet_${version#v}_${os}_${arch}$libc.tar.gz
	curl -fsSL --retry 3 -o "$bin/$name" "$releases/$version/$name" || return 1
	sums=$(curl -fsSL --retry 3 "$releases/$version/checksums.txt") || fail "release $version has no checksums"
	sums=$(awk -v name="$name" '$2 == name || $2 == "*" name { print $1 }' <<<"$sums")
	[ -n "$sums" ] || fail "the checksums of release $version do not name $name"
	if command -v sha256sum >/dev/null; then
		(cd "$bin" && sha256sum -c - <<<"$sums  $name") || fail "$name is not what release $version says"
	else
		(cd "$bin" && shasum -a 256 -c - <<<"$sums  $name") || fail "$name is not what release $version says"
	fi
	tar -xzf "$bin/$name" -C "$bin" "$program" || fail "$name has no $program"
	rm "$bin/$name"
}

build() {
	command -v go >/dev/null || fail "planvet $version has to be built: add actions/setup-go before, or name a release by version"
	if [ -n "$own" ] && [ -e "$own/go.mod" ]; then
		echo "building planvet of $own"
		(cd "$own" && go build -o "$bin/" ./cmd/planvet) || fail "planvet $version could not be built"
	else
		echo "building planvet $version"
		GOBIN=$bin go install "github.com/planvet/planvet/cmd/planvet@$version" || fail "planvet $version could not be built"
	fi
}

if ! [[ $version =~ ^v[0-9]+\.[0-9]+\.[0-9]+ ]] || ! release; then
	build
fi
echo "$bin" >>"$GITHUB_PATH"
"$bin/$program" --version
