#include "commands.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "builtins.h"
#include "execute.h"
#include "expand.h"
#include "functions.h"
#include "jobs.h"
#include "memory.h"
#include "parameters.h"
#include "redirect.h"
#include "shell.h"
#include "signals.h"
#include "source.h"
#include "system.h"
#include "variables.h"

enum { DEEPEST_FUNCTION = 500 };

/* What is executed when a file is no program: a script for this shell. */
static int run_as_script(char *const *arguments, char *const *variables, const char *path) {
    size_t count = 0;
    while (arguments[count]) {
        count++;
    }
    char **longer = allocate((count + 2) * sizeof *longer);
    longer[0] = "sh";
    memcpy(longer + 1, arguments, (count + 1) * sizeof *longer);
    int error = sys_execute("sh", longer, variables, path);
    free(longer);
    return error;
}

void run_program(char *const *arguments, const char *path) {
    const char *name = arguments[0];
    char **variables = environment_list();
    const char *search = strchr(name, '/') ? NULL : path;
    output_flush();
    int error = sys_execute(name, arguments, variables, search);
    if (error == ENOEXEC && strchr(name, '/')) {
        error = run_as_script(arguments, variables, path);
    }
    warn("%s: %s", name, system_message(error, "not found"));
    sys_exit(error == ENOENT || error == ENOTDIR ? STATUS_NOT_FOUND : STATUS_CANNOT_RUN);
}

/* What is run, for `set -x`. */
static void trace(const char *command) {
    if (shell.options.trace) {
        const char *prompt = variable_value("PS4");
        struct text line = {0};
        text_add_string(&line, prompt ? prompt : "");
        text_add_string(&line, command);
        text_add(&line, '\n');
        output_flush();
        sys_write(2, line.data, line.length);
        text_free(&line);
    }
}

static void trace_fields(const struct assignment *assignments, char **values, const struct list *fields) {
    struct text line = {0};
    for (; assignments && shell.options.trace; assignments = assignments->next) {
        text_add_string(&line, assignments->name);
        text_add(&line, '=');
        text_add_string(&line, *values++);
        text_add(&line, ' ');
    }
    for (size_t index = 0; index < fields->count && shell.options.trace; index++) {
        text_add_string(&line, index ? " " : "");
        text_add_string(&line, fields->items[index]);
    }
    trace(text_end(&line));
    text_free(&line);
}

/* The expanded values of assignments, each of which sees the ones before it. */
static char **expand_assignments(const struct assignment *assignments) {
    size_t count = 0;
    for (const struct assignment *at = assignments; at; at = at->next) {
        count++;
    }
    char **values = allocate((count + 1) * sizeof *values);
    memset(values, 0, (count + 1) * sizeof *values);
    struct scope *scope = scope_enter();
    for (size_t index = 0; assignments && !shell.skip; assignments = assignments->next, index++) {
        values[index] = expand_string(assignments->value);
        if (!shell.skip && assignments->next) {
            variable_make_local(assignments->name);
            variable_set(assignments->name, values[index]);
        }
    }
    scope_leave(scope);
    return values;
}

static void free_values(char **values) {
    for (char **value = values; *value; value++) {
        free(*value);
    }
    free(values);
}

/* Assign, for good or within the innermost scope and for export. */
static void assign(const struct assignment *assignments, char **values, bool temporary) {
    for (; assignments && !shell.skip; assignments = assignments->next, values++) {
        if (temporary) {
            variable_make_local(assignments->name);
        }
        if (variable_set(assignments->name, *values) && temporary) {
            variable_of(assignments->name)->exported = true;
        }
    }
}

static void run_function(const struct function *function, struct list *arguments, int flags) {
    if (shell.function_depth >= DEEPEST_FUNCTION) {
        fail("%s: functions call each other too deeply", function->name);
        return;
    }
    struct parameters saved = parameters_replace(arguments->items + 1, (int)arguments->count - 1);
    int loops = shell.loop_depth, line = shell.function_line, position = getopts_position;
    struct node *body = function->body;
    struct scope *scope = scope_enter();
    scope_is_function(scope);
    shell.loop_depth = 0;
    shell.function_line = body->line;
    shell.function_depth++;
    getopts_position = 0;
    execute(body, flags & EXECUTE_TESTED);
    shell.function_depth--;
    if (shell.skip == SKIP_RETURN) {
        shell.skip = SKIP_NONE;
    }
    shell.loop_depth = loops;
    shell.function_line = line;
    scope_leave(scope);
    getopts_position = position;
    parameters_restore(saved);
}

