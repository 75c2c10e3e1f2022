/* Processes that the shell has started and waits for. */
#ifndef JOBS_H
#define JOBS_H

#include <stdbool.h>

/* Wait for processes that were started in the foreground; the status of the last one. */
int job_wait_foreground(const int *pids, int count);
/* Remember a process that runs in the background. */
void job_add(int pid);
/* A process whose end nobody is interested in. */
void job_forget_later(int pid);
/* The status of a background process when it has ended, once; 127 for one that is not ours. -1 after a trapped signal. */
int job_wait(int pid);
/* Wait for all of them; false after a trapped signal. */
bool job_wait_all(void);
/* A subshell has no jobs. */
void jobs_clear(void);
/* Pass a signal on to what runs in the foreground. */
void job_signal_foreground(int signal);

#endif
