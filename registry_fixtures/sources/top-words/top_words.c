/* top-words: the words that a text uses most. */
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wctype.h>

#ifndef TOP_WORDS_VERSION
#define TOP_WORDS_VERSION "1.1.0"
#endif
#ifndef TOP_WORDS_LEVEL
#define TOP_WORDS_LEVEL 1 /* 0: the first version; 1: with --json */
#endif

static const char default_stop_list[] = "/usr/share/words/stop-words.txt";

static const char help[] =
    "Usage: top-words [OPTION]... [FILE]...\n"
    "Print the words that the FILEs (or standard input) use most, each with how often,\n"
    "leaving out the stop words of " "/usr/share/words/stop-words.txt.\n\n"
    "  -n N            print N words (default 10; 0: all of them)\n"
    "  -a, --all       leave out no stop words\n"
    "  -s, --stop FILE leave out the words of FILE instead\n"
    "  -m LENGTH       only words of at least LENGTH characters (default 2)\n"
#if TOP_WORDS_LEVEL >= 1
    "  -j, --json      print one JSON object of words and counts\n"
#endif
    "      --help      display this help and exit\n"
    "      --version   output version information and exit\n";

enum { LONGEST = 256, BLOCK = 1 << 16 };

struct word {
    char *text;
    uint32_t hash;
    bool stop;
    uint64_t times;
};

static struct word *table; /* open addressing; text is null where nothing is */
static size_t room, used;

_Noreturn static void die(const char *what, const char *why)
{
    fflush(stdout);
    fprintf(stderr, "top-words: %s: %s\n", what, why);
    exit(1);
}

static void grow(void)
{
    size_t old_room = room;
    struct word *old = table;
    room = room > 0 ? room * 2 : 4096;
    table = calloc(room, sizeof *table);
    if (table == NULL)
        die("words", "memory exhausted");
    for (size_t i = 0; i < old_room; i++) {
        if (old[i].text == NULL)
            continue;
        size_t slot = old[i].hash & (room - 1);
        while (table[slot].text != NULL)
            slot = (slot + 1) & (room - 1);
        table[slot] = old[i];
    }
    free(old);
}

static struct word *find_word(const char *text, size_t length)
{
    uint32_t hash = 2166136261u;
    for (size_t i = 0; i < length; i++)
        hash = (hash ^ (unsigned char)text[i]) * 16777619u;
    hash ^= hash >> 16;
    if (used * 4 >= room * 3)
        grow();
    size_t slot = hash & (room - 1);
    for (; table[slot].text != NULL; slot = (slot + 1) & (room - 1))
        if (table[slot].hash == hash && strncmp(table[slot].text, text, length) == 0 && table[slot].text[length] == '\0')
            return &table[slot];
    char *copy = malloc(length + 1);
    if (copy == NULL)
        die("words", "memory exhausted");
    memcpy(copy, text, length);
    copy[length] = '\0';
    table[slot] = (struct word){.text = copy, .hash = hash};
    used++;
    return &table[slot];
}

/* Text comes in pieces; a word, and even a character, may go on in the next one. */
struct splitter {
    char word[LONGEST + 8];
    size_t length, characters;
    bool apostrophe; /* it belongs to the word only if a letter follows */
    uint32_t point;
    int missing; /* bytes of the character that are still to come */
    size_t least;
    bool stops; /* what is read is the stop list */
};

static void end_word(struct splitter *splitter)
{
    if (splitter->length > 0 && splitter->length <= LONGEST && splitter->characters >= splitter->least) {
        struct word *word = find_word(splitter->word, splitter->length);
        if (splitter->stops)
            word->stop = true;
        else
            word->times++;
    }
    splitter->length = splitter->characters = 0;
    splitter->apostrophe = false;
}

static void put_byte(struct splitter *splitter, uint32_t byte)
{
    if (splitter->length <= LONGEST)
        splitter->word[splitter->length++] = (char)byte;
}

static void take_character(struct splitter *splitter, uint32_t point)
{
    if (point == 0x2019)
        point = '\'';
    if (point == '\'' && splitter->length > 0 && !splitter->apostrophe) {
        splitter->apostrophe = true;
        return;
    }
    bool letter = point < 0x80 ? (point | 32) - 'a' < 26 : iswalpha((wint_t)point) != 0;
    if (!letter) {
        end_word(splitter);
        return;
    }
    if (splitter->apostrophe) {
        put_byte(splitter, '\'');
        splitter->apostrophe = false;
        splitter->characters++;
    }
    point = point < 0x80 ? point | 32 : (uint32_t)towlower((wint_t)point);
    splitter->characters++;
    if (point < 0x80) {
        put_byte(splitter, point);
    } else if (point < 0x800) {
        put_byte(splitter, 0xc0 | point >> 6);
        put_byte(splitter, 0x80 | (point & 0x3f));
    } else {
        if (point < 0x10000) {
            put_byte(splitter, 0xe0 | point >> 12);
        } else {
            put_byte(splitter, 0xf0 | point >> 18);
            put_byte(splitter, 0x80 | (point >> 12 & 0x3f));
        }
        put_byte(splitter, 0x80 | (point >> 6 & 0x3f));
        put_byte(splitter, 0x80 | (point & 0x3f));
    }
}

