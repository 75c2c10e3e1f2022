/* Reading regular expressions, basic and extended as GNU grep reads them. */
#include "regex_parse.h"

#include <stdlib.h>
#include <string.h>
#include <wctype.h>

#include "applet.h"
#include "characters.h"
#include "reader.h"
#include "regex_sets.h"

enum { MOST_REPEATS = 32767, DEEPEST = 400 };

struct parser {
    struct program *program;
    const char *at, *end;
    bool extended, fold;
    int groups, depth;
    uint32_t closed; /* a bit for each group that a reference may name here */
    const char *error;
    struct node *nodes; /* all of them, in blocks, by their first node's left */
    size_t used;
};

enum { BLOCK = 256 };

static struct node *make(struct parser *parser, struct node node)
{
    if (parser->nodes == NULL || parser->used == BLOCK) {
        struct node *block = allocate(BLOCK * sizeof *block);
        block[0].left = parser->nodes;
        parser->nodes = block;
        parser->used = 1;
    }
    struct node *made = &parser->nodes[parser->used++];
    *made = node;
    return made;
}

static struct node *fail(struct parser *parser, const char *error)
{
    if (parser->error == NULL)
        parser->error = error;
    parser->at = parser->end;
    return make(parser, (struct node){.kind = EMPTY});
}

static struct node *join(struct parser *parser, enum node_kind kind, struct node *left, struct node *right)
{
    return make(parser, (struct node){.kind = kind, .left = left, .right = right});
}

static struct set *new_set(struct parser *parser)
{
    struct program *program = parser->program;
    program->sets = reallocate(program->sets, (size_t)(program->set_count + 1) * sizeof *program->sets);
    struct set *set = &program->sets[program->set_count++];
    *set = (struct set){.fold = parser->fold};
    return set;
}

static void add_range(struct set *set, uint32_t low, uint32_t high)
{
    set->ranges = reallocate(set->ranges, (set->range_count + 1) * sizeof *set->ranges);
    set->ranges[set->range_count++] = (struct set_range){low, high};
}

static struct node *set_node(struct parser *parser, struct set *set)
{
    set_finish(set);
    return make(parser, (struct node){.kind = SET, .value = (uint32_t)(parser->program->set_count - 1)});
}

static struct node *symbol_node(struct parser *parser, uint32_t symbol)
{
    uint32_t lower = (uint32_t)towlower((wint_t)symbol), upper = (uint32_t)towupper((wint_t)symbol);
    if (!parser->fold || symbol >= INVALID_BYTE || (lower == upper) || (symbol >= 0x80 && !characters_are_utf8()))
        return make(parser, (struct node){.kind = SYMBOL, .value = symbol});
    struct set *set = new_set(parser);
    add_range(set, lower, lower);
    add_range(set, upper, upper);
    add_range(set, symbol, symbol);
    return set_node(parser, set);
}

static uint32_t take_symbol(struct parser *parser)
{
    unsigned length;
    uint32_t symbol = next_symbol(parser->at, (size_t)(parser->end - parser->at), &length);
    parser->at += length;
    return symbol;
}

/* \w \W \s \S, which are [_[:alnum:]] and [[:space:]]. */
static struct node *named_set(struct parser *parser, char letter)
{
    struct set *set = new_set(parser);
    bool word = letter == 'w' || letter == 'W';
    set->classes = word ? 1u << 0 : 1u << 9;
    if (word)
        add_range(set, '_', '_');
    set->negated = letter == 'W' || letter == 'S';
    return set_node(parser, set);
}

static bool ahead(const struct parser *parser, const char *text)
{
    size_t length = strlen(text);
    return (size_t)(parser->end - parser->at) >= length && memcmp(parser->at, text, length) == 0;
}

static const char unmatched_bracket[] = "Unmatched [, [^, [:, [., or [=";

/* [:class:], [.c.] or [=c=] within a bracket; the symbol of the latter two. */
static const char *take_named(struct parser *parser, struct set *set, uint32_t *symbol, bool *is_class)
{
    char kind = parser->at[1];
    parser->at += 2;
    const char *start = parser->at;
    while (parser->at < parser->end && !(parser->at[0] == kind && parser->at + 1 < parser->end && parser->at[1] == ']'))
        parser->at++;
    if (parser->at >= parser->end)
        return unmatched_bracket;
    size_t length = (size_t)(parser->at - start);
    parser->at += 2;
    *is_class = kind == ':';
    if (kind != ':') {
        unsigned used = 0;
        *symbol = length > 0 ? next_symbol(start, length, &used) : 0;
        return used == length && length > 0 ? NULL : "Invalid collation character";
    }
    for (int i = 0; set_classes[i].name != NULL; i++)
        if (strlen(set_classes[i].name) == length && memcmp(set_classes[i].name, start, length) == 0) {
            set->classes |= 1u << i;
            return NULL;
        }
    return "Invalid character class name";
}

