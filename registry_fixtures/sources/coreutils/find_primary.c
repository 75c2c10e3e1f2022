/* find: the words of an expression that test and act. */
#include <errno.h>
#include <math.h>
#include <stdio.h>

#include "allocate.h"
#include "date_text.h"
#include "find.h"
#include "quote_name.h"

static bool run_true(const struct find_term *term, struct walk_node *node) { return (void)term, (void)node, true; }
static bool run_false(const struct find_term *term, struct walk_node *node) { return (void)term, (void)node, false; }
static bool run_prune(const struct find_term *term, struct walk_node *node) { return (void)term, (void)node, find.prune = true; }
static bool run_quit(const struct find_term *term, struct walk_node *node) { return (void)term, (void)node, find.quit = true; }

/* How a word reads its argument. */
enum reading { NOTHING, TEXT, TYPES, NUMBER, SIZE, DAYS, MINUTES, REFERENCE, FILE_REFERENCE, DEPTH, MODE, OWNER };

struct word {
    const char *name;
    find_test *run;
    enum reading reading;
    int detail; /* fold case, which clock, which depth or identity */
    bool acts;
};

static const struct word words[] = {
    {"-name", find_name, TEXT, 0, false}, {"-iname", find_name, TEXT, 1, false},
    {"-path", find_path, TEXT, 0, false}, {"-wholename", find_path, TEXT, 0, false},
    {"-ipath", find_path, TEXT, 1, false}, {"-iwholename", find_path, TEXT, 1, false},
    {"-lname", find_link_name, TEXT, 0, false}, {"-ilname", find_link_name, TEXT, 1, false},
    {"-type", find_type, TYPES, 0, false}, {"-xtype", find_target_type, TYPES, 0, false},
    {"-size", find_size, SIZE, 0, false}, {"-empty", find_empty, NOTHING, 0, false},
    {"-links", find_links, NUMBER, 0, false}, {"-inum", find_inode, NUMBER, 0, false},
    {"-newer", find_newer, REFERENCE, FIND_MODIFIED, false}, {"-anewer", find_newer, REFERENCE, FIND_ACCESSED, false},
    {"-cnewer", find_newer, REFERENCE, FIND_CHANGED, false}, {"-samefile", find_same_file, FILE_REFERENCE, 0, false},
    {"-mtime", find_age, DAYS, FIND_MODIFIED, false}, {"-atime", find_age, DAYS, FIND_ACCESSED, false},
    {"-ctime", find_age, DAYS, FIND_CHANGED, false}, {"-mmin", find_age, MINUTES, FIND_MODIFIED, false},
    {"-amin", find_age, MINUTES, FIND_ACCESSED, false}, {"-cmin", find_age, MINUTES, FIND_CHANGED, false},
    {"-perm", find_permissions, MODE, 0, false}, {"-uid", find_owner, NUMBER, 0, false}, {"-gid", find_owner, NUMBER, 1, false},
    {"-user", find_owner, OWNER, 0, false}, {"-group", find_owner, OWNER, 1, false},
    {"-readable", find_readable, NOTHING, 0, false}, {"-writable", find_writable, NOTHING, 0, false},
    {"-executable", find_executable, NOTHING, 0, false}, {"-true", run_true, NOTHING, 0, false},
    {"-false", run_false, NOTHING, 0, false}, {"-print", find_print, NOTHING, 0, true},
    {"-print0", find_print0, NOTHING, 0, true}, {"-printf", find_printf, TEXT, 0, true}, {"-ls", find_ls, NOTHING, 0, true},
    {"-delete", find_delete, NOTHING, 0, true}, {"-prune", run_prune, NOTHING, 0, false}, {"-quit", run_quit, NOTHING, 0, true},
    {"-maxdepth", run_true, DEPTH, 1, false}, {"-mindepth", run_true, DEPTH, 0, false},
};

static _Noreturn void reject(const char *argument, const char *word) { applet_diex(1, "invalid argument `%s' to `%s'", argument, word); }

