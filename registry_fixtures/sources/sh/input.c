#include "input.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "memory.h"
#include "shell.h"
#include "system.h"
#include "variables.h"

enum { BLOCK = 4096 };

struct input *input;
static bool new_command = true;

void input_push_string(struct input *source, const char *text, size_t length, int line) {
    *source = (struct input){.below = input, .data = text, .length = length, .fd = -1, .line = line};
    input = source;
}

void input_push_file(struct input *source, int fd, bool by_line, bool prompts) {
    *source = (struct input){.below = input, .fd = fd, .by_line = by_line, .prompts = prompts, .line = 1};
    source->data = source->buffer = allocate(BLOCK + 1);
    input = source;
}

void input_pop(void) {
    free(input->buffer);
    input = input->below;
}

void input_prompt(bool is_new) {
    new_command = is_new;
}

/* Read up to a line feed without taking what is behind it. */
static long read_line(int fd, char *buffer) {
    long done = 0;
    while (done < BLOCK) {
        long count = sys_read(fd, buffer + done, 1);
        if (count < 0) {
            return done ? done : count;
        }
        if (count == 0 || buffer[done++] == '\n') {
            break;
        }
    }
    return done;
}

static bool refill(void) {
    if (input->fd < 0 || input->at_end) {
        return false;
    }
    output_flush();
    if (input->prompts) {
        const char *prompt = variable_value(new_command ? "PS1" : "PS2");
        sys_write(2, prompt ? prompt : "", prompt ? strlen(prompt) : 0);
        new_command = false;
    }
    /* One character of what was read stays, to be taken back. */
    size_t kept = input->length ? 1 : 0;
    if (kept) {
        input->buffer[0] = input->data[input->length - 1];
    }
    long count;
    do {
        count = input->by_line && !input->prompts ? read_line(input->fd, input->buffer + kept)
                                                  : sys_read(input->fd, input->buffer + kept, BLOCK);
    } while (count == -EINTR && !shell.skip && !input->prompts);
    if (count <= 0) {
        input->at_end = count != -EINTR;
        return false;
    }
    input->position = kept;
    input->length = kept + (size_t)count;
    if (shell.options.verbose) {
        sys_write(2, input->buffer + kept, (size_t)count);
    }
    return true;
}

int input_get(void) {
    if (input->position == input->length && !refill()) {
        return END_OF_INPUT;
    }
    char c = input->data[input->position++];
    if (c == '\n') {
        input->line++;
    }
    return (unsigned char)c;
}

void input_unget(int c) {
    if (c != END_OF_INPUT) {
        input->position--;
        if (c == '\n') {
            input->line--;
        }
    }
}

bool input_is_spent(void) {
    if (input->fd >= 0) {
        return false;
    }
    for (size_t position = input->position; position < input->length; position++) {
        if (!strchr(" \t\n;", input->data[position]) || !input->data[position]) {
            return false;
        }
    }
    return true;
}

void input_discard(void) {
    while (input->position < input->length && input->position && input->data[input->position - 1] != '\n') {
        if (input->data[input->position++] == '\n') {
            input->line++;
        }
    }
}
