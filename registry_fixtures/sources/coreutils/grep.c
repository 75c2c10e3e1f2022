/* grep: lines that match patterns. */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "applet.h"
#include "grep.h"
#include "numbers.h"
#include "options.h"

const char grep_help[] =
    "Usage: grep [OPTION]... PATTERNS [FILE]...\n"
    "Search for PATTERNS in each FILE.\n\n"
    "Pattern selection and interpretation:\n"
    "  -E, --extended-regexp     PATTERNS are extended regular expressions\n"
    "  -F, --fixed-strings       PATTERNS are strings\n"
    "  -G, --basic-regexp        PATTERNS are basic regular expressions (default)\n"
    "  -e, --regexp=PATTERNS     use PATTERNS for matching\n"
    "  -f, --file=FILE           take PATTERNS from FILE\n"
    "  -i, --ignore-case         ignore case distinctions (--no-ignore-case undoes it)\n"
    "  -w, --word-regexp         match only whole words\n"
    "  -x, --line-regexp         match only whole lines\n"
    "  -z, --null-data           a data line ends in 0 byte, not newline\n\n"
    "Output:\n"
    "  -s, --no-messages         suppress error messages\n"
    "  -v, --invert-match        select non-matching lines\n"
    "  -m, --max-count=NUM       stop after NUM selected lines\n"
    "  -b, --byte-offset         print the byte offset with output lines\n"
    "  -n, --line-number         print line number with output lines\n"
    "      --line-buffered       flush output on every line\n"
    "  -H, --with-filename       print file name with output lines\n"
    "  -h, --no-filename         suppress the file name prefix on output\n"
    "      --label=LABEL         use LABEL as the standard input file name prefix\n"
    "  -o, --only-matching       show only nonempty parts of lines that match\n"
    "  -q, --quiet, --silent     suppress all normal output\n"
    "      --binary-files=TYPE   TYPE is 'binary', 'text', or 'without-match' (-a: text, -I: without-match)\n"
    "  -d, --directories=ACTION  ACTION is 'read', 'recurse', or 'skip'\n"
    "  -r, -R, --recursive       like --directories=recurse\n"
    "      --include=GLOB        search only files that match GLOB (a file pattern)\n"
    "      --exclude=GLOB        skip files that match GLOB\n"
    "      --exclude-from=FILE   skip files that match any file pattern from FILE\n"
    "      --exclude-dir=GLOB    skip directories that match GLOB\n"
    "  -L, --files-without-match  print only names of FILEs with no selected lines\n"
    "  -l, --files-with-matches  print only names of FILEs with selected lines\n"
    "  -c, --count               print only a count of selected lines per FILE\n"
    "  -T, --initial-tab         make tabs line up (if needed)\n"
    "  -Z, --null                print 0 byte after FILE name\n\n"
    "Context control:\n"
    "  -B, --before-context=NUM  print NUM lines of leading context\n"
    "  -A, --after-context=NUM   print NUM lines of trailing context\n"
    "  -C, --context=NUM, -NUM   print NUM lines of output context\n"
    "      --group-separator=SEP, --no-group-separator  what stands between groups with context\n"
    "      --color[=WHEN]        use markers to highlight the matching strings: 'always', 'never', or 'auto'\n\n"
    "With no FILE, read '.' if recursive, '-' otherwise.\n";

struct glob {
    const char *pattern;
    enum { INCLUDE, EXCLUDE, EXCLUDE_DIRECTORY } kind;
};

static struct grep_request request = {.most = UINT64_MAX, .delimiter = '\n', .group_separator = "--"};
static struct glob *globs;
static size_t glob_count;
static enum { READ_DIRECTORIES, RECURSE_DIRECTORIES, SKIP_DIRECTORIES } directories;
static bool any_selected, any_error, follow_links, names_given;
static const char *label = "(standard input)";

static void complain(const char *name)
{
    if (!request.no_messages)
        applet_warn("%s", name);
    any_error = true;
}

static void add_glob(const char *pattern, int kind)
{
    globs = reallocate(globs, (glob_count + 1) * sizeof *globs);
    globs[glob_count].pattern = pattern;
    globs[glob_count++].kind = kind;
}

