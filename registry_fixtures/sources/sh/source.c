#include "source.h"

#include <string.h>

#include "execute.h"
#include "input.h"
#include "memory.h"
#include "parser.h"
#include "shell.h"
#include "signals.h"
#include "system.h"

enum { DEEPEST = 200 };

static bool kept;

void keep_parsed(void) {
    kept = true;
}

/* Whether the shell goes on after something was given up: at a prompt, with the next line. */
static bool goes_on(void) {
    if (shell.skip == SKIP_ABORT && input->prompts) {
        shell.builtin = NULL;
        shell.skip = SKIP_NONE;
        input_discard();
        return true;
    }
    return !shell.skip;
}

void run_input(bool last) {
    bool any = false;
    for (;;) {
        struct arena arena = {0};
        struct node *node;
        bool outer = kept;
        kept = false;
        enum parsed parsed = parse_command(&arena, &node);
        if (parsed == PARSED_COMMAND && node) {
            any = true;
            execute(node, last && input_is_spent() ? EXECUTE_LAST : 0);
        } else if (signals_pending) {
            traps_run();
        }
        if (!kept) {
            arena_free(&arena);
        }
        kept = outer;
        if (parsed == PARSED_END && !(shell.skip == SKIP_ABORT && input->prompts)) {
            break;
        }
        if (!goes_on()) {
            break;
        }
    }
    if (!any && !shell.skip) {
        shell.status = 0;
    }
}

void run_text(const char *text, size_t length, bool last) {
    static int depth;
    struct input source;
    int line = shell.line;
    if (depth >= DEEPEST) {
        fail("too deeply nested");
        return;
    }
    depth++;
    input_push_string(&source, text, length, 1);
    run_input(last);
    input_pop();
    depth--;
    shell.line = line;
}

int run_file(const char *path) {
    int fd, copy;
    int error = sys_open(path, OPEN_READ, &fd);
    if (error) {
        return error;
    }
    if (sys_copy_private(fd, &copy) == 0) {
        sys_close(fd);
        fd = copy;
    }
    struct input source;
    int line = shell.line;
    input_push_file(&source, fd, false, false);
    run_input(false);
    input_pop();
    sys_close(fd);
    shell.line = line;
    return 0;
}

void exit_shell(void) {
    trap_exit();
    output_flush();
    sys_exit(shell.status & 0xff);
}
