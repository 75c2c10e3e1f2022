/* ls: its command line. */
#include "ls_options.h"

#include <stdio.h>
#include <unistd.h>

#include "allocate.h"
#include "ls.h"
#include "option_scan.h"
#include "quote_name.h"

enum {
    COLOR = 256, SORT, TIME, FORMAT, TIME_STYLE, FULL_TIME, DIRECTORIES_FIRST, INDICATOR_STYLE, FILE_TYPE, SI, ZERO,
    BLOCK_SIZE, FOLLOW_DIRECTORIES, QUOTING_STYLE, SHOW_CONTROL, HIDE,
};

const char ls_help[] =
    "Usage: ls [OPTION]... [FILE]...\n"
    "\n"
    "  -a, --all                        do not ignore entries starting with .\n"
    "  -A, --almost-all                 do not list implied . and ..\n"
    "  -b, --escape                     print C-style escapes for nongraphic characters\n"
    "      --block-size=VALUE           scale sizes by VALUE when printing them\n"
    "  -B, --ignore-backups             do not list implied entries ending with ~\n"
    "  -c                               use the time of the last status change\n"
    "  -C                               list entries by columns\n"
    "      --color[=VALUE]              color the output: always, auto or never\n"
    "  -d, --directory                  list directories themselves, not their contents\n"
    "  -f                               list all entries in directory order\n"
    "  -F, --classify[=VALUE]           append indicator (one of */=>@|) to entries\n"
    "      --file-type                  likewise, except do not append '*'\n"
    "      --format=VALUE               across -x, commas -m, horizontal -x, long -l, single-column -1, vertical -C\n"
    "      --full-time                  like -l --time-style=full-iso\n"
    "  -g                               like -l, but do not list owner\n"
    "      --group-directories-first    group directories before files\n"
    "  -G, --no-group                   in a long listing, don't print group names\n"
    "  -h, --human-readable             with -l and -s, print sizes like 1K 234M 2G etc.\n"
    "      --si                         likewise, but use powers of 1000 not 1024\n"
    "  -H, --dereference-command-line   follow symbolic links listed on the command line\n"
    "      --dereference-command-line-symlink-to-dir follow each that points to a directory\n"
    "      --hide=VALUE                 do not list implied entries matching shell pattern VALUE\n"
    "      --indicator-style=VALUE      none, slash (-p), file-type, classify (-F)\n"
    "  -i, --inode                      print the index number of each file\n"
    "  -I, --ignore=VALUE               do not list implied entries matching shell pattern VALUE\n"
    "  -k, --kibibytes                  default to 1024-byte blocks\n"
    "  -l                               use a long listing format\n"
    "  -L, --dereference                show information for the file a symbolic link refers to\n"
    "  -m                               fill width with a comma separated list of entries\n"
    "  -n, --numeric-uid-gid            like -l, but list numeric user and group IDs\n"
    "  -N, --literal                    print entry names without quoting\n"
    "  -o                               like -l, but do not list group information\n"
    "  -p                               append / indicator to directories\n"
    "  -q, --hide-control-chars         print ? instead of nongraphic characters\n"
    "      --show-control-chars         show nongraphic characters as-is\n"
    "  -Q, --quote-name                 enclose entry names in double quotes\n"
    "      --quoting-style=VALUE        literal, shell, shell-escape, c, escape\n"
    "  -r, --reverse                    reverse order while sorting\n"
    "  -R, --recursive                  list subdirectories recursively\n"
    "  -s, --size                       print the allocated size of each file, in blocks\n"
    "  -S                               sort by file size, largest first\n"
    "      --sort=VALUE                 none -U, size -S, time -t, version -v, extension -X, width\n"
    "      --time=VALUE                 access time -u, change time -c, or modification time\n"
    "      --time-style=VALUE           full-iso, long-iso, iso, locale, or +FORMAT\n"
    "  -t                               sort by time, newest first\n"
    "  -T, --tabsize=VALUE              assume tab stops at each VALUE columns instead of 8\n"
    "  -u                               use the time of last access\n"
    "  -U                               do not sort; list entries in directory order\n"
    "  -v                               natural sort of (version) numbers within text\n"
    "  -w, --width=VALUE                set output width to VALUE; 0 means no limit\n"
    "  -x                               list entries by lines instead of by columns\n"
    "  -X                               sort alphabetically by entry extension\n"
    "      --zero                       end each output line with NUL, not newline\n"
    "  -1                               list one file per line\n"
    "      --help                       display this help and exit\n"
    "      --version                    output version information and exit\n";

