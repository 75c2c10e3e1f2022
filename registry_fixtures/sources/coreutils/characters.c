/* Characters: see characters.h. */
#include "characters.h"

#include <stdlib.h>
#include <string.h>
#include <wchar.h>
#include <wctype.h>

bool characters_are_utf8(void)
{
    static int answer = -1;
    if (answer < 0) {
        static const char *const variables[] = {"LC_ALL", "LC_CTYPE", "LANG"};
        const char *locale = NULL;
        for (size_t i = 0; i < 3 && (locale == NULL || *locale == '\0'); i++)
            locale = getenv(variables[i]);
        answer = locale == NULL || (strcmp(locale, "C") != 0 && strcmp(locale, "POSIX") != 0);
    }
    return answer;
}

struct character next_character(const char *text, size_t size)
{
    unsigned char first = (unsigned char)text[0];
    if (first < 0x80 || !characters_are_utf8())
        return (struct character){.point = first, .length = 1, .valid = true};
    struct character bad = {.point = first, .length = 1};
    unsigned length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
    if (first < 0xc2 || first > 0xf4)
        return bad;
    uint32_t point = first & (0xffu >> (length + 1));
    for (unsigned i = 1; i < length; i++) {
        if (i >= size) {
            bad.incomplete = true;
            return bad;
        }
        unsigned char next = (unsigned char)text[i];
        if ((next & 0xc0) != 0x80)
            return bad;
        point = point << 6 | (next & 0x3f);
        /* The second byte alone tells an overlong form, a surrogate, or a point beyond the last. */
        if (i == 1 && ((length == 3 && (point < 0x20 || (point >= 0x360 && point < 0x380))) ||
                       (length == 4 && (point < 0x10 || point >= 0x110))))
            return bad;
    }
    return (struct character){.point = point, .length = length, .valid = true};
}

int character_width(uint32_t point)
{
    if (point < 0x80 || !characters_are_utf8())
        return point >= ' ' && point < 0x7f ? 1 : -1;
    return wcwidth((wchar_t)point);
}

bool character_is_space(uint32_t point)
{
    if (point < 0x80 || !characters_are_utf8())
        return point == ' ' || (point >= '\t' && point <= '\r');
    return iswspace((wint_t)point) || point == 0xa0 || point == 0x2007 || point == 0x202f || point == 0x2060;
}
