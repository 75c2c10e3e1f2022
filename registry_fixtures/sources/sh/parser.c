#include "parser.h"

#include <string.h>

#include "grammar.h"
#include "input.h"
#include "lexer.h"
#include "shell.h"
#include "words.h"

enum { DEEPEST = 300 };

static int depth;

static const char *const reserved[] = {"!",  "case", "do", "done", "elif",  "else",  "esac", "fi",
                                       "for", "if",   "in", "then", "until", "while", "{",    "}"};

struct node *new_node(enum node_kind kind) {
    struct node *node = arena_allocate(parse.arena, sizeof *node);
    node->kind = kind;
    node->line = token_peek()->line;
    return node;
}

static bool is_reserved(const char *text) {
    for (size_t index = 0; index < sizeof reserved / sizeof *reserved; index++) {
        if (strcmp(text, reserved[index]) == 0) {
            return true;
        }
    }
    return false;
}

/* Whether the next token is this reserved word. */
bool at(const char *text) {
    struct token *token = token_peek();
    return token->kind == TOKEN_WORD && token->plain && strcmp(token->plain, text) == 0;
}

bool take_if(const char *text) {
    if (!at(text)) {
        return false;
    }
    token_take();
    return true;
}

static const char *const token_texts[] = {
    [TOKEN_END] = "end of file", [TOKEN_NEWLINE] = "newline",    [TOKEN_WORD] = "word", [TOKEN_REDIRECTION] = "redirection",
    [TOKEN_AND] = "\"&&\"",      [TOKEN_OR] = "\"||\"",          [TOKEN_SEMICOLON] = "\";\"", [TOKEN_CASE_END] = "\";;\"",
    [TOKEN_BACKGROUND] = "\"&\"", [TOKEN_PIPE] = "\"|\"",        [TOKEN_OPEN] = "\"(\"", [TOKEN_CLOSE] = "\")\"",
};

void unexpected(const char *expected) {
    struct token *token = token_peek();
    if (parse.failed) {
        return;
    }
    bool word = token->kind == TOKEN_WORD && token->plain && is_reserved(token->plain);
    const char *found = word ? token->plain : token_texts[token->kind];
    const char *quote = word ? "\"" : "";
    if (expected) {
        syntax_error("%s%s%s unexpected (expecting %s)", quote, found, quote, expected);
    } else {
        syntax_error("%s%s%s unexpected", quote, found, quote);
    }
}

void expect(const char *text) {
    if (!take_if(text)) {
        char expected[16] = "\"";
        unexpected(strcat(strcat(expected, text), "\""));
    }
}

void skip_newlines(void) {
    while (token_peek()->kind == TOKEN_NEWLINE) {
        token_take();
    }
}

static struct redirection *parse_redirection(void) {
    struct token *token = token_peek();
    struct redirection *redirection = arena_allocate(parse.arena, sizeof *redirection);
    redirection->kind = token->redirection;
    redirection->fd = token->fd;
    bool strips_tabs = token->strips_tabs;
    token_take();
    token = token_peek();
    if (token->kind != TOKEN_WORD) {
        unexpected(NULL);
        return redirection;
    }
    redirection->word = token->word;
    if (redirection->kind == REDIRECT_HERE) {
        here_document(redirection, strips_tabs);
    }
    token_take();
    return redirection;
}

static void parse_redirections(struct node *node) {
    struct redirection **last = &node->redirections;
    while (*last) {
        last = &(*last)->next;
    }
    while (!parse.failed && token_peek()->kind == TOKEN_REDIRECTION) {
        *last = parse_redirection();
        last = &(*last)->next;
    }
}

/* What must be there: a list of at least one command. */
struct node *parse_body(const char *expected) {
    bool found;
    struct node *node = parse_list(&found);
    if (!found && !parse.failed) {
        unexpected(token_peek()->kind == TOKEN_END ? expected : NULL);
    }
    return node;
}

bool is_name(const char *text) {
    if (!text || !is_name_start((unsigned char)*text)) {
        return false;
    }
    while (is_name_character((unsigned char)*text)) {
        text++;
    }
    return !*text;
}

static struct node *parse_command_node(void);

/* The rest of `name ( ) body`. */
static struct node *parse_function(struct node *node, const char *name) {
    token_take();
    if (token_peek()->kind == TOKEN_WORD) {
        syntax_error("word unexpected (expecting \")\")");
        return node;
    }
    if (token_peek()->kind != TOKEN_CLOSE) {
        unexpected("\")\"");
        return node;
    }
    token_take();
    if (!name || !is_name(name)) {
        syntax_error("Bad function name");
        return node;
    }
    skip_newlines();
    node->kind = NODE_FUNCTION;
    node->name = (char *)name;
    node->words = NULL;
    node->first = parse_command_node();
    return node;
}

static struct node *parse_simple(void) {
    struct node *node = new_node(NODE_SIMPLE);
    struct assignment **last_assignment = &node->assignments;
    struct word **last_word = &node->words;
    bool any = false;
    const char *first = NULL;
    while (!parse.failed) {
        struct token *token = token_peek();
        if (token->kind == TOKEN_REDIRECTION) {
            parse_redirections(node);
            any = true;
            continue;
        }
        if (token->kind == TOKEN_OPEN && node->words && !node->words->next && !node->assignments && !node->redirections) {
            return parse_function(node, first);
        }
        if (token->kind != TOKEN_WORD) {
            break;
        }
        char *name;
        struct word *value = node->words ? NULL : assigned_value(token->word, &name);
        if (value) {
            *last_assignment = arena_allocate(parse.arena, sizeof **last_assignment);
            **last_assignment = (struct assignment){NULL, name, value};
            last_assignment = &(*last_assignment)->next;
        } else {
            if (!node->words) {
                first = token->plain;
            }
            *last_word = token->word;
            last_word = &(*last_word)->next;
        }
        any = true;
        token_take();
    }
    if (!any) {
        unexpected(NULL);
    }
    return node;
}

