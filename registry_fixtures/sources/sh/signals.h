/* Signals, and what trap has the shell do about them. */
#ifndef SIGNALS_H
#define SIGNALS_H

#include <stdbool.h>

enum { SIGNAL_EXIT = 0, SIGNAL_HUP = 1, SIGNAL_INT = 2, SIGNAL_QUIT = 3, SIGNAL_KILL = 9, SIGNAL_PIPE = 13, SIGNAL_TERM = 15, SIGNALS = 32 };

/* A trapped signal has come, and its commands have not been run yet. */
extern volatile bool signals_pending;

/* The number of `INT`, `SIGINT` or `2`; -1 for none. EXIT is 0. */
int signal_number(const char *name);
const char *signal_name(int number);
/* What a shell says of a process that it ended. */
const char *signal_description(int number);

/* NULL for the default, "" to ignore. */
const char *trap_of(int signal);
void trap_set(int signal, const char *action);
/* In a subshell only what is ignored stays. */
void traps_clear(void);
/* Whether any command is set: then the shell must still be there afterwards. */
bool traps_any(void);
/* Whether somebody at the prompt wants an end of what runs. */
bool interrupt_waiting(void);
/* The lowest signal that has come and waits, 0 for none. */
int trap_waiting(void);
/* Run the commands of the signals that have come. */
void traps_run(void);
/* Run the EXIT trap, once. */
void trap_exit(void);
/* Have Ctrl-C interrupt the command line and not the shell. */
void signals_interactive(void);

#endif