static const struct option_spec specs[] = {
    {'a', "all", NO_ARGUMENT},
    {'A', "almost-all", NO_ARGUMENT},
    {'b', "escape", NO_ARGUMENT},
    {BLOCK_SIZE, "block-size", REQUIRED_ARGUMENT},
    {'B', "ignore-backups", NO_ARGUMENT},
    {'c', NULL, NO_ARGUMENT},
    {'C', NULL, NO_ARGUMENT},
    {COLOR, "color", OPTIONAL_ARGUMENT},
    {'d', "directory", NO_ARGUMENT},
    {'f', NULL, NO_ARGUMENT},
    {'F', "classify", OPTIONAL_ARGUMENT},
    {FILE_TYPE, "file-type", NO_ARGUMENT},
    {FORMAT, "format", REQUIRED_ARGUMENT},
    {FULL_TIME, "full-time", NO_ARGUMENT},
    {'g', NULL, NO_ARGUMENT},
    {DIRECTORIES_FIRST, "group-directories-first", NO_ARGUMENT},
    {'G', "no-group", NO_ARGUMENT},
    {'h', "human-readable", NO_ARGUMENT},
    {SI, "si", NO_ARGUMENT},
    {'H', "dereference-command-line", NO_ARGUMENT},
    {FOLLOW_DIRECTORIES, "dereference-command-line-symlink-to-dir", NO_ARGUMENT},
    {HIDE, "hide", REQUIRED_ARGUMENT},
    {INDICATOR_STYLE, "indicator-style", REQUIRED_ARGUMENT},
    {'i', "inode", NO_ARGUMENT},
    {'I', "ignore", REQUIRED_ARGUMENT},
    {'k', "kibibytes", NO_ARGUMENT},
    {'l', NULL, NO_ARGUMENT},
    {'L', "dereference", NO_ARGUMENT},
    {'m', NULL, NO_ARGUMENT},
    {'n', "numeric-uid-gid", NO_ARGUMENT},
    {'N', "literal", NO_ARGUMENT},
    {'o', NULL, NO_ARGUMENT},
    {'p', NULL, NO_ARGUMENT},
    {'q', "hide-control-chars", NO_ARGUMENT},
    {SHOW_CONTROL, "show-control-chars", NO_ARGUMENT},
    {'Q', "quote-name", NO_ARGUMENT},
    {QUOTING_STYLE, "quoting-style", REQUIRED_ARGUMENT},
    {'r', "reverse", NO_ARGUMENT},
    {'R', "recursive", NO_ARGUMENT},
    {'s', "size", NO_ARGUMENT},
    {'S', NULL, NO_ARGUMENT},
    {SORT, "sort", REQUIRED_ARGUMENT},
    {TIME, "time", REQUIRED_ARGUMENT},
    {TIME_STYLE, "time-style", REQUIRED_ARGUMENT},
    {'t', NULL, NO_ARGUMENT},
    {'T', "tabsize", REQUIRED_ARGUMENT},
    {'u', NULL, NO_ARGUMENT},
    {'U', NULL, NO_ARGUMENT},
    {'v', NULL, NO_ARGUMENT},
    {'w', "width", REQUIRED_ARGUMENT},
    {'x', NULL, NO_ARGUMENT},
    {'X', NULL, NO_ARGUMENT},
    {ZERO, "zero", NO_ARGUMENT},
    {'1', NULL, NO_ARGUMENT},
    {0},
};

