/* yes: says the same line until nobody listens. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "applet.h"
#include "options.h"
#include "reader.h"

const char yes_help[] = "Usage: yes [STRING]...\nRepeatedly output a line with all specified STRING(s), or 'y'.\n";

int yes_main(int argc, char **argv)
{
    struct options options;
    options_start(&options, argc, argv, "+", NULL);
    while (options_next(&options) != -1)
        ;
    if (options.operand_count == 0)
        options.operands[options.operand_count++] = "y";
    size_t length = 0;
    for (int i = 0; i < options.operand_count; i++)
        length += strlen(options.operands[i]) + 1;
    size_t copies = length < READ_SIZE ? READ_SIZE / length : 1;
    char *text = allocate(length * copies + 1), *end = text;
    for (int i = 0; i < options.operand_count; i++)
        end += sprintf(end, "%s%c", options.operands[i], i + 1 < options.operand_count ? ' ' : '\n');
    for (size_t i = 1; i < copies; i++)
        memcpy(text + i * length, text, length);
    while (write_all(STDOUT_FILENO, text, length * copies))
        ;
    applet_warn("standard output");
    return 1;
}