/* A file named on the command line is judged by its whole name and by the ends of it; one that was found, by its own. */
static bool excluded(const char *path, bool is_directory, bool on_command_line)
{
    const char *base = strrchr(path, '/') != NULL && strrchr(path, '/')[1] != '\0' ? strrchr(path, '/') + 1 : path;
    bool has_include = false, included = false;
    for (size_t i = 0; i < glob_count; i++) {
        bool matches = fnmatch(globs[i].pattern, base, 0) == 0 || (on_command_line && fnmatch(globs[i].pattern, path, 0) == 0);
        if (is_directory) {
            if (globs[i].kind == EXCLUDE_DIRECTORY && matches)
                return true;
            continue;
        }
        if (globs[i].kind == EXCLUDE && matches)
            return true;
        has_include |= globs[i].kind == INCLUDE;
        included |= globs[i].kind == INCLUDE && matches;
    }
    return has_include && !included;
}

static void search_descriptor(int fd, const char *name)
{
    int64_t selected = grep_search(&request, fd, name);
    if (selected < 0)
        complain(name);
    else if ((selected > 0) != (request.list_other && !request.list_matching))
        any_selected = true;
    if (request.quiet && any_selected)
        exit(0);
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static void search_path(const char *path, bool on_command_line);

static void search_directory(const char *path)
{
    DIR *directory = opendir(path);
    if (directory == NULL) {
        complain(path);
        return;
    }
    char **names = NULL;
    size_t count = 0;
    for (struct dirent *entry; (entry = readdir(directory)) != NULL;) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        names = reallocate(names, (count + 1) * sizeof *names);
        names[count++] = strdup(entry->d_name);
    }
    closedir(directory);
    qsort(names, count, sizeof *names, by_name);
    size_t length = strlen(path);
    for (size_t i = 0; i < count; i++) {
        char *inner = allocate(length + strlen(names[i]) + 2);
        if (!names_given)
            strcpy(inner, strcmp(path, ".") == 0 ? names[i] : "");
        else
            *inner = '\0';
        if (*inner == '\0')
            sprintf(inner, "%s%s%s", path, path[length - 1] == '/' ? "" : "/", names[i]);
        search_path(inner, false);
        free(inner);
        free(names[i]);
    }
    free(names);
}

static void search_path(const char *path, bool on_command_line)
{
    struct stat status;
    if (strcmp(path, "-") == 0 && on_command_line) {
        search_descriptor(STDIN_FILENO, label);
        return;
    }
    bool follow = on_command_line || follow_links;
    if ((follow ? stat(path, &status) : lstat(path, &status)) != 0) {
        complain(path);
        return;
    }
    if (!on_command_line && !S_ISDIR(status.st_mode) && !S_ISREG(status.st_mode))
        return; /* links, and devices that might never end */
    if (excluded(path, S_ISDIR(status.st_mode), on_command_line))
        return;
    if (S_ISDIR(status.st_mode) && directories == SKIP_DIRECTORIES)
        return;
    if (S_ISDIR(status.st_mode) && directories == RECURSE_DIRECTORIES) {
        search_directory(path);
        return;
    }
    if (S_ISDIR(status.st_mode)) {
        errno = EISDIR;
        complain(path);
        return;
    }
    int fd = open(path, O_RDONLY);
    if (fd < 0) {
        complain(path);
        return;
    }
    search_descriptor(fd, path);
    close(fd);
}

static uint64_t context(const char *text)
{
    uint64_t count;
    if (!read_count(text, &count) || !isdigit((unsigned char)text[strlen(text) - 1]))
        applet_diex(2, "%s: invalid context length argument", text);
    return count;
}

/* The text of a pattern option: one pattern a line. */
struct patterns {
    char *text;
    size_t length;
    bool given;
};

static void add_text(struct patterns *patterns, const char *text, size_t length)
{
    patterns->text = reallocate(patterns->text, patterns->length + length + 1);
    memcpy(patterns->text + patterns->length, text, length);
    patterns->length += length;
    patterns->text[patterns->length++] = '\n';
    patterns->given = true;
}

static void add_file(struct patterns *patterns, const char *name)
{
    struct reader reader;
    char *line;
    size_t length;
    if (!reader_open(&reader, name))
        applet_die(2, "%s", name);
    while (reader_line(&reader, '\n', &line, &length))
        add_text(patterns, line, length - (line[length - 1] == '\n'));
    if (reader.failure != 0) {
        errno = reader.failure;
        applet_die(2, "%s", name);
    }
    reader_close(&reader);
    patterns->given = true;
}

static void add_globs_from(const char *name)
{
    struct reader reader;
    char *line;
    size_t length;
    if (!reader_open(&reader, name))
        applet_die(2, "%s", name);
    while (reader_line(&reader, '\n', &line, &length))
        if (line[length - 1] != '\n' || --length > 0)
            add_glob(strndup(line, length), EXCLUDE);
    reader_close(&reader);
}

