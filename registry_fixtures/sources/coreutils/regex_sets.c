/* Symbols, sets of them, and assertions between them. */
#include <wctype.h>

#include "characters.h"
#include "regex_program.h"
#include "regex_sets.h"

const struct set_class set_classes[] = {
    {"alnum", iswalnum}, {"alpha", iswalpha}, {"blank", iswblank}, {"cntrl", iswcntrl}, {"digit", iswdigit}, {"graph", iswgraph},
    {"lower", iswlower}, {"print", iswprint}, {"punct", iswpunct}, {"space", iswspace}, {"upper", iswupper}, {"xdigit", iswxdigit},
    {NULL, NULL}};

bool symbol_is_word(uint32_t symbol)
{
    if (symbol < 0x80)
        return symbol == '_' || (symbol >= '0' && symbol <= '9') || ((symbol | 32) >= 'a' && (symbol | 32) <= 'z');
    return symbol < INVALID_BYTE && characters_are_utf8() && iswalnum((wint_t)symbol);
}

static bool listed(const struct set *set, uint32_t symbol)
{
    for (size_t i = 0; i < set->range_count; i++)
        if (symbol >= set->ranges[i].low && symbol <= set->ranges[i].high)
            return true;
    if (symbol >= 0x80 && !characters_are_utf8())
        return false;
    for (int i = 0; set->classes >> i != 0; i++)
        if ((set->classes >> i & 1) != 0 && set_classes[i].holds((wint_t)symbol))
            return true;
    return false;
}

static bool computed(const struct set *set, uint32_t symbol)
{
    bool held = listed(set, symbol);
    if (!held && set->fold && (symbol < 0x80 || characters_are_utf8()))
        held = listed(set, (uint32_t)towlower((wint_t)symbol)) || listed(set, (uint32_t)towupper((wint_t)symbol));
    return held != set->negated;
}

void set_finish(struct set *set)
{
    for (uint32_t symbol = 0; symbol < 256; symbol++)
        if (computed(set, symbol))
            set->low[symbol / 32] |= (uint32_t)1 << symbol % 32;
}

bool set_holds(const struct set *set, uint32_t symbol)
{
    if (symbol < 256)
        return set->low[symbol / 32] >> symbol % 32 & 1;
    return symbol < INVALID_BYTE && computed(set, symbol);
}

bool instruction_takes(const struct program *program, const struct instruction *instruction, uint32_t symbol)
{
    switch (instruction->operation) {
    case MATCH_SYMBOL: return instruction->value == symbol;
    case MATCH_SET: return set_holds(&program->sets[instruction->value], symbol);
    case MATCH_ANY: return symbol < INVALID_BYTE;
    default: return false;
    }
}

bool assertion_holds(enum assertion assertion, bool at_start, bool word_before, bool at_end, bool word_after)
{
    switch (assertion) {
    case AT_START: return at_start;
    case AT_END: return at_end;
    case WORD_EDGE: return word_before != word_after;
    case NOT_WORD_EDGE: return word_before == word_after;
    case WORD_START: return !word_before && word_after;
    case WORD_END: return word_before && !word_after;
    case NO_WORD_BEFORE: return !word_before;
    case NO_WORD_AFTER: return !word_after;
    }
    return false;
}

uint32_t next_symbol(const char *text, size_t size, unsigned *length)
{
    struct character c = next_character(text, size);
    *length = c.length;
    return c.valid ? c.point : INVALID_BYTE + c.point;
}
