/* ls: names as they are shown, with their quotes, colors and indicators. */
#include <dirent.h>
#include <stdio.h>

#include "allocate.h"
#include "file_mode.h"
#include "human_size.h"
#include "ls.h"
#include "quote_name.h"

char *ls_shown_name(const char *name) {
    char *shown;
    switch (ls.quoting) {
        case LS_SHELL: return quote_if_needed(name);
        case LS_C_QUOTED: return quote_as_c(name, true);
        case LS_C_ESCAPED: return quote_as_c(name, false);
        default: shown = copy_string(name);
    }
    for (char *at = shown; *at && ls.hide_control; at++) {
        if ((unsigned char)*at < 0x20 || *at == 0x7f) *at = '?';
    }
    return shown;
}

size_t ls_text_width(const char *text) {
    size_t width = 0;
    for (; *text; text++) width += ((unsigned char)*text & 0xc0) != 0x80;
    return width;
}

/* Looks up "di", "ln", ... or "*.tar" in LS_COLORS; NULL when it is not there. */
static const char *color_setting(const char *key, size_t *length) {
    static const char *settings;
    if (!settings) settings = getenv("LS_COLORS") ? getenv("LS_COLORS") : "";
    size_t key_length = strlen(key);
    for (const char *at = settings; *at;) {
        size_t item = strcspn(at, ":");
        const char *equals = memchr(at, '=', item);
        bool matches = false;
        if (equals && *at == '*') {
            size_t suffix = (size_t)(equals - at) - 1;
            matches = *key == '*' && key_length - 1 >= suffix && !strncmp(key + key_length - suffix, at + 1, suffix);
        } else if (equals) {
            matches = (size_t)(equals - at) == key_length && !strncmp(at, key, key_length);
        }
        if (matches) {
            *length = item - (size_t)(equals - at) - 1;
            return equals + 1;
        }
        at += item + (at[item] == ':');
    }
    return NULL;
}

bool ls_colors_orphans(void) {
    size_t length;
    return color_setting("or", &length) || color_setting("mi", &length);
}

static bool is_executable(const struct ls_entry *entry) {
    return entry->has_status && (file_mode(&entry->status) & 0111) && entry->type == DT_REG;
}

/* The color of the entry, "" for none. */
static const char *color_of(const struct ls_entry *entry, size_t *length) {
    const char *key = "fi", *fallback = "";
    switch (entry->type) {
        case DT_DIR: key = "di", fallback = "01;34"; break;
        case DT_LNK: key = "ln", fallback = "01;36"; break;
        case DT_CHR: key = "cd", fallback = "40;33;01"; break;
        case DT_BLK: key = "bd", fallback = "40;33;01"; break;
        case DT_FIFO: key = "pi", fallback = "33"; break;
        case DT_REG:
            if (is_executable(entry)) key = "ex", fallback = "01;32";
            break;
        default: break;
    }
    const char *found = NULL;
    if (entry->dangling) found = color_setting("or", length);
    if (!found && entry->type == DT_REG && *fallback == 0) {
        char *pattern = allocate(strlen(entry->name) + 2);
        sprintf(pattern, "*%s", entry->name);
        found = color_setting(pattern, length);
        free(pattern);
    }
    if (!found) found = color_setting(key, length);
    if (!found) found = fallback, *length = strlen(fallback);
    return found;
}

static char indicator_of(const struct ls_entry *entry, unsigned char type) {
    if (type == DT_DIR) return ls.indicator ? '/' : 0;
    if (ls.indicator < LS_FILE_TYPE) return 0;
    if (type == DT_LNK) return ls.format == LS_LONG && entry->target ? 0 : '@';
    if (type == DT_FIFO) return '|';
    if (entry->has_status && S_ISSOCK(entry->status.st_mode)) return '=';
    return ls.indicator == LS_CLASSIFY && type == entry->type && is_executable(entry) ? '*' : 0;
}

void ls_print_shown(const struct ls_entry *entry) {
    static bool colored_before;
    size_t length = 0;
    const char *color = ls.color ? color_of(entry, &length) : "";
    if (length) {
        if (!colored_before) fputs("\033[0m", stdout);
        colored_before = true;
        printf("\033[%.*sm%s\033[0m", (int)length, color, entry->shown);
    } else {
        fputs(entry->shown, stdout);
    }
    char indicator = indicator_of(entry, entry->type);
    if (indicator) putchar(indicator);
    if (ls.format == LS_LONG && entry->target) {
        char *target = ls_shown_name(entry->target);
        struct ls_entry pointed = {.name = entry->target, .shown = target, .type = entry->target_type};
        fputs(" -> ", stdout);
        if (ls.color && !entry->dangling && (color = color_of(&pointed, &length), length))
            printf("\033[%.*sm%s\033[0m", (int)length, color, target);
        else fputs(target, stdout);
        indicator = indicator_of(&pointed, entry->target_type);
        if (indicator) putchar(indicator);
        free(target);
    }
}

void ls_size_text(unsigned long long bytes, bool in_blocks, char text[24]) {
    if (ls.human) human_size(bytes, ls.human_base, text);
    else if (in_blocks || ls.scaled) sprintf(text, "%llu%s", (bytes + ls.block_size - 1) / ls.block_size, ls.block_unit);
    else sprintf(text, "%llu", bytes);
}

void ls_print_name(const struct ls_entry *entry, size_t inode_width, size_t blocks_width) {
    char blocks[24];
    if (ls.inode) printf("%*llu ", (int)inode_width, entry->inode);
    if (ls.blocks) {
        ls_size_text(file_blocks(&entry->status) * 512, true, blocks);
        printf("%*s ", (int)blocks_width, blocks);
    }
    ls_print_shown(entry);
}