struct choice {
    const char *word;
    int value;
};

/* The value of a word among choices; ends the program, naming them, when it is none. */
static int choose(const struct option_scan *scan, const char *option, const struct choice *choices) {
    for (const struct choice *choice = choices; choice->word; choice++) {
        if (!strcmp(choice->word, scan->argument)) return choice->value;
    }
    char message[1024];
    size_t used = (size_t)snprintf(message, sizeof message, "invalid argument %s for '--%s'\nValid arguments are:", quoted(scan->argument), option);
    for (const struct choice *choice = choices; choice->word && used < sizeof message; choice++) {
        bool alias = choice > choices && choice[-1].value == choice->value;
        used += (size_t)snprintf(message + used, sizeof message - used, alias ? ", '%s'" : "\n  - '%s'", choice->word);
    }
    struct option_scan minor = *scan;
    minor.usage_status = 1; /* GNU's, though other usage errors of ls are 2 */
    option_error(&minor, "%s", message);
}

static const struct choice when_choices[] = {
    {"always", 1}, {"yes", 1}, {"force", 1}, {"never", 0}, {"no", 0}, {"none", 0}, {"auto", 2}, {"tty", 2}, {"if-tty", 2}, {NULL, 0}};
static const struct choice sort_choices[] = {
    {"none", LS_UNSORTED}, {"time", LS_BY_TIME}, {"size", LS_BY_SIZE}, {"extension", LS_BY_EXTENSION},
    {"version", LS_BY_VERSION}, {"width", LS_BY_WIDTH}, {NULL, 0}};
static const struct choice time_choices[] = {
    {"atime", LS_ACCESSED}, {"access", LS_ACCESSED}, {"use", LS_ACCESSED}, {"ctime", LS_CHANGED}, {"status", LS_CHANGED},
    {"mtime", LS_MODIFIED}, {"modification", LS_MODIFIED}, {NULL, 0}};
static const struct choice format_choices[] = {
    {"verbose", LS_LONG}, {"long", LS_LONG}, {"commas", LS_COMMAS}, {"horizontal", LS_HORIZONTAL}, {"across", LS_HORIZONTAL},
    {"vertical", LS_VERTICAL}, {"single-column", LS_ONE_PER_LINE}, {NULL, 0}};
static const struct choice indicator_choices[] = {
    {"none", LS_NO_INDICATOR}, {"slash", LS_SLASH}, {"file-type", LS_FILE_TYPE}, {"classify", LS_CLASSIFY}, {NULL, 0}};
static const struct choice quoting_choices[] = {
    {"literal", LS_LITERAL}, {"shell", LS_SHELL}, {"shell-escape", LS_SHELL}, {"c", LS_C_QUOTED}, {"escape", LS_C_ESCAPED}, {NULL, 0}};

static void set_time_style(const struct option_scan *scan, const char *style) {
    if (!strncmp(style, "posix-", 6)) style += 6;
    if (*style == '+') ls.recent_format = ls.time_format = style + 1;
    else if (!strcmp(style, "full-iso")) ls.recent_format = ls.time_format = "%Y-%m-%d %H:%M:%S.%N %z";
    else if (!strcmp(style, "long-iso")) ls.recent_format = ls.time_format = "%Y-%m-%d %H:%M";
    else if (!strcmp(style, "iso")) ls.recent_format = "%m-%d %H:%M", ls.time_format = "%Y-%m-%d ";
    else if (!strcmp(style, "locale")) ls.recent_format = "%b %e %H:%M", ls.time_format = "%b %e  %Y";
    else
        option_error(scan, "invalid argument %s for 'time style'\nValid arguments are:\n  - [posix-]full-iso\n  - [posix-]long-iso\n"
                     "  - [posix-]iso\n  - [posix-]locale\n  - +FORMAT (e.g., +%%H:%%M) for a 'date'-style format", quoted(style));
}

