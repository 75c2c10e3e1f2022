#include "expand.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "arithmetic.h"
#include "execute.h"
#include "lexer.h"
#include "memory.h"
#include "parameters.h"
#include "pattern.h"
#include "shell.h"
#include "variables.h"

enum mode { MODE_FIELDS, MODE_STRING, MODE_PATTERN };

/* A field is kept as a pattern: what is quoted and special in patterns has a backslash before it. */
struct builder {
    enum mode mode;
    struct text field;
    bool started;           /* there is a field, though it may be empty */
    bool after_blank;       /* the last field was ended by white space of IFS */
    struct list *fields;
};

static void add_quoted(struct builder *builder, const char *text, size_t length) {
    builder->started = true;
    for (size_t at = 0; at < length; at++) {
        if (strchr("*?[]\\-!^", text[at]) && text[at]) {
            text_add(&builder->field, '\\');
        }
        text_add(&builder->field, text[at]);
    }
}

static void add_unquoted_character(struct builder *builder, char c) {
    /* A backslash that came out of an expansion escapes in a pattern, and is itself in a file name. */
    if (c == '\\' && builder->mode != MODE_PATTERN) {
        text_add(&builder->field, '\\');
    }
    text_add(&builder->field, c);
}

static void end_field(struct builder *builder) {
    char *pattern = copy_string(text_end(&builder->field));
    builder->field.length = 0;
    builder->started = false;
    if (!shell.options.no_glob && pattern_is_magic(pattern) && glob_names(pattern, builder->fields)) {
        free(pattern);
    } else {
        list_add(builder->fields, pattern_unescape(pattern));
    }
}

/* Text out of an unquoted expansion: split at the characters of IFS. */
static void add_split(struct builder *builder, const char *text) {
    const char *separators = variable_value("IFS");
    if (!separators) {
        separators = " \t\n";
    }
    if (builder->mode != MODE_FIELDS) {
        separators = "";
    }
    for (; *text; text++) {
        if (!strchr(separators, *text)) {
            builder->started = true;
            builder->after_blank = false;
            add_unquoted_character(builder, *text);
        } else if (strchr(" \t\n", *text)) {
            if (builder->started) {
                end_field(builder);
                builder->after_blank = true;
            }
        } else {
            if (builder->started || !builder->after_blank) {
                end_field(builder);
            }
            builder->after_blank = false;
        }
    }
}

static void add_value(struct builder *builder, const char *value, bool quoted) {
    if (quoted) {
        add_quoted(builder, value, strlen(value));
    } else {
        add_split(builder, value);
    }
}

static void expand_parts(struct builder *builder, const struct part *parts, bool split_text);

static char *expand_one(const struct word *word, enum mode mode) {
    struct builder builder = {.mode = mode};
    if (word) {
        expand_parts(&builder, word->parts, false);
    }
    char *text = text_end(&builder.field);
    return mode == MODE_PATTERN ? text : pattern_unescape(text);
}

char *expand_string(const struct word *word) {
    return expand_one(word, MODE_STRING);
}

char *expand_pattern(const struct word *word) {
    return expand_one(word, MODE_PATTERN);
}

/* $@ and $*: one field each, or all in one. */
static void add_all_parameters(struct builder *builder, bool quoted, bool joined) {
    const char *separators = variable_value("IFS");
    char separator[2] = {separators ? separators[0] : ' ', '\0'};
    if (joined && quoted) {
        builder->started = true;
    }
    if (!joined && builder->mode != MODE_FIELDS) {
        separator[0] = ' ';
    }
    for (int index = 0; index < shell.parameter_count; index++) {
        if (index) {
            if (builder->mode != MODE_FIELDS || (joined && quoted)) {
                add_quoted(builder, separator, strlen(separator));
            } else if (builder->started) {
                end_field(builder);
            }
        }
        add_value(builder, shell.parameters[index], quoted);
    }
}

/* Cut what the pattern matches off the value's beginning or end, the least or the most of it. */
static char *trimmed(const char *value, const char *pattern, enum parameter_operator op) {
    size_t length = strlen(value);
    char *result = copy_string(value);
    for (size_t step = 0; step <= length; step++) {
        bool most = op == OP_LONGEST_PREFIX || op == OP_LONGEST_SUFFIX;
        size_t count = most ? length - step : step;
        if (op == OP_PREFIX || op == OP_LONGEST_PREFIX) {
            if (pattern_matches_prefix(pattern, value, count)) {
                memmove(result, result + count, length - count + 1);
                break;
            }
        } else if (pattern_matches(pattern, value + length - count)) {
            result[length - count] = '\0';
            break;
        }
    }
    return result;
}

static void complain(const struct part *part) {
    char *words = part->word && part->word->parts ? expand_string(part->word) : NULL;
    if (!shell.skip) {
        fail("%s: %s", part->text, words ? words : part->colon ? "parameter not set or null" : "parameter not set");
    }
    free(words);
}

