# Read by the zsh of `wpm shell --host`: the user's own comes first, which finds ZDOTDIR as it would without us.
ZDOTDIR=$WPM_ZDOTDIR
if [[ $HISTFILE == $_wpm_zdotdir/* ]]; then HISTFILE=$ZDOTDIR/.zsh_history; fi
unset WPM_ZDOTDIR _wpm_zdotdir
if [[ -f $ZDOTDIR/.zshrc ]]; then . $ZDOTDIR/.zshrc; fi
if [[ $ZDOTDIR == $HOME ]]; then unset ZDOTDIR; fi
if [[ $path[1] != $WPM_PROJECT/.wpm/bin ]]; then path=("$WPM_PROJECT/.wpm/bin" $path); fi
PROMPT="($WPM_SHELL) $PROMPT"
