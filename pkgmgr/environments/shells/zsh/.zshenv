# Read by the zsh of `wpm shell --host`, whose ZDOTDIR this folder is: the user's own comes first, and .zshrc is ours, too.
_wpm_zdotdir=$ZDOTDIR
ZDOTDIR=${WPM_ZDOTDIR:-$HOME}
if [[ -f $ZDOTDIR/.zshenv ]]; then . $ZDOTDIR/.zshenv; fi
WPM_ZDOTDIR=${ZDOTDIR:-$HOME}
ZDOTDIR=$_wpm_zdotdir