static size_t columns_in(const char *text, const char *what) {
    char *end;
    unsigned long value = strtoul(text, &end, 10);
    if (!*text || *end || *text == '-') applet_diex(2, "invalid %s: %s", what, quoted(text));
    return value;
}

static void set_block_size(const char *text) {
    static const char units[] = "KMGTPE";
    char *end;
    if (!strcmp(text, "human-readable") || !strcmp(text, "si")) {
        ls.human = true;
        ls.human_base = *text == 's' ? 1000 : 1024;
        return;
    }
    unsigned long long value = *text >= '0' && *text <= '9' ? strtoull(text, &end, 10) : (end = (char *)text, 1);
    const char *unit = *end ? strchr(units, *end == 'k' ? 'K' : *end) : NULL;
    unsigned base = unit && end[1] == 'B' ? 1000 : 1024;
    size_t skip = !unit ? 0 : !end[1] ? 1 : !strcmp(end + 1, "B") ? 2 : !strcmp(end + 1, "iB") ? 3 : 0;
    if (unit && skip) {
        for (const char *at = units; at <= unit; at++) value *= base;
        if (end == text) snprintf(ls.block_unit, sizeof ls.block_unit, "%s", text);
        end += skip;
    }
    if (*end || !value) applet_diex(2, "invalid --block-size argument %s", quoted(text));
    ls.block_size = value;
    ls.scaled = true;
}

static void ignore(const char *pattern) {
    ls.ignored = reallocate(ls.ignored, ls.ignored_count + 1, sizeof *ls.ignored);
    ls.ignored[ls.ignored_count++] = pattern;
}

static void set_defaults(void) {
    const char *columns = getenv("COLUMNS");
    ls.terminal = isatty(STDOUT_FILENO);
    ls.format = ls.terminal ? LS_VERTICAL : LS_ONE_PER_LINE;
    ls.quoting = ls.terminal ? LS_SHELL : LS_LITERAL;
    ls.links = -1;
    ls.width = columns && atoi(columns) > 0 ? (size_t)atoi(columns) : 80;
    ls.tab_size = 8;
    ls.block_size = 1024;
    ls.human_base = 1024;
    ls.end_of_line = '\n';
    ls.recent_format = "%b %e %H:%M";
    ls.time_format = "%b %e  %Y";
    ls.now = time(NULL);
}

/* The options that set one thing and take no argument. */
static bool set_flag(int option) {
    switch (option) {
        case 'a': ls.all = true; return true;
        case 'A': ls.almost_all = true, ls.all = false; return true;
        case 'B': ls.ignore_backups = true; return true;
        case 'd': ls.directory = true; return true;
        case DIRECTORIES_FIRST: ls.directories_first = true; return true;
        case 'i': ls.inode = true; return true;
        case 'r': ls.reverse = true; return true;
        case 'R': ls.recursive = true; return true;
        case 's': ls.blocks = true; return true;
        case 'h': ls.human = true, ls.human_base = 1024; return true;
        case SI: ls.human = true, ls.human_base = 1000; return true;
        case 'k': ls.block_size = 1024; return true;
        case 'l': ls.format = LS_LONG; return true;
        case 'g': ls.format = LS_LONG, ls.no_owner = true; return true;
        case 'o': ls.format = LS_LONG, ls.no_group = true; return true;
        case 'G': ls.no_group = true; return true;
        case 'n': ls.format = LS_LONG, ls.numeric = true; return true;
        case 'C': ls.format = LS_VERTICAL; return true;
        case 'x': ls.format = LS_HORIZONTAL; return true;
        case 'm': ls.format = LS_COMMAS; return true;
        case '1': if (ls.format != LS_LONG) ls.format = LS_ONE_PER_LINE; return true;
        case 'p': ls.indicator = LS_SLASH; return true;
        case FILE_TYPE: ls.indicator = LS_FILE_TYPE; return true;
        case 'N': ls.quoting = LS_LITERAL; return true;
        case 'Q': ls.quoting = LS_C_QUOTED; return true;
        case 'b': ls.quoting = LS_C_ESCAPED; return true;
        case 'q': ls.hide_control = true; return true;
        case SHOW_CONTROL: ls.hide_control = false; return true;
        case 'L': ls.links = LS_FOLLOW_ALL; return true;
        case 'H': ls.links = LS_FOLLOW_COMMAND_LINE; return true;
        case FOLLOW_DIRECTORIES: ls.links = LS_FOLLOW_COMMAND_LINE_DIRECTORIES; return true;
        case ZERO: ls.end_of_line = 0, ls.quoting = LS_LITERAL, ls.color = false; if (ls.format != LS_LONG) ls.format = LS_ONE_PER_LINE; return true;
        case FULL_TIME: ls.format = LS_LONG, ls.recent_format = ls.time_format = "%Y-%m-%d %H:%M:%S.%N %z"; return true;
        default: return false;
    }
}

