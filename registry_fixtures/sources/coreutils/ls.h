/* What the parts of ls share: its settings, its entries, and who prints them. */
#ifndef LS_H
#define LS_H
#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>
#include <time.h>

enum ls_format { LS_ONE_PER_LINE, LS_LONG, LS_VERTICAL, LS_HORIZONTAL, LS_COMMAS };
enum ls_sort { LS_BY_NAME, LS_BY_SIZE, LS_BY_TIME, LS_BY_EXTENSION, LS_BY_VERSION, LS_BY_WIDTH, LS_UNSORTED };
enum ls_time { LS_MODIFIED, LS_ACCESSED, LS_CHANGED };
enum ls_quoting { LS_LITERAL, LS_SHELL, LS_C_QUOTED, LS_C_ESCAPED };
enum ls_indicator { LS_NO_INDICATOR, LS_SLASH, LS_FILE_TYPE, LS_CLASSIFY };
enum ls_links { LS_LINKS_AS_THEY_ARE, LS_FOLLOW_COMMAND_LINE, LS_FOLLOW_ALL, LS_FOLLOW_COMMAND_LINE_DIRECTORIES };

struct ls_settings {
    enum ls_format format;
    enum ls_sort sort;
    enum ls_time time;
    enum ls_quoting quoting;
    enum ls_indicator indicator;
    enum ls_links links;
    bool all, almost_all, reverse, recursive, directory, directories_first, color, hide_control;
    bool inode, blocks, human, numeric, no_owner, no_group, terminal, ignore_backups, scaled;
    unsigned human_base;
    unsigned long long block_size; /* of -s and "total" */
    char block_unit[4];            /* printed behind a size in blocks, when only a unit was given */
    const char *time_format;       /* strftime's, or NULL for the two of the locale */
    const char *recent_format;
    size_t width, tab_size;
    char end_of_line;
    const char **ignored;
    size_t ignored_count;
    time_t now;
};
extern struct ls_settings ls;

struct ls_entry {
    char *name;
    char *shown; /* the name, quoted as asked */
    struct stat status;
    unsigned char type; /* DT_* */
    unsigned char target_type; /* of a link, when known */
    bool has_status, dangling, owns_name;
    char *target; /* of a link, for -l */
    unsigned long long inode;
    size_t width; /* of what is shown, indicator included, without the columns before it */
};

/* Fills the entry from the filesystem as far as the settings need it; false (after a message) if it is not there. An
   operand then shows nothing, but a name found in a directory is listed all the same. */
bool ls_examine(struct ls_entry *entry, const char *path, bool command_line);
void ls_sort_entries(struct ls_entry *entries, size_t count);
void ls_free_entries(struct ls_entry *entries, size_t count);
/* Prints the entries in the chosen format; directory says whether they are one's contents ("total"). */
void ls_print_entries(struct ls_entry *entries, size_t count, bool directory);
/* Makes the long format's columns wide enough for these entries, until the next call. */
void ls_measure_long(const struct ls_entry *entries, size_t count);
void ls_print_total(const struct ls_entry *entries, size_t count);
/* Prints -i's and -s's columns, the name in its color and its indicator. */
void ls_print_name(const struct ls_entry *entry, size_t inode_width, size_t blocks_width);
void ls_print_shown(const struct ls_entry *entry);
void ls_column_widths(const struct ls_entry *entries, size_t count, size_t *inode_width, size_t *blocks_width);
/* Writes the size, or blocks, as -h, --si and --block-size have it. */
void ls_size_text(unsigned long long bytes, bool in_blocks, char text[24]);
/* The name quoted as the settings say: a string to free. */
char *ls_shown_name(const char *name);
/* Whether LS_COLORS shows links to nothing in a color of their own, so that links must be followed to see. */
bool ls_colors_orphans(void);
/* Columns that the text takes on a terminal. */
size_t ls_text_width(const char *text);
struct timespec ls_entry_time(const struct ls_entry *entry);
#endif
