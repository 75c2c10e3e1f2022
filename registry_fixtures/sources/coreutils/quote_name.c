/* File names for messages and terminals, quoted so that a shell would read them back. */
#include "quote_name.h"

#include <stdio.h>
#include <string.h>

#include "allocate.h"

static bool is_control(unsigned char byte) { return byte < 0x20 || byte == 0x7f; }

/* Writes the escape of a control character (or any byte, in octal) and returns what follows it. */
static char *put_escape(char *out, unsigned char byte) {
    static const char letters[] = "abtnvfr";
    *out++ = '\\';
    if (byte >= 7 && byte <= 13) {
        *out++ = letters[byte - 7];
        return out;
    }
    return out + sprintf(out, "%03o", byte);
}

/* 'name', "it's", or 'a'$'\n''b': the style that GNU calls shell-escape. */
static char *quote_for_shell(const char *name) {
    char *text = allocate(strlen(name) * 12 + 3), *out = text;
    bool apostrophe = strchr(name, '\''), special = strpbrk(name, "\"$`\\!"), control = false;
    for (const char *at = name; *at; at++) control |= is_control((unsigned char)*at);
    if (apostrophe && !special && !control) {
        sprintf(text, "\"%s\"", name);
        return text;
    }
    *out++ = '\'';
    for (const char *at = name; *at; at++) {
        if (*at == '\'') {
            out += sprintf(out, "'\\''");
        } else if (is_control((unsigned char)*at)) {
            out += sprintf(out, "'$'");
            while (*at && is_control((unsigned char)*at)) out = put_escape(out, (unsigned char)*at++);
            at--;
            out += sprintf(out, "''");
        } else {
            *out++ = *at;
        }
    }
    sprintf(out, "'");
    /* 'a'$'\n''' : an empty pair at the end says nothing. */
    size_t length = (size_t)(out - text) + 1;
    if (length > 4 && !strcmp(text + length - 3, "'''") && text[length - 4] != '\\') text[length - 2] = 0;
    return text;
}

const char *quoted(const char *name) {
    static char *ring[4];
    static unsigned turn;
    char **slot = &ring[turn++ % 4];
    free(*slot);
    return *slot = quote_for_shell(name);
}

char *quote_if_needed(const char *name) {
    bool plain = *name && !strchr("~#", *name);
    for (const char *at = name; *at && plain; at++) plain = !is_control((unsigned char)*at) && !strchr(" !\"$&'()*;<=>[\\^`|?", *at);
    return plain ? copy_string(name) : quote_for_shell(name);
}

char *quote_as_c(const char *name, bool with_quotes) {
    char *text = allocate(strlen(name) * 4 + 3), *out = text;
    if (with_quotes) *out++ = '"';
    for (const char *at = name; *at; at++) {
        if (is_control((unsigned char)*at)) {
            out = put_escape(out, (unsigned char)*at);
            continue;
        }
        if (*at == '\\' || *at == (with_quotes ? '"' : ' ')) *out++ = '\\';
        *out++ = *at;
    }
    if (with_quotes) *out++ = '"';
    *out = 0;
    return text;
}