/* A bracket expression, behind its '['. */
static struct node *bracket(struct parser *parser)
{
    const char *start = parser->at;
    struct set *set = new_set(parser);
    if (ahead(parser, "^")) {
        set->negated = true;
        parser->at++;
    }
    for (bool first = true;; first = false) {
        if (parser->at >= parser->end)
            return fail(parser, unmatched_bracket);
        if (*parser->at == ']' && !first) {
            parser->at++;
            break;
        }
        uint32_t low, high;
        bool is_class = false;
        const char *wrong = NULL;
        if (ahead(parser, "[:") || ahead(parser, "[.") || ahead(parser, "[="))
            wrong = take_named(parser, set, &low, &is_class);
        else
            low = take_symbol(parser);
        if (wrong != NULL)
            return fail(parser, wrong);
        if (is_class)
            continue;
        high = low;
        if (parser->end - parser->at >= 2 && parser->at[0] == '-' && parser->at[1] != ']') {
            parser->at++;
            if (ahead(parser, "[.") || ahead(parser, "[="))
                wrong = take_named(parser, set, &high, &is_class);
            else
                high = take_symbol(parser);
            if (wrong != NULL)
                return fail(parser, wrong);
            if (high < low)
                return fail(parser, "Invalid range end");
        }
        add_range(set, low, high);
    }
    if (*start == ':' && parser->at - start > 3 && parser->at[-2] == ':')
        return fail(parser, "character class syntax is [[:space:]], not [:space:]");
    return set_node(parser, set);
}

/* The numbers of an interval, behind its brace; false, and nothing taken, when they are none. */
static bool interval(struct parser *parser, int *least, int *most)
{
    const char *p = parser->at;
    int bounds[2] = {-1, -1}, which = 0;
    for (; p < parser->end && (*p == ',' || (*p >= '0' && *p <= '9')); p++) {
        if (*p == ',') {
            if (which++ > 0)
                return false;
            continue;
        }
        int value = (bounds[which] < 0 ? 0 : bounds[which]) * 10 + (*p - '0');
        bounds[which] = value > MOST_REPEATS ? MOST_REPEATS + 1 : value;
    }
    size_t close = parser->extended ? 1 : 2;
    if ((size_t)(parser->end - p) < close || memcmp(p, parser->extended ? "}" : "\\}", close) != 0)
        return false;
    if (which == 0 && bounds[0] < 0)
        return false;
    *least = bounds[0] < 0 ? 0 : bounds[0];
    *most = which == 0 ? *least : bounds[1];
    parser->at = p + close;
    return true;
}

static struct node *alternatives(struct parser *parser);

static bool at_close(const struct parser *parser)
{
    return parser->depth > 0 && ahead(parser, parser->extended ? ")" : "\\)");
}

static struct node *group(struct parser *parser)
{
    if (++parser->depth > DEEPEST)
        return fail(parser, "Regular expression too big");
    int number = ++parser->groups;
    struct node *inner = alternatives(parser);
    if (!at_close(parser))
        return fail(parser, "Unmatched ( or \\(");
    parser->at += parser->extended ? 1 : 2;
    parser->depth--;
    if (number < 10)
        parser->closed |= 1u << number;
    return make(parser, (struct node){.kind = GROUP, .value = (uint32_t)number, .left = inner});
}

static struct node *assertion_node(struct parser *parser, enum assertion assertion)
{
    return make(parser, (struct node){.kind = ASSERTION, .value = assertion});
}

/* What a backslash and a letter mean in both syntaxes; the backslash is taken. */
static struct node *escaped(struct parser *parser)
{
    if (parser->at >= parser->end)
        return fail(parser, "Trailing backslash");
    char letter = *parser->at;
    static const char edges[] = "`'bB<>";
    const char *edge = letter != '\0' ? strchr(edges, letter) : NULL;
    if (edge != NULL) {
        parser->at++;
        return assertion_node(parser, (enum assertion)(AT_START + (edge - edges)));
    }
    if (letter == 'w' || letter == 'W' || letter == 's' || letter == 'S') {
        parser->at++;
        return named_set(parser, letter);
    }
    if (letter >= '1' && letter <= '9') {
        parser->at++;
        if ((parser->closed >> (letter - '0') & 1) == 0)
            return fail(parser, "Invalid back reference");
        parser->program->has_groups = true;
        return make(parser, (struct node){.kind = REFERENCE, .value = (uint32_t)(letter - '0')});
    }
    uint32_t symbol = take_symbol(parser);
    if (symbol < 0x80 && iswalnum((wint_t)symbol))
        applet_warnx("warning: stray \\ before %c", (int)symbol);
    return symbol_node(parser, symbol);
}

