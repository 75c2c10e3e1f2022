#include "words.h"

#include <ctype.h>
#include <string.h>

#include "input.h"
#include "lexer.h"
#include "parser.h"
#include "shell.h"

enum { DEEPEST = 500 };

/* Where text is read: what ends it and what quotes do. */
enum place { PLACE_WORD, PLACE_QUOTES, PLACE_HERE, PLACE_BRACE, PLACE_BRACE_IN_QUOTES, PLACE_ARITHMETIC };

struct reader {
    enum place place;
    struct part **end;      /* where the next part is put */
    struct text text;       /* text that is no part yet */
    bool text_quoted;
    bool tilde_may_start;
    bool after_equals;      /* the text so far is `name=`: tildes are expanded behind colons */
};

static int depth;

int read_joined(void) {
    for (;;) {
        int c = input_get();
        if (c != '\\') {
            return c;
        }
        int next = input_get();
        if (next != '\n') {
            input_unget(next);
            return '\\';
        }
        input_prompt(false);
    }
}

static struct part *new_part(struct reader *reader, enum part_kind kind, bool quoted) {
    struct part *part = arena_allocate(parse.arena, sizeof *part);
    part->kind = kind;
    part->quoted = quoted;
    *reader->end = part;
    reader->end = &part->next;
    return part;
}

static void end_text(struct reader *reader) {
    if (reader->text.length) {
        /* The part is made first: the arena keeps both. */
        struct part *part = new_part(reader, PART_TEXT, reader->text_quoted);
        part->text = arena_take(parse.arena, &reader->text);
    }
}

static void add_character(struct reader *reader, int c, bool quoted) {
    if (reader->text.length && reader->text_quoted != quoted) {
        end_text(reader);
    }
    reader->text_quoted = quoted;
    text_add(&reader->text, (char)c);
}

static struct word *read_parts(enum place place);

static bool is_quoted(enum place place) {
    return place != PLACE_WORD && place != PLACE_BRACE;
}

static struct node *read_backquoted(bool in_quotes) {
    struct text text = {0};
    int line = input->line;
    for (;;) {
        int c = input_get();
        if (c == END_OF_INPUT) {
            text_free(&text);
            syntax_error("EOF in backquote substitution");
            return NULL;
        }
        if (c == '`') {
            break;
        }
        if (c == '\\') {
            c = input_get();
            if (c == END_OF_INPUT) {
                continue;
            }
            if (c != '\\' && c != '`' && c != '$' && !(c == '"' && in_quotes)) {
                text_add(&text, '\\');
            }
        }
        text_add(&text, (char)c);
    }
    size_t length = text.length;
    char *script = arena_take(parse.arena, &text);
    return parse_substitution_text(script, length, line);
}

static enum parameter_operator double_operator(enum parameter_operator single, enum parameter_operator twice, int sign) {
    int c = read_joined();
    if (c == sign) {
        return twice;
    }
    input_unget(c);
    return single;
}

static enum parameter_operator read_operator(struct part *part) {
    int c = read_joined();
    if (c == ':') {
        part->colon = true;
        c = read_joined();
    }
    switch (c) {
        case '-': return OP_DEFAULT;
        case '=': return OP_ASSIGN;
        case '?': return OP_ERROR;
        case '+': return OP_ALTERNATIVE;
        case '#': return part->colon ? OP_BAD : double_operator(OP_PREFIX, OP_LONGEST_PREFIX, '#');
        case '%': return part->colon ? OP_BAD : double_operator(OP_SUFFIX, OP_LONGEST_SUFFIX, '%');
        case '}':
            input_unget(c);
            return part->colon ? OP_BAD : OP_NONE;
    }
    input_unget(c);
    return OP_BAD;
}

static bool is_special_parameter(int c) {
    return c > 0 && strchr("@*#?-$!", c) != NULL;
}

/* The name of a parameter, empty if none stands here. */
static void read_name(struct text *name, bool braces) {
    int c = read_joined();
    if (is_name_start(c)) {
        do {
            text_add(name, (char)c);
            c = read_joined();
        } while (is_name_character(c));
        input_unget(c);
    } else if (c < 128 && isdigit(c)) {
        do {
            text_add(name, (char)c);
            c = braces ? read_joined() : END_OF_INPUT;
            if (!braces) {
                return;
            }
        } while (c < 128 && isdigit(c));
        input_unget(c);
    } else if (is_special_parameter(c)) {
        text_add(name, (char)c);
    } else {
        input_unget(c);
    }
}