static void compile(const struct patterns *patterns, struct regex_options options)
{
    request.regex = regex_new(options);
    for (size_t at = 0; at < patterns->length;) {
        char *stop = memchr(patterns->text + at, '\n', patterns->length - at);
        const char *wrong = regex_add(request.regex, patterns->text + at, (size_t)(stop - patterns->text) - at);
        if (wrong != NULL)
            applet_diex(2, "%s", wrong);
        at = (size_t)(stop - patterns->text) + 1;
    }
}

int grep_main(int argc, char **argv)
{
    enum { BINARY_FILES = 1, COLOR, INCLUDE_GLOB, EXCLUDE_GLOB, EXCLUDE_FROM, EXCLUDE_DIR, LABEL, LINE_BUFFERED, NO_IGNORE_CASE,
           SEPARATOR, NO_SEPARATOR };
    static const struct long_option longs[] = {
        {"after-context", 'A', NEEDS_ARGUMENT}, {"basic-regexp", 'G', NO_ARGUMENT}, {"before-context", 'B', NEEDS_ARGUMENT},
        {"binary", 'U', NO_ARGUMENT}, {"binary-files", BINARY_FILES, NEEDS_ARGUMENT}, {"byte-offset", 'b', NO_ARGUMENT},
        {"color", COLOR, MAY_HAVE_ARGUMENT}, {"colour", COLOR, MAY_HAVE_ARGUMENT}, {"context", 'C', NEEDS_ARGUMENT},
        {"count", 'c', NO_ARGUMENT}, {"dereference-recursive", 'R', NO_ARGUMENT}, {"devices", 'D', NEEDS_ARGUMENT},
        {"directories", 'd', NEEDS_ARGUMENT}, {"exclude", EXCLUDE_GLOB, NEEDS_ARGUMENT},
        {"exclude-dir", EXCLUDE_DIR, NEEDS_ARGUMENT}, {"exclude-from", EXCLUDE_FROM, NEEDS_ARGUMENT},
        {"extended-regexp", 'E', NO_ARGUMENT}, {"file", 'f', NEEDS_ARGUMENT}, {"files-with-matches", 'l', NO_ARGUMENT},
        {"files-without-match", 'L', NO_ARGUMENT}, {"fixed-strings", 'F', NO_ARGUMENT},
        {"group-separator", SEPARATOR, NEEDS_ARGUMENT}, {"ignore-case", 'i', NO_ARGUMENT},
        {"include", INCLUDE_GLOB, NEEDS_ARGUMENT}, {"initial-tab", 'T', NO_ARGUMENT}, {"invert-match", 'v', NO_ARGUMENT},
        {"label", LABEL, NEEDS_ARGUMENT}, {"line-buffered", LINE_BUFFERED, NO_ARGUMENT}, {"line-number", 'n', NO_ARGUMENT},
        {"line-regexp", 'x', NO_ARGUMENT}, {"max-count", 'm', NEEDS_ARGUMENT}, {"no-filename", 'h', NO_ARGUMENT},
        {"no-group-separator", NO_SEPARATOR, NO_ARGUMENT}, {"no-ignore-case", NO_IGNORE_CASE, NO_ARGUMENT},
        {"no-messages", 's', NO_ARGUMENT}, {"null", 'Z', NO_ARGUMENT}, {"null-data", 'z', NO_ARGUMENT},
        {"only-matching", 'o', NO_ARGUMENT}, {"perl-regexp", 'P', NO_ARGUMENT}, {"quiet", 'q', NO_ARGUMENT},
        {"recursive", 'r', NO_ARGUMENT}, {"regexp", 'e', NEEDS_ARGUMENT}, {"silent", 'q', NO_ARGUMENT}, {"text", 'a', NO_ARGUMENT},
        {"with-filename", 'H', NO_ARGUMENT}, {"word-regexp", 'w', NO_ARGUMENT}, {0}};
    static const char *const binary_words[] = {"binary", "text", "without-match", NULL};
    static const char *const directory_words[] = {"read", "recurse", "skip", NULL};
    struct regex_options how = {0};
    struct patterns patterns = {0};
    struct options options;
    int names = 0; /* -1 never, 1 always */
    bool digits = false, word = false, line = false;
    uint64_t around = 0, before = UINT64_MAX, after = UINT64_MAX;
    options_start(&options, argc, argv, "aA:bB:cC:D:d:Ee:Ff:GHhIiLlm:noPqRrsTUuvwxyZz0123456789", longs);
    for (int code; (code = options_next(&options)) != -1;) {
        if (code >= '0' && code <= '9') {
            around = (digits ? around : 0) * 10 + (uint64_t)(code - '0');
            digits = true;
            continue;
        }
        digits = false;
        switch (code) {
        case 'A': after = context(options.argument); break;
        case 'B': before = context(options.argument); break;
        case 'C': around = context(options.argument); break;
        case 'E': how.syntax = EXTENDED_SYNTAX; break;
        case 'F': how.syntax = FIXED_SYNTAX; break;
        case 'G': how.syntax = BASIC_SYNTAX; break;
        case 'P': applet_diex(2, "Perl matching not supported in a --disable-perl-regexp build");
        case 'e': add_text(&patterns, options.argument, strlen(options.argument)); break;
        case 'f': add_file(&patterns, options.argument); break;
        case 'i': case 'y': how.fold = true; break;
        case NO_IGNORE_CASE: how.fold = false; break;
        case 'w': word = true; break;
        case 'x': line = true; break;
        case 'z': request.delimiter = '\0'; break;
        case 'v': request.invert = true; break;
        case 'c': request.count = true; break;
        case 'l': request.list_matching = true; request.list_other = false; break;
        case 'L': request.list_other = true; request.list_matching = false; break;
        case 'o': request.only_matching = true; break;
        case 'q': request.quiet = true; break;
        case 's': request.no_messages = true; break;
        case 'n': request.line_numbers = true; break;
        case 'b': request.byte_offsets = true; break;
        case 'H': names = 1; break;
        case 'h': names = -1; break;
        case 'T': request.initial_tab = true; break;
        case 'Z': request.null_names = true; break;
        case 'a': request.binary = BINARY_AS_TEXT; break;
        case 'I': request.binary = BINARY_SKIPPED; break;
        case 'U': case 'u': case 'D': break;
        case 'r': directories = RECURSE_DIRECTORIES; break;
        case 'R': directories = RECURSE_DIRECTORIES; follow_links = true; break;
        case 'd': directories = options_choice("directories", options.argument, directory_words); break;
        case 'm': {
            bool negative = *options.argument == '-';
            if (!read_count(options.argument + negative, &request.most))
                applet_diex(2, "invalid max count");
            if (negative)
                request.most = UINT64_MAX;
            break;
        }
        case BINARY_FILES: request.binary = (enum binary_files)options_choice("binary-files", options.argument, binary_words); break;
        case COLOR: {
            const char *when = options.argument != NULL ? options.argument : "auto";
            bool always = strcmp(when, "always") == 0 || strcmp(when, "yes") == 0 || strcmp(when, "force") == 0;
            request.colored = always || (strcmp(when, "auto") == 0 && isatty(STDOUT_FILENO));
            break;
        }
        case INCLUDE_GLOB: add_glob(options.argument, INCLUDE); break;
        case EXCLUDE_GLOB: add_glob(options.argument, EXCLUDE); break;
        case EXCLUDE_DIR: add_glob(options.argument, EXCLUDE_DIRECTORY); break;
        case EXCLUDE_FROM: add_globs_from(options.argument); break;
        case LABEL: label = options.argument; break;
        case LINE_BUFFERED: request.line_buffered = true; break;
        case SEPARATOR: request.group_separator = options.argument; break;
        case NO_SEPARATOR: request.group_separator = NULL; break;
        }
    }
    char **files = options.operands;
    int file_count = options.operand_count;
    if (!patterns.given) {
        if (file_count == 0)
            applet_try_help();
        add_text(&patterns, files[0], strlen(files[0]));
        files++;
        file_count--;
    }
    how.whole = line ? WHOLE_LINE : word ? WHOLE_WORD : ANYWHERE;
    request.after = after != UINT64_MAX ? after : around;
    request.before = before != UINT64_MAX ? before : around;
    names_given = file_count > 0;
    static char *here[] = {"."}, *standard_input[] = {"-"};
    if (file_count == 0) {
        files = directories == RECURSE_DIRECTORIES ? here : standard_input;
        file_count = 1;
    }
    request.with_name = names > 0 || (names == 0 && (file_count > 1 || directories == RECURSE_DIRECTORIES));
    if (directories == RECURSE_DIRECTORIES && names == 0 && file_count == 1 && strcmp(files[0], "-") == 0)
        request.with_name = false;
    if (directories == RECURSE_DIRECTORIES && names == 0 && file_count == 1 && names_given) {
        struct stat status; /* -r on one plain file prints no names */
        request.with_name = stat(files[0], &status) != 0 || S_ISDIR(status.st_mode);
    }
    compile(&patterns, how);
    if (request.most == 0 && !request.list_other)
        return 1;
    for (int i = 0; i < file_count; i++)
        search_path(files[i], true);
    return any_error ? 2 : !any_selected;
}