/* Reads N, +N or -N; the rest of the text is the result. */
static const char *take_number(struct find_term *term, const char *text) {
    char *end;
    if (*text == '+' || *text == '-') term->comparison = *text++ == '+' ? FIND_MORE : FIND_LESS;
    if ((*text < '0' || *text > '9') && *text != '.') return NULL;
    term->number = strtod(text, &end);
    return end;
}

static void read_size(struct find_term *term, const char *word, const char *argument) {
    static const char letters[] = "bcwkMG";
    static const long units[] = {512, 1, 2, 1024, 1048576, 1073741824};
    const char *unit = take_number(term, argument), *found = unit && *unit ? strchr(letters, *unit) : NULL;
    char last = *argument ? argument[strlen(argument) - 1] : 0;
    if (last && (last < '0' || last > '9') && !strchr(letters, last)) applet_diex(1, "invalid -size type `%c'", last);
    if (!unit || (*unit && (!found || unit[1])) || term->number != floor(term->number)) applet_diex(1, "Invalid argument `%s' to %s", argument, word);
    term->unit = found ? units[found - letters] : 512;
}

static void read_types(struct find_term *term, const char *word, const char *argument) {
    for (const char *at = argument;; at += 2) {
        if (!*at && at == argument) applet_diex(1, "Arguments to %s should contain at least one letter", word);
        if (!*at) applet_diex(1, "Last file type in list argument to %s is missing, i.e., list is ending on: ','", word);
        if (!strchr("bcdpflsD", *at)) applet_diex(1, "Unknown argument to %s: %c", word, *at);
        if (!at[1]) break;
        if (at[1] != ',') applet_diex(1, "Must separate multiple arguments to %s using: ','", word);
    }
    term->text = argument;
}

static void read_reference(struct find_term *term, const char *word, const char *argument, enum find_clock clock) {
    int failed = find.links == WALK_NO_LINKS ? lstat(argument, &term->status) : stat(argument, &term->status);
    if (failed) applet_die(1, "%s", quoted(argument));
    (void)word;
    term->time = find_time_of(&term->status, clock);
}

/* Octal, or clauses such as u+x,go=r, behind - (all of these bits) or / (any of them). */
static void read_mode(struct find_term *term, const char *word, const char *argument) {
    const char *at = argument;
    if (*at == '-' || *at == '/') term->unit = *at++;
    if (*at >= '0' && *at <= '7') {
        char *end;
        term->mode = (unsigned)strtoul(at, &end, 8);
        if (*end || term->mode > 07777) applet_diex(1, "invalid mode %s", quoted(argument));
        return;
    }
    for (;; at++) {
        unsigned who = 0, bits = 0;
        for (; *at && strchr("ugoa", *at); at++) who |= *at == 'u' ? 0700 : *at == 'g' ? 0070 : *at == 'o' ? 0007 : 0777;
        char operator = *at;
        if (operator != '+' && operator != '=' && operator != '-') applet_diex(1, "invalid mode %s", quoted(argument));
        for (at++; *at && strchr("rwx", *at); at++) bits |= *at == 'r' ? 0444 : *at == 'w' ? 0222 : 0111;
        bits &= who ? who : 0777;
        term->mode = operator == '-' ? term->mode & ~bits : term->mode | bits;
        if (!*at) return;
        if (*at != ',') applet_diex(1, "invalid mode %s", quoted(argument));
    }
    (void)word;
}

/* -newermt '2024-01-01', -neweraB FILE and the like: X is this file's clock, Y the reference's, t a date. */
static bool read_newer_pair(struct find_term *term, const char *word, const char *argument) {
    static const char clocks[] = "mac";
    const char *own = strchr(clocks, word[6]), *other = strchr(clocks, word[7]);
    if (!own || (!other && word[7] != 't')) return false;
    term->run = find_newer;
    term->clock = (enum find_clock)(own - clocks);
    if (other) read_reference(term, word, argument, (enum find_clock)(other - clocks));
    else if (!date_from_text(argument, find.now, &term->time)) applet_diex(1, "I cannot figure out how to interpret %s as a date or time", quoted(argument));
    return true;
}