static void assign_default(struct builder *builder, const struct part *part) {
    if (!is_variable_name(part->text, strlen(part->text))) {
        fail("%s: bad variable name", part->text);
        return;
    }
    char *value = expand_string(part->word);
    if (!shell.skip && variable_set(part->text, value)) {
        add_value(builder, value, part->quoted);
    }
    free(value);
}

static void expand_parameter(struct builder *builder, const struct part *part) {
    if (part->op == OP_BAD) {
        fail("Bad substitution");
        return;
    }
    char number[16];
    bool all = (part->text[0] == '@' || part->text[0] == '*') && !part->text[1];
    const char *value = parameter_value(part->text, number);
    bool present = value && !(part->colon && !*value);
    if (all) {
        present = shell.parameter_count > 0 && !(part->colon && shell.parameter_count == 1 && !*shell.parameters[0]);
    }
    switch (part->op) {
        case OP_DEFAULT:
        case OP_ASSIGN:
        case OP_ERROR:
            if (present) {
                break;
            }
            if (part->op == OP_DEFAULT) {
                builder->started |= part->quoted;
                expand_parts(builder, part->word->parts, !part->quoted);
            } else if (part->op == OP_ASSIGN) {
                assign_default(builder, part);
            } else {
                complain(part);
            }
            return;
        case OP_ALTERNATIVE:
            builder->started |= part->quoted;
            if (present) {
                expand_parts(builder, part->word->parts, !part->quoted);
            }
            return;
        default:
            if (!value && !all && shell.options.unset_is_error) {
                fail("%s: parameter not set", part->text);
                return;
            }
    }
    if (part->op == OP_LENGTH) {
        struct builder joined = {.mode = MODE_STRING};
        if (all) {
            add_all_parameters(&joined, true, true);
        }
        snprintf(number, sizeof number, "%zu", all ? strlen(pattern_unescape(text_end(&joined.field))) : strlen(value ? value : ""));
        text_free(&joined.field);
        add_value(builder, number, part->quoted);
    } else if (part->op >= OP_PREFIX && part->op <= OP_LONGEST_SUFFIX) {
        struct builder joined = {.mode = MODE_STRING};
        if (all) {
            add_all_parameters(&joined, true, true);
            value = pattern_unescape(text_end(&joined.field));
        }
        char *subject = copy_string(value ? value : "");
        char *pattern = expand_pattern(part->word);
        if (!shell.skip) {
            char *rest = trimmed(subject, pattern, part->op);
            add_value(builder, rest, part->quoted);
            free(rest);
        }
        free(pattern);
        free(subject);
        text_free(&joined.field);
    } else if (all) {
        add_all_parameters(builder, part->quoted, part->text[0] == '*');
    } else {
        add_value(builder, value ? value : "", part->quoted);
    }
}

static void expand_tilde(struct builder *builder, const char *user) {
    const char *home = *user ? NULL : variable_value("HOME");
    if (home) {
        add_quoted(builder, home, strlen(home));
    } else {
        add_quoted(builder, "~", 1);
        add_quoted(builder, user, strlen(user));
    }
}

static void expand_parts(struct builder *builder, const struct part *parts, bool split_text) {
    for (const struct part *part = parts; part && !shell.skip; part = part->next) {
        switch (part->kind) {
            case PART_TEXT:
                if (part->quoted) {
                    add_quoted(builder, part->text, strlen(part->text));
                } else if (split_text) {
                    add_split(builder, part->text);
                } else {
                    builder->started = true;
                    text_add_string(&builder->field, part->text);
                }
                break;
            case PART_TILDE: expand_tilde(builder, part->text); break;
            case PART_PARAMETER: expand_parameter(builder, part); break;
            case PART_COMMAND: {
                char *result = command_output(part->node);
                if (!shell.skip) {
                    add_value(builder, result, part->quoted);
                }
                free(result);
                break;
            }
            case PART_ARITHMETIC: {
                char *expression = expand_string(part->word);
                if (!shell.skip) {
                    char number[24];
                    snprintf(number, sizeof number, "%lld", arithmetic(expression));
                    if (!shell.skip) {
                        add_value(builder, number, part->quoted);
                    }
                }
                free(expression);
                break;
            }
        }
    }
}

void expand_words(const struct word *words, struct list *fields) {
    for (const struct word *word = words; word && !shell.skip; word = word->next) {
        struct builder builder = {.mode = MODE_FIELDS, .fields = fields};
        expand_parts(&builder, word->parts, false);
        if (builder.started && !shell.skip) {
            end_field(&builder);
        }
        text_free(&builder.field);
    }
}

bool expansion_is_pure(const struct word *word) {
    for (const struct part *part = word->parts; part; part = part->next) {
        switch (part->kind) {
            case PART_TEXT:
            case PART_TILDE: break;
            case PART_COMMAND:
            case PART_ARITHMETIC: return false;
            case PART_PARAMETER:
                if (part->op == OP_ASSIGN || part->op == OP_ERROR || part->op == OP_BAD ||
                    (part->word && !expansion_is_pure(part->word)) || shell.options.unset_is_error) {
                    return false;
                }
        }
    }
    return true;
}
