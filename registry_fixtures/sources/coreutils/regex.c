/* Regular expressions: see regex.h. Patterns without back references share one automaton. */
#include "regex.h"

#include "reader.h"
#include "regex_automaton.h"
#include "regex_groups.h"

struct regex {
    struct regex_options options;
    struct program plain;
    struct automaton *automaton; /* of the plain patterns; made at the first search */
    struct program *with_groups;
    size_t group_count;
};

struct regex *regex_new(struct regex_options options)
{
    struct regex *regex = allocate(sizeof *regex);
    *regex = (struct regex){.options = options};
    return regex;
}

const char *regex_add(struct regex *regex, const char *pattern, size_t length)
{
    struct program trial = {0};
    if (regex->options.syntax != FIXED_SYNTAX) {
        bool may_refer = false;
        for (size_t i = 0; i + 1 < length; i++)
            may_refer |= pattern[i] == '\\' && pattern[i + 1] >= '1' && pattern[i + 1] <= '9';
        if (may_refer) {
            const char *wrong = program_add(&trial, pattern, length, regex->options);
            if (wrong != NULL)
                return wrong;
            if (trial.has_groups) {
                regex->with_groups = reallocate(regex->with_groups, (regex->group_count + 1) * sizeof trial);
                regex->with_groups[regex->group_count++] = trial;
                return NULL;
            }
        }
    }
    return program_add(&regex->plain, pattern, length, regex->options);
}

static bool search_plain(struct regex *regex, const char *line, size_t length, size_t from, size_t *end)
{
    if (regex->plain.length == 0)
        return false;
    if (regex->automaton == NULL)
        regex->automaton = automaton_new(&regex->plain);
    return automaton_search(regex->automaton, line, length, from, end);
}

bool regex_search(struct regex *regex, const char *line, size_t length)
{
    size_t end;
    if (search_plain(regex, line, length, 0, &end))
        return true;
    for (size_t i = 0; i < regex->group_count; i++)
        for (size_t start = 0; start <= length; start++)
            if (groups_match(&regex->with_groups[i], line, length, start, regex->options.fold, &end))
                return true;
    return false;
}

bool regex_find(struct regex *regex, const char *line, size_t length, size_t from, size_t *start, size_t *end)
{
    size_t first_end;
    bool plain = search_plain(regex, line, length, from, &first_end);
    if (!plain && regex->group_count == 0)
        return false;
    unsigned size = 1;
    for (size_t at = from; at <= length; at += size) {
        bool found = false;
        size_t to;
        if (plain && at <= first_end && automaton_match(regex->automaton, line, length, at, &to)) {
            found = true;
            *end = to;
        }
        for (size_t i = 0; i < regex->group_count; i++)
            if (groups_match(&regex->with_groups[i], line, length, at, regex->options.fold, &to) && (!found || to > *end)) {
                found = true;
                *end = to;
            }
        if (found) {
            *start = at;
            return true;
        }
        if (at < length)
            next_symbol(line + at, length - at, &size);
    }
    return false;
}
