/* stat: one file's line in a format. */
#include "stat_format.h"

#include <stdio.h>
#include <time.h>
#ifndef __wasi__
#include <grp.h>
#include <pwd.h>
#include <sys/sysmacros.h>
#endif

#include "allocate.h"
#include "file_mode.h"
#include "path_text.h"
#include "quote_name.h"

const char *stat_time_text(struct timespec when) {
    static char text[80];
    char date[40], zone[16];
    const struct tm *fields = localtime(&when.tv_sec);
    if (!fields || !strftime(date, sizeof date, "%Y-%m-%d %H:%M:%S", fields)) {
        snprintf(text, sizeof text, "%lld.%09ld", (long long)when.tv_sec, (long)when.tv_nsec);
        return text;
    }
    strftime(zone, sizeof zone, "%z", fields);
    snprintf(text, sizeof text, "%s.%09ld %s", date, (long)when.tv_nsec, zone);
    return text;
}

/* What stands between % and the letter of a directive. */
struct field {
    char flags[8];
    int width, precision; /* -1 when not given */
};

static void print_text(const struct field *field, const char *text) {
    char format[24];
    const char *minus = strchr(field->flags, '-') ? "-" : "";
    snprintf(format, sizeof format, "%%%s*.*s", minus);
    printf(format, field->width < 0 ? 0 : field->width, field->precision < 0 ? (int)strlen(text) : field->precision, text);
}

static void print_number(const struct field *field, unsigned long long value, const char *conversion) {
    char format[24];
    snprintf(format, sizeof format, "%%%s*.*ll%s", field->flags, conversion);
    printf(format, field->width < 0 ? 0 : field->width, field->precision, value);
}

/* Seconds since the epoch, with as many digits behind the point as the precision says. */
static void print_seconds(const struct field *field, struct timespec when, bool has_precision) {
    char text[48];
    int digits = !has_precision ? 0 : field->precision < 0 ? 9 : field->precision > 9 ? 9 : field->precision;
    long fraction = when.tv_nsec;
    for (int i = digits; i < 9; i++) fraction /= 10;
    if (digits) snprintf(text, sizeof text, "%lld.%0*ld", (long long)when.tv_sec, digits, fraction);
    else snprintf(text, sizeof text, "%lld", (long long)when.tv_sec);
    struct field plain = *field;
    plain.precision = -1;
    print_text(&plain, text);
}

static void owner_name(unsigned id, bool group, char text[64]) {
    const char *name = id ? NULL : "root";
#ifndef __wasi__
    if (group && getgrgid(id)) name = getgrgid(id)->gr_name;
    if (!group && getpwuid(id)) name = getpwuid(id)->pw_name;
#else
    (void)group;
#endif
    snprintf(text, 64, "%s", name ? name : "UNKNOWN");
}

static void device_numbers(dev_t device, unsigned *high, unsigned *low) {
#ifdef __wasi__
    *high = (unsigned)((unsigned long long)device >> 8);
    *low = (unsigned)(device & 0xff);
#else
    *high = major(device);
    *low = minor(device);
#endif
}

/* The name, and where a link leads. */
static void print_quoted(const struct field *field, const char *path, const struct stat *status) {
    char *target = S_ISLNK(status->st_mode) ? read_link(path) : NULL;
    char *text = copy_string(quoted(path));
    if (target) {
        const char *quoted_target = quoted(target);
        text = reallocate(text, strlen(text) + strlen(quoted_target) + 5, 1);
        strcat(strcat(text, " -> "), quoted_target);
    }
    print_text(field, text);
    free(text);
    free(target);
}

