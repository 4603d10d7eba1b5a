#!/usr/bin/env bash
# Writes the performance checklist of a pull request into its comment. A token that may not
# comment, as that of a pull request from a fork, fails nothing: the list is then on the
# page of the run.
set -euo pipefail
cd "${INPUT_WORKING_DIRECTORY:-.}"

list=${RUNNER_TEMP:?is set by the runner}/planvet-checklist.md
said=$RUNNER_TEMP/planvet-checklist.log
read -ra more <<<"${INPUT_ARGS:-}"
code=0
planvet checklist "--since=$SINCE" --comment --fail-on=never "--output=$list" ${more[@]+"${more[@]}"} 2> >(tee "$said" >&2) || code=$?
wait
if [ -e "$list" ] && grep -q '^planvet: no comment .*the token may not comment' "$said"; then
	echo '::notice title=planvet::the token may not comment: the checklist is on the page of the run'
	cat "$list" >>"$GITHUB_STEP_SUMMARY"
fi
exit "$code"
