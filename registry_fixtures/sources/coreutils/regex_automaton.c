/* The automaton: see regex_automaton.h.

   A state is the set of instructions that wait for a symbol, and what stood before: the start of the line, a word, or
   something else. Assertions are decided when the next symbol is known, so a state's step both moves on and says whether a
   match ended before that symbol. */
#include "regex_automaton.h"

#include <stdlib.h>
#include <string.h>

#include "characters.h"
#include "reader.h"

enum { MOST_STATES = 1500, BUCKETS = 4096, RECENT = 256, COLUMNS = 257, END_COLUMN = 256 };
enum before { LINE_START, WORD_BEFORE, OTHER_BEFORE, BEFORE_KINDS };

struct state {
    int *waiting; /* instructions, in ascending order */
    int count, index;
    enum before before;
    bool searching; /* a match may begin at any place: the program's start waits always */
    struct state *chain;
    int32_t next[COLUMNS]; /* (index << 1 | matched), or -1 when not known */
};

struct automaton {
    const struct program *program;
    struct state *states[MOST_STATES];
    int count;
    struct state *buckets[BUCKETS];
    int start[2][BEFORE_KINDS];
    struct { int state; uint32_t symbol; int32_t step; } recent[RECENT]; /* steps by symbols beyond the columns */
    int *stack, *list;
    uint32_t *seen, mark; /* by instruction: when it was last reached */
    int capacity;
    unsigned generation;
};

static void forget(struct automaton *automaton)
{
    for (int i = 0; i < automaton->count; i++) {
        free(automaton->states[i]->waiting);
        free(automaton->states[i]);
    }
    automaton->count = 0;
    automaton->generation++;
    memset(automaton->buckets, 0, sizeof automaton->buckets);
    memset(automaton->start, -1, sizeof automaton->start);
    memset(automaton->recent, -1, sizeof automaton->recent);
}

struct automaton *automaton_new(const struct program *program)
{
    struct automaton *automaton = allocate(sizeof *automaton);
    memset(automaton, 0, sizeof *automaton);
    size_t length = (size_t)program->length + 1;
    automaton->program = program;
    automaton->stack = allocate((length * 3 + 2) * sizeof(int));
    automaton->list = allocate(length * sizeof(int));
    automaton->seen = allocate(length * sizeof(uint32_t));
    memset(automaton->seen, 0, length * sizeof(uint32_t));
    forget(automaton);
    return automaton;
}

static int ascending(const void *a, const void *b)
{
    return *(const int *)a - *(const int *)b;
}

/* The state with these waiting instructions (which it sorts). The table may be emptied to make room for it. */
static int find_state(struct automaton *automaton, int *waiting, int count, enum before before, bool searching)
{
    bool sorted = true;
    for (int i = 1; i < count && sorted; i++)
        sorted = waiting[i - 1] < waiting[i];
    if (!sorted)
        qsort(waiting, (size_t)count, sizeof *waiting, ascending);
    uint32_t hash = (uint32_t)before * 2 + searching;
    for (int i = 0; i < count; i++)
        hash = (hash ^ (uint32_t)waiting[i]) * 0x01000193u;
    hash = (hash ^ hash >> 15) % BUCKETS;
    for (struct state *state = automaton->buckets[hash]; state != NULL; state = state->chain)
        if (state->count == count && state->before == before && state->searching == searching &&
            memcmp(state->waiting, waiting, (size_t)count * sizeof *waiting) == 0)
            return state->index;
    if (automaton->count == MOST_STATES)
        forget(automaton);
    struct state *state = allocate(sizeof *state);
    *state = (struct state){.count = count, .index = automaton->count, .before = before, .searching = searching, .chain = automaton->buckets[hash]};
    state->waiting = allocate((size_t)count * sizeof *waiting);
    memcpy(state->waiting, waiting, (size_t)count * sizeof *waiting);
    memset(state->next, -1, sizeof state->next);
    automaton->buckets[hash] = state;
    automaton->states[automaton->count] = state;
    return automaton->count++;
}

