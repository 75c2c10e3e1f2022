/* A POSIX shell for WASIX. */
#include <stdlib.h>
#include <string.h>

#include "builtins.h"
#include "input.h"
#include "memory.h"
#include "parameters.h"
#include "shell.h"
#include "signals.h"
#include "source.h"
#include "system.h"
#include "variables.h"

extern char **environ;

_Noreturn static void refuse(int status) {
    shell.status = status;
    exit_shell();
}

static int open_script(const char *path) {
    int fd, copy;
    int error = sys_open(path, OPEN_READ, &fd);
    if (error) {
        warn("cannot open %s: %s", path, system_message(error, "No such file"));
        refuse(STATUS_ERROR);
    }
    if (sys_copy_private(fd, &copy) == 0) {
        sys_close(fd);
        fd = copy;
    }
    return fd;
}

int main(int count, char **arguments) {
    sys_start();
    variables_start(environ);
    shell.pid = sys_own_pid();
    shell.name = count && arguments[0] ? arguments[0] : "sh";
    shell.line = 0;
    char *command = NULL;
    int used = 1;
    if (count < 1) {
        used = 0;
    } else if (!options_take(arguments, count, &used, true, &command)) {
        refuse(STATUS_ERROR);
    }
    struct input source;
    int rest = used;
    bool from_stdin = !command && (shell.options.from_stdin || rest >= count);
    int script = -1;
    if (!command && !from_stdin) {
        script = open_script(arguments[rest]);
    }
    if ((command || !from_stdin) && rest < count) {
        shell.name = arguments[rest++];
    }
    parameters_set(arguments + rest, count - rest);
    shell.options.from_stdin |= from_stdin;
    if (from_stdin && sys_is_terminal(0) && sys_is_terminal(2)) {
        shell.options.interactive = true;
    }
    if (shell.options.interactive) {
        signals_interactive();
    }
    if (command) {
        input_push_string(&source, command, strlen(command), 1);
    } else if (from_stdin) {
        input_push_file(&source, 0, true, shell.options.interactive);
    } else {
        input_push_file(&source, script, false, false);
    }
    shell.line = 1;
    run_input(command != NULL);
    if (input->prompts && shell.skip != SKIP_EXIT) {
        sys_write(2, "\n", 1);
    }
    exit_shell();
}
