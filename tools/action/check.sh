#!/usr/bin/env bash
# Runs planvet check as a step of a workflow: on a pull request and in a merge queue for
# what the change brings, else for the whole project. It ends with planvet's exit code.
set -euo pipefail
cd "${INPUT_WORKING_DIRECTORY:-.}"

fail() {
	echo "::error title=planvet::$1"
	exit 3
}

# Fetching asks for nothing: without a token git would wait for a password.
fetch() { GIT_TERMINAL_PROMPT=0 git fetch --quiet --no-tags "$@" 2>/dev/null; }

# The commit that the change starts from, as a checkout of depth 1 does not have it:
#
#  1. GitHub checks out a merge of a pull request into its base, whose first parent the
#     base is; one commit more is fetched.
#  2. Where the head itself was checked out, history is fetched until it meets the base's.
start_of_pull_request() {
	local base="refs/remotes/origin/$GITHUB_BASE_REF" more
	if [ "$(git rev-parse HEAD)" = "$GITHUB_SHA" ] && [ "$(git cat-file commit HEAD | sed '/^$/q' | grep -c '^parent ')" = 2 ]; then
		git rev-parse -q --verify 'HEAD^1^{commit}' && return
		fetch --depth=2 origin "$GITHUB_SHA" || fetch --depth=2 origin "$GITHUB_REF" || true
		git rev-parse -q --verify 'HEAD^1^{commit}' && return
	fi
	for more in 1 100 1000 2147483647; do
		if [ "$more" = 1 ]; then
			git rev-parse -q --verify "$base" >/dev/null || fetch --depth=1 origin "+refs/heads/$GITHUB_BASE_REF:$base" || true
		elif [ "$(git rev-parse --is-shallow-repository)" = true ]; then
			fetch "--deepen=$more" origin "+refs/heads/$GITHUB_BASE_REF:$base" "$(git rev-parse HEAD)" || true
		else
			fetch origin "+refs/heads/$GITHUB_BASE_REF:$base" || true
		fi
		git merge-base HEAD "$base" 2>/dev/null && return
	done
	return 1
}

since=${INPUT_SINCE:-}
if [ -z "$since" ]; then
	case ${GITHUB_EVENT_NAME:-} in
	pull_request | pull_request_target)
		since=$(start_of_pull_request) || fail "where the change left $GITHUB_BASE_REF cannot be found: give actions/checkout fetch-depth: 0"
		;;
	merge_group)
		since=$MERGE_GROUP_BASE
		git cat-file -e "$since^{commit}" 2>/dev/null || fetch --depth=1 origin "$since" || fail "the queue's base $since cannot be fetched: give actions/checkout fetch-depth: 0"
		;;
	esac
elif [ "$since" = none ]; then
	since=
fi

temp=${RUNNER_TEMP:?is set by the runner}
sarif=$temp/planvet.sarif
args=(--output text --output "sarif=$sarif" --output "gcc=$temp/planvet.lines")
[ -z "$since" ] || args+=("--since=$since")
[ -z "${INPUT_FAIL_ON:-}" ] || args+=("--fail-on=$INPUT_FAIL_ON")
[ "${INPUT_ANNOTATIONS:-true}" != true ] || args+=(--output github)
[ "${INPUT_SUMMARY:-true}" != true ] || args+=(--output github-summary)
read -ra more <<<"${INPUT_ARGS:-}"

rm -f "$sarif" "$temp/planvet.lines"
code=0
planvet check "${args[@]}" ${more[@]+"${more[@]}"} || code=$?

{
	echo "exit-code=$code"
	echo "since=$since"
	if [ -e "$sarif" ]; then
		echo "sarif=$sarif"
		echo "findings=$(wc -l <"$temp/planvet.lines" | tr -d ' ')"
	fi
} >>"$GITHUB_OUTPUT"
case $code in
0 | 1 | 4) ;;
*) echo "::error title=planvet::planvet check ended with exit code $code: what it said is in the log of this step" ;;
esac
exit "$code"
