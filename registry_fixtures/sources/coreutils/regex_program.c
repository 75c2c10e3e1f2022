/* Compiling regular expressions: from the tree to the instructions. */
#include "regex_program.h"

#include <stdlib.h>

#include "reader.h"
#include "regex_parse.h"

enum { MOST_INSTRUCTIONS = 200000 };

static bool too_big;

static int emit(struct program *program, struct instruction instruction)
{
    if ((program->length & (program->length - 1)) == 0) {
        size_t room = program->length > 0 ? (size_t)program->length * 2 : 1;
        program->code = reallocate(program->code, room * sizeof *program->code);
    }
    if (program->length >= MOST_INSTRUCTIONS)
        too_big = true;
    program->code[program->length] = instruction;
    return program->length++;
}

static void generate(struct program *program, const struct node *node);

/* THEN and OR lean left, and may be as long as the pattern: a loop, not recursion. */
static void generate_chain(struct program *program, const struct node *node)
{
    enum node_kind kind = node->kind;
    int count = 1, jump = -1;
    for (const struct node *at = node; at->kind == kind; at = at->left)
        count++;
    const struct node **parts = allocate((size_t)count * sizeof *parts);
    for (int i = count; --i > 0; node = node->left)
        parts[i] = node->right;
    parts[0] = node;
    for (int i = 0; i < count && !too_big; i++) {
        if (kind == THEN || i + 1 == count) {
            generate(program, parts[i]);
            continue;
        }
        int split = emit(program, (struct instruction){SPLIT, 0, program->length + 1, -1});
        generate(program, parts[i]);
        /* The jumps to the end are linked through their targets until the end is known. */
        jump = emit(program, (struct instruction){JUMP, 0, jump, -1});
        program->code[split].other = program->length;
    }
    while (jump >= 0 && !too_big) {
        int before = program->code[jump].next;
        program->code[jump].next = program->length;
        jump = before;
    }
    free(parts);
}

/* Emits a node so that what follows it comes next. */
static void generate(struct program *program, const struct node *node)
{
    if (too_big)
        return;
    switch (node->kind) {
    case EMPTY: break;
    case SYMBOL: case SET: case ANY: {
        enum operation operation = node->kind == SYMBOL ? MATCH_SYMBOL : node->kind == SET ? MATCH_SET : MATCH_ANY;
        emit(program, (struct instruction){operation, node->value, program->length + 1, -1});
        break;
    }
    case ASSERTION: emit(program, (struct instruction){MATCH_ASSERTION, node->value, program->length + 1, -1}); break;
    case REFERENCE: emit(program, (struct instruction){MATCH_GROUP, node->value, program->length + 1, -1}); break;
    case GROUP:
        if (node->value < 10)
            emit(program, (struct instruction){SAVE, node->value * 2, program->length + 1, -1});
        generate(program, node->left);
        if (node->value < 10)
            emit(program, (struct instruction){SAVE, node->value * 2 + 1, program->length + 1, -1});
        break;
    case THEN:
    case OR: generate_chain(program, node); break;
    case REPEAT: {
        for (int i = 0; i < node->least && !too_big; i++) {
            int before = program->length;
            generate(program, node->left);
            if (program->length == before)
                return; /* nothing, however often */
        }
        if (node->most < 0) {
            int split = emit(program, (struct instruction){SPLIT, 0, program->length + 1, -1});
            generate(program, node->left);
            emit(program, (struct instruction){JUMP, 0, split, -1});
            program->code[split].other = program->length;
        }
        int last = -1; /* the optional ones, each within the one before */
        for (int i = node->least; i < node->most && !too_big; i++) {
            last = emit(program, (struct instruction){SPLIT, 0, program->length + 1, last});
            generate(program, node->left);
        }
        while (last >= 0) {
            int before = program->code[last].other;
            program->code[last].other = program->length;
            last = before;
        }
        break;
    }
    }
}

const char *program_add(struct program *program, const char *pattern, size_t length, struct regex_options options)
{
    struct parsed parsed = regex_parse(program, pattern, length, options);
    if (parsed.error == NULL) {
        /* The alternatives of the program are chained by the `other` of their first instruction. */
        int first = emit(program, (struct instruction){SPLIT, 0, program->length + 1, -1});
        if (options.whole != ANYWHERE)
            emit(program, (struct instruction){MATCH_ASSERTION, options.whole == WHOLE_LINE ? AT_START : NO_WORD_BEFORE,
                                               program->length + 1, -1});
        generate(program, parsed.root);
        if (options.whole != ANYWHERE)
            emit(program, (struct instruction){MATCH_ASSERTION, options.whole == WHOLE_LINE ? AT_END : NO_WORD_AFTER,
                                               program->length + 1, -1});
        emit(program, (struct instruction){ACCEPT, 0, -1, -1});
        if (!too_big)
            program->code[first].other = program->length; /* where the next alternative would begin */
        program->group_count = parsed.groups;
    }
    parsed_free(&parsed);
    return too_big ? "Regular expression too big" : parsed.error;
}
