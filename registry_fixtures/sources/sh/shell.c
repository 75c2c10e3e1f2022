#include "shell.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "system.h"

struct shell shell = {.name = "sh", .line = 1, .substitution_status = -1};
struct text output;

static void message(const char *format, va_list arguments) {
    char *text = NULL;
    if (vasprintf(&text, format, arguments) < 0) {
        return;
    }
    struct text line = {0};
    char number[16];
    snprintf(number, sizeof number, ": %d: ", shell.line);
    text_add_string(&line, shell.name);
    text_add_string(&line, number);
    if (shell.builtin) {
        text_add_string(&line, shell.builtin);
        text_add_string(&line, ": ");
    }
    text_add_string(&line, text);
    text_add(&line, '\n');
    output_flush();
    sys_write(2, line.data, line.length);
    text_free(&line);
    free(text);
}

void warn(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    message(format, arguments);
    va_end(arguments);
}

void give_up(int status) {
    shell.status = status;
    shell.gave_up = true;
    shell.skip = shell.options.interactive && !shell.child ? SKIP_ABORT : SKIP_EXIT;
}

void fail(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    message(format, arguments);
    va_end(arguments);
    give_up(STATUS_ERROR);
}

const char *system_message(int error, const char *not_found) {
    return error == ENOENT || error == ENOTDIR ? not_found : strerror(error);
}

int output_flush(void) {
    int error = output.length ? sys_write(1, output.data, output.length) : 0;
    output.length = 0;
    return error;
}

void print(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    char *text = NULL;
    int length = vasprintf(&text, format, arguments);
    va_end(arguments);
    if (length > 0) {
        text_add_bytes(&output, text, (size_t)length);
    }
    free(text);
}