static struct node *atom(struct parser *parser, bool first)
{
    char c = *parser->at;
    if (c == '\\') {
        parser->at++;
        if (!parser->extended && ahead(parser, "(")) {
            parser->at++;
            return group(parser);
        }
        if (!parser->extended && ahead(parser, ")"))
            return fail(parser, "Unmatched ) or \\)");
        if (!parser->extended && ahead(parser, "{"))
            return fail(parser, "Invalid preceding regular expression");
        return escaped(parser);
    }
    if (c == '[') {
        parser->at++;
        return bracket(parser);
    }
    if (c == '.') {
        parser->at++;
        return make(parser, (struct node){.kind = ANY});
    }
    if (c == '^' && (parser->extended || first)) {
        parser->at++;
        return assertion_node(parser, AT_START);
    }
    if (c == '$') {
        const char *rest = parser->at + 1;
        size_t left = (size_t)(parser->end - rest);
        bool last = left == 0 || (left >= 2 && rest[0] == '\\' && (rest[1] == ')' || rest[1] == '|'));
        if (parser->extended || last) {
            parser->at++;
            return assertion_node(parser, AT_END);
        }
    }
    if (parser->extended && c == '(') {
        parser->at++;
        return group(parser);
    }
    return symbol_node(parser, take_symbol(parser));
}

/* The repetition that comes next, if one does. */
static bool repetition(struct parser *parser, int *least, int *most)
{
    const char *start = parser->at;
    if (parser->at >= parser->end)
        return false;
    char c = *parser->at;
    *least = 0;
    *most = -1;
    if (c == '*') {
        parser->at++;
        return true;
    }
    if (!parser->extended) {
        if (c != '\\' || parser->end - parser->at < 2)
            return false;
        c = *++parser->at;
    }
    parser->at++;
    if (c == '+' || c == '?') {
        *least = c == '+';
        *most = c == '+' ? -1 : 1;
        return true;
    }
    if (c == '{') {
        const char *inside = parser->at;
        if (interval(parser, least, most)) {
            if (*least > MOST_REPEATS || *most > MOST_REPEATS)
                fail(parser, "Regular expression too big");
            else if (*most >= 0 && *most < *least)
                fail(parser, "Invalid content of \\{\\}");
            return true;
        }
        if (!parser->extended) {
            bool closed = false;
            for (const char *p = inside; p + 1 < parser->end; p++)
                closed |= p[0] == '\\' && p[1] == '}';
            fail(parser, closed ? "Invalid content of \\{\\}" : "Unmatched \\{");
            return true;
        }
    }
    parser->at = start;
    return false;
}

static bool at_bar(const struct parser *parser)
{
    return ahead(parser, parser->extended ? "|" : "\\|");
}

static struct node *sequence(struct parser *parser)
{
    struct node *whole = NULL;
    bool first = true; /* where a star is literal (basic), or nothing (extended) */
    while (parser->at < parser->end && !at_bar(parser) && !at_close(parser)) {
        int least, most;
        struct node *part;
        if (first && *parser->at == '*' && !parser->extended) {
            part = symbol_node(parser, take_symbol(parser));
        } else if (first && parser->extended && *parser->at != '{' && repetition(parser, &least, &most)) {
            applet_warnx("warning: %c at start of expression", parser->at[-1]);
            continue;
        } else {
            part = atom(parser, whole == NULL);
        }
        first = part->kind == ASSERTION && part->value == AT_START;
        bool repeatable = parser->extended || !first;
        int repeats = 0;
        while (repeatable && parser->error == NULL && repetition(parser, &least, &most)) {
            if (least == 0 && most < 0 && part->kind == REPEAT && part->least == 0 && part->most < 0)
                continue; /* a** is a* */
            if (++repeats > DEEPEST)
                return fail(parser, "Regular expression too big");
            part = make(parser, (struct node){.kind = REPEAT, .left = part, .least = least, .most = most});
        }
        whole = whole == NULL ? part : join(parser, THEN, whole, part);
    }
    return whole != NULL ? whole : make(parser, (struct node){.kind = EMPTY});
}

static struct node *alternatives(struct parser *parser)
{
    uint32_t before = parser->closed, after;
    struct node *whole = sequence(parser);
    after = parser->closed;
    while (parser->error == NULL && at_bar(parser)) {
        parser->at += parser->extended ? 1 : 2;
        parser->closed = before; /* a group of another alternative has matched nothing */
        whole = join(parser, OR, whole, sequence(parser));
        after |= parser->closed;
    }
    parser->closed = after;
    return whole;
}

static struct node *literal(struct parser *parser)
{
    struct node *whole = NULL;
    while (parser->at < parser->end) {
        struct node *part = symbol_node(parser, take_symbol(parser));
        whole = whole == NULL ? part : join(parser, THEN, whole, part);
    }
    return whole != NULL ? whole : make(parser, (struct node){.kind = EMPTY});
}

struct parsed regex_parse(struct program *program, const char *pattern, size_t length, struct regex_options options)
{
    struct parser parser = {.program = program, .at = pattern, .end = pattern + length, .fold = options.fold,
                            .extended = options.syntax == EXTENDED_SYNTAX};
    struct node *root = options.syntax == FIXED_SYNTAX ? literal(&parser) : alternatives(&parser);
    return (struct parsed){.root = root, .blocks = parser.nodes, .groups = parser.groups, .error = parser.error};
}

void parsed_free(struct parsed *parsed)
{
    while (parsed->blocks != NULL) {
        struct node *block = parsed->blocks;
        parsed->blocks = block[0].left;
        free(block);
    }
}
