/* grep: the search of one file, and the printing of its lines. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "applet.h"
#include "characters.h"
#include "grep.h"

/* A line that may yet be printed as context. */
struct kept_line {
    char *text;
    size_t length, room;
    uint64_t number, offset;
};

struct search {
    const struct grep_request *request;
    const char *name;
    struct kept_line *kept; /* a ring of the last lines not printed */
    size_t kept_first, kept_count, kept_room;
    uint64_t last_printed; /* line number, 0 for none */
    bool binary, silent;   /* silent: it is binary and something matched */
};

static bool printed_any; /* in any file: a separator goes between groups */

static const char *const colors[] = {"01;31", "35", "32", "36"}; /* match, name, number, separator */
enum color { MATCH_COLOR, NAME_COLOR, NUMBER_COLOR, SEPARATOR_COLOR };

static void begin_color(const struct search *search, enum color color)
{
    if (search->request->colored)
        printf("\033[%sm\033[K", colors[color]);
}

static void end_color(const struct search *search)
{
    if (search->request->colored)
        fputs("\033[m\033[K", stdout);
}

static void print_separator(const struct search *search, char separator)
{
    begin_color(search, SEPARATOR_COLOR);
    putchar(separator);
    end_color(search);
}

static void print_name(const struct search *search)
{
    begin_color(search, NAME_COLOR);
    fputs(search->name, stdout);
    end_color(search);
}

static void print_number(const struct search *search, uint64_t number, char separator)
{
    begin_color(search, NUMBER_COLOR);
    printf(search->request->initial_tab ? "%4llu" : "%llu", (unsigned long long)number);
    end_color(search);
    print_separator(search, separator);
}

static void print_head(const struct search *search, uint64_t number, uint64_t offset, char separator)
{
    const struct grep_request *request = search->request;
    if (request->with_name) {
        print_name(search);
        if (request->null_names)
            putchar('\0');
        else
            print_separator(search, separator);
    }
    if (request->line_numbers)
        print_number(search, number, separator);
    if (request->byte_offsets)
        print_number(search, offset, separator);
    if (request->initial_tab && (request->with_name || request->line_numbers || request->byte_offsets))
        putchar('\t');
}

static bool is_text(const struct search *search, const char *text, size_t length)
{
    if (search->request->binary == BINARY_AS_TEXT || !characters_are_utf8())
        return true;
    for (size_t at = 0; at < length;) {
        if ((unsigned char)text[at] < 0x80) {
            at++;
            continue;
        }
        struct character c = next_character(text + at, length - at);
        if (!c.valid)
            return false;
        at += c.length;
    }
    return true;
}

/* Every match of the line on a line of its own. */
static void print_matches(const struct search *search, const char *text, size_t length, uint64_t number, uint64_t offset)
{
    size_t from = 0, start, end;
    while (from <= length && regex_find(search->request->regex, text, length, from, &start, &end)) {
        unsigned size = 1;
        if (end > start) {
            print_head(search, number, offset + start, ':');
            begin_color(search, MATCH_COLOR);
            fwrite(text + start, 1, end - start, stdout);
            end_color(search);
            putchar(search->request->delimiter);
            from = end;
            continue;
        }
        if (end < length)
            next_symbol(text + end, length - end, &size);
        from = end + size;
    }
}

static void print_text(const struct search *search, const char *text, size_t length, bool selected)
{
    size_t from = 0, shown = 0, start, end;
    if (search->request->colored && selected != search->request->invert) {
        while (from <= length && regex_find(search->request->regex, text, length, from, &start, &end)) {
            unsigned size = 1;
            if (end > start) {
                fwrite(text + shown, 1, start - shown, stdout);
                begin_color(search, MATCH_COLOR);
                fwrite(text + start, 1, end - start, stdout);
                end_color(search);
                from = shown = end;
                continue;
            }
            if (end < length)
                next_symbol(text + end, length - end, &size);
            from = end + size;
        }
    }
    fwrite(text + shown, 1, length - shown, stdout);
}

static void print_line(struct search *search, const char *text, size_t length, uint64_t number, uint64_t offset, bool selected)
{
    const struct grep_request *request = search->request;
    if (!is_text(search, text, length)) {
        search->silent = search->binary = true;
        return;
    }
    bool contextual = request->before > 0 || request->after > 0;
    if (contextual && request->group_separator != NULL && printed_any && search->last_printed + 1 != number) {
        begin_color(search, SEPARATOR_COLOR);
        fputs(request->group_separator, stdout);
        end_color(search);
        putchar('\n');
    }
    search->last_printed = number;
    printed_any = true;
    if (request->only_matching) {
        if (selected && !request->invert)
            print_matches(search, text, length, number, offset);
    } else {
        print_head(search, number, offset, selected ? ':' : '-');
        print_text(search, text, length, selected);
        putchar(request->delimiter);
    }
    if (request->line_buffered)
        fflush(stdout);
}