static struct node *parse_command_node(void) {
    if (++depth > DEEPEST) {
        syntax_error("too deeply nested");
    }
    struct token *token = token_peek();
    struct node *node = parse.failed ? NULL : parse_compound();
    if (node) {
        parse_redirections(node);
    } else if (!parse.failed && token->kind == TOKEN_WORD && token->plain && is_reserved(token->plain) && !at("in")) {
        unexpected(NULL);
    } else if (!parse.failed) {
        node = parse_simple();
    }
    depth--;
    return node ? node : new_node(NODE_SIMPLE);
}

static struct node *parse_pipeline(void) {
    bool negated = false;
    int line = token_peek()->line;
    while (take_if("!")) {
        negated = !negated;
    }
    struct node *first = parse_command_node();
    if (token_peek()->kind == TOKEN_PIPE) {
        struct node *pipeline = new_node(NODE_PIPELINE);
        pipeline->line = line;
        pipeline->first = first;
        struct node **last = &first->next;
        while (!parse.failed && token_peek()->kind == TOKEN_PIPE) {
            token_take();
            skip_newlines();
            *last = parse_command_node();
            last = &(*last)->next;
        }
        first = pipeline;
    }
    if (negated) {
        struct node *node = new_node(NODE_NOT);
        node->first = first;
        return node;
    }
    return first;
}

static struct node *parse_and_or(void) {
    struct node *left = parse_pipeline();
    while (!parse.failed && (token_peek()->kind == TOKEN_AND || token_peek()->kind == TOKEN_OR)) {
        struct node *node = new_node(token_peek()->kind == TOKEN_AND ? NODE_AND : NODE_OR);
        token_take();
        skip_newlines();
        node->first = left;
        node->second = parse_pipeline();
        left = node;
    }
    return left;
}

/* Whether no further command can begin here: the list ends. */
static bool at_list_end(void) {
    struct token *token = token_peek();
    switch (token->kind) {
        case TOKEN_END:
        case TOKEN_CLOSE:
        case TOKEN_CASE_END: return true;
        case TOKEN_WORD:
            return token->plain && (at("then") || at("do") || at("done") || at("fi") || at("else") || at("elif") ||
                                    at("esac") || at("}"));
        default: return false;
    }
}

/* Commands one after the other, the later ones always on the right. */
struct sequence {
    struct node *first;
    struct node **last;
};

static void sequence_add(struct sequence *sequence, struct node *node) {
    if (!sequence->first) {
        sequence->first = node;
        sequence->last = &sequence->first;
        return;
    }
    struct node *joint = new_node(NODE_SEQUENCE);
    joint->first = *sequence->last;
    joint->second = node;
    *sequence->last = joint;
    sequence->last = &joint->second;
}

/* The separator behind a command; puts it into the background if that is what it says. Whether more may follow. */
static bool parse_separator(struct node **node) {
    if (token_peek()->kind == TOKEN_BACKGROUND) {
        struct node *background = new_node(NODE_BACKGROUND);
        background->first = *node;
        *node = background;
    } else if (token_peek()->kind != TOKEN_SEMICOLON) {
        return false;
    }
    token_take();
    return true;
}

struct node *parse_list(bool *found) {
    struct sequence list = {0};
    skip_newlines();
    while (!parse.failed && !at_list_end()) {
        struct node *node = parse_and_or();
        bool more = parse_separator(&node);
        sequence_add(&list, node);
        if (token_peek()->kind == TOKEN_NEWLINE) {
            skip_newlines();
        } else if (!more) {
            break;
        }
    }
    *found = list.first != NULL;
    return list.first;
}

struct node *parse_substitution(void) {
    /* It is inside a token: the one around it goes on behind it. */
    struct parse outer = parse;
    parse.has_token = false;
    parse.here = NULL;
    bool found;
    struct node *node = parse_list(&found);
    if (token_peek()->kind != TOKEN_CLOSE) {
        unexpected("\")\"");
    }
    bool failed = parse.failed;
    parse = outer;
    parse.failed = failed;
    return node;
}

struct node *parse_substitution_text(const char *text, size_t length, int line) {
    struct parse outer = parse;
    struct input source;
    input_push_string(&source, text, length, line);
    parse.has_token = false;
    parse.here = NULL;
    bool found;
    struct node *node = parse_list(&found);
    if (token_peek()->kind != TOKEN_END) {
        unexpected(NULL);
    }
    input_pop();
    bool failed = parse.failed;
    parse = outer;
    parse.failed = failed;
    return node;
}

enum parsed parse_command(struct arena *arena, struct node **node) {
    parse = (struct parse){.arena = arena};
    depth = 0;
    *node = NULL;
    input_prompt(true);
    switch (token_peek()->kind) {
        case TOKEN_END: return parse.failed ? PARSED_ERROR : PARSED_END;
        case TOKEN_NEWLINE: return PARSED_NOTHING;
        default: break;
    }
    struct sequence list = {0};
    bool more = true;
    while (more && !parse.failed && token_peek()->kind != TOKEN_NEWLINE && token_peek()->kind != TOKEN_END) {
        struct node *next = parse_and_or();
        more = parse_separator(&next);
        sequence_add(&list, next);
    }
    if (!parse.failed && token_peek()->kind != TOKEN_NEWLINE && token_peek()->kind != TOKEN_END) {
        unexpected(NULL);
    }
    if (parse.failed) {
        return PARSED_ERROR;
    }
    *node = list.first;
    return PARSED_COMMAND;
}
