#include "execute.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "commands.h"
#include "expand.h"
#include "functions.h"
#include "jobs.h"
#include "memory.h"
#include "pattern.h"
#include "redirect.h"
#include "shell.h"
#include "signals.h"
#include "source.h"
#include "system.h"
#include "variables.h"

enum { DEEPEST = 2000 };

static void become_child(void) {
    shell.child = true;
    shell.loop_depth = 0;
    traps_clear();
    jobs_clear();
}

int fork_shell(void) {
    output_flush();
    int pid = sys_fork(true);
    if (pid < 0) {
        fail("Cannot fork: %s", strerror(-pid));
        return -1;
    }
    if (pid == 0) {
        become_child();
    }
    return pid;
}

static void become_stream(int fd, int number) {
    if (fd >= 0 && fd != number) {
        sys_copy_to(fd, number);
        sys_close(fd);
    }
}

/* Start a command as a process of its own, as external_start does; its pid, or -1 with a message. */
static int start(struct node *node, int input, int output, int unwanted) {
    struct external *external = external_prepare(node);
    if (external) {
        int pid = external_start(external, input, output, unwanted);
        external_free(external);
        return pid;
    }
    if (shell.skip) {
        return -1;
    }
    int pid = fork_shell();
    if (pid == 0) {
        if (unwanted >= 0) {
            sys_close(unwanted);
        }
        become_stream(input, 0);
        become_stream(output, 1);
        execute(node, EXECUTE_LAST);
        exit_shell();
    }
    return pid;
}

static void execute_pipeline(struct node *node) {
    int count = 0, started = 0, input = -1;
    for (struct node *stage = node->first; stage; stage = stage->next) {
        count++;
    }
    int *pids = allocate((size_t)count * sizeof *pids);
    for (struct node *stage = node->first; stage; stage = stage->next) {
        int ends[2] = {-1, -1};
        int error = stage->next ? sys_pipe(ends) : 0;
        if (error) {
            fail("Pipe call failed: %s", strerror(error));
            break;
        }
        int pid = start(stage, input, ends[1], ends[0]);
        if (input >= 0) {
            sys_close(input);
        }
        if (ends[1] >= 0) {
            sys_close(ends[1]);
        }
        input = ends[0];
        if (pid < 0) {
            break;
        }
        pids[started++] = pid;
    }
    if (input >= 0) {
        sys_close(input);
    }
    int status = job_wait_foreground(pids, started);
    if (!shell.skip) {
        shell.status = status;
    }
    free(pids);
}

static void execute_background(struct node *node) {
    int null = -1;
    if (!shell.options.interactive) {
        sys_open("/dev/null", OPEN_READ, &null);
    }
    int pid = start(node->first, null, -1, -1);
    if (null >= 0) {
        sys_close(null);
    }
    if (pid > 0) {
        job_add(pid);
        shell.last_background = pid;
        shell.status = 0;
    }
}

static void execute_subshell(struct node *node, int flags) {
    if (flags & EXECUTE_LAST && !traps_any()) {
        become_child();
        execute(node->first, flags);
        if (!shell.skip) {
            shell.skip = SKIP_EXIT;
        }
        return;
    }
    int pid = fork_shell();
    if (pid == 0) {
        execute(node->first, EXECUTE_LAST | (flags & EXECUTE_TESTED));
        exit_shell();
    }
    if (pid > 0) {
        shell.status = job_wait_foreground(&pid, 1);
    }
}

/* Whether the loop ends, because of break and continue or because all commands are being skipped. */
static bool loop_ends(void) {
    if (shell.skip == SKIP_BREAK || shell.skip == SKIP_CONTINUE) {
        if (--shell.skip_count > 0) {
            return true;
        }
        bool ends = shell.skip == SKIP_BREAK;
        shell.skip = SKIP_NONE;
        return ends;
    }
    return shell.skip != SKIP_NONE;
}

static void execute_while(struct node *node, int flags) {
    int status = 0;
    shell.loop_depth++;
    for (;;) {
        execute(node->first, EXECUTE_TESTED);
        if (shell.skip) {
            if (loop_ends()) {
                break;
            }
            continue;
        }
        if ((shell.status == 0) != (node->kind == NODE_WHILE)) {
            shell.status = status;
            break;
        }
        execute(node->second, flags & EXECUTE_TESTED);
        status = shell.status;
        if (loop_ends()) {
            break;
        }
    }
    shell.loop_depth--;
}

static void execute_for(struct node *node, int flags) {
    struct list values = {0};
    if (node->all_parameters) {
        for (int index = 0; index < shell.parameter_count; index++) {
            list_add(&values, copy_string(shell.parameters[index]));
        }
    } else {
        expand_words(node->words, &values);
    }
    if (!shell.skip) {
        shell.status = 0;
    }
    shell.loop_depth++;
    for (size_t index = 0; index < values.count && !shell.skip; index++) {
        if (!variable_set(node->name, values.items[index])) {
            break;
        }
        execute(node->second, flags & EXECUTE_TESTED);
        if (loop_ends()) {
            break;
        }
    }
    shell.loop_depth--;
    list_free(&values);
}

