/* ls: entries on lines, in columns, and in the long format. */
#include <dirent.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#ifndef __wasi__
#include <sys/sysmacros.h>
#endif

#include "allocate.h"
#include "file_mode.h"
#include "ls.h"

static size_t widest(size_t width, const char *text) {
    size_t length = strlen(text);
    return length > width ? length : width;
}

void ls_column_widths(const struct ls_entry *entries, size_t count, size_t *inode_width, size_t *blocks_width) {
    char text[24];
    *inode_width = *blocks_width = 0;
    for (size_t i = 0; i < count; i++) {
        sprintf(text, "%llu", entries[i].inode);
        *inode_width = widest(*inode_width, text);
        ls_size_text(file_blocks(&entries[i].status) * 512, true, text);
        *blocks_width = widest(*blocks_width, text);
    }
}

void ls_print_total(const struct ls_entry *entries, size_t count) {
    unsigned long long blocks = 0;
    char text[24];
    for (size_t i = 0; i < count; i++) blocks += file_blocks(&entries[i].status);
    ls_size_text(blocks * 512, true, text);
    printf("total %s%c", text, ls.end_of_line);
}

/* Moves the cursor from one column to another, with tabs where they reach. */
static void indent(size_t from, size_t to) {
    while (from < to) {
        /* A single space never becomes a tab, unless another tab follows. */
        bool tab = ls.tab_size && to / ls.tab_size > (from + 1) / ls.tab_size;
        putchar(tab ? '\t' : ' ');
        from += tab ? ls.tab_size - from % ls.tab_size : 1;
    }
}

static void print_columns(struct ls_entry *entries, size_t count, size_t inode_width, size_t blocks_width) {
    size_t limit = ls.width ? ls.width / 3 : count, columns = 1, rows = count;
    if (limit > count || !limit) limit = limit ? count : 1;
    size_t *widths = allocate(sizeof *widths * limit);
    for (columns = limit; columns >= 1; columns--) {
        size_t total = 0;
        rows = (count + columns - 1) / columns;
        for (size_t i = 0; i < columns; i++) widths[i] = 3;
        for (size_t i = 0; i < count; i++) {
            size_t column = ls.format == LS_VERTICAL ? i / rows : i % columns;
            size_t width = entries[i].width + (column == columns - 1 ? 0 : 2);
            if (width > widths[column]) widths[column] = width;
        }
        for (size_t i = 0; i < columns; i++) total += widths[i];
        if (columns == 1 || !ls.width || total < ls.width) break;
    }
    for (size_t row = 0; row < rows; row++) {
        size_t start = 0, at = 0;
        for (size_t column = 0; column < columns; column++) {
            size_t index = ls.format == LS_VERTICAL ? column * rows + row : row * columns + column;
            if (index >= count) break;
            indent(at, start);
            ls_print_name(&entries[index], inode_width, blocks_width);
            at = start + entries[index].width;
            start += widths[column];
        }
        putchar(ls.end_of_line);
    }
    free(widths);
}

static void print_commas(struct ls_entry *entries, size_t count, size_t inode_width, size_t blocks_width) {
    size_t at = 0;
    for (size_t i = 0; i < count; i++) {
        size_t width = entries[i].width;
        if (i) {
            bool fits = !ls.width || (at + width + 2 < ls.width);
            putchar(',');
            putchar(fits ? ' ' : ls.end_of_line);
            at = fits ? at + 2 : 0;
        }
        ls_print_name(&entries[i], inode_width, blocks_width);
        at += width;
    }
    if (count) putchar(ls.end_of_line);
}

static void owner_text(unsigned id, bool is_group, char text[40]) {
    const char *name = NULL;
#ifndef __wasi__
    if (!ls.numeric && !is_group && getpwuid(id)) name = getpwuid(id)->pw_name;
    if (!ls.numeric && is_group && getgrgid(id)) name = getgrgid(id)->gr_name;
#else
    (void)is_group;
    if (!ls.numeric && id == 0) name = "root";
#endif
    if (name) snprintf(text, 40, "%s", name);
    else snprintf(text, 40, "%u", id);
}

static void time_text(struct timespec when, char *text, size_t size) {
    /* Half a Gregorian year back, and nothing in the future, counts as recent. */
    bool recent = when.tv_sec <= ls.now && when.tv_sec > ls.now - 31556952 / 2;
    const char *format = recent ? ls.recent_format : ls.time_format;
    const struct tm *fields = localtime(&when.tv_sec);
    char pattern[128];
    snprintf(pattern, sizeof pattern, "%s", format);
    char *nanoseconds = strstr(pattern, "%N");
    if (nanoseconds) {
        char rest[128];
        snprintf(rest, sizeof rest, "%s", nanoseconds + 2);
        snprintf(nanoseconds, sizeof pattern - (size_t)(nanoseconds - pattern), "%09ld%s", (long)when.tv_nsec, rest);
    }
    *text = 0;
    if (!fields || !strftime(text, size, pattern, fields)) snprintf(text, size, "%lld", (long long)when.tv_sec);
}