int ls_read_options(int argc, char **argv) {
    struct option_scan scan = {.argc = argc, .argv = argv, .specs = specs, .usage_status = 2};
    bool sort_given = false, time_given = false;
    set_defaults();
    for (int option; (option = option_next(&scan));) {
        if (set_flag(option)) continue;
        switch (option) {
            case 'S': ls.sort = LS_BY_SIZE, sort_given = true; break;
            case 't': ls.sort = LS_BY_TIME, sort_given = true; break;
            case 'U': ls.sort = LS_UNSORTED, sort_given = true; break;
            case 'v': ls.sort = LS_BY_VERSION, sort_given = true; break;
            case 'X': ls.sort = LS_BY_EXTENSION, sort_given = true; break;
            case SORT: ls.sort = (enum ls_sort)choose(&scan, "sort", sort_choices), sort_given = true; break;
            case 'f': ls.sort = LS_UNSORTED, sort_given = ls.all = true; break;
            case 'c': ls.time = LS_CHANGED, time_given = true; break;
            case 'u': ls.time = LS_ACCESSED, time_given = true; break;
            case TIME: ls.time = (enum ls_time)choose(&scan, "time", time_choices), time_given = true; break;
            case FORMAT: ls.format = (enum ls_format)choose(&scan, "format", format_choices); break;
            case INDICATOR_STYLE: ls.indicator = (enum ls_indicator)choose(&scan, "indicator-style", indicator_choices); break;
            case QUOTING_STYLE: ls.quoting = (enum ls_quoting)choose(&scan, "quoting-style", quoting_choices); break;
            case 'F': {
                int when = scan.argument ? choose(&scan, "classify", when_choices) : 1;
                if (when == 1 || (when == 2 && ls.terminal)) ls.indicator = LS_CLASSIFY;
                break;
            }
            case COLOR: {
                int when = scan.argument ? choose(&scan, "color", when_choices) : 1;
                ls.color = when == 1 || (when == 2 && ls.terminal);
                break;
            }
            case TIME_STYLE: set_time_style(&scan, scan.argument); break;
            case BLOCK_SIZE: set_block_size(scan.argument); break;
            case 'T': ls.tab_size = columns_in(scan.argument, "tab size"); break;
            case 'w': ls.width = columns_in(scan.argument, "line width"); break;
            case 'I':
            case HIDE: ignore(scan.argument); break;
        }
    }
    /* -c and -u choose the order too, unless -l only shows that time or an order was asked for. */
    if (time_given && !sort_given && ls.format != LS_LONG) ls.sort = LS_BY_TIME;
    if (!ls.width) ls.tab_size = 0;
    if ((int)ls.links == -1) {
        bool plain = ls.directory || ls.indicator == LS_CLASSIFY || ls.format == LS_LONG;
        ls.links = plain ? LS_LINKS_AS_THEY_ARE : LS_FOLLOW_COMMAND_LINE_DIRECTORIES;
    }
    return scan.operand_count;
}
