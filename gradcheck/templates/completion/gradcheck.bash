# gradcheck: completion for bash 4.4 and later
_gradcheck() {
    local line=${COMP_LINE:0:COMP_POINT} current=${COMP_WORDS[COMP_CWORD]} typed kind value name
    typed=${line##*[[:space:]]}
    typed=${typed%"${typed##*[:=]}"}  # bash ends words at these, so that it is there already
    [[ $current == [:=] ]] && current=
    COMPREPLY=()
    while IFS=$'\t' read -r kind value _; do
        if [[ $kind == word ]]; then
            COMPREPLY+=("${value#"$typed"}")
        else
            compopt -o filenames
            while IFS= read -r name; do
                [[ -z $value || $name =~ \.($value)$ || -d ${name/#\~/$HOME} ]] && COMPREPLY+=("$name")
            done < <(compgen -f -- "$current")
        fi
    done < <("${1/#\~/$HOME}" completion bash --line "$line" 2>/dev/null)
    [[ ${#COMPREPLY[@]} == 1 && ${COMPREPLY[0]} == *[=:] ]] && compopt -o nospace  # more must follow
}
complete -o nosort -F _gradcheck gradcheck
