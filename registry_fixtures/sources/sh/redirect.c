#include "redirect.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "execute.h"
#include "expand.h"
#include "jobs.h"
#include "shell.h"
#include "system.h"

enum { NOT_SAVED = -2, WAS_CLOSED = -1, PIPE_HOLDS = 4096 };

struct planned {
    enum redirection_kind kind;
    int fd;
    char *target;
    int source;     /* where a here-document is read from */
    int saved;      /* where the descriptor is kept that was there before */
};

/* A descriptor from which the text can be read. */
static int here_descriptor(const char *text) {
    int ends[2];
    int error = sys_pipe(ends);
    if (error) {
        warn("Pipe call failed: %s", strerror(error));
        return -1;
    }
    size_t length = strlen(text);
    if (length <= PIPE_HOLDS) {
        sys_write(ends[1], text, length);
    } else {
        /* More than a pipe is sure to hold needs somebody who goes on writing. */
        int pid = fork_shell();
        if (pid == 0) {
            sys_close(ends[0]);
            sys_write(ends[1], text, length);
            sys_exit(0);
        }
        if (pid > 0) {
            job_forget_later(pid);
        }
    }
    sys_close(ends[1]);
    return ends[0];
}

bool plan_redirections(const struct redirection *redirections, struct plan *plan) {
    *plan = (struct plan){0};
    for (const struct redirection *at = redirections; at; at = at->next) {
        plan->count++;
    }
    plan->items = allocate(plan->count * sizeof *plan->items);
    size_t index = 0;
    for (const struct redirection *at = redirections; at; at = at->next, index++) {
        plan->items[index] = (struct planned){at->kind, at->fd, NULL, -1, NOT_SAVED};
        plan->items[index].target = expand_string(at->word);
        if (!shell.skip && at->kind == REDIRECT_HERE) {
            plan->items[index].source = here_descriptor(plan->items[index].target);
        }
        if (shell.skip || (at->kind == REDIRECT_HERE && plan->items[index].source < 0)) {
            plan->count = index + 1;
            return false;
        }
    }
    return true;
}

void plan_free(struct plan *plan) {
    for (size_t index = 0; index < plan->count; index++) {
        free(plan->items[index].target);
        if (plan->items[index].source >= 0) {
            sys_close(plan->items[index].source);
        }
    }
    free(plan->items);
    *plan = (struct plan){0};
}

/* The descriptor that a file is open at; -1 with a message. */
static int open_target(const struct planned *item) {
    static const enum open_mode modes[] = {
        [REDIRECT_READ] = OPEN_READ,       [REDIRECT_WRITE] = OPEN_WRITE,   [REDIRECT_APPEND] = OPEN_APPEND,
        [REDIRECT_BOTH] = OPEN_READ_WRITE, [REDIRECT_CLOBBER] = OPEN_WRITE,
    };
    enum open_mode mode = modes[item->kind];
    struct file_status status;
    if (item->kind == REDIRECT_WRITE && shell.options.no_clobber) {
        bool exists = sys_status(item->target, true, &status) == 0;
        if (exists && status.kind == KIND_FILE) {
            warn("cannot create %s: File exists", item->target);
            return -1;
        }
        mode = exists ? OPEN_WRITE : OPEN_NEW;
    }
    int fd;
    int error = sys_open(item->target, mode, &fd);
    if (!error && mode == OPEN_READ_WRITE && sys_status(item->target, true, &status) == 0 && status.kind == KIND_DIRECTORY) {
        sys_close(fd);
        error = EISDIR;
    }
    if (error) {
        bool reads = item->kind == REDIRECT_READ;
        const char *not_found = reads ? "No such file" : "Directory nonexistent";
        warn("cannot %s %s: %s", reads ? "open" : "create", item->target, system_message(error, not_found));
        return -1;
    }
    return fd;
}

static void save(struct planned *item) {
    int copy;
    int error = sys_copy_private(item->fd, &copy);
    item->saved = error ? WAS_CLOSED : copy;
}

static bool redirect(struct planned *item, bool undo) {
    int from = -1;
    bool close_source = true;
    if (item->kind == REDIRECT_COPY) {
        close_source = false;
        if (strcmp(item->target, "-") == 0) {
            if (undo) {
                save(item);
            }
            sys_close(item->fd);
            return true;
        }
        char *end;
        long number = strtol(item->target, &end, 10);
        if (!*item->target || *end || number < 0 || number > 65535) {
            shell.line = shell.line ? shell.line : 1;
            fail("Syntax error: Bad fd number");
            return false;
        }
        from = (int)number;
        if (!sys_is_open(from)) {
            warn("%d: Bad file descriptor", from);
            return false;
        }
    } else if (item->kind == REDIRECT_HERE) {
        from = item->source;
        item->source = -1;
    } else {
        from = open_target(item);
        if (from < 0) {
            return false;
        }
    }
    if (undo && from != item->fd) {
        save(item);
    } else if (undo && close_source) {
        /* It was closed, and the file came to be open just there. */
        item->saved = WAS_CLOSED;
    }
    if (from == item->fd) {
        return true;
    }
    int error = sys_copy_to(from, item->fd);
    if (close_source) {
        sys_close(from);
    }
    if (error) {
        warn("%d: %s", item->fd, strerror(error));
        return false;
    }
    return true;
}

bool redirections_do(struct plan *plan, bool undo) {
    output_flush();
    for (size_t index = 0; index < plan->count; index++) {
        if (!redirect(&plan->items[index], undo)) {
            return false;
        }
    }
    return true;
}

void redirections_undo(struct plan *plan) {
    for (size_t index = plan->count; index-- > 0;) {
        struct planned *item = &plan->items[index];
        if (item->saved >= 0) {
            sys_copy_to(item->saved, item->fd);
            sys_close(item->saved);
        } else if (item->saved == WAS_CLOSED) {
            sys_close(item->fd);
        }
        item->saved = NOT_SAVED;
    }
}
