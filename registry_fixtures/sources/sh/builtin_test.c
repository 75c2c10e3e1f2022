/* test and [. */
#include <stdlib.h>
#include <string.h>

#include "builtins.h"
#include "shell.h"
#include "system.h"

struct reader {
    char **at, **end;
    bool failed;
};

static void wrong(struct reader *reader, const char *word, const char *what) {
    if (!reader->failed) {
        reader->failed = true;
        if (word) {
            warn("%s: %s", word, what);
        } else {
            warn("%s", what);
        }
    }
}

static long long number(struct reader *reader, const char *text) {
    char *end;
    long long value = strtoll(text, &end, 10);
    const char *behind = end + strspn(end, " \t\n");
    if (end == text || *behind) {
        if (!reader->failed) {
            warn("Illegal number: %s", text);
        }
        reader->failed = true;
    }
    return value;
}

static bool is_unary(const char *word) {
    return word[0] == '-' && word[1] && !word[2] && strchr("bcdefgGhkLnOprsStuwxz", word[1]);
}

static bool is_binary(const char *word) {
    static const char *const words[] = {"=",   "==",  "!=",  "<",   ">",   "-eq", "-ne", "-gt",
                                        "-ge", "-lt", "-le", "-nt", "-ot", "-ef"};
    for (size_t index = 0; index < sizeof words / sizeof *words; index++) {
        if (strcmp(word, words[index]) == 0) {
            return true;
        }
    }
    return false;
}

static bool unary(struct reader *reader, char operator, const char *word) {
    struct file_status status;
    switch (operator) {
        case 'n': return *word != '\0';
        case 'z': return !*word;
        case 't': return sys_is_terminal((int)number(reader, word));
        case 'h':
        case 'L': return sys_status(word, false, &status) == 0 && status.kind == KIND_LINK;
    }
    if (sys_status(word, true, &status) != 0) {
        return false;
    }
    switch (operator) {
        case 'd': return status.kind == KIND_DIRECTORY;
        case 'f': return status.kind == KIND_FILE;
        case 's': return status.size > 0;
        case 'b': return status.kind == KIND_BLOCK;
        case 'c': return status.kind == KIND_CHARACTER;
        case 'S': return status.kind == KIND_STREAM || status.kind == KIND_DATAGRAM;
        case 'p':
        case 'g':
        case 'k':
        case 'u': return false;
    }
    /* There are no permissions here: what exists may be read, written and executed. */
    return true;
}

static bool compare_files(const char *left, const char *operator, const char *right) {
    struct file_status first, second;
    bool has_first = sys_status(left, true, &first) == 0, has_second = sys_status(right, true, &second) == 0;
    if (operator[1] == 'e') {
        return has_first && has_second && first.device == second.device && first.inode == second.inode;
    }
    if (operator[1] == 'n') {
        return has_first && (!has_second || first.modified > second.modified);
    }
    return has_second && (!has_first || first.modified < second.modified);
}

static bool binary(struct reader *reader, const char *left, const char *operator, const char *right) {
    if (operator[0] != '-') {
        int order = strcmp(left, right);
        return *operator == '=' ? !order : *operator == '!' ? order != 0 : *operator == '<' ? order < 0 : order > 0;
    }
    if (strcmp(operator, "-nt") == 0 || strcmp(operator, "-ot") == 0 || strcmp(operator, "-ef") == 0) {
        return compare_files(left, operator, right);
    }
    long long a = number(reader, left), b = number(reader, right);
    switch (operator[1]) {
        case 'e': return a == b;
        case 'n': return a != b;
        case 'g': return operator[2] == 't' ? a > b : a >= b;
        default: return operator[2] == 't' ? a < b : a <= b;
    }
}

static bool disjunction(struct reader *reader);

static bool primary(struct reader *reader) {
    size_t left = (size_t)(reader->end - reader->at);
    if (!left) {
        wrong(reader, NULL, "argument expected");
        return false;
    }
    if (left >= 3 && is_binary(reader->at[1])) {
        bool result = binary(reader, reader->at[0], reader->at[1], reader->at[2]);
        reader->at += 3;
        return result;
    }
    const char *word = *reader->at;
    if (strcmp(word, "!") == 0 && left > 1) {
        reader->at++;
        return !primary(reader);
    }
    if (strcmp(word, "(") == 0 && left > 1) {
        reader->at++;
        bool result = disjunction(reader);
        if (reader->at == reader->end || strcmp(*reader->at, ")") != 0) {
            wrong(reader, NULL, "closing paren expected");
            return false;
        }
        reader->at++;
        return result;
    }
    reader->at++;
    if (is_unary(word) && left > 1) {
        return unary(reader, word[1], *reader->at++);
    }
    return *word != '\0';
}

static bool takes(struct reader *reader, const char *word) {
    if (reader->failed || reader->at == reader->end || strcmp(*reader->at, word) != 0) {
        return false;
    }
    reader->at++;
    return true;
}

static bool conjunction(struct reader *reader) {
    bool result = primary(reader);
    while (takes(reader, "-a")) {
        result = primary(reader) && result;
    }
    return result;
}

static bool disjunction(struct reader *reader) {
    bool result = conjunction(reader);
    while (takes(reader, "-o")) {
        result = conjunction(reader) || result;
    }
    return result;
}

int builtin_test(int count, char **arguments) {
    struct reader reader = {arguments + 1, arguments + count, false};
    if (arguments[0][0] == '[') {
        if (strcmp(arguments[count - 1], "]") != 0) {
            warn("missing ]");
            return STATUS_ERROR;
        }
        reader.end--;
    }
    if (reader.at == reader.end) {
        return 1;
    }
    bool result = disjunction(&reader);
    if (!reader.failed && reader.at < reader.end) {
        wrong(&reader, reader.at[-1], "unexpected operator");
    }
    return reader.failed ? STATUS_ERROR : !result;
}
