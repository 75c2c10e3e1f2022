/* Compound commands: if, loops, case, subshells and groups. */
#include "grammar.h"
#include "lexer.h"

static struct node *parse_if(void) {
    struct node *node = new_node(NODE_IF);
    token_take();
    node->first = parse_body("\"then\"");
    expect("then");
    node->second = parse_body("\"fi\"");
    if (at("elif")) {
        node->third = parse_if();
        return node;
    }
    if (take_if("else")) {
        node->third = parse_body("\"fi\"");
    }
    expect("fi");
    return node;
}

static struct node *parse_loop(enum node_kind kind) {
    struct node *node = new_node(kind);
    token_take();
    node->first = parse_body("\"do\"");
    expect("do");
    node->second = parse_body("\"done\"");
    expect("done");
    return node;
}

static struct word *parse_words(void) {
    struct word *words = NULL, **last = &words;
    while (token_peek()->kind == TOKEN_WORD) {
        *last = token_peek()->word;
        last = &(*last)->next;
        token_take();
    }
    return words;
}

static struct node *parse_for(void) {
    struct node *node = new_node(NODE_FOR);
    token_take();
    struct token *token = token_peek();
    if (token->kind != TOKEN_WORD || !is_name(token->plain)) {
        syntax_error("Bad for loop variable");
        return node;
    }
    node->name = (char *)token->plain;
    token_take();
    if (token_peek()->kind == TOKEN_SEMICOLON) {
        token_take();
        node->all_parameters = true;
        skip_newlines();
    } else {
        skip_newlines();
        node->all_parameters = !take_if("in");
    }
    if (!node->all_parameters) {
        node->words = parse_words();
        if (token_peek()->kind != TOKEN_SEMICOLON && token_peek()->kind != TOKEN_NEWLINE) {
            unexpected(NULL);
            return node;
        }
        token_take();
        skip_newlines();
    }
    expect("do");
    node->second = parse_body("\"done\"");
    expect("done");
    return node;
}

static struct case_item *parse_case_item(void) {
    struct case_item *item = arena_allocate(parse.arena, sizeof *item);
    struct word **last = &item->patterns;
    if (token_peek()->kind == TOKEN_OPEN) {
        token_take();
    }
    for (;;) {
        if (token_peek()->kind != TOKEN_WORD) {
            unexpected(token_peek()->kind == TOKEN_END ? "\")\"" : NULL);
            return item;
        }
        *last = token_peek()->word;
        last = &(*last)->next;
        token_take();
        if (token_peek()->kind != TOKEN_PIPE) {
            break;
        }
        token_take();
    }
    if (token_peek()->kind != TOKEN_CLOSE) {
        unexpected("\")\"");
        return item;
    }
    token_take();
    bool found;
    item->body = parse_list(&found);
    return item;
}

static struct node *parse_case(void) {
    struct node *node = new_node(NODE_CASE);
    token_take();
    if (token_peek()->kind != TOKEN_WORD) {
        unexpected("word");
        return node;
    }
    node->words = token_peek()->word;
    token_take();
    skip_newlines();
    expect("in");
    skip_newlines();
    struct case_item **last = &node->items;
    while (!parse.failed && !at("esac")) {
        *last = parse_case_item();
        last = &(*last)->next;
        if (token_peek()->kind != TOKEN_CASE_END) {
            break;
        }
        token_take();
        skip_newlines();
    }
    if (!take_if("esac")) {
        unexpected("\";;\"");
    }
    return node;
}

static struct node *parse_subshell(void) {
    struct node *node = new_node(NODE_SUBSHELL);
    token_take();
    node->first = parse_body("\")\"");
    if (token_peek()->kind != TOKEN_CLOSE) {
        unexpected("\")\"");
        return node;
    }
    token_take();
    return node;
}

static struct node *parse_group(void) {
    struct node *node = new_node(NODE_GROUP);
    token_take();
    node->first = parse_body("\"}\"");
    expect("}");
    return node;
}

struct node *parse_compound(void) {
    struct token *token = token_peek();
    if (token->kind == TOKEN_OPEN) {
        return parse_subshell();
    }
    if (token->kind != TOKEN_WORD || !token->plain) {
        return NULL;
    }
    if (at("{")) {
        return parse_group();
    }
    if (at("if")) {
        return parse_if();
    }
    if (at("while")) {
        return parse_loop(NODE_WHILE);
    }
    if (at("until")) {
        return parse_loop(NODE_UNTIL);
    }
    if (at("for")) {
        return parse_for();
    }
    if (at("case")) {
        return parse_case();
    }
    return NULL;
}