static struct { size_t links, owner, group, size, inode, blocks; } columns;

static void size_or_device(const struct stat *status, char text[32]) {
    if (!S_ISCHR(status->st_mode) && !S_ISBLK(status->st_mode)) {
        ls_size_text((unsigned long long)status->st_size, false, text);
        return;
    }
#ifdef __wasi__
    strcpy(text, "0, 0"); /* WASI does not number its devices. */
#else
    sprintf(text, "%u, %u", (unsigned)major(status->st_rdev), (unsigned)minor(status->st_rdev));
#endif
}

void ls_measure_long(const struct ls_entry *entries, size_t count) {
    char text[40];
    memset(&columns, 0, sizeof columns);
    ls_column_widths(entries, count, &columns.inode, &columns.blocks);
    for (size_t i = 0; i < count; i++) {
        const struct stat *status = &entries[i].status;
        if (!entries[i].has_status) {
            columns.links = widest(columns.links, "?"), columns.owner = widest(columns.owner, "?");
            columns.group = widest(columns.group, "?"), columns.size = widest(columns.size, "?");
            continue;
        }
        sprintf(text, "%llu", (unsigned long long)status->st_nlink);
        columns.links = widest(columns.links, text);
        owner_text(file_owner(status), false, text);
        columns.owner = widest(columns.owner, text);
        owner_text(file_group(status), true, text);
        columns.group = widest(columns.group, text);
        size_or_device(status, text);
        columns.size = widest(columns.size, text);
    }
}

static void print_long(const struct ls_entry *entries, size_t count) {
    char owner[40], group[40], size[32], mode[11], time[160];
    for (size_t i = 0; i < count; i++) {
        const struct ls_entry *entry = &entries[i];
        const struct stat *status = &entry->status;
        char blocks[24];
        if (ls.inode) printf("%*llu ", (int)columns.inode, entry->inode);
        if (ls.blocks) {
            ls_size_text(file_blocks(status) * 512, true, blocks);
            printf("%*s ", (int)columns.blocks, blocks);
        }
        if (entry->has_status) {
            mode_string(file_mode(status), mode);
            owner_text(file_owner(status), false, owner);
            owner_text(file_group(status), true, group);
            size_or_device(status, size);
            time_text(ls_entry_time(entry), time, sizeof time);
            printf("%s %*llu ", mode, (int)columns.links, (unsigned long long)status->st_nlink);
            if (!ls.no_owner) printf(ls.numeric ? "%*s " : "%-*s ", (int)columns.owner, owner);
            if (!ls.no_group) printf(ls.numeric ? "%*s " : "%-*s ", (int)columns.group, group);
            printf("%*s %s ", (int)columns.size, size, time);
        } else {
            printf("%c????????? %*s ", entry->type == DT_DIR ? 'd' : entry->type == DT_LNK ? 'l' : entry->type == DT_REG ? '-' : '?', (int)columns.links, "?");
            if (!ls.no_owner) printf("%-*s ", (int)columns.owner, "?");
            if (!ls.no_group) printf("%-*s ", (int)columns.group, "?");
            printf("%*s %12s ", (int)columns.size, "?", "?");
        }
        ls_print_shown(entry);
        putchar(ls.end_of_line);
    }
}

void ls_print_entries(struct ls_entry *entries, size_t count, bool directory) {
    size_t inode_width = 0, blocks_width = 0;
    if (directory && (ls.format == LS_LONG || ls.blocks)) ls_print_total(entries, count);
    if (ls.format == LS_LONG) {
        if (directory) ls_measure_long(entries, count);
        print_long(entries, count);
        return;
    }
    if (ls.format != LS_COMMAS) ls_column_widths(entries, count, &inode_width, &blocks_width);
    if (ls.format == LS_ONE_PER_LINE) {
        for (size_t i = 0; i < count; i++) {
            ls_print_name(&entries[i], inode_width, blocks_width);
            putchar(ls.end_of_line);
        }
        return;
    }
    for (size_t i = 0; i < count; i++) {
        struct ls_entry *entry = &entries[i];
        char text[24];
        entry->width = ls_text_width(entry->shown);
        sprintf(text, "%llu", entry->inode);
        if (ls.inode) entry->width += (inode_width ? inode_width : strlen(text)) + 1;
        ls_size_text(file_blocks(&entry->status) * 512, true, text);
        if (ls.blocks) entry->width += (blocks_width ? blocks_width : strlen(text)) + 1;
        bool marked = entry->type == DT_DIR ? ls.indicator != LS_NO_INDICATOR
                      : entry->type == DT_REG ? ls.indicator == LS_CLASSIFY && entry->has_status && (file_mode(&entry->status) & 0111)
                                              : ls.indicator >= LS_FILE_TYPE && entry->type != DT_CHR && entry->type != DT_BLK;
        entry->width += marked;
    }
    if (ls.format == LS_COMMAS) print_commas(entries, count, inode_width, blocks_width);
    else if (count) print_columns(entries, count, inode_width, blocks_width);
}
