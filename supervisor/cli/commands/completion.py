"""`sbctl completion SHELL`: the few lines that make a shell ask us at each TAB."""

from __future__ import annotations

import click

from supervisor.cli.out import show

BASH = r"""# Completion of sbctl for bash. To have it in each shell, put into ~/.bashrc:
#     eval "$(sbctl completion bash)"
_sbctl() {
    local IFS=$'\n' command=${1/#\~\//$HOME/}
    COMPREPLY=($("$command" __complete bash "${COMP_LINE:0:COMP_POINT}" "$COMP_WORDBREAKS" 2>/dev/null))
    if [ "${COMPREPLY[0]}" = :dirs ]; then
        compopt -o filenames 2>/dev/null
        COMPREPLY=($(compgen -d -- "$2"))
    fi
}
complete -F _sbctl sbctl"""

ZSH = r"""#compdef sbctl
# Completion of sbctl for zsh. To have it in each shell, put into ~/.zshrc, behind compinit:
#     eval "$(sbctl completion zsh)"
_sbctl() {
    local -a offers
    offers=("${(@f)$("${~words[1]}" __complete zsh "${(@Q)words[2,CURRENT-1]}" "${(Q)PREFIX}" 2>/dev/null)}")
    if [[ "${offers[1]}" == :dirs ]]; then
        _path_files -/
    elif [[ -n "${offers[1]}" ]]; then
        _describe -V sbctl offers
    fi
}
if [[ "${funcstack[1]}" == _sbctl ]]; then
    _sbctl "$@"
else
    compdef _sbctl sbctl
fi"""

FISH = r"""# Completion of sbctl for fish. To have it in each shell:
#     sbctl completion fish > ~/.config/fish/completions/sbctl.fish
function __sbctl_complete
    set -l words (commandline -opc)
    set -l current (commandline -ct)
    set -l command (string replace -r '^~/' "$HOME/" -- $words[1])
    set -l offers (command $command __complete fish $words[2..-1] "$current" 2>/dev/null)
    if test "$offers[1]" = :dirs
        __fish_complete_directories "$current"
    else if test (count $offers) -gt 0
        printf '%s\n' $offers
    end
end
complete -c sbctl -f -a '(__sbctl_complete)'"""

SCRIPTS = {"bash": BASH, "zsh": ZSH, "fish": FISH}


@click.command()
@click.argument("shell", type=click.Choice(list(SCRIPTS)))
def command(shell: str) -> None:
    """Print the completion script of a shell: verbs, options, services, instances, signals.

    \b
    bash   put into ~/.bashrc:                    eval "$(sbctl completion bash)"
    zsh    put into ~/.zshrc, behind compinit:    eval "$(sbctl completion zsh)"
    fish   sbctl completion fish > ~/.config/fish/completions/sbctl.fish
    """
    show(SCRIPTS[shell])
