/* Comparing lines by keys: see sort_keys.h. */
#include "sort_keys.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "reader.h"

struct key *keys;
size_t key_count;
int field_separator = -1;
bool last_resort = true, reverse_all;

static bool blank(char c)
{
    return c == ' ' || c == '\t' || c == '\n';
}

static bool digit(char c)
{
    return c >= '0' && c <= '9';
}

static const char *skip_field(const char *p, const char *end)
{
    while (p < end && blank(*p))
        p++;
    while (p < end && !blank(*p))
        p++;
    return p;
}

static const char *skip_blanks(const char *p, const char *end)
{
    while (p < end && blank(*p))
        p++;
    return p;
}

static const char *forward(const char *p, const char *end, size_t count)
{
    return count < (size_t)(end - p) ? p + count : end;
}

void key_find(const struct key *key, const struct line *line, const char **text, size_t *length)
{
    const char *p = line->text, *end = p + line->length;
    for (size_t field = 0; field < key->start_field && p < end; field++) {
        if (field_separator >= 0) {
            const char *stop = memchr(p, field_separator, (size_t)(end - p));
            p = stop != NULL ? stop + 1 : end;
        } else {
            p = skip_field(p, end);
        }
    }
    if (key->start_blanks)
        p = skip_blanks(p, end);
    const char *from = forward(p, end, key->start_char), *to = end;
    if (key->end_field != SIZE_MAX) {
        p = line->text;
        size_t fields = key->end_char == 0 ? key->end_field + 1 : key->end_field;
        for (size_t left = fields; left > 0 && p < end; left--) {
            if (field_separator >= 0) {
                const char *stop = memchr(p, field_separator, (size_t)(end - p));
                p = stop == NULL ? end : left > 1 || key->end_char > 0 ? stop + 1 : stop;
            } else {
                p = skip_field(p, end);
            }
        }
        if (key->end_char > 0) {
            if (key->end_blanks)
                p = skip_blanks(p, end);
            p = forward(p, end, key->end_char);
        }
        to = p;
    }
    *text = from;
    *length = to > from ? (size_t)(to - from) : 0;
}

/* A decimal number of any length: its sign, its digits without leading zeroes, its decimals without trailing ones. */
struct decimal {
    bool negative;
    const char *whole, *fraction, *end;
    size_t whole_length, fraction_length;
};

static struct decimal read_decimal(const char *p, const char *end)
{
    struct decimal number = {0};
    p = skip_blanks(p, end);
    if (p < end && *p == '-') {
        number.negative = true;
        p++;
    }
    while (p < end && *p == '0')
        p++;
    number.whole = p;
    while (p < end && digit(*p))
        p++;
    number.whole_length = (size_t)(p - number.whole);
    number.fraction = p;
    if (p < end && *p == '.') {
        number.fraction = ++p;
        while (p < end && digit(*p))
            p++;
        number.fraction_length = (size_t)(p - number.fraction);
        while (number.fraction_length > 0 && number.fraction[number.fraction_length - 1] == '0')
            number.fraction_length--;
    }
    number.end = p;
    if (number.whole_length == 0 && number.fraction_length == 0)
        number.negative = false;
    return number;
}

static int compare_magnitudes(const struct decimal *a, const struct decimal *b)
{
    if (a->whole_length != b->whole_length)
        return a->whole_length < b->whole_length ? -1 : 1;
    int order = memcmp(a->whole, b->whole, a->whole_length);
    if (order != 0)
        return order;
    size_t shared = a->fraction_length < b->fraction_length ? a->fraction_length : b->fraction_length;
    order = memcmp(a->fraction, b->fraction, shared);
    return order != 0 ? order : (a->fraction_length > shared) - (b->fraction_length > shared);
}

static int compare_decimals(const struct decimal *a, const struct decimal *b)
{
    if (a->negative != b->negative)
        return a->negative ? -1 : 1;
    return a->negative ? compare_magnitudes(b, a) : compare_magnitudes(a, b);
}

static int human_power(const struct decimal *number, const char *end)
{
    if ((number->whole_length == 0 && number->fraction_length == 0) || number->end == end)
        return 0;
    static const char powers[] = "KMGTPEZYRQ";
    char letter = *number->end == 'k' ? 'K' : *number->end;
    const char *at = letter != '\0' ? strchr(powers, letter) : NULL;
    int power = at != NULL ? (int)(at - powers) + 1 : 0;
    return number->negative ? -power : power;
}

static int compare_human(const char *a, size_t a_length, const char *b, size_t b_length)
{
    struct decimal x = read_decimal(a, a + a_length), y = read_decimal(b, b + b_length);
    if (x.negative != y.negative)
        return x.negative ? -1 : 1;
    int x_power = human_power(&x, a + a_length), y_power = human_power(&y, b + b_length);
    return x_power != y_power ? (x_power < y_power ? -1 : 1) : compare_decimals(&x, &y);
}