static void print_directive(const struct field *field, const char *letters, bool has_precision, const char *path, const struct stat *status) {
    unsigned mode = file_mode(status), high, low;
    char text[64];
    switch (*letters) {
        case 'a': print_number(field, mode & 07777, "o"); break;
        case 'A':
            mode_string(mode, text);
            print_text(field, text);
            break;
        case 'b': print_number(field, file_blocks(status), "u"); break;
        case 'B': print_number(field, 512, "u"); break;
        case 'C': print_text(field, "?"); break;
        case 'd': print_number(field, (unsigned long long)status->st_dev, "u"); break;
        case 'D': print_number(field, (unsigned long long)status->st_dev, "x"); break;
        case 'f': print_number(field, mode, "x"); break;
        case 'F': print_text(field, file_type_name(status)); break;
        case 'g': print_number(field, file_group(status), "u"); break;
        case 'G':
            owner_name(file_group(status), true, text);
            print_text(field, text);
            break;
        case 'u': print_number(field, file_owner(status), "u"); break;
        case 'U':
            owner_name(file_owner(status), false, text);
            print_text(field, text);
            break;
        case 'h': print_number(field, (unsigned long long)status->st_nlink, "u"); break;
        case 'i': print_number(field, (unsigned long long)status->st_ino, "u"); break;
        case 'm': print_text(field, "/"); break;
        case 'n': print_text(field, path); break;
        case 'N': print_quoted(field, path, status); break;
        case 'o': print_number(field, status->st_blksize > 0 ? (unsigned long long)status->st_blksize : 4096, "u"); break;
        case 's': print_number(field, (unsigned long long)status->st_size, "u"); break;
        case 'r': print_number(field, (unsigned long long)status->st_rdev, "u"); break;
        case 'R': print_number(field, (unsigned long long)status->st_rdev, "x"); break;
        case 't':
        case 'T':
            device_numbers(status->st_rdev, &high, &low);
            print_number(field, *letters == 't' ? high : low, "x");
            break;
        case 'w': print_text(field, "-"); break;
        case 'W': print_text(field, "0"); break;
        case 'x': print_text(field, stat_time_text(status->st_atim)); break;
        case 'X': print_seconds(field, status->st_atim, has_precision); break;
        case 'y': print_text(field, stat_time_text(status->st_mtim)); break;
        case 'Y': print_seconds(field, status->st_mtim, has_precision); break;
        case 'z': print_text(field, stat_time_text(status->st_ctim)); break;
        case 'Z': print_seconds(field, status->st_ctim, has_precision); break;
        case 'H':
        case 'L':
            device_numbers(letters[1] == 'r' ? status->st_rdev : status->st_dev, &high, &low);
            print_number(field, *letters == 'H' ? high : low, "u");
            break;
        default: print_text(field, "?");
    }
}

static const char *print_escape(const char *at) {
    static const char letters[] = "abefnrtv\\\"", values[] = "\a\b\033\f\n\r\t\v\\\"";
    const char *known = *at ? strchr(letters, *at) : NULL;
    if (known) {
        putchar(values[known - letters]);
        return at + 1;
    }
    if (*at >= '0' && *at <= '7') {
        int value = 0;
        for (int i = 0; i < 3 && *at >= '0' && *at <= '7'; i++) value = value * 8 + *at++ - '0';
        putchar(value);
        return at;
    }
    if (*at == 'x') {
        char *end, digits[3] = {at[1], at[1] ? at[2] : 0, 0};
        long value = strtol(digits, &end, 16);
        if (end > digits) {
            putchar((int)value);
            return at + 1 + (end - digits);
        }
    }
    if (!*at) {
        applet_warnx("warning: backslash at end of format");
        putchar('\\');
        return at;
    }
    applet_warnx("warning: unrecognized escape '\\%c'", *at);
    putchar(*at);
    return at + 1;
}

void stat_print(const char *format, bool escapes, const char *path, const struct stat *status) {
    for (const char *at = format; *at;) {
        if (*at == '\\' && escapes) {
            at = print_escape(at + 1);
            continue;
        }
        if (*at != '%') {
            putchar(*at++);
            continue;
        }
        const char *start = at++;
        struct field field = {.width = -1, .precision = -1};
        size_t flags = strspn(at, "-+ #0'");
        snprintf(field.flags, sizeof field.flags, "%.*s", (int)flags, at);
        for (char *quote; (quote = strchr(field.flags, '\''));) memmove(quote, quote + 1, strlen(quote));
        at += flags;
        bool has_precision = false;
        if (*at >= '0' && *at <= '9') field.width = (int)strtol(at, (char **)&at, 10);
        if (*at == '.') {
            has_precision = true;
            at++;
            if (*at >= '0' && *at <= '9') field.precision = (int)strtol(at, (char **)&at, 10);
        }
        if (*at == '%' || !*at) {
            if (at > start + 1) applet_diex(1, "%.*s: invalid directive", (int)(at - start) + (*at == '%'), quoted(start));
            putchar('%');
            at += *at == '%';
            continue;
        }
        char letters[3] = {at[0], at[0] == 'H' || at[0] == 'L' ? at[1] : 0, 0};
        bool pair = letters[1] == 'd' || letters[1] == 'r';
        if ((*at == 'H' || *at == 'L') && !pair) *letters = '?';
        print_directive(&field, letters, has_precision, path, status);
        at += pair ? 2 : 1;
    }
}