static void read_braces(struct reader *reader) {
    bool quoted = is_quoted(reader->place);
    struct part *part = new_part(reader, PART_PARAMETER, quoted);
    struct text name = {0};
    int c = read_joined();
    bool length = false;
    if (c == '#') {
        int next = read_joined();
        input_unget(next);
        /* ${#} and its operators are of the parameter #, ${#x} is a length. */
        length = is_name_character(next) || (is_special_parameter(next) && next != '#' && next != '?' && next != '-');
        if (next == '#' || next == '?' || next == '-') {
            int sign = read_joined();
            int behind = read_joined();
            input_unget(behind);
            length = behind == '}';
            input_unget(sign);
        }
        if (!length) {
            input_unget(c);
        }
    } else {
        input_unget(c);
    }
    read_name(&name, true);
    bool empty = !name.length;
    part->text = arena_take(parse.arena, &name);
    part->op = read_operator(part);
    if (length) {
        part->op = part->op == OP_NONE ? OP_LENGTH : OP_BAD;
    }
    if (empty) {
        part->op = OP_BAD;
    }
    bool pattern = part->op >= OP_PREFIX && part->op <= OP_LONGEST_SUFFIX;
    part->word = read_parts(quoted && !pattern ? PLACE_BRACE_IN_QUOTES : PLACE_BRACE);
    if (!parse.failed && input_get() != '}') {
        syntax_error("Missing '}'");
    }
}

static void read_dollar(struct reader *reader) {
    bool quoted = is_quoted(reader->place);
    int c = read_joined();
    if (c == '(') {
        end_text(reader);
        int next = read_joined();
        if (next == '(') {
            struct part *part = new_part(reader, PART_ARITHMETIC, quoted);
            part->word = read_parts(PLACE_ARITHMETIC);
            return;
        }
        input_unget(next);
        struct part *part = new_part(reader, PART_COMMAND, quoted);
        part->node = parse_substitution();
        return;
    }
    if (c == '{') {
        end_text(reader);
        read_braces(reader);
        return;
    }
    input_unget(c);
    struct text name = {0};
    read_name(&name, false);
    if (!name.length) {
        add_character(reader, '$', quoted);
        return;
    }
    end_text(reader);
    struct part *part = new_part(reader, PART_PARAMETER, quoted);
    part->text = arena_take(parse.arena, &name);
}

static void read_single_quotes(struct reader *reader) {
    end_text(reader);
    struct text text = {0};
    int c;
    while ((c = input_get()) != '\'') {
        if (c == END_OF_INPUT) {
            text_free(&text);
            syntax_error("Unterminated quoted string");
            return;
        }
        text_add(&text, (char)c);
    }
    new_part(reader, PART_TEXT, true)->text = arena_take(parse.arena, &text);
}

static void read_double_quotes(struct reader *reader) {
    end_text(reader);
    struct word *inside = read_parts(PLACE_QUOTES);
    if (parse.failed) {
        return;
    }
    if (input_get() != '"') {
        syntax_error("Unterminated quoted string");
        return;
    }
    if (!inside->parts) {
        new_part(reader, PART_TEXT, true)->text = "";
    }
    *reader->end = inside->parts;
    while (*reader->end) {
        reader->end = &(*reader->end)->next;
    }
}

static void read_backslash(struct reader *reader) {
    int c = input_get();
    if (c == '\n') {
        return;
    }
    if (c == END_OF_INPUT) {
        add_character(reader, '\\', true);
        return;
    }
    const char *special = reader->place == PLACE_QUOTES ? "\\`$\"" : reader->place == PLACE_BRACE_IN_QUOTES ? "\\`$\"}" : "\\`$";
    if (is_quoted(reader->place) && !strchr(special, c)) {
        add_character(reader, '\\', true);
    }
    add_character(reader, c, true);
}

/* Whether the text before a tilde is `name=`. */
static bool is_assignment_prefix(const struct text *text) {
    if (!text->length || text->data[text->length - 1] != '=' || !is_name_start((unsigned char)text->data[0])) {
        return false;
    }
    for (size_t at = 1; at + 1 < text->length; at++) {
        if (!is_name_character((unsigned char)text->data[at])) {
            return false;
        }
    }
    return true;
}

/* `~user` up to a slash, and in an assignment up to a colon; false if it was no such thing. */
static bool read_tilde(struct reader *reader) {
    struct text name = {0};
    int c;
    while ((c = input_get()) != END_OF_INPUT && (is_name_character(c) || c == '-' || c == '.')) {
        text_add(&name, (char)c);
    }
    input_unget(c);
    bool ends = c == END_OF_INPUT || strchr(" \t\n/;&|()<>", c) || (c == ':' && reader->after_equals) ||
                (c == '}' && reader->place == PLACE_BRACE);
    if (!ends) {
        add_character(reader, '~', false);
        for (size_t at = 0; at < name.length; at++) {
            add_character(reader, name.data[at], false);
        }
        text_free(&name);
        return false;
    }
    end_text(reader);
    new_part(reader, PART_TILDE, false)->text = arena_take(parse.arena, &name);
    return true;
}

