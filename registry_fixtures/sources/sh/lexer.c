#include "lexer.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "input.h"
#include "shell.h"
#include "words.h"

struct parse parse;

struct pending_here {
    struct pending_here *next;
    struct redirection *redirection;
    bool strips_tabs;
};

void syntax_error(const char *format, ...) {
    if (parse.failed) {
        return;
    }
    parse.failed = true;
    va_list arguments;
    va_start(arguments, format);
    char *text = NULL;
    if (vasprintf(&text, format, arguments) >= 0) {
        shell.line = input->line;
        fail("Syntax error: %s", text);
    }
    va_end(arguments);
    free(text);
}

bool is_name_start(int c) {
    return c == '_' || (c < 128 && isalpha(c));
}

bool is_name_character(int c) {
    return c == '_' || (c < 128 && isalnum(c));
}

void here_document(struct redirection *redirection, bool strips_tabs) {
    struct pending_here *pending = arena_allocate(parse.arena, sizeof *pending);
    *pending = (struct pending_here){NULL, redirection, strips_tabs};
    struct pending_here **last = &parse.here;
    while (*last) {
        last = &(*last)->next;
    }
    *last = pending;
}

/* Whether there was a line, which is read into `line`; `ended` says whether a line feed was behind it. */
static bool read_line(struct text *line, bool *ended) {
    int c;
    while ((c = input_get()) != END_OF_INPUT && c != '\n') {
        text_add(line, (char)c);
    }
    *ended = c == '\n';
    return c != END_OF_INPUT || line->length;
}

static void read_here_body(struct pending_here *pending) {
    bool quoted = false;
    char *delimiter = word_text(pending->redirection->word, &quoted);
    int line_number = input->line;
    struct text body = {0};
    for (;;) {
        struct text line = {0};
        input_prompt(false);
        bool ended;
        if (!read_line(&line, &ended)) {
            break;
        }
        char *text = text_end(&line);
        if (pending->strips_tabs) {
            while (*text == '\t') {
                text++;
            }
        }
        if (strcmp(text, delimiter) == 0) {
            text_free(&line);
            break;
        }
        text_add_string(&body, text);
        /* A line that goes on in the next one cannot be followed by the delimiter. */
        size_t backslashes = 0;
        for (size_t at = line.length; !quoted && at > 0 && line.data[at - 1] == '\\'; at--) {
            backslashes++;
        }
        if (backslashes % 2) {
            body.length--;
            struct text rest = {0};
            while (read_line(&rest, &ended)) {
                text_end(&rest);
                size_t count = 0;
                while (count < rest.length && rest.data[rest.length - 1 - count] == '\\') {
                    count++;
                }
                text_add_bytes(&body, rest.data, rest.length - count % 2);
                rest.length = 0;
                if (count % 2 == 0) {
                    break;
                }
            }
            text_free(&rest);
        }
        if (ended) {
            text_add(&body, '\n');
        }
        text_free(&line);
    }
    text_end(&body);
    struct word *word = quoted ? quoted_word(body.data, body.length) : here_word(body.data, body.length, line_number);
    pending->redirection->word = word;
    text_free(&body);
}

static void read_here_documents(void) {
    while (parse.here && !parse.failed) {
        struct pending_here *pending = parse.here;
        parse.here = pending->next;
        read_here_body(pending);
    }
}

static void skip_blanks(void) {
    int c;
    while ((c = read_joined()) == ' ' || c == '\t') {
    }
    if (c == '#') {
        while ((c = input_get()) != '\n' && c != END_OF_INPUT) {
        }
    }
    input_unget(c);
}

static bool follows(int wanted) {
    int c = read_joined();
    if (c == wanted) {
        return true;
    }
    input_unget(c);
    return false;
}

static void read_redirection(struct token *token, int first, int fd) {
    token->kind = TOKEN_REDIRECTION;
    token->fd = fd >= 0 ? fd : first == '<' ? 0 : 1;
    if (first == '<') {
        token->redirection = REDIRECT_READ;
        if (follows('<')) {
            token->redirection = REDIRECT_HERE;
            token->strips_tabs = follows('-');
        } else if (follows('&')) {
            token->redirection = REDIRECT_COPY;
        } else if (follows('>')) {
            token->redirection = REDIRECT_BOTH;
        }
    } else {
        token->redirection = REDIRECT_WRITE;
        if (follows('>')) {
            token->redirection = REDIRECT_APPEND;
        } else if (follows('&')) {
            token->redirection = REDIRECT_COPY;
        } else if (follows('|')) {
            token->redirection = REDIRECT_CLOBBER;
        }
    }
}

static void read_token(struct token *token) {
    skip_blanks();
    *token = (struct token){.line = input->line};
    int c = read_joined();
    switch (c) {
        case END_OF_INPUT:
            token->kind = TOKEN_END;
            read_here_documents();
            return;
        case '\n':
            token->kind = TOKEN_NEWLINE;
            read_here_documents();
            return;
        case '&': token->kind = follows('&') ? TOKEN_AND : TOKEN_BACKGROUND; return;
        case '|': token->kind = follows('|') ? TOKEN_OR : TOKEN_PIPE; return;
        case ';': token->kind = follows(';') ? TOKEN_CASE_END : TOKEN_SEMICOLON; return;
        case '(': token->kind = TOKEN_OPEN; return;
        case ')': token->kind = TOKEN_CLOSE; return;
        case '<':
        case '>': read_redirection(token, c, -1); return;
    }
    input_unget(c);
    token->kind = TOKEN_WORD;
    token->word = read_word();
    const struct part *part = token->word->parts;
    if (part && !part->next && part->kind == PART_TEXT && !part->quoted) {
        token->plain = part->text;
        /* One digit right before < or > is a descriptor's number. */
        if (isdigit((unsigned char)part->text[0]) && !part->text[1]) {
            int next = read_joined();
            if (next == '<' || next == '>') {
                read_redirection(token, next, part->text[0] - '0');
                return;
            }
            input_unget(next);
        }
    }
}

struct token *token_peek(void) {
    if (!parse.has_token) {
        read_token(&parse.token);
        parse.has_token = true;
        if (parse.failed) {
            parse.token = (struct token){.kind = TOKEN_END, .line = input->line};
        }
    }
    return &parse.token;
}

void token_take(void) {
    parse.has_token = false;
    input_prompt(false);
}

char *word_text(const struct word *word, bool *quoted) {
    struct text text = {0};
    for (const struct part *part = word->parts; part; part = part->next) {
        *quoted |= part->quoted;
        switch (part->kind) {
            case PART_TILDE: text_add(&text, '~'); text_add_string(&text, part->text); break;
            case PART_PARAMETER: text_add(&text, '$'); text_add_string(&text, part->text); break;
            case PART_TEXT: text_add_string(&text, part->text); break;
            default: break;
        }
    }
    return arena_take(parse.arena, &text);
}
