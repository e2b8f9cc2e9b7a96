# gradcheck: completion for fish
function __gradcheck_complete
    gradcheck completion fish --line (commandline -cp | string collect) 2>/dev/null | while read -l -d \t kind value help
        if test "$kind" = word
            printf '%s\t%s\n' $value $help
        else
            set -l before (string match -r '^.*=' -- (commandline -ct))
            set -l path (string replace -r '^.*=' '' -- (commandline -ct))
            test -n "$value"; and set value "/|\.($value)"
            printf '%s\n' "$before"(complete -C "'' $path" | string match -r -- "^[^\t]*?(?:$value)(?=\t|\$)")
        end
    end
end
complete -c gradcheck -f -a '(__gradcheck_complete)'
