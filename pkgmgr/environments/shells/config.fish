# Read by the fish of `wpm shell --host` after the user's own configuration.
if test "$PATH[1]" != "$WPM_PROJECT/.wpm/bin"
    set -gx PATH "$WPM_PROJECT/.wpm/bin" $PATH
end
functions --copy fish_prompt _wpm_fish_prompt
function fish_prompt
    printf '(%s) ' "$WPM_SHELL"
    _wpm_fish_prompt
end
