#include "parameters.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include "memory.h"
#include "shell.h"
#include "variables.h"

static const char *number_text(int value, char number[16]) {
    snprintf(number, 16, "%d", value);
    return number;
}

static const char *option_letters(void) {
    static char letters[16];
    const struct options *options = &shell.options;
    const struct {
        bool on;
        char letter;
    } all[] = {{options->all_export, 'a'},   {options->no_clobber, 'C'},     {options->exit_on_error, 'e'},
               {options->no_glob, 'f'},      {options->interactive, 'i'},    {options->no_execution, 'n'},
               {options->from_stdin, 's'},   {options->trace, 'x'},          {options->verbose, 'v'},
               {options->unset_is_error, 'u'}};
    char *end = letters;
    for (size_t index = 0; index < sizeof all / sizeof *all; index++) {
        if (all[index].on) {
            *end++ = all[index].letter;
        }
    }
    *end = '\0';
    return letters;
}

const char *parameter_value(const char *name, char number[16]) {
    if (isdigit((unsigned char)*name)) {
        long index = strtol(name, NULL, 10);
        return index == 0 ? shell.name : index <= shell.parameter_count ? shell.parameters[index - 1] : NULL;
    }
    switch (*name) {
        case '?': return number_text(shell.status, number);
        case '#': return number_text(shell.parameter_count, number);
        case '$': return number_text(shell.pid, number);
        case '!': return shell.last_background ? number_text(shell.last_background, number) : NULL;
        case '-': return option_letters();
        case '@':
        case '*': return NULL;
    }
    return variable_value(name);
}

static void free_all(char **values, int count) {
    for (int index = 0; index < count; index++) {
        free(values[index]);
    }
    free(values);
}

struct parameters parameters_replace(char *const *values, int count) {
    struct parameters saved = {shell.parameters, shell.parameter_count};
    char **copies = allocate(((size_t)count + 1) * sizeof *copies);
    for (int index = 0; index < count; index++) {
        copies[index] = copy_string(values[index]);
    }
    copies[count] = NULL;
    shell.parameters = copies;
    shell.parameter_count = count;
    return saved;
}

void parameters_restore(struct parameters saved) {
    free_all(shell.parameters, shell.parameter_count);
    shell.parameters = saved.values;
    shell.parameter_count = saved.count;
}

void parameters_set(char *const *values, int count) {
    struct parameters old = parameters_replace(values, count);
    free_all(old.values, old.count);
}

void parameters_shift(int count) {
    for (int index = 0; index < shell.parameter_count; index++) {
        if (index < count) {
            free(shell.parameters[index]);
        } else {
            shell.parameters[index - count] = shell.parameters[index];
        }
    }
    shell.parameter_count -= count;
}
