# Completion of planvet for fish. In ~/.config/fish/config.fish: planvet completion fish | source
function __planvet_complete
    set -l words (commandline -opc)
    set -l cur (commandline -ct)
    if test (count $cur) -eq 0
        set cur ""
    end
    for line in ($words[1] __complete fish $words[2..-1] $cur 2>/dev/null)
        if test "$line" = ":files"
            set -l flag (string match -r -- '^--[^=]*=' $cur)
            for path in (__fish_complete_path (string replace -r -- '^--[^=]*=' '' $cur))
                echo "$flag$path"
            end
        else
            echo $line
        end
    end
end
complete -c planvet -f -a '(__planvet_complete)'
