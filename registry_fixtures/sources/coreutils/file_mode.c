/* Modes, owners and blocks, which WASI does not have: what its file type lets one say. */
#include "file_mode.h"

#include <string.h>

unsigned file_mode(const struct stat *status) {
#ifdef __wasi__
    unsigned type = status->st_mode & S_IFMT;
    unsigned permissions = status->st_mode & 07777;
    if (permissions) return type | permissions;
    if (type == S_IFDIR) return type | 0755;
    if (type == S_IFLNK) return type | 0777;
    if (type == S_IFREG || !type) return S_IFREG | 0644;
    return type | 0666;
#else
    return status->st_mode;
#endif
}

void mode_string(unsigned mode, char text[11]) {
    static const struct { unsigned type; char letter; } letters[] = {
        {S_IFREG, '-'}, {S_IFDIR, 'd'}, {S_IFLNK, 'l'}, {S_IFCHR, 'c'}, {S_IFBLK, 'b'}, {S_IFIFO, 'p'}, {S_IFSOCK, 's'},
    };
    text[0] = '?';
    for (size_t i = sizeof letters / sizeof *letters; i-- > 0;) {
        if ((mode & S_IFMT) == letters[i].type) text[0] = letters[i].letter;
    }
    for (int bit = 0; bit < 9; bit++) text[1 + bit] = mode & (0400u >> bit) ? "rwx"[bit % 3] : '-';
    if (mode & 04000) text[3] = mode & 0100 ? 's' : 'S';
    if (mode & 02000) text[6] = mode & 0010 ? 's' : 'S';
    if (mode & 01000) text[9] = mode & 0001 ? 't' : 'T';
    text[10] = 0;
}

unsigned long long file_blocks(const struct stat *status) {
#ifdef __wasi__
    if (!S_ISREG(status->st_mode) && !S_ISDIR(status->st_mode)) return 0;
    return ((unsigned long long)status->st_size + 4095) / 4096 * 8;
#else
    return (unsigned long long)status->st_blocks;
#endif
}

const char *file_type_name(const struct stat *status) {
    switch (file_mode(status) & S_IFMT) {
        case S_IFREG: return status->st_size ? "regular file" : "regular empty file";
        case S_IFDIR: return "directory";
        case S_IFLNK: return "symbolic link";
        case S_IFCHR: return "character special file";
        case S_IFBLK: return "block special file";
        case S_IFIFO: return "fifo";
        case S_IFSOCK: return "socket";
        default: return "weird file";
    }
}

bool same_file(const struct stat *left, const struct stat *right) {
    /* Some hosts number files per mount and call every mount device 0, so the rest has to agree too. */
    return left->st_ino && left->st_ino == right->st_ino && left->st_dev == right->st_dev &&
           left->st_size == right->st_size && left->st_mode == right->st_mode &&
           left->st_mtim.tv_sec == right->st_mtim.tv_sec && left->st_mtim.tv_nsec == right->st_mtim.tv_nsec;
}

unsigned file_owner(const struct stat *status) { return status->st_uid; }
unsigned file_group(const struct stat *status) { return status->st_gid; }