/* Whether this character ends what is being read here; `parentheses` are those open in arithmetic. */
static bool ends(struct reader *reader, int c, int *parentheses) {
    switch (reader->place) {
        case PLACE_WORD: return c > 0 && strchr(" \t\n;&|()<>", c) != NULL;
        case PLACE_QUOTES: return c == '"';
        case PLACE_BRACE:
        case PLACE_BRACE_IN_QUOTES: return c == '}';
        case PLACE_HERE: return false;
        case PLACE_ARITHMETIC:
            if (c == '(') {
                ++*parentheses;
            } else if (c == ')' && --*parentheses < 0) {
                int next = read_joined();
                if (next != ')') {
                    input_unget(next);
                    syntax_error("Missing '))'");
                }
                return true;
            }
            return false;
    }
    return false;
}

static struct word *read_parts(enum place place) {
    struct word *word = arena_allocate(parse.arena, sizeof *word);
    struct reader reader = {.place = place, .end = &word->parts, .tilde_may_start = true};
    int parentheses = 0;
    if (++depth > DEEPEST) {
        syntax_error("too deeply nested");
    }
    while (!parse.failed) {
        int c = read_joined();
        if (c == END_OF_INPUT) {
            if (place == PLACE_ARITHMETIC) {
                syntax_error("Missing '))'");
            }
            break;
        }
        if (ends(&reader, c, &parentheses)) {
            if (place != PLACE_ARITHMETIC) {
                input_unget(c);
            }
            break;
        }
        bool tilde = reader.tilde_may_start;
        reader.tilde_may_start = false;
        if (c == '\\') {
            read_backslash(&reader);
        } else if (c == '$') {
            read_dollar(&reader);
        } else if (c == '`') {
            end_text(&reader);
            struct part *part = new_part(&reader, PART_COMMAND, is_quoted(place));
            part->node = read_backquoted(place == PLACE_QUOTES);
        } else if (c == '\'' && !is_quoted(place)) {
            read_single_quotes(&reader);
        } else if (c == '"' && place != PLACE_HERE && place != PLACE_ARITHMETIC) {
            if (place == PLACE_BRACE_IN_QUOTES) {
                /* Inside "${x:-...}" they only end and begin the quotes anew. */
                continue;
            }
            read_double_quotes(&reader);
        } else if (c == '~' && tilde && !is_quoted(place)) {
            read_tilde(&reader);
        } else {
            add_character(&reader, c, is_quoted(place));
            if (place == PLACE_WORD && c == '=' && word->parts == NULL && is_assignment_prefix(&reader.text)) {
                reader.after_equals = reader.tilde_may_start = true;
            } else if (c == ':' && reader.after_equals) {
                reader.tilde_may_start = true;
            }
        }
    }
    depth--;
    end_text(&reader);
    text_free(&reader.text);
    return word;
}

struct word *read_word(void) {
    return read_parts(PLACE_WORD);
}

struct word *quoted_word(const char *text, size_t length) {
    struct word *word = arena_allocate(parse.arena, sizeof *word);
    struct part *part = arena_allocate(parse.arena, sizeof *part);
    *part = (struct part){.kind = PART_TEXT, .quoted = true, .text = arena_string(parse.arena, text, length)};
    word->parts = part;
    return word;
}

struct word *here_word(const char *text, size_t length, int line) {
    struct input source;
    input_push_string(&source, text, length, line);
    struct word *word = read_parts(PLACE_HERE);
    input_pop();
    return word;
}

struct word *assigned_value(struct word *word, char **name) {
    struct part *first = word->parts;
    if (!first || first->kind != PART_TEXT || first->quoted || !is_name_start((unsigned char)first->text[0])) {
        return NULL;
    }
    size_t length = 1;
    while (is_name_character((unsigned char)first->text[length])) {
        length++;
    }
    if (first->text[length] != '=') {
        return NULL;
    }
    *name = arena_string(parse.arena, first->text, length);
    struct word *value = arena_allocate(parse.arena, sizeof *value);
    value->parts = first->next;
    if (first->text[length + 1]) {
        struct part *part = arena_allocate(parse.arena, sizeof *part);
        *part = *first;
        part->text = first->text + length + 1;
        value->parts = part;
    }
    return value;
}
