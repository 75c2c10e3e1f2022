/* find: its actions. */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "allocate.h"
#include "directory_list.h"
#include "file_mode.h"
#include "find.h"
#include "path_text.h"
#include "quote_name.h"

bool find_print(const struct find_term *term, struct walk_node *node) { return (void)term, puts(node->path), true; }

bool find_print0(const struct find_term *term, struct walk_node *node) {
    (void)term;
    fputs(node->path, stdout);
    putchar(0);
    return true;
}

bool find_delete(const struct find_term *term, struct walk_node *node) {
    struct stat status;
    (void)term;
    if (!strcmp(node->path, ".")) return true;
    bool directory = !lstat(node->path, &status) && S_ISDIR(status.st_mode);
    if (!(directory ? path_remove_directory(node->path) : unlink(node->path))) return true;
    applet_warn("cannot delete %s", quoted(node->path));
    find.failed = true;
    return false;
}

bool find_ls(const struct find_term *term, struct walk_node *node) {
    (void)term;
    const struct stat *status = walk_status(node);
    if (!status) {
        applet_warn("%s", quoted(node->path));
        find.failed = true;
        return false;
    }
    char mode[11], time[64];
    char owner[16] = "root", group[16] = "root";
    if (file_owner(status)) snprintf(owner, sizeof owner, "%u", file_owner(status));
    if (file_group(status)) snprintf(group, sizeof group, "%u", file_group(status));
    mode_string(file_mode(status), mode);
    bool recent = status->st_mtim.tv_sec <= find.now.tv_sec && status->st_mtim.tv_sec > find.now.tv_sec - 31556952 / 2;
    strftime(time, sizeof time, recent ? "%b %e %H:%M" : "%b %e  %Y", localtime(&status->st_mtim.tv_sec));
    char *name = quote_as_c(node->path, false);
    printf("%9llu %6llu %s %3llu %-8s %-8s %8llu %s %s", (unsigned long long)status->st_ino, file_blocks(status) / 2, mode,
           (unsigned long long)status->st_nlink, owner, group, (unsigned long long)status->st_size, time, name);
    free(name);
    char *target = S_ISLNK(status->st_mode) ? read_link(node->path) : NULL;
    if (target) {
        name = quote_as_c(target, false);
        printf(" -> %s", name);
        free(name);
        free(target);
    }
    putchar('\n');
    return true;
}

/* A time as %t, %T@, %T+, or strftime's letter has it. */
static void time_text(struct timespec when, char letter, char text[128]) {
    char format[3] = {'%', letter, 0};
    char start[64] = "", end[64] = "";
    const struct tm *fields = localtime(&when.tv_sec);
    const char *before = format, *after = "";
    bool fraction = true;
    switch (letter) {
        case '@': snprintf(text, 128, "%lld.%09ld0", (long long)when.tv_sec, (long)when.tv_nsec); return;
        case 0: before = "%a %b %e %H:%M:%S", after = " %Y"; break;
        case '+': before = "%Y-%m-%d+%H:%M:%S"; break;
        case 'T':
        case 'X': before = "%H:%M:%S"; break;
        case 'S': break;
        case 'c': before = "%a %b %e %H:%M:%S", after = " %Y"; break;
        case 'r': before = "%I:%M:%S", after = " %p"; break;
        default: fraction = false;
    }
    *text = 0;
    if (!fields) return;
    strftime(start, sizeof start, before, fields);
    if (*after) strftime(end, sizeof end, after, fields);
    if (fraction) snprintf(text, 128, "%s.%09ld0%s", start, (long)when.tv_nsec, end);
    else snprintf(text, 128, "%s%s", start, end);
}

static char *directory_part(const char *path) {
    const char *slash = strrchr(path, '/');
    char *part = copy_string(slash ? path : ".");
    if (slash) part[slash - path] = 0;
    return part;
}