static struct node *chosen_case(struct node *node) {
    char *subject = expand_string(node->words);
    struct node *body = NULL;
    bool found = false;
    for (struct case_item *item = node->items; item && !found && !shell.skip; item = item->next) {
        for (struct word *pattern = item->patterns; pattern && !found && !shell.skip; pattern = pattern->next) {
            char *text = expand_pattern(pattern);
            if (!shell.skip && pattern_matches(text, subject)) {
                found = true;
                body = item->body;
            }
            free(text);
        }
    }
    free(subject);
    return body;
}

/* A branch, which still sees the status from before; 0 without one. */
static void execute_chosen(struct node *branch, int flags) {
    if (branch) {
        execute(branch, flags);
    } else {
        shell.status = 0;
    }
}

static void execute_kind(struct node *node, int flags) {
    int tested = flags & EXECUTE_TESTED;
    switch (node->kind) {
        case NODE_SIMPLE: execute_simple(node, flags); break;
        case NODE_PIPELINE: execute_pipeline(node); break;
        case NODE_NOT:
            execute(node->first, EXECUTE_TESTED);
            if (!shell.skip) {
                shell.status = !shell.status;
            }
            break;
        case NODE_AND:
        case NODE_OR:
            execute(node->first, EXECUTE_TESTED);
            if (!shell.skip && (shell.status == 0) == (node->kind == NODE_AND)) {
                execute(node->second, flags);
            }
            break;
        case NODE_SEQUENCE: break;
        case NODE_BACKGROUND: execute_background(node); break;
        case NODE_SUBSHELL: execute_subshell(node, flags); break;
        case NODE_GROUP: execute(node->first, flags); break;
        case NODE_IF:
            execute(node->first, EXECUTE_TESTED);
            if (!shell.skip) {
                execute_chosen(shell.status == 0 ? node->second : node->third, flags);
            }
            break;
        case NODE_WHILE:
        case NODE_UNTIL: execute_while(node, tested); break;
        case NODE_FOR: execute_for(node, tested); break;
        case NODE_CASE: {
            struct node *body = chosen_case(node);
            if (!shell.skip) {
                execute_chosen(body, flags);
            }
            break;
        }
        case NODE_FUNCTION:
            function_define(node->name, node->first);
            keep_parsed();
            shell.status = 0;
            break;
    }
}

static void execute_redirected(struct node *node, int flags) {
    struct plan plan;
    shell.line = node->line;
    bool planned = plan_redirections(node->redirections, &plan);
    if (planned && redirections_do(&plan, true)) {
        execute_kind(node, flags & EXECUTE_TESTED);
    } else if (!shell.skip) {
        shell.status = STATUS_ERROR;
    }
    output_flush();
    redirections_undo(&plan);
    plan_free(&plan);
}

void execute(struct node *node, int flags) {
    static int depth;
    if (++depth > DEEPEST) {
        fail("too deeply nested");
    }
    while (node && !shell.skip && !shell.options.no_execution) {
        struct node *rest = NULL;
        int own = flags;
        if (node->kind == NODE_SEQUENCE) {
            rest = node->second;
            node = node->first;
            own &= ~EXECUTE_LAST;
        }
        if (node->kind == NODE_SEQUENCE) {
            execute(node, own);
        } else if (node->redirections && node->kind != NODE_SIMPLE) {
            execute_redirected(node, own);
        } else {
            execute_kind(node, own);
        }
        bool checked = node->kind == NODE_SIMPLE || node->kind == NODE_PIPELINE || node->kind == NODE_SUBSHELL;
        if (checked && shell.status && shell.options.exit_on_error && !(own & EXECUTE_TESTED) && !shell.skip) {
            shell.skip = SKIP_EXIT;
        }
        if (signals_pending) {
            traps_run();
        }
        node = rest;
    }
    depth--;
}

static void read_all(int fd, struct text *text) {
    char buffer[4096];
    long count;
    while ((count = sys_read(fd, buffer, sizeof buffer)) > 0 || count == -EINTR) {
        for (long at = 0; at < count; at++) {
            if (buffer[at]) {
                text_add(text, buffer[at]);
            }
        }
    }
}

char *command_output(struct node *node) {
    struct text text = {0};
    int ends[2];
    if (!node) {
        shell.substitution_status = 0;
        return copy_string("");
    }
    int error = sys_pipe(ends);
    if (error) {
        fail("Pipe call failed: %s", strerror(error));
        return copy_string("");
    }
    int pid = start(node, -1, ends[1], ends[0]);
    sys_close(ends[1]);
    if (pid > 0) {
        read_all(ends[0], &text);
    }
    sys_close(ends[0]);
    if (pid > 0) {
        shell.status = shell.substitution_status = job_wait_foreground(&pid, 1);
    }
    while (text.length && text.data[text.length - 1] == '\n') {
        text.length--;
    }
    return text_end(&text);
}