/* Text that is no number comes first, then NaN, then the numbers. */
static int read_general(const char *text, size_t length, long double *value)
{
    char buffer[128];
    size_t size = length < sizeof buffer - 1 ? length : sizeof buffer - 1;
    memcpy(buffer, text, size);
    buffer[size] = '\0';
    char *end;
    *value = strtold(buffer, &end);
    return end == buffer ? 0 : isnan(*value) ? 1 : 2;
}

static int compare_general(const char *a, size_t a_length, const char *b, size_t b_length)
{
    long double x, y;
    int x_kind = read_general(a, a_length, &x), y_kind = read_general(b, b_length, &y);
    if (x_kind != y_kind)
        return x_kind - y_kind;
    return x_kind < 2 ? 0 : (x > y) - (x < y);
}

static int month(const char *text, size_t length)
{
    static const char names[] = "JANFEBMARAPRMAYJUNJULAUGSEPOCTNOVDEC";
    const char *end = text + length, *p = skip_blanks(text, end);
    if (end - p >= 3)
        for (int i = 0; i < 12; i++)
            if (strncasecmp(p, names + i * 3, 3) == 0)
                return i + 1;
    return 0;
}

/* Ranks a byte of a version: '~' before the end, then letters, then the rest. */
static int version_rank(const char *text, size_t at, size_t length)
{
    if (at == length || digit(text[at]))
        return 0;
    unsigned char c = (unsigned char)text[at];
    return c == '~' ? -1 : isalpha(c) ? c : c + 256;
}

static int compare_version_parts(const char *a, size_t a_length, const char *b, size_t b_length)
{
    size_t i = 0, j = 0;
    while (i < a_length || j < b_length) {
        while ((i < a_length && !digit(a[i])) || (j < b_length && !digit(b[j]))) {
            int x = version_rank(a, i, a_length), y = version_rank(b, j, b_length);
            if (x != y)
                return x - y;
            i += i < a_length;
            j += j < b_length;
        }
        while (i < a_length && a[i] == '0')
            i++;
        while (j < b_length && b[j] == '0')
            j++;
        size_t x = 0, y = 0;
        while (i + x < a_length && digit(a[i + x]))
            x++;
        while (j + y < b_length && digit(b[j + y]))
            y++;
        int order = x != y ? (x < y ? -1 : 1) : memcmp(a + i, b + j, x);
        if (order != 0)
            return order;
        i += x;
        j += y;
    }
    return 0;
}

/* How much of a name stands before its suffixes, `(\.[A-Za-z~][A-Za-z0-9~]*)*` at its end. */
static size_t before_suffixes(const char *text, size_t length)
{
    for (size_t at = 0; at < length; at++) {
        size_t p = at;
        while (p + 1 < length && text[p] == '.' && (isalpha((unsigned char)text[p + 1]) || text[p + 1] == '~')) {
            p += 2;
            while (p < length && (isalnum((unsigned char)text[p]) || text[p] == '~'))
                p++;
        }
        if (p == length && p > at)
            return at;
    }
    return length;
}

static int compare_versions(const char *a, size_t a_length, const char *b, size_t b_length)
{
    if (a_length == 0 || b_length == 0)
        return (a_length > 0) - (b_length > 0);
    bool a_hidden = *a == '.', b_hidden = *b == '.';
    if (a_hidden != b_hidden)
        return a_hidden ? -1 : 1;
    size_t x = before_suffixes(a + a_hidden, a_length - a_hidden) + a_hidden;
    size_t y = before_suffixes(b + b_hidden, b_length - b_hidden) + b_hidden;
    if (x == y && memcmp(a, b, x) == 0)
        return compare_version_parts(a, a_length, b, b_length);
    int order = compare_version_parts(a, x, b, y);
    return order != 0 ? order : compare_version_parts(a, a_length, b, b_length);
}

static uint64_t scatter(const char *text, size_t length)
{
    static uint64_t seed;
    while (seed == 0)
        if (getentropy(&seed, sizeof seed) != 0)
            seed = 0x9e3779b97f4a7c15;
    uint64_t hash = seed;
    for (size_t i = 0; i < length; i++)
        hash = (hash ^ (unsigned char)text[i]) * 0x100000001b3;
    hash ^= hash >> 32;
    hash *= 0xd6e8feb86659fd93;
    return hash ^ hash >> 32;
}

static int compare_bytes(const char *a, size_t a_length, const char *b, size_t b_length)
{
    int order = memcmp(a, b, a_length < b_length ? a_length : b_length);
    return order != 0 ? order : (a_length > b_length) - (a_length < b_length);
}

static bool kept(const struct key *key, unsigned char c)
{
    if (key->dictionary)
        return blank((char)c) || (c < 0x80 && isalnum(c));
    return !key->printing || (c >= ' ' && c < 0x7f);
}

