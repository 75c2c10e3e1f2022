/* tr: bytes translated, squeezed or deleted. */
#include <ctype.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "applet.h"
#include "options.h"
#include "reader.h"

const char tr_help[] =
    "Usage: tr [OPTION]... STRING1 [STRING2]\n"
    "Translate, squeeze, and/or delete characters from standard input,\n"
    "writing to standard output.\n\n"
    "  -c, -C, --complement    use the complement of STRING1\n"
    "  -d, --delete            delete characters in STRING1, do not translate\n"
    "  -s, --squeeze-repeats   replace each sequence of a repeated character that is\n"
    "                            listed in the last specified STRING, with a single one\n"
    "  -t, --truncate-set1     first truncate STRING1 to length of STRING2\n\n"
    "STRINGs: c, c-d, [c*], [c*n], [:class:], [=c=], and \\NNN \\\\ \\a \\b \\f \\n \\r \\t \\v.\n"
    "Classes: alnum alpha blank cntrl digit graph lower print punct space upper xdigit.\n";

enum { NO_CASE, LOWER_CASE, UPPER_CASE };

/* A set as an ordered list of bytes; where [:lower:] or [:upper:] stood is kept, for the two translate pairwise. */
struct set {
    unsigned char *bytes;
    unsigned char *cases; /* beside each byte, from which case class it came */
    size_t length;
    long fill; /* where [c*] stands, or -1 */
    unsigned char fill_byte;
    bool has_other_class, has_class, has_equivalence;
};

static const struct {
    const char *name;
    int (*holds)(int);
} classes[] = {
    {"alnum", isalnum}, {"alpha", isalpha}, {"blank", isblank}, {"cntrl", iscntrl}, {"digit", isdigit}, {"graph", isgraph},
    {"lower", islower}, {"print", isprint}, {"punct", ispunct}, {"space", isspace}, {"upper", isupper}, {"xdigit", isxdigit}};

static void append(struct set *set, unsigned char byte, unsigned char which)
{
    if ((set->length & (set->length - 1)) == 0) {
        size_t room = set->length > 0 ? set->length * 2 : 1;
        set->bytes = reallocate(set->bytes, room);
        set->cases = reallocate(set->cases, room);
    }
    set->cases[set->length] = which;
    set->bytes[set->length++] = byte;
}

/* One byte of the set's text, an escape resolved; `escaped` says that it cannot be syntax. */
static unsigned char take_byte(const char **text, bool *escaped)
{
    const char *p = *text;
    *escaped = *p == '\\' && p[1] != '\0';
    if (*p == '\\' && p[1] == '\0')
        applet_warnx("warning: an unescaped backslash at end of string is not portable");
    if (!*escaped) {
        *text = p + 1;
        return (unsigned char)*p;
    }
    p++;
    if (*p >= '0' && *p <= '7') {
        int value = 0;
        for (int digits = 0; digits < 3 && *p >= '0' && *p <= '7' && value * 8 + (*p - '0') < 256; digits++)
            value = value * 8 + (*p++ - '0');
        *text = p;
        return (unsigned char)value;
    }
    static const char letters[] = "abfnrtv", bytes[] = "\a\b\f\n\r\t\v";
    const char *letter = strchr(letters, *p);
    *text = p + 1;
    return (unsigned char)(letter != NULL ? bytes[letter - letters] : *p);
}

static bool take_class(struct set *set, const char **text)
{
    const char *p = *text, *end = strstr(p + 2, ":]");
    if (p[1] != ':' || end == NULL)
        return false;
    size_t length = (size_t)(end - p - 2);
    if (strspn(p + 2, "abcdefghijklmnopqrstuvwxyz") < length && length > 0)
        return false;
    for (size_t i = 0; i < sizeof classes / sizeof *classes; i++) {
        if (strlen(classes[i].name) != length || memcmp(classes[i].name, p + 2, length) != 0)
            continue;
        unsigned char which = classes[i].holds == islower ? LOWER_CASE : classes[i].holds == isupper ? UPPER_CASE : NO_CASE;
        set->has_class = true;
        set->has_other_class |= which == NO_CASE;
        for (int c = 0; c < 256; c++)
            if (c < 128 && classes[i].holds(c))
                append(set, (unsigned char)c, which);
        *text = end + 2;
        return true;
    }
    char *name = strndup(p + 2, length);
    if (length == 0)
        applet_diex(1, "missing character class name '[::]'");
    applet_diex(1, "invalid character class %s", quote_word(name));
}

