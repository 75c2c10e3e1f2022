/* Where the characters of a script come from: a stack of strings and files. */
#ifndef INPUT_H
#define INPUT_H

#include <stdbool.h>
#include <stddef.h>

enum { END_OF_INPUT = -1 };

struct input {
    struct input *below;
    const char *data;       /* what there is to read now */
    size_t position, length;
    int fd;                 /* where more comes from, -1 for a string */
    bool by_line;           /* never read beyond a line: others read from there too */
    bool prompts;
    bool at_end;
    int line;
    char *buffer;
};

extern struct input *input;

void input_push_string(struct input *source, const char *text, size_t length, int line);
void input_push_file(struct input *source, int fd, bool by_line, bool prompts);
void input_pop(void);

/* The next character as it stands, or END_OF_INPUT. */
int input_get(void);
/* Takes back the character that was read last. */
void input_unget(int c);
/* Whether nothing but white space is left of a string. */
bool input_is_spent(void);
/* Forget what is left of a line that was typed. */
void input_discard(void);
/* The next prompt is for a new command, or for more of one. */
void input_prompt(bool new_command);

#endif
