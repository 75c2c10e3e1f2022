#include "signals.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "jobs.h"
#include "memory.h"
#include "shell.h"
#include "source.h"
#include "system.h"

struct described {
    const char *name, *description;
};

/* WASIX numbers them as Linux does. */
static const struct described table[SIGNALS] = {
    {"EXIT", ""},
    {"HUP", "Hangup"},
    {"INT", "Interrupt"},
    {"QUIT", "Quit"},
    {"ILL", "Illegal instruction"},
    {"TRAP", "Trace/breakpoint trap"},
    {"ABRT", "Aborted"},
    {"BUS", "Bus error"},
    {"FPE", "Floating point exception"},
    {"KILL", "Killed"},
    {"USR1", "User defined signal 1"},
    {"SEGV", "Segmentation fault"},
    {"USR2", "User defined signal 2"},
    {"PIPE", "Broken pipe"},
    {"ALRM", "Alarm clock"},
    {"TERM", "Terminated"},
    {"STKFLT", "Stack fault"},
    {"CHLD", "Child exited"},
    {"CONT", "Continued"},
    {"STOP", "Stopped (signal)"},
    {"TSTP", "Stopped"},
    {"TTIN", "Stopped (tty input)"},
    {"TTOU", "Stopped (tty output)"},
    {"URG", "Urgent I/O condition"},
    {"XCPU", "CPU time limit exceeded"},
    {"XFSZ", "File size limit exceeded"},
    {"VTALRM", "Virtual timer expired"},
    {"PROF", "Profiling timer expired"},
    {"WINCH", "Window changed"},
    {"IO", "I/O possible"},
    {"PWR", "Power failure"},
    {"SYS", "Bad system call"},
};

static char *actions[SIGNALS];
static volatile bool pending[SIGNALS];
volatile bool signals_pending;
static bool taking, prompting;

int signal_number(const char *name) {
    if (*name >= '0' && *name <= '9') {
        char *end;
        long number = strtol(name, &end, 10);
        return *end || number >= SIGNALS ? -1 : (int)number;
    }
    if (strncasecmp(name, "SIG", 3) == 0 && strcasecmp(name + 3, "EXIT") != 0) {
        name += 3;
    }
    for (int number = 0; number < SIGNALS; number++) {
        if (strcasecmp(name, table[number].name) == 0) {
            return number;
        }
    }
    return -1;
}

const char *signal_name(int number) {
    return number >= 0 && number < SIGNALS ? table[number].name : NULL;
}

const char *signal_description(int number) {
    return number >= 0 && number < SIGNALS ? table[number].description : "Unknown signal";
}

static bool ignored_by_default(int signal) {
    static const char *const names[] = {"STKFLT", "CHLD", "CONT", "STOP", "TSTP", "TTIN", "TTOU", "URG", "WINCH"};
    for (size_t index = 0; index < sizeof names / sizeof *names; index++) {
        if (strcmp(table[signal].name, names[index]) == 0) {
            return true;
        }
    }
    return false;
}

/* Called by the host in the middle of one of our calls: it takes a note and returns. */
__attribute__((export_name("take_signal"))) void take_signal(int signal) {
    if (signal <= 0 || signal >= SIGNALS) {
        return;
    }
    if (actions[signal]) {
        if (*actions[signal]) {
            pending[signal] = signals_pending = true;
        }
        return;
    }
    if (prompting && (signal == SIGNAL_INT || signal == SIGNAL_QUIT || signal == SIGNAL_TERM)) {
        if (signal == SIGNAL_INT) {
            pending[signal] = signals_pending = true;
            job_signal_foreground(signal);
        }
        return;
    }
    if (!ignored_by_default(signal)) {
        sys_exit(STATUS_SIGNAL + signal);
    }
}

static void take(void) {
    if (!taking) {
        taking = true;
        sys_take_signals();
    }
}

void signals_interactive(void) {
    prompting = true;
    take();
}

const char *trap_of(int signal) {
    return actions[signal];
}

void trap_set(int signal, const char *action) {
    free(actions[signal]);
    actions[signal] = action ? copy_string(action) : NULL;
    if (action && signal != SIGNAL_EXIT) {
        take();
    }
}

void traps_clear(void) {
    prompting = false;
    signals_pending = false;
    for (int signal = 0; signal < SIGNALS; signal++) {
        pending[signal] = false;
        if (actions[signal] && *actions[signal]) {
            trap_set(signal, NULL);
        }
    }
}

bool traps_any(void) {
    for (int signal = 0; signal < SIGNALS; signal++) {
        if (actions[signal] && *actions[signal]) {
            return true;
        }
    }
    return false;
}

bool interrupt_waiting(void) {
    return prompting && pending[SIGNAL_INT] && !actions[SIGNAL_INT];
}

int trap_waiting(void) {
    for (int signal = 1; signal < SIGNALS; signal++) {
        if (pending[signal]) {
            return signal;
        }
    }
    return 0;
}

static void run_action(int signal) {
    int status = shell.status;
    char *action = copy_string(actions[signal]);
    run_text(action, strlen(action), false);
    free(action);
    if (!shell.skip) {
        shell.status = status;
    }
}

void traps_run(void) {
    if (shell.skip) {
        return;
    }
    signals_pending = false;
    for (int signal = 1; signal < SIGNALS && !shell.skip; signal++) {
        if (!pending[signal]) {
            continue;
        }
        pending[signal] = false;
        if (actions[signal]) {
            run_action(signal);
        } else if (signal == SIGNAL_INT) {
            give_up(STATUS_SIGNAL + signal);
        }
    }
}

void trap_exit(void) {
    char *action = actions[SIGNAL_EXIT];
    actions[SIGNAL_EXIT] = NULL;
    if (!action || !*action) {
        free(action);
        return;
    }
    int status = shell.status;
    shell.skip = SKIP_NONE;
    run_text(action, strlen(action), false);
    if (shell.skip != SKIP_EXIT) {
        shell.status = status;
    }
    free(action);
}