/* Where the state goes by the symbol, and whether a match ends before it. */
static int32_t compute(struct automaton *automaton, int from, uint32_t symbol)
{
    const struct state *state = automaton->states[from];
    const struct program *program = automaton->program;
    bool at_end = symbol == LINE_END, word_after = symbol_is_word(symbol), matched = false;
    bool at_start = state->before == LINE_START, word_before = state->before == WORD_BEFORE, searching = state->searching;
    int depth = 0, count = 0, *stack = automaton->stack, *list = automaton->list;
    uint32_t mark = ++automaton->mark;
    for (int i = state->count; i-- > 0;)
        stack[depth++] = state->waiting[i];
    if (searching)
        stack[depth++] = 0;
    while (depth > 0) {
        int at = stack[--depth];
        if (at >= program->length || automaton->seen[at] == mark)
            continue;
        automaton->seen[at] = mark;
        const struct instruction *instruction = &program->code[at];
        switch (instruction->operation) {
        case ACCEPT: matched = true; break;
        case SPLIT:
            stack[depth++] = instruction->other;
            stack[depth++] = instruction->next;
            break;
        case JUMP: case SAVE: stack[depth++] = instruction->next; break;
        case MATCH_ASSERTION:
            if (assertion_holds((enum assertion)instruction->value, at_start, word_before, at_end, word_after))
                stack[depth++] = instruction->next;
            break;
        case MATCH_GROUP: break;
        default:
            if (!at_end && instruction_takes(program, instruction, symbol))
                list[count++] = instruction->next;
        }
    }
    int to = find_state(automaton, list, count, word_after ? WORD_BEFORE : OTHER_BEFORE, searching);
    return (int32_t)((uint32_t)to << 1 | matched);
}

static int32_t step(struct automaton *automaton, int state, uint32_t symbol)
{
    int column = symbol == LINE_END ? END_COLUMN : symbol < 256 ? (int)symbol : -1;
    if (column >= 0) {
        int32_t known = automaton->states[state]->next[column];
        if (known >= 0)
            return known;
    }
    size_t slot = (symbol * 31 + (uint32_t)state * 7) % RECENT;
    if (column < 0 && automaton->recent[slot].state == state && automaton->recent[slot].symbol == symbol)
        return automaton->recent[slot].step;
    unsigned generation = automaton->generation;
    int32_t result = compute(automaton, state, symbol);
    if (generation != automaton->generation)
        return result; /* the state that it comes from is no more */
    if (column >= 0) {
        automaton->states[state]->next[column] = result;
    } else {
        automaton->recent[slot].state = state;
        automaton->recent[slot].symbol = symbol;
        automaton->recent[slot].step = result;
    }
    return result;
}

static int start_state(struct automaton *automaton, bool searching, enum before before)
{
    int *known = &automaton->start[searching][before];
    if (*known < 0) {
        int first = 0;
        int state = find_state(automaton, &first, !searching, before, searching);
        automaton->start[searching][before] = state;
    }
    return automaton->start[searching][before];
}

static enum before before_at(const char *line, size_t at)
{
    if (at == 0)
        return LINE_START;
    size_t start = at - 1;
    unsigned length;
    if (characters_are_utf8())
        while (start > 0 && at - start < 4 && ((unsigned char)line[start] & 0xc0) == 0x80)
            start--;
    uint32_t symbol = next_symbol(line + start, at - start, &length);
    return length == at - start && symbol_is_word(symbol) ? WORD_BEFORE : OTHER_BEFORE;
}

bool automaton_search(struct automaton *automaton, const char *line, size_t length, size_t from, size_t *end)
{
    int state = start_state(automaton, true, before_at(line, from));
    bool utf8 = characters_are_utf8();
    size_t at = from;
    while (at < length) {
        unsigned char byte = (unsigned char)line[at];
        unsigned size = 1;
        uint32_t symbol = byte;
        int32_t known = -1;
        if (byte < 0x80 || !utf8)
            known = automaton->states[state]->next[byte];
        else
            symbol = next_symbol(line + at, length - at, &size);
        if (known < 0)
            known = step(automaton, state, symbol);
        if (known & 1) {
            *end = at;
            return true;
        }
        state = known >> 1;
        at += size;
    }
    *end = length;
    return step(automaton, state, LINE_END) & 1;
}

bool automaton_match(struct automaton *automaton, const char *line, size_t length, size_t start, size_t *end)
{
    int state = start_state(automaton, false, before_at(line, start));
    bool found = false;
    for (size_t at = start;;) {
        unsigned size = 0;
        uint32_t symbol = at < length ? next_symbol(line + at, length - at, &size) : LINE_END;
        int32_t moved = step(automaton, state, symbol);
        if (moved & 1) {
            found = true;
            *end = at;
        }
        state = moved >> 1;
        if (at >= length || automaton->states[state]->count == 0)
            return found;
        at += size;
    }
}
