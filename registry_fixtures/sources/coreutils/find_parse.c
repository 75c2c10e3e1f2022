/* find: from words to an expression. */
#include <errno.h>
#include <stdio.h>

#include "allocate.h"
#include "find.h"

/* Parentheses and ! may nest this deep. */
enum { MAXIMUM_NESTING = 500 };

struct parser {
    int argc, next, nesting;
    char **argv;
};

static bool run_and(const struct find_term *term, struct walk_node *node) {
    for (size_t i = 0; i < term->count; i++) {
        if (!find_evaluate(term->terms[i], node) || find.quit) return false;
    }
    return true;
}

static bool run_or(const struct find_term *term, struct walk_node *node) {
    for (size_t i = 0; i < term->count; i++) {
        if (find_evaluate(term->terms[i], node) || find.quit) return true;
    }
    return false;
}

static bool run_list(const struct find_term *term, struct walk_node *node) {
    bool result = true;
    for (size_t i = 0; i < term->count && !find.quit; i++) result = find_evaluate(term->terms[i], node);
    return result;
}

static bool run_not(const struct find_term *term, struct walk_node *node) { return !find_evaluate(term->terms[0], node); }

static struct find_term *new_term(find_test *run) {
    struct find_term *term = allocate(sizeof *term);
    memset(term, 0, sizeof *term);
    term->run = run;
    return term;
}

static void add(struct find_term *term, struct find_term *part) {
    if (!(term->count & (term->count - 1))) term->terms = reallocate(term->terms, term->count ? term->count * 2 : 1, sizeof *term->terms);
    term->terms[term->count++] = part;
}

static const char *peek(const struct parser *parser) { return parser->next < parser->argc ? parser->argv[parser->next] : NULL; }

static bool is_word(const char *word, const char *one, const char *other) {
    return word && (!strcmp(word, one) || (other && !strcmp(word, other)));
}

static struct find_term *parse_list(struct parser *parser);

static struct find_term *parse_primary(struct parser *parser) {
    const char *word = peek(parser);
    if (!word) applet_diex(1, "expected an expression after '%s'", parser->argv[parser->next - 1]);
    if (++parser->nesting > MAXIMUM_NESTING) applet_diex(1, "the expression is nested more than %d deep", MAXIMUM_NESTING);
    parser->next++;
    struct find_term *term;
    if (is_word(word, "!", "-not")) {
        term = new_term(run_not);
        add(term, parse_primary(parser));
    } else if (is_word(word, "(", NULL)) {
        if (is_word(peek(parser), ")", NULL)) applet_diex(1, "invalid expression; empty parentheses are not allowed.");
        if (!peek(parser)) applet_diex(1, "invalid expression; expected to find a ')' but didn't see one. Perhaps you need an extra predicate after '('");
        term = parse_list(parser);
        if (!is_word(peek(parser), ")", NULL)) applet_diex(1, "invalid expression; I was expecting to find a ')' somewhere but did not see one.");
        parser->next++;
    } else if (is_word(word, ")", NULL)) {
        applet_diex(1, "invalid expression; you have too many ')'");
    } else if (is_word(word, "-o", "-or") || is_word(word, "-a", "-and") || is_word(word, ",", NULL)) {
        applet_diex(1, "invalid expression; you have used a binary operator '%s' with nothing before it.", word);
    } else {
        term = new_term(NULL);
        if (word[0] != '-') {
            applet_warnx("paths must precede expression: `%s'", word);
            exit(1);
        }
        if (!find_primary(term, word, parser->argc, parser->argv, &parser->next)) applet_diex(1, "unknown predicate `%s'", word);
    }
    parser->nesting--;
    return term;
}

static struct find_term *parse_and(struct parser *parser) {
    struct find_term *term = new_term(run_and);
    for (;;) {
        add(term, parse_primary(parser));
        const char *word = peek(parser);
        if (is_word(word, "-a", "-and")) parser->next++;
        else if (!word || is_word(word, "-o", "-or") || is_word(word, ",", ")")) return term;
    }
}

static struct find_term *parse_or(struct parser *parser) {
    struct find_term *term = new_term(run_or);
    add(term, parse_and(parser));
    while (is_word(peek(parser), "-o", "-or")) {
        parser->next++;
        add(term, parse_and(parser));
    }
    return term;
}

static struct find_term *parse_list(struct parser *parser) {
    struct find_term *term = new_term(run_list);
    add(term, parse_or(parser));
    while (is_word(peek(parser), ",", NULL)) {
        parser->next++;
        add(term, parse_or(parser));
    }
    return term;
}

struct find_term *find_parse(int argc, char **argv, int first) {
    struct parser parser = {.argc = argc, .argv = argv, .next = first};
    struct find_term *expression = first < argc ? parse_list(&parser) : NULL;
    if (parser.next < argc) applet_diex(1, "you have too many ')'");
    if (find.acts) return expression;
    struct find_term *whole = new_term(run_and);
    if (expression) add(whole, expression);
    add(whole, new_term(find_print));
    return whole;
}
