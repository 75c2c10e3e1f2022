/* break, continue, return, exit, trap, kill, wait, times. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "builtins.h"
#include "jobs.h"
#include "memory.h"
#include "shell.h"
#include "signals.h"
#include "system.h"

int builtin_break(int count, char **arguments) {
    long levels = count > 1 ? builtin_number(arguments[1]) : 1;
    if (levels < 0) {
        return STATUS_ERROR;
    }
    if (levels == 0) {
        fail("Illegal number: %s", arguments[1]);
        return STATUS_ERROR;
    }
    if (shell.loop_depth) {
        shell.skip = arguments[0][0] == 'b' ? SKIP_BREAK : SKIP_CONTINUE;
        shell.skip_count = levels > shell.loop_depth ? shell.loop_depth : (int)levels;
    }
    return 0;
}

int builtin_return(int count, char **arguments) {
    long status = count > 1 ? builtin_number(arguments[1]) : shell.status;
    if (status < 0) {
        return STATUS_ERROR;
    }
    shell.status = (int)status;
    shell.skip = shell.function_depth || shell.source_depth ? SKIP_RETURN : SKIP_EXIT;
    return (int)status;
}

int builtin_exit(int count, char **arguments) {
    long status = count > 1 ? builtin_number(arguments[1]) : shell.status;
    if (status < 0) {
        return STATUS_ERROR;
    }
    shell.status = (int)status & 0xff;
    shell.skip = SKIP_EXIT;
    return shell.status;
}

static void print_traps(void) {
    for (int signal = 0; signal < SIGNALS; signal++) {
        const char *action = trap_of(signal);
        if (action) {
            char *quoted = in_quotes(action);
            print("trap -- %s %s\n", quoted, signal_name(signal));
            free(quoted);
        }
    }
}

int builtin_trap(int count, char **arguments) {
    int first = count > 1 && strcmp(arguments[1], "--") == 0 ? 2 : 1;
    if (first >= count || strcmp(arguments[first], "-p") == 0) {
        print_traps();
        return 0;
    }
    /* Without an action: the first word is a signal too. */
    const char *action = NULL;
    if (first + 1 < count && !(arguments[first][0] >= '0' && arguments[first][0] <= '9')) {
        action = strcmp(arguments[first], "-") == 0 ? NULL : arguments[first];
        first++;
    }
    int status = 0;
    for (; first < count; first++) {
        int signal = signal_number(arguments[first]);
        if (signal < 0) {
            /* Without the shell's name, as dash does. */
            static const char before[] = "trap: ", behind[] = ": bad trap\n";
            sys_write(2, before, sizeof before - 1);
            sys_write(2, arguments[first], strlen(arguments[first]));
            sys_write(2, behind, sizeof behind - 1);
            status = 1;
        } else {
            trap_set(signal, action);
        }
    }
    return status;
}

static int list_signals(int count, char **arguments) {
    for (int index = 2; index < count; index++) {
        long number = builtin_number(arguments[index]);
        const char *name = number < 0 ? NULL : signal_name((int)(number > STATUS_SIGNAL ? number - STATUS_SIGNAL : number));
        if (!name) {
            return STATUS_ERROR;
        }
        print("%s\n", name);
    }
    for (int signal = 1; count == 2 && signal < SIGNALS; signal++) {
        print("%s\n", signal_name(signal));
    }
    return 0;
}

int builtin_kill(int count, char **arguments) {
    int signal = SIGNAL_TERM, first = 1, status = 0;
    if (count > 1 && arguments[1][0] == '-' && arguments[1][1]) {
        const char *name = arguments[1] + 1;
        first = 2;
        if (strcmp(name, "l") == 0) {
            return list_signals(count, arguments);
        }
        if (strcmp(name, "s") == 0 && count > 2) {
            name = arguments[2];
            first = 3;
        }
        if (strcmp(name, "-") != 0) {
            signal = signal_number(name);
            if (signal < 0) {
                fail("invalid signal number or name: %s", name);
                return STATUS_ERROR;
            }
        }
        if (first < count && strcmp(arguments[first], "--") == 0) {
            first++;
        }
    }
    if (first >= count) {
        fail("Usage: kill [-s sigspec | -signum | -sigspec] [pid | job]... or\nkill -l [exitstatus]");
        return STATUS_ERROR;
    }
    for (; first < count; first++) {
        char *end;
        long pid = strtol(arguments[first], &end, 10);
        if (end == arguments[first] || *end) {
            fail("Illegal number: %s", arguments[first]);
            return STATUS_ERROR;
        }
        int error = pid > 0 ? sys_send((int)pid, signal) : EINVAL;
        if (error) {
            warn("%s\n", error == ESRCH ? "No such process" : strerror(error));
            status = 1;
        }
    }
    return status;
}

int builtin_wait(int count, char **arguments) {
    int status = 0;
    if (count == 1) {
        return job_wait_all() ? 0 : STATUS_SIGNAL + trap_waiting();
    }
    for (int index = 1; index < count; index++) {
        long pid = builtin_number(arguments[index]);
        if (pid < 0) {
            return STATUS_ERROR;
        }
        status = job_wait((int)pid);
        if (status < 0) {
            return STATUS_SIGNAL + trap_waiting();
        }
    }
    return status;
}

int builtin_times(int count, char **arguments) {
    (void)count, (void)arguments;
    double seconds = (double)sys_processor_time() / 1e9;
    long minutes = (long)(seconds / 60);
    print("%ldm%fs 0m%fs\n0m%fs 0m%fs\n", minutes, seconds - 60.0 * (double)minutes, 0.0, 0.0, 0.0);
    return 0;
}
