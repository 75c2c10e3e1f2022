/* Matching with back references: see regex_groups.h. */
#include "regex_groups.h"

#include <stdlib.h>
#include <string.h>
#include <wctype.h>

#include "applet.h"
#include "reader.h"

enum { MOST_VISITS = 1 << 22, NOWHERE = -1 };

/* One way through the program: where it is, and where the groups that are referred to begin and end. */
struct way {
    int at;
    size_t position;
    long slots[20];
};

struct visits {
    uint64_t *keys;
    size_t room, count;
};

static bool visit(struct visits *visits, uint64_t key)
{
    key |= key == 0;
    if (visits->count * 2 >= visits->room) {
        struct visits larger = {.room = visits->room > 0 ? visits->room * 2 : 256};
        if (larger.room > MOST_VISITS)
            applet_diex(2, "Regular expression needs too much memory for this line");
        larger.keys = allocate(larger.room * sizeof *larger.keys);
        memset(larger.keys, 0, larger.room * sizeof *larger.keys);
        for (size_t i = 0; i < visits->room; i++)
            if (visits->keys[i] != 0)
                visit(&larger, visits->keys[i]);
        free(visits->keys);
        *visits = larger;
    }
    size_t slot = (size_t)(key ^ key >> 29) & (visits->room - 1);
    for (; visits->keys[slot] != 0; slot = (slot + 1) & (visits->room - 1))
        if (visits->keys[slot] == key)
            return false;
    visits->keys[slot] = key;
    visits->count++;
    return true;
}

static uint64_t mix(uint64_t hash, uint64_t value)
{
    hash = (hash ^ value) * 0x9fb21c651e98df25;
    return hash ^ hash >> 28;
}

static bool same_text(const char *a, const char *b, size_t size, bool fold)
{
    if (!fold)
        return memcmp(a, b, size) == 0;
    for (size_t at = 0; at < size;) {
        unsigned x_length, y_length;
        uint32_t x = next_symbol(a + at, size - at, &x_length), y = next_symbol(b + at, size - at, &y_length);
        if (x_length != y_length || (x != y && towlower((wint_t)x) != towlower((wint_t)y)))
            return false;
        at += x_length;
    }
    return true;
}

static bool word_at(const char *line, size_t length, size_t at, bool before)
{
    unsigned size;
    if (!before)
        return at < length && symbol_is_word(next_symbol(line + at, length - at, &size));
    size_t start = at;
    while (start > 0 && at - start < 4) {
        start--;
        if (((unsigned char)line[start] & 0xc0) != 0x80)
            break;
    }
    return start < at && symbol_is_word(next_symbol(line + start, at - start, &size)) && start + size == at;
}

bool groups_match(const struct program *program, const char *line, size_t length, size_t start, bool fold, size_t *end)
{
    uint32_t referred = 0;
    for (int i = 0; i < program->length; i++)
        if (program->code[i].operation == MATCH_GROUP)
            referred |= 1u << program->code[i].value;
    struct visits visits = {0};
    size_t depth = 0, room = 64;
    struct way *ways = allocate(room * sizeof *ways);
    struct way first = {.at = 0, .position = start};
    memset(first.slots, NOWHERE, sizeof first.slots);
    ways[depth++] = first;
    bool found = false;
    while (depth > 0) {
        struct way way = ways[--depth];
        for (bool alive = true; alive && way.at < program->length;) {
            const struct instruction *instruction = &program->code[way.at];
            if (instruction->operation == SPLIT || instruction->operation == MATCH_GROUP) {
                uint64_t key = mix(mix(1, (uint64_t)way.at), way.position);
                for (uint32_t slot = 2; slot < 20; slot++)
                    if (referred >> slot / 2 & 1)
                        key = mix(key, (uint64_t)way.slots[slot]);
                if (!visit(&visits, key))
                    break;
            }
            int next = instruction->next;
            unsigned size;
            switch (instruction->operation) {
            case ACCEPT:
                if (!found || way.position > *end)
                    *end = way.position;
                found = true;
                alive = false;
                break;
            case SPLIT:
                if (depth == room)
                    ways = reallocate(ways, (room *= 2) * sizeof *ways);
                ways[depth] = way;
                ways[depth++].at = instruction->other;
                break;
            case JUMP: break;
            case SAVE:
                if (referred >> instruction->value / 2 & 1)
                    way.slots[instruction->value] = (long)way.position;
                break;
            case MATCH_ASSERTION:
                alive = assertion_holds((enum assertion)instruction->value, way.position == 0,
                                        word_at(line, length, way.position, true), way.position == length,
                                        word_at(line, length, way.position, false));
                break;
            case MATCH_GROUP: {
                long from = way.slots[instruction->value * 2], to = way.slots[instruction->value * 2 + 1];
                size_t width = (size_t)(to - from);
                alive = from >= 0 && to >= from && width <= length - way.position &&
                        same_text(line + from, line + way.position, width, fold);
                way.position += alive ? width : 0;
                break;
            }
            default:
                alive = way.position < length &&
                        instruction_takes(program, instruction, next_symbol(line + way.position, length - way.position, &size));
                way.position += alive ? size : 0;
            }
            way.at = next;
        }
    }
    free(ways);
    free(visits.keys);
    return found;
}