/* `command`: -v, -V, or a command that no function hides. */
static int run_command(struct list *arguments, int flags) {
    bool describe = false, verbose = false;
    const char *path = search_path();
    size_t at = 1;
    for (; at < arguments->count && arguments->items[at][0] == '-' && arguments->items[at][1]; at++) {
        const char *option = arguments->items[at];
        if (strcmp(option, "--") == 0) {
            at++;
            break;
        }
        while (*++option) {
            switch (*option) {
                case 'v': describe = true; break;
                case 'V': describe = verbose = true; break;
                case 'p': path = "/usr/local/bin:/bin:/usr/bin"; break;
                default: warn("Illegal option -%c", *option); return STATUS_ERROR;
            }
        }
    }
    if (at >= arguments->count) {
        return 0;
    }
    if (describe) {
        return describe_commands((int)(arguments->count - at), arguments->items + at, verbose);
    }
    struct list rest = {arguments->items + at, arguments->count - at, 0};
    const char *outer = shell.builtin;
    shell.builtin = NULL;
    run_without_functions(&rest, flags, path);
    shell.builtin = outer;
    return shell.status;
}

/* `fatal`: its errors end the script. */
static void run_builtin(const struct builtin *builtin, struct list *arguments, int flags, bool fatal) {
    int count = (int)arguments->count;
    const char *outer = shell.builtin;
    shell.builtin = builtin->name;
    int status;
    if (builtin->run) {
        shell.gave_up = false;
        status = builtin->run(count, arguments->items);
        if (shell.gave_up && !fatal) {
            shell.skip = SKIP_NONE;
        }
    } else {
        switch (builtin->name[1]) {
            case 'v': status = builtin_eval(count, arguments->items); break;
            case 'x': status = builtin_exec(count, arguments->items); break;
            case 'o': status = run_command(arguments, flags); break;
            default: status = builtin_dot(count, arguments->items, fatal);
        }
    }
    int error = output_flush();
    if (error && !shell.skip) {
        warn("%s: I/O error", builtin->name);
        status = 1;
    }
    shell.builtin = outer;
    if (shell.skip != SKIP_EXIT && shell.skip != SKIP_ABORT) {
        shell.status = status;
    }
}

static void run_external(char *const *arguments, const char *path, struct plan *plan, int flags) {
    if (flags & EXECUTE_LAST && !traps_any()) {
        if (plan && !redirections_do(plan, false)) {
            shell.status = STATUS_ERROR;
            return;
        }
        run_program(arguments, path);
    }
    output_flush();
    int pid = sys_fork(false);
    if (pid == 0) {
        if (plan && !redirections_do(plan, false)) {
            sys_exit(STATUS_ERROR);
        }
        run_program(arguments, path);
    }
    if (pid < 0) {
        fail("Cannot fork: %s", strerror(-pid));
        return;
    }
    shell.status = job_wait_foreground(&pid, 1);
}

void run_without_functions(struct list *arguments, int flags, const char *path) {
    const struct builtin *builtin = builtin_find(arguments->items[0]);
    if (builtin) {
        run_builtin(builtin, arguments, flags, false);
    } else {
        run_external(arguments->items, path, NULL, flags);
    }
}

static bool is_exec(const struct list *fields) {
    size_t at = 0;
    while (at + 1 < fields->count && strcmp(fields->items[at], "command") == 0) {
        at++;
    }
    return strcmp(fields->items[at], "exec") == 0;
}

static void run_fields(struct node *node, struct list *fields, char **values, struct plan *plan, int flags) {
    const char *name = fields->items[0];
    const struct builtin *builtin = builtin_find(name);
    bool special = builtin && builtin->special;
    const struct function *function = special ? NULL : function_find(name);
    if (!function && !builtin) {
        struct scope *scope = scope_enter();
        assign(node->assignments, values, true);
        if (!shell.skip) {
            run_external(fields->items, search_path(), plan, flags);
        }
        scope_leave(scope);
        return;
    }
    bool stays = is_exec(fields);
    if (!redirections_do(plan, !stays)) {
        redirections_undo(plan);
        if (!shell.skip) {
            shell.status = STATUS_ERROR;
            if (special) {
                give_up(STATUS_ERROR);
            }
        }
        return;
    }
    struct scope *scope = special ? NULL : scope_enter();
    assign(node->assignments, values, !special);
    if (!shell.skip) {
        if (function) {
            run_function(function, fields, flags);
        } else {
            run_builtin(builtin, fields, flags, special);
        }
    }
    if (scope) {
        scope_leave(scope);
    }
    output_flush();
    if (!stays) {
        redirections_undo(plan);
    }
}

