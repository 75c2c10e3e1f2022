#include "jobs.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "memory.h"
#include "shell.h"
#include "signals.h"
#include "system.h"

struct job {
    struct job *next;
    int pid;
    bool ended, forgotten;
    int status;
};

static struct job *jobs;
static const int *foreground;
static int foreground_count;

static int status_of(const struct ending *ending) {
    return ending->signal ? STATUS_SIGNAL + ending->signal : ending->code & 0xff;
}

static void tell_of_signal(int signal) {
    if (signal && signal != SIGNAL_INT && signal != SIGNAL_PIPE) {
        const char *text = signal_description(signal);
        output_flush();
        sys_write(2, text, strlen(text));
        sys_write(2, "\n", 1);
    }
}

int job_wait_foreground(const int *pids, int count) {
    int status = 0;
    foreground = pids;
    foreground_count = count;
    if (interrupt_waiting()) {
        /* It came before they could be told. */
        job_signal_foreground(SIGNAL_INT);
    }
    for (int index = 0; index < count; index++) {
        struct ending ending = {0};
        int error;
        while ((error = sys_wait(pids[index], true, &ending)) == EINTR) {
        }
        status = error ? STATUS_NOT_FOUND : status_of(&ending);
        if (index == count - 1) {
            tell_of_signal(ending.signal);
        }
    }
    foreground_count = 0;
    return status;
}

void job_signal_foreground(int signal) {
    for (int index = 0; index < foreground_count; index++) {
        sys_send(foreground[index], signal);
    }
}

/* Take note of what has ended. */
static void look(void) {
    for (struct job **at = &jobs; *at;) {
        struct job *job = *at;
        struct ending ending = {0};
        if (!job->ended && sys_wait(job->pid, false, &ending) == 0 && ending.ended) {
            job->ended = true;
            job->status = status_of(&ending);
        }
        if (job->ended && job->forgotten) {
            *at = job->next;
            free(job);
        } else {
            at = &job->next;
        }
    }
}

static void add(int pid, bool forgotten) {
    look();
    struct job **last = &jobs;
    while (*last) {
        last = &(*last)->next;
    }
    *last = allocate(sizeof **last);
    **last = (struct job){.pid = pid, .forgotten = forgotten};
}

void job_add(int pid) {
    add(pid, false);
}

void job_forget_later(int pid) {
    add(pid, true);
}

static struct job **find(int pid) {
    struct job **at = &jobs;
    while (*at && (*at)->pid != pid) {
        at = &(*at)->next;
    }
    return at;
}

static int wait_for(int pid, bool told) {
    int tell = 0;
    struct job **at = find(pid);
    if (!*at) {
        return STATUS_NOT_FOUND;
    }
    struct job *job = *at;
    while (!job->ended) {
        struct ending ending = {0};
        int error = sys_wait(pid, true, &ending);
        if (error == EINTR) {
            if (signals_pending) {
                return -1;
            }
            continue;
        }
        job->ended = true;
        job->status = error ? STATUS_NOT_FOUND : status_of(&ending);
        tell = ending.signal;
    }
    tell_of_signal(told ? tell : 0);
    int status = job->status;
    *find(pid) = job->next;
    free(job);
    return status;
}

int job_wait(int pid) {
    return wait_for(pid, true);
}

bool job_wait_all(void) {
    while (jobs) {
        if (wait_for(jobs->pid, false) < 0) {
            return false;
        }
    }
    return true;
}

void jobs_clear(void) {
    while (jobs) {
        struct job *next = jobs->next;
        free(jobs);
        jobs = next;
    }
    foreground_count = 0;
}
