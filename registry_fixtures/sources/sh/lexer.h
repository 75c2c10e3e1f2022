/* From characters to tokens. */
#ifndef LEXER_H
#define LEXER_H

#include <stdbool.h>

#include "ast.h"
#include "memory.h"

enum token_kind {
    TOKEN_END,
    TOKEN_NEWLINE,
    TOKEN_WORD,
    TOKEN_REDIRECTION,
    TOKEN_AND,              /* && */
    TOKEN_OR,               /* || */
    TOKEN_SEMICOLON,
    TOKEN_CASE_END,         /* ;; */
    TOKEN_BACKGROUND,
    TOKEN_PIPE,
    TOKEN_OPEN,
    TOKEN_CLOSE
};

struct token {
    enum token_kind kind;
    struct word *word;
    const char *plain;      /* the word's text if nothing of it was quoted or is expanded, else NULL */
    int line;
    /* of a redirection */
    enum redirection_kind redirection;
    int fd;
    bool strips_tabs;
};

/* What is being parsed. The arena holds all of it. */
struct parse {
    struct arena *arena;
    struct token token;
    bool has_token;
    bool failed;
    struct pending_here *here;
};

extern struct parse parse;

/* The next token, which stays until token_take. */
struct token *token_peek(void);
void token_take(void);

/* A here-document whose body begins behind the next line feed. */
void here_document(struct redirection *redirection, bool strips_tabs);

/* A whole text as the inside of a here-document or of double quotes: expanded, not split. */
struct word *parse_prompt(const char *text);

bool is_name_start(int c);
bool is_name_character(int c);

/* In dash's words: `Syntax error: ...`. */
__attribute__((format(printf, 1, 2))) void syntax_error(const char *format, ...);
/* The word of case patterns and file names when all its parts are text: quotes removed. Allocated in the arena. */
char *word_text(const struct word *word, bool *quoted);

#endif