/* Only redirections and assignments, each of which sees the ones before it. */
static void run_nothing(struct node *node, struct plan *plan) {
    bool done = redirections_do(plan, true);
    redirections_undo(plan);
    struct text line = {0};
    for (const struct assignment *at = done ? node->assignments : NULL; at && !shell.skip; at = at->next) {
        char *value = expand_string(at->value);
        text_add(&line, ' ');
        text_add_string(&line, at->name);
        text_add(&line, '=');
        text_add_string(&line, value);
        if (!shell.skip) {
            variable_set(at->name, value);
        }
        free(value);
    }
    if (line.length && !shell.skip) {
        trace(text_end(&line) + 1);
    }
    text_free(&line);
    if (!shell.skip) {
        shell.status = !done ? STATUS_ERROR : shell.substitution_status >= 0 ? shell.substitution_status : 0;
    }
}

static void set_line(const struct node *node) {
    shell.line = shell.function_line ? node->line - shell.function_line + 1 : node->line;
}

void execute_simple(struct node *node, int flags) {
    struct list fields = {0};
    struct plan plan = {0};
    const char *outer = shell.builtin;
    shell.builtin = NULL;
    set_line(node);
    shell.substitution_status = -1;
    expand_words(node->words, &fields);
    bool planned = !shell.skip && plan_redirections(node->redirections, &plan);
    char **values = expand_assignments(planned && fields.count ? node->assignments : NULL);
    if (planned && !shell.skip && fields.count) {
        trace_fields(node->assignments, values, &fields);
        run_fields(node, &fields, values, &plan, flags);
    } else if (planned && !shell.skip) {
        run_nothing(node, &plan);
    } else if (!shell.skip) {
        shell.status = STATUS_ERROR;
    }
    free_values(values);
    plan_free(&plan);
    list_free(&fields);
    shell.builtin = outer;
}

struct external {
    struct list fields;
    struct plan plan;
    char **values;
    struct node *node;
};

static bool is_pure(const struct node *node) {
    for (const struct word *word = node->words; word; word = word->next) {
        if (!expansion_is_pure(word)) {
            return false;
        }
    }
    for (const struct assignment *at = node->assignments; at; at = at->next) {
        if (!expansion_is_pure(at->value) || variable_of(at->name)->read_only) {
            return false;
        }
    }
    for (const struct redirection *at = node->redirections; at; at = at->next) {
        if (at->kind == REDIRECT_HERE || !expansion_is_pure(at->word)) {
            return false;
        }
    }
    return true;
}

struct external *external_prepare(struct node *node) {
    if (node->kind != NODE_SIMPLE || !node->words || !is_pure(node)) {
        return NULL;
    }
    set_line(node);
    struct list fields = {0};
    expand_words(node->words, &fields);
    if (shell.skip || !fields.count || builtin_find(fields.items[0]) || function_find(fields.items[0])) {
        list_free(&fields);
        return NULL;
    }
    struct external *external = allocate(sizeof *external);
    *external = (struct external){.fields = fields, .node = node};
    plan_redirections(node->redirections, &external->plan);
    external->values = expand_assignments(node->assignments);
    trace_fields(node->assignments, external->values, &external->fields);
    return external;
}

int external_start(struct external *external, int input, int output, int unwanted) {
    struct scope *scope = scope_enter();
    assign(external->node->assignments, external->values, true);
    output_flush();
    int pid = sys_fork(false);
    if (pid == 0) {
        if (unwanted >= 0) {
            sys_close(unwanted);
        }
        if (input >= 0) {
            sys_copy_to(input, 0);
            sys_close(input);
        }
        if (output >= 0) {
            sys_copy_to(output, 1);
            sys_close(output);
        }
        if (!redirections_do(&external->plan, false)) {
            sys_exit(STATUS_ERROR);
        }
        run_program(external->fields.items, search_path());
    }
    scope_leave(scope);
    if (pid < 0) {
        fail("Cannot fork: %s", strerror(-pid));
        return -1;
    }
    return pid;
}

void external_free(struct external *external) {
    free_values(external->values);
    plan_free(&external->plan);
    list_free(&external->fields);
    free(external);
}