static int compare_chosen(const struct key *key, const char *a, size_t a_length, const char *b, size_t b_length)
{
    size_t i = 0, j = 0;
    for (;;) {
        while (i < a_length && !kept(key, (unsigned char)a[i]))
            i++;
        while (j < b_length && !kept(key, (unsigned char)b[j]))
            j++;
        if (i == a_length || j == b_length)
            return (i < a_length) - (j < b_length);
        unsigned char x = (unsigned char)a[i++], y = (unsigned char)b[j++];
        if (key->fold) {
            x = (unsigned char)(x < 0x80 ? toupper(x) : x);
            y = (unsigned char)(y < 0x80 ? toupper(y) : y);
        }
        if (x != y)
            return x - y;
    }
}

/* What the key lets through, in upper case if it folds: for the orders that look at more than one byte. Freed by the caller. */
static char *chosen_text(const struct key *key, const char *text, size_t *length)
{
    char *chosen = allocate(*length);
    size_t kept_length = 0;
    for (size_t i = 0; i < *length; i++) {
        unsigned char c = (unsigned char)text[i];
        if (kept(key, c))
            chosen[kept_length++] = (char)(key->fold && c < 0x80 ? toupper(c) : c);
    }
    *length = kept_length;
    return chosen;
}

int key_compare(const struct key *key, const char *a, size_t a_length, const char *b, size_t b_length)
{
    if ((key->order == BY_VERSION || key->order == BY_RANDOM) && (key->fold || key->dictionary || key->printing)) {
        struct key plain = {.order = key->order};
        char *x = chosen_text(key, a, &a_length), *y = chosen_text(key, b, &b_length);
        int order = key_compare(&plain, x, a_length, y, b_length);
        free(x);
        free(y);
        return order;
    }
    switch (key->order) {
    case BY_NUMBER: {
        struct decimal x = read_decimal(a, a + a_length), y = read_decimal(b, b + b_length);
        return compare_decimals(&x, &y);
    }
    case BY_GENERAL_NUMBER:
        return compare_general(a, a_length, b, b_length);
    case BY_HUMAN_NUMBER:
        return compare_human(a, a_length, b, b_length);
    case BY_MONTH:
        return month(a, a_length) - month(b, b_length);
    case BY_VERSION:
        return compare_versions(a, a_length, b, b_length);
    case BY_RANDOM: {
        uint64_t x = scatter(a, a_length), y = scatter(b, b_length);
        return x != y ? (x < y ? -1 : 1) : compare_bytes(a, a_length, b, b_length);
    }
    case BY_BYTES:
        break;
    }
    if (key->fold || key->dictionary || key->printing)
        return compare_chosen(key, a, a_length, b, b_length);
    return compare_bytes(a, a_length, b, b_length);
}

static uint64_t number_prefix(const char *text, size_t length)
{
    struct decimal number = read_decimal(text, text + length);
    uint64_t whole = 0, middle = (uint64_t)1 << 63;
    if (number.whole_length > 18)
        whole = middle - 1;
    else
        for (size_t i = 0; i < number.whole_length; i++)
            whole = whole * 10 + (uint64_t)(number.whole[i] - '0');
    return number.negative ? middle - whole : middle + whole;
}

uint64_t key_prefix(const struct line *line)
{
    const char *text = line->text;
    size_t length = line->length;
    const struct key *key = key_count > 0 ? &keys[0] : NULL;
    if (key != NULL) {
        key_find(key, line, &text, &length);
        if (key->order == BY_NUMBER)
            return number_prefix(text, length);
        if (key->order != BY_BYTES || key->dictionary || key->printing)
            return 0;
    }
    uint64_t prefix = 0;
    for (size_t i = 0; i < 8; i++) {
        unsigned char c = i < length ? (unsigned char)text[i] : 0;
        if (key != NULL && key->fold && c < 0x80)
            c = (unsigned char)toupper(c);
        prefix = prefix << 8 | c;
    }
    return prefix;
}

int line_compare(const struct line *a, const struct line *b)
{
    if (a->prefix != b->prefix)
        return (a->prefix < b->prefix) != (key_count > 0 ? keys[0].reverse : reverse_all) ? -1 : 1;
    for (size_t i = 0; i < key_count; i++) {
        const char *x, *y;
        size_t x_length, y_length;
        key_find(&keys[i], a, &x, &x_length);
        key_find(&keys[i], b, &y, &y_length);
        int order = key_compare(&keys[i], x, x_length, y, y_length);
        if (order != 0)
            return (order < 0) != keys[i].reverse ? -1 : 1;
    }
    if (key_count > 0 && !last_resort)
        return 0;
    int order = compare_bytes(a->text, a->length, b->text, b->length);
    return order == 0 ? 0 : (order < 0) != reverse_all ? -1 : 1;
}