/* The words that only set something for the whole search. */
static bool is_setting(struct find_term *term, const char *word) {
    if (!strcmp(word, "-depth") || !strcmp(word, "-d")) find.depth_first = true;
    else if (!strcmp(word, "-xdev") || !strcmp(word, "-mount")) find.same_device = true;
    else if (!strcmp(word, "-follow")) find.links = WALK_ALL_LINKS;
    else if (!strcmp(word, "-daystart")) find.now.tv_sec += 86400 - find.now.tv_sec % 86400, find.now.tv_nsec = 0;
    else if (strcmp(word, "-noleaf") && strcmp(word, "-warn") && strcmp(word, "-nowarn") && strcmp(word, "-ignore_readdir_race")) return false;
    term->run = run_true;
    return true;
}

bool find_primary(struct find_term *term, const char *word, int argc, char **argv, int *next) {
    if (is_setting(term, word)) return true;
    if (!strcmp(word, "-exec") || !strcmp(word, "-execdir") || !strcmp(word, "-ok") || !strcmp(word, "-okdir"))
        applet_diex(1, "%s: programs cannot be run from here; use -delete, -ls or -printf, or pipe -print0 into a shell", word);
    bool newer_pair = !strncmp(word, "-newer", 6) && word[6] && word[7] && !word[8];
    const struct word *found = NULL;
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        if (!strcmp(words[i].name, word)) found = &words[i];
    }
    if (!found && !newer_pair) return false;
    const char *argument = NULL;
    if (newer_pair || found->reading != NOTHING) {
        if (*next >= argc) applet_diex(1, "missing argument to `%s'", word);
        argument = argv[(*next)++];
    }
    if (newer_pair) return read_newer_pair(term, word, argument);
    term->run = found->run;
    find.acts |= found->acts && found->run != run_quit;
    if (found->run == find_delete) find.depth_first = true;
    switch (found->reading) {
        case NOTHING: break;
        case TEXT: term->text = argument, term->fold_case = found->detail; break;
        case TYPES: read_types(term, word, argument); break;
        case SIZE: read_size(term, word, argument); break;
        case NUMBER: {
            const char *rest = take_number(term, argument);
            if (!rest || *rest || term->number != floor(term->number)) reject(argument, word);
            term->unit = found->detail;
            break;
        }
        case DAYS:
        case MINUTES: {
            const char *rest = take_number(term, argument);
            if (!rest || *rest) reject(argument, word);
            term->unit = found->reading == DAYS ? 86400 : 60;
            term->clock = (enum find_clock)found->detail;
            break;
        }
        case REFERENCE:
            read_reference(term, word, argument, FIND_MODIFIED);
            term->clock = (enum find_clock)found->detail;
            break;
        case FILE_REFERENCE: read_reference(term, word, argument, FIND_MODIFIED); break;
        case DEPTH: {
            char *end;
            long depth = strtol(argument, &end, 10);
            if (!*argument || *end || depth < 0 || *argument == '+')
                applet_diex(1, "Expected a positive decimal integer argument to %s, but got %s", word, quoted(argument));
            if (depth > 1000000000) depth = 1000000000;
            if (found->detail) find.maximum_depth = (int)depth;
            else find.minimum_depth = (int)depth;
            break;
        }
        case MODE: read_mode(term, word, argument); break;
        case OWNER: {
            char *end;
            term->number = (double)strtoul(argument, &end, 10);
            if (!strcmp(argument, "root")) term->number = 0;
            else if (!*argument || *end) applet_diex(1, "%s is not the name of %s", quoted(argument), found->detail ? "an existing group" : "a known user");
            term->unit = found->detail;
        }
    }
    return true;
}