/* The text of one directive, a string to free; NULL if it is none. used: how many letters it took. */
static char *directive(const char *letters, struct walk_node *node, size_t *used) {
    char text[128] = "";
    const struct stat *status = NULL;
    *used = 1;
    if (strchr("sbkmMtacTACinugUGSDF", *letters) && !(status = walk_status(node))) {
        applet_warn("%s", quoted(node->path));
        find.failed = true;
        return copy_string("");
    }
    switch (*letters) {
        case 'p': return copy_string(node->path);
        case 'f': return node->depth ? copy_string(node->name) : path_base_name(node->path);
        case 'h': return directory_part(node->path);
        case 'P': return copy_string(node->path + node->root_length + (node->path[node->root_length] == '/'));
        case 'H': {
            char *root = copy_string(node->path);
            root[node->root_length] = 0;
            return root;
        }
        case 'd': sprintf(text, "%d", node->depth); break;
        case 'y': sprintf(text, "%c", find_type_letter(node->type)); break;
        case 'Y': {
            struct stat target;
            bool broken = node->type == DT_LNK && stat(node->path, &target);
            unsigned char type = broken ? DT_UNKNOWN : node->type == DT_LNK ? entry_type(target.st_mode) : node->type;
            sprintf(text, "%c", broken ? (errno == ELOOP ? 'L' : errno == ENOENT || errno == ENOTDIR ? 'N' : '?') : find_type_letter(type));
            break;
        }
        case 'l': {
            char *target = node->type == DT_LNK ? read_link(node->path) : NULL;
            return target ? target : copy_string("");
        }
        case 's': sprintf(text, "%llu", (unsigned long long)status->st_size); break;
        case 'b': sprintf(text, "%llu", file_blocks(status)); break;
        case 'k': sprintf(text, "%llu", (file_blocks(status) + 1) / 2); break;
        case 'm': sprintf(text, "%o", file_mode(status) & 07777); break;
        case 'M': mode_string(file_mode(status), text); break;
        case 'i': sprintf(text, "%llu", (unsigned long long)status->st_ino); break;
        case 'n': sprintf(text, "%llu", (unsigned long long)status->st_nlink); break;
        case 'D': sprintf(text, "%llu", (unsigned long long)status->st_dev); break;
        case 'U': sprintf(text, "%u", file_owner(status)); break;
        case 'G': sprintf(text, "%u", file_group(status)); break;
        case 'u':
        case 'g': {
            unsigned id = *letters == 'u' ? file_owner(status) : file_group(status);
            sprintf(text, id ? "%u" : "root", id);
            break;
        }
        case 'S': sprintf(text, "%g", status->st_size ? (double)file_blocks(status) * 512 / (double)status->st_size : 1.0); break;
        case 'F': strcpy(text, "unknown"); break;
        case 't':
        case 'a':
        case 'c':
        case 'T':
        case 'A':
        case 'C': {
            bool single = *letters >= 'a';
            char kind = single ? *letters : (char)(*letters + 'a' - 'A');
            if (!single && !letters[1]) return NULL;
            time_text(find_time_of(status, kind == 'a' ? FIND_ACCESSED : kind == 'c' ? FIND_CHANGED : FIND_MODIFIED), single ? 0 : letters[1], text);
            *used = single ? 1 : 2;
            break;
        }
        default: return NULL;
    }
    return copy_string(text);
}

/* Prints the escape after a backslash; NULL after \c, which ends the output of this format. */
static const char *print_escape(const char *at) {
    static const char letters[] = "abfnrtv\\", values[] = "\a\b\f\n\r\t\v\\";
    const char *known = *at ? strchr(letters, *at) : NULL;
    if (known) {
        putchar(values[known - letters]);
    } else if (*at == 'c') {
        return NULL;
    } else if (*at >= '0' && *at <= '7') {
        int value = 0;
        for (int i = 0; i < 3 && *at >= '0' && *at <= '7'; i++) value = value * 8 + *at++ - '0';
        putchar(value);
        return at;
    } else {
        putchar('\\');
        return at;
    }
    return at + 1;
}

bool find_printf(const struct find_term *term, struct walk_node *node) {
    for (const char *at = term->text; *at;) {
        if (*at == '\\') {
            at = print_escape(at + 1);
            if (!at) break;
            continue;
        }
        if (*at != '%') {
            putchar(*at++);
            continue;
        }
        const char *start = at++;
        bool left = false;
        for (; *at && strchr("-+ #0", *at); at++) left |= *at == '-';
        int width = *at >= '0' && *at <= '9' ? (int)strtol(at, (char **)&at, 10) : 0, precision = -1;
        if (*at == '.') precision = (int)strtol(at + 1, (char **)&at, 10);
        size_t used = 1;
        char *text = *at && *at != '%' ? directive(at, node, &used) : NULL;
        if (text) {
            printf(left ? "%-*.*s" : "%*.*s", width, precision < 0 ? (int)strlen(text) : precision, text);
            at += used;
        } else if (*at == '%') {
            putchar('%');
            at++;
        } else {
            printf("%.*s", (int)(at - start) + (*at != 0), start);
            at += *at != 0;
        }
        free(text);
    }
    return true;
}
