/* What the parser makes of a script: commands, and the words that are expanded when they run. */
#ifndef AST_H
#define AST_H

#include <stdbool.h>

enum part_kind { PART_TEXT, PART_PARAMETER, PART_COMMAND, PART_ARITHMETIC, PART_TILDE };

enum parameter_operator {
    OP_NONE,
    OP_LENGTH,           /* ${#x} */
    OP_DEFAULT,          /* ${x-w} */
    OP_ASSIGN,           /* ${x=w} */
    OP_ERROR,            /* ${x?w} */
    OP_ALTERNATIVE,      /* ${x+w} */
    OP_PREFIX,           /* ${x#w} */
    OP_LONGEST_PREFIX,   /* ${x##w} */
    OP_SUFFIX,           /* ${x%w} */
    OP_LONGEST_SUFFIX,   /* ${x%%w} */
    OP_BAD               /* what no shell understands: an error when it is expanded */
};

struct node;
struct word;

/* A piece of a word. Quoted text stands for itself; a quoted expansion is not split. */
struct part {
    struct part *next;
    enum part_kind kind;
    bool quoted;
    bool colon;                 /* ${x:-w}: an empty value counts as none */
    enum parameter_operator op;
    char *text;                 /* the text, the parameter's name, the user behind ~ */
    struct word *word;          /* the operator's word, or the arithmetic expression */
    struct node *node;          /* the command whose output is wanted */
};

struct word {
    struct word *next;
    struct part *parts;
};

enum redirection_kind { REDIRECT_READ, REDIRECT_WRITE, REDIRECT_APPEND, REDIRECT_BOTH, REDIRECT_CLOBBER, REDIRECT_COPY, REDIRECT_HERE };

struct redirection {
    struct redirection *next;
    enum redirection_kind kind;
    int fd;
    struct word *word;          /* the file, the number or `-`, or the here-document's body */
};

struct assignment {
    struct assignment *next;
    char *name;
    struct word *value;
};

struct case_item {
    struct case_item *next;
    struct word *patterns;
    struct node *body;
};

enum node_kind {
    NODE_SIMPLE,
    NODE_PIPELINE,
    NODE_NOT,
    NODE_AND,
    NODE_OR,
    NODE_SEQUENCE,
    NODE_BACKGROUND,
    NODE_SUBSHELL,
    NODE_GROUP,
    NODE_IF,
    NODE_WHILE,
    NODE_UNTIL,
    NODE_FOR,
    NODE_CASE,
    NODE_FUNCTION
};

struct node {
    enum node_kind kind;
    int line;
    struct node *next;                  /* in a pipeline: the next command */
    struct node *first, *second, *third; /* left and right; condition, body and else */
    struct redirection *redirections;
    struct assignment *assignments;
    struct word *words;                 /* of a simple command, a for loop, a case */
    char *name;                         /* of a function, a loop's variable */
    bool all_parameters;                /* for without `in` */
    struct case_item *items;
};

#endif
