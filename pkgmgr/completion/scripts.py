"""What a shell reads to complete the words of wpm: it asks `wpm completion --complete` at each tab."""

from __future__ import annotations

from typing import Final

SCRIPTS: Final = {
    "bash": r"""# Tab completion of wpm for bash. In ~/.bashrc: eval "$(wpm completion bash)"
_wpm() {
    local output kind space line
    COMPREPLY=()
    output=$("${1/#\~\//$HOME/}" completion --complete bash "${COMP_LINE:0:COMP_POINT}" "$COMP_WORDBREAKS" \
        2>/dev/null </dev/null) || return 0
    {
        read -r kind space
        while IFS= read -r line; do
            [[ -n $line ]] && COMPREPLY+=("$line")
        done
    } <<<"$output"
    # Where some words are not finished, the others bring the spaces behind them along.
    if type compopt &>/dev/null; then
        [[ $space == own && ${#COMPREPLY[@]} -gt 0 ]] && compopt -o nospace
        case $kind in
            nothing) compopt +o default ;;
            folders) compopt +o default -o dirnames ;;
        esac
    fi
    return 0
}
complete -o default -F _wpm wpm
""",
    "zsh": r"""#compdef wpm
# Tab completion of wpm for zsh. In ~/.zshrc: eval "$(wpm completion zsh)"; or as a file _wpm in a directory of $fpath.
_wpm() {
    local program=${${(Q)words[1]}/#\~\//$HOME/} kind line
    local -a lines finished open
    lines=("${(@f)$("$program" completion --complete zsh "${(@Q)words[2,CURRENT-1]}" "${(Q)PREFIX}" 2>/dev/null </dev/null)}")
    kind=$lines[1]
    for line in "${(@)lines[2,-1]}"; do
        case $line in
            ' '*) finished+=("${line#?}") ;;
            +*) open+=("${line#?}") ;;
        esac
    done
    local found=1
    (( $#finished )) && _describe -t wpm wpm finished && found=0
    (( $#open )) && _describe -t wpm wpm open -S '' && found=0
    [[ $kind != nothing && $PREFIX == -*=* ]] && compset -P '*='
    case $kind in
        files) _files && found=0 ;;
        folders) _files -/ && found=0 ;;
        runnable) _files -g '*.(wasm|webc)(-.)' && found=0 ;;
    esac
    return found
}
if [[ $funcstack[1] == _wpm ]]; then
    _wpm "$@"
else
    (( $+functions[compdef] )) || { autoload -Uz compinit && compinit }
    compdef _wpm wpm
fi
""",
    "fish": r"""# Tab completion of wpm for fish. In ~/.config/fish/config.fish: wpm completion fish | source
function __wpm_complete
    set -l words (commandline -opc)
    set -l current (commandline -ct)
    set -l lines ($words[1] completion --complete fish $words[2..] "$current" 2>/dev/null </dev/null)
    switch "$lines[1]"
        case files runnable
            __fish_complete_path "$current"
        case folders
            __fish_complete_directories "$current"
    end
    printf '%s\n' $lines[2..]
end
complete -c wpm -f -a '(__wpm_complete)'
""",
}
