#compdef planvet
# Completion of planvet for zsh. In ~/.zshrc, after compinit: source <(planvet completion zsh)
# or as a file named _planvet in a folder of $fpath.
_planvet() {
    local line files=
    local -a described open
    for line in "${(@f)$("${words[1]}" __complete zsh "${(@)words[2,CURRENT]}" 2>/dev/null)}"; do
        if [[ $line == :files ]]; then
            files=1
        elif [[ ${line%%$'\t'*} == *[=,] ]]; then
            open+=("${${line%%$'\t'*}//:/\\:}:${line#*$'\t'}")
        elif [[ -n $line ]]; then
            described+=("${${line%%$'\t'*}//:/\\:}:${line#*$'\t'}")
        fi
    done
    [[ $PREFIX == --*=* ]] && compset -P '*='
    (( $#described )) && _describe -t values planvet described
    (( $#open )) && _describe -t values planvet open -S ''
    [[ -n $files ]] && _files
    return 0
}
if [[ $funcstack[1] == _planvet ]]; then
    _planvet "$@"
else
    compdef _planvet planvet
fi