static bool take_equivalence(struct set *set, const char **text)
{
    const char *p = *text, *end = p[1] == '=' && p[2] != '\0' ? strstr(p + 3, "=]") : NULL;
    if (end == NULL)
        return false;
    bool escaped;
    const char *at = p + 2;
    unsigned char byte = take_byte(&at, &escaped);
    if (at != end)
        applet_diex(1, "%.*s: equivalence class operand must be a single character", (int)(end - p - 2), p + 2);
    append(set, byte, NO_CASE);
    set->has_equivalence = true;
    *text = end + 2;
    return true;
}

static bool take_repeat(struct set *set, const char **text, bool second)
{
    const char *p = *text + 1;
    bool escaped;
    if (*p == '\0')
        return false;
    unsigned char byte = take_byte(&p, &escaped);
    if (*p != '*')
        return false;
    const char *digits = ++p, *end = digits + strspn(digits, "0123456789");
    if (*end != ']') {
        const char *close = strchr(digits, ']');
        if (close == NULL)
            return false;
        char *wrong = strndup(digits, (size_t)(close - digits));
        applet_diex(1, "invalid repeat count %s in [c*n] construct", quote_word(wrong));
    }
    unsigned long times = strtoul(digits, NULL, *digits == '0' ? 8 : 10);
    if (times == 0) {
        if (!second)
            applet_diex(1, "the [c*] repeat construct may not appear in string1");
        if (set->fill >= 0)
            applet_diex(1, "only one [c*] repeat construct may appear in string2");
        set->fill = (long)set->length;
        set->fill_byte = byte;
    }
    for (unsigned long i = 0; i < times && i < 65536; i++)
        append(set, byte, NO_CASE);
    *text = end + 1;
    return true;
}

static struct set read_set(const char *text, bool second)
{
    struct set set = {.fill = -1};
    while (*text != '\0') {
        if (*text == '[' && (take_class(&set, &text) || take_equivalence(&set, &text) || take_repeat(&set, &text, second)))
            continue;
        bool escaped;
        unsigned char low = take_byte(&text, &escaped);
        if (*text != '-' || text[1] == '\0') {
            append(&set, low, NO_CASE);
            continue;
        }
        text++;
        unsigned char high = take_byte(&text, &escaped);
        if (high < low) {
            char shown[2][8];
            for (int i = 0; i < 2; i++)
                snprintf(shown[i], sizeof *shown, isprint(i ? high : low) ? "%c" : "\\%03o", i ? high : low);
            applet_diex(1, "range-endpoints of '%s-%s' are in reverse collating sequence order", shown[0], shown[1]);
        }
        for (int c = low; c <= high; c++)
            append(&set, (unsigned char)c, NO_CASE);
    }
    return set;
}

static void complement(struct set *set)
{
    bool held[256] = {false};
    for (size_t i = 0; i < set->length; i++)
        held[set->bytes[i]] = true;
    struct set other = {.fill = -1, .has_class = set->has_class, .has_other_class = set->has_other_class};
    for (int c = 0; c < 256; c++)
        if (!held[c])
            append(&other, (unsigned char)c, NO_CASE);
    *set = other;
}

/* Makes the second set as long as the first: by its [c*], or else by its last byte. */
static void stretch(struct set *second, size_t length)
{
    if (second->fill >= 0 && second->length < length) {
        size_t missing = length - second->length, tail = second->length - (size_t)second->fill;
        size_t old = second->length;
        for (size_t i = 0; i < missing; i++)
            append(second, second->fill_byte, NO_CASE);
        memmove(second->bytes + second->fill + missing, second->bytes + second->fill, tail);
        memmove(second->cases + second->fill + missing, second->cases + second->fill, tail);
        memset(second->bytes + second->fill, second->fill_byte, missing);
        memset(second->cases + second->fill, NO_CASE, missing);
        (void)old;
    }
    while (second->length > 0 && second->length < length)
        append(second, second->bytes[second->length - 1], NO_CASE);
}

static void check_lengths(const struct set *first, const struct set *second, bool complemented)
{
    bool uniform = true;
    for (size_t i = 1; i < second->length; i++)
        uniform &= second->bytes[i] == second->bytes[0];
    if (second->fill < 0 && second->length < first->length && second->length > 0 && second->cases[second->length - 1] != NO_CASE)
        applet_diex(1, "when translating with string1 longer than string2,\nthe latter string must not end with a character class");
    if (complemented && first->has_class && !(uniform && (second->fill < 0 || second->length == 0 || second->bytes[0] == second->fill_byte)))
        applet_diex(1, "when translating with complemented character classes,\nstring2 must map all characters in the domain to one");
}