static void take_byte(struct splitter *splitter, unsigned char byte)
{
    if (splitter->missing > 0 && (byte & 0xc0) == 0x80) {
        splitter->point = splitter->point << 6 | (byte & 0x3f);
        if (--splitter->missing == 0)
            take_character(splitter, splitter->point);
        return;
    }
    splitter->missing = 0;
    if (byte < 0x80) {
        take_character(splitter, byte);
    } else if (byte >= 0xc2 && byte < 0xf5) {
        splitter->missing = byte >= 0xf0 ? 3 : byte >= 0xe0 ? 2 : 1;
        splitter->point = byte & (0x3fu >> splitter->missing);
    } else {
        end_word(splitter);
    }
}

static bool read_words(const char *name, size_t least, bool stops)
{
    static unsigned char block[BLOCK];
    bool standard = strcmp(name, "-") == 0 && !stops;
    FILE *file = standard ? stdin : fopen(name, "rb");
    if (file == NULL)
        return false;
    setvbuf(file, NULL, _IONBF, 0);
    struct splitter splitter = {.least = least, .stops = stops};
    size_t got;
    while ((got = fread(block, 1, sizeof block, file)) > 0)
        for (size_t i = 0; i < got; i++)
            take_byte(&splitter, block[i]);
    end_word(&splitter);
    int code = ferror(file) ? errno : 0;
    if (!standard)
        fclose(file);
    errno = code;
    return code == 0;
}

static int by_times(const void *a, const void *b)
{
    const struct word *x = a, *y = b;
    return x->times != y->times ? (x->times < y->times ? 1 : -1) : strcmp(x->text, y->text);
}

static unsigned long number(const char *option, const char *text)
{
    char *end = NULL;
    unsigned long value = text != NULL ? strtoul(text, &end, 10) : 0;
    if (text == NULL || *text < '0' || *text > '9' || *end != '\0') {
        fprintf(stderr, "top-words: %s needs a number\nTry 'top-words --help' for more information.\n", option);
        exit(2);
    }
    return value;
}

int main(int argc, char **argv)
{
    unsigned long wanted = 10, least = 2;
    bool all = false, json = false, ended = false;
    const char *stop_list = NULL;
    int status = 0, names = 0;
    char **files = malloc(((size_t)argc + 1) * sizeof *files);
    if (files == NULL)
        die("arguments", "memory exhausted");
    for (int i = 1; i < argc; i++) {
        const char *word = argv[i], *value = i + 1 < argc ? argv[i + 1] : NULL;
        if (ended || word[0] != '-' || word[1] == '\0') {
            files[names++] = argv[i];
        } else if (strcmp(word, "--") == 0) {
            ended = true;
        } else if (strcmp(word, "--help") == 0) {
            fputs(help, stdout);
            return fflush(stdout) != 0;
        } else if (strcmp(word, "--version") == 0) {
            puts("top-words " TOP_WORDS_VERSION);
            return fflush(stdout) != 0;
        } else if (strcmp(word, "-a") == 0 || strcmp(word, "--all") == 0) {
            all = true;
        } else if (TOP_WORDS_LEVEL >= 1 && (strcmp(word, "-j") == 0 || strcmp(word, "--json") == 0)) {
            json = true;
        } else if ((strcmp(word, "-s") == 0 || strcmp(word, "--stop") == 0) && value != NULL) {
            stop_list = value;
            i++;
        } else if (word[1] == 'n' || word[1] == 'm') {
            const char *text = word[2] != '\0' ? word + 2 : (i++, value);
            *(word[1] == 'n' ? &wanted : &least) = number(word[1] == 'n' ? "-n" : "-m", text);
        } else {
            fprintf(stderr, "top-words: unknown option or missing value: '%s'\nTry 'top-words --help' for more information.\n", word);
            return 2;
        }
    }
    grow();
    /* The usual list need not be there; one that was asked for must. */
    if (!all && !read_words(stop_list != NULL ? stop_list : default_stop_list, 1, true) && stop_list != NULL)
        die(stop_list, strerror(errno));
    if (names == 0)
        files[names++] = "-";
    for (int i = 0; i < names; i++)
        if (!read_words(files[i], least, false)) {
            fprintf(stderr, "top-words: %s: %s\n", files[i], strerror(errno));
            status = 1;
        }
    size_t count = 0;
    for (size_t i = 0; i < room; i++)
        if (table[i].text != NULL && !table[i].stop && table[i].times > 0)
            table[count++] = table[i];
    qsort(table, count, sizeof *table, by_times);
    if (wanted > 0 && count > wanted)
        count = wanted;
    if (json)
        putchar('{');
    for (size_t i = 0; i < count; i++) {
        unsigned long long times = table[i].times;
        if (json) /* a word holds letters and apostrophes: nothing that JSON would want escaped */
            printf("%s\"%s\": %llu", i > 0 ? ", " : "", table[i].text, times);
        else
            printf("%7llu %s\n", times, table[i].text);
    }
    if (json)
        puts("}");
    if (fflush(stdout) != 0 || ferror(stdout))
        die("write error", strerror(errno));
    return status;
}
