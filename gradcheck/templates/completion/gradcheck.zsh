#compdef gradcheck
# gradcheck: completion for zsh
_gradcheck() {
    local kind value help files=none
    local -a found open  # open: more must follow
    while IFS=$'\t' read -r kind value help; do
        if [[ $kind == word && $value == *[=:] ]]; then
            open+=("${value//:/\\:}")
        elif [[ $kind == word ]]; then
            found+=("${value//:/\\:}${help:+:$help}")
        else
            files=$value
        fi
    done < <("${words[1]/#\~/$HOME}" completion zsh --line "${words[1,CURRENT-1]} $PREFIX" 2>/dev/null)
    (( $#found )) && _describe 'gradcheck' found
    (( $#open )) && _describe 'gradcheck' open -S ''
    if [[ $files != none ]]; then
        compset -P '*='
        if [[ -n $files ]]; then _files -g "*.($files)(-.)"; else _files; fi
    fi
}
if [[ $funcstack[1] == _gradcheck ]]; then
    _gradcheck "$@"
else
    compdef _gradcheck gradcheck
fi