static void check_second(const struct set *first, const struct set *second, bool complemented)
{
    if (second->has_equivalence)
        applet_diex(1, "[=c=] expressions may not appear in string2 when translating");
    if (second->has_other_class)
        applet_diex(1, "when translating, the only character classes that may appear in\nstring2 are 'upper' and 'lower'");
    for (size_t i = 0; i < second->length; i++) {
        bool begins = second->cases[i] != NO_CASE && (i == 0 || second->cases[i - 1] != second->cases[i]);
        if (begins && (complemented || i >= first->length || first->cases[i] == NO_CASE ||
                       (i > 0 && first->cases[i - 1] == first->cases[i])))
            applet_diex(1, "misaligned [:upper:] and/or [:lower:] construct");
    }
}

int tr_main(int argc, char **argv)
{
    static const struct long_option longs[] = {
        {"complement", 'c', NO_ARGUMENT}, {"delete", 'd', NO_ARGUMENT}, {"squeeze-repeats", 's', NO_ARGUMENT},
        {"truncate-set1", 't', NO_ARGUMENT}, {0}};
    bool complemented = false, delete = false, squeeze = false, truncate = false;
    struct options options;
    options_start(&options, argc, argv, "+cCdst", longs);
    for (int code; (code = options_next(&options)) != -1;) {
        complemented |= code == 'c' || code == 'C';
        delete |= code == 'd';
        squeeze |= code == 's';
        truncate |= code == 't';
    }
    int least = 1 + (delete == squeeze), most = 1 + (!delete || squeeze);
    if (options.operand_count < least) {
        if (options.operand_count == 0)
            applet_warnx("missing operand");
        else
            applet_warnx("missing operand after %s", quote_word(options.operands[0]));
        if (options.operand_count == 1)
            fputs(squeeze ? "Two strings must be given when both deleting and squeezing repeats.\n"
                          : "Two strings must be given when translating.\n", stderr);
        applet_try_help();
    }
    if (options.operand_count > most) {
        applet_warnx("extra operand %s", quote_word(options.operands[most]));
        if (options.operand_count == 2)
            fputs("Only one string may be given when deleting without squeezing repeats.\n", stderr);
        applet_try_help();
    }
    struct set first = read_set(options.operands[0], false), second = {.fill = -1};
    bool two = options.operand_count == 2, translating = two && !delete;
    if (two)
        second = read_set(options.operands[1], true);
    if (complemented)
        complement(&first);
    unsigned char map[256];
    bool doomed[256] = {false}, squeezed[256] = {false};
    for (int c = 0; c < 256; c++)
        map[c] = (unsigned char)c;
    if (!translating && second.fill >= 0)
        applet_diex(1, "the [c*] construct may appear in string2 only when translating");
    if (delete)
        for (size_t i = 0; i < first.length; i++)
            doomed[first.bytes[i]] = true;
    if (translating) {
        if (truncate && second.fill < 0 && first.length > second.length)
            first.length = second.length;
        if (second.length == 0 && second.fill < 0 && first.length > 0)
            applet_diex(1, "when not truncating set1, string2 must be non-empty");
        check_lengths(&first, &second, complemented);
        stretch(&second, first.length);
        check_second(&first, &second, complemented);
        for (size_t i = 0; i < first.length && i < second.length; i++)
            map[first.bytes[i]] = second.bytes[i];
    }
    if (squeeze) {
        const struct set *last = two ? &second : &first;
        for (size_t i = 0; i < last->length; i++)
            squeezed[last->bytes[i]] = true;
    }
    static unsigned char in[READ_SIZE], out[READ_SIZE];
    int previous = -1;
    ssize_t got;
    while ((got = read_some(STDIN_FILENO, in, sizeof in)) > 0) {
        size_t length = 0;
        for (ssize_t i = 0; i < got; i++) {
            if (doomed[in[i]])
                continue;
            unsigned char c = map[in[i]];
            if (squeezed[c] && c == previous)
                continue;
            previous = c;
            out[length++] = c;
        }
        if (!write_all(STDOUT_FILENO, out, length))
            applet_die(1, "write error");
    }
    if (got < 0)
        applet_die(1, "read error");
    return 0;
}