static void keep(struct search *search, const char *text, size_t length, uint64_t number, uint64_t offset)
{
    uint64_t most = search->request->before;
    if (search->kept_count == search->kept_room && search->kept_room < most) {
        size_t room = search->kept_room * 2 + 8 < most ? search->kept_room * 2 + 8 : (size_t)most;
        struct kept_line *larger = allocate(room * sizeof *larger);
        memset(larger, 0, room * sizeof *larger);
        for (size_t i = 0; i < search->kept_count; i++)
            larger[i] = search->kept[(search->kept_first + i) % search->kept_room];
        free(search->kept);
        search->kept = larger;
        search->kept_first = 0;
        search->kept_room = room;
    }
    if (search->kept_count == search->kept_room) {
        search->kept_first = (search->kept_first + 1) % search->kept_room;
        search->kept_count--;
    }
    struct kept_line *line = &search->kept[(search->kept_first + search->kept_count++) % search->kept_room];
    if (line->room < length)
        line->text = reallocate(line->text, line->room = length + 64);
    memcpy(line->text, text, length);
    line->length = length;
    line->number = number;
    line->offset = offset;
}

static void print_kept(struct search *search)
{
    for (; search->kept_count > 0; search->kept_count--) {
        const struct kept_line *line = &search->kept[search->kept_first];
        if (!search->silent)
            print_line(search, line->text, line->length, line->number, line->offset, false);
        search->kept_first = (search->kept_first + 1) % search->kept_room;
    }
}

static void print_summary(const struct search *search, int64_t selected)
{
    const struct grep_request *request = search->request;
    if (request->count) {
        if (request->with_name) {
            print_name(search);
            if (request->null_names)
                putchar('\0');
            else
                print_separator(search, ':');
        }
        printf("%lld\n", (long long)selected);
    }
    if ((request->list_matching && selected > 0) || (request->list_other && selected == 0)) {
        print_name(search);
        putchar(request->null_names ? '\0' : '\n');
    }
}

int64_t grep_search(const struct grep_request *request, int fd, const char *name)
{
    struct search search = {.request = request, .name = name};
    struct reader reader = {.fd = fd};
    bool printing = !request->quiet && !request->count && !request->list_matching && !request->list_other;
    bool early = request->quiet || ((request->list_matching || request->list_other) && !request->count);
    uint64_t number = 0, offset = 0, context_left = 0;
    int64_t selected = 0;
    char *text, binary_byte = request->delimiter == '\0' ? '\200' : '\0';
    size_t length;
    while ((uint64_t)selected < request->most || context_left > 0) {
        if (!reader_line(&reader, request->delimiter, &text, &length))
            break;
        /* The first bufferful tells what the file is; a later line can still tell otherwise. */
        if (request->binary != BINARY_AS_TEXT && !search.binary && binary_byte == '\0') {
            size_t seen = number == 0 ? (size_t)(reader.data + reader.end - text) : length;
            search.binary = memchr(text, '\0', seen) != NULL;
            if (number == 0 && request->binary == BINARY_SKIPPED && !is_text(&search, text, length))
                search.binary = true;
        }
        if (search.binary && request->binary == BINARY_SKIPPED)
            break;
        number++;
        size_t whole = length;
        length -= text[length - 1] == request->delimiter;
        bool matched = (uint64_t)selected < request->most && regex_search(request->regex, text, length) != request->invert;
        if (matched) {
            selected++;
            if (early)
                break;
            if (printing && search.binary) {
                search.silent = true;
                break;
            }
            if (printing) {
                print_kept(&search);
                if (!search.silent)
                    print_line(&search, text, length, number, offset, true);
                context_left = request->after;
                if (search.silent)
                    break;
            }
        } else if (printing && context_left > 0) {
            context_left--;
            print_line(&search, text, length, number, offset, false);
            if (search.silent)
                break;
        } else if (printing && request->before > 0) {
            keep(&search, text, length, number, offset);
        }
        offset += whole;
        if (ferror(stdout))
            break;
    }
    int failure = reader.failure;
    if (failure == 0 && !request->quiet)
        print_summary(&search, selected);
    if (search.silent && !request->quiet)
        applet_warnx("%s: binary file matches", name);
    free(reader.data);
    for (size_t i = 0; i < search.kept_room; i++)
        free(search.kept[i].text);
    free(search.kept);
    errno = failure;
    return failure != 0 ? -1 : selected;
}
